//! `GET /supervisions/{id}`: one supervision, live or ended.

use super::{shown, supervision_id};
use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use crate::wire;
use axum::extract::{Path, State};
use axum::response::Response;

#[utoipa::path(
    get,
    path = "/api/v1/supervisions/{id}",
    operation_id = "get_supervision",
    summary = "One supervision, live or ended.",
    tag = "supervisions",
    params(("id" = String, Path, description = "The supervision's id")),
    responses(
        (status = 200, description = "The supervision", body = wire::Supervision),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn get_supervision(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = api.commands.supervision(&who, &supervision_id(&id)?).await?;
    Ok(shown(&view))
}
