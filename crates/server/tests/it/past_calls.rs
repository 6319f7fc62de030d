//! The history: calls that have ended, by who was on them and whether anybody supervised.

use crate::house::{House, ended};
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("calls");
    items.iter().map(|call| call["id"].as_str().expect("an id")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_calls_are_found_by_agent_and_supervision_page_by_page() {
    let house = House::open().await;
    let mut all = Vec::new();
    for n in 0..3 {
        let talk = house.talk().await;
        assert_eq!(house.get("/history/calls").await.1["items"].as_array().unwrap().len(), n);
        if n == 1 {
            let (id, phone) = house.join(&talk.id, "listen").await;
            house.send(reqwest::Method::DELETE, &format!("/supervisions/{id}"), None).await;
            drop(phone);
        }
        talk.customer.hang_up();
        ended(&talk.agent).await;
        let known = |page: &Value| ids(page).contains(&talk.id.as_str());
        house.until("/history/calls", known).await;
        house.off_the_call("ana").await;
        all.insert(0, talk.id.clone());
    }
    let (_, page) = house.get("/history/calls").await;
    assert_eq!(
        (ids(&page), &page["next_cursor"]),
        (all.iter().map(String::as_str).collect(), &json!(null))
    );
    assert_eq!(page["items"][0]["state"], "ended");
    let of = async |query: &str| {
        let (status, page) = house.get(&format!("/history/calls?{query}")).await;
        assert_eq!(status, 200, "{page}");
        ids(&page).iter().map(|id| id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of("supervised=true").await, all[1..2]);
    assert_eq!(of("supervised=false").await, [all[0].clone(), all[2].clone()]);
    assert_eq!(of("agent=ana").await, all);
    assert_eq!(of("agent=mia").await, [""; 0], "she supervised, and was no agent");
    assert_eq!(of("queue=sales").await, [""; 0]);
    assert_eq!(of("to=2020-01-01T00:00:00Z").await, [""; 0]);
    let mut found = Vec::new();
    let mut cursor = String::new();
    for _ in 0..3 {
        let (_, page) = house.get(&format!("/history/calls?limit=1{cursor}")).await;
        found.extend(ids(&page).iter().map(|id| id.to_string()));
        cursor = format!("&cursor={}", page["next_cursor"].as_str().unwrap_or_default());
    }
    assert_eq!((found, cursor.as_str()), (all, "&cursor="));
    assert_eq!(house.get("/history/calls?cursor=x").await.0, 422);
    house.close().await;
}
