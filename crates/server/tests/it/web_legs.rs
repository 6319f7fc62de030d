//! A page's leg by hand, beside telephones: what another offer of it changes for its call, what it
//! brings along into another call, and how often a page may offer.

use crate::browser::Browser as Page;
use crate::house::{CUSTOMER, House, Options, RATE, SOON, hears, rings};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use undertone_phone::{PhoneCall, Recording, Replaces};
use undertone_sdp::Codec;
use undertone_testkit::browser::{Browser as WebEnd, BrowserConfig};
use undertone_testkit::spectrum::goertzel_hann;

/// Above all notes of the hold music.
const IN_THE_PAGE: f64 = 2_350.0;

/// Waits until the newest 100 ms are loud, and nobody's tone.
async fn hears_music(heard: &Recording) {
    let is_music = |pcm: &[i16]| {
        let power: f64 = pcm.iter().map(|s| (f64::from(*s) / 32_768.0).powi(2)).sum();
        let level = 10.0 * (power / pcm.len() as f64).max(1e-12).log10();
        level > -45.0 && goertzel_hann(pcm, RATE, IN_THE_PAGE) < -45.0
    };
    let found = heard.until(RATE as usize / 10, SOON, is_music).await;
    assert!(found.is_some(), "no hold treatment is heard");
}

/// A person at a page that has a phone.
struct AtPage {
    page: Page,
    web: WebEnd,
}

impl AtPage {
    async fn of(house: &House, person: &str, codecs: &[Codec]) -> AtPage {
        let page = Page::of(house, person).await;
        let web = WebEnd::new(BrowserConfig::new(codecs, IN_THE_PAGE));
        let at = AtPage { page, web };
        assert_eq!(at.offers(&at.web.offer).await, (201, Value::Null));
        at.until(|phone| phone["state"] == "up").await;
        at
    }

    /// Posts this offer and takes the answer; the code of the refusal.
    async fn offers(&self, sdp: &str) -> (u16, Value) {
        let body = json!({ "sdp": sdp, "tab": "one" });
        let (status, phone) = self.page.send(Method::POST, "/me/phone", Some(body)).await;
        if let Some(answer) = phone["sdp"].as_str() {
            self.web.answered(answer);
        }
        (status, phone["code"].clone())
    }

