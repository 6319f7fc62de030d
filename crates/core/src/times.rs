//! The times of a call (`metrics.md` 5a): what holds between two inputs is counted once, so that
//! every sum is a union of half-open intervals on the monotonic clock.
//!
//! It is told what holds (`Holding`) and by whom; it knows no seats and no plan.

use crate::time::Mono;
use crate::view::TimingView;

/// What is true of a call from one instant until the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    pub queued: bool,
    pub ringing: bool,
    /// A: an agent and the customer are connected both ways.
    pub agent_talks: bool,
    /// B, by mode: a supervisor is connected to the customer both ways.
    pub barge: bool,
    pub takeover: bool,
    /// H: the customer hears hold treatment because of a mark or a lost owner.
    pub held: bool,
    /// C: the customer waits while the agent consults.
    pub consulting: bool,
    pub whisper: bool,
    pub listen: bool,
}

impl Holding {
    /// (A ∪ B) \ H
    const fn talk(&self) -> bool {
        (self.agent_talks || self.barge || self.takeover) && !self.held
    }
    /// (H ∪ C) \ talk
    const fn hold(&self) -> bool {
        (self.held || self.consulting) && !self.talk()
    }
    /// In no part of the identity that has a name; an IVR or a transfer in flight.
    const fn other(&self) -> bool {
        !(self.queued || self.ringing || self.talk() || self.hold())
    }
}

/// Sums in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub duration_us: u64,
    pub queue_us: u64,
    pub ring_us: u64,
    pub talk_us: u64,
    pub hold_us: u64,
    pub other_us: u64,
    pub whisper_us: u64,
    pub listen_us: u64,
    pub barge_us: u64,
    pub takeover_us: u64,
    /// Of talk: with an agent, and with a supervisor; both at once counts in both.
    pub agent_share_us: u64,
    pub supervisor_share_us: u64,
    pub hold_count: u32,
}

#[derive(Clone, Debug)]
pub struct Times {
    since: Mono,
    holding: Holding,
    sums: Sums,
    over: bool,
}

impl Times {
    pub fn start(at: Mono, holding: Holding) -> Self {
        Self { since: at, holding, sums: Sums::default(), over: false }
    }

    /// From `at` on, this holds. An instant before the last one counts as the last one.
    pub fn turn(&mut self, at: Mono, holding: Holding) {
        if self.over {
            return;
        }
        self.sums = self.sums_at(at);
        self.since = self.since.max(at);
        if holding.hold() && !self.holding.hold() {
            self.sums.hold_count += 1;
        }
        self.holding = holding;
    }

    /// The customer's leg is released: nothing is counted after this.
    pub fn end(&mut self, at: Mono) {
        self.turn(at, self.holding);
        self.over = true;
    }

    pub fn sums_at(&self, at: Mono) -> Sums {
        let mut sums = self.sums;
        if self.over {
            return sums;
        }
        let (us, h) = (at.since(self.since), self.holding);
        let count = |holds: bool, sum: &mut u64| *sum += if holds { us } else { 0 };
        count(true, &mut sums.duration_us);
        count(h.queued, &mut sums.queue_us);
        count(h.ringing && !h.queued, &mut sums.ring_us);
        count(h.talk(), &mut sums.talk_us);
        count(h.hold(), &mut sums.hold_us);
        count(h.other(), &mut sums.other_us);
        count(h.whisper, &mut sums.whisper_us);
        count(h.listen, &mut sums.listen_us);
        count(h.barge, &mut sums.barge_us);
        count(h.takeover, &mut sums.takeover_us);
        count(h.talk() && h.agent_talks, &mut sums.agent_share_us);
        count(h.talk() && (h.barge || h.takeover), &mut sums.supervisor_share_us);
        sums
    }

    pub fn view(&self, at: Mono) -> TimingView {
        let sums = self.sums_at(at);
        let ms = |us: u64| us / 1_000;
        let named = ms(sums.queue_us) + ms(sums.ring_us) + ms(sums.talk_us) + ms(sums.hold_us);
        TimingView {
            duration_ms: ms(sums.duration_us),
            queue_ms: ms(sums.queue_us),
            ring_ms: ms(sums.ring_us),
            talk_ms: ms(sums.talk_us),
            hold_ms: ms(sums.hold_us),
            whisper_ms: ms(sums.whisper_us),
            listen_ms: ms(sums.listen_us),
            barge_ms: ms(sums.barge_us),
            takeover_ms: ms(sums.takeover_us),
            other_ms: ms(sums.duration_us).saturating_sub(named),
        }
    }
}
