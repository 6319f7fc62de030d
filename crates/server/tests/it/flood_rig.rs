//! Calls through a server in a process of its own, which sipp signals, with an ear at both ends of
//! each; and what a flood is judged by: the same calls quiet and flooded, and a control that shows
//! that the ears would have heard a gap.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::ears::{Ear, Heard};
use crate::foreign_phone::{Place, listens, place};
use crate::served::Served;
use crate::sipp::{CALLEE, CALLER, Sipp};
use crate::stage::{size, turn};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const CALLS: usize = 5;
/// Far above what a server with these calls needs, far below what a leak would reach.
const CAP_KB: usize = 512 * 1_024;
/// The control: the server stands still for so long, which is a gap of 60 ms at least.
const STANDSTILL: Duration = Duration::from_millis(80);

/// So many calls, until dropped.
struct Calls {
    ears: Vec<Ear>,
    caller: Sipp,
    callee: Sipp,
    _folder: TempDir,
}

/// Numbers and where they are: what the server is told of the phones of `Calls`.
struct Phones {
    callers: Place,
    callees: Place,
}

impl Phones {
    fn new() -> Phones {
        Phones { callers: place(), callees: place() }
    }

    fn people(&self) -> String {
        let (customers, agents) = (self.callers.at, self.callees.at);
        let mut text = String::new();
        for n in 0..CALLS {
            let number = 1_000 + n;
            let _ = write!(
                text,
                "[[person]]\nid = \"a{n}\"\nname = \"a{n}\"\n[[device]]\nid = \"a{n}\"\n\
                 owner = \"a{n}\"\nextension = \"{number}\"\ncontact = \"sip:{number}@{agents}\"\n\
                 [[device]]\nid = \"c{n}\"\nnet = \"external\"\nextension = \"+1555{number}\"\n\
                 contact = \"sip:+1555{number}@{customers}\"\n",
            );
        }
        text
    }
}

