//! The same asking twice does one thing.

use crate::doors::routed;
use crate::memory::{Got, memory, send};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use std::time::Duration;
use undertone_core::refusal::{Reason, Refusal};

const CALL: &str = r#"{"from_agent":"201","to":"301"}"#;

async fn post(router: &Router, path: &str, token: &str, key: &str, body: &str) -> Got {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    send(router, request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn the_same_key_gets_the_same_answer_for_ten_minutes() {
    let memory = memory();
    let router = routed(memory.clone());
    let first = post(&router, "/api/v1/calls", "ut_good", "k", CALL).await;
    tokio::time::advance(Duration::from_secs(599)).await;
    let again = post(&router, "/api/v1/calls", "ut_good", "k", CALL).await;
    assert_eq!((again.status, &again.json), (first.status, &first.json));
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(memory.asked().len(), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    let later = post(&router, "/api/v1/calls", "ut_good", "k", CALL).await;
    assert_eq!(later.status, 201);
    assert_eq!(memory.asked().len(), 2, "ten minutes are over");
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused_and_another_asker_is_not() {
    let memory = memory();
    let router = routed(memory.clone());
    post(&router, "/api/v1/calls", "ut_good", "k", CALL).await;
    let other = r#"{"from_agent":"201","to":"999"}"#;
    let got = post(&router, "/api/v1/calls", "ut_good", "k", other).await;
    assert_eq!(got.status, 422);
    assert_eq!(got.json["code"], "idempotency_key_reused");
    assert_eq!(post(&router, "/api/v1/calls", "ut_other", "k", other).await.status, 201);
    let body = r#"{"mode":"listen","leg":{"kind":"phone"}}"#;
    for path in ["/api/v1/calls/c/supervisions", "/api/v1/agents/201/supervisions"] {
        assert_eq!(post(&router, path, "ut_good", "k", body).await.status, 201);
        let again = post(&router, path, "ut_good", "k", body).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
    }
    assert_eq!(memory.asked().len(), 4);
    for key in ["", &"x".repeat(129)] {
        assert_eq!(post(&router, "/api/v1/calls", "ut_good", key, CALL).await.status, 400);
    }
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let memory = memory();
    let router = routed(memory.clone());
    *memory.refusal.lock().unwrap() = Some(Refusal::because(Reason::AgentBusy));
    assert_eq!(post(&router, "/api/v1/calls", "ut_good", "k", CALL).await.status, 409);
    *memory.refusal.lock().unwrap() = None;
    assert_eq!(post(&router, "/api/v1/calls", "ut_good", "k", CALL).await.status, 201);
}

#[tokio::test]
async fn what_runs_goes_on_though_the_asker_has_gone() {
    let memory = memory();
    let router = routed(memory.clone());
    let permits = memory.gate.forget_permits(1_000);
    let running = post(&router, "/api/v1/calls", "ut_good", "k", CALL);
    // Polled until it waits, then dropped: the connection is gone.
    {
        let mut running = std::pin::pin!(running);
        while memory.asked().is_empty() {
            assert!(futures::poll!(running.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
    }
    let second = post(&router, "/api/v1/calls", "ut_good", "k", CALL).await;
    assert_eq!(second.status, 409);
    assert_eq!(second.json["code"], "idempotency_in_progress");
    memory.gate.add_permits(permits);
    loop {
        let got = post(&router, "/api/v1/calls", "ut_good", "k", CALL).await;
        if got.status == 201 {
            assert_eq!(got.headers["idempotency-replayed"], "true");
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(memory.asked().len(), 1, "the call was placed once");
}
