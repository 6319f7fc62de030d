//! `GET /history/calls`: ended calls, newest first.

use crate::commands::HistoryQuery;
use crate::problem::Problem;
use crate::request::{Query, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use undertone_core::id::PersonId;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParams {
    /// That began at this instant or later (RFC 3339).
    from: Option<String>,
    /// That began before this instant.
    to: Option<String>,
    /// On which this person was an agent.
    agent: Option<String>,
    queue: Option<String>,
    /// Whether anybody supervised it.
    supervised: Option<bool>,
    /// What the page before gave as `next_cursor`.
    cursor: Option<String>,
    /// 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

const CURSOR_MAX_BYTES: usize = 200;

#[utoipa::path(
    get,
    path = "/api/v1/history/calls",
    operation_id = "list_history",
    summary = "Ended calls, newest first.",
    tag = "calls",
    params(HistoryParams),
    responses(
        (status = 200, description = "A page of calls", body = wire::CallPage),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn list_history(
    State(api): State<Api>,
    Who(who): Who,
    Query(asked): Query<HistoryParams>,
) -> Result<Response, Problem> {
    let limit = asked.limit.unwrap_or(100);
    if !(1..=1_000).contains(&limit) {
        return Err(Problem::bad_request("Field `limit` is wrong: 1 to 1000."));
    }
    let bad = |field: &str| Problem::bad_request(format!("Field `{field}` is wrong."));
    if asked.cursor.as_ref().is_some_and(|cursor| cursor.len() > CURSOR_MAX_BYTES) {
        return Err(bad("cursor"));
    }
    let agent = asked.agent.map(|id| PersonId::parse(&id)).transpose();
    let query = HistoryQuery {
        from: asked.from.map(|at| wire::moment("from", &at)).transpose()?,
        to: asked.to.map(|at| wire::moment("to", &at)).transpose()?,
        agent: agent.map_err(|_| bad("agent"))?,
        queue: asked.queue,
        supervised: asked.supervised,
        cursor: asked.cursor,
        limit,
    };
    let page = api.commands.history(&who, query).await?;
    Ok(Json(wire::CallPage::from(&page)).into_response())
}
