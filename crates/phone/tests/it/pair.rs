//! Two phones in a call; what they hear, measured. Waits on conditions with a bound.

use std::f64::consts::TAU;
use std::time::Duration;

use undertone_phone::{
    Answering, Codec, EngineConfig, Phone, PhoneCall, PhoneConfig, PhoneEngine, Recording,
};

pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) fn media() -> PhoneEngine {
    PhoneEngine::start(EngineConfig { priority: false, ..EngineConfig::default() }).unwrap()
}

pub(crate) async fn phone(engine: &PhoneEngine, user: &str, codecs: &[Codec]) -> Phone {
    let mut config = PhoneConfig::new(user, engine);
    config.name = format!("Phone {user}");
    config.codecs = codecs.to_vec();
    config.t1_ms = 50;
    Phone::start(config).await.unwrap()
}

pub(crate) async fn answering(engine: &PhoneEngine, user: &str, codecs: &[Codec]) -> Phone {
    let mut config = PhoneConfig::new(user, engine);
    config.codecs = codecs.to_vec();
    config.t1_ms = 50;
    config.answering = Answering::AtOnce;
    Phone::start(config).await.unwrap()
}

/// A call that is up, from the first to the second.
pub(crate) async fn connect(first: &Phone, second: &Phone) -> (PhoneCall, PhoneCall) {
    let out = first.call(&second.uri()).unwrap();
    let ringing = bounded(second.incoming()).await.expect("it rings");
    let back = ringing.answer().unwrap();
    bounded(out.up()).await.expect("the caller is up");
    bounded(back.up()).await.expect("the called is up");
    (out, back)
}

pub(crate) async fn bounded<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, work).await.expect("in time")
}

/// In dBFS of the amplitude, by Goertzel's filter under a Hann window.
pub(crate) fn level_at(pcm: &[i16], rate: u32, hz: f64) -> f64 {
    let n = pcm.len() as f64;
    let turn = 2.0 * (TAU * hz / f64::from(rate)).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for (i, sample) in pcm.iter().enumerate() {
        let window = 0.5 - 0.5 * (TAU * (i as f64 + 0.5) / n).cos();
        (one, two) = (f64::from(*sample) / 32_768.0 * window + turn * one - two, one);
    }
    let power = (one * one + two * two - turn * one * two).max(0.0);
    20.0 * (power.sqrt() * 4.0 / n).max(1e-6).log10()
}

/// 200 ms in which this tone is as loud as it was said, and the other is not there.
pub(crate) async fn hears(recording: &Recording, hz: f64, not_hz: f64) -> bool {
    let rate = recording.rate();
    let window = rate as usize / 5;
    let heard = recording.until(window, SOON, |pcm| {
        let there = (level_at(pcm, rate, hz) + 10.0).abs() < 2.5;
        there && level_at(pcm, rate, not_hz) < -45.0
    });
    heard.await.is_some()
}

/// 200 ms in which this tone is not there.
pub(crate) async fn falls_silent(recording: &Recording, hz: f64) -> bool {
    let rate = recording.rate();
    let window = rate as usize / 5;
    let silent = recording.until(window, SOON, |pcm| level_at(pcm, rate, hz) < -55.0);
    silent.await.is_some()
}
