//! `POST /supervisions/{id}/agent`: holds, resumes or removes the agent, or hands a takeover back.

use super::{shown, supervision_id};
use crate::problem::Problem;
use crate::request::{Body, Who};
use crate::router::Api;
use crate::wire;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentActionRequest {
    action: wire::AgentActionWord,
}

#[utoipa::path(
    post,
    path = "/api/v1/supervisions/{id}/agent",
    operation_id = "agent_action",
    summary = "Holds, resumes or removes the agent, or hands a takeover back.",
    tag = "supervisions",
    request_body = AgentActionRequest,
    params(("id" = String, Path, description = "The supervision's id")),
    responses(
        (status = 200, description = "The supervision", body = wire::Supervision),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn agent_action(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    asked: Body<AgentActionRequest>,
) -> Result<Response, Problem> {
    let id = supervision_id(&id)?;
    let view = api.commands.agent_action(&who, &id, asked.value.action.into()).await?;
    Ok(shown(&view))
}
