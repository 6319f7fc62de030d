//! What the ways of signing in share: where the request comes from, the answer with its cookie,
//! and how a refusal is worded.

use crate::cookie;
use crate::problem::Problem;
use crate::request::client;
use crate::router::Api;
use crate::sign_in::{Coming, Opened, SignInRefused};
use crate::wire;
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The address that asks, from a page of our own: a form of another site must not sign anybody
/// in as somebody else either.
pub(crate) struct From(pub(crate) Coming);

impl FromRequestParts<Api> for From {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        if !cookie::own_origin(&parts.headers, api.https) {
            return Err(bad_origin());
        }
        let from = client(&parts.extensions).ok_or_else(Problem::internal)?.addr;
        let (session, device) =
            (cookie::token(&parts.headers, api.https), cookie::device(&parts.headers, api.https));
        let (session, device) = (session.map(str::to_owned), device.map(str::to_owned));
        Ok(From(Coming { from, session, device }))
    }
}

pub(crate) fn bad_origin() -> Problem {
    let detail = "This must come from a page of this server, with its X-Undertone-Csrf.";
    Problem::new(StatusCode::FORBIDDEN, "bad_origin", detail)
}

pub(crate) async fn opened(api: &Api, opened: Opened) -> Result<Response, Problem> {
    let me = api.sign_in.me(&opened.signed_in.actor).await?;
    let mut response = Json(wire::MeWire::new(&opened.signed_in, me)).into_response();
    let cookie = cookie::set(&opened.token, api.https).ok_or_else(Problem::internal)?;
    let device = cookie::set_device(&opened.device, api.https).ok_or_else(Problem::internal)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response.headers_mut().append(header::SET_COOKIE, device);
    Ok(response)
}

pub(crate) fn refused(why: SignInRefused) -> Problem {
    match why {
        SignInRefused::Wrong => {
            let detail = "Name or password is wrong.";
            Problem::new(StatusCode::UNAUTHORIZED, "bad_sign_in", detail)
        }
        SignInRefused::TooMany { wait_ms } => {
            let seconds = u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
            let detail = format!("Too many wrong tries from here: wait {seconds} s.");
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", detail)
                .retry_after(seconds)
        }
        SignInRefused::Unfit(why) => Problem::bad_request(why),
        SignInRefused::NoSuchLink => {
            let detail = "This link was used already, or is none of this server's.";
            Problem::new(StatusCode::FORBIDDEN, "no_such_link", detail)
        }
        SignInRefused::Other(refusal) => refusal.into(),
    }
}
