//! Blind transfer under supervision, with tones on real phones: nobody is heard by whom they are
//! not to be heard, before, in flight and after, with none, one and three who supervise.

use crate::hearing_scene::Scene;
use crate::scoreboard::MUSIC;
use crate::stage::{Party, RATE, Setup, Stage, Who, tone::*, within};
use undertone_phone::CallEnd;

const NEVER_AT_CUSTOMER: [f64; 5] = [LISTEN, WHISPER, CUSTOMER, LISTEN_2, WHISPER_2];

impl Scene<'_> {
    /// Asked for by name; the colleague answers when `in_flight` has been looked at.
    async fn transferred(&mut self, in_flight: &[(&'static str, &[f64])]) -> Party {
        let path = format!("/calls/{}/transfer", self.talk.id);
        let body = Some(serde_json::json!({ "to": "1002" }));
        let stage = self.stage;
        let transfer = stage.send(Who::Mia, "POST", &path, body);
        let score = &mut self.score;
        let answers = async {
            let ringing = within(stage.colleague.incoming()).await.expect("a ring");
            score.interval("in flight", in_flight).await;
            Party::on(ringing.answer().expect("answered"), Some(COLLEAGUE))
        };
        let ((status, call), colleague) = tokio::join!(transfer, answers);
        assert_eq!(status, 200, "{call}");
        assert_eq!(within(self.talk.agent.call.ended()).await, CallEnd::FarEnd);
        self.score.add("colleague", &colleague.heard, &[LISTEN, LISTEN_2]);
        colleague
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unsupervised_a_customer_hears_music_and_then_the_colleague_alone() {
    let stage = Stage::open(Setup::default()).await;
    let mut scene = Scene::begin(&stage, &NEVER_AT_CUSTOMER, &[]).await;
    let waits = [("customer", &[MUSIC][..]), ("agent", &[MUSIC])];
    let _colleague = scene.transferred(&waits).await;
    let after = [("customer", &[COLLEAGUE][..]), ("colleague", &[CUSTOMER])];
    scene.score.interval("transferred", &after).await;
    scene.judged();
    stage.close().await;
}

/// One who supervises in this mode, with this tone, from before the transfer until after it.
async fn supervised(mode: &str, hz: f64) {
    let stage = Stage::open(Setup::default()).await;
    let mut scene = Scene::begin(&stage, &NEVER_AT_CUSTOMER, &[]).await;
    let call = scene.talk.id.clone();
    let (id, mia) = stage.join(Who::Mia, &call, mode, hz).await;
    scene.score.add("supervisor", &mia.heard, &[LISTEN, WHISPER, BARGE]);
    let speaks = mode == "barge";
    let alone = if speaks { vec![hz] } else { vec![MUSIC] };
    let waits = [("customer", &alone[..]), ("agent", &[MUSIC]), ("supervisor", &[CUSTOMER])];
    let _colleague = scene.transferred(&waits).await;
    let at_customer = if speaks { vec![COLLEAGUE, hz] } else { vec![COLLEAGUE] };
    let at_colleague = if mode == "listen" { vec![CUSTOMER] } else { vec![CUSTOMER, hz] };
    let after = [
        ("customer", &at_customer[..]),
        ("colleague", &at_colleague),
        ("supervisor", &[CUSTOMER, COLLEAGUE]),
    ];
    scene.score.interval(&format!("transferred, {mode}"), &after).await;
    let (_, now) = stage.get(&format!("/supervisions/{id}")).await;
    assert_eq!((&now["state"], &now["mode"]), (&"live".into(), &mode.into()), "{now}");
    stage.leave(Who::Mia, &id).await;
    let after = [("customer", &[COLLEAGUE][..]), ("colleague", &[CUSTOMER])];
    scene.score.interval("the supervisor has left", &after).await;
    scene.judged();
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_goes_on_listening_and_nobody_hears_her() {
    supervised("listen", LISTEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_whispers_coaches_the_colleague_and_no_customer_hears_her() {
    supervised("whisper", WHISPER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_barges_is_heard_in_flight_and_after_it() {
    supervised("barge", BARGE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_supervise_each_in_a_mode_and_the_table_holds_through_a_transfer() {
    let stage = Stage::open(Setup::default()).await;
    let mut scene = Scene::begin(&stage, &NEVER_AT_CUSTOMER, &[]).await;
    let call = scene.talk.id.clone();
    let (_, mia) = stage.join(Who::Mia, &call, "barge", BARGE).await;
    let (_, noor) = stage.join(Who::Noor, &call, "whisper", WHISPER_2).await;
    let body = serde_json::json!({ "mode": "listen", "leg": { "kind": "stream" } });
    let path = format!("/calls/{call}/supervisions");
    let stream =
        stage.request(Who::Olaf, "POST", &path).json(&body).send().await.expect("a stream");
    assert_eq!(stream.status(), 201);
    let drain = tokio::spawn(async move { stream.bytes().await.map(|bytes| bytes.len()) });
    scene.score.add("supervisor", &mia.heard, &[LISTEN, BARGE]);
    scene.score.add("second", &noor.heard, &[LISTEN_2, WHISPER_2]);
    let waits = [("customer", &[BARGE][..]), ("agent", &[MUSIC]), ("second", &[CUSTOMER, BARGE])];
    let _colleague = scene.transferred(&waits).await;
    let after = [
        ("customer", &[COLLEAGUE, BARGE][..]),
        ("colleague", &[CUSTOMER, BARGE, WHISPER_2]),
        ("supervisor", &[CUSTOMER, COLLEAGUE, WHISPER_2]),
        ("second", &[CUSTOMER, COLLEAGUE, BARGE]),
    ];
    scene.score.interval("transferred, three supervise", &after).await;
    scene.judged();
    let (status, _) = stage.send(Who::Mia, "DELETE", &format!("/calls/{call}"), None).await;
    assert_eq!(status, 204);
    let heard = within(drain).await.expect("the stream's task").unwrap_or(0);
    assert!(heard > RATE as usize, "the stream heard it all: {heard} bytes");
    stage.close().await;
}
