//! The web app's files, as embedded: which of them answers an address, how long it may be kept, and
//! what the browser is told to refuse. Knows no person, no call and no sign-in: the pages hold no
//! data, and ask the API for it.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use rust_embed::{EmbeddedFile, RustEmbed};

/// A build for debugging reads the folder at run time; a release holds it.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

const STUB: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<title>Undertone</title><h1>The pages are not built</h1>\
<p>Run <code>make run</code>: it builds them where Node.js 20 or later is installed. \
The HTTP API is there without them: <a href=\"/api/docs\">/api/docs</a>.</p></html>\n";
const NONCE_MARK: &str = "__NONCE__";

/// The API with the pages in front of it.
pub fn over(api: Router) -> Router {
    api.layer(from_fn(async |request: Request, next: Next| {
        let path = request.uri().path();
        let asked = matches!(*request.method(), Method::GET | Method::HEAD);
        if !asked || is_api(path) {
            return next.run(request).await;
        }
        page(path, request.headers())
    }))
}

fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/") || path == "/healthz" || path == "/readyz"
}

fn page(path: &str, asked: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    if let Some(file) = Dist::get(name).filter(|_| name != "index.html") {
        return whole(name, file, asked);
    }
    // An address of the app has no ending, but for a call's id; what has one is a file that is
    // not there.
    let ending = name.rsplit('/').next().is_some_and(|n| n.contains('.'));
    if name.starts_with("assets/") || (ending && !is_call(name)) {
        return (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response();
    }
    index()
}

/// `calls/ID`: an id has dots in it.
fn is_call(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.strip_prefix("calls/").is_some_and(|id| id.chars().all(plain))
}

/// A file as it is, or packed where the browser takes that.
fn whole(name: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let packed = takes_gzip(asked).then(|| Dist::get(&format!("{name}.gz"))).flatten();
    let gzip = packed.is_some();
    let data = packed.map_or(file.data, |packed| packed.data);
    let mut response = Response::new(Body::from(data.into_owned()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // What lies in assets/ has its hash in its name.
    let kept = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let value = asked.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok());
    value.unwrap_or_default().split(',').any(|part| {
        let mut pieces = part.split(';').map(str::trim);
        pieces.next() == Some("gzip") && !pieces.any(|q| matches!(q, "q=0" | "q=0.0"))
    })
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript",
        "css" => "text/css",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// The one page, with a nonce of its own: no script and no style that is not ours runs in it.
fn index() -> Response {
    let nonce = base64::engine::general_purpose::STANDARD.encode(rand::random::<[u8; 16]>());
    let (status, html) = match Dist::get("index.html") {
        Some(file) => {
            (StatusCode::OK, String::from_utf8_lossy(&file.data).replace(NONCE_MARK, &nonce))
        }
        None => (StatusCode::SERVICE_UNAVAILABLE, STUB.to_owned()),
    };
    // Style attributes are set by script, which a policy does not see; elements need the nonce.
    let policy = format!(
        "default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; object-src 'none'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    );
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let more = [
        ("permissions-policy", "microphone=(self), camera=(), geolocation=()"),
        ("cross-origin-opener-policy", "same-origin"),
    ];
    for (name, value) in more {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_api_and_its_health_are_the_apis() {
        for path in ["/api", "/api/v1/calls", "/api/docs", "/healthz", "/readyz"] {
            assert!(is_api(path), "{path}");
        }
        for path in ["/", "/live-calls", "/apiary", "/admin/health"] {
            assert!(!is_api(path), "{path}");
        }
    }

    #[test]
    fn an_address_of_the_app_is_the_page_and_a_missing_file_is_none() {
        let none = HeaderMap::new();
        for path in ["/", "/live-calls", "/calls/c1", "/calls/eu.n1.7.c1", "/admin/audit"] {
            let answer = page(path, &none);
            let kind = &answer.headers()[header::CONTENT_TYPE];
            assert_eq!(kind, "text/html; charset=utf-8", "{path}");
            let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("'nonce-") && !policy.contains("unsafe"), "{policy}");
        }
        for path in [
            "/assets/gone.js",
            "/nothing.css",
            "/../Cargo.toml",
            "/a/..%2f..%2fx.rs",
            "/calls/../x.rs",
        ] {
            assert_eq!(page(path, &none).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        let asked = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            takes_gzip(&headers)
        };
        assert!(asked("gzip, deflate, br") && asked("br, gzip;q=0.5"));
        assert!(!asked("br") && !asked("gzip;q=0") && !takes_gzip(&HeaderMap::new()));
    }
}
