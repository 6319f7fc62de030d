//! `POST /supervisions/{id}/prompts`: a line for the agent to read, under the right to whisper.

use super::supervision_id;
use crate::problem::Problem;
use crate::request::{Body, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendPrompt {
    /// 1 to 200 characters on one line.
    #[schema(example = "Verify the account first")]
    text: String,
}

#[utoipa::path(
    post,
    path = "/api/v1/supervisions/{id}/prompts",
    operation_id = "send_prompt",
    summary = "A line for the agent to read.",
    tag = "help",
    request_body = SendPrompt,
    params(("id" = String, Path, description = "The supervision's id")),
    responses(
        (status = 201, description = "Passed on", body = wire::SentItem),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn send_prompt(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    asked: Body<SendPrompt>,
) -> Result<Response, Problem> {
    let id = supervision_id(&id)?;
    let text = asked.value.text;
    let sent = api.commands.prompt(&who, &id, text.clone()).await?;
    let shown = wire::SentItem::new(&sent, Some(text), None);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}
