//! Connections by the thousand, while calls go on: some that say nothing, some that begin a call
//! and are reset. The server holds no more than its limits, closes the rest as it should, and is
//! afterwards as it was before.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::flood_rig::{options, quiet_and_flooded};
use crate::foreign_phone::{listens, place};
use crate::served::Served;
use crate::sipp::Sipp;
use crate::stage::{SOON, size, within};
use socket2::SockRef;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// `StreamLimits`: connections at once; while those that make room are being closed, twice that.
const CONNECTIONS_MAX: usize = 1_024;
/// And from one host: so many come from each, so that no host's own limit is met.
const PER_HOST: usize = 200;
/// What else a server has open: databases, its own sockets, those of the calls.
pub const OTHER_HANDLES: usize = 100;
/// What says nothing is closed after 5 s, of HTTP after 10 s; what is to be seen of it, soon after.
const CLOSED_BY: Duration = Duration::from_secs(30);
/// Nothing of SIP outlives its transactions' timers: 64·T1 (32 s), of some one after the other.
const REST: Duration = Duration::from_secs(150);

pub fn host(number: usize) -> IpAddr {
    let [high, low] = u16::try_from(number / PER_HOST + 1).unwrap_or(u16::MAX).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low).into()
}

async fn connect(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}

/// How a connection ended that only waited for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As TCP has it: nothing more will come.
    Closed,
    Reset,
    NotOpened,
    StillOpen,
}

pub async fn idles(from: IpAddr, to: SocketAddr) -> End {
    let Ok(mut stream) = connect(from, to).await else { return End::NotOpened };
    let mut nothing = [0; 16];
    match tokio::time::timeout(CLOSED_BY, stream.read(&mut nothing)).await {
        Ok(Ok(0)) => End::Closed,
        Ok(_) => End::Reset,
        Err(_) => End::StillOpen,
    }
}

/// The most handles that the server had while this went on.
pub async fn most_handles<T>(served: &Served, doing: impl Future<Output = T>) -> (T, usize) {
    let mut most = served.handles();
    let mut look = tokio::time::interval(Duration::from_millis(50));
    tokio::pin!(doing);
    loop {
        tokio::select! {
            done = &mut doing => return (done, most),
            _ = look.tick() => most = most.max(served.handles()),
        }
    }
}

/// Asks on this connection and waits for the answer.
async fn answers(stream: &mut TcpStream, id: &str) -> bool {
    let own = stream.local_addr().expect("connected");
    let mut answer = [0; 2_048];
    let asked = async {
        stream.write_all(options("TCP", own, id).as_bytes()).await?;
        stream.read(&mut answer).await
    };
    within(asked).await.is_ok_and(|length| answer[..length].starts_with(b"SIP/2.0 "))
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_make_room_for_one_another_and_for_who_speaks() {
    let count = size(1_500, 10_000);
    quiet_and_flooded("", async |served| {
        let server = served.sip;
        let mut spoke = connect(host(0), server).await.expect("a connection");
        assert!(answers(&mut spoke, "before").await, "an answer before the flood");
        let idle = async {
            let mut all = JoinSet::new();
            for number in 0..count {
                all.spawn(idles(host(number + PER_HOST), server));
            }
            all.join_all().await
        };
        let (ends, most) = most_handles(served, idle).await;
        let ended = |how| ends.iter().filter(|end| **end == how).count();
        println!(
            "{count} connections: {} closed, {} reset, {} not opened; {most} handles at most",
            ended(End::Closed),
            ended(End::Reset),
            ended(End::NotOpened)
        );
        assert_eq!(ended(End::Closed), count, "closed as TCP has it");
        assert!(most <= 2 * CONNECTIONS_MAX + OTHER_HANDLES, "{most} handles");
        assert!(answers(&mut spoke, "after").await, "who had spoken was not the one to make room");
        let mut late = connect(host(0), server).await.expect("a connection");
        assert!(answers(&mut late, "late").await, "there is room again");
    })
    .await;
}

/// Whom the resets call: it rings, and takes the CANCEL.
const RINGS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="rings">
<recv request="INVITE"/>
<send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[pid]r[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:ring@[local_ip]:[local_port]>
Content-Length: 0

]]></send>
<recv request="CANCEL"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]r[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[
SIP/2.0 487 Request Terminated
[last_Via:]
[last_From:]
[last_To:];tag=[pid]r[call_number]
[last_Call-ID:]
CSeq: [cseq] INVITE
Content-Length: 0

]]></send>
<recv request="ACK"/>
</scenario>
"#;
/// From these hosts come the calls of a known device; all others are strangers.
const KNOWN: Ipv4Addr = Ipv4Addr::new(127, 2, 0, 1);
const KNOWN_PORT: u16 = 5_060;

