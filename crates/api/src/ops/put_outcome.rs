//! `PUT /calls/{id}/outcome`: what came of a call.

use super::call_id;
use crate::problem::Problem;
use crate::request::{Body, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    put,
    path = "/api/v1/calls/{id}/outcome",
    operation_id = "put_outcome",
    summary = "What came of a call, as its agent, who took it over, a survey or a CRM says.",
    tag = "calls",
    request_body = wire::OutcomeAsked,
    params(("id" = String, Path, description = "The call's id; it may have ended")),
    responses(
        (status = 200, description = "All that is kept of it", body = wire::OutcomeWire),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn put_outcome(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    asked: Body<wire::OutcomeAsked>,
) -> Result<Response, Problem> {
    let (call, said) = (call_id(&id)?, asked.value.parse()?);
    let outcome = api.commands.set_outcome(&who, &call, said).await?;
    Ok(Json(wire::OutcomeWire::from(&outcome)).into_response())
}
