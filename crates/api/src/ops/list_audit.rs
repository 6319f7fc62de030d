//! `GET /audit`: who did what, when, from where, and what came of it; newest first.

use crate::commands::AuditQuery;
use crate::problem::Problem;
use crate::request::{Query, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use undertone_core::id::{CallId, PersonId};
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// Rows about this call.
    call: Option<String>,
    /// Rows about what this person did.
    person: Option<String>,
    /// From this instant on (RFC 3339).
    from: Option<String>,
    /// Before this instant.
    to: Option<String>,
    /// What the page before gave as `next_cursor`.
    cursor: Option<String>,
    /// 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

#[utoipa::path(
    get,
    path = "/api/v1/audit",
    operation_id = "list_audit",
    summary = "Who did what, when, from where, and what came of it; newest first.",
    tag = "audit",
    params(AuditParams),
    responses(
        (status = 200, description = "A page of the audit", body = wire::AuditList),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn list_audit(
    State(api): State<Api>,
    Who(who): Who,
    Query(asked): Query<AuditParams>,
) -> Result<Response, Problem> {
    let limit = asked.limit.unwrap_or(100);
    if !(1..=1_000).contains(&limit) {
        return Err(Problem::bad_request("Field `limit` is wrong: 1 to 1000."));
    }
    let bad = |field: &str| Problem::bad_request(format!("Field `{field}` is wrong."));
    let query = AuditQuery {
        call: asked.call.map(|id| CallId::parse(&id)).transpose().map_err(|_| bad("call"))?,
        person: asked
            .person
            .map(|id| PersonId::parse(&id))
            .transpose()
            .map_err(|_| bad("person"))?,
        from: asked.from.map(|at| wire::moment("from", &at)).transpose()?,
        to: asked.to.map(|at| wire::moment("to", &at)).transpose()?,
        before: asked.cursor.map(|c| c.parse()).transpose().map_err(|_| bad("cursor"))?,
        limit,
    };
    let page = api.commands.audit(&who, query).await?;
    Ok(Json(wire::AuditList::from(page)).into_response())
}
