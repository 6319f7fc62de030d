//! RTP Bleed and RTP Inject: a sprayer at an address of its own sends RTP and RTCP to every port
//! of the range while calls come up and while they talk. It must get nothing and be heard by
//! nobody. In every test run from another address of 127/8; in the proof also from a network
//! namespace of its own, on 1,000 calls.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::field::{FRAME, Field, answers};
use crate::ports::range;
use crate::stage::{RATE, size, turn};
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use undertone::config::RtpRange;
use undertone_media::codec::Encoder;
use undertone_media::rtp::Header;
use undertone_phone::{Codec, Tone};

const SPRAYED_HZ: f64 = 2_960.0;
/// So many ports are sprayed, then the sprayer waits so long for an answer: up to 40,000 packets a
/// second.
const SPRAYED_AT_ONCE: u16 = 64;
const REST: Duration = Duration::from_millis(4);

/// Sends to every port of the range, over and over: RTP with a tone, loud, and a report. Gives how
/// many packets went out and how many came back.
struct Sprayer {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<(u64, usize)>,
}

impl Sprayer {
    fn start(from: &str, range: RtpRange) -> Sprayer {
        let (stop, rounds) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let socket = UdpSocket::bind((from, 0)).expect("the sprayer's address");
        socket.set_read_timeout(Some(REST)).expect("a timeout");
        let (until, counted) = (stop.clone(), rounds.clone());
        let thread = std::thread::spawn(move || {
            let (tone, mut sent, mut came_back, mut seq) = (tone(), 0, 0, 0u16);
            while !until.load(Ordering::Relaxed) {
                for port in range.from..=range.to {
                    seq = seq.wrapping_add(1);
                    sent += spray_one(&socket, SocketAddr::new(range.ip, port), seq, &tone);
                    if port % SPRAYED_AT_ONCE == 0 {
                        came_back += answers(&socket);
                    }
                }
                counted.fetch_add(1, Ordering::Relaxed);
            }
            (sent, came_back + answers(&socket))
        });
        Sprayer { stop, rounds, thread }
    }

    fn end(self) -> (u64, usize) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the sprayer")
    }
}

fn spray_one(socket: &UdpSocket, to: SocketAddr, seq: u16, tone: &[u8]) -> u64 {
    let mut packet = Vec::new();
    let ts = u32::from(seq) * FRAME as u32;
    Header { marker: seq.is_multiple_of(7), pt: 0, seq, ts, ssrc: 66 }.write(tone, &mut packet);
    let report = [0x80, 201, 0, 1, 0, 0, 0, 66];
    let bye = [0x80, 201, 0, 1, 0, 0, 0, 66, 0x81, 203, 0, 1, 0, 0, 0, 66];
    let all: [&[u8]; 3] = [&packet, &report, &bye];
    all.iter().filter(|bytes| socket.send_to(bytes, to).is_ok()).count() as u64
}

/// 20 ms of the sprayer's tone as G.711.
fn tone() -> Vec<u8> {
    let mut encoder = Encoder::new(Codec::Pcmu, &Default::default()).expect("G.711");
    let (mut pcm, mut out) = ([0i16; FRAME], Vec::new());
    let mut sound = Tone::new(Some(SPRAYED_HZ)).sound(RATE);
    // Its first moments are a ramp.
    (0..5).for_each(|_| {
        sound.fill(&mut pcm);
    });
    encoder.encode(&pcm, &mut out).expect("encoded");
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sprayer_over_the_whole_range_gets_nothing_and_is_heard_by_nobody() {
    let _turn = turn().await;
    let (calls, talking, packets) = (size(10, 1_000), size(4, 20), size(150, 1_500));
    let range = range(calls as u16 * 2 + 20);
    // From before the first leg is there.
    let sprayer = Sprayer::start("127.0.0.66", range);
    let mut field = Field::open(range, range.ip, calls, |_| {}).await;
    let up_after = sprayer.rounds.load(Ordering::Relaxed);
    field.talk(talking, packets, SPRAYED_HZ).await;
    let rounds = sprayer.rounds.load(Ordering::Relaxed);
    assert!(rounds > up_after, "it sprayed while they talked");
    let (sent, came_back) = sprayer.end();
    println!(
        "{calls} calls, {talking} talking, {packets} packets each way: {sent} packets sprayed in \
         {rounds} rounds, {came_back} sent to the sprayer, 0 injected; {} dropped as foreign",
        field.foreign()
    );
    assert_eq!(came_back, 0, "packets to the sprayer");
    assert!(field.foreign() > rounds * calls as u64, "the spray did reach the legs");
    field.all_are_locked().await;
    field.close().await;
}

/// A network namespace with one end of a cable, gone at the end.
struct Namespace(String);

const INSIDE: &str = "10.213.77.1";
const OUTSIDE: &str = "10.213.77.2";

fn ip(arguments: &str) -> Output {
    let out = Command::new("ip").args(arguments.split(' ')).output().expect("ip");
    assert!(out.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&out.stderr));
    out
}

impl Namespace {
    fn new() -> Namespace {
        let name = format!("utspray{}", std::process::id());
        ip(&format!("netns add {name}"));
        let made = Namespace(name.clone());
        ip(&format!("link add uts{0} type veth peer name utp netns {name}", std::process::id()));
        ip(&format!("addr add {INSIDE}/30 dev uts{}", std::process::id()));
        ip(&format!("link set uts{} up", std::process::id()));
        ip(&format!("-n {name} addr add {OUTSIDE}/30 dev utp"));
        ip(&format!("-n {name} link set utp up"));
        made
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

/// Only in the proof: it needs root, and the cable between.
#[tokio::test(flavor = "multi_thread")]
async fn a_sprayer_in_a_network_namespace_of_its_own_gets_nothing_either() {
    if size(0, 1) == 0 {
        println!("left out: `make proof` runs it, as root");
        return;
    }
    let _turn = turn().await;
    let namespace = Namespace::new();
    let inside: IpAddr = INSIDE.parse().expect("an address");
    let range = RtpRange { ip: inside, from: 23_000, to: 27_199 };
    let mut field = Field::open(range, inside, 1_000, |_| {}).await;
    let before = field.foreign();
    let this = std::env::current_exe().expect("this program");
    let mut sprayer = Command::new("ip")
        .args(["netns", "exec", &namespace.0])
        .arg(this)
        .args(["rtp_sprayer::sprays", "--exact", "--ignored", "--nocapture"])
        .env("UNDERTONE_SPRAY", range.to_string())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the sprayer");
    field.talk(20, 1_500, SPRAYED_HZ).await;
    let running = sprayer.try_wait().expect("its state").is_none();
    let said = tokio::task::spawn_blocking(move || sprayer.wait_with_output());
    let said = said.await.expect("waited").expect("its output");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    println!("{said}{} dropped as foreign", field.foreign() - before);
    assert!(running, "it sprayed until the talk was over");
    assert!(said.contains("and 0 came back"), "{said}");
    assert!(field.foreign() - before > 100_000, "the spray did reach the legs");
    field.all_are_locked().await;
    field.close().await;
}

#[test]
#[ignore = "the proof runs it in a network namespace of its own"]
fn sprays() {
    let range = std::env::var("UNDERTONE_SPRAY").expect("where to");
    let sprayer = Sprayer::start(OUTSIDE, range.parse().expect("a range"));
    // Until whoever started it closes this.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    let rounds = sprayer.rounds.load(Ordering::Relaxed);
    let (sent, came_back) = sprayer.end();
    println!("{sent} packets sprayed in {rounds} rounds from {OUTSIDE}, and {came_back} came back");
}
