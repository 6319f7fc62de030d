//! `GET /session`: what the sign-in page needs to know before anybody is signed in.

use crate::cookie;
use crate::problem::Problem;
use crate::request::{self, client};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

#[utoipa::path(
    get,
    path = "/api/v1/session",
    operation_id = "session_state",
    summary = "How one signs in here, and whether one is.",
    tag = "session",
    security(()),
    responses((status = 200, description = "Always", body = wire::SessionState))
)]
pub(crate) async fn session_state(
    State(api): State<Api>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let signed_in = match cookie::token(&parts.headers, api.https) {
        Some(token) => {
            let origin = request::origin(&parts.extensions);
            api.sign_in.by_cookie(token, &origin).await?.is_some()
        }
        None => false,
    };
    let is_local = client(&parts.extensions).is_some_and(|client| client.is_local);
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let welcome = api.sign_in.welcome(is_local);
    let state = wire::SessionState::new(welcome, signed_in, host.unwrap_or(""));
    Ok(Json(state).into_response())
}
