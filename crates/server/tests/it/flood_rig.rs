//! `undertone serve` as a process of its own, calls through it that sipp signals, and at both ends
//! of each call a socket that says a tone and writes down when packets came and what was in them.

use crate::foreign_phone::{CALLEE, CALLER, Place, listens, place};
use crate::stage::{RATE, within};
use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use undertone_media::codec::{Decoder, Encoder};
use undertone_media::rtp::{Header, Packet};
use undertone_phone::Codec;
use undertone_testkit::spectrum::goertzel_hann;

const TONE: f64 = 1_000.0;
const FRAME: usize = RATE as usize / 50;
/// A packet is due each 20 ms; later than that by so much is a gap.
const GAP: Duration = Duration::from_millis(40);

/// The server as a user runs it.
pub struct Served {
    child: Child,
    pub sip: SocketAddr,
    folder: TempDir,
}

impl Served {
    pub async fn start(people: &str) -> Served {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("people.toml"), people).expect("written");
        let binary = env!("CARGO_BIN_EXE_undertone");
        let provision = ["provision", &at("people.toml"), "--data", &at("data")];
        let told = Command::new(binary).args(provision).output().await.expect("it runs");
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let log = std::fs::File::create(at("log")).expect("a log");
        let mut command = Command::new(binary);
        command.args(["serve", "--data", &at("data"), "--http", "127.0.0.1:0"]);
        command.args(["--sip", "127.0.0.1:0", "--rtp", "127.0.0.1:0"]).stderr(log);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the server");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let sip = within(async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(at) = line.strip_prefix("sip") {
                    let at = at.trim().trim_start_matches("sip:");
                    return at.split_whitespace().next().and_then(|at| at.parse().ok());
                }
            }
            None
        });
        let sip = sip.await.expect("the server's address");
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Served { child, sip, folder }
    }

    pub fn rss_kb(&self) -> usize {
        let pid = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or("");
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("its memory")
    }

    /// Lines of its log that say that something broke.
    pub fn broken(&self) -> Vec<String> {
        let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        log.lines()
            .filter(|l| l.contains("panicked") || l.contains("ERROR"))
            .map(Into::into)
            .collect()
    }
}

/// What one end of one call got.
#[derive(Clone, Debug, Default)]
pub struct Ear {
    pub packets: usize,
    /// In milliseconds beyond the 20 that are due.
    pub gaps_ms: Vec<u128>,
    /// Packets in which the other's tone is not.
    pub toneless: usize,
}

/// So many calls, until dropped.
pub struct Calls {
    pub ears: Vec<Arc<Mutex<Ear>>>,
    stop: Arc<AtomicBool>,
    caller: Child,
    callee: Child,
    _folder: TempDir,
}

/// Numbers and where they are: what the server is told of the phones of `Calls`.
pub struct Phones {
    pub callers: Place,
    pub callees: Place,
    calls: usize,
}

impl Phones {
    pub fn new(calls: usize) -> Phones {
        Phones { callers: place(), callees: place(), calls }
    }

    pub fn people(&self) -> String {
        let mut text = String::new();
        for n in 0..self.calls {
            let (customers, agents) = (self.callers.at, self.callees.at);
            let _ = write!(
                text,
                "[[person]]\nid = \"a{n}\"\nname = \"a{n}\"\n[[device]]\nid = \"a{n}\"\n\
                 owner = \"a{n}\"\nextension = \"{}\"\ncontact = \"sip:{}@{agents}\"\n\
                 [[device]]\nid = \"c{n}\"\nnet = \"external\"\nextension = \"+1555{}\"\n\
                 contact = \"sip:+1555{}@{customers}\"\n",
                1_000 + n,
                1_000 + n,
                1_000 + n,
                1_000 + n,
            );
        }
        text
    }
}

