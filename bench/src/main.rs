//! `make bench`: the server as a user runs it, on one core; the load on the other; a bare UDP relay
//! beside it in the same run. Prints a table and writes `target/bench/summary.json`.
//!
//! Knows the server by SIP, RTP and HTTP only.
#![allow(clippy::print_stdout)] // a command line's own output

mod bare;
mod board;
mod browsers;
mod memory;
mod phones;
mod process;
mod relay;
mod rounds;
mod server;
mod summary;
mod switching;
mod traffic;

use anyhow::{Context, Result};
use browsers::Speaks;
use mimalloc::MiMalloc;
use phones::Phones;
use rounds::{Kind, Round};
use server::Server;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// As in the server: what `bare` takes is compared with what the server does.
#[global_allocator]
static HEAP: MiMalloc = MiMalloc;

const SERVER_CORE: usize = 0;
const ROUNDS: usize = 5;
const WINDOW: Duration = Duration::from_secs(4);
const ROW_WINDOW: Duration = Duration::from_secs(20);
/// The share of a core that a round is sized to.
const SHARE: f64 = 0.6;
const CALLS_AT_MOST: usize = 1_500;
const CAPACITY_STEP: usize = 25;
const CAPACITY_SHARE_AT_MOST: f64 = 0.9;
const CAPACITY_KIND: Kind = Kind::Listen;
/// Browsers are real ends of WebRTC, on the load's core: more of them than it can carry lose packets.
const BROWSERS: usize = 40;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["relay", calls, peer] => relay::serve(calls.parse()?, peer.parse()?),
        ["bare", phones] => runtime.block_on(bare::serve(phones.parse()?)),
        ["run", binary] => runtime.block_on(run(PathBuf::from(binary), Scale::full())),
        ["memory", binary] => runtime.block_on(memory_alone(PathBuf::from(binary))),
        ["row", kind, calls, binary] => {
            let kind = Kind::named(kind).context("plain, listen, whisper or barge")?;
            runtime.block_on(row(kind, calls.parse()?, PathBuf::from(binary)))
        }
        ["browsers", calls, binary] => {
            runtime.block_on(browsers_alone(calls.parse()?, PathBuf::from(binary)))
        }
        ["board", agents, calls, binary] => {
            runtime.block_on(board::serve(agents.parse()?, calls.parse()?, PathBuf::from(binary)))
        }
        ["quick", binary] => runtime.block_on(run(PathBuf::from(binary), Scale::quick())),
        _ => {
            println!("usage: undertone-bench run|quick|memory PATH-TO-undertone");
            println!("       undertone-bench row KIND CALLS PATH-TO-undertone (for a profiler)");
            println!("       undertone-bench browsers CALLS PATH-TO-undertone");
            println!("       undertone-bench board AGENTS CALLS PATH-TO-undertone (for a page)");
            std::process::exit(2);
        }
    }
}

/// How much is measured: all of it, or enough to see that the benchmark itself works.
struct Scale {
    rounds: usize,
    window: Duration,
    calls_at_most: usize,
    switches: usize,
    raises: usize,
    attaches: usize,
    capacity: bool,
    browsers: usize,
}

impl Scale {
    fn full() -> Scale {
        Scale {
            rounds: ROUNDS,
            window: WINDOW,
            calls_at_most: CALLS_AT_MOST,
            switches: 500,
            raises: 50,
            attaches: 100,
            capacity: true,
            browsers: BROWSERS,
        }
    }
    fn quick() -> Scale {
        Scale {
            rounds: 1,
            window: Duration::from_secs(2),
            calls_at_most: 50,
            switches: 20,
            raises: 5,
            attaches: 5,
            capacity: false,
            browsers: 5,
        }
    }
}

async fn memory_alone(binary: PathBuf) -> Result<()> {
    let phones = Phones::start().await?;
    let memory::Memory { plain_call, bare_call } =
        memory::measure(&binary, SERVER_CORE, &phones).await?;
    println!("memory a call: {plain_call:.0} kB; of the SIP library alone: {bare_call:.0} kB");
    phones.shutdown().await;
    Ok(())
}

/// Browsers alone, beside a relay of as many calls.
async fn browsers_alone(calls: usize, binary: PathBuf) -> Result<()> {
    let phones = Phones::start().await?;
    let server = Server::start(&binary, SERVER_CORE, phones.address(), calls)?;
    let keys = (0..calls).map(|n| server.key_of(n)).collect::<Result<Vec<_>>>()?;
    summary::line(0, "relay", &rounds::relay(SERVER_CORE, calls, WINDOW).await?);
    for speaks in Speaks::ALL {
        let round = browsers::round(speaks, &keys, &server, &phones, WINDOW).await?;
        summary::line(0, speaks.name(), &round);
    }
    phones.shutdown().await;
    Ok(())
}

