//! `PUT /me/password`: a new password; the person's other sessions end.

use super::signing::{From, refused};
use crate::problem::Problem;
use crate::request::{Body, Signed};
use crate::router::Api;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    old: String,
    /// 10 to 200 characters.
    new: String,
}

#[utoipa::path(
    put,
    path = "/api/v1/me/password",
    operation_id = "change_password",
    summary = "Change one's password; one's other sessions end.",
    tag = "session",
    request_body = ChangePassword,
    responses(
        (status = 204, description = "Changed"),
        (status = "default", description = "`bad_sign_in`, `too_many_tries`", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn change_password(
    State(api): State<Api>,
    Signed(who): Signed,
    From(from): From,
    body: Body<ChangePassword>,
) -> Result<StatusCode, Problem> {
    let ChangePassword { old, new } = body.value;
    api.sign_in.change_password(&who, old, new, from).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
