//! What happened, counted, and everything that should not have.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Failures whose text is kept; all are counted.
const KEPT: usize = 30;

#[derive(Debug, Default)]
pub struct Tally {
    pub talked: AtomicU64,
    pub abandoned: AtomicU64,
    pub refused: AtomicU64,
    pub to_nobody: AtomicU64,
    pub lost: AtomicU64,
    pub supervisions: AtomicU64,
    pub changes: AtomicU64,
    /// Answers that a call's end explains.
    pub overtaken: AtomicU64,
    pub not_begun: AtomicU64,
    /// Windows of 40 ms at customers of supervised calls.
    pub listened: AtomicU64,
    /// Windows at their agents that held the whisper: that it was said, and would be heard.
    pub whispered: AtomicU64,
    failed: AtomicU64,
    why: Mutex<Vec<String>>,
    scripts: Mutex<Vec<Script>>,
}

/// One call as its script saw it, for the books at the end.
#[derive(Clone, Debug)]
pub struct Script {
    pub customer: String,
    /// When its INVITE went, and when its end was seen; milliseconds since 1970.
    pub began_ms: i64,
    pub ended_ms: i64,
    pub answered: bool,
    /// What hold by the agent's phone alone comes to, at least and at most; None where others
    /// could hold too.
    pub held_ms: Option<(i64, i64)>,
}

pub fn count(of: &AtomicU64) -> u64 {
    of.load(Ordering::Relaxed)
}

pub fn add(to: &AtomicU64) {
    to.fetch_add(1, Ordering::Relaxed);
}

impl Tally {
    pub fn nobody_free(&self) {
        add(&self.not_begun);
    }

    pub fn fail(&self, what: String) {
        add(&self.failed);
        let mut why = self.why.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if why.len() < KEPT {
            why.push(what);
        }
    }

    /// A call that broke while it should have gone on.
    pub fn lose(&self, what: String) {
        add(&self.lost);
        self.fail(what);
    }

    pub fn failures(&self) -> (u64, Vec<String>) {
        let why = self.why.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (count(&self.failed), why.clone())
    }

    pub fn note(&self, script: Script) {
        self.scripts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(script);
    }

    pub fn scripts(&self) -> Vec<Script> {
        self.scripts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub fn calls(&self) -> u64 {
        [&self.talked, &self.abandoned, &self.refused, &self.to_nobody].map(count).iter().sum()
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap_or_default().as_millis() as i64
}
