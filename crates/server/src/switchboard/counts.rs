//! Figures of the switchboard for the metrics; nothing is decided by them. Labels are words of
//! ours, of which there is a fixed number: no name and no address of anybody.

use std::sync::atomic::{AtomicU64, Ordering};
use undertone_core::refusal::{Reason, Refusal};

#[derive(Debug, Default)]
pub struct Counts {
    pub calls_started: AtomicU64,
    pub calls_ended: AtomicU64,
    pub calls_failed: AtomicU64,
    pub calls_turned_away: AtomicU64,
    /// Of those: by core's routing, each with its reasons in the audit.
    pub calls_refused: ByReason,
    /// Tapping codes, their PINs among them.
    pub codes_refused: ByReason,
    pub rows_failed: AtomicU64,
}

/// One count for each reason there is.
#[derive(Debug)]
pub struct ByReason([AtomicU64; Reason::ALL.len()]);

impl Default for ByReason {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; Reason::ALL.len()])
    }
}

impl ByReason {
    /// By the first reason, which is the one that is answered.
    pub fn count(&self, refusal: &Refusal) {
        let reason = refusal.reasons.first();
        let at = reason.and_then(|reason| Reason::ALL.iter().position(|known| known == reason));
        if let Some(count) = at.and_then(|at| self.0.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn total(&self) -> u64 {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Those that have happened.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        let named = Reason::ALL.iter().map(|reason| reason.code()).zip(counts);
        named.filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_counts_once_by_its_first_reason() {
        let counts = ByReason::default();
        let both =
            Refusal { reasons: vec![Reason::PinWrong, Reason::NotAllowed], detail: String::new() };
        counts.count(&both);
        counts.count(&both);
        counts.count(&Refusal::because(Reason::TrunkFull));
        assert_eq!(counts.total(), 3);
        assert_eq!(counts.each().collect::<Vec<_>>(), [("pin_wrong", 2), ("trunk_full", 1)]);
    }
}
