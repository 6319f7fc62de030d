//! What is logged and how that is changed while the server runs. One readable line each, on
//! standard error; who keeps them is the service manager's business.

use crate::config::Config;
use anyhow::anyhow;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

type Change = Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>;

pub struct Logs {
    change: Option<Change>,
}

/// Libraries that warn of what anybody can send, a line for each piece of a datagram and from
/// within a media thread (ICE, WebRTC, DTLS); or print whole messages at info, and at warn races
/// that are none (SIP).
const QUIET: &str = "rsipstack=error,is=error,str0m=error,dimpl=error";

/// `UNDERTONE_LOG` wins over the file.
fn filter(config: &Config) -> EnvFilter {
    let asked = std::env::var("UNDERTONE_LOG").ok().or_else(|| config.log.clone());
    let asked = asked.unwrap_or_else(|| "info,sqlx=warn".into());
    EnvFilter::new(format!("{asked},{QUIET}"))
}

impl Logs {
    pub fn start(config: &Config) -> Logs {
        let lines = tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .with_env_filter(filter(config))
            .with_filter_reloading();
        let handle = lines.reload_handle();
        // Somebody logs already: a test that runs a command in its own process.
        let started = lines.try_init().is_ok();
        let change = move |filter| {
            handle
                .reload(filter)
                .map_err(|error: tracing_subscriber::reload::Error| error.to_string())
        };
        Logs { change: started.then(|| Box::new(change) as Change) }
    }

    pub fn follow(&self, config: &Config) -> anyhow::Result<()> {
        let Some(change) = &self.change else { return Ok(()) };
        change(filter(config)).map_err(|error| anyhow!("the log filter stays as it was: {error}"))
    }
}
