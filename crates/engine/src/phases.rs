//! When bridges tick: every 20 ms each, spread over ten phases of 2 ms, so that a thread's work
//! comes in small portions and packets are forwarded between them. Knows slots, not bridges.

use undertone_core::time::Mono;

pub(crate) const PHASES: usize = 10;
const PHASE_US: u64 = 2_000;
const TICK_US: u64 = PHASE_US * PHASES as u64;
/// Ticks made up for after a stall; what is older is given up. One second: a listener's mix then
/// comes late but whole, as forwarded packets do.
const CATCH_UP_TICKS: u64 = 50;

#[derive(Default)]
pub(crate) struct Phases {
    slots: [Vec<u32>; PHASES],
    due: [Mono; PHASES],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) phase: usize,
    pub(crate) late_us: u64,
    pub(crate) skipped: u64,
}

impl Phases {
    /// Gives the slot a place in the emptiest phase.
    pub(crate) fn join(&mut self, now: Mono, slot: u32) -> usize {
        let lengths = self.slots.iter().map(Vec::len).enumerate();
        let phase = lengths.min_by_key(|(_, len)| *len).map_or(0, |(phase, _)| phase);
        if self.slots[phase].is_empty() {
            let grid = now.0 / TICK_US * TICK_US + phase as u64 * PHASE_US;
            let ahead = if grid > now.0 { grid } else { grid + TICK_US };
            self.due[phase] = Mono(ahead);
        }
        self.slots[phase].push(slot);
        phase
    }

    pub(crate) fn leave(&mut self, phase: usize, slot: u32) {
        if let Some(at) = self.slots[phase].iter().position(|s| *s == slot) {
            self.slots[phase].swap_remove(at);
        }
    }

    pub(crate) fn len(&self, phase: usize) -> usize {
        self.slots[phase].len()
    }

    pub(crate) fn slot(&self, phase: usize, at: usize) -> Option<u32> {
        self.slots[phase].get(at).copied()
    }

    pub(crate) fn next_due(&self) -> Option<Mono> {
        self.earliest().map(|phase| self.due[phase])
    }

    fn earliest(&self) -> Option<usize> {
        (0..PHASES).filter(|p| !self.slots[*p].is_empty()).min_by_key(|p| self.due[*p])
    }

    /// The earliest phase whose time has come, and moves it on by one tick.
    pub(crate) fn take_due(&mut self, now: Mono) -> Option<Due> {
        let phase = self.earliest()?;
        let due = self.due[phase];
        if due > now {
            return None;
        }
        let late_us = now.since(due);
        let skipped = (late_us / TICK_US).saturating_sub(CATCH_UP_TICKS);
        self.due[phase] = due.plus_us(TICK_US * (1 + skipped));
        Some(Due { phase, late_us, skipped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bridges_spread_evenly_over_the_phases() {
        let mut phases = Phases::default();
        for slot in 0..25 {
            phases.join(Mono(1), slot);
        }
        let lengths: Vec<usize> = (0..PHASES).map(|p| phases.len(p)).collect();
        assert!(lengths.iter().all(|l| (2..=3).contains(l)), "{lengths:?}");
    }

    #[test]
    fn each_phase_comes_once_in_20_ms_in_its_order() {
        let mut phases = Phases::default();
        for slot in 0..10 {
            phases.join(Mono(7), slot);
        }
        let mut seen = Vec::new();
        while let Some(due) = phases.take_due(Mono(20_007)) {
            seen.push((due.phase, due.late_us));
        }
        let expected: Vec<(usize, u64)> =
            (1..10).map(|p| (p, 20_007 - p as u64 * 2_000)).chain([(0, 7)]).collect();
        assert_eq!(seen, expected);
        assert_eq!(phases.next_due(), Some(Mono(22_000)));
    }

    #[test]
    fn a_stall_is_caught_up_with_but_not_without_bound() {
        let mut phases = Phases::default();
        phases.join(Mono(0), 1);
        let (now, mut ticks, mut skipped) = (Mono(10_000_000), 0, 0);
        while let Some(due) = phases.take_due(now) {
            ticks += 1;
            skipped += due.skipped;
        }
        assert_eq!(ticks + skipped, 500, "every tick of ten seconds is accounted for");
        assert_eq!(ticks, CATCH_UP_TICKS + 1);
        assert!(phases.next_due().is_some_and(|d| d > now));
    }

    #[test]
    fn an_empty_thread_waits_for_nothing() {
        let mut phases = Phases::default();
        let phase = phases.join(Mono(0), 1);
        phases.leave(phase, 1);
        assert_eq!(phases.next_due(), None);
        assert_eq!(phases.take_due(Mono(1_000_000)), None);
    }
}
