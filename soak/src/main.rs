//! `make soak`: the server as users run it, real phones that call each other through it, random
//! supervision by its API, for as long as asked. Fails on a leak, a lost call, a privacy alarm, or
//! a call whose times do not add up.
//!
//! Knows the server by SIP, RTP, HTTP and /proc only.
#![allow(clippy::print_stdout)] // a command line's own output

mod books;
mod call;
mod coach;
mod ear;
mod figures;
mod identities;
mod people;
mod server;
mod tally;
mod verdict;

use anyhow::{Context, Result};
use call::World;
use clap::Parser;
use figures::Samples;
use people::People;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use server::Server;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tally::Tally;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Transactions linger for 64·T1 after their calls (RFC 3261 section 17): what is left of calls
/// is counted after that.
const REST: Duration = Duration::from_secs(45);
/// A call's script may take so long over its planned end.
const LATE: Duration = Duration::from_secs(60);

#[derive(Debug, Parser)]
struct Asked {
    /// The `undertone` binary.
    binary: PathBuf,
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// New calls a second, at most.
    #[arg(long, default_value_t = 5.0)]
    rate: f64,
    /// How long calls are talked on, in seconds, on average.
    #[arg(long, default_value_t = 12.0)]
    talk: f64,
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> Result<ExitCode> {
    let asked = Asked::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(soak(asked))
}

async fn soak(asked: Asked) -> Result<ExitCode> {
    let seed = asked.seed.unwrap_or_else(rand::random);
    println!("soak: {} min at up to {} calls/s, seed {seed}", asked.minutes, asked.rate);
    let people = People::start().await?;
    let server = Arc::new(Server::start(&asked.binary, &people).await?);
    let tally = Arc::new(Tally::default());
    let idle = server.sample().await.context("no figures from the server")?;
    let (talk_s, server_2, tally_2) = (asked.talk, server.clone(), tally.clone());
    let world = Arc::new(World { people, server: server_2, tally: tally_2, talk_s });
    let samples = load(&world, &asked, seed).await;
    let rested = rest(&server).await?;
    let books = books::close(&world).await;
    let stopped = server.stop().await;
    let end = verdict::End { stopped, errors: server.errors() };
    let verdict = verdict::Verdict::of(&tally, &samples, idle, rested, books, end);
    verdict.print(&samples);
    Ok(if verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Begins calls until the time is over, then waits for the last; a line a minute.
async fn load(world: &Arc<World>, asked: &Asked, seed: u64) -> Samples {
    let mut chance = StdRng::seed_from_u64(seed);
    let began = Instant::now();
    let until = began + Duration::from_secs_f64(asked.minutes * 60.0);
    let mut samples = Samples::new(began);
    let mut calls = JoinSet::new();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut next = began;
    while Instant::now() < until {
        tokio::select! {
            _ = second.tick() => {
                samples.take(&world.server).await;
                samples.maybe_print(&world.tally);
            }
            () = tokio::time::sleep_until(next) => {
                // A Poisson process, but never faster than asked: no two closer than 1/rate.
                let gap = 1.0 / asked.rate;
                let wait = gap * (0.8 + 0.2 * -(1.0 - chance.random::<f64>()).ln()).max(1.0);
                next = Instant::now() + Duration::from_secs_f64(wait.min(gap * 4.0));
                let own = StdRng::seed_from_u64(chance.random());
                match world.people.pair().await {
                    Some(pair) => drop(calls.spawn(call::run(world.clone(), pair, own))),
                    None => world.tally.nobody_free(),
                }
            }
            Some(_) = calls.join_next(), if !calls.is_empty() => {}
        }
    }
    samples.freeze();
    let rest = async { while calls.join_next().await.is_some() {} };
    if tokio::time::timeout(LATE, rest).await.is_err() {
        world.tally.fail(format!("{} scripts did not end", calls.len()));
    }
    samples
}

/// The figures once nothing is left of any call, or the last ones.
async fn rest(server: &Server) -> Result<figures::Sample> {
    let until = Instant::now() + REST;
    loop {
        let sample = server.sample().await.context("no figures from the server")?;
        if sample.is_at_rest() || Instant::now() > until {
            return Ok(sample);
        }
        tokio::time::sleep(Duration::from_millis(500)).await; // a second look, with a bound
    }
}
