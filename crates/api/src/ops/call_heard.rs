//! `GET /calls/{id}/heard`: who heard whom, from beginning to end.

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
    path = "/api/v1/calls/{id}/heard",
    operation_id = "call_heard",
    summary = "Who heard whom on a call, live or ended: what was let through, and when.",
    tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 200, description = "Each change", body = wire::HeardList),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn call_heard(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let call = api.commands.call(&who, &call_id(&id)?).await?;
    Ok(Json(wire::HeardList::from(call.view.heard.as_slice())).into_response())
}
