//! Answers that say no: one shape, a status for every reason, a sentence that names the field.

use crate::doors::routed;
use crate::memory::{get, memory, request, send, with_json};
use axum::body::Body;
use serde_json::json;
use undertone_core::refusal::{Reason, Refusal};

#[tokio::test]
async fn every_reason_is_a_problem_with_its_code() {
    let memory = memory();
    let router = routed(memory.clone());
    for reason in Reason::ALL.iter().copied() {
        *memory.refusal.lock().unwrap() = Some(Refusal::because(reason));
        let got = get(&router, "/api/v1/calls/c").await;
        assert_eq!(got.headers["content-type"], "application/problem+json", "{reason:?}");
        assert_eq!(got.json["code"], reason.code());
        assert_eq!(got.json["reasons"], json!([reason.code()]));
        assert_eq!(got.json["status"], got.status.as_u16());
        assert_eq!(got.json["type"], "about:blank");
        assert!(got.json["detail"].as_str().unwrap().ends_with('.'), "{reason:?}");
        assert!(got.status.is_client_error() || got.status.is_server_error(), "{reason:?}");
        let expected = match reason.code() {
            "not_allowed" | "leg_not_own" | "outbound_denied" | "unknown_caller" => 403,
            "account_cap" | "destination_cap" => 429,
            "audit_unavailable" | "overloaded" | "shutting_down" => 503,
            "trunk_full" | "trunk_down" => 503,
            "leg_no_answer" | "audio_not_proven" => 504,
            "version_mismatch" => 412,
            "superseded" | "agent_not_on_call" | "takeover_taken" | "call_ended" => 409,
            "target_required" | "no_route" | "route_loop" | "leg_listen_only" => 422,
            code if code.starts_with("no_such") => 404,
            _ => continue,
        };
        assert_eq!(got.status, expected, "{reason:?}");
        assert_eq!(got.headers.contains_key("retry-after"), expected == 503);
    }
}

#[tokio::test]
async fn a_refusal_gives_all_its_reasons_and_its_own_sentence() {
    let memory = memory();
    let router = routed(memory.clone());
    *memory.refusal.lock().unwrap() = Some(Refusal {
        reasons: vec![Reason::NotAllowed, Reason::OwnCall],
        detail: "Sue is on this call.".into(),
    });
    let got = get(&router, "/api/v1/calls").await;
    assert_eq!(got.status, 403);
    assert_eq!(got.json["reasons"], json!(["not_allowed", "own_call"]));
    assert_eq!(got.json["detail"], "Sue is on this call.");
}

#[tokio::test]
async fn a_wrong_body_is_answered_with_the_field_that_is_wrong() {
    let memory = memory();
    let router = routed(memory.clone());
    let path = "/api/v1/calls/c/supervisions";
    let good = r#""leg":{"kind":"phone"}"#;
    for (body, status, names) in [
        ("", 400, "JSON"),
        ("{", 400, "JSON"),
        ("{} x", 400, "JSON"),
        (r#"{"mode":"listen","leg":{"kind":"phone"}} x"#, 400, "JSON"),
        ("[]", 422, "body"),
        ("{}", 422, "mode"),
        (&format!(r#"{{"mode":"shout",{good}}}"#), 422, "`mode`"),
        (&format!(r#"{{"mode":7,{good}}}"#), 422, "`mode`"),
        (&format!(r#"{{"mode":"listen","colour":"red",{good}}}"#), 422, "colour"),
        (r#"{"mode":"listen"}"#, 422, "leg"),
        (r#"{"mode":"listen","leg":"phone"}"#, 422, "`leg`"),
        (r#"{"mode":"listen","leg":{"kind":"drum"}}"#, 422, "`leg.kind`"),
        (r#"{"mode":"listen","leg":{"kind":"sip"}}"#, 422, "uri"),
        (r#"{"mode":"listen","leg":{"kind":"stream","x":1}}"#, 422, "x"),
        (&format!(r#"{{"mode":"listen","targets":["p1",2],{good}}}"#), 422, "`targets[1]`"),
        (&format!(r#"{{"mode":"listen","reason":"{}",{good}}}"#, "x".repeat(501)), 422, "reason"),
    ] {
        let got = with_json(&router, "POST", path, body).await;
        assert_eq!(got.status.as_u16(), status, "{body}: {}", got.text);
        let detail = got.json["detail"].as_str().unwrap();
        assert!(detail.contains(names), "{body}: {detail}");
    }
    assert!(memory.asked().is_empty());
}

#[tokio::test]
async fn what_is_no_json_or_too_long_is_refused_before_it_is_read() {
    let router = routed(memory());
    let plain = request("POST", "/api/v1/calls").body(Body::from("a=b")).unwrap();
    let got = send(&router, plain).await;
    assert_eq!((got.status.as_u16(), got.json["code"].as_str()), (415, Some("not_json")));
    let long = format!(r#"{{"from_agent":"{}","to":"1"}}"#, "x".repeat(17 * 1024));
    let got = with_json(&router, "POST", "/api/v1/calls", &long).await;
    assert_eq!((got.status.as_u16(), got.json["code"].as_str()), (413, Some("too_large")));
    let got = with_json(&router, "PUT", "/api/v1/calls", "{}").await;
    assert_eq!((got.status.as_u16(), got.json["code"].as_str()), (405, Some("no_such_method")));
}
