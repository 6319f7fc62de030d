//! The tail of a whisper: what was said before the switch and is still on its way when it comes.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::stage::{RATE, SOON, Setup, Stage, Who, size, tone::*};
use std::time::Instant;
use undertone_phone::Recording;
use undertone_testkit::tone_ear::{bursts_found, listen, steady};

async fn hears(heard: &Recording, hz: f64, yes: bool) {
    let so = |pcm: &[i16]| {
        let level = steady(pcm, RATE, hz);
        if yes { level > -16.0 } else { level < -50.0 }
    };
    let found = heard.until(RATE as usize / 10, SOON, so).await;
    assert!(found.is_some(), "{hz} Hz heard: not {yes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_window_of_a_whisper_follows_the_switch_to_barge() {
    let switches = size(5, 30);
    let stage = Stage::open(Setup::default()).await;
    let talk = stage.talk().await;
    let (id, mia) = stage.join(Who::Mia, &talk.id, "whisper", WHISPER).await;
    let mut waits = Vec::new();
    for _ in 0..switches {
        hears(&talk.agent.heard, WHISPER, true).await;
        mia.says.say(BARGE);
        let asked = Instant::now();
        stage.mode(Who::Mia, &id, "barge").await;
        hears(&talk.customer.heard, BARGE, true).await;
        waits.push(asked.elapsed().as_millis());
        stage.mode(Who::Mia, &id, "whisper").await;
        mia.says.say(WHISPER);
        hears(&talk.customer.heard, BARGE, false).await;
    }
    let pcm = talk.customer.heard.samples();
    let found = listen(&pcm, RATE, WHISPER);
    let (caught, injected) = bursts_found(&pcm, RATE, WHISPER, RATE as usize / 25);
    waits.sort_unstable();
    println!(
        "{switches} switches whisper -> barge: {} windows of the whisper's tone at the customer, \
         of {}; peak {:.1} dBFS; bursts found {caught}/{injected}; from PATCH until barge is \
         steadily heard: {} to {} ms",
        found.hits.len(),
        found.windows,
        found.peak_dbfs,
        waits[0],
        waits[waits.len() - 1],
    );
    assert_eq!(found.hits, []);
    assert!(caught * 100 >= injected * 98, "bursts: {caught} of {injected}");
    stage.close().await;
}

/// While the guard runs, going back cancels: nothing of it was heard.
#[tokio::test(flavor = "multi_thread")]
async fn a_barge_taken_back_within_its_guard_was_never_heard() {
    let stage = Stage::open(Setup::default()).await;
    let talk = stage.talk().await;
    let (id, mia) = stage.join(Who::Mia, &talk.id, "whisper", WHISPER).await;
    mia.says.say(BARGE);
    hears(&talk.agent.heard, BARGE, true).await;
    let from = talk.customer.heard.position();
    let asked = Instant::now();
    stage.mode(Who::Mia, &id, "barge").await;
    // What would be heard without a guard: 100 ms of it.
    assert!(talk.customer.heard.more(RATE as usize / 10, SOON).await);
    stage.mode(Who::Mia, &id, "whisper").await;
    let took = asked.elapsed();
    assert!(talk.customer.heard.more(RATE as usize / 2, SOON).await);
    hears(&talk.agent.heard, BARGE, true).await;
    let pcm = talk.customer.heard.between(from, talk.customer.heard.position());
    println!("barge and back in {took:?}");
    if took.as_millis() < 250 {
        assert_eq!(listen(&pcm, RATE, BARGE).hits, []);
    } else {
        println!("too slow a machine: the guard had passed, and this run says nothing");
    }
    assert!(steady(&pcm, RATE, AGENT) > -16.0);
    stage.close().await;
}
