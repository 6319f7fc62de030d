//! Floods from nobody we know, while calls go on: the calls do not hear of them, the server's
//! memory stays under its cap, and it answers afterwards. Compared with a quiet run of the same
//! length; `make test` runs them small and judges by what is counted, `make proof` by gaps.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::flood_rig::{Calls, Ear, Phones, Served};
use crate::stage::{SOON, size, turn};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

const CALLS: usize = 5;
/// Far above what a server with these calls needs, far below what a leak would reach.
const CAP_KB: usize = 512 * 1_024;

/// Quiet first, then flooded, for the same time; what both runs heard.
async fn quiet_and_flooded<F: Future>(
    seconds: usize,
    flood: impl FnOnce(SocketAddr, Duration) -> F,
) -> F::Output {
    let _turn = turn().await;
    let time = Duration::from_secs(seconds as u64);
    let phones = Phones::new(CALLS);
    let served = Served::start(&phones.people()).await;
    let lasts = time * 2 + Duration::from_secs(8);
    let calls = Calls::begin(phones, served.sip, lasts).await;
    calls.forget();
    tokio::time::sleep(time).await;
    let (quiet, before_kb) = (calls.heard(), served.rss_kb());
    calls.forget();
    let began = Instant::now();
    let done = flood(served.sip, time).await;
    let flooded_for = began.elapsed();
    tokio::time::sleep(time.saturating_sub(flooded_for)).await;
    let (flooded, after_kb) = (calls.heard(), served.rss_kb());
    tell("quiet", &quiet, before_kb);
    tell("flooded", &flooded, after_kb);
    assert!(alive(served.sip).await, "OPTIONS is answered");
    calls.ended_well(lasts + SOON).await;
    assert_eq!(served.broken(), Vec::<String>::new());
    assert!(after_kb < CAP_KB, "{after_kb} kB");
    let packets = |ears: &[Ear]| ears.iter().map(|ear| ear.packets).min().unwrap_or(0);
    assert!(packets(&flooded) >= packets(&quiet) * 9 / 10, "packets are missing");
    if size(0, 1) == 1 {
        let (quiet, flooded) = (gaps(&quiet), gaps(&flooded));
        assert!(flooded <= quiet, "gaps over 40 ms: {flooded} flooded, {quiet} quiet");
    }
    done
}

fn gaps(ears: &[Ear]) -> usize {
    ears.iter().map(|ear| ear.gaps_ms.len()).sum()
}

fn tell(what: &str, ears: &[Ear], rss_kb: usize) {
    let packets: usize = ears.iter().map(|ear| ear.packets).sum();
    let toneless: usize = ears.iter().map(|ear| ear.toneless).sum();
    let longest = ears.iter().flat_map(|ear| &ear.gaps_ms).max().copied().unwrap_or(0);
    println!(
        "{what}: {packets} packets at {} ears, {toneless} without the tone, {} gaps over 40 ms, \
         the longest {longest} ms; {rss_kb} kB",
        ears.len(),
        gaps(ears)
    );
}

/// An OPTIONS from one more stranger, asked again while no answer comes.
async fn alive(server: SocketAddr) -> bool {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let from = socket.local_addr().expect("bound");
    let text = format!(
        "OPTIONS sip:undertone SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKalive;rport\r\n\
         From: <sip:a@{from}>;tag=1\r\nTo: <sip:undertone>\r\nCall-ID: alive\r\nCSeq: 1 OPTIONS\
         \r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    let mut answer = [0; 2_048];
    for _ in 0..10 {
        socket.send_to(text.as_bytes(), server).await.expect("sent");
        let wait = Duration::from_millis(500);
        if tokio::time::timeout(wait, socket.recv_from(&mut answer)).await.is_ok() {
            return answer.starts_with(b"SIP/2.0 ");
        }
    }
    false
}

/// The torture messages with bytes changed, cut or added; and plain rubbish.
struct Rubbish {
    dice: StdRng,
    seeds: Vec<Vec<u8>>,
}

impl Rubbish {
    fn new(seed: u64) -> Rubbish {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture/rfc4475");
        let files = std::fs::read_dir(folder).expect("the messages").flatten();
        let seeds = files.map(|f| std::fs::read(f.path()).expect("a message")).collect();
        Rubbish { dice: StdRng::seed_from_u64(seed), seeds }
    }

    fn next(&mut self) -> Vec<u8> {
        let dice = &mut self.dice;
        if dice.random_bool(0.2) {
            let mut bytes = vec![0; dice.random_range(1..1_400)];
            dice.fill(&mut bytes[..]);
            return bytes;
        }
        let mut bytes = self.seeds[dice.random_range(0..self.seeds.len())].clone();
        for _ in 0..dice.random_range(1..8) {
            let at = dice.random_range(0..bytes.len());
            bytes[at] = dice.random();
        }
        bytes.truncate(dice.random_range(1..=bytes.len()));
        bytes
    }
}

#[allow(clippy::disallowed_methods)] // the sleep is the flood's pace; nothing is waited for
#[tokio::test(flavor = "multi_thread")]
async fn malformed_datagrams_by_the_thousand_do_not_reach_the_calls() {
    let per_second = 5_000u32;
    let sent = quiet_and_flooded(size(3, 60), async |server, time| {
        let flood = move || {
            let socket = UdpSocket::bind("127.0.0.9:0").expect("a socket");
            let mut rubbish = Rubbish::new(7);
            let (began, mut sent) = (Instant::now(), 0u32);
            while began.elapsed() < time {
                let due = (began.elapsed().as_secs_f64() * f64::from(per_second)) as u32;
                while sent < due {
                    let _ = socket.send_to(&rubbish.next(), server);
                    sent += 1;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            sent
        };
        tokio::task::spawn_blocking(flood).await.expect("a flood")
    })
    .await;
    println!("{sent} malformed datagrams");
    assert!(sent > per_second, "hardly a flood");
}
