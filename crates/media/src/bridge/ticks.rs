//! The tick, each 20 ms: guards open, mixes go out, silence is filled, reports are sent.

use crate::leg::Leg;
use undertone_core::plan::{EdgeRef, Source};
use undertone_core::time::Mono;

use super::mixing::Tick;
use super::outlet::{Line, Outlet};
use super::packets::digit;
use super::{Bridge, BridgeEvent, Lane, Out};

const TICK_US: u64 = 20_000;
/// Ticks missed in a stall are made up for by calls in a row; more than this are skipped.
const CATCH_UP_US: u64 = 1_200_000;
const SILENT_STEP_MS: u64 = 5_000;

impl Bridge {
    pub fn tick(&mut self, now: Mono, out: &mut dyn Out) {
        let tick = self.when(now);
        for at in 0..self.players.len() {
            if self.players[at].tick() {
                out.event(BridgeEvent::SourceEnded(self.players[at].source));
            }
        }
        self.open_guards(now, out);
        for at in 0..self.slots.0.len() {
            let (seat, id) = (self.slots.0[at].seat, self.slots.0[at].id);
            let Some(mut leg) = self.slots.0[at].leg.take() else { continue };
            self.serve(tick, id, &mut leg, out);
            report(now, seat, &mut leg, self.plan.is_some(), out);
            if leg.rtcp.poll(now, &mut self.rtcp) {
                out.packet(id, Lane::Rtcp, &self.rtcp);
            }
            self.slots.0[at].leg = Some(leg);
        }
        for tap in &mut self.taps {
            let outlet = &mut *tap.outlet;
            outlet.sum.clear();
            outlet.sum_up(tick, tap.rate, &mut self.players);
            outlet.silence_forbidden(now, out);
            out.tap(tap.id, tap.rate, &outlet.pcm);
        }
        self.players.iter_mut().for_each(|p| p.forget_last());
    }

    fn serve(
        &mut self,
        tick: Tick,
        id: undertone_core::id::LegId,
        leg: &mut Leg,
        out: &mut dyn Out,
    ) {
        #[cfg(feature = "faults")]
        self.fault_before(leg);
        let keys = leg.keys.as_mut();
        let pressed = keys.map(|keys| (keys.clock(), keys.tick(leg.sender.line(tick.now))));
        let Leg { sender, rtcp, media, outlet, .. } = leg;
        let Some(outlet) = outlet.as_deref_mut() else { return };
        let mut line = Line { leg: id, sender, rtcp, media, out };
        if let Some((clock, events)) = pressed {
            events.iter().flatten().for_each(|e| outlet.press(tick.now, clock, e, &mut line));
        }
        outlet.tick(tick, &mut line, &mut self.players, &self.slots);
    }

    #[cfg(feature = "faults")]
    fn fault_before(&mut self, leg: &mut Leg) {
        let Some(outlet) = leg.outlet.as_deref_mut() else { return };
        outlet.sum.clear();
        if self.fault == Some(super::Fault::SharedBuffer) {
            let others = self.slots.0.iter().filter_map(|s| s.leg.as_deref()?.outlet.as_deref());
            if let Some(other) = others.rev().find(|o| o.is_mixing()) {
                outlet.sum.extend_from_slice(&other.sum);
            }
        }
    }

    /// Ticks made up for after a stall count as if they had come in time, so that what waited is
    /// played as it was meant; unless too many were missed.
    fn when(&mut self, now: Mono) -> Tick {
        let (called, before) = (now.since(self.ticked), self.due);
        self.ticked = now;
        let due = match before {
            Some(due) if now.since(due) <= CATCH_UP_US => due.plus_us(TICK_US).min(now),
            _ => now,
        };
        let lags = now.since(due) > TICK_US + TICK_US / 4 && called > TICK_US / 2;
        self.lagging = if lags { self.lagging + 1 } else { 0 };
        let due = if self.lagging >= 2 { now } else { due };
        self.due = Some(due);
        Tick { now, due }
    }

    /// An edge whose guard let something through opens now, and what lasted until then closes in
    /// the same tick.
    fn open_guards(&mut self, now: Mono, out: &mut dyn Out) {
        let mut opened: smallvec::SmallVec<[EdgeRef; 2]> = smallvec::SmallVec::new();
        let legs = self.slots.0.iter_mut().filter_map(|s| s.leg.as_mut()?.outlet.as_deref_mut());
        for outlet in legs.chain(self.taps.iter_mut().map(|tap| &mut *tap.outlet)) {
            open_in(outlet, &mut opened);
        }
        if opened.is_empty() {
            return;
        }
        self.each_outlet(|rate, outlet, sources| {
            let here = opened.iter().any(|edge| edge.listener == outlet.listener);
            if outlet.row.close_until(&opened) || here {
                outlet.arrange(now, rate, sources);
            }
        });
        let version = self.version();
        for edge in opened {
            out.event(BridgeEvent::GuardPassed { edge, version });
        }
    }
}

fn open_in(outlet: &mut Outlet, opened: &mut smallvec::SmallVec<[EdgeRef; 2]>) {
    let Outlet { row, strands, .. } = outlet;
    for e in row.edges.iter_mut().filter(|e| e.lives()) {
        let Some(guard) = e.guard.as_mut().filter(|g| !g.is_open()) else { continue };
        let strand = strands.iter().find(|s| s.source == e.edge.source);
        let came = match (strand.and_then(|s| s.playout.as_ref()), e.edge.source) {
            (Some(playout), _) => !playout.jitter.is_empty(),
            // A sound of ours has no past that could be late.
            (None, Source::Seat(_)) => false,
            (None, _) => true,
        };
        if came {
            guard.open();
            opened.push(e.edge.name());
        }
    }
}

/// What core waits for, or should know of a leg.
fn report(
    now: Mono,
    seat: undertone_core::id::SeatId,
    leg: &mut Leg,
    in_force: bool,
    out: &mut dyn Out,
) {
    if let Some(heard) = leg.digits.quiet(now.since(leg.digit_at)) {
        out.event(digit(seat, heard));
    }
    if let Some(proof) = leg.proof {
        let lately = leg.last_in.is_some_and(|at| now.since(at) <= 1_000_000);
        if in_force
            && leg.connected
            && leg.sender.sent() >= proof.from + 3
            && (lately || !proof.incoming)
        {
            leg.proof = None;
            out.event(BridgeEvent::AudioProven { seat, incoming: proof.incoming });
        }
    }
    let silent = now.since(leg.last_in.unwrap_or(leg.silent_since)) / 1_000;
    if leg.media.receives && silent >= leg.silent_told + SILENT_STEP_MS {
        leg.silent_told = silent - silent % SILENT_STEP_MS;
        out.event(BridgeEvent::LegSilent { seat, for_ms: leg.silent_told });
    }
}
