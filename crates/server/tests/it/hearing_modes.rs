//! Proof 4 of `docs/HEARING.md`: tones on real SIP phones through every mode and back, each
//! party's whole recording listened to.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::hearing_scene::Scene;
use crate::scoreboard::MUSIC;
use crate::stage::{Setup, Stage, Who, tone::*};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use undertone_phone::{CallEnd, Recording};
use undertone_sdp::Direction;

/// What may never be in a recording, whatever the mode.
const NEVER_AT_CUSTOMER: [f64; 6] = [LISTEN, WHISPER, AGENT_ASIDE, CUSTOMER, LISTEN_2, WHISPER_2];
/// Not the tones of listen: toward an agent nothing is guarded, and what a late microphone holds
/// when a whisper opens was said in listen. Within the intervals they are looked for as all others.
/// Nor the agent's own tone, near which hold music has a note.
const NEVER_AT_AGENT: [f64; 1] = [AGENT_ASIDE];
const NEVER_AT_SUPERVISOR: [f64; 4] = [LISTEN, WHISPER, BARGE, TAKEOVER];

impl<'a> Scene<'a> {
    async fn of(stage: &'a Stage) -> Scene<'a> {
        let mut scene = Scene::begin(stage, &NEVER_AT_CUSTOMER, &NEVER_AT_AGENT).await;
        scene.sees("nobody supervises", &[AGENT], &[CUSTOMER], None).await;
        // The ear finds nothing where nobody supervised.
        scene.score.whole_recordings();
        scene
    }

    async fn sees(
        &mut self,
        what: &str,
        customer: &[f64],
        agent: &[f64],
        supervisor: Option<&[f64]>,
    ) {
        let mut expected = vec![("customer", customer), ("agent", agent)];
        expected.extend(supervisor.map(|hears| ("supervisor", hears)));
        self.score.interval(what, &expected).await;
    }

    fn supervised(&mut self, heard: &Recording) {
        self.score.add("supervisor", heard, &NEVER_AT_SUPERVISOR);
    }
}

/// Listen, whisper, hold, barge, takeover in three ways, hand-back, leave.
async fn through_every_mode(stage: &Stage) {
    let mut scene = Scene::of(stage).await;
    let call = scene.talk.id.clone();
    let (id, mia) = stage.join(Who::Mia, &call, "listen", LISTEN).await;
    scene.supervised(&mia.heard);
    scene.sees("listen", &[AGENT], &[CUSTOMER], Some(&[AGENT, CUSTOMER])).await;

    mia.says.say(WHISPER);
    stage.mode(Who::Mia, &id, "whisper").await;
    let coached = [CUSTOMER, WHISPER];
    scene.sees("whisper", &[AGENT], &coached, Some(&[AGENT, CUSTOMER])).await;
    customer_on_hold(&mut scene, &call).await;
    customer_sends_nothing(&mut scene).await;

    mia.says.say(BARGE);
    stage.mode(Who::Mia, &id, "barge").await;
    let three = ([AGENT, BARGE], [CUSTOMER, BARGE], [AGENT, CUSTOMER]);
    scene.sees("barge", &three.0, &three.1, Some(&three.2)).await;
    stage.agent_action(Who::Mia, &id, "hold").await;
    scene.talk.agent.says.say(AGENT_ASIDE);
    scene.sees("barge, agent held", &[BARGE], &[MUSIC], Some(&[CUSTOMER])).await;
    scene.talk.agent.says.say(AGENT);
    stage.agent_action(Who::Mia, &id, "resume").await;
    scene.sees("barge, agent resumed", &three.0, &three.1, Some(&three.2)).await;

    takeover(&mut scene, &id, &mia.says, "held", &[MUSIC], &[CUSTOMER]).await;
    mia.says.say(WHISPER);
    stage.mode(Who::Mia, &id, "whisper").await;
    scene.sees("whisper again", &[AGENT], &coached, Some(&[AGENT, CUSTOMER])).await;
    let hears_all = [CUSTOMER, TAKEOVER];
    takeover(&mut scene, &id, &mia.says, "listening", &hears_all, &[CUSTOMER]).await;
    takeover(&mut scene, &id, &mia.says, "stays", &hears_all, &[AGENT, CUSTOMER]).await;

    stage.leave(Who::Mia, &id).await;
    scene.sees("left", &[AGENT], &[CUSTOMER], None).await;
    scene.judged();
}

async fn customer_on_hold(scene: &mut Scene<'_>, call: &str) {
    scene.stage.call_control(call, "hold").await;
    scene.talk.agent.says.say(AGENT_ASIDE);
    scene.talk.customer.says.say(CUSTOMER_ASIDE);
    scene.sees("whisper, customer on hold", &[MUSIC], &[WHISPER], Some(&[AGENT_ASIDE])).await;
    scene.talk.agent.says.say(AGENT);
    scene.talk.customer.says.say(CUSTOMER);
    scene.stage.call_control(call, "resume").await;
    let coached = [CUSTOMER, WHISPER];
    scene.sees("whisper, resumed", &[AGENT], &coached, Some(&[AGENT, CUSTOMER])).await;
}

async fn customer_sends_nothing(scene: &mut Scene<'_>) {
    let phone = scene.talk.customer.call.clone();
    phone.direction(Direction::RecvOnly).await.expect("agreed");
    scene.sees("whisper, customer sends nothing", &[AGENT], &[WHISPER], Some(&[AGENT])).await;
    phone.direction(Direction::SendRecv).await.expect("agreed");
    let coached = [CUSTOMER, WHISPER];
    scene.sees("whisper, customer sends again", &[AGENT], &coached, Some(&[AGENT, CUSTOMER])).await;
}

/// Into takeover and back, from any mode.
async fn takeover(
    scene: &mut Scene<'_>,
    id: &str,
    says: &crate::microphone::Microphone,
    agent_after: &str,
    agent_hears: &[f64],
    supervisor_hears: &[f64],
) {
    says.say(TAKEOVER);
    let body = serde_json::json!({ "mode": "takeover", "agent_after": agent_after });
    scene.stage.change(Who::Mia, id, body).await;
    let stays = agent_after == "stays";
    let customer: &[f64] = if stays { &[AGENT, TAKEOVER] } else { &[TAKEOVER] };
    if !stays {
        // Until the guard has passed the agent is the customer's party, and heard.
        let gone = |pcm: &[i16]| undertone_testkit::tone_ear::steady(pcm, 8_000, AGENT) < -50.0;
        let at_customer = &scene.talk.customer.heard;
        assert!(at_customer.until(800, crate::stage::SOON, gone).await.is_some());
        scene.talk.agent.says.say(AGENT_ASIDE);
    }
    let what = format!("takeover, agent {agent_after}");
    scene.sees(&what, customer, agent_hears, Some(supervisor_hears)).await;
    scene.talk.agent.says.say(AGENT);
    scene.stage.agent_action(Who::Mia, id, "hand_back").await;
    // The answer says listen: what is said from here on is said in listen.
    says.say(LISTEN);
    let what = format!("handed back after {agent_after}");
    scene.sees(&what, &[AGENT], &[CUSTOMER], Some(&[AGENT, CUSTOMER])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_hears_no_tone_of_listen_or_whisper_through_every_mode() {
    let stage = Stage::open(Setup::default()).await;
    through_every_mode(&stage).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_comes_by_a_trunk_hears_no_tone_of_listen_or_whisper_either() {
    let stage = Stage::open(Setup { by_trunk: true, ..Setup::default() }).await;
    through_every_mode(&stage).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_four_media_threads_with_the_call_moved_between_them() {
    let stage = Stage::open(Setup { media_threads: 4, ..Setup::default() }).await;
    let (engine, register) =
        (stage.server.engine.clone(), stage.server.board.house().register.clone());
    let moves = Arc::new(AtomicUsize::new(0));
    let counted = moves.clone();
    let mover = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(73));
        loop {
            pace.tick().await;
            let n = counted.fetch_add(1, Ordering::Relaxed);
            for call in register.all() {
                engine.move_bridge(call.bridge, n % 4).expect("a thread");
            }
        }
    });
    through_every_mode(&stage).await;
    mover.abort();
    println!("moved between threads {} times", moves.load(Ordering::Relaxed));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_agent_is_gone_and_the_customer_hears_the_supervisor_alone() {
    let stage = Stage::open(Setup::default()).await;
    let mut scene = Scene::of(&stage).await;
    let call = scene.talk.id.clone();
    let (id, mia) = stage.join(Who::Mia, &call, "whisper", WHISPER).await;
    scene.supervised(&mia.heard);
    let coached = [CUSTOMER, WHISPER];
    scene.sees("whisper", &[AGENT], &coached, Some(&[AGENT, CUSTOMER])).await;
    mia.says.say(BARGE);
    stage.mode(Who::Mia, &id, "barge").await;
    let three = ([AGENT, BARGE], [CUSTOMER, BARGE], [AGENT, CUSTOMER]);
    scene.sees("barge", &three.0, &three.1, Some(&three.2)).await;
    stage.agent_action(Who::Mia, &id, "remove").await;
    assert_eq!(scene.talk.agent.call.ended().await, CallEnd::FarEnd);
    let alone = [("customer", &[BARGE][..]), ("supervisor", &[CUSTOMER])];
    scene.score.interval("agent removed", &alone).await;
    stage.leave(Who::Mia, &id).await;
    assert_eq!(scene.talk.customer.call.ended().await, CallEnd::FarEnd);
    scene.judged();
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_that_removes_the_agent_opens_for_the_supervisor_only_after_the_guard() {
    let stage = Stage::open(Setup::default()).await;
    let mut scene = Scene::of(&stage).await;
    let call = scene.talk.id.clone();
    let (id, mia) = stage.join(Who::Mia, &call, "whisper", WHISPER).await;
    scene.supervised(&mia.heard);
    let coached = [CUSTOMER, WHISPER];
    scene.sees("whisper", &[AGENT], &coached, Some(&[AGENT, CUSTOMER])).await;
    mia.says.say(TAKEOVER);
    stage.mode(Who::Mia, &id, "takeover").await;
    assert_eq!(scene.talk.agent.call.ended().await, CallEnd::FarEnd);
    let alone = [("customer", &[TAKEOVER][..]), ("supervisor", &[CUSTOMER])];
    scene.score.interval("takeover, agent removed", &alone).await;
    stage.leave(Who::Mia, &id).await;
    assert_eq!(scene.talk.customer.call.ended().await, CallEnd::FarEnd);
    scene.judged();
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_supervisors_each_is_heard_where_their_own_mode_says() {
    let stage = Stage::open(Setup::default()).await;
    let mut scene = Scene::of(&stage).await;
    let call = scene.talk.id.clone();
    let (mias, mia) = stage.join(Who::Mia, &call, "whisper", WHISPER).await;
    let (noors, noor) = stage.join(Who::Noor, &call, "listen", LISTEN_2).await;
    scene.score.add("supervisor", &mia.heard, &[LISTEN, WHISPER, BARGE]);
    scene.score.add("second", &noor.heard, &[LISTEN, LISTEN_2, WHISPER_2, BARGE_2]);
    let both = [AGENT, CUSTOMER];
    let first = [("customer", &[AGENT][..]), ("agent", &[CUSTOMER, WHISPER])];
    let mut now = first.to_vec();
    now.extend([("supervisor", &both[..]), ("second", &[AGENT, CUSTOMER, WHISPER])]);
    scene.score.interval("one whispers, one listens", &now).await;

    noor.says.say(WHISPER_2);
    stage.mode(Who::Noor, &noors, "whisper").await;
    let now = [
        ("customer", &[AGENT][..]),
        ("agent", &[CUSTOMER, WHISPER, WHISPER_2]),
        ("supervisor", &[AGENT, CUSTOMER, WHISPER_2]),
        ("second", &[AGENT, CUSTOMER, WHISPER]),
    ];
    scene.score.interval("both whisper", &now).await;

    mia.says.say(BARGE);
    stage.mode(Who::Mia, &mias, "barge").await;
    let now = [
        ("customer", &[AGENT, BARGE][..]),
        ("agent", &[CUSTOMER, BARGE, WHISPER_2]),
        ("supervisor", &[AGENT, CUSTOMER, WHISPER_2]),
        ("second", &[AGENT, CUSTOMER, BARGE]),
    ];
    scene.score.interval("one barges, one whispers", &now).await;

    noor.says.say(BARGE_2);
    stage.mode(Who::Noor, &noors, "barge").await;
    let now = [
        ("customer", &[AGENT, BARGE, BARGE_2][..]),
        ("agent", &[CUSTOMER, BARGE, BARGE_2]),
        ("supervisor", &[AGENT, CUSTOMER, BARGE_2]),
        ("second", &[AGENT, CUSTOMER, BARGE]),
    ];
    scene.score.interval("both barge", &now).await;
    stage.leave(Who::Noor, &noors).await;
    stage.leave(Who::Mia, &mias).await;
    scene.sees("both left", &[AGENT], &[CUSTOMER], None).await;
    scene.judged();
    stage.close().await;
}
