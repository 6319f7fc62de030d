//! `DELETE /calls/{id}/help`: the agent needs no help any more.

use super::call_id;
use crate::commands::Hand;
use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    delete,
    path = "/api/v1/calls/{id}/help",
    operation_id = "lower_hand",
    summary = "The agent needs no help any more.",
    tag = "help",
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 204, description = "Lowered"),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn lower_hand(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    api.commands.hand(&who, &call_id(&id)?, Hand::Withdraw).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
