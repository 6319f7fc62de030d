//! `POST /calls/{id}/feedback`: whether a supervisor's help was of use, as the agent says.

use super::{call_id, supervision_id};
use crate::problem::Problem;
use crate::request::{Body, Who};
use crate::router::Api;
use crate::wire;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SayUseful {
    /// A supervision that is over.
    supervision_id: String,
    useful: wire::UsefulWord,
}

#[utoipa::path(
    post,
    path = "/api/v1/calls/{id}/feedback",
    operation_id = "say_useful",
    summary = "The agent says whether a supervisor's help was of use; what is said last counts.",
    tag = "help",
    request_body = SayUseful,
    params(("id" = String, Path, description = "The call's id; it may have ended")),
    responses(
        (status = 204, description = "Written"),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn say_useful(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    asked: Body<SayUseful>,
) -> Result<StatusCode, Problem> {
    let (call, about) = (call_id(&id)?, supervision_id(&asked.value.supervision_id)?);
    api.commands.feedback(&who, &call, &about, asked.value.useful.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}
