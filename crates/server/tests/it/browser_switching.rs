//! Proof 5 of `docs/HEARING.md`, the guard and company: whisper to barge again and again in a real
//! browser, whose own buffers hold what was whispered; and two supervisors in two browsers.

use crate::chromium::{Chromium, Roads};
use crate::scoreboard::Scoreboard;
use crate::stage::{Setup, Stage, Talk, Who, size, tone, tone::*};
use serde_json::json;

/// As `browser_supervisor`, and what the second supervisor says in listen.
const NEVER_AT_CUSTOMER: [f64; 4] = [LISTEN, LISTEN_2, WHISPER, CUSTOMER];

struct Scene {
    stage: Stage,
    talk: Talk,
    score: Scoreboard,
}

impl Scene {
    async fn open() -> Scene {
        let stage = Stage::open(Setup::default()).await;
        let talk = stage.talk().await;
        let mut score = Scoreboard::with_a_browser();
        score.add("customer", &talk.customer.heard, &NEVER_AT_CUSTOMER);
        score.add("agent", &talk.agent.heard, &[AGENT_ASIDE]);
        Scene { stage, talk, score }
    }

    /// A browser of this supervisor, who listens with it.
    async fn listens(&self, who: Who, hz: f64, codecs: &[&str]) -> (Chromium, String) {
        let page = Chromium::start(hz, Roads::All).await;
        let body = json!({ "sdp": page.connect(codecs).await, "tab": "one" });
        let (status, phone) = self.stage.send(who, "POST", "/me/phone", Some(body)).await;
        assert_eq!(status, 201, "{phone}");
        page.answered(phone["sdp"].as_str().expect("an answer")).await;
        let path = format!("/calls/{}/supervisions", self.talk.id);
        let body = json!({ "mode": "listen", "leg": { "kind": "phone" } });
        let (status, joined) = self.stage.send(who, "POST", &path, Some(body)).await;
        assert_eq!((status, &joined["state"]), (201, &"live".into()), "{joined}");
        (page, joined["id"].as_str().expect("an id").to_owned())
    }

    async fn sees(&mut self, what: &str, customer: &[f64], agent: &[f64]) {
        self.score.interval(what, &[("customer", customer), ("agent", agent)]).await;
    }
}

/// The tone of barge is set before barge is asked for, and what was whispered until then is still
/// on its way.
#[tokio::test(flavor = "multi_thread")]
async fn switched_from_whisper_to_barge_again_and_again_no_whisper_is_at_the_customer() {
    let mut scene = Scene::open().await;
    let (page, id) = scene.listens(Who::Mia, LISTEN, &["opus", "pcmu"]).await;
    for round in 1..=size(20, 1_000) {
        scene.stage.mode(Who::Mia, &id, "whisper").await;
        page.tune(WHISPER).await;
        scene.sees(&format!("whisper {round}"), &[AGENT], &[CUSTOMER, WHISPER]).await;
        page.tune(BARGE).await;
        scene.stage.mode(Who::Mia, &id, "barge").await;
        let heard = [("customer", &[AGENT, BARGE][..])];
        scene.score.interval(&format!("barge {round}"), &heard).await;
    }
    scene.stage.leave(Who::Mia, &id).await;
    scene.sees("left", &[AGENT], &[CUSTOMER]).await;
    scene.score.whole_recordings();
    drop(page);
    scene.stage.close().await;
}

/// Each hears the other's whisper and barge, nobody what is said in listen.
#[tokio::test(flavor = "multi_thread")]
async fn two_supervisors_in_two_browsers_hear_each_other_and_the_customer_hears_who_barges() {
    let mut scene = Scene::open().await;
    let (mia, mias) = scene.listens(Who::Mia, LISTEN, &["opus", "pcmu"]).await;
    let (noor, noors) = scene.listens(Who::Noor, LISTEN_2, &["pcmu"]).await;
    let hears = async |what: &str, mias: &[f64], noors: &[f64]| {
        mia.hears_just(&format!("{what}, Mia"), mias, &tone::ALL).await;
        noor.hears_just(&format!("{what}, Noor"), noors, &tone::ALL).await;
    };
    let both = [AGENT, CUSTOMER];
    scene.sees("both listen", &[AGENT], &[CUSTOMER]).await;
    hears("both listen", &both, &both).await;

    mia.tune(WHISPER).await;
    scene.stage.mode(Who::Mia, &mias, "whisper").await;
    scene.sees("Mia whispers", &[AGENT], &[CUSTOMER, WHISPER]).await;
    hears("Mia whispers", &both, &[AGENT, CUSTOMER, WHISPER]).await;

    noor.tune(BARGE_2).await;
    scene.stage.mode(Who::Noor, &noors, "barge").await;
    scene.sees("Noor barges", &[AGENT, BARGE_2], &[CUSTOMER, WHISPER, BARGE_2]).await;
    hears("Noor barges", &[AGENT, CUSTOMER, BARGE_2], &[AGENT, CUSTOMER, WHISPER]).await;

    scene.stage.leave(Who::Noor, &noors).await;
    scene.sees("Noor has left", &[AGENT], &[CUSTOMER, WHISPER]).await;
    scene.score.print();
    scene.score.whole_recordings();
    drop((mia, noor));
    scene.stage.close().await;
}
