//! `PUT /labels`: what the organisation calls things on its pages.

use crate::problem::Problem;
use crate::request::{Body, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    put,
    path = "/api/v1/labels",
    operation_id = "put_labels",
    summary = "Sets what the organisation calls things on its pages; needs the right `admin`.",
    tag = "admin",
    request_body = wire::LabelsAsked,
    responses(
        (status = 200, description = "As they are now", body = wire::LabelsWire),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn put_labels(
    State(api): State<Api>,
    Who(who): Who,
    asked: Body<wire::LabelsAsked>,
) -> Result<Response, Problem> {
    let labels = asked.value.parse()?;
    let now = api.commands.set_labels(&who, labels).await?;
    Ok(Json(wire::LabelsWire::from(&now)).into_response())
}
