//! Whether the audit is whole: its chain is walked beside everything else, seldom, and what was
//! found is kept with its time.

use super::{Vitals, item};
use crate::clock;
use crate::switchboard::Switchboard;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use undertone_api::{HealthItem, HealthState};
use undertone_core::time::Wall;
use undertone_store::Verified;

/// All rows are read for it.
const WALK_EVERY: Duration = Duration::from_secs(3_600);

#[derive(Debug, Default)]
pub(super) struct Chain {
    walks: bool,
    last: Option<Walked>,
}

#[derive(Clone, Debug)]
struct Walked {
    began: Instant,
    at: Wall,
    found: Result<u64, String>,
}

fn rows_of(count: u64) -> String {
    if count == 1 { "1 row".into() } else { format!("{count} rows") }
}

fn lock(chain: &Mutex<Chain>) -> MutexGuard<'_, Chain> {
    chain.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Vitals {
    pub(super) fn audit_chain(&self, board: &Switchboard) -> HealthItem {
        let last = self.walked(board);
        let house = board.house();
        let failed = house.counts.rows_failed.load(Ordering::Relaxed);
        let waiting = house.store.gauges().waiting as u64;
        let mut counts = BTreeMap::new();
        let (mut state, value, mut detail) = match last {
            None => (HealthState::Ok, "being checked".to_owned(), String::new()),
            Some(Walked { found: Ok(rows), at, .. }) => {
                let ago = (clock::now().wall.0 - at.0).max(0) / 60_000;
                counts.extend([("rows", rows), ("checked_min", ago.unsigned_abs())]);
                (
                    HealthState::Ok,
                    format!("{} whole", rows_of(rows)),
                    format!("checked {ago} min ago"),
                )
            }
            Some(Walked { found: Err(why), .. }) => (HealthState::Bad, "broken".to_owned(), why),
        };
        let mut also = |name, count: u64, what: &str| {
            if count > 0 {
                let and = if detail.is_empty() { "" } else { "; " };
                detail += &format!("{and}{} {what}", rows_of(count));
                counts.insert(name, count);
            }
        };
        also(
            "waiting",
            waiting,
            if waiting == 1 { "waits to be written" } else { "wait to be written" },
        );
        also("failed", failed, "could not be written since the start");
        if failed > 0 && state == HealthState::Ok {
            state = HealthState::Warn;
        }
        HealthItem { counts, ..item("audit_chain", state, value, detail) }
    }

    /// What was found last; walks again if that is old, and does not wait for it.
    fn walked(&self, board: &Switchboard) -> Option<Walked> {
        let mut chain = lock(&self.chain);
        let old = chain.last.as_ref().is_none_or(|last| last.began.elapsed() >= WALK_EVERY);
        if old && !std::mem::replace(&mut chain.walks, true) {
            let (store, chain) = (board.house().store.clone(), self.chain.clone());
            tokio::spawn(async move {
                let began = Instant::now();
                let found = store.verify().await;
                let at = clock::now().wall;
                let mut chain = lock(&chain);
                chain.walks = false;
                match found {
                    Ok(Verified::Whole { rows, .. }) => {
                        chain.last = Some(Walked { began, at, found: Ok(rows) });
                    }
                    Ok(Verified::Broken { seq, why }) => {
                        let why = format!("at row {seq}: {why}; see `undertone audit verify`");
                        chain.last = Some(Walked { began, at, found: Err(why) });
                    }
                    // Asked again by the next look; what is known stays known.
                    Err(error) => tracing::warn!(%error, "the audit cannot be read to be checked"),
                }
            });
        }
        chain.last.clone()
    }
}
