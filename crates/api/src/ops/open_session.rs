//! `POST /session`: sign in with name and password.

use super::signing::{From, opened, refused};
use crate::problem::Problem;
use crate::request::Body;
use crate::router::Api;
use crate::sign_in::Credentials;
use crate::wire;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenSession {
    #[schema(example = "mia")]
    login: String,
    password: String,
}

#[utoipa::path(
    post,
    path = "/api/v1/session",
    operation_id = "open_session",
    summary = "Sign in; the answer sets the session's cookie.",
    tag = "session",
    security(()),
    request_body = OpenSession,
    responses(
        (status = 200, description = "Signed in", body = wire::MeWire),
        (status = "default", description = "`bad_sign_in`, `too_many_tries`", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn open_session(
    State(api): State<Api>,
    From(from): From,
    body: Body<OpenSession>,
) -> Result<Response, Problem> {
    let OpenSession { login, password } = body.value;
    let what = Credentials { login, password };
    opened(&api, api.sign_in.open(what, from).await.map_err(refused)?).await
}
