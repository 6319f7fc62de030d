//! `POST /session/first`: the first administrator, by the link that the server printed once.

use super::signing::{From, opened, refused};
use crate::problem::Problem;
use crate::request::Body;
use crate::router::Api;
use crate::sign_in::FirstPerson;
use crate::wire;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenFirstSession {
    /// From the one-time link.
    token: String,
    #[schema(example = "ada")]
    login: String,
    #[schema(example = "Ada Admin")]
    name: String,
    /// 10 to 200 characters.
    password: String,
}

#[utoipa::path(
    post,
    path = "/api/v1/session/first",
    operation_id = "open_first_session",
    summary = "Make the first administrator, and sign in.",
    tag = "session",
    security(()),
    request_body = OpenFirstSession,
    responses(
        (status = 200, description = "Signed in", body = wire::MeWire),
        (status = "default", description = "`no_such_link`, `bad_request`", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn open_first_session(
    State(api): State<Api>,
    From(from): From,
    body: Body<OpenFirstSession>,
) -> Result<Response, Problem> {
    let OpenFirstSession { token, login, name, password } = body.value;
    let what = FirstPerson { token, login, name, password };
    opened(&api, api.sign_in.open_first(what, from).await.map_err(refused)?).await
}
