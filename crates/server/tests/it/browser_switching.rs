//! Proof 5 of `docs/HEARING.md`, the guard and company: whisper to barge again and again in a real
//! browser, whose own buffers and road hold what was whispered; and two supervisors, each in a
//! browser of their own.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::chromium::{Chromium, Roads};
use crate::road::Road;
use crate::scoreboard::Scoreboard;
use crate::stage::{RATE, Setup, Stage, Talk, Who, size, tone, tone::*};
use serde_json::json;
use undertone_phone::Recording;
use undertone_testkit::tone_ear::listen;

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
        page.answered(&self.offered(who, page.connect(codecs).await).await).await;
        let id = self.joins(who).await;
        (page, id)
    }

    /// Mia, over a network that takes its time.
    async fn listens_by_a_road(&self, page: &Chromium) -> (Road, String) {
        let answer = self.offered(Who::Mia, page.connect(&["opus", "pcmu"]).await).await;
        let (road, answer) = Road::to(&answer).await;
        page.answered(&answer).await;
        (road, self.joins(Who::Mia).await)
    }

    async fn offered(&self, who: Who, offer: String) -> String {
        let body = json!({ "sdp": offer, "tab": "one" });
        let (status, phone) = self.stage.send(who, "POST", "/me/phone", Some(body)).await;
        assert_eq!(status, 201, "{phone}");
        phone["sdp"].as_str().expect("an answer").to_owned()
    }

    async fn joins(&self, who: Who) -> String {
        let path = format!("/calls/{}/supervisions", self.talk.id);
        let body = json!({ "mode": "listen", "leg": { "kind": "phone" } });
        let (status, joined) = self.stage.send(who, "POST", &path, Some(body)).await;
        assert_eq!((status, &joined["state"]), (201, &"live".into()), "{joined}");
        joined["id"].as_str().expect("an id").to_owned()
    }

    async fn sees(&mut self, what: &str, customer: &[f64], agent: &[f64]) {
        self.score.interval(what, &[("customer", customer), ("agent", agent)]).await;
    }
}

/// The least that the whisper goes on at the agent after the answer for the switch to say something
/// of the guard: what the server and a phone keep for a moment would be less.
const CONCLUSIVE_MS: usize = 120;
/// A recording keeps ten minutes: it is judged before that is over.
const JUDGED_EVERY: usize = 100;
/// Longer than the guard: what was on its way comes when the guard's time is over.
const STILL_MS: u64 = 400;

/// How long the agent still hears the whisper from this position on: it has no guard, and hears
/// what was on its way when the switch came.
fn still_whispered_ms(agent: &Recording, from: usize) -> usize {
    let pcm = agent.between(from, agent.position());
    let found = listen(&pcm, RATE, WHISPER);
    // The limit at an agent: G.711's own products of loud tones are quieter.
    let last = found.hits.iter().rfind(|hit| hit.dbfs > -30.0);
    last.map_or(0, |hit| hit.at_sample * 1_000 / RATE as usize)
}

/// The tone changes with the request: until then it is a whisper, and that is in the browser's
/// buffers and on the road, 100 to 140 ms long, when the switch comes into force. At every fourth
/// switch the road stands still, and what was whispered comes when the guard's time is over.
#[tokio::test(flavor = "multi_thread")]
async fn switched_from_whisper_to_barge_again_and_again_no_whisper_is_at_the_customer() {
    let mut scene = Scene::open().await;
    let page = Chromium::start(LISTEN, Roads::All).await;
    let (road, id) = scene.listens_by_a_road(&page).await;
    let (wanted, mut round, mut still) = (size(20, 1_000), 0, Vec::new());
    let mut conclusive = 0;
    // A machine on which an answer takes longer than the road says nothing: more tries.
    while round < wanted || (conclusive * 4 < wanted && round < 3 * wanted) {
        round += 1;
        scene.stage.mode(Who::Mia, &id, "whisper").await;
        page.tune(WHISPER).await;
        scene.sees(&format!("whisper {round}"), &[AGENT], &[CUSTOMER, WHISPER]).await;
        if round % 4 == 0 {
            road.stand_still(STILL_MS);
        }
        page.tune(BARGE).await;
        scene.stage.mode(Who::Mia, &id, "barge").await;
        let answered = scene.talk.agent.heard.position();
        let heard = [("customer", &[AGENT, BARGE][..])];
        scene.score.interval(&format!("barge {round}"), &heard).await;
        if round % 4 != 0 {
            still.push(still_whispered_ms(&scene.talk.agent.heard, answered));
            conclusive = still.iter().filter(|ms| **ms >= CONCLUSIVE_MS).count();
        }
        if round % JUDGED_EVERY == 0 {
            scene.score.whole_recordings();
        }
    }
    scene.stage.leave(Who::Mia, &id).await;
    scene.sees("left", &[AGENT], &[CUSTOMER]).await;
    still.sort_unstable();
    println!(
        "{round} switches, the whisper on its way at {conclusive} of {} when the switch was in \
         force: from its answer the agent heard it for {} to {} ms, the median {}; at {} the road \
         stood still for {STILL_MS} ms",
        still.len(),
        still[0],
        still[still.len() - 1],
        still[still.len() / 2],
        round / 4,
    );
    scene.score.whole_recordings();
    assert!(conclusive * 4 >= wanted, "too slow a machine: the guard had nothing to keep out");
    drop((page, road));
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
