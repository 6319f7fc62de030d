//! Each operation: what it asks for, and the shape of its answer.

use crate::doors::routed;
use crate::memory::{Got, get, memory, request, send, with_json};
use axum::body::Body;
use serde_json::json;
use undertone_core::refusal::{Reason, Refusal};

fn code(got: &Got) -> (u16, String) {
    (got.status.as_u16(), got.json["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_call_has_the_shape_that_the_contract_says() {
    let router = routed(memory());
    let list = get(&router, "/api/v1/calls").await;
    assert_eq!(list.status, 200);
    let call = &list.json["items"][0];
    assert_eq!(call["id"], "eu.n1.1.c1");
    assert_eq!(call["started_at"], "2023-11-14T22:13:20.042Z");
    assert_eq!(call["ended_at"], json!(null));
    assert_eq!(call["timing"]["talk_ms"], 1_000);
    assert_eq!(call["timeline"][0]["what"], "answered");
    let parties = call["parties"].as_array().unwrap();
    assert_eq!(parties[0]["role"], "customer");
    assert_eq!(parties[0]["hears"], json!(["p2"]), "as measured: never the whisper");
    assert_eq!(parties[1]["hears"], json!(["p1", "p3"]));
    assert_eq!(parties[2]["hears"], json!([]));
    let supervision = &call["supervisions"][0];
    assert_eq!(supervision["supervisor"], json!({"id": "sue", "name": "Sue"}));
    assert_eq!(supervision["leg"], json!({"kind": "sip", "device_id": "d3"}));
    assert_eq!(supervision["targets"], json!(["p2"]));
    assert_eq!(supervision["policy"]["agent_after"], "removed");
    assert_eq!(get(&router, "/api/v1/calls/eu.n1.1.c1").await.json, *call);
    for path in ["/api/v1/calls/none", "/api/v1/calls/%20", "/api/v1/calls/none/nothing"] {
        assert_eq!(get(&router, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn who_heard_whom_has_its_shape() {
    let router = routed(memory());
    let heard = get(&router, "/api/v1/calls/eu.n1.1.c1/heard").await.json;
    let ears = &heard["items"][0]["ears"];
    assert_eq!(heard["items"][0]["at"], "2023-11-14T22:13:21.000Z");
    assert_eq!(ears[0], json!({"party_id": "p1", "supervision_id": null, "hears": ["p2"]}));
    assert_eq!(ears[1], json!({"party_id": null, "supervision_id": "s2", "hears": ["p1"]}));
    assert_eq!(get(&router, "/api/v1/calls/none/heard").await.status, 404);
}

#[tokio::test]
async fn abilities_agents_and_audit_have_their_shapes() {
    let memory = memory();
    let router = routed(memory.clone());
    let abilities = get(&router, "/api/v1/calls/c/abilities").await.json;
    assert_eq!(abilities["listen"], json!({"allowed": true, "reasons": []}));
    assert_eq!(abilities["barge"]["reasons"], json!(["not_allowed", "own_call"]));
    let agents = get(&router, "/api/v1/agents").await.json;
    assert_eq!(agents["items"][0]["state"], "on_call");
    let path = "/api/v1/audit?call=c1&person=sue&from=2023-11-14T22:13:20Z\
                &to=2023-11-14T23:13:20.5%2B01:00&cursor=77&limit=5";
    let audit = get(&router, path).await;
    assert_eq!(audit.status, 200, "{}", audit.text);
    assert_eq!(audit.json["next_cursor"], "42");
    let row = &audit.json["items"][0];
    assert_eq!((&row["seq"], &row["outcome"]), (&json!(42), &json!("refused")));
    assert_eq!(row["hash"], "ab".repeat(32));
    let asked = memory.asked().pop().unwrap();
    for part in ["1700000000000", "1700000000500", "before: Some(77)", "limit: 5"] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
    for wrong in ["limit=0", "limit=1001", "limit=x", "from=now", "cursor=z", "colour=red"] {
        let got = get(&router, &format!("/api/v1/audit?{wrong}")).await;
        assert_eq!(code(&got), (422, "bad_request".into()), "{wrong}");
        let field = wrong.split('=').next().unwrap();
        let named = got.json["detail"].as_str().unwrap();
        assert!(named.contains(field) || field == "limit", "{wrong}: {named}");
    }
}

#[tokio::test]
async fn call_control_asks_for_what_was_asked() {
    let memory = memory();
    let router = routed(memory.clone());
    let placed =
        with_json(&router, "POST", "/api/v1/calls", r#"{"from_agent":"201","to":"301"}"#).await;
    assert_eq!(placed.status, 201);
    assert_eq!(placed.headers["location"], "/api/v1/calls/eu.n1.1.c1");
    let bare = request("POST", "/api/v1/calls/c/hold").body(Body::empty()).unwrap();
    assert_eq!(send(&router, bare).await.status, 200);
    let held = with_json(&router, "POST", "/api/v1/calls/c/resume", r#"{"party":"p2"}"#).await;
    assert_eq!(held.status, 200);
    let odd = with_json(&router, "POST", "/api/v1/calls/c/hold", r#"{"party":"x"}"#).await;
    assert_eq!(code(&odd), (404, "no_such_party".into()));
    let away = r#"{"party":"p1","to":"202"}"#;
    let away = with_json(&router, "POST", "/api/v1/calls/c/transfer", away).await;
    assert_eq!(away.status, 200);
    let nowhere = with_json(&router, "POST", "/api/v1/calls/c/transfer", r#"{"to":" "}"#).await;
    assert_eq!(code(&nowhere), (422, "bad_request".into()));
    let gone = request("DELETE", "/api/v1/calls/c").body(Body::empty()).unwrap();
    assert_eq!(send(&router, gone).await.status, 204);
    let asked =
        ["hold c None", "resume c Some(SeatId(2))", "transfer c Some(SeatId(1)) 202", "hang_up c"];
    assert_eq!(memory.asked()[1..], asked);
}

#[tokio::test]
async fn every_alias_of_a_mode_is_taken() {
    for (alias, mode) in [
        ("listen", "Listen"),
        ("monitor", "Listen"),
        ("silent", "Listen"),
        ("whisper", "Whisper"),
        ("coach", "Whisper"),
        ("barge", "Barge"),
        ("join", "Barge"),
        ("takeover", "Takeover"),
        ("intercept", "Takeover"),
    ] {
        let memory = memory();
        let router = routed(memory.clone());
        let body = format!(r#"{{"mode":"{alias}","leg":{{"kind":"sip","uri":"sip:me@h"}}}}"#);
        let got = with_json(&router, "POST", "/api/v1/calls/c/supervisions", &body).await;
        assert_eq!(got.status, 201, "{alias}: {}", got.text);
        assert!(memory.asked()[0].contains(&format!("mode: {mode}")), "{alias}");
        let body = format!(r#"{{"mode":"{alias}"}}"#);
        let got = with_json(&router, "PATCH", "/api/v1/supervisions/s1", &body).await;
        assert_eq!(got.status, 200, "{alias}: {}", got.text);
        assert!(memory.asked()[1].contains(&format!("mode: Some({mode})")), "{alias}");
    }
}

#[tokio::test]
async fn a_supervision_starts_on_a_call_or_on_an_agent() {
    let memory = memory();
    let router = routed(memory.clone());
    let body = r#"{"mode":"whisper","leg":{"kind":"phone"},"targets":["p2"],"alert":true,
                   "reason":"training","agent_after":"held"}"#;
    let got = with_json(&router, "POST", "/api/v1/calls/c1/supervisions", body).await;
    assert_eq!(got.status, 201);
    assert_eq!(got.headers["location"], "/api/v1/supervisions/s1");
    assert_eq!(got.headers["etag"], "\"3\"");
    assert_eq!(got.json["state"], "live");
    let asked = memory.asked().pop().unwrap();
    for part in ["Call(CallId", "Phone", "[SeatId(2)]", "alert: true", "Some(Held)", "early: false"]
    {
        assert!(asked.contains(part), "{part} in {asked}");
    }
    let body = r#"{"mode":"listen","leg":{"kind":"phone"}}"#;
    let early = request("POST", "/api/v1/agents/201/supervisions")
        .header("content-type", "application/json; charset=utf-8")
        .header("prefer", "wait=5, respond-async");
    let got = send(&router, early.body(Body::from(body)).unwrap()).await;
    assert_eq!(got.status, 202);
    assert_eq!(got.headers["preference-applied"], "respond-async");
    let asked = memory.asked().pop().unwrap();
    assert!(asked.contains(r#"Agent("201")"#) && asked.contains("early: true"), "{asked}");
}

#[tokio::test]
async fn a_running_supervision_is_changed_left_and_looked_at() {
    let memory = memory();
    let router = routed(memory.clone());
    let patch = async |version: &str, body: &'static str| {
        let request = request("PATCH", "/api/v1/supervisions/s1")
            .header("content-type", "application/json")
            .header("if-match", version);
        send(&router, request.body(Body::from(body)).unwrap()).await
    };
    for (version, asked) in [("\"3\"", "Some(3)"), ("3", "Some(3)"), ("*", "None")] {
        let got = patch(version, r#"{"muted":true,"targets":[],"agent_after":"stays"}"#).await;
        assert_eq!((got.status.as_u16(), &got.headers["etag"]), (200, &"\"3\"".parse().unwrap()));
        let last = memory.asked().pop().unwrap();
        assert!(last.contains(&format!("if_version: {asked}")), "{last}");
        assert!(last.contains("targets: Some([])") && last.contains("Some(Stays)"), "{last}");
    }
    assert_eq!(code(&patch("W/x", r#"{"muted":true}"#).await), (400, "bad_header".into()));
    assert_eq!(code(&patch("3", "{}").await), (422, "bad_request".into()));

    for (word, action) in
        [("hold", "Hold"), ("resume", "Resume"), ("remove", "Remove"), ("hand_back", "HandBack")]
    {
        let body = format!(r#"{{"action":"{word}"}}"#);
        let got = with_json(&router, "POST", "/api/v1/supervisions/s1/agent", &body).await;
        assert_eq!(got.status, 200);
        assert_eq!(memory.asked().pop().unwrap(), format!("agent s1 {action}"));
    }
    assert_eq!(get(&router, "/api/v1/supervisions/s1").await.json["version"], 3);
    let leave = request("DELETE", "/api/v1/supervisions/s1").body(Body::empty()).unwrap();
    assert_eq!(send(&router, leave).await.status, 200);
    assert_eq!(memory.asked().pop().unwrap(), "leave s1");
}

#[tokio::test]
async fn a_call_that_rings_in_the_browser_is_answered_or_declined() {
    let memory = memory();
    let router = routed(memory.clone());
    let answer = request("POST", "/api/v1/calls/c1/answer").body(Body::empty()).unwrap();
    let answered = send(&router, answer).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.json["id"], "eu.n1.1.c1");
    assert_eq!(memory.asked().pop().unwrap(), "answer c1");
    let decline = request("POST", "/api/v1/calls/c1/decline").body(Body::empty()).unwrap();
    assert_eq!(send(&router, decline).await.status, 204);
    assert_eq!(memory.asked().pop().unwrap(), "decline c1");
}

#[tokio::test]
async fn a_browsers_phone_is_opened_shown_and_closed() {
    let router = routed(memory());
    let path = "/api/v1/me/phone";
    let opened = with_json(&router, "POST", path, r#"{"sdp":"v=0 offer","tab":"t1"}"#).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    assert_eq!(opened.json["sdp"], "v=0 answer");
    let phone = get(&router, path).await.json;
    assert_eq!((&phone["id"], &phone["state"]), (&json!("leg-7"), &json!("up")));
    assert_eq!((&phone["send_codec"], &phone["call_id"]), (&json!("opus"), &json!("eu.n1.1.c1")));
    assert_eq!(phone["supervision_id"], json!(null));
    let seen_by = async |tab: &str| get(&router, &format!("{path}?tab={tab}")).await;
    assert_eq!(seen_by("one").await.json["state"], "up");
    assert_eq!(seen_by("two").await.json["state"], "elsewhere");
    assert_eq!(seen_by(&"x".repeat(65)).await.status, 422);
    let relay = json!([
        {"urls": ["turn:192.0.2.1:3478"], "username": "1:sue", "credential": "secret",
         "lasts_ms": 7200000}
    ]);
    assert_eq!(phone["ice_servers"], relay);
    let elsewhere = with_json(&router, "POST", path, r#"{"sdp":"v=0","tab":"other"}"#).await;
    assert_eq!(code(&elsewhere), (409, "phone_elsewhere".into()));
    let here = r#"{"sdp":"v=0","tab":"other","here":true}"#;
    assert_eq!(with_json(&router, "POST", path, here).await.status, 201);
    let long = format!(r#"{{"sdp":"v=0","tab":"{}"}}"#, "x".repeat(65));
    assert_eq!(with_json(&router, "POST", path, &long).await.status, 422);
    let bare = request("DELETE", path).body(Body::empty()).unwrap();
    assert_eq!(send(&router, bare).await.status, 204);
    assert_eq!(get(&router, "/api/v1/me/ice").await.json, json!({"ice_servers": relay}));
}

#[tokio::test]
async fn a_hand_is_raised_reasoned_answered_and_lowered() {
    let memory = memory();
    let router = routed(memory.clone());
    let raised = with_json(&router, "POST", "/api/v1/calls/c/help", "").await;
    assert_eq!((raised.status.as_u16(), &raised.json["id"]), (201, &json!("c.h3")));
    assert_eq!(raised.json["reason"], "angry_customer");
    assert_eq!(raised.json["coming"], json!({"id": "sue", "name": "Sue"}));
    let why = r#"{"reason":"safety"}"#;
    assert_eq!(with_json(&router, "PUT", "/api/v1/calls/c/help", why).await.status, 200);
    let odd = with_json(&router, "PUT", "/api/v1/calls/c/help", r#"{"reason":"bored"}"#).await;
    assert_eq!(odd.status, 422);
    assert_eq!(with_json(&router, "POST", "/api/v1/help/c.h3/coming", "").await.status, 200);
    for id in ["c", "c.h", "c.h03", "c.h-1", "c.h4294967296", ".h1"] {
        let answer = with_json(&router, "POST", &format!("/api/v1/help/{id}/coming"), "").await;
        assert_eq!(answer.json["code"], "no_such_help", "{id}");
    }
    assert_eq!(with_json(&router, "DELETE", "/api/v1/calls/c/help", "").await.status, 204);
    let asked = memory.asked();
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert_eq!(asked[1], "hand c Reason { reason: Some(Safety) }");
    assert_eq!(asked[2], "hand c Coming { number: 3 }");
}

#[tokio::test]
async fn prompts_replies_and_states_are_taken_as_they_are_said() {
    let memory = memory();
    let router = routed(memory.clone());
    let sent =
        with_json(&router, "POST", "/api/v1/supervisions/s1/prompts", r#"{"text":"Slow down"}"#)
            .await;
    assert_eq!((sent.status.as_u16(), &sent.json["text"]), (201, &json!("Slow down")));
    assert_eq!(sent.json["id"], "m1");
    let sent =
        with_json(&router, "POST", "/api/v1/supervisions/s1/replies", r#"{"reply":"take_it"}"#)
            .await;
    assert_eq!((sent.status.as_u16(), &sent.json["reply"]), (201, &json!("take_it")));
    let path = "/api/v1/calls/c/feedback";
    let said = r#"{"supervision_id":"s1","useful":"too_much"}"#;
    assert_eq!(with_json(&router, "POST", path, said).await.status, 204);
    assert_eq!(memory.asked().pop().unwrap(), "feedback c s1 TooMuch");
    let other = r#"{"supervision_id":"s1","useful":"perhaps"}"#;
    assert_eq!(with_json(&router, "POST", path, other).await.status, 422);
    let path = "/api/v1/supervisions/s1/marks";
    let mark = with_json(&router, "POST", path, r#"{"kind":"flag"}"#).await;
    assert_eq!((mark.status.as_u16(), &mark.json["kind"]), (201, &json!("flag")));
    assert_eq!(
        (&mark.json["text"], memory.asked().pop().unwrap().as_str()),
        (&json!(null), "mark s1 Flag ")
    );
    for bad in [r#"{"kind":"star"}"#, r#"{"text":"a"}"#] {
        assert_eq!(with_json(&router, "POST", path, bad).await.status, 422, "{bad}");
    }
    let heard = get(&router, "/api/v1/supervisions/s1/heard-before").await.json;
    assert_eq!(heard["agents"], json!([{ "id": "ann", "name": "Ann", "calls": 3 }]));
    let agents = get(&router, "/api/v1/agents").await.json;
    let next = json!({ "state": "not_available", "reason": null });
    assert_eq!(agents["items"][0]["next"], next);
    let path = "/api/v1/calls/c/outcome";
    let said = r#"{"csat":4,"reason":null,"value":-0.05}"#;
    let kept = with_json(&router, "PUT", path, said).await;
    assert_eq!((kept.status.as_u16(), &kept.json["value"]), (200, &json!(-0.05)));
    assert_eq!((&kept.json["csat"], &kept.json["reason"]), (&json!(4), &json!(null)));
    let asked = r#"outcome c {"csat": "4", "reason": "", "value_hundredths": "-5"}"#;
    assert_eq!(memory.asked().pop().unwrap(), asked, "what is not named is not asked for");
    for bad in [r#"{"csat":"4"}"#, r#"{"value":0.001}"#, r#"{"resolved":1}"#, r#"{"nps":9}"#] {
        assert_eq!(with_json(&router, "PUT", path, bad).await.status, 422, "{bad}");
    }
    let away = r#"{"state":"not_available","reason":"lunch"}"#;
    let now = with_json(&router, "PUT", "/api/v1/me/state", away).await;
    assert_eq!((now.status.as_u16(), &now.json["reason"]), (200, &json!("lunch")));
    for bad in [r#"{"state":"on_call"}"#, r#"{"state":"available","reason":""}"#, "{}"] {
        assert_eq!(with_json(&router, "PUT", "/api/v1/me/state", bad).await.status, 422, "{bad}");
    }
    let long = format!(r#"{{"state":"not_available","reason":"{}"}}"#, "x".repeat(41));
    assert_eq!(with_json(&router, "PUT", "/api/v1/me/state", &long).await.status, 422);
}

#[tokio::test]
async fn the_history_is_asked_for_by_what_the_query_says() {
    let memory = memory();
    let router = routed(memory.clone());
    let path = "/api/v1/history/calls";
    let page = get(&router, path).await;
    assert_eq!(page.json["items"][0]["id"], "eu.n1.1.c1");
    assert_eq!(page.json["next_cursor"], "7~c1");
    let whole = "?from=2023-11-14T22:13:20Z&to=2023-11-15T00:00:00%2B01:00&agent=ann&queue=sales\
                 &supervised=true&cursor=7~c1&limit=5";
    assert_eq!(get(&router, &format!("{path}{whole}")).await.status, 200);
    let wanted = "HistoryQuery { from: Some(Wall(1700000000000)), to: Some(Wall(1700002800000)), \
                  agent: Some(PersonId(\"ann\")), queue: Some(\"sales\"), supervised: Some(true), \
                  cursor: Some(\"7~c1\"), limit: 5 }";
    assert_eq!(memory.asked()[1], wanted);
    let long = format!("?cursor={}", "x".repeat(201));
    for bad in
        ["?limit=0", "?limit=1001", "?from=yesterday", "?agent=%20", "?supervised=1", "?x=1", &long]
    {
        assert_eq!(get(&router, &format!("{path}{bad}")).await.status, 422, "{bad}");
    }
}

#[tokio::test]
async fn health_says_each_part_and_the_worst_of_them() {
    let memory = memory();
    let router = routed(memory.clone());
    let health = get(&router, "/api/v1/health").await;
    assert_eq!(health.status, 200, "{}", health.text);
    assert_eq!(health.json["state"], "bad");
    assert_eq!(health.json["at"], "1970-01-01T00:00:01.000Z");
    let mut well = json!({"id": "database", "state": "ok", "value": "1 ms", "detail": null});
    well["counts"] = json!({"waiting": 1});
    assert_eq!(health.json["items"][0], well);
    assert_eq!(health.json["items"][2]["detail"], "one does not answer");
    *memory.refusal.lock().unwrap() = Some(Refusal::because(Reason::NotAllowed));
    assert_eq!(code(&get(&router, "/api/v1/health").await), (403, "not_allowed".into()));
}

fn by_csv(path: &str) -> axum::http::Request<Body> {
    request("GET", path).header("accept", "text/csv").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn history_as_csv_is_every_page_or_the_one_that_was_asked_for() {
    let memory = memory();
    let router = routed(memory.clone());
    let all = send(&router, by_csv("/api/v1/history/calls?queue=a")).await;
    assert_eq!(all.status, 200, "{}", all.text);
    assert_eq!(all.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(all.headers["content-disposition"], "attachment; filename=\"calls.csv\"");
    let lines: Vec<_> = all.text.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "head, two calls, and the end of the last: {}", all.text);
    assert!(lines[0].starts_with("id,direction,queue,"), "{}", lines[0]);
    assert!(lines[1].starts_with("eu.n1.1.c1,inbound,") && lines[3].is_empty(), "{lines:?}");
    assert_eq!(lines[1], lines[2]);
    let columns = lines[0].split(',').count();
    assert_eq!(columns, 25);
    let asked = memory.asked();
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert_eq!(asked[0], "export History queue=a", "before anything is given");
    assert!(asked[1..].iter().all(|q| q.contains("limit: 1000") && q.contains("Some(\"a\")")));
    let one = get(&router, "/api/v1/history/calls?format=csv&limit=5").await;
    assert_eq!(one.text.split("\r\n").count(), 3);
    let json = "/api/v1/history/calls?format=json";
    assert!(send(&router, by_csv(json)).await.json["items"].is_array(), "`format` counts more");
    let odd = get(&router, "/api/v1/history/calls?format=xml").await;
    assert_eq!(code(&odd), (422, "bad_request".into()));
}

#[tokio::test]
async fn audit_as_csv_has_the_rows_and_rights_of_the_audit() {
    let memory = memory();
    let router = routed(memory.clone());
    let audit = send(&router, by_csv("/api/v1/audit?person=sue")).await;
    let lines: Vec<_> = audit.text.split("\r\n").collect();
    assert_eq!((lines.len(), audit.status.as_u16()), (3, 200), "{}", audit.text);
    assert!(lines[0].starts_with("seq,at,what,") && lines[0].ends_with(",prev_hash,hash"));
    assert!(lines[1].starts_with("42,") && lines[1].contains(",refused,"), "{}", lines[1]);
    assert!(lines[1].ends_with(&"ab".repeat(32)), "{}", lines[1]);
    assert_eq!((memory.asked().len(), memory.asked()[0].as_str()), (3, "export Audit person=sue"));
    *memory.refusal.lock().unwrap() = Some(Refusal::because(Reason::NotAllowed));
    let refused = send(&router, by_csv("/api/v1/audit")).await;
    assert_eq!(code(&refused), (403, "not_allowed".into()));
}

#[tokio::test]
async fn a_csv_whose_next_page_cannot_be_had_does_not_look_whole() {
    let memory = memory();
    let router = routed(memory.clone());
    let answer = tower::ServiceExt::oneshot(router, by_csv("/api/v1/audit")).await.unwrap();
    assert_eq!(answer.status(), 200);
    *memory.refusal.lock().unwrap() = Some(Refusal::because(Reason::AuditUnavailable));
    assert!(axum::body::to_bytes(answer.into_body(), 1 << 20).await.is_err());
}

#[tokio::test]
async fn labels_are_taken_where_each_is_known_and_else_the_field_is_named() {
    let memory = memory();
    let router = routed(memory.clone());
    let put = async |body: &str| with_json(&router, "PUT", "/api/v1/labels", body).await;
    let now = put(r#"{"preset":"sales","words":{"whisper":" Coach ","agent":""}}"#).await;
    assert_eq!(now.status, 200, "{}", now.text);
    assert_eq!(now.json, json!({"preset": "sales", "words": {"whisper": "Coach"}}));
    assert_eq!(put(r#"{"preset":"undertone"}"#).await.json["words"], json!({}));
    assert_eq!(memory.asked().len(), 2);
    let long = format!(r#"{{"preset":"pbx","words":{{"agent":"{}"}}}}"#, "x".repeat(41));
    for (body, named) in [
        (r#"{"preset":"banana"}"#, "`preset`"),
        (r#"{"preset":"pbx","words":{"agents":"rep"}}"#, "`agents`"),
        (r#"{"preset":"pbx","words":{"listen":"Join","barge":"join"}}"#, "the same"),
        (r#"{"preset":"pbx","words":{"agent":7}}"#, "words"),
        (r#"{"preset":"pbx","colour":"red"}"#, "colour"),
        (long.as_str(), "`words.agent`"),
    ] {
        let wrong = put(body).await;
        assert_eq!(code(&wrong), (422, "bad_request".into()), "{body}");
        assert!(wrong.json["detail"].as_str().unwrap().contains(named), "{}", wrong.text);
    }
    assert_eq!(memory.asked().len(), 2, "and nothing was asked for");
}

#[tokio::test]
async fn me_has_the_words_and_the_limits_of_the_house() {
    let me = get(&routed(memory()), "/api/v1/me").await.json;
    assert_eq!(me["labels"], json!({"preset": "sales", "words": {"agent": "rep"}}));
    let limits = json!({
        "hold_long_ms": 120_000, "talk_long_ms": 600_000, "wrap_up_long_ms": 60_000,
        "silence_ms": 15_000, "whisper_long_ms": 8_000, "whisper_share": 0.1,
        "whisper_per_min": 1.5
    });
    assert_eq!(me["policy"], limits);
}
