//! Raised hands, prompts, replies, being away, and what measuring tells, from the page's side.

use crate::browser::Browser;
use crate::house::{CUSTOMER, House};
use reqwest::Method;
use serde_json::{Value, json};

fn call<'a>(frame: &'a Value, id: &str) -> Option<&'a Value> {
    frame["calls"].as_array()?.iter().find(|call| call["id"] == id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raised_hand_is_on_the_board_until_help_is_there() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (mia, ana) = (Browser::of(&house, "mia").await, Browser::of(&house, "ana").await);
    let mut board = mia.events(None).await.expect("a socket");
    assert_eq!(board.next().await.unwrap()["help"], json!([]));
    let path = format!("/calls/{}/help", talk.id);
    let (status, help) = ana.send(Method::POST, &path, Some(json!({}))).await;
    assert_eq!((status, &help["agent"]["id"], &help["reason"]), (201, &json!("ana"), &json!(null)));
    assert_eq!(help["told"], 1, "Mia looks at the board");
    let reason = Some(json!({ "reason": "angry_customer" }));
    assert_eq!(ana.send(Method::PUT, &path, reason).await.0, 200);
    let raised = |frame: &Value| frame["help"][0]["reason"] == "angry_customer";
    let (frame, _) = board.until(raised).await;
    let why = &call(&frame, &talk.id).unwrap()["attention"][0];
    assert_eq!(
        (&why["code"], &why["detail"]),
        (&json!("help_requested"), &json!("angry_customer"))
    );
    let id = help["id"].as_str().unwrap();
    let (status, help) = mia.send(Method::POST, &format!("/help/{id}/coming"), None).await;
    assert_eq!((status, &help["coming"]["id"]), (200, &json!("mia")), "{help}");
    let (_, phone) = house.join(&talk.id, "whisper").await;
    let (frame, _) = board.until(|frame| frame["gone_help"] == json!([id])).await;
    assert_eq!(call(&frame, &talk.id).unwrap()["attention"], json!([]));
    assert_eq!(mia.send(Method::POST, &path, Some(json!({}))).await.0, 403, "no agent of it");
    let other = mia.send(Method::POST, "/help/x.h1/coming", None).await;
    assert_eq!((other.0, &other.1["code"]), (404, &json!("no_such_call")));
    assert_eq!(ana.send(Method::DELETE, &path, None).await.1["code"], "no_such_help");
    drop((phone, talk));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_reaches_the_agents_page_and_the_reply_the_supervisors() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (mia, ana) = (Browser::of(&house, "mia").await, Browser::of(&house, "ana").await);
    let bo = Browser::of(&house, "bo").await;
    let mut at_mia = mia.events(None).await.expect("a socket");
    let mut at_ana = ana.events(None).await.expect("a socket");
    let mut at_bo = bo.events(None).await.expect("a socket");
    let (supervision, phone) = house.join(&talk.id, "listen").await;
    let path = format!("/supervisions/{supervision}");
    let prompt = Some(json!({ "text": "Verify the account first" }));
    let (status, sent) = mia.send(Method::POST, &format!("{path}/prompts"), prompt).await;
    assert_eq!(status, 201, "{sent}");
    let (frame, _) = at_ana.until(|frame| frame["type"] == "prompt").await;
    assert_eq!((&frame["text"], &frame["id"]), (&json!("Verify the account first"), &sent["id"]));
    assert_eq!((&frame["from"]["id"], &frame["call_id"]), (&json!("mia"), &json!(talk.id)));
    let reply = Some(json!({ "reply": "say_again" }));
    assert_eq!(ana.send(Method::POST, &format!("{path}/replies"), reply.clone()).await.0, 201);
    let (frame, _) = at_mia.until(|frame| frame["type"] == "reply").await;
    assert_eq!((&frame["reply"], &frame["from"]["id"]), (&json!("say_again"), &json!("ana")));
    assert_eq!(bo.send(Method::POST, &format!("{path}/replies"), reply).await.0, 403);
    assert_eq!(bo.send(Method::PUT, "/me/state", Some(json!({"state": "available"}))).await.0, 200);
    house.audited(|row| row["detail"]["text"] == "Verify the account first").await;
    // Bo's own state is told to him, and nothing of what the others wrote.
    let away = Some(json!({ "state": "not_available", "reason": "lunch" }));
    let (status, now) = bo.send(Method::PUT, "/me/state", away).await;
    assert_eq!(
        (status, &now["state"], &now["reason"]),
        (200, &json!("not_available"), &json!("lunch"))
    );
    let lunch = |frame: &Value| frame["agents"][0]["reason"] == "lunch";
    let (_, before) = at_bo.until(lunch).await;
    assert!(before.iter().all(|frame| frame["type"] != "prompt"), "{before:?}");
    let agents = house.get("/agents").await.1;
    let shown = agents["items"].as_array().unwrap().iter().find(|a| a["id"] == "bo").unwrap();
    assert_eq!(shown["state"], "not_available");
    drop((phone, talk));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_says_of_what_use_help_was_and_only_of_help_of_which_they_knew() {
    let house = House::open().await;
    let talk = house.talk().await;
    let (mia, ana) = (Browser::of(&house, "mia").await, Browser::of(&house, "ana").await);
    let bo = Browser::of(&house, "bo").await;
    let path = format!("/calls/{}/feedback", talk.id);
    let said = |id: &str| Some(json!({ "supervision_id": id, "useful": "too_much" }));
    let (silent, phone) = house.join(&talk.id, "listen").await;
    assert_eq!(mia.send(Method::DELETE, &format!("/supervisions/{silent}"), None).await.0, 200);
    drop(phone);
    let (helped, phone) = house.join(&talk.id, "whisper").await;
    let early = ana.send(Method::POST, &path, said(&helped)).await;
    assert_eq!((early.0, &early.1["code"]), (404, &json!("no_such_supervision")), "it still runs");
    assert_eq!(mia.send(Method::DELETE, &format!("/supervisions/{helped}"), None).await.0, 200);
    assert_eq!(ana.send(Method::POST, &path, said(&helped)).await.0, 204);
    let told = |row: &Value| row["what"] == "supervision.feedback" && row["outcome"] == "allowed";
    let rows = house.audited(told).await;
    let row = rows.iter().find(|row| told(row)).unwrap();
    assert_eq!((&row["detail"]["useful"], &row["person_id"]), (&json!("too_much"), &json!("ana")));
    assert_eq!(row["supervision_id"], json!(helped));
    let silent = ana.send(Method::POST, &path, said(&silent)).await;
    assert_eq!(silent.1["code"], "no_such_supervision", "she knows of no listener");
    assert_eq!(bo.send(Method::POST, &path, said(&helped)).await.0, 403, "no agent of it");
    assert_eq!(mia.send(Method::DELETE, &format!("/calls/{}", talk.id), None).await.0, 204);
    let kept = |page: &Value| page["items"][0]["id"] == json!(talk.id);
    house.until("/history/calls", kept).await;
    assert_eq!(ana.send(Method::POST, &path, said(&helped)).await.0, 204, "also when it has ended");
    drop((phone, talk));
    house.close().await;
}

/// Real phones, real packets.
#[tokio::test(flavor = "multi_thread")]
async fn two_who_talk_over_each_other_again_and_again_are_told_of() {
    let house = House::open().await;
    let talk = house.talk().await;
    let mia = Browser::of(&house, "mia").await;
    let mut board = mia.events(None).await.expect("a socket");
    // Both tones together, again and again.
    let over = |frame: &Value| {
        let why = call(frame, &talk.id).map(|call| &call["attention"]);
        why.and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(|a| a["code"] == "talk_over"))
    };
    // The pauses are what is said, not what is waited for.
    let speaking = async {
        loop {
            talk.customer.tone(Some(CUSTOMER));
            tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
            talk.customer.tone(None);
            tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        }
    };
    let told = async {
        loop {
            let frame = board.next().await.expect("open");
            if over(&frame) {
                return frame;
            }
        }
    };
    let bound = std::time::Duration::from_secs(40);
    let frame = tokio::select! {
        frame = tokio::time::timeout(bound, told) => frame.expect("told of"),
        () = speaking => unreachable!(),
    };
    let all = call(&frame, &talk.id).unwrap()["attention"].as_array().unwrap().clone();
    assert!(all[0]["count"].as_u64().unwrap() >= 3, "{all:?}");
    drop(talk);
    house.close().await;
}
