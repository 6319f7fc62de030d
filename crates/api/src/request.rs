//! What every operation reads from a request: who asks, a strict JSON body, a strict query, the
//! headers that change how it is answered. Each failure names the field.

use crate::link::Peer;
use crate::problem::Problem;
use crate::sign_in::SignedIn;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::time::Duration;
use undertone_core::access::Actor;

/// How long a body may take; it is 16 KiB at most.
const BODY_MAX: Duration = Duration::from_secs(10);

/// The person whose key it is; put there by the router's one guard.
pub(crate) struct Who(pub(crate) Actor);

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // A route that the guard did not see would end here.
        let signed_in = parts.extensions.get::<SignedIn>();
        signed_in.map(|signed_in| Who(signed_in.actor.clone())).ok_or_else(unauthorized)
    }
}

/// The same with the session, if it is one that says so.
pub(crate) struct Signed(pub(crate) SignedIn);

impl<S: Sync> FromRequestParts<S> for Signed {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<SignedIn>().cloned().map(Signed).ok_or_else(unauthorized)
    }
}

pub(crate) fn unauthorized() -> Problem {
    let detail = "Sign in, or send an API key as `Authorization: Bearer ut_…`.";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
}

pub(crate) fn peer(parts: &axum::http::Extensions) -> Option<Peer> {
    parts.get::<Peer>().cloned()
}

/// Where a request comes from: the connection's other end, or whom a proxy that we know names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) addr: SocketAddr,
    /// From this machine, with nobody in between and by a name of this machine.
    pub(crate) is_local: bool,
}

/// Put there by the router's one guard.
pub(crate) fn client(parts: &axum::http::Extensions) -> Option<Client> {
    parts.get::<Client>().copied()
}

/// As the audit shows it.
pub(crate) fn origin(parts: &axum::http::Extensions) -> String {
    client(parts).map_or("unknown".into(), |client| client.addr.to_string())
}

/// A JSON body in which every field is known.
pub(crate) struct Body<T> {
    pub(crate) value: T,
    /// As it came; what an idempotency key is compared by.
    pub(crate) bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let typed = request.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().into());
        let bytes = read(request, state).await?;
        if !bytes.is_empty() {
            json_type(typed)?;
        }
        let value = parse(&bytes)?;
        Ok(Body { value, bytes })
    }
}

/// As [`Body`], but nothing at all means the default.
pub(crate) struct MaybeBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeBody<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let typed = request.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().into());
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(MaybeBody(T::default()));
        }
        json_type(typed)?;
        parse(&bytes).map(MaybeBody)
    }
}

/// The request with its body read to the end.
pub(crate) async fn whole(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let asked = Request::from_parts(parts.clone(), body);
    let bytes = tokio::time::timeout(BODY_MAX, read(asked, &())).await.map_err(|_| {
        let detail = format!("The body did not come within {} s.", BODY_MAX.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail)
    })??;
    Ok(Request::from_parts(parts, bytes.into()))
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|error: BytesRejection| {
        let status = error.status();
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            return Problem::new(status, "too_large", "The body is longer than 16 KiB.");
        }
        Problem::new(StatusCode::BAD_REQUEST, "bad_body", "The body could not be read.")
    })
}

fn json_type(kind: Option<Vec<u8>>) -> Result<(), Problem> {
    let kind = kind.unwrap_or_default();
    let json = kind.split(|b| *b == b';').next().unwrap_or_default();
    if json.trim_ascii().eq_ignore_ascii_case(b"application/json") {
        return Ok(());
    }
    let detail = "Send the body with `Content-Type: application/json`.";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail))
}

/// 400: it is no JSON. 422: it is, but a field is unknown, missing or wrong.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let json: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        let detail = format!("The body is no JSON: {error}.");
        Problem::new(StatusCode::BAD_REQUEST, "bad_json", detail)
    })?;
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        Problem::bad_request(named(&path, &error.into_inner().to_string()))
    })
}

fn named(path: &str, why: &str) -> String {
    match path {
        "." | "?" | "" => format!("The body is wrong: {why}."),
        field => format!("Field `{field}` is wrong: {why}."),
    }
}

/// A query in which every parameter is known.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::<T>::try_from_uri(&parts.uri).map(|q| Query(q.0)).map_err(|error| {
            let mut why: &dyn std::error::Error = &error;
            while let Some(source) = why.source() {
                why = source;
            }
            Problem::bad_request(format!("The query is wrong: {why}."))
        })
    }
}

/// `Prefer: respond-async` (RFC 7240).
pub(crate) fn respond_async(headers: &HeaderMap) -> bool {
    let all = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).any(|preference| {
        let name = preference.split([';', '=']).next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("respond-async")
    })
}

/// `If-Match: "3"` (RFC 9110 13.1.1); a bare number is taken as well, `*` matches any.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    bare.parse().map(Some).map_err(|_| {
        let detail = "If-Match takes one version of the supervision, such as \"3\".";
        Problem::new(StatusCode::BAD_REQUEST, "bad_header", detail)
    })
}

/// Whether `Accept` admits this type; no header admits all.
pub(crate) fn accepts(headers: &HeaderMap, wanted: &[&str]) -> bool {
    let mut any = false;
    for value in headers.get_all(header::ACCEPT) {
        any = true;
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            if !refused && wanted.iter().any(|w| w.eq_ignore_ascii_case(kind)) {
                return true;
            }
        }
    }
    !any
}
