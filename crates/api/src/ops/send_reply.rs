//! `POST /supervisions/{id}/replies`: what the agent answers without a word.

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
pub(crate) struct SendReply {
    reply: wire::ReplyWordWire,
}

#[utoipa::path(
    post,
    path = "/api/v1/supervisions/{id}/replies",
    operation_id = "send_reply",
    summary = "The agent answers a supervisor without a word.",
    tag = "help",
    request_body = SendReply,
    params(("id" = String, Path, description = "The supervision's id")),
    responses(
        (status = 201, description = "Passed on", body = wire::SentItem),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn send_reply(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    asked: Body<SendReply>,
) -> Result<Response, Problem> {
    let id = supervision_id(&id)?;
    let reply = asked.value.reply;
    let sent = api.commands.reply(&who, &id, reply.into()).await?;
    let shown = wire::SentItem::new(&sent, None, Some(reply));
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}
