//! `GET /agents`: people with their states.

use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    get,
    path = "/api/v1/agents",
    operation_id = "list_agents",
    summary = "People with their states.",
    tag = "agents",
    responses(
        (status = 200, description = "Agents", body = wire::AgentList),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn list_agents(
    State(api): State<Api>,
    Who(who): Who,
) -> Result<Response, Problem> {
    let agents = api.commands.agents(&who).await?;
    let items = agents.iter().map(wire::AgentItem::from).collect();
    Ok(Json(wire::AgentList { items }).into_response())
}