/// Connects, begins a call, and is gone with a reset, every other time as soon as it is answered
/// at all. Every fourth calls a phone that rings; the others are nobody's and call nobody.
async fn calls_and_resets(number: usize, server: SocketAddr) -> std::io::Result<()> {
    let known = number.is_multiple_of(4);
    let from = if known { KNOWN.into() } else { host(number % (20 * PER_HOST)) };
    let mut stream = connect(from, server).await?;
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    let (user, port) = if known { ("known", KNOWN_PORT) } else { ("stranger", 5_060) };
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 {from}\r\ns=-\r\nc=IN IP4 {from}\r\nt=0 0\r\n\
         m=audio 40000 RTP/AVP 0\r\n"
    );
    let text = format!(
        "INVITE sip:ring@undertone SIP/2.0\r\n\
         Via: SIP/2.0/TCP {from}:{port};branch=z9hG4bKr{number}\r\n\
         From: <sip:{user}@{from}>;tag=r{number}\r\nTo: <sip:ring@undertone>\r\n\
         Call-ID: reset-{number}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\
         Contact: <sip:{user}@{from}:{port};transport=tcp>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    stream.write_all(text.as_bytes()).await?;
    if number % 8 < 4 {
        let mut answer = [0; 2_048];
        let _ = tokio::time::timeout(SOON, stream.read(&mut answer)).await;
    }
    Ok(())
}

/// So many, some at once. How many could not be made.
async fn reset_cycles(first: usize, count: usize, server: SocketAddr) -> usize {
    let (next, failed) = (Arc::new(AtomicUsize::new(first)), Arc::new(AtomicUsize::new(0)));
    let mut all = JoinSet::new();
    for _ in 0..16 {
        let (next, failed) = (next.clone(), failed.clone());
        all.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= first + count {
                    return;
                }
                if calls_and_resets(number, server).await.is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    all.join_all().await;
    failed.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_reset_leave_nothing() {
    let own = place();
    let people = format!(
        "[[device]]\nid = \"ring\"\nname = \"ring\"\nnet = \"external\"\n\
         contact = \"sip:ring@{}\"\n\
         [[device]]\nid = \"known\"\nname = \"known\"\nnet = \"external\"\n\
         contact = \"sip:known@{KNOWN}:{KNOWN_PORT}\"\n",
        own.at
    );
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = folder.path().join("rings.xml");
    std::fs::write(&scenario, RINGS).expect("written");
    let (at, scenario) = (own.at, scenario.display().to_string());
    let _rings = Sipp::run(folder.path(), "rings", own, &["-sf", &scenario]);
    listens(at).await;
    // The first make what the server makes once, as its allocator's arenas.
    let (warm, count) = (size(200, 10_000), size(600, 100_000));
    quiet_and_flooded(&people, async |served| {
        assert_eq!(reset_cycles(0, warm, served.sip).await, 0, "not connected");
        at_rest(served).await;
        let (handles, rss_kb) = (served.handles(), settled_kb(served).await);
        let began = Instant::now();
        let cycles = reset_cycles(warm, count, served.sip);
        let (failed, most) = most_handles(served, cycles).await;
        let took = began.elapsed();
        let busy_kb = served.rss_kb();
        at_rest(served).await;
        let rest_kb = settled_kb(served).await;
        let calls = served.figure("calls_ended_total").await;
        println!(
            "{count} cycles in {took:?}, {failed} not connected; {calls} calls; handles {handles}, \
             {most} at most, then {}; {rss_kb} kB, {busy_kb} just after, then {rest_kb}",
            served.handles(),
        );
        assert_eq!(failed, 0, "not connected");
        assert!(served.handles() <= handles + 2, "handles are left");
        assert!(most <= 2 * CONNECTIONS_MAX + OTHER_HANDLES, "{most} handles");
        assert!(rest_kb < rss_kb + 65_536, "memory is left");
        assert!(calls >= count as f64 / 5.0, "hardly any call began");
    })
    .await;
}

/// What is free goes back to the system over some seconds: the memory when that is over.
async fn settled_kb(served: &Served) -> usize {
    let (mut least, mut still) = (served.rss_kb(), 0);
    for _ in 0..size(1, 90) {
        tokio::time::sleep(Duration::from_secs(1)).await; // there is nothing else to wait for
        let now = served.rss_kb();
        still = if now + now / 100 < least { 0 } else { still + 1 };
        least = least.min(now);
        if still >= 15 {
            break;
        }
    }
    least
}

/// Only the calls of the rig itself are left: five, of two dialogs each. The proof waits for the
/// last timer of the last transaction as well.
async fn at_rest(served: &Served) {
    served.until_at_most("calls_live", 5, REST).await;
    served.until_at_most("sip_dialogs", 10, REST).await;
    if size(0, 1) == 1 {
        served.until_at_most("sip_transactions", 0, REST).await;
    }
}
