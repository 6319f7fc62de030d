//! The routes put together: what is public, what needs a key, and the fallbacks.
//!
//! Denied by default: a path that is not on the short public list answers 401 without a key,
//! also one that does not exist.

use crate::commands::Commands;
use crate::idempotency::Idempotency;
use crate::problem::Problem;
use crate::request::{peer, unauthorized, whole};
use crate::{docs_page, ops};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use undertone_core::access::Actor;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const MAX_BODY_BYTES: usize = 16 * 1024;
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

#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) commands: Arc<dyn Commands>,
    pub(crate) idempotency: Idempotency,
}

/// The whole API but for the metrics, which have an address of their own.
pub fn router(commands: Arc<dyn Commands>) -> Router {
    let api = Api { commands, idempotency: Idempotency::default() };
    let (routes, document) = documented().split_for_parts();
    let json: Arc<str> = to_json(&document).into();
    let page: Arc<str> = docs_page::render(&document).into();
    let document = move || {
        let json = json.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], json.to_string()) }
    };
    let docs = move || {
        let page = page.clone();
        async move { Html(page.to_string()) }
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
        .with_state(api)
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
        .routes(routes!(ops::call_abilities::call_abilities))
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
        .routes(routes!(ops::list_audit::list_audit))
        .routes(routes!(ops::phone::open_phone, ops::phone::get_phone, ops::phone::close_phone))
        .routes(routes!(ops::phone::ice_servers))
}

fn head() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key, `ut_…`"))
        .build();
    let mut components = Components::new();
    components.add_security_scheme("key", SecurityScheme::Http(bearer));
    let info = InfoBuilder::new()
        .title("Undertone")
        .version("1")
        .description(Some("Live calls and their supervision. See docs/API.md."))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([SecurityRequirement::new("key", Vec::<String>::new())]))
        .build()
}

async fn readyz(State(api): State<Api>) -> Response {
    match api.commands.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why).into_response(),
    }
}

/// Lets through what is public, and who has a key when the whole request is there: a key may be
/// revoked while a slow body comes.
async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    if PUBLIC.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let mut request = match whole(request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let origin = peer(request.extensions()).map_or("unknown".into(), |p| p.addr.to_string());
    let token = token(request.headers());
    match sign_in(&api, token, origin).await {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

async fn sign_in(api: &Api, token: Option<String>, origin: String) -> Result<Actor, Problem> {
    let token = token.ok_or_else(unauthorized)?;
    let actor = api.commands.sign_in(&token, &origin).await?;
    actor.ok_or_else(unauthorized)
}
