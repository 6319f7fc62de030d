//! The whole way of a whisper, nothing of it replaced: a sound file at Chromium's capture device,
//! `getUserMedia` of our own page with its echo canceller and noise suppression, the server, and a
//! SIP phone that hears it. And the customer's, which does not.

use crate::browser::PASSWORD;
use crate::real_page::RealPage;
use crate::stage::{RATE, SOON, Setup, Stage, tone::*};
use std::path::Path;
use std::time::Instant;
use undertone::{clock, hashing};
use undertone_core::id::PersonId;
use undertone_store::Login;
use undertone_testkit::tone_ear::listen;

const FILE_RATE: u32 = 48_000;
/// What follows steadily is noise to a browser, which takes it away: the file has syllables.
const SYLLABLE_MS: u32 = 160;
const PAUSE_MS: u32 = 340;
/// Of listening, in which nothing of the microphone may come out anywhere.
const LISTENED: usize = 2 * RATE as usize;

/// Syllables of one frequency at -6 dBFS.
pub fn microphone(path: &Path, hz: f64) {
    let (channels, bits_per_sample) = (1, 16);
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels, sample_rate: FILE_RATE, bits_per_sample, sample_format };
    let mut file = hound::WavWriter::create(path, spec).expect("a file");
    let (said, all) =
        (SYLLABLE_MS * FILE_RATE / 1_000, (SYLLABLE_MS + PAUSE_MS) * FILE_RATE / 1_000);
    for n in 0..all * 20 {
        let at = n % all;
        let edge = (f64::from(at.min(said.saturating_sub(at))) / 480.0).min(1.0);
        let angle = std::f64::consts::TAU * hz * f64::from(n) / f64::from(FILE_RATE);
        file.write_sample((angle.sin() * edge * 16_000.0) as i16).expect("written");
    }
    file.finalize().expect("a whole file");
}

pub async fn login(stage: &Stage, person: &str) {
    let password = hashing::hash_beside(PASSWORD.into()).await.expect("a hash");
    let person = PersonId::parse(person).expect("an id");
    let name = person.to_string();
    let login = Login { person, name, password, changed_at: clock::now().wall };
    stage.server.store.put_login(login, None).await.expect("written");
}

/// Signed in as the page itself would do it, and loaded again as who one is.
pub async fn sign_in(page: &mut RealPage, person: &str) {
    let body = serde_json::json!({ "login": person, "password": PASSWORD }).to_string();
    let headers = "{ 'content-type': 'application/json' }";
    let how =
        format!("{{ method: 'POST', headers: {headers}, body: {} }}", serde_json::json!(body));
    let signed = page.run(&format!("fetch('/api/v1/session', {how}).then(r => r.status)")).await;
    assert_eq!(signed, 200);
    page.run("location.reload()").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whisper_into_chromiums_own_microphone_is_heard_by_the_agent_and_by_no_customer() {
    let stage = Stage::open(Setup::default()).await;
    login(&stage, "mia").await;
    let talk = stage.talk().await;
    let file = stage.data.path().join("microphone.wav");
    microphone(&file, WHISPER);
    let mut page = RealPage::open(&format!("http://{}/", stage.server.http), &file).await;
    sign_in(&mut page, "mia").await;

    page.click("Listen, ana").await;
    page.says("LISTEN: nobody hears you").await;
    let hears = |pcm: &[i16]| listen(pcm, RATE, WHISPER).hits.len();
    let bound = Instant::now() + SOON;
    let from = talk.agent.heard.position();
    while talk.agent.heard.position() < from + LISTENED {
        assert!(Instant::now() < bound, "the agent's phone hears nothing at all");
        tokio::task::yield_now().await;
    }
    assert_eq!(hears(&talk.agent.heard.samples()), 0, "nobody hears who listens");

    page.click("Whisper").await;
    page.says("WHISPER: only ana hears you").await;
    let from = talk.agent.heard.position();
    let bound = Instant::now() + 2 * SOON;
    while hears(&talk.agent.heard.between(from, talk.agent.heard.position())) < 10 {
        assert!(Instant::now() < bound, "the agent does not hear the whisper");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let customer = listen(&talk.customer.heard.samples(), RATE, WHISPER);
    assert_eq!(customer.hits, [], "the whisper at the customer");
    drop(page);
    stage.close().await;
}
