//! `POST /calls/{id}/resume`: takes the hold set by this API off a party.

use super::call_id;
use crate::problem::Problem;
use crate::request::{MaybeBody, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

/// Which party; none means the customer.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ResumeRequest {
    party: Option<String>,
}

#[utoipa::path(
    post,
    path = "/api/v1/calls/{id}/resume",
    operation_id = "resume_call",
    summary = "Takes the hold set by this API off a party.",
    tag = "calls",
    request_body(content = Option<ResumeRequest>, description = "May be left out"),
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 200, description = "The call", body = wire::Call),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn resume_call(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    MaybeBody(asked): MaybeBody<ResumeRequest>,
) -> Result<Response, Problem> {
    let party = asked.party.as_deref().map(wire::seat_of).transpose()?;
    let call = api.commands.resume(&who, &call_id(&id)?, party).await?;
    Ok(Json(wire::Call::from(&call)).into_response())
}
