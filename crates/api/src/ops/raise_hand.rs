//! `POST /calls/{id}/help`: the agent raises a hand.

use super::call_id;
use crate::commands::Hand;
use crate::problem::Problem;
use crate::request::{MaybeBody, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use undertone_core::refusal::Reason;
use utoipa::ToSchema;

/// Why, in one press; may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RaiseHand {
    reason: Option<wire::HelpReasonWord>,
}

#[utoipa::path(
    post,
    path = "/api/v1/calls/{id}/help",
    operation_id = "raise_hand",
    summary = "The agent raises a hand.",
    tag = "help",
    request_body(content = Option<RaiseHand>, description = "May be left out"),
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 201, description = "Raised", body = wire::Help),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn raise_hand(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    MaybeBody(asked): MaybeBody<RaiseHand>,
) -> Result<Response, Problem> {
    let (id, reason) = (call_id(&id)?, asked.reason.map(Into::into));
    let help = api.commands.hand(&who, &id, Hand::Raise { reason }).await?;
    let help = help.ok_or_else(|| Problem::not_found(Reason::NoSuchHelp))?;
    Ok((StatusCode::CREATED, Json(wire::Help::new(&id, &help))).into_response())
}