impl Calls {
    /// Begins them all and returns when every end hears the other. They last until told.
    pub async fn begin(phones: Phones, server: SocketAddr, lasts: Duration) -> Calls {
        let folder = tempfile::tempdir().expect("a folder");
        let stop = Arc::new(AtomicBool::new(false));
        let mut ears = Vec::new();
        let (mut customers, mut agents) = ("SEQUENTIAL\n".to_string(), "SEQUENTIAL\n".to_string());
        for n in 0..phones.calls {
            for list in [&mut customers, &mut agents] {
                let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
                let port = socket.local_addr().expect("bound").port();
                let _ = writeln!(list, "{port};+1555{};{}", 1_000 + n, 1_000 + n);
                let ear: Arc<Mutex<Ear>> = Arc::default();
                ears.push(ear.clone());
                let stop = stop.clone();
                std::thread::spawn(move || talk(&socket, &ear, &stop));
            }
        }
        // Both scenarios of the single call, with each call's own port and numbers.
        let dialled = CALLER.replace("[service]", "[field2]").replace("+15550101", "[field1]");
        let dialled = dialled.replace("<recv request=\"BYE\"/>", HANGS_UP);
        let (uac, uas) = (folder.path().join("uac.xml"), folder.path().join("uas.xml"));
        std::fs::write(&uac, until_bye(&dialled)).expect("written");
        std::fs::write(&uas, CALLEE.replace("RTP_PORT", "[field0]")).expect("written");
        let (from, to) = (phones.callers.at, phones.callees.at);
        let lists = [folder.path().join("customers.csv"), folder.path().join("agents.csv")];
        std::fs::write(&lists[0], customers).expect("written");
        std::fs::write(&lists[1], agents).expect("written");
        drop(phones.callees);
        let callee = sipp(&uas, &lists[1], to, phones.calls, &[]);
        listens(to).await;
        drop(phones.callers);
        let ms = lasts.as_millis().to_string();
        let more = ["-d", &ms, "-r", "10", &server.to_string()];
        let caller = sipp(&uac, &lists[0], from, phones.calls, &more);
        let calls = Calls { ears, stop, caller, callee, _folder: folder };
        within(async {
            while !calls.ears.iter().all(|ear| ear.lock().expect("unpoisoned").packets > 20) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        calls
    }

    /// From now on only what comes after counts.
    pub fn forget(&self) {
        self.ears.iter().for_each(|ear| *ear.lock().expect("unpoisoned") = Ear::default());
    }

    pub fn heard(&self) -> Vec<Ear> {
        self.ears.iter().map(|ear| ear.lock().expect("unpoisoned").clone()).collect()
    }

    /// Waits until sipp has hung up every call and finds that all went as its scenarios say.
    pub async fn ended_well(mut self, limit: Duration) {
        for child in [&mut self.caller, &mut self.callee] {
            let ended = tokio::time::timeout(limit, child.wait()).await.expect("sipp ends in time");
            assert!(ended.as_ref().is_ok_and(|s| s.success()), "sipp: {ended:?}");
        }
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

const HANGS_UP: &str = r#"<pause/>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"#;

/// The caller's scenario ends where it hangs up, and its media is where the list says.
fn until_bye(scenario: &str) -> String {
    let end = scenario.find("</scenario>").map_or(scenario.len(), |at| at + "</scenario>".len());
    scenario[..end].replace("RTP_PORT", "[field0]")
}

fn sipp(scenario: &Path, list: &PathBuf, own: SocketAddr, calls: usize, more: &[&str]) -> Child {
    let mut command = Command::new("sipp");
    command.arg("-sf").arg(scenario).arg("-inf").arg(list).args(["-i", "127.0.0.1"]);
    command.args(["-p", &own.port().to_string(), "-m", &calls.to_string(), "-nostdin"]);
    command.args(more).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn().expect("sipp is not installed: apt-get install sip-tester")
}

/// One end: says its tone to whoever sends to it, and keeps account of what comes. A thread of its
/// own, so that no runtime's delay is taken for the server's.
fn talk(socket: &UdpSocket, ear: &Mutex<Ear>, stop: &AtomicBool) {
    let mut encoder = Encoder::new(Codec::Pcmu, &Default::default()).expect("G.711");
    let mut decoder = Decoder::new(Codec::Pcmu).expect("G.711");
    let (mut seq, mut ts, ssrc) = (rand::random::<u16>(), rand::random::<u32>(), rand::random());
    let (mut out, mut bytes, mut pcm, mut heard) = (Vec::new(), Vec::new(), [0; FRAME], Vec::new());
    let (mut to, mut last, mut datagram) = (None::<SocketAddr>, None::<Instant>, [0; 2_048]);
    let (mut next, mut phase) = (Instant::now(), 0.0f64);
    while !stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        if now >= next {
            next += Duration::from_millis(20);
            for sample in &mut pcm {
                *sample = (phase.sin() * 10_000.0) as i16;
                phase += std::f64::consts::TAU * TONE / f64::from(RATE);
            }
            (seq, ts) = (seq.wrapping_add(1), ts.wrapping_add(FRAME as u32));
            if let Some(to) = to {
                out.clear();
                encoder.encode(&pcm, &mut out).expect("encoded");
                Header { marker: false, pt: 0, seq, ts, ssrc }.write(&out, &mut bytes);
                let _ = socket.send_to(&bytes, to);
            }
            continue;
        }
        let _ = socket.set_read_timeout(Some(next - now));
        let Ok((length, from)) = socket.recv_from(&mut datagram) else { continue };
        to = Some(from);
        let Ok(packet) = Packet::parse(&datagram[..length]) else { continue };
        heard.clear();
        if decoder.decode(packet.payload, &mut heard).is_err() || heard.is_empty() {
            continue;
        }
        let came = Instant::now();
        let mut ear = ear.lock().expect("unpoisoned");
        if ear.packets == 0 {
            last = None;
        }
        ear.packets += 1;
        if let Some(late) = last.map(|last| came - last).filter(|d| *d > GAP + FRAME_TIME) {
            ear.gaps_ms.push((late - FRAME_TIME).as_millis());
        }
        ear.toneless += usize::from(goertzel_hann(&heard, RATE, TONE) < -30.0);
        last = Some(came);
    }
}

const FRAME_TIME: Duration = Duration::from_millis(20);
