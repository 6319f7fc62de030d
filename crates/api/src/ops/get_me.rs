//! `GET /me`: who is signed in, and with which rights.

use crate::problem::Problem;
use crate::request::Signed;
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    get,
    path = "/api/v1/me",
    operation_id = "get_me",
    summary = "Who is signed in.",
    tag = "session",
    responses(
        (status = 200, description = "The person", body = wire::MeWire),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn get_me(
    State(api): State<Api>,
    Signed(who): Signed,
) -> Result<Response, Problem> {
    let me = api.sign_in.me(&who.actor).await?;
    Ok(Json(wire::MeWire::new(&who, me)).into_response())
}