/// One kind for long enough to look at with a profiler.
async fn row(kind: Kind, calls: usize, binary: PathBuf) -> Result<()> {
    let phones = Phones::start().await?;
    let server = Server::start(&binary, SERVER_CORE, phones.address(), CALLS_AT_MOST)?;
    let relay = rounds::relay(SERVER_CORE, calls, ROW_WINDOW / 4).await?;
    summary::line(0, "relay", &relay);
    let round = rounds::server(kind, calls, &server, &phones, ROW_WINDOW).await?;
    summary::line(0, kind.name(), &round);
    phones.shutdown().await;
    Ok(())
}

async fn run(binary: PathBuf, scale: Scale) -> Result<()> {
    let phones = Phones::start().await?;
    let server = Server::start(&binary, SERVER_CORE, phones.address(), CALLS_AT_MOST)?;
    println!("server on core {SERVER_CORE}: {}", server.sip);

    let mut sizes = BTreeMap::new();
    for kind in Kind::ALL {
        sizes.insert(kind, size(kind, &server, &phones, &scale).await?);
    }
    let relay_calls = sizes[&Kind::Plain];

    let keys = (0..scale.browsers).map(|n| server.key_of(n)).collect::<Result<Vec<_>>>()?;
    let mut relays: Vec<Round> = Vec::new();
    // What a call costs falls with their number: browsers stand beside a relay of as many.
    let mut few: Vec<Round> = Vec::new();
    let mut browsers: BTreeMap<Speaks, Vec<Round>> = BTreeMap::new();
    let mut kinds: BTreeMap<Kind, Vec<Round>> = BTreeMap::new();
    for n in 1..=scale.rounds {
        relays.push(rounds::relay(SERVER_CORE, relay_calls, scale.window).await?);
        summary::line(n, "relay", relays.last().context("a round")?);
        for kind in Kind::ALL {
            let round = rounds::server(kind, sizes[&kind], &server, &phones, scale.window).await?;
            summary::line(n, kind.name(), &round);
            kinds.entry(kind).or_default().push(round);
        }
        few.push(rounds::relay(SERVER_CORE, scale.browsers, scale.window).await?);
        summary::line(n, "relay of few", few.last().context("a round")?);
        for speaks in Speaks::ALL {
            let round = browsers::round(speaks, &keys, &server, &phones, scale.window).await?;
            summary::line(n, speaks.name(), &round);
            browsers.entry(speaks).or_default().push(round);
        }
    }

    println!("switching and attaching, {} and {} times", scale.switches, scale.attaches);
    let delays =
        switching::measure(&server, &phones, scale.switches, scale.raises, scale.attaches).await?;
    let capacity =
        if scale.capacity { Some(capacity(&server, &phones, scale.window).await?) } else { None };
    drop(server);
    let memory = memory::measure(&binary, SERVER_CORE, &phones).await?;
    phones.shutdown().await;
    summary::write(&summary::Summary { relays, kinds, few, browsers, delays, memory, capacity })
}

/// How many calls of a kind take the wished share of a core. What a call costs falls with their
/// number, since more packets are read together: the second look is at the size of the first.
async fn size(kind: Kind, server: &Server, phones: &Phones, scale: &Scale) -> Result<usize> {
    let mut calls = 50.min(scale.calls_at_most);
    for _ in 0..2 {
        let round = rounds::server(kind, calls, server, phones, scale.window / 2).await?;
        let fits = (SHARE * 1e3 / round.cpu_ms_per_call_s) as usize;
        calls = fits.clamp(10, scale.calls_at_most);
    }
    Ok(calls)
}

/// The highest step of 25 supervised calls without loss at 90 % of a core or less: first by
/// hundreds, then by single steps.
async fn capacity(server: &Server, phones: &Phones, window: Duration) -> Result<usize> {
    let mut best = 0;
    for step in [CAPACITY_STEP * 8, CAPACITY_STEP * 2, CAPACITY_STEP] {
        while best + step <= CALLS_AT_MOST {
            let calls = best + step;
            let round = rounds::server(CAPACITY_KIND, calls, server, phones, window).await?;
            summary::line(0, &format!("capacity {calls}"), &round);
            if round.loss > 0.0 || round.cpu_share > CAPACITY_SHARE_AT_MOST {
                break;
            }
            best = calls;
        }
    }
    Ok(best)
}