impl Calls {
    /// Begins them all and returns when every end hears the other. They last until the server
    /// ends them.
    async fn begin(phones: Phones, server: SocketAddr) -> Calls {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let mut ears = Vec::new();
        let (mut customers, mut agents) = ("SEQUENTIAL\n".to_string(), "SEQUENTIAL\n".to_string());
        for number in 1_000..1_000 + CALLS {
            for list in [&mut customers, &mut agents] {
                let ear = Ear::open();
                let _ = writeln!(list, "{};+1555{number};{number}", ear.port);
                ears.push(ear);
            }
        }
        // Both scenarios of the single call, with each call's own port and numbers.
        let dialled = CALLER.replace("[service]", "[field2]").replace("+15550101", "[field1]");
        for (name, text) in [
            ("uac.xml", dialled.replace("RTP_PORT", "[field0]")),
            ("uas.xml", CALLEE.replace("RTP_PORT", "[field0]")),
            ("customers.csv", customers),
            ("agents.csv", agents),
        ] {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let calls = CALLS.to_string();
        let to = phones.callees.at;
        let uas = ["-sf", &at("uas.xml"), "-inf", &at("agents.csv"), "-m", &calls];
        let callee = Sipp::run(folder.path(), "callee", phones.callees, &uas);
        listens(to).await;
        let server = server.to_string();
        let uac = ["-sf", &at("uac.xml"), "-inf", &at("customers.csv"), "-m", &calls];
        let uac: Vec<&str> = uac.into_iter().chain(["-r", "10", server.as_str()]).collect();
        let caller = Sipp::run(folder.path(), "caller", phones.callers, &uac);
        let calls = Calls { ears, caller, callee, _folder: folder };
        calls.more(20).await;
        calls
    }

    async fn more(&self, packets: usize) {
        for ear in &self.ears {
            ear.more(packets).await;
        }
    }

    fn forget(&self) {
        self.ears.iter().for_each(Ear::forget);
    }

    fn heard(&self) -> Vec<Heard> {
        self.ears.iter().map(Ear::heard).collect()
    }

    /// Every call ended by the server's BYE, and all of it went as sipp's scenarios say.
    async fn ended_well(self) {
        self.caller.ended_well().await;
        self.callee.ended_well().await;
    }
}

/// How long a run is quiet and then, in `make proof`, flooded.
pub fn minute() -> Duration {
    Duration::from_secs(size(3, 60) as u64)
}

/// Five calls, quiet first, then flooded, for as long as the flood goes on but `minute` at least.
/// Whatever it is, the calls do not hear of it, OPTIONS is answered after it, and the memory stays
/// under its cap. `people` are more of them than those of the calls.
pub async fn quiet_and_flooded<T>(people: &str, flood: impl AsyncFnOnce(&Served) -> T) -> T {
    quiet_and_flooded_with(people, &[], flood).await
}

/// The same with a server that was started with these arguments too.
pub async fn quiet_and_flooded_with<T>(
    people: &str,
    args: &[&str],
    flood: impl AsyncFnOnce(&Served) -> T,
) -> T {
    let _turn = turn().await;
    let phones = Phones::new();
    let served = Served::start_with(&(phones.people() + people), args).await;
    let calls = Calls::begin(phones, served.sip).await;
    calls.forget();
    tokio::time::sleep(minute()).await; // so long is the quiet run
    let (quiet, before_kb) = (calls.heard(), served.rss_kb());
    tell("quiet", &quiet, before_kb);
    calls.forget();
    let began = Instant::now();
    let done = flood(&served).await;
    tokio::time::sleep(minute().saturating_sub(began.elapsed())).await; // and the flooded one
    let (time, flooded, after_kb) = (began.elapsed(), calls.heard(), served.rss_kb());
    tell("flooded", &flooded, after_kb);
    assert!(alive(served.sip).await, "OPTIONS is answered");
    control(&served, &calls).await;
    assert_eq!(served.broken(), Vec::<String>::new());
    assert!(after_kb < CAP_KB, "{after_kb} kB");
    let a_second = |ears: &[Heard], time: Duration| {
        ears.iter().map(|ear| ear.packets as f64 / time.as_secs_f64()).fold(f64::MAX, f64::min)
    };
    let (before, after) = (a_second(&quiet, minute()), a_second(&flooded, time));
    assert!(after >= before * 0.9, "packets are missing: {before} a second, then {after}");
    if size(0, 1) == 1 {
        let (quiet, flooded) = (gaps(&quiet), gaps(&flooded));
        assert!(flooded <= quiet, "gaps over 40 ms: {flooded} flooded, {quiet} quiet");
    }
    served.stop().await;
    calls.ended_well().await;
    done
}

/// That no gap was heard says something only if each ear would have heard one: the server stands
/// still, and each hears it. A gap is between two packets, so that one comes first.
async fn control(served: &Served, calls: &Calls) {
    calls.forget();
    calls.more(1).await;
    served.stand_still(STANDSTILL).await;
    calls.more(2).await;
    let heard = calls.heard();
    tell("control", &heard, served.rss_kb());
    let deaf = heard.iter().filter(|ear| ear.gaps_ms.is_empty()).count();
    assert_eq!(deaf, 0, "the server stood still and {deaf} of {} heard nothing", heard.len());
}

fn gaps(ears: &[Heard]) -> usize {
    ears.iter().map(|ear| ear.gaps_ms.len()).sum()
}

fn tell(what: &str, ears: &[Heard], rss_kb: usize) {
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
    let text = options("UDP", from, "alive");
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

pub fn options(transport: &str, from: SocketAddr, id: &str) -> String {
    format!(
        "OPTIONS sip:undertone SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch=z9hG4bK{id};rport\
         \r\nFrom: <sip:a@{from}>;tag=1\r\nTo: <sip:undertone>\r\nCall-ID: {id}\r\n\
         CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}
