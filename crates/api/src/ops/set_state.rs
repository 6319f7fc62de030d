//! `PUT /me/state`: available, or away and why.

use crate::problem::Problem;
use crate::request::{Body, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OwnState {
    Available,
    NotAvailable,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetState {
    state: OwnState,
    /// Of being away; 1 to 40 characters.
    #[serde(default)]
    #[schema(example = "lunch")]
    reason: Option<String>,
}

const REASON_MAX_CHARS: usize = 40;

#[utoipa::path(
    put,
    path = "/api/v1/me/state",
    operation_id = "set_state",
    summary = "Available, or away and why.",
    tag = "session",
    request_body = SetState,
    responses(
        (status = 200, description = "As the board shows it", body = wire::AgentItem),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn set_state(
    State(api): State<Api>,
    Who(who): Who,
    asked: Body<SetState>,
) -> Result<Response, Problem> {
    let SetState { state, reason } = asked.value;
    let fits = |text: &String| {
        let length = text.chars().count();
        (1..=REASON_MAX_CHARS).contains(&length) && !text.chars().any(char::is_control)
    };
    if !reason.iter().all(fits) {
        return Err(Problem::bad_request("Field `reason` is wrong: 1 to 40 characters."));
    }
    let away = matches!(state, OwnState::NotAvailable);
    let agent = api.commands.set_state(&who, away, reason).await?;
    Ok(Json(wire::AgentItem::from(&agent)).into_response())
}
