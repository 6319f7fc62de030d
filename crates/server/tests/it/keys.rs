//! Rights: what a key lacks is refused and written down, what is taken away ends what it ran.

use crate::house::{House, Options, SOON};
use std::time::Duration;
use undertone::clock;
use undertone_core::access::Right;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_nothing_is_answered() {
    let house = House::open().await;
    for path in ["/calls", "/agents", "/audit", "/nothing"] {
        let answer = reqwest::get(house.url(path)).await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_right_is_refused_and_the_refusal_is_in_the_audit() {
    let rights = vec![Right::SeeWallboard, Right::SeeAudit, Right::Listen];
    let house = House::with(Options { rights, ..Options::default() }).await;
    let talk = house.talk().await;
    let uri = house.phones["mia"].uri();
    let body = serde_json::json!({ "mode": "barge", "leg": { "kind": "sip", "uri": uri } });
    let (status, refused) = house.post(&format!("/calls/{}/supervisions", talk.id), body).await;
    assert_eq!((status, &refused["reasons"][0]), (403, &"not_allowed".into()), "{refused}");
    // The refusal waits for nothing; its row follows.
    let written = async {
        loop {
            let (_, audit) = house.get("/audit").await;
            let rows = audit["items"].as_array().unwrap();
            if rows.iter().any(|r| r["outcome"] == "refused" && r["person_id"] == "mia") {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, written).await.expect("the refusal is written");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_phone_is_no_supervisors_leg() {
    let house = House::with(Options {
        rights: vec![Right::SeeWallboard, Right::Listen],
        ..Options::default()
    })
    .await;
    let talk = house.talk().await;
    let uri = house.phones["bo"].uri();
    let body = serde_json::json!({ "mode": "listen", "leg": { "kind": "sip", "uri": uri } });
    let (_, refused) = house.post(&format!("/calls/{}/supervisions", talk.id), body).await;
    assert_eq!(refused["reasons"][0], "leg_not_own", "{refused}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_ends_what_it_runs_within_a_second() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (_, mia) = house.join(&talk.id, "listen").await;
    let wall = clock::now().wall;
    assert!(house.server.store.revoke_key(&house.key, wall).await.unwrap());
    let ended = tokio::time::timeout(Duration::from_secs(1), mia.ended()).await;
    assert!(ended.is_ok(), "she still listens");
    let (status, _) = house.get("/calls").await;
    assert_eq!(status, 401);
    assert!(talk.customer.status().is_up(), "the call goes on");
    tokio::time::timeout(SOON, house.close()).await.expect("all ends");
}
