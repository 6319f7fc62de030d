//! Proof 5 of `docs/HEARING.md`: a supervisor in a real browser (Debian's Chromium), agent and
//! customer on SIP phones. Every party says a tone of its own, the supervisor another in each mode.

use crate::chromium::{Chromium, RATE, Roads};
use crate::relay::Relay;
use crate::scoreboard::{MUSIC, Scoreboard};
use crate::stage::{SOON, Setup, Stage, Talk, Who, tone, tone::*, within};
use serde_json::{Value, json};
use undertone_testkit::tone_ear::steady;

/// What the supervisor says in modes that the customer is not in, and the customer's own tone.
const NEVER_AT_CUSTOMER: [f64; 3] = [LISTEN, WHISPER, CUSTOMER];

/// A call with a supervisor in a browser beside it.
struct Scene {
    stage: Stage,
    page: Chromium,
    talk: Talk,
    score: Scoreboard,
}

impl Scene {
    async fn open(codecs: &[&str]) -> Scene {
        let scene = Self::without_phone(Setup::default()).await;
        scene.phone(codecs).await;
        scene
    }

    /// Mia has the customer, and the agent is on hold.
    async fn taken_over() -> (Scene, String) {
        let mut scene = Self::open(&["opus", "pcmu"]).await;
        let id = scene.join("listen").await;
        scene.page.tune(TAKEOVER).await;
        let body = json!({ "mode": "takeover", "agent_after": "held" });
        scene.stage.change(Who::Mia, &id, body).await;
        scene.sees("takeover", &[TAKEOVER], &[MUSIC], &[CUSTOMER]).await;
        (scene, id)
    }

    async fn without_phone(setup: Setup) -> Scene {
        Self::by(setup, Roads::All).await
    }

    async fn by(setup: Setup, roads: Roads) -> Scene {
        let stage = Stage::open(setup).await;
        let page = Chromium::start(LISTEN, roads).await;
        let talk = stage.talk().await;
        let mut score = Scoreboard::with_a_browser();
        score.add("customer", &talk.customer.heard, &NEVER_AT_CUSTOMER);
        score.add("agent", &talk.agent.heard, &[AGENT_ASIDE]);
        Scene { stage, page, talk, score }
    }

    /// The page's phone is opened, or goes on by a new connection.
    async fn phone(&self, codecs: &[&str]) -> Value {
        self.offered(self.page.connect(codecs).await).await
    }

    async fn offered(&self, offer: String) -> Value {
        let phone = self.post(&offer).await;
        self.page.answered(phone["sdp"].as_str().expect("an answer")).await;
        within(async {
            while self.stage.get("/me/phone").await.1["state"] != "up" {
                tokio::task::yield_now().await;
            }
        })
        .await;
        phone
    }

    async fn post(&self, offer: &str) -> Value {
        let body = json!({ "sdp": offer, "tab": "one", "here": false });
        let (status, phone) = self.stage.send(Who::Mia, "POST", "/me/phone", Some(body)).await;
        assert_eq!(status, 201, "{phone}");
        phone
    }

    async fn join(&self, mode: &str) -> String {
        let body = json!({ "mode": mode, "leg": { "kind": "phone" } });
        let path = format!("/calls/{}/supervisions", self.talk.id);
        let (status, joined) = self.stage.send(Who::Mia, "POST", &path, Some(body)).await;
        assert_eq!((status, &joined["state"]), (201, &"live".into()), "{joined}");
        assert_eq!(joined["leg"]["kind"], "phone");
        joined["id"].as_str().expect("an id").to_owned()
    }

    async fn mode(&self, id: &str, mode: &str, hz: f64) {
        self.page.tune(hz).await;
        self.stage.mode(Who::Mia, id, mode).await;
    }

    async fn sees(&mut self, what: &str, customer: &[f64], agent: &[f64], page: &[f64]) {
        self.score.interval(what, &[("customer", customer), ("agent", agent)]).await;
        self.page.hears_just(what, page, &tone::ALL).await;
    }

    async fn supervision(&self, id: &str) -> Value {
        self.stage.get(&format!("/supervisions/{id}")).await.1
    }

