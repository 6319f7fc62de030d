//! The legs, taps and sounds of one call under one plan. Packets and ticks in; packets, tap frames
//! and events out. It obeys the plan: it knows no role and no mode, no socket and no clock.

pub(crate) mod digits;
pub(crate) mod forward;
pub(crate) mod heard;
pub(crate) mod mixing;
pub(crate) mod outlet;
mod packets;
pub(crate) mod row;
mod ticks;

use crate::leg::Leg as MediaLeg;
use crate::sound::Player;
use outlet::{Outlet, SourceInfo, Sources};
use std::sync::Arc;
use undertone_core::id::{BridgeId, LegId, SeatId, TapId};
use undertone_core::plan::{EdgeRef, HearingPlan, Listener, PlanVersion, Source};
use undertone_core::time::Mono;

pub use crate::leg::{Leg, LegConfig, LegStats};
pub use crate::sound::Sound;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    Rtp,
    Rtcp,
}

/// Takes what a bridge gives out, at once.
pub trait Out {
    fn packet(&mut self, leg: LegId, lane: Lane, bytes: &[u8]);
    fn tap(&mut self, tap: TapId, rate: u32, pcm: &[i16]);
    fn event(&mut self, event: BridgeEvent);
}

#[derive(Clone, Debug, PartialEq)]
pub enum BridgeEvent {
    PlanInForce(PlanVersion),
    /// The edge has opened, under the plan of that version.
    GuardPassed {
        edge: EdgeRef,
        version: PlanVersion,
    },
    AudioProven {
        seat: SeatId,
        incoming: bool,
    },
    /// A leg's telephone event began or ended, whether or not the plan routes it to anybody.
    Digit {
        seat: SeatId,
        event: u8,
        started: bool,
    },
    /// A sound came to its end.
    SourceEnded(Source),
    /// A packet for the listener held what it must never hear; it went out silent.
    PrivacyAlarm {
        listener: Listener,
        source: Source,
    },
    /// Nothing has come in on the leg for so long; said every 5 s.
    LegSilent {
        seat: SeatId,
        for_ms: u64,
    },
    /// Said by the engine of a browser's leg: its far end can be reached, or not any more.
    LegConnected {
        seat: SeatId,
    },
    LegLost {
        seat: SeatId,
    },
    /// No sound comes from a browser though its leg is there; and it comes (again).
    LegQuiet {
        seat: SeatId,
    },
    LegHeard {
        seat: SeatId,
    },
    /// Said by the engine: the bridge ended.
    Panicked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BridgeConfig {
    pub id: BridgeId,
    pub seed: u64,
}

pub(crate) struct Slot {
    pub(crate) seat: SeatId,
    pub(crate) id: LegId,
    /// Out of its place while its own listener is being served.
    pub(crate) leg: Option<Box<MediaLeg>>,
}

pub(crate) struct Slots(pub(crate) Vec<Slot>);

impl Sources for Slots {
    fn get(&self, seat: SeatId) -> Option<SourceInfo<'_>> {
        let slot = self.0.iter().find(|slot| slot.seat == seat)?;
        Some(slot.leg.as_deref()?.info())
    }
}

struct Tap {
    id: TapId,
    rate: u32,
    outlet: Box<Outlet>,
}

pub struct Bridge {
    config: BridgeConfig,
    plan: Option<Arc<HearingPlan>>,
    slots: Slots,
    taps: Vec<Tap>,
    players: Vec<Player>,
    generation: u32,
    /// When the last tick was due, and when it was.
    due: Option<Mono>,
    ticked: Mono,
    lagging: u8,
    rtcp: Vec<u8>,
    #[cfg(feature = "faults")]
    fault: Option<Fault>,
}

/// Breaks on purpose, for tests of the tests.
#[cfg(feature = "faults")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// All listeners sum into one buffer, which nobody clears.
    SharedBuffer,
}

impl Bridge {
    pub fn new(now: Mono, config: BridgeConfig) -> Self {
        Self {
            config,
            plan: None,
            slots: Slots(Vec::new()),
            taps: Vec::new(),
            players: Vec::new(),
            generation: 0,
            due: None,
            ticked: now,
            lagging: 0,
            rtcp: Vec::new(),
            #[cfg(feature = "faults")]
            fault: None,
        }
    }

    #[cfg(feature = "faults")]
    pub fn break_on_purpose(&mut self, fault: Fault) {
        self.fault = Some(fault);
    }

    pub fn id(&self) -> BridgeId {
        self.config.id
    }
    /// Of the plan in force; 0 before the first.
    pub fn version(&self) -> PlanVersion {
        self.plan.as_ref().map_or(PlanVersion(0), |plan| plan.version)
    }

    pub fn attach(&mut self, now: Mono, seat: SeatId, mut leg: Leg, out: &mut dyn Out) {
        self.slots.0.retain(|slot| slot.seat != seat);
        self.generation += 1;
        leg.enter(now, Listener::Seat(seat), self.generation);
        self.slots.0.push(Slot { seat, id: leg.id(), leg: Some(Box::new(leg)) });
        if let Some(plan) = self.plan.clone() {
            self.take_plan(now, &plan, out);
        }
    }

