//! `GET /health` of a running server: what it says is what is there.

use crate::browser::Browser;
use crate::house::House;
use crate::trunks::{carrier, close, dead, figure, outside, provision};
use serde_json::{Value, json};

fn part<'a>(health: &'a Value, id: &str) -> &'a Value {
    let mut items = health["items"].as_array().expect("items").iter();
    items.find(|item| item["id"] == id).unwrap_or_else(|| panic!("no {id} in {health}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_reads_what_is_measured() {
    let house = House::open().await;
    let whole = |health: &Value| {
        let said = part(health, "audit_chain")["value"].as_str().expect("a text");
        said.ends_with("rows whole")
    };
    let health = house.until("/health", whole).await;
    let parts: Vec<_> = health["items"].as_array().unwrap().iter().collect();
    assert!(parts.iter().all(|part| part["id"] != "trunks"), "there are none");
    assert_eq!(part(&health, "version")["value"], env!("CARGO_PKG_VERSION"));
    assert_eq!(part(&health, "privacy_alarms")["value"], "0");
    assert_eq!(part(&health, "live_calls")["value"], "0");
    assert_eq!(part(&health, "certificate")["value"], "none");
    assert!(part(&health, "disk_free")["value"].as_str().unwrap().ends_with('B'));
    assert!(part(&health, "database")["value"].as_str().unwrap().ends_with(" ms"));
    let listening = part(&health, "sip_listeners")["detail"].as_str().unwrap();
    assert!(listening.contains(&house.server.sip_addr.to_string()), "{listening}");
    let talk = house.talk().await;
    let busy = |health: &Value| {
        part(health, "live_calls")["value"] == "1"
            && part(health, "rtp_ports")["value"] == "2"
            && part(health, "media_threads")["value"] != "idle"
    };
    house.until("/health", busy).await;
    drop(talk);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_administrator_is_refused_and_that_is_written() {
    let house = House::open().await;
    let ana = Browser::of(&house, "ana").await;
    let (status, problem) = ana.get("/health").await;
    assert_eq!((status, &problem["code"]), (403, &json!("not_allowed")));
    house.audited(|row| row["what"] == "health.see" && row["outcome"] == "refused").await;
    let sessions = |health: &Value| part(health, "http_sessions")["value"] == "1";
    house.until("/health", sessions).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trunk_that_does_not_answer_is_named() {
    let (house, carrier) = (House::open().await, carrier().await);
    let good = outside(&[carrier.addr()], "options_s = 1");
    let bad =
        format!("[[trunk]]\nid = \"away\"\naddresses = [\"{}\"]\noptions_s = 1\n", dead().await);
    provision(&house, "", &format!("{good}{bad}")).await;
    figure(&house, "undertone_trunk_up{trunk=\"away\"} 0").await;
    let health = house.get("/health").await.1;
    let trunks = part(&health, "trunks");
    assert_eq!(trunks["value"], "1 / 2");
    assert_eq!(
        (&trunks["state"], &trunks["detail"]),
        (&json!("warn"), &json!("away does not answer"))
    );
    close(house, carrier).await;
}
