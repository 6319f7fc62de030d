//! `POST /supervisions/{id}/marks`: a note, *to be reviewed*, or a place to come back to.

use super::supervision_id;
use crate::problem::Problem;
use crate::request::{Body, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddMark {
    kind: wire::MarkWord,
    /// At most 500 characters; a note has some.
    #[serde(default)]
    #[schema(example = "Asks for the address twice")]
    text: Option<String>,
}

/// As it stands in the call's timeline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mark {
    #[schema(format = DateTime)]
    at: String,
    kind: wire::MarkWord,
    text: Option<String>,
}

#[utoipa::path(
    post,
    path = "/api/v1/supervisions/{id}/marks",
    operation_id = "add_mark",
    summary = "A note, a flag for review or a bookmark in the call's timeline; no agent is shown \
               it.",
    tag = "supervisions",
    request_body = AddMark,
    params(("id" = String, Path, description = "The supervision's id")),
    responses(
        (status = 201, description = "Written down", body = Mark),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn add_mark(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    asked: Body<AddMark>,
) -> Result<Response, Problem> {
    let id = supervision_id(&id)?;
    let AddMark { kind, text } = asked.value;
    let at = api.commands.mark(&who, &id, kind.into(), text.clone().unwrap_or_default()).await?;
    let mark = Mark { at: wire::instant(at), kind, text };
    Ok((StatusCode::CREATED, Json(mark)).into_response())
}
