//! `GET /calls/{id}`: one call, live or ended.

use super::call_id;
use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    get,
    path = "/api/v1/calls/{id}",
    operation_id = "get_call",
    summary = "One call, live or ended.",
    tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 200, description = "The call", body = wire::Call),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn get_call(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let call = api.commands.call(&who, &call_id(&id)?).await?;
    Ok(Json(wire::Call::from(&call)).into_response())
}
