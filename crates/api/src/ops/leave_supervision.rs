//! `DELETE /supervisions/{id}`: leaves; what was open closes at once.

use super::{shown, supervision_id};
use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use crate::wire;
use axum::extract::{Path, State};
use axum::response::Response;

#[utoipa::path(
    delete,
    path = "/api/v1/supervisions/{id}",
    operation_id = "leave_supervision",
    summary = "Leaves; what was open closes at once.",
    tag = "supervisions",
    params(("id" = String, Path, description = "The supervision's id")),
    responses(
        (status = 200, description = "The supervision", body = wire::Supervision),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn leave_supervision(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = api.commands.leave(&who, &supervision_id(&id)?).await?;
    Ok(shown(&view))
}