    /// Asks again and again, as `House::until`.
    async fn until(&self, is_so: impl Fn(&Value) -> bool) -> Value {
        let asked = async {
            loop {
                let (_, phone) = self.page.get("/me/phone").await;
                if is_so(&phone) {
                    return phone;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(SOON, asked).await.expect("the phone becomes so in time")
    }

    /// Takes the call that rings.
    async fn answers(&self, house: &House) -> String {
        let ringing = |calls: &Value| {
            let mut calls = calls["items"].as_array().into_iter().flatten();
            calls.any(|call| call["state"] == "ringing")
        };
        let calls = house.until("/calls", ringing).await;
        let mut calls = calls["items"].as_array().into_iter().flatten();
        let call = calls.find(|call| call["state"] == "ringing").expect("it rings");
        let id = call["id"].as_str().expect("an id").to_owned();
        let path = format!("/calls/{id}/answer");
        let (status, told) = self.page.send(Method::POST, &path, None).await;
        assert_eq!(status, 200, "{told}");
        id
    }

    /// The payload type of what came last.
    fn hears_in(&self) -> Option<u8> {
        self.web.noticed().log.last().map(|line| line.2)
    }
}

/// Rosa calls Ana, who answers in her page.
async fn ana_at_her_page(house: &House) -> (AtPage, PhoneCall, String) {
    let ana = AtPage::of(house, "ana", &[Codec::Pcmu]).await;
    let customer = house.phones["rosa"].call(&house.at("1001")).expect("a call");
    let id = ana.answers(house).await;
    customer.up().await.expect("the customer is through");
    customer.tone(Some(CUSTOMER));
    (ana, customer, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_no_longer_receives_by_another_offer_is_not_whispered_to() {
    let house = House::with(Options { in_pages: true, ..Options::default() }).await;
    let (ana, customer, id) = ana_at_her_page(&house).await;
    let at_customer = customer.record(RATE).expect("a recording");
    hears(&at_customer, IN_THE_PAGE).await;
    let (supervision, mia) = house.join(&id, "listen").await;
    let path = format!("/supervisions/{supervision}");
    let whisper = || house.send(Method::PATCH, &path, Some(json!({ "mode": "whisper" })));
    assert_eq!(ana.offers(&ana.web.holds(true)).await, (201, Value::Null));
    // As a telephone that puts the call on hold by its own button.
    hears_music(&at_customer).await;
    let (status, problem) = whisper().await;
    assert_eq!((status, &problem["code"]), (409, &json!("target_not_receiving")), "{problem}");
    assert_eq!(ana.offers(&ana.web.holds(false)).await, (201, Value::Null));
    hears(&at_customer, IN_THE_PAGE).await;
    let (status, now) = whisper().await;
    assert_eq!((status, &now["mode"]), (200, &json!("whisper")), "{now}");
    drop((ana, customer, mia));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_offers_without_end_is_refused_and_keeps_its_leg() {
    let house = House::with(Options { in_pages: true, ..Options::default() }).await;
    let (ana, customer, _) = ana_at_her_page(&house).await;
    let at_customer = customer.record(RATE).expect("a recording");
    let mut codes = Vec::new();
    for _ in 0..12 {
        codes.push(ana.offers(&ana.web.moves()).await);
    }
    let refused = codes.iter().filter(|c| **c == (429, json!("too_many_offers"))).count();
    let answered = codes.iter().filter(|c| c.0 == 201).count();
    assert!(refused > 0 && answered > 0 && refused + answered == 12, "{codes:?}");
    // The path of the last answer is the one that is in use.
    let settled = async {
        while ana.offers(&ana.web.moves()).await.0 != 201 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(SOON, settled).await.expect("after a moment it may again");
    hears(&at_customer, IN_THE_PAGE).await;
    drop((ana, customer));
    house.close().await;
}

/// Ana talks with Rosa, asks Bo who is at his page, and joins the two.
async fn bo_is_given_the_customer(
    before: impl AsyncFnOnce(&AtPage),
    after: impl AsyncFnOnce(&AtPage, &PhoneCall),
) {
    let house = House::with(Options {
        codecs: vec![Codec::Pcmu, Codec::Pcma],
        in_pages: true,
        customer_codecs: Some(vec![Codec::Pcma]),
        ..Options::default()
    })
    .await;
    let talk = house.talk().await;
    let bo = AtPage::of(&house, "bo", &[Codec::Pcmu, Codec::Pcma]).await;
    talk.agent.hold().await.expect("held");
    let second = house.phones["ana"].call(&house.at("1002")).expect("a call");
    // His desk phone rings beside it.
    let desk = rings(&house.phones["bo"]).await;
    bo.answers(&house).await;
    tokio::time::timeout(SOON, second.up()).await.expect("in time").expect("up");
    bo.until(|phone| phone["send_codec"] == "PCMU").await;
    before(&bo).await;
    let register = &house.server.board.house().register;
    let replaces = Replaces {
        call_id: second.call_id().into(),
        to_tag: register.tag_of(second.call_id()).expect("a dialog of the server's"),
        from_tag: second.tag().into(),
        early_only: false,
    };
    talk.agent.refer(&house.at("1002"), Some(replaces)).await.expect("taken");
    after(&bo, &talk.customer).await;
    drop((desk, second, bo, talk));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leg_that_goes_to_a_call_of_another_codec_is_asked_for_that_one() {
    bo_is_given_the_customer(
        async |_| {},
        async |bo, customer| {
            let at_customer = customer.record(RATE).expect("a recording");
            bo.until(|phone| phone["send_codec"] == "PCMA").await;
            bo.web.send_codec(Codec::Pcma);
            hears(&at_customer, IN_THE_PAGE).await;
            // And is sent it: PCMA's number is 8 everywhere.
            let came = async {
                while bo.hears_in() != Some(8) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::time::timeout(SOON, came).await.expect("in the codec of the call");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_quiet_as_the_calls_are_joined_is_known_to_be_so_in_the_other_one() {
    bo_is_given_the_customer(
        async |bo| {
            bo.web.hush(true);
            // Longer than it takes to notice.
            tokio::time::sleep(Duration::from_millis(3_000)).await;
        },
        async |bo, customer| {
            let at_customer = customer.record(RATE).expect("a recording");
            bo.until(|phone| phone["send_codec"] == "PCMA").await;
            // What she heard while she was on hold is over by then.
            tokio::time::sleep(Duration::from_millis(1_000)).await;
            hears_music(&at_customer).await;
            bo.web.hush(false);
            hears(&at_customer, IN_THE_PAGE).await;
        },
    )
    .await;
}
