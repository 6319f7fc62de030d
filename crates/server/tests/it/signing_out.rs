//! What a session of the pages began ends with it, however it ends; the customer of a takeover is
//! left to nobody's silence.

use crate::browser::{Browser, PASSWORD, give_login};
use crate::house::{AGENT, House, RATE, SOON, SUPERVISOR, Talk, ended, hears};
use reqwest::Method;
use serde_json::{Value, json};
use undertone::switchboard::PhoneAsked;
use undertone_core::id::PersonId;
use undertone_core::refusal::Reason;
use undertone_phone::PhoneCall;
use undertone_sdp::Codec;
use undertone_testkit::browser::{Browser as WebEnd, BrowserConfig};

/// Mia on the page joins by her desk phone, which answers by itself.
async fn joins(house: &House, page: &Browser, talk: &Talk, body: Value) -> (String, PhoneCall) {
    let mut body = body;
    body["leg"] = json!({ "kind": "sip", "uri": house.phones["mia"].uri() });
    let path = format!("/calls/{}/supervisions", talk.id);
    let (status, joined) = page.send(Method::POST, &path, Some(body)).await;
    assert_eq!((status, &joined["state"]), (201, &json!("live")), "{joined}");
    let answered = house.phones["mia"].answered();
    let phone = tokio::time::timeout(SOON, answered).await.expect("in time").expect("a call");
    phone.tone(Some(SUPERVISOR));
    (joined["id"].as_str().expect("an id").to_owned(), phone)
}

async fn again(house: &House) -> Browser {
    let mut browser = Browser::at(house);
    let (status, me) = browser.sign_in("mia", PASSWORD).await;
    assert_eq!(status, 200, "{me}");
    browser
}

async fn signs_out(page: &Browser) {
    assert_eq!(page.send(Method::DELETE, "/session", None).await.0, 204);
}

