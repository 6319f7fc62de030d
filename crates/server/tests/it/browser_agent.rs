//! Proof 5 of `docs/HEARING.md`, the agent's side: an agent in Chromium, the customer on a SIP
//! phone, the supervisor in another Chromium or on a phone. The call rings in the page and on the
//! agent's desk phone; the page answers.

use crate::chromium::{Chromium, RATE, Roads};
use crate::scoreboard::{MUSIC, Scoreboard};
use crate::stage::{Party, Setup, Stage, Who, tone, tone::*, within};
use serde_json::{Value, json};
use undertone_testkit::tone_ear::{listen, steady};

/// As `browser_supervisor`, and what the agent says aside.
const NEVER_AT_CUSTOMER: [f64; 4] = [LISTEN, WHISPER, CUSTOMER, AGENT_ASIDE];
const CODECS: [&str; 4] = ["opus", "pcmu", "pcma", "g722"];
/// The coaching beep's two notes.
const BEEP: [f64; 2] = [880.0, 1_175.0];
/// What three loud tones and Opus leave beside them, a browser hears below this.
const QUIET_DBFS: f64 = -40.0;

struct Scene {
    stage: Stage,
    ana: Chromium,
    customer: Party,
    id: String,
    score: Scoreboard,
}

async fn phone_of(stage: &Stage, who: Who, page: &Chromium, codecs: &[&str]) {
    let body = json!({ "sdp": page.connect(codecs).await, "tab": "one" });
    let (status, phone) = stage.send(who, "POST", "/me/phone", Some(body)).await;
    assert_eq!(status, 201, "{phone}");
    page.answered(phone["sdp"].as_str().expect("an answer")).await;
    within(async {
        while stage.send(who, "GET", "/me/phone", None).await.1["state"] != "up" {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The call that rings.
async fn ringing(stage: &Stage) -> String {
    within(async {
        loop {
            let (_, calls) = stage.get("/calls").await;
            let items = calls["items"].as_array().cloned().unwrap_or_default();
            if let Some(call) = items.iter().find(|call| call["state"] == "ringing") {
                return call["id"].as_str().expect("an id").to_owned();
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

async fn says(stage: &Stage, who: Who, call: &str, what: &str) -> (u16, Value) {
    stage.send(who, "POST", &format!("/calls/{call}/{what}"), None).await
}

impl Scene {
    /// Ana takes the customer's call in her browser, while her desk phone rings beside it.
    async fn open(codecs: &[&str]) -> Scene {
        let stage = Stage::open(Setup::default()).await;
        let ana = Chromium::start(AGENT, Roads::All).await;
        phone_of(&stage, Who::Ana, &ana, codecs).await;
        let call = stage.customer.call(&stage.at("1001")).expect("a call");
        let customer = Party::on(call, Some(CUSTOMER));
        let mut desk = within(stage.agent.incoming()).await.expect("the desk phone rings too");
        let id = ringing(&stage).await;
        let (status, problem) = says(&stage, Who::Mia, &id, "answer").await;
        assert_eq!((status, &problem["code"]), (409, &"not_ringing".into()), "{problem}");
        let (status, call) = says(&stage, Who::Ana, &id, "answer").await;
        assert_eq!((status, &call["id"]), (200, &json!(id)), "{call}");
        within(customer.call.up()).await.expect("the customer is through");
        within(desk.cancelled()).await;
        let mut score = Scoreboard::with_a_browser();
        score.add("customer", &customer.heard, &NEVER_AT_CUSTOMER);
        Scene { stage, ana, customer, id, score }
    }

    /// The customer steadily, Ana at last.
    async fn sees(&mut self, what: &str, customer: &[f64], ana: &[f64]) {
        self.score.interval(what, &[("customer", customer)]).await;
        self.ana.hears_just(&format!("{what}, the agent"), ana, &tone::ALL).await;
    }

    async fn mode(&self, page: &Chromium, id: &str, mode: &str, hz: f64) {
        page.tune(hz).await;
        self.stage.mode(Who::Mia, id, mode).await;
    }

    async fn close(self) {
        self.score.print();
        self.score.whole_recordings();
        drop(self.ana);
        self.stage.close().await;
    }
}

/// All modes and back, and what becomes of the agent in a takeover.
async fn two_browsers_through_the_modes(codecs: &[&str]) {
    let mut scene = Scene::open(codecs).await;
    scene.sees("nobody supervises", &[AGENT], &[CUSTOMER]).await;
    let mia = Chromium::start(LISTEN, Roads::All).await;
    phone_of(&scene.stage, Who::Mia, &mia, codecs).await;
    let body = json!({ "mode": "listen", "leg": { "kind": "phone" } });
    let path = format!("/calls/{}/supervisions", scene.id);
    let (status, joined) = scene.stage.send(Who::Mia, "POST", &path, Some(body)).await;
    assert_eq!((status, &joined["state"]), (201, &"live".into()), "{joined}");
    let id = joined["id"].as_str().expect("an id").to_owned();
    let both = [AGENT, CUSTOMER];
    let hears = async |what: &str, wanted: &[f64]| {
        mia.hears_just(&format!("{what}, the supervisor"), wanted, &tone::ALL).await;
    };
    scene.sees("listen", &[AGENT], &[CUSTOMER]).await;
    hears("listen", &both).await;

    scene.mode(&mia, &id, "whisper", WHISPER).await;
    scene.sees("whisper", &[AGENT], &[CUSTOMER, WHISPER]).await;
    hears("whisper", &both).await;

    scene.mode(&mia, &id, "barge", BARGE).await;
    scene.sees("barge", &[AGENT, BARGE], &[CUSTOMER, BARGE]).await;
    hears("barge", &both).await;

    for (after, ana, supervisor) in
        [("held", &[MUSIC][..], &[CUSTOMER][..]), ("listening", &[CUSTOMER, TAKEOVER], &[CUSTOMER])]
    {
        mia.tune(TAKEOVER).await;
        let body = json!({ "mode": "takeover", "agent_after": after });
        scene.stage.change(Who::Mia, &id, body).await;
        let what = format!("takeover, agent {after}");
        scene.score.interval(&what, &[("customer", &[TAKEOVER])]).await;
        if after != "held" {
            scene.ana.hears_just(&what, ana, &tone::ALL).await;
        }
        hears(&what, supervisor).await;
        scene.stage.agent_action(Who::Mia, &id, "hand_back").await;
        mia.tune(LISTEN).await;
        scene.sees(&format!("handed back after {after}"), &[AGENT], &[CUSTOMER]).await;
    }
    scene.stage.leave(Who::Mia, &id).await;
    scene.sees("left", &[AGENT], &[CUSTOMER]).await;
    hears("left", &[]).await;
    drop(mia);
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agent_and_supervisor_in_chromium_on_g711_are_heard_where_the_mode_says_and_nowhere_else() {
    two_browsers_through_the_modes(&["pcmu"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agent_and_supervisor_in_chromium_on_opus_are_heard_where_the_mode_says_and_nowhere_else() {
    two_browsers_through_the_modes(&CODECS).await;
}

/// The other way round: the supervisor on a telephone. And the beep is the agent's alone.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_in_chromium_hears_the_beep_and_the_whisper_of_a_telephone_and_no_customer_does() {
    let mut scene = Scene::open(&CODECS).await;
    scene.sees("nobody supervises", &[AGENT], &[CUSTOMER]).await;
    let (id, mia) = scene.stage.join(Who::Mia, &scene.id, "listen", LISTEN).await;
    scene.score.add("supervisor", &mia.heard, &[LISTEN, WHISPER, BARGE]);
    scene.sees("listen", &[AGENT], &[CUSTOMER]).await;

    mia.says.say(WHISPER);
    let from = (scene.customer.heard.position(), mia.heard.position());
    let (heard, ()) =
        tokio::join!(scene.ana.hears(3_000), scene.stage.mode(Who::Mia, &id, "whisper"));
    for note in BEEP {
        assert!(!listen(&heard, RATE, note).hits.is_empty(), "no {note} Hz at the agent");
        for (who, pcm) in [
            ("customer", scene.customer.heard.between(from.0, scene.customer.heard.position())),
            ("supervisor", mia.heard.between(from.1, mia.heard.position())),
        ] {
            let hits = listen(&pcm, crate::stage::RATE, note).hits;
            assert!(hits.is_empty(), "{note} Hz at the {who}: {hits:?}");
        }
    }
    scene.sees("whisper", &[AGENT], &[CUSTOMER, WHISPER]).await;
    mia.says.say(BARGE);
    scene.stage.mode(Who::Mia, &id, "barge").await;
    scene.sees("barge", &[AGENT, BARGE], &[CUSTOMER, BARGE]).await;
    scene.stage.leave(Who::Mia, &id).await;
    scene.sees("left", &[AGENT], &[CUSTOMER]).await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_declined_in_the_browser_stops_the_desk_phone_too_and_the_phone_answers_the_next() {
    let stage = Stage::open(Setup::default()).await;
    let ana = Chromium::start(AGENT, Roads::All).await;
    phone_of(&stage, Who::Ana, &ana, &CODECS).await;
    let first = stage.customer.call(&stage.at("1001")).expect("a call");
    let mut desk = within(stage.agent.incoming()).await.expect("the desk phone rings");
    let id = ringing(&stage).await;
    assert_eq!(says(&stage, Who::Ana, &id, "decline").await.0, 204);
    within(first.ended()).await;
    within(desk.cancelled()).await;
    assert_eq!(says(&stage, Who::Ana, &id, "answer").await.0, 404, "it is over");

    // The desk phone is quicker: then the page rings no more.
    let talk = stage.talk().await;
    let (status, problem) = says(&stage, Who::Ana, &talk.id, "answer").await;
    assert_eq!((status, &problem["code"]), (409, &"not_ringing".into()), "{problem}");
    let pcm = ana.hears(500).await;
    assert!(steady(&pcm, RATE, CUSTOMER) < QUIET_DBFS, "a page that did not answer hears nothing");
    drop(ana);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_open_keeps_its_phone_and_one_that_was_closed_leaves_it_to_the_next() {
    let stage = Stage::open(Setup::default()).await;
    let first = Chromium::start(AGENT, Roads::All).await;
    phone_of(&stage, Who::Ana, &first, &CODECS).await;
    let leg = stage.send(Who::Ana, "GET", "/me/phone", None).await.1["id"].clone();
    let second = Chromium::start(AGENT, Roads::All).await;
    let body = json!({ "sdp": second.connect(&CODECS).await, "tab": "two" });
    let (status, problem) = stage.send(Who::Ana, "POST", "/me/phone", Some(body.clone())).await;
    assert_eq!((status, &problem["code"]), (409, &"phone_elsewhere".into()), "{problem}");
    drop(first);
    let (status, phone) = stage.send(Who::Ana, "POST", "/me/phone", Some(body)).await;
    assert_eq!((status, &phone["id"]), (201, &leg), "{phone}");
    second.answered(phone["sdp"].as_str().expect("an answer")).await;
    drop(second);
    stage.close().await;
}
