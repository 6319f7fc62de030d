//! `DELETE /calls/{id}`: ends the call for all on it.

use super::call_id;
use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    delete,
    path = "/api/v1/calls/{id}",
    operation_id = "hang_up_call",
    summary = "Ends the call for all on it.",
    tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 204, description = "The call has ended"),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn hang_up_call(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    api.commands.hang_up(&who, &call_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
