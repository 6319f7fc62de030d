//! A server process from its start to its end: signals, reload, the service manager. What a signal
//! does is here; what stops and in which order is `serve`'s.

use crate::config::Config;
use crate::logs::Logs;
use crate::notify;
use crate::reload::Difference;
use crate::serve::Server;
use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::MissedTickBehavior;

/// How long the floor may take to answer before this process does not count as alive.
const ALIVE_WITHIN: Duration = Duration::from_secs(1);
/// Without a watchdog there is nothing to do, now and then.
const NO_WATCHDOG: Duration = Duration::from_secs(3_600);

/// Caught from their making on: one that comes during the start waits.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

/// The soft limit that a shell sets is for programs that use `select`; the hard one is the
/// administrator's.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_err() {
        tracing::warn!(limit = ?limit.current, "the limit of open files cannot be raised");
    }
}

enum Asked {
    Stop,
    Reload,
}

impl Signals {
    pub fn catch() -> anyhow::Result<Self> {
        let catch = |kind| signal(kind).context("cannot catch signals");
        Ok(Self {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
            hang_up: catch(SignalKind::hangup())?,
        })
    }

    /// SIGTERM or Ctrl-C.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }
}

/// Serves until told to stop; `read` reads the configuration again. Gives the one in force then.
pub async fn until_stopped(
    server: &mut Server,
    mut config: Config,
    read: impl Fn() -> anyhow::Result<Config>,
    logs: &Logs,
    signals: &mut Signals,
) -> Config {
    let watchdog = notify::alive_every();
    let mut tick = tokio::time::interval(watchdog.unwrap_or(NO_WATCHDOG));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    notify::ready();
    loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop => return config,
                Asked::Reload => {
                    notify::reloading();
                    config = reload(server, config, &read, logs).await;
                    notify::ready();
                }
            },
            _ = tick.tick() => {
                if watchdog.is_some() && is_alive(server).await {
                    notify::alive();
                }
            }
        }
    }
}

/// The runtime turns and a task that owns state answers. The database is not asked: without it
/// calls go on, and a restart would end them.
async fn is_alive(server: &Server) -> bool {
    let floor = &server.board.house().floor;
    tokio::time::timeout(ALIVE_WITHIN, floor.everybody()).await.is_ok()
}

/// Takes over what can be, and names the rest; no call is touched.
async fn reload(
    server: &mut Server,
    config: Config,
    read: &impl Fn() -> anyhow::Result<Config>,
    logs: &Logs,
) -> Config {
    let new = match read() {
        Ok(new) => new,
        Err(error) => {
            tracing::error!("reload: nothing is changed: {error:#}");
            return config;
        }
    };
    let found = Difference::between(&config, &new);
    let mut next = config.clone();
    let mut applied = Vec::new();
    for name in &found.live {
        match apply(name, server, &mut next, &new, logs).await {
            Ok(()) => applied.push(*name),
            Err(error) => tracing::error!("reload: {name} stays as it was: {error:#}"),
        }
    }
    let list = |names: &[&str]| match names {
        [] => "nothing".to_owned(),
        names => names.join(", "),
    };
    let (changed, waits) = (list(&applied), list(&found.at_start));
    tracing::info!("reload: changed: {changed}; waits for the next start: {waits}");
    next
}

async fn apply(
    name: &str,
    server: &mut Server,
    next: &mut Config,
    new: &Config,
    logs: &Logs,
) -> anyhow::Result<()> {
    match name {
        "metrics" => {
            server.serve_metrics(new.metrics).await?;
            next.metrics = new.metrics;
        }
        "log" => {
            logs.follow(new)?;
            next.log.clone_from(&new.log);
        }
        // Read when the server is told to stop.
        "drain_s" => next.drain_s = new.drain_s,
        other => anyhow::bail!("there is no way to change {other}"),
    }
    Ok(())
}

/// Ends the server; a second signal ends it at once. What is committed by then stays committed,
/// and calls cut so are closed by the next start.
pub async fn stop(server: Server, drain_s: u64, signals: &mut Signals) -> ExitCode {
    notify::stopping(drain_s);
    let live = server.board.house().register.live_calls();
    tracing::info!(drain_s, live, "stopping: no new calls");
    tokio::select! {
        () = server.stop(Duration::from_secs(drain_s)) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        () = signals.stop() => {
            tracing::warn!("stopped at once; calls that were live are cut");
            ExitCode::FAILURE
        }
    }
}
