//! `PATCH /supervisions/{id}`: changes a running supervision; answered once in force.

use super::{shown, supervision_id};
use crate::commands::Change;
use crate::problem::Problem;
use crate::request::{Body, Who, if_match};
use crate::router::Api;
use crate::wire;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

/// What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRequest {
    mode: Option<wire::ModeWord>,
    targets: Option<Vec<String>>,
    alert: Option<bool>,
    muted: Option<bool>,
    /// For a takeover; `removed` if never said.
    agent_after: Option<wire::AgentAfterWord>,
}

#[utoipa::path(
    patch,
    path = "/api/v1/supervisions/{id}",
    operation_id = "change_supervision",
    summary = "Changes a running supervision; answered once in force.",
    tag = "supervisions",
    request_body = ChangeRequest,
    params(("id" = String, Path, description = "The supervision's id"),
           ("If-Match" = Option<String>, Header, description = "Act on this version only")),
    responses(
        (status = 200, description = "The supervision", body = wire::Supervision),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn change_supervision(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    asked: Body<ChangeRequest>,
) -> Result<Response, Problem> {
    let (id, asked) = (supervision_id(&id)?, asked.value);
    let targets = asked.targets.as_deref();
    let targets = targets.map(|ids| ids.iter().map(|id| wire::seat_of(id)).collect());
    let change = Change {
        mode: asked.mode.map(Into::into),
        targets: targets.transpose()?,
        alert: asked.alert,
        muted: asked.muted,
        agent_after: asked.agent_after.map(Into::into),
        if_version: if_match(&headers)?,
    };
    if change == (Change { if_version: change.if_version, ..Change::default() }) {
        return Err(Problem::bad_request(
            "Name what is to change: mode, targets, alert, muted or agent_after.",
        ));
    }
    let view = api.commands.change(&who, &id, change).await?;
    Ok(shown(&view))
}
