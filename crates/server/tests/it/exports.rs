//! What is carried out as a sheet, and who may: written down at the start, judged at each page.

use crate::browser::Browser;
use crate::house::{House, SOON};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use undertone_api::{AuditQuery, Commands as _, HistoryQuery};
use undertone_core::access::{Actor, Right};
use undertone_core::id::PersonId;
use undertone_core::refusal::Reason;
use undertone_core::view::Channel;

fn actor(person: &str) -> Actor {
    Actor {
        person: PersonId::parse(person).expect("an id"),
        name: person.into(),
        key: None,
        session: None,
        channel: Channel::Web,
        origin: "test".into(),
        rights: Right::ALL.iter().copied().collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_of_the_audit_or_the_history_is_a_row_of_the_audit() {
    let house = House::open().await;
    let mia = Browser::of(&house, "mia").await;
    for (path, what) in [
        ("/audit?format=csv&person=mia", "audit.export"),
        ("/history/calls?format=csv", "history.export"),
    ] {
        assert_eq!(mia.get(path).await.0, 200);
        // Committed before the first byte.
        let (_, audit) = house.get("/audit").await;
        let found = audit["items"].as_array().expect("rows").iter().find(|r| r["what"] == what);
        let row = found.unwrap_or_else(|| panic!("no {what}: {audit}"));
        assert_eq!((&row["person_id"], &row["outcome"]), (&json!("mia"), &json!("allowed")));
        assert_eq!(row["detail"]["asked"], path.split_once('?').expect("a query").1);
    }
    let ana = Browser::of(&house, "ana").await;
    assert_eq!(ana.get("/audit?format=csv").await.0, 403);
    let refused = |row: &Value| row["what"] == "audit.export" && row["outcome"] == "refused";
    house.audited(refused).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_sheet_is_judged_by_the_rights_and_the_session_of_now() {
    let house = House::open().await;
    let desk = &house.server.desk;
    let (audit, history) = (
        AuditQuery { limit: 10, ..AuditQuery::default() },
        HistoryQuery { limit: 10, ..HistoryQuery::default() },
    );
    desk.audit(&actor("mia"), audit.clone()).await.expect("hers");
    // As a stream that began when Ana had all rights.
    let refused = desk.audit(&actor("ana"), audit.clone()).await.expect_err("no longer");
    assert_eq!(refused.reasons, [Reason::NotAllowed]);
    let refused = desk.history(&actor("ana"), history.clone()).await.expect_err("no longer");
    assert_eq!(refused.reasons, [Reason::NotAllowed]);
    let page = Browser::of(&house, "mia").await;
    assert_eq!(page.send(Method::DELETE, "/session", None).await.0, 204);
    let mut directory = house.server.board.house().directory.clone();
    let known = directory.wait_for(|dir| !dir.ended_sessions.is_empty());
    let known = tokio::time::timeout(SOON, known).await.expect("in time").expect("kept");
    let ended: BTreeSet<_> = known.ended_sessions.clone();
    drop(known);
    let signed_out = Actor { session: ended.first().cloned(), ..actor("mia") };
    let refused = desk.history(&signed_out, history).await.expect_err("she is signed out");
    assert_eq!(refused.reasons, [Reason::SignedOut]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_supervise_is_not_told_who_there_is_and_who_is_on_a_call() {
    let house = House::open().await;
    let bo = Browser::of(&house, "bo").await;
    let talk = house.talk().await;
    let join = json!({ "mode": "listen", "leg": { "kind": "phone" } });
    for extension in ["1001", "1002", "9999"] {
        let path = format!("/agents/{extension}/supervisions");
        let (status, why) = bo.send(Method::POST, &path, Some(join.clone())).await;
        assert_eq!((status, &why["code"]), (403, &json!("not_allowed")), "{extension}");
    }
    drop(talk);
    house.close().await;
}
