//! One round of one kind: N calls up, traffic through them, CPU and memory before and after.

use crate::phones::{Answered, Call, Phones};
use crate::process::Pinned;
use crate::relay;
use crate::server::Server;
use crate::traffic::{Heard, Running, Sockets, Stream};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How many legs of a kind are set up at once.
const AT_ONCE: usize = 16;
const SETTLE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Plain,
    Listen,
    Whisper,
    Barge,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Plain, Kind::Listen, Kind::Whisper, Kind::Barge];

    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Plain => "plain",
            Kind::Listen => "listen",
            Kind::Whisper => "whisper",
            Kind::Barge => "barge",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Round {
    pub calls: usize,
    pub cpu_ms_per_call_s: f64,
    /// Of one core.
    pub cpu_share: f64,
    pub loss: f64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

pub fn round(calls: usize, cpu_ns: u64, took: Duration, heard: &Heard, legs: usize) -> Round {
    let seconds = took.as_secs_f64();
    let cpu_ms = cpu_ns as f64 / 1e6;
    // What never came at all leaves no gap in a sequence: count against what was due, a packet a
    // leg every 20 ms, and allow each leg the two that are under way at the edges.
    let due = legs as f64 * seconds * 50.0;
    let missing = (due - heard.received as f64 - 2.0 * legs as f64).max(0.0);
    Round {
        calls,
        cpu_ms_per_call_s: cpu_ms / (calls as f64 * seconds),
        cpu_share: cpu_ms / 1e3 / seconds,
        loss: (heard.lost as f64).max(missing) / due.max(1.0),
        p50_ms: heard.latency.quantile_ms(0.50),
        p99_ms: heard.latency.quantile_ms(0.99),
    }
}

pub async fn measure(
    running: &Running,
    process: &Pinned,
    window: Duration,
) -> Result<(u64, Duration)> {
    tokio::time::sleep(SETTLE).await;
    let (before, began) = (process.cpu_ns()?, Instant::now());
    running.count(true);
    tokio::time::sleep(window).await;
    running.count(false);
    Ok((process.cpu_ns()? - before, began.elapsed()))
}

pub async fn relay(core: usize, calls: usize, window: Duration) -> Result<Round> {
    let sockets = Sockets::bind()?;
    let me = std::env::current_exe()?;
    let peer: SocketAddr = ([127, 0, 0, 1], sockets.ports[0]).into();
    let args = ["relay".to_owned(), calls.to_string(), peer.to_string()];
    let (process, lines) = Pinned::start(core, &me, &args, 1)?;
    let ports = relay::ports(lines.first().context("no ports")?)?;
    let running = Running::start(sockets);
    for (number, port) in ports.into_iter().enumerate() {
        running.add(Stream { number, remote: ([127, 0, 0, 1], port).into() })?;
    }
    let (cpu, took) = measure(&running, &process, window).await?;
    let (_, heard) = running.stop()?;
    Ok(round(calls, cpu, took, &heard, calls * 2))
}

/// Calls that are up, with what keeps them up.
pub struct Up {
    pub calls: Vec<Call>,
    pub supervisors: Vec<Answered>,
    pub running: Running,
}

pub async fn set_up(kind: Kind, calls: usize, server: &Server, phones: &Phones) -> Result<Up> {
    let sockets = Sockets::bind()?;
    let port = |leg: usize| sockets.port_of(leg);
    let ports: Vec<(u16, u16)> = (0..calls).map(|n| (port(3 * n), port(3 * n + 1))).collect();
    let listening: Vec<u16> = (0..calls).map(|n| port(3 * n + 2)).collect();
    let mut up = Vec::with_capacity(calls);
    for chunk in (0..calls).collect::<Vec<_>>().chunks(AT_ONCE) {
        let started = chunk.iter().map(|n| phones.call(*n, server.sip, ports[*n]));
        for (n, call) in chunk.iter().zip(join_all(started).await) {
            up.push(call.with_context(|| format!("call {n}"))?);
        }
    }
    let running = Running::start(sockets);
    for (n, call) in up.iter().enumerate() {
        running.add(Stream { number: 3 * n, remote: call.customer.remote })?;
        running.add(Stream { number: 3 * n + 1, remote: call.agent.remote })?;
    }
    tokio::time::sleep(SETTLE).await;
    let mut supervisors = Vec::new();
    if kind != Kind::Plain {
        for chunk in (0..calls).collect::<Vec<_>>().chunks(AT_ONCE) {
            let started =
                chunk.iter().map(|n| supervise(*n, kind, server, phones, listening[*n], &running));
            for (n, leg) in chunk.iter().zip(join_all(started).await) {
                supervisors.push(leg.with_context(|| format!("supervision {n}"))?);
            }
        }
    }
    Ok(Up { calls: up, supervisors, running })
}

/// The supervisor's phone must send before a mode above listen is granted: its stream starts as
/// soon as it has answered.
async fn supervise(
    n: usize,
    kind: Kind,
    server: &Server,
    phones: &Phones,
    port: u16,
    running: &Running,
) -> Result<Answered> {
    let answered = phones.expect(&format!("s{n}"), port);
    let phone = async {
        let leg = answered.await.context("the supervisor's phone was not called")?;
        running.add(Stream { number: 3 * n + 2, remote: leg.remote })?;
        anyhow::Ok(leg)
    };
    let (leg, granted) = tokio::join!(phone, server.supervise(n, kind.name()));
    granted?;
    leg
}

pub async fn server(
    kind: Kind,
    calls: usize,
    server: &Server,
    phones: &Phones,
    window: Duration,
) -> Result<Round> {
    let up = set_up(kind, calls, server, phones).await?;
    let (cpu, took) = measure(&up.running, &server.process, window).await?;
    let legs = calls * if kind == Kind::Plain { 2 } else { 3 };
    let heard = tear_down(up).await?;
    Ok(round(calls, cpu, took, &heard, legs))
}

pub async fn tear_down(up: Up) -> Result<Heard> {
    let (_, heard) = up.running.stop()?;
    for call in &up.calls {
        call.customer.dialog.bye();
    }
    // The server ends the other legs; their events say so.
    for mut leg in up.calls.into_iter().map(|c| c.agent).chain(up.supervisors) {
        let ended = async { while leg.events.recv().await.is_some_and(|e| !is_end(&e)) {} };
        tokio::time::timeout(Duration::from_secs(10), ended).await.context("a leg stayed up")?;
    }
    Ok(heard)
}

pub fn is_end(event: &undertone_sip::DialogEvent) -> bool {
    matches!(event, undertone_sip::DialogEvent::Ended { .. })
}

async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures::future::join_all(futures).await
}
