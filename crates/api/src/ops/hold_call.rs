//! `POST /calls/{id}/hold`: puts a party on hold: it hears hold treatment only.

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
pub(crate) struct HoldRequest {
    party: Option<String>,
}

#[utoipa::path(
    post,
    path = "/api/v1/calls/{id}/hold",
    operation_id = "hold_call",
    summary = "Puts a party on hold: it hears hold treatment only.",
    tag = "calls",
    request_body(content = Option<HoldRequest>, description = "May be left out"),
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 200, description = "The call", body = wire::Call),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn hold_call(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    MaybeBody(asked): MaybeBody<HoldRequest>,
) -> Result<Response, Problem> {
    let party = asked.party.as_deref().map(wire::seat_of).transpose()?;
    let call = api.commands.hold(&who, &call_id(&id)?, party).await?;
    Ok(Json(wire::Call::from(&call)).into_response())
}
