//! What came of a call: said by its agent, by who took it over, by a survey with a key; while it
//! lives and after its end.

use crate::browser::Browser;
use crate::house::{House, Options, ended};
use reqwest::Method;
use serde_json::{Value, json};
use undertone_core::access::Right;

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_closes_the_call_and_a_survey_adds_to_it_when_it_has_ended() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (mia, ana) = (Browser::of(&house, "mia").await, Browser::of(&house, "ana").await);
    let bo = Browser::of(&house, "bo").await;
    let mut at_mia = mia.events(None).await.expect("a socket");
    let mut at_ana = ana.events(None).await.expect("a socket");
    let path = format!("/calls/{}/outcome", talk.id);
    let said = json!({ "disposition": "sale", "value": 199.95, "reason": "moving house" });
    let (status, outcome) = ana.send(Method::PUT, &path, Some(said)).await;
    assert_eq!((status, &outcome["disposition"]), (200, &json!("sale")), "{outcome}");
    assert_eq!((&outcome["csat"], &outcome["set_by"]["id"]), (&json!(null), &json!("ana")));
    // Both boards are told as it is said.
    for board in [&mut at_mia, &mut at_ana] {
        let shown = |frame: &Value| frame["calls"][0]["outcome"]["value"] == json!(199.95);
        board.until(shown).await;
    }
    let (status, no) = bo.send(Method::PUT, &path, Some(json!({ "csat": 1 }))).await;
    assert_eq!((status, &no["code"]), (403, &json!("not_allowed")), "no agent of it");
    let bad = ana.send(Method::PUT, &path, Some(json!({ "csat": 6 }))).await;
    assert_eq!((bad.0, &bad.1["code"]), (422, &json!("bad_request")));
    talk.customer.hang_up();
    ended(&talk.agent).await;
    // The survey comes in the instant of the end, and finds the call.
    let survey = json!({ "csat": 4, "resolved": true, "value": null });
    let (status, outcome) = house.send(Method::PUT, &path, Some(survey)).await;
    assert_eq!(status, 200, "{outcome}");
    let all = |call: &Value| {
        let outcome = &call["outcome"];
        (outcome["csat"].clone(), outcome["resolved"].clone(), outcome["value"].clone())
            == (json!(4), json!(true), json!(null))
            && outcome["disposition"] == "sale"
            && outcome["reason"] == "moving house"
    };
    let kept = |page: &Value| page["items"][0]["id"] == json!(talk.id);
    let page = house.until("/history/calls", kept).await;
    assert!(all(&page["items"][0]), "{page}");
    let call = house.get(&format!("/calls/{}", talk.id)).await.1;
    assert!(all(&call) && call["state"] == "ended", "{call}");
    let sheet = house.request(Method::GET, "/history/calls?format=csv").send().await;
    let sheet = sheet.expect("a sheet").text().await.expect("text");
    let cells = "4,true,moving house,sale,";
    assert!(sheet.lines().nth(1).is_some_and(|line| line.ends_with(cells)), "{sheet}");
    // Wrap-up: who was its agent may still mend it.
    let (status, later) = ana.send(Method::PUT, &path, Some(json!({ "disposition": null }))).await;
    assert_eq!((status, &later["disposition"], &later["csat"]), (200, &json!(null), &json!(4)));
    let rows = house.audited(|row| row["detail"]["csat"] == "4").await;
    let of = |row: &&Value| row["what"] == "call.outcome" && row["outcome"] == "allowed";
    assert_eq!(rows.iter().filter(of).count(), 3, "one a saying: {rows:?}");
    let unknown =
        ana.send(Method::PUT, "/calls/eu.n1.1.zz/outcome", Some(json!({"csat": 1}))).await;
    assert_eq!((unknown.0, &unknown.1["code"]), (404, &json!("no_such_call")));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_took_a_call_over_closes_it_and_who_only_listened_does_not() {
    // A key that may do all but say it of any call.
    let rights = Right::ALL.iter().copied().filter(|right| *right != Right::SetOutcome).collect();
    let house = House::with(Options { rights, ..Options::default() }).await;
    let talk = house.talk().await;
    let path = format!("/calls/{}/outcome", talk.id);
    let said = Some(json!({ "resolved": false, "disposition": "escalated" }));
    let (supervision, phone) = house.join(&talk.id, "listen").await;
    let (status, no) = house.send(Method::PUT, &path, said.clone()).await;
    assert_eq!((status, &no["code"]), (403, &json!("not_allowed")));
    house.mode(&supervision, "takeover").await;
    assert_eq!(house.send(Method::PUT, &path, said.clone()).await.0, 200);
    talk.customer.hang_up();
    ended(&phone).await;
    let (status, outcome) = house.send(Method::PUT, &path, said).await;
    assert_eq!((status, &outcome["set_by"]["id"]), (200, &json!("mia")), "and in wrap-up");
    drop(talk);
    house.close().await;
}
