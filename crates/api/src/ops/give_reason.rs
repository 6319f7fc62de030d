//! `PUT /calls/{id}/help`: why the hand is raised.

use super::call_id;
use crate::commands::Hand;
use crate::problem::Problem;
use crate::request::{Body, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use undertone_core::refusal::Reason;
use utoipa::ToSchema;

/// Why, in one press.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GiveReason {
    reason: Option<wire::HelpReasonWord>,
}

#[utoipa::path(
    put,
    path = "/api/v1/calls/{id}/help",
    operation_id = "give_reason",
    summary = "Why the hand is raised.",
    tag = "help",
    request_body = GiveReason,
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 200, description = "The hand", body = wire::Help),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn give_reason(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    asked: Body<GiveReason>,
) -> Result<Response, Problem> {
    let (id, reason) = (call_id(&id)?, asked.value.reason.map(Into::into));
    let help = api.commands.hand(&who, &id, Hand::Reason { reason }).await?;
    let help = help.ok_or_else(|| Problem::not_found(Reason::NoSuchHelp))?;
    Ok(Json(wire::Help::new(&id, &help)).into_response())
}
