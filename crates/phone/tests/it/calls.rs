//! What two phones in a call hear of each other, and what a call leaves behind.

use std::sync::Arc;

use undertone_media::tones::Clip;
use undertone_phone::{CallEnd, Codec, PhoneEngine};

use crate::pair::{SOON, answering, bounded, connect, falls_silent, hears, media, phone};

async fn both_ways(codec: Codec, rate: u32) {
    let engine = media();
    let (ann, ben) = (phone(&engine, "ann", &[codec]).await, phone(&engine, "ben", &[codec]).await);
    let (out, back) = connect(&ann, &ben).await;
    assert_eq!(out.status().codec, Some(codec));
    let (at_ann, at_ben) = (out.record(rate).unwrap(), back.record(rate).unwrap());
    out.tone(Some(440.0));
    back.tone(Some(1_000.0));
    assert!(hears(&at_ben, 440.0, 1_000.0).await, "{codec:?}: ben hears ann");
    assert!(hears(&at_ann, 1_000.0, 440.0).await, "{codec:?}: ann hears ben");
    out.tone(Some(600.0));
    assert!(hears(&at_ben, 600.0, 440.0).await, "{codec:?}: the new pitch");
    out.hang_up();
    assert_eq!(bounded(back.ended()).await, CallEnd::FarEnd);
    assert_eq!(bounded(out.ended()).await, CallEnd::Us);
}

#[tokio::test]
async fn a_tone_is_heard_at_its_pitch_both_ways_in_g711_mu_law() {
    both_ways(Codec::Pcmu, 8_000).await;
}

#[tokio::test]
async fn a_tone_is_heard_at_its_pitch_both_ways_in_g711_a_law() {
    both_ways(Codec::Pcma, 8_000).await;
}

#[tokio::test]
async fn a_tone_is_heard_at_its_pitch_both_ways_in_g722() {
    both_ways(Codec::G722, 16_000).await;
}

#[tokio::test]
async fn a_tone_is_heard_at_its_pitch_both_ways_in_opus() {
    both_ways(Codec::Opus, 48_000).await;
}

#[tokio::test]
async fn who_holds_is_not_heard_until_he_resumes() {
    let engine = media();
    let (ann, ben) = (phone(&engine, "ann", &Codec::ALL).await, phone(&engine, "ben", &Codec::ALL));
    let ben = ben.await;
    let (out, back) = connect(&ann, &ben).await;
    let at_ben = back.record(8_000).unwrap();
    out.tone(Some(440.0));
    assert!(hears(&at_ben, 440.0, 1_000.0).await);
    bounded(out.hold()).await.unwrap();
    assert!(!out.status().receives, "sendonly");
    assert!(!back.wait_for(SOON, |s| !s.sends).await.expect("told of the hold").has_ended());
    assert!(falls_silent(&at_ben, 440.0).await, "held, and still heard");
    bounded(out.resume()).await.unwrap();
    assert!(back.wait_for(SOON, |s| s.sends && s.receives).await.is_some());
    assert!(hears(&at_ben, 440.0, 1_000.0).await, "resumed");
    // And from the other side, so that both have offered anew on this dialog.
    bounded(back.hold()).await.unwrap();
    assert!(out.wait_for(SOON, |s| !s.sends).await.is_some());
    bounded(back.resume()).await.unwrap();
    assert!(out.wait_for(SOON, |s| s.sends && s.receives).await.is_some());
}

#[tokio::test]
async fn digits_arrive_in_their_order_and_once_each() {
    let engine = media();
    let (ann, ben) = (phone(&engine, "ann", &Codec::ALL).await, phone(&engine, "ben", &Codec::ALL));
    let ben = ben.await;
    let (out, back) = connect(&ann, &ben).await;
    bounded(out.digits("4*5")).await.unwrap();
    let got = back.wait_for(SOON, |s| s.digits.len() >= 3).await.expect("three digits");
    assert_eq!(got.digits, "4*5");
    bounded(back.digits("##0D")).await.unwrap();
    let got = out.wait_for(SOON, |s| s.digits.len() >= 4).await.expect("four digits");
    assert_eq!(got.digits, "##0D");
    assert_eq!(back.status().digits, "4*5", "nobody hears his own");
}

#[tokio::test]
async fn what_is_played_is_heard_and_its_end_is_told() {
    let engine = media();
    let (ann, ben) = (phone(&engine, "ann", &[Codec::Pcmu]).await, phone(&engine, "ben", &[]));
    let ben = ben.await;
    drop(ben);
    let ben = answering(&engine, "ben", &[Codec::Pcmu]).await;
    let out = ann.call(&ben.uri()).unwrap();
    let back = bounded(ben.answered()).await.expect("answered by itself");
    bounded(out.up()).await.unwrap();
    let at_ben = back.record(8_000).unwrap();
    let second: Arc<[i16]> = (0..8_000)
        .map(|i| (f64::from(i) * std::f64::consts::TAU * 0.1).sin() * 10_362.0)
        .map(|s| s as i16)
        .collect();
    out.play(Box::new(Clip::once(8_000, second))).unwrap();
    assert!(hears(&at_ben, 800.0, 440.0).await, "a second of 800 Hz");
    assert!(out.wait_for(SOON, |s| s.played == 1).await.is_some());
    assert!(falls_silent(&at_ben, 800.0).await);
}

fn left(engine: &PhoneEngine) -> (u64, u64, u64, u64) {
    let gauges = engine.engine().gauges();
    (gauges.bridges, gauges.legs, gauges.taps, gauges.ports_in_use)
}

#[tokio::test]
async fn fifty_calls_leave_no_port_no_tap_and_no_leg() {
    let engine = media();
    let (ann, ben) = (phone(&engine, "ann", &Codec::ALL).await, phone(&engine, "ben", &Codec::ALL));
    let ben = ben.await;
    for turn in 0..50 {
        let (out, back) = connect(&ann, &ben).await;
        let recording = back.record(8_000).unwrap();
        assert!(recording.more(160, SOON).await, "call {turn} has sound");
        if turn % 2 == 0 {
            out.hang_up()
        } else {
            back.hang_up()
        }
        bounded(out.ended()).await;
        bounded(back.ended()).await;
    }
    let clean = async {
        while left(&engine) != (0, 0, 0, 0) {
            tokio::task::yield_now().await;
        }
    };
    bounded(clean).await;
}

#[tokio::test]
async fn the_last_handle_dropped_hangs_up() {
    let engine = media();
    let (ann, ben) = (phone(&engine, "ann", &Codec::ALL).await, phone(&engine, "ben", &Codec::ALL));
    let ben = ben.await;
    let (out, back) = connect(&ann, &ben).await;
    drop(out);
    assert_eq!(bounded(back.ended()).await, CallEnd::FarEnd);
}
