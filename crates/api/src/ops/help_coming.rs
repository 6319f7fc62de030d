//! `POST /help/{id}/coming`: a supervisor says that they come.

use crate::commands::Hand;
use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use undertone_core::refusal::Reason;

#[utoipa::path(
    post,
    path = "/api/v1/help/{id}/coming",
    operation_id = "help_coming",
    summary = "A supervisor says that they come.",
    tag = "help",
    params(("id" = String, Path, description = "The help's id")),
    responses(
        (status = 200, description = "The hand", body = wire::Help),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn help_coming(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (call, number) = wire::help_number(&id)?;
    let help = api.commands.hand(&who, &call, Hand::Coming { number }).await?;
    let help = help.ok_or_else(|| Problem::not_found(Reason::NoSuchHelp))?;
    Ok(Json(wire::Help::new(&call, &help)).into_response())
}
