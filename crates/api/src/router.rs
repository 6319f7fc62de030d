//! The routes put together: what is public, who is signed in, and the fallbacks.
//!
//! Denied by default: a path that is not on the short public list answers 401 without a key,
//! also one that does not exist.

use crate::commands::Commands;
use crate::idempotency::Idempotency;
use crate::live::LiveBoard;
use crate::ops::signing::bad_origin;
use crate::problem::Problem;
use crate::request::{self, peer, unauthorized, whole};
use crate::sign_in::{SignIn, SignedIn};
use crate::{cookie, docs_page, forwarded, ops};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use std::net::IpAddr;
use std::sync::Arc;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const MAX_BODY_BYTES: usize = 16 * 1024;
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// Its style stands in it, and nothing that anybody wrote.
const DOCS_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
/// All that can be had without a key.
const PUBLIC: &[&str] = &[
    "/healthz",
    "/readyz",
    "/api/docs",
    "/api/v1/healthz",
    "/api/v1/readyz",
    "/api/v1/docs",
    "/api/v1/openapi.json",
];

/// What an operation needs no sign-in for: to sign in.
const PUBLIC_OPERATIONS: &[(Method, &str)] = &[
    (Method::GET, "/api/v1/session"),
    (Method::POST, "/api/v1/session"),
    (Method::POST, "/api/v1/session/first"),
];

/// How the API is reached.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// Browsers reach it by HTTPS, here or through a proxy: cookies are for that alone.
    pub https: bool,
    /// Names that browsers may ask by, beside addresses, `localhost` and what ends in it. A page of
    /// another name that leads here (DNS rebinding) is refused; an API key counts by any name.
    pub names: Vec<String>,
    /// Whose X-Forwarded-For is believed.
    pub proxies: Vec<IpAddr>,
}

#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) commands: Arc<dyn Commands>,
    pub(crate) sign_in: Arc<dyn SignIn>,
    pub(crate) live: Arc<dyn LiveBoard>,
    pub(crate) idempotency: Idempotency,
    pub(crate) https: bool,
    names: Arc<[String]>,
    proxies: Arc<[IpAddr]>,
}

/// The whole API but for the metrics, which have an address of their own.
pub fn router(
    commands: Arc<dyn Commands>,
    sign_in: Arc<dyn SignIn>,
    live: Arc<dyn LiveBoard>,
    served: &Served,
) -> Router {
    let api = Api {
        commands,
        sign_in,
        live,
        idempotency: Idempotency::default(),
        https: served.https,
        names: served.names.clone().into(),
        proxies: served.proxies.clone().into(),
    };
    let (routes, document) = documented().split_for_parts();
    let json: Arc<str> = to_json(&document).into();
    let page: Arc<str> = docs_page::render(&document).into();
    let document = move || {
        let json = json.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], json.to_string()) }
    };
    let docs = move || {
        let page = page.clone();
        async move { ([(header::CONTENT_SECURITY_POLICY, DOCS_POLICY)], Html(page.to_string())) }
    };
    let healthz = async || "ok\n";
    routes
        .route("/api/v1/openapi.json", get(document))
        .route("/api/docs", get(docs.clone()))
        .route("/api/v1/docs", get(docs))
        .route("/healthz", get(healthz))
        .route("/api/v1/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/api/v1/readyz", get(readyz))
        .fallback(async || {
            Problem::new(StatusCode::NOT_FOUND, "no_such_path", "There is nothing here.")
        })
        .method_not_allowed_fallback(async || {
            let detail = "This path has no such method.";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no_such_method", detail)
        })
        .layer(from_fn_with_state(api.clone(), guard))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(map_response(async |response| closed(response)))
        .with_state(api)
}

/// Whatever is answered is what it says it is, and no page that could load or frame anything.
fn closed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let policy = headers.entry(header::CONTENT_SECURITY_POLICY);
    policy.or_insert(HeaderValue::from_static(POLICY));
    response
}

/// `GET /metrics`; to be served on an address that is closed from outside.
pub fn metrics_router(render: impl Fn() -> String + Send + Sync + 'static) -> Router {
    let render = Arc::new(render);
    let metrics = move || {
        let text = render();
        async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text) }
    };
    Router::new().route("/metrics", get(metrics))
}

/// The OpenAPI document, as committed in `crates/api/openapi.json`.
pub fn openapi_json() -> String {
    to_json(&documented().into_openapi())
}

fn to_json(document: &OpenApi) -> String {
    document.to_pretty_json().unwrap_or_default() + "\n"
}

