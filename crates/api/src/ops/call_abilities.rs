//! `GET /calls/{id}/abilities`: for each mode, whether the asker may enter it now, and why not.

use super::call_id;
use crate::problem::Problem;
use crate::request::Who;
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;

#[utoipa::path(
    get,
    path = "/api/v1/calls/{id}/abilities",
    operation_id = "call_abilities",
    summary = "For each mode, whether the asker may enter it now, and why not.",
    tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 200, description = "For each mode, allowed or why not",
         body = BTreeMap<String, wire::AbilityItem>),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn call_abilities(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let abilities = api.commands.abilities(&who, &call_id(&id)?).await?;
    let by_mode: BTreeMap<_, _> = abilities.iter().map(wire::AbilityItem::of).collect();
    Ok(Json(by_mode).into_response())
}
