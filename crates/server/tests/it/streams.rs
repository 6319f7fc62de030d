//! `leg: stream`: the answer's body is the live sound.

use crate::house::{AGENT, CUSTOMER, House, RATE, SOON};
use std::time::Duration;
use undertone_testkit::spectrum::goertzel_hann;

const HEADER: usize = 44;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_the_live_call_as_wav_and_ends_with_its_connection() {
    let house = House::open().await;
    let talk = house.talk().await;
    let body = serde_json::json!({ "mode": "listen", "leg": { "kind": "stream" } });
    let asked = house
        .request(reqwest::Method::POST, "/agents/1001/supervisions")
        .header("accept", "audio/wav")
        .json(&body);
    let mut live = asked.send().await.unwrap();
    assert_eq!(live.status(), 201);
    let mut wav = Vec::new();
    let second = HEADER + 2 * 16_000;
    while wav.len() < 2 * second {
        let chunk = tokio::time::timeout(SOON, live.chunk()).await.unwrap().unwrap();
        wav.extend_from_slice(&chunk.expect("it goes on"));
    }
    assert_eq!(&wav[..4], b"RIFF");
    let rate = u32::from_le_bytes(wav[24..28].try_into().unwrap());
    let pcm: Vec<i16> =
        wav[HEADER..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    let late = &pcm[pcm.len() / 2..];
    for hz in [CUSTOMER, AGENT] {
        let level = goertzel_hann(late, rate, hz);
        assert!(level > -30.0, "{hz} Hz at {level:.1} dBFS");
    }
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    assert_eq!(call["supervisions"][0]["state"], "live", "{call}");
    drop(live);
    let ended = async {
        loop {
            let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
            if call["supervisions"][0]["state"] == "ended" {
                return call;
            }
            tokio::task::yield_now().await;
        }
    };
    let call = tokio::time::timeout(Duration::from_secs(5), ended).await.expect("it ends");
    assert_eq!(call["state"], "talking", "the call goes on");
    let at_customer = talk.customer.record(RATE).unwrap();
    crate::house::hears(&at_customer, AGENT).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_cannot_be_raised() {
    let house = House::open().await;
    let talk = house.talk().await;
    let body = serde_json::json!({ "mode": "whisper", "leg": { "kind": "stream" } });
    let (status, refused) = house.post(&format!("/calls/{}/supervisions", talk.id), body).await;
    assert!((400..500).contains(&status), "{status}");
    assert_eq!(refused["reasons"][0], "leg_listen_only", "{refused}");
    house.close().await;
}
