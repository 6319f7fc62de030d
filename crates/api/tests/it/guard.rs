//! Who gets in: nobody without a key, on any path but the few that are public.

use crate::doors::routed;
use crate::memory::{get, memory, request, send};
use axum::body::{Body, Bytes};
use axum::http::Request;
use futures::stream;
use std::convert::Infallible;
use std::sync::atomic::Ordering;
use undertone_api::{metrics_router, openapi_json};

#[tokio::test]
async fn every_documented_operation_needs_a_key() {
    let memory = memory();
    let router = routed(memory.clone());
    let document: serde_json::Value = serde_json::from_str(&openapi_json()).unwrap();
    let (mut tried, mut public) = (0, Vec::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["security"] == serde_json::json!([{}]) {
                public.push(format!("{method} {path}"));
                continue;
            }
            let path = path.replace("{id}", "x").replace("{extension}", "201");
            for header in
                [None, Some("Bearer ut_wrong"), Some("Basic dXQ6Z29vZA=="), Some("ut_good")]
            {
                let mut request =
                    Request::builder().method(method.to_uppercase().as_str()).uri(&path);
                if let Some(value) = header {
                    request = request.header("authorization", value);
                }
                let got = send(&router, request.body(Body::empty()).unwrap()).await;
                assert_eq!(got.status, 401, "{method} {path} with {header:?}");
                assert_eq!(got.json["code"], "unauthorized");
                assert!(got.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
                tried += 1;
            }
        }
    }
    assert!(tried >= 15 * 4, "{tried} tries");
    let ways_in = ["get /api/v1/session", "post /api/v1/session", "post /api/v1/session/first"];
    assert_eq!(public, ways_in);
    assert!(memory.asked().is_empty(), "nothing was asked for: {:?}", memory.asked());
}

#[tokio::test]
async fn what_is_public_is_public_and_nothing_else() {
    let memory = memory();
    let router = routed(memory.clone());
    let bare = async |path: &str| {
        send(&router, Request::builder().uri(path).body(Body::empty()).unwrap()).await
    };
    for path in ["/healthz", "/readyz", "/api/docs", "/api/v1/openapi.json", "/api/v1/healthz"] {
        assert_eq!(bare(path).await.status, 200, "{path}");
    }
    for path in
        ["/", "/metrics", "/api/v1/nothing", "/api/v1/openapi.json/", "/api/docs/../v1/calls"]
    {
        assert_eq!(bare(path).await.status, 401, "{path}");
    }
    assert_eq!(get(&router, "/api/v1/nothing").await.json["code"], "no_such_path");
    *memory.not_ready.lock().unwrap() = Some("The journal cannot be written.".into());
    let got = bare("/readyz").await;
    assert_eq!((got.status.as_u16(), got.json["code"].as_str()), (503, Some("not_ready")));
    assert_eq!(bare("/healthz").await.status, 200, "alive though not ready");
}

#[tokio::test]
async fn a_key_that_is_revoked_while_the_body_comes_is_no_key() {
    let memory = memory();
    let router = routed(memory.clone());
    let keys = memory.clone();
    let body = stream::once(async move {
        keys.revoked.store(true, Ordering::Relaxed);
        Ok::<_, Infallible>(Bytes::from_static(
            b"{\"mode\":\"listen\",\"leg\":{\"kind\":\"phone\"}}",
        ))
    });
    let request = request("POST", "/api/v1/calls/eu.n1.1.c1/supervisions")
        .header("content-type", "application/json");
    let got = send(&router, request.body(Body::from_stream(body)).unwrap()).await;
    assert_eq!(got.status, 401, "{}", got.text);
    assert!(memory.asked().is_empty(), "{:?}", memory.asked());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let router = routed(memory());
    let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let request = request("POST", "/api/v1/calls").header("content-type", "application/json");
    let got = send(&router, request.body(body).unwrap()).await;
    assert_eq!((got.status.as_u16(), got.json["code"].as_str()), (408, Some("too_slow")));
}

#[tokio::test]
async fn no_answer_is_taken_for_another_kind_of_thing_or_put_into_a_frame() {
    let router = routed(memory());
    for path in ["/healthz", "/api/docs", "/api/v1/audit?format=csv", "/api/v1/calls", "/none"] {
        for key in ["Bearer ut_good", "none"] {
            let asked = Request::builder().uri(path).header("authorization", key);
            let got = send(&router, asked.body(Body::empty()).unwrap()).await;
            assert_eq!(got.headers["x-content-type-options"], "nosniff", "{path}");
            let policy = got.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; "), "{path}: {policy}");
            assert!(policy.ends_with("frame-ancestors 'none'"), "{path}: {policy}");
        }
    }
}

#[tokio::test]
async fn metrics_have_a_router_of_their_own() {
    let router = metrics_router(|| "undertone_calls 1\n".into());
    let got = send(&router, Request::builder().uri("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!((got.status.as_u16(), got.text.as_str()), (200, "undertone_calls 1\n"));
}
