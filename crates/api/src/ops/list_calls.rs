//! `GET /calls`: live calls in the caller's scope.

use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    get,
    path = "/api/v1/calls",
    operation_id = "list_calls",
    summary = "Live calls in the caller's scope.",
    tag = "calls",
    responses(
        (status = 200, description = "Live calls", body = wire::CallList),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn list_calls(State(api): State<Api>, Who(who): Who) -> Result<Response, Problem> {
    let calls = api.commands.calls(&who).await?;
    let items = calls.iter().map(wire::Call::from).collect();
    Ok(Json(wire::CallList { items }).into_response())
}
