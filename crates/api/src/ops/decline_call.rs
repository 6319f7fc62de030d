//! `POST /calls/{id}/decline`: refuses a call that rings at the caller's phone in the browser.

use super::call_id;
use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    post,
    path = "/api/v1/calls/{id}/decline",
    operation_id = "decline_call",
    summary = "Refuses a call that rings at your phone in the browser, for your devices too.",
    tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 204, description = "It rings no more"),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn decline_call(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    api.commands.decline_call(&who, &call_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
