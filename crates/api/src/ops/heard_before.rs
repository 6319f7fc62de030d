//! `GET /supervisions/{id}/heard-before`: how often its supervisor has heard these agents lately.

use super::supervision_id;
use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeardBefore {
    /// Seven days ago.
    #[schema(format = DateTime)]
    since: String,
    /// Who is on the call.
    agents: Vec<HeardAgent>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeardAgent {
    id: String,
    name: String,
    /// Of theirs that this supervisor has heard since then, this one counted.
    calls: u32,
}

#[utoipa::path(
    get,
    path = "/api/v1/supervisions/{id}/heard-before",
    operation_id = "heard_before",
    summary = "How many calls of these agents its supervisor has heard in seven days.",
    tag = "supervisions",
    params(("id" = String, Path, description = "One's own running supervision")),
    responses(
        (status = 200, description = "By agent", body = HeardBefore),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn heard_before(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let heard = api.commands.heard_before(&who, &supervision_id(&id)?).await?;
    let agent = |one: crate::commands::HeardAgent| HeardAgent {
        id: one.person.to_string(),
        name: one.name,
        calls: one.calls,
    };
    let agents = heard.agents.into_iter().map(agent).collect();
    Ok(Json(HeardBefore { since: wire::instant(heard.since), agents }).into_response())
}