/// The row that says that this supervision ended by it.
async fn ended_by_signing_out(house: &House, supervision: &str) {
    let row = |row: &Value| {
        row["supervision_id"] == supervision
            && row["what"] == "supervision.ended"
            && row["detail"]["why"] == "signed_out"
    };
    house.audited(row).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_what_that_session_began_and_what_no_other_did() {
    let house = House::open().await;
    let talk = house.talk().await;
    let one = Browser::of(&house, "mia").await;
    let two = again(&house).await;
    let (supervision, phone) = joins(&house, &one, &talk, json!({ "mode": "listen" })).await;
    signs_out(&two).await;
    // Its end is known by now, and this asks the call after it was told.
    let mut directory = house.server.board.house().directory.clone();
    let known = directory.wait_for(|dir| dir.ended_sessions.len() == 1);
    tokio::time::timeout(SOON, known).await.expect("in time").expect("it is kept");
    assert_eq!(house.mode(&supervision, "whisper").await["mode"], "whisper");
    signs_out(&one).await;
    ended(&phone).await;
    ended_by_signing_out(&house, &supervision).await;
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    assert_eq!(call["state"], "talking", "the call itself goes on");
    assert_eq!(call["supervisions"][0]["end_reason"], "signed_out");
    drop(talk);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everywhere_a_new_password_and_a_login_taken_away_end_it_too() {
    let house = House::open().await;
    let talk = house.talk().await;
    let mut keeper = Browser::of(&house, "mia").await;
    for way in ["everywhere", "password", "by hand"] {
        let page = again(&house).await;
        let (supervision, phone) = joins(&house, &page, &talk, json!({ "mode": "listen" })).await;
        match way {
            "everywhere" => {
                let (status, _) =
                    keeper.send(Method::DELETE, "/session?everywhere=true", None).await;
                assert_eq!(status, 204);
                keeper = again(&house).await;
            }
            "password" => {
                let new = Some(json!({ "old": PASSWORD, "new": PASSWORD }));
                let (status, problem) = keeper.send(Method::PUT, "/me/password", new).await;
                assert_eq!(status, 204, "{problem}");
                assert_eq!(keeper.get("/me").await.0, 200, "who changed it stays");
            }
            // As `undertone user` does, in another process.
            _ => give_login(&house, "mia").await,
        }
        ended(&phone).await;
        ended_by_signing_out(&house, &supervision).await;
    }
    drop(talk);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_in_the_browser_hands_back_and_the_phone_is_closed_and_told_of() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let page = Browser::of(&house, "mia").await;
    let other = again(&house).await;
    let mut events = other.events(None).await.expect("a socket");
    let web = WebEnd::new(BrowserConfig::new(&[Codec::Pcmu], SUPERVISOR));
    let offer = Some(json!({ "sdp": web.offer, "tab": "t1" }));
    let (status, phone) = page.send(Method::POST, "/me/phone", offer).await;
    assert_eq!(status, 201, "{phone}");
    web.answered(phone["sdp"].as_str().expect("an answer"));
    events.until(|frame| frame["type"] == "phone" && frame["phone"]["state"] == "up").await;
    let take = json!({
        "mode": "takeover", "agent_after": "listening", "leg": { "kind": "phone" }
    });
    let path = format!("/calls/{}/supervisions", talk.id);
    let (status, taken) = page.send(Method::POST, &path, Some(take)).await;
    assert_eq!((status, &taken["mode"]), (201, &json!("takeover")), "{taken}");
    hears(&at_customer, SUPERVISOR).await;
    signs_out(&page).await;
    hears(&at_customer, AGENT).await;
    let supervision = taken["id"].as_str().expect("an id");
    ended_by_signing_out(&house, supervision).await;
    events.until(|frame| frame["type"] == "phone" && frame["phone"].is_null()).await;
    assert_eq!(other.get("/me/phone").await.1["code"], "no_phone");
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    assert_eq!(call["state"], "talking", "{call}");
    drop((web, talk));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_asked_for_before_the_session_ended_and_opened_after_is_closed() {
    let house = House::open().await;
    let page = Browser::of(&house, "mia").await;
    let other = again(&house).await;
    signs_out(&page).await;
    let mut directory = house.server.board.house().directory.clone();
    let known = directory.wait_for(|dir| !dir.ended_sessions.is_empty());
    let ended = tokio::time::timeout(SOON, known).await.expect("in time").expect("kept");
    let session = ended.ended_sessions.first().cloned();
    drop(ended);
    // As a request that had passed the door by then, and waited for another page to go.
    let web = WebEnd::new(BrowserConfig::new(&[Codec::Pcmu], SUPERVISOR));
    let asked =
        PhoneAsked { offer: web.offer.clone(), tab: "t1".into(), session, here: false, peer: None };
    let mia = PersonId::parse("mia").expect("an id");
    let opened = house.server.board.house().open_phone(&mia, asked).await;
    let refused = opened.expect_err("the session is over");
    assert_eq!(refused.reasons, [Reason::SignedOut]);
    assert_eq!(other.get("/me/phone").await.1["code"], "no_phone", "nothing is left of it");
    let offer = Some(json!({ "sdp": web.offer, "tab": "t2" }));
    let (status, phone) = other.send(Method::POST, "/me/phone", offer).await;
    assert_eq!(status, 201, "who is signed in has one: {phone}");
    drop(web);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_left_without_anybody_waits_for_who_signs_in_again() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let page = Browser::of(&house, "mia").await;
    let take = json!({ "mode": "takeover", "agent_after": "removed" });
    let (lost, phone) = joins(&house, &page, &talk, take.clone()).await;
    hears(&at_customer, SUPERVISOR).await;
    ended(&talk.agent).await;
    signs_out(&page).await;
    ended(&phone).await;
    let row = |row: &Value| {
        row["supervision_id"] == *lost
            && row["what"] == "supervision.lost"
            && row["detail"]["why"] == "signed_out"
    };
    house.audited(row).await;
    let page = again(&house).await;
    let (_, phone) = joins(&house, &page, &talk, take).await;
    hears(&at_customer, SUPERVISOR).await;
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    assert_eq!(call["supervisions"][0]["end_reason"], "came_back", "{call}");
    drop((phone, talk));
    house.close().await;
}
