//! `GET /health`: how the server is, part by part, for an administrator.

use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    get,
    path = "/api/v1/health",
    operation_id = "get_health",
    summary = "How the server is, part by part; needs the right `admin`.",
    tag = "admin",
    responses(
        (status = 200, description = "Also when a part is not well", body = wire::HealthView),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn get_health(State(api): State<Api>, Who(who): Who) -> Result<Response, Problem> {
    let health = api.commands.health(&who).await?;
    Ok(Json(wire::HealthView::from(health)).into_response())
}
