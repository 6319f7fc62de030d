//! Floods from nobody we know, while calls go on: the calls do not hear of them, the server's
//! memory stays under its cap, and it answers afterwards. Compared with a quiet run of the same
//! length; `make test` runs them small and judges by what is counted, `make proof` by gaps.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::flood_rig::{minute, quiet_and_flooded};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

const DATAGRAMS_PER_SECOND: u32 = 5_000;

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

#[tokio::test(flavor = "multi_thread")]
async fn malformed_datagrams_by_the_thousand_do_not_reach_the_calls() {
    let sent = quiet_and_flooded("", async |served| {
        let server = served.sip;
        tokio::task::spawn_blocking(move || flood(server, minute())).await.expect("a flood")
    })
    .await;
    let due = minute().as_secs() * u64::from(DATAGRAMS_PER_SECOND);
    println!("{sent} malformed datagrams of {due}");
    assert!(u64::from(sent) >= due * 9 / 10, "hardly a flood");
}

#[allow(clippy::disallowed_methods)] // the sleep is the flood's pace; nothing is waited for
fn flood(server: SocketAddr, time: Duration) -> u32 {
    let socket = UdpSocket::bind("127.0.0.9:0").expect("a socket");
    let mut rubbish = Rubbish::new(7);
    let (began, mut sent) = (Instant::now(), 0);
    while began.elapsed() < time {
        let due = (began.elapsed().as_secs_f64() * f64::from(DATAGRAMS_PER_SECOND)) as u32;
        while sent < due {
            let _ = socket.send_to(&rubbish.next(), server);
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    sent
}