    /// Gives the leg back, and what others still hold of it goes.
    pub fn detach(&mut self, now: Mono, seat: SeatId) -> Option<Leg> {
        let at = self.slots.0.iter().position(|slot| slot.seat == seat)?;
        let mut leg = *self.slots.0.remove(at).leg?;
        leg.outlet = None;
        self.each_outlet(|rate, outlet, sources| {
            outlet.strands.retain(|s| s.source != Source::Seat(seat));
            if outlet.way == outlet::Way::Forward(seat) {
                outlet.forwarding.leave();
            }
            outlet.arrange(now, rate, sources);
        });
        Some(leg)
    }

    pub fn leg_mut(&mut self, seat: SeatId) -> Option<&mut Leg> {
        let slot = self.slots.0.iter_mut().find(|slot| slot.seat == seat)?;
        slot.leg.as_deref_mut()
    }

    fn leg(&self, seat: SeatId) -> Option<&Leg> {
        self.slots.0.iter().find(|slot| slot.seat == seat)?.leg.as_deref()
    }

    /// A tap's frames come with each tick from now on, silent until the plan names it.
    pub fn open_tap(&mut self, tap: TapId, rate: u32) {
        self.close_tap(tap);
        let mut outlet = Box::new(Outlet::new(Listener::Tap(tap)));
        if let Some(plan) = &self.plan {
            let now = self.due.unwrap_or(self.ticked);
            outlet.row.take(now, outlet.listener, plan, &self.slots);
            outlet.arrange(now, rate, &self.slots);
        }
        self.taps.push(Tap { id: tap, rate, outlet });
    }

    pub fn close_tap(&mut self, tap: TapId) {
        self.taps.retain(|t| t.id != tap);
    }

    /// The sound runs from the first plan that names it; setting it again starts it again.
    pub fn set_source(&mut self, source: Source, sound: Box<dyn Sound>) {
        self.players.retain(|p| p.source != source);
        let mut player = Player::new(source, sound);
        player.named = self.names(source);
        self.players.push(player);
    }

    fn names(&self, source: Source) -> bool {
        let edges = self.plan.iter().flat_map(|plan| &plan.edges);
        edges.into_iter().any(|e| e.source == source && e.audio)
    }

    /// Puts a plan in force. An older one than that in force is ignored.
    pub fn apply(&mut self, now: Mono, plan: Arc<HearingPlan>, out: &mut dyn Out) {
        if self.plan.as_ref().is_some_and(|have| have.version > plan.version) {
            return;
        }
        self.take_plan(now, &plan, out);
        out.event(BridgeEvent::PlanInForce(plan.version));
        self.plan = Some(plan);
        for at in 0..self.players.len() {
            let source = self.players[at].source;
            self.players[at].named |= self.names(source);
        }
    }

    fn take_plan(&mut self, now: Mono, plan: &HearingPlan, _out: &mut dyn Out) {
        self.each_outlet(|_, outlet, sources| {
            let listener = outlet.listener;
            outlet.row.take(now, listener, plan, sources);
        });
        // What lasts until an edge that is open already has come to its end.
        let open = self.open_edges();
        self.each_outlet(|rate, outlet, sources| {
            outlet.row.close_until(&open);
            outlet.arrange(now, rate, sources);
        });
    }

    fn open_edges(&self) -> Vec<EdgeRef> {
        let legs = self.slots.0.iter().filter_map(|slot| slot.leg.as_ref()?.outlet.as_deref());
        let all = legs.chain(self.taps.iter().map(|tap| &*tap.outlet));
        let edges = all.flat_map(|o| o.row.edges.iter().filter(|e| e.is_open()));
        edges.map(|e| e.edge.name()).collect()
    }

    /// Each listener in turn, with all other legs as its sources.
    fn each_outlet(&mut self, mut work: impl FnMut(u32, &mut Outlet, &Slots)) {
        for at in 0..self.slots.0.len() {
            let Some(mut leg) = self.slots.0[at].leg.take() else { continue };
            let rate = leg.rate();
            if let Some(outlet) = leg.outlet.as_deref_mut() {
                work(rate, outlet, &self.slots);
            }
            self.slots.0[at].leg = Some(leg);
        }
        for tap in &mut self.taps {
            work(tap.rate, &mut tap.outlet, &self.slots);
        }
    }

    /// Reports `AudioProven` once sound has gone to the seat, and come from it if `incoming`.
    pub fn prove(&mut self, seat: SeatId, incoming: bool) {
        if let Some(leg) = self.leg_mut(seat) {
            let from = leg.sender.sent();
            leg.proof = Some(crate::leg::Proof { incoming, from });
        }
    }

    /// Sends a telephone event of our own to the seat's far end.
    pub fn press(&mut self, seat: SeatId, event: u8, duration_ms: u16) -> bool {
        self.leg_mut(seat).is_some_and(|leg| leg.key(event, duration_ms))
    }

    /// Who was in what this seat was sent over the last 300 ms, and how loud, in dBFS: measured
    /// there, not read from the plan.
    pub fn hears(&self, seat: SeatId) -> Vec<(Source, f32)> {
        self.leg(seat).map_or_else(Vec::new, |leg| leg.levels(self.ticked))
    }

    pub fn stats(&self, seat: SeatId) -> Option<LegStats> {
        self.leg(seat).map(Leg::stats)
    }

    pub fn seats(&self) -> impl Iterator<Item = SeatId> + '_ {
        self.slots.0.iter().map(|slot| slot.seat)
    }
}