    /// What has just been said has become so.
    async fn ended(&self, id: &str) -> Value {
        within(async {
            loop {
                let now = self.supervision(id).await;
                if now["state"] == "ended" {
                    return now;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// Whether the call's timeline has it.
    async fn noted(&self, what: &str) -> bool {
        let (_, call) = self.stage.get(&format!("/calls/{}", self.talk.id)).await;
        let entries = call["timeline"].as_array().expect("a timeline");
        entries.iter().any(|entry| entry["what"] == what)
    }

    async fn close(self) {
        drop(self.page);
        self.stage.close().await;
    }
}

/// The tone matrix, and with it a call of browser and SIP phone: in takeover the two are alone.
async fn through_the_modes(codecs: &[&str]) {
    let mut scene = Scene::open(codecs).await;
    let both = [AGENT, CUSTOMER];
    let id = scene.join("listen").await;
    scene.sees("listen", &[AGENT], &[CUSTOMER], &both).await;
    scene.mode(&id, "whisper", WHISPER).await;
    scene.sees("whisper", &[AGENT], &[CUSTOMER, WHISPER], &both).await;
    scene.mode(&id, "barge", BARGE).await;
    scene.sees("barge", &[AGENT, BARGE], &[CUSTOMER, BARGE], &both).await;
    scene.page.tune(TAKEOVER).await;
    let body = json!({ "mode": "takeover", "agent_after": "held" });
    scene.stage.change(Who::Mia, &id, body).await;
    scene.sees("takeover", &[TAKEOVER], &[MUSIC], &[CUSTOMER]).await;
    scene.stage.agent_action(Who::Mia, &id, "hand_back").await;
    scene.page.tune(LISTEN).await;
    scene.sees("handed back", &[AGENT], &[CUSTOMER], &both).await;
    scene.mode(&id, "whisper", WHISPER).await;
    scene.sees("whisper again", &[AGENT], &[CUSTOMER, WHISPER], &both).await;
    scene.stage.leave(Who::Mia, &id).await;
    scene.sees("left", &[AGENT], &[CUSTOMER], &[]).await;
    scene.score.print();
    scene.score.whole_recordings();
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_in_chromium_on_g711_is_heard_where_the_mode_says_and_nowhere_else() {
    through_the_modes(&["pcmu"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_in_chromium_on_opus_is_heard_where_the_mode_says_and_nowhere_else() {
    through_the_modes(&["opus", "pcmu", "pcma", "g722"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_network_and_a_reload_keep_leg_and_supervision() {
    let mut scene = Scene::open(&["opus", "pcmu"]).await;
    let id = scene.join("listen").await;
    scene.mode(&id, "barge", BARGE).await;
    let three = ([AGENT, BARGE], [CUSTOMER, BARGE], [AGENT, CUSTOMER]);
    scene.sees("barge", &three.0, &three.1, &three.2).await;
    let before = scene.stage.get("/me/phone").await.1;
    assert_eq!(
        (&before["supervision_id"], &before["call_id"]),
        (&json!(id), &json!(scene.talk.id))
    );

    let restart = scene.page.order(json!({ "order": "restart" })).await;
    let answer = scene.post(restart.as_str().expect("an offer")).await;
    assert_eq!(answer["id"], before["id"]);
    scene.page.answered(answer["sdp"].as_str().expect("an answer")).await;
    // Another tone, so that what was still on its way is not taken for what comes now.
    scene.page.tune(TAKEOVER).await;
    let three = ([AGENT, TAKEOVER], [CUSTOMER, TAKEOVER], three.2);
    scene.sees("after an ICE restart", &three.0, &three.1, &three.2).await;

    let offer = scene.page.connect(&["opus", "pcmu"]).await;
    scene.page.tune(BARGE).await;
    let reloaded = scene.offered(offer).await;
    assert_eq!(reloaded["id"], before["id"], "the same leg");
    let three = ([AGENT, BARGE], [CUSTOMER, BARGE], three.2);
    scene.sees("after a reload", &three.0, &three.1, &three.2).await;
    assert_eq!(scene.supervision(&id).await["mode"], "barge");

    let elsewhere = json!({ "sdp": restart, "tab": "two" });
    let (status, problem) = scene.stage.send(Who::Mia, "POST", "/me/phone", Some(elsewhere)).await;
    assert_eq!((status, &problem["code"]), (409, &"phone_elsewhere".into()));
    let (status, _) = scene.stage.send(Who::Mia, "DELETE", "/me/phone", None).await;
    assert_eq!(status, 204);
    scene.score.interval("hung up", &[("customer", &[AGENT]), ("agent", &[CUSTOMER])]).await;
    scene.ended(&id).await;
    assert_eq!(scene.stage.get("/me/phone").await.0, 404);
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_udp_is_blocked_chromium_hears_and_is_heard_by_one_tcp_port() {
    let mut scene = Scene::by(Setup::default(), Roads::NoUdp).await;
    let phone = scene.phone(&["opus", "pcmu"]).await;
    let answer = phone["sdp"].as_str().expect("an answer");
    let told = |road: &str| answer.lines().any(|line| line.contains(&format!(" {road} ")));
    assert!(told("udp") && told("tcp"), "both roads are told: {answer}");
    let id = scene.join("listen").await;
    scene.mode(&id, "barge", BARGE).await;
    scene.sees("barge", &[AGENT, BARGE], &[CUSTOMER, BARGE], &[AGENT, CUSTOMER]).await;
    let stats = scene.page.order(json!({ "order": "stats" })).await;
    assert_eq!(stats["road"], "tcp", "{stats}");
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_reaches_nothing_but_a_relay_hears_and_is_heard_by_it() {
    let relay = Relay::start().await;
    let turn = Some((relay.url.clone(), relay.secret.clone()));
    let mut scene = Scene::without_phone(Setup { turn, ..Setup::default() }).await;
    let (status, ice) = scene.stage.get("/me/ice").await;
    assert_eq!((status, &ice["ice_servers"][0]["urls"][0]), (200, &json!(relay.url)));
    let offer = scene.page.connect_by(&["opus", "pcmu"], &ice["ice_servers"]).await;
    scene.offered(offer).await;
    let id = scene.join("listen").await;
    scene.mode(&id, "barge", BARGE).await;
    scene.sees("barge", &[AGENT, BARGE], &[CUSTOMER, BARGE], &[AGENT, CUSTOMER]).await;
    let stats = scene.page.order(json!({ "order": "stats" })).await;
    assert_eq!(stats["kind"], "relay", "{stats}");
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_killed_in_a_takeover_leaves_the_customer_with_treatment_and_then_the_agent() {
    let (mut scene, id) = Scene::taken_over().await;
    scene.page.kill();
    scene.score.comes("its owner is silent", "customer", &[MUSIC], SOON).await;
    // Treatment does not wait until the browser counts as lost.
    assert!(scene.noted("sound_lost").await && !scene.noted("owner_lost").await);
    scene.score.interval("its owner is lost", &[("customer", &[MUSIC])]).await;
    // 20 s to come back, and then the agent.
    scene.score.comes("it stays away", "customer", &[AGENT], 3 * SOON).await;
    scene.ended(&id).await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_stands_still_in_a_takeover_leaves_treatment_and_is_heard_again() {
    let (mut scene, id) = Scene::taken_over().await;
    scene.page.freeze();
    scene.score.comes("its owner stands still", "customer", &[MUSIC], SOON).await;
    scene.page.thaw();
    scene.sees("its owner is back", &[TAKEOVER], &[MUSIC], &[CUSTOMER]).await;
    let now = scene.supervision(&id).await;
    assert_eq!((&now["state"], &now["mode"]), (&json!("live"), &json!("takeover")));
    assert!(scene.noted("sound_back").await);
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_killed_while_it_listens_ends_its_supervision_and_nothing_else() {
    let mut scene = Scene::open(&["pcmu"]).await;
    let id = scene.join("listen").await;
    scene.sees("listen", &[AGENT], &[CUSTOMER], &[AGENT, CUSTOMER]).await;
    scene.page.kill();
    assert_eq!(scene.ended(&id).await["end_reason"], "leg_lost");
    scene.score.interval("it is gone", &[("customer", &[AGENT]), ("agent", &[CUSTOMER])]).await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_speaks_the_calls_codec_where_it_can_switch() {
    let scene = Scene::open(&["opus", "pcmu"]).await;
    let id = scene.join("listen").await;
    // Both phones speak G.711: so is the page asked to.
    let phone = scene.stage.get("/me/phone").await.1;
    assert_eq!(phone["send_codec"], "PCMU");
    let mime = scene.page.order(json!({ "order": "send_codec", "name": "pcmu" })).await;
    assert_eq!(mime, "audio/PCMU");
    scene.mode(&id, "barge", BARGE).await;
    let pcm = scene.page.hears(500).await;
    assert!(steady(&pcm, RATE, CUSTOMER) > -16.0);
    let stats = scene.page.order(json!({ "order": "stats" })).await;
    assert_eq!(stats["outbound-rtp"]["mime"], "audio/PCMU", "{stats}");
    scene.close().await;
}
