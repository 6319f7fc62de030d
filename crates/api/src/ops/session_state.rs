//! `GET /session`: what the sign-in page needs to know before anybody is signed in.

use crate::cookie;
use crate::problem::Problem;
use crate::request::peer;
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, Ipv6Addr};

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
    let from = peer(request.extensions()).map(|peer| peer.addr);
    // Without an address nobody is taken for this machine.
    let ip = from.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |addr| addr.ip());
    let origin = from.map_or("unknown".into(), |addr| addr.to_string());
    let signed_in = match cookie::token(request.headers(), api.https) {
        Some(token) => api.sign_in.by_cookie(token, &origin).await?.is_some(),
        None => false,
    };
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let state = wire::SessionState::new(api.sign_in.welcome(ip), signed_in, host.unwrap_or(""));
    Ok(Json(state).into_response())
}
