//! `POST /calls/{id}/answer`: takes a call that rings at the caller's phone in the browser.

use super::call_id;
use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    post,
    path = "/api/v1/calls/{id}/answer",
    operation_id = "answer_call",
    summary = "Takes a call that rings at your phone in the browser.",
    tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 200, description = "The call: the phone is in it", body = wire::Call),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn answer_call(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let call = api.commands.answer_call(&who, &call_id(&id)?).await?;
    Ok(Json(wire::Call::from(&call)).into_response())
}
