//! `DELETE /session`: sign out here, or everywhere.

use crate::cookie;
use crate::problem::Problem;
use crate::request::{Query, Signed};
use crate::router::Api;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CloseSession {
    /// End every session of this person.
    #[serde(default)]
    everywhere: bool,
}

#[utoipa::path(
    delete,
    path = "/api/v1/session",
    operation_id = "close_session",
    summary = "Sign out, here or everywhere.",
    tag = "session",
    params(CloseSession),
    responses(
        (status = 204, description = "Signed out"),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn close_session(
    State(api): State<Api>,
    Signed(who): Signed,
    Query(query): Query<CloseSession>,
) -> Result<Response, Problem> {
    api.sign_in.close(&who, query.everywhere).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(gone) = cookie::unset(api.https) {
        response.headers_mut().insert(header::SET_COOKIE, gone);
    }
    Ok(response)
}