fn documented() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(head())
        .routes(routes!(ops::list_calls::list_calls, ops::place_call::place_call))
        .routes(routes!(ops::get_call::get_call, ops::hang_up_call::hang_up_call))
        .routes(routes!(ops::answer_call::answer_call))
        .routes(routes!(ops::decline_call::decline_call))
        .routes(routes!(ops::call_abilities::call_abilities))
        .routes(routes!(ops::call_heard::call_heard))
        .routes(routes!(ops::put_outcome::put_outcome))
        .routes(routes!(ops::hold_call::hold_call))
        .routes(routes!(ops::resume_call::resume_call))
        .routes(routes!(ops::transfer_call::transfer_call))
        .routes(routes!(ops::supervise_call::supervise_call))
        .routes(routes!(ops::list_agents::list_agents))
        .routes(routes!(ops::supervise_agent::supervise_agent))
        .routes(routes!(
            ops::get_supervision::get_supervision,
            ops::change_supervision::change_supervision,
            ops::leave_supervision::leave_supervision
        ))
        .routes(routes!(ops::agent_action::agent_action))
        .routes(routes!(ops::add_mark::add_mark))
        .routes(routes!(ops::heard_before::heard_before))
        .routes(routes!(ops::list_audit::list_audit))
        .routes(routes!(ops::list_history::list_history))
        .routes(routes!(ops::get_health::get_health))
        .routes(routes!(ops::put_labels::put_labels))
        .routes(routes!(
            ops::session_state::session_state,
            ops::open_session::open_session,
            ops::close_session::close_session
        ))
        .routes(routes!(ops::open_first_session::open_first_session))
        .routes(routes!(ops::events::events))
        .routes(routes!(ops::get_me::get_me))
        .routes(routes!(ops::change_password::change_password))
        .routes(routes!(ops::phone::open_phone, ops::phone::get_phone, ops::phone::close_phone))
        .routes(routes!(ops::phone::ice_servers))
        .routes(routes!(ops::set_state::set_state))
        .routes(routes!(
            ops::raise_hand::raise_hand,
            ops::give_reason::give_reason,
            ops::lower_hand::lower_hand
        ))
        .routes(routes!(ops::help_coming::help_coming))
        .routes(routes!(ops::send_prompt::send_prompt))
        .routes(routes!(ops::send_reply::send_reply))
        .routes(routes!(ops::say_useful::say_useful))
        .routes(routes!(ops::demo_ear::demo_ear))
}

fn head() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key, `ut_…`"))
        .build();
    let mut components = Components::new();
    components.add_security_scheme("key", SecurityScheme::Http(bearer));
    let cookie = ApiKeyValue::with_description("undertone", "A session of the pages");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let info = InfoBuilder::new()
        .title("Undertone")
        .version("1")
        .description(Some("Live calls and their supervision. See docs/API.md."))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some(
            ["key", "session"].map(|scheme| SecurityRequirement::new(scheme, Vec::<String>::new())),
        ))
        .build()
}

async fn readyz(State(api): State<Api>) -> Response {
    match api.commands.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why).into_response(),
    }
}

/// Lets through what is public, and who is signed in when the whole request is there: a key may be
/// revoked while a slow body comes.
async fn guard(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let peer = peer(request.extensions());
    if let Some(peer) = &peer {
        let client = forwarded::client(peer.addr, request.headers(), &api.proxies);
        request.extensions_mut().insert(client);
    }
    let path = request.uri().path();
    let public = PUBLIC_OPERATIONS.iter().any(|one| (&one.0, one.1) == (request.method(), path));
    if PUBLIC.contains(&path) {
        return next.run(request).await;
    }
    // A page of a foreign name that leads here has no key.
    let by_key = request.headers().contains_key(header::AUTHORIZATION) && !public;
    if !by_key && !asked_by_name(&api, request.headers()) {
        let detail = "This server is not called by that name; see `http_names`.";
        return Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", detail).into_response();
    }
    let (mut parts, body) = match whole(request).await {
        Ok(request) => request.into_parts(),
        Err(problem) => return problem.into_response(),
    };
    if !public {
        let signed_in = sign_in(&api, &parts).await;
        if let Some(peer) = &peer {
            peer.link.signs_in(signed_in.is_ok());
        }
        match signed_in {
            Ok(signed_in) => drop(parts.extensions.insert(signed_in)),
            Err(problem) => return problem.into_response(),
        }
    }
    next.run(Request::from_parts(parts, body)).await
}

/// A request without Host is no browser's.
fn asked_by_name(api: &Api, headers: &HeaderMap) -> bool {
    let Some(name) = forwarded::host(headers) else { return true };
    let own = forwarded::is_localhost(&name) || name.parse::<IpAddr>().is_ok();
    own || api.names.contains(&name)
}

pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// A request with both an API key and a cookie is judged by the key alone.
async fn sign_in(api: &Api, parts: &Parts) -> Result<SignedIn, Problem> {
    let headers = &parts.headers;
    let origin = request::origin(&parts.extensions);
    if headers.contains_key(header::AUTHORIZATION) {
        let token = token(headers).ok_or_else(unauthorized)?;
        let actor = api.commands.sign_in(&token, &origin).await?.ok_or_else(unauthorized)?;
        return Ok(SignedIn { actor, session: None });
    }
    let token = cookie::token(headers, api.https).ok_or_else(unauthorized)?;
    let signed_in = api.sign_in.by_cookie(token, &origin).await?.ok_or_else(unauthorized)?;
    let csrf = signed_in.session.as_ref().map_or("", |session| session.csrf.as_str());
    match cookie::may_change(&parts.method, headers, csrf, api.https) {
        true => Ok(signed_in),
        false => Err(bad_origin()),
    }
}
