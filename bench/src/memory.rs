//! Memory a call: how much more a fresh process holds with so many calls up than another fresh one
//! with half of them. What is there once (connections to the database, arenas, code) and what
//! calls that ended left behind is in neither difference.

use crate::phones::Phones;
use crate::process::Pinned;
use crate::rounds::{Kind, set_up, tear_down};
use crate::server::Server;
use anyhow::{Context, Result};
use std::path::Path;

const CALLS: usize = 400;

/// Kilobytes.
pub struct Memory {
    pub plain_call: f64,
    /// Two dialogs of the SIP library alone.
    pub bare_call: f64,
}

pub async fn measure(binary: &Path, core: usize, phones: &Phones) -> Result<Memory> {
    let (mut plain, mut bare) = ([0; 2], [0; 2]);
    for (at, calls) in [CALLS / 2, CALLS].into_iter().enumerate() {
        let server = Server::start(binary, core, phones.address(), CALLS)?;
        let up = set_up(Kind::Plain, calls, &server, phones).await?;
        plain[at] = server.process.rss_kb()?;
        tear_down(up).await?;
        bare[at] = bare_rss_kb(core, phones, calls).await?;
    }
    let slope = |kb: [u64; 2]| (kb[1] as f64 - kb[0] as f64) / (CALLS - CALLS / 2) as f64;
    Ok(Memory { plain_call: slope(plain), bare_call: slope(bare) })
}

async fn bare_rss_kb(core: usize, phones: &Phones, calls: usize) -> Result<u64> {
    let args = ["bare".to_owned(), phones.address().to_string()];
    let (process, lines) = Pinned::start(core, &std::env::current_exe()?, &args, 1)?;
    let sip = lines.first().and_then(|l| l.split_whitespace().last()).context("no address")?;
    let sip = sip.parse()?;
    let mut up = Vec::with_capacity(calls);
    for n in 0..calls {
        up.push(phones.call(n, sip, (9, 9)).await.with_context(|| format!("bare call {n}"))?);
    }
    let held = process.rss_kb()?;
    for call in &up {
        call.customer.dialog.bye();
    }
    Ok(held)
}
