//! One supervisor's stay on one call: its life, its mode and spans, and who is admitted to what.
//!
//! ```text
//!            row committed ─┐
//!  connecting               ├─▶ routed ──audio proven──▶ live ──▶ ended
//!      │     leg answered ──┘      │  (in listen)       ▲    │
//!      └──────────────┬────────────┘              came back  owner of a takeover lost
//!                     ▼                                  │    ▼
//!              failed(reason)                            └─ lost ──20 s──▶ ended
//! ```
//!
//! Knows no seats' edges (hearing.rs) and writes nothing; the call moves it.

use crate::access::{Actor, Right};
use crate::call::input::{RequestId, RowId};
use crate::codes::Keypad;
use crate::id::{PersonId, SeatId, SupervisionId, TapId};
use crate::plan::PlanVersion;
use crate::refusal::Reason;
use crate::time::Now;
use crate::view::{
    AgentAfter, Extent, Follow, LegKind, Mode, RaiseView, SpanView, SupervisionState,
};
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Both must come before anything is heard, in any order.
    Connecting {
        answered: bool,
        committed: bool,
    },
    /// In the plan, in listen; not yet proven.
    Routed,
    Live,
    /// The owner of a takeover, gone without a word; may come back.
    Lost,
    Ended,
    Failed,
}

/// Through what the supervisor hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ear {
    Seat(SeatId),
    Tap(TapId),
}

/// What is asked of a supervision, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub mode: Mode,
    /// Whom a whisper is for; kept, and read in whisper only.
    pub targets: BTreeSet<SeatId>,
    pub muted: bool,
    pub agent_after: AgentAfter,
}

/// What the one pending opening act of a supervision will do once its row is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Become(Wanted),
    ResumeAgent,
}

/// An act that opens an edge and waits for its row, and for sound from the supervisor's phone.
#[derive(Clone, Debug)]
pub struct Pending {
    pub row: RowId,
    pub committed: bool,
    pub act: Act,
    pub by: Actor,
    pub request: Option<RequestId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub mode: Mode,
    pub from: Now,
    pub to: Option<Now>,
}

/// A way to the customer that was asked for, and whether it was ever open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raise {
    pub view: RaiseView,
    /// The last plan without it: what is reported of that one, or of an earlier one, is not of it.
    pub after: PlanVersion,
}

#[derive(Clone, Debug)]
pub struct Supervision {
    pub id: SupervisionId,
    pub by: Actor,
    pub leg: LegKind,
    pub ear: Ear,
    pub life: Life,
    /// What is heard now; `Wanted` of a hand-back that still waits for its guard is in the call.
    pub now: Wanted,
    /// What the join asked for; reached step by step.
    pub want: Wanted,
    pub alert: bool,
    pub private: bool,
    pub follow: Follow,
    pub extent: Extent,
    pub reason: String,
    pub version: u64,
    /// Requests that are answered when the wanted mode is in force: the join's and of changes
    /// that came before it was.
    pub asked: Vec<RequestId>,
    /// The wanted mode has been reached once; before that, a step that fails ends it all.
    pub reached: bool,
    pub pending: Option<Pending>,
    pub incoming_proven: bool,
    pub spans: Vec<Span>,
    pub started: Now,
    pub ended: Option<Now>,
    pub end_reason: Option<&'static str>,
    /// By what the owner of a takeover was lost, while it may come back.
    pub lost_by: &'static str,
    /// By what it came to what it is now, where nobody asked for that.
    pub fell_because: Option<&'static str>,
    pub policy: Vec<(&'static str, String)>,
    pub guard_ms: u32,
    pub last_raise: Option<Raise>,
    /// Notes, flags and bookmarks so far.
    pub marks: u32,
    /// Of the telephone that hears.
    pub keypad: Keypad,
}

impl Supervision {
    pub fn is_over(&self) -> bool {
        matches!(self.life, Life::Ended | Life::Failed)
    }

    /// In the plan: hears, and is heard as its mode says.
    pub fn is_routed(&self) -> bool {
        matches!(self.life, Life::Routed | Life::Live)
    }

    pub fn is_live(&self) -> bool {
        self.life == Life::Live
    }

    /// Live or waiting to come back, and the customer's party.
    pub fn owns_call(&self) -> bool {
        matches!(self.life, Life::Live | Life::Lost) && self.now.mode == Mode::Takeover
    }

    pub fn seat(&self) -> Option<SeatId> {
        match self.ear {
            Ear::Seat(seat) => Some(seat),
            Ear::Tap(_) => None,
        }
    }

    /// An act that is to make the customer hear who was not heard; `after` is the plan of now.
    pub fn begin_raise(&mut self, now: Now, act: &Act, after: PlanVersion) {
        let outward = |mode: Mode| matches!(mode, Mode::Barge | Mode::Takeover);
        if let Act::Become(wanted) = act
            && outward(wanted.mode)
            && !outward(self.now.mode)
        {
            let view = RaiseView { mode: wanted.mode, at: now.wall, heard: false };
            self.last_raise = Some(Raise { view, after });
        }
    }

    /// Ends the present span and begins the next at the same instant, so that spans touch.
    pub fn begin_span(&mut self, now: Now, mode: Mode) {
        if self.spans.last().is_some_and(|span| span.to.is_none() && span.mode == mode) {
            return;
        }
        self.close_span(now);
        self.spans.push(Span { mode, from: now, to: None });
    }

    pub fn close_span(&mut self, now: Now) {
        if let Some(span) = self.spans.last_mut().filter(|span| span.to.is_none()) {
            span.to = Some(now);
        }
    }

    pub fn state(&self) -> SupervisionState {
        match self.life {
            Life::Connecting { .. } | Life::Routed => SupervisionState::Connecting,
            Life::Live | Life::Lost => SupervisionState::Live,
            Life::Ended => SupervisionState::Ended,
            Life::Failed => SupervisionState::Failed,
        }
    }

    pub fn span_views(&self) -> Vec<SpanView> {
        let wall = |now: Now| now.wall;
        let view = |s: &Span| SpanView { mode: s.mode, from: s.from.wall, to: s.to.map(wall) };
        self.spans.iter().map(view).collect()
    }
}

/// The part of a change that only closes edges, and is therefore done at once: nobody hears more
/// than before, nobody hears more than wanted.
///
/// Out of takeover nothing closes before the agent is heard: that is a hand-back.
pub fn meet(now: &Wanted, wanted: &Wanted) -> Wanted {
    use Mode::{Barge, Listen, Takeover, Whisper};
    if now.mode == Takeover {
        return Wanted { muted: now.muted || wanted.muted, ..now.clone() };
    }
    let mode = match (now.mode, wanted.mode) {
        (Listen, _) | (_, Listen) => Listen,
        (Whisper, _) | (_, Whisper) => Whisper,
        (Barge | Takeover, Barge | Takeover) => now.mode,
    };
    let targets: BTreeSet<SeatId> = match (now.mode, wanted.mode) {
        (Whisper, Whisper) => now.targets.intersection(&wanted.targets).copied().collect(),
        (Whisper, _) => now.targets.clone(),
        (_, _) => wanted.targets.clone(),
    };
    let mode = if mode == Whisper && targets.is_empty() { Listen } else { mode };
    Wanted { mode, targets, muted: now.muted || wanted.muted, agent_after: now.agent_after }
}

/// Whether somebody hears the supervisor who does not now. `agents_aside`: an agent is held or
/// listening by a takeover, so that handing back opens an agent's edge.
pub fn opens(now: &Wanted, wanted: &Wanted, agents_aside: bool) -> bool {
    use Mode::{Barge, Listen, Takeover, Whisper};
    let reaches_more = match (now.mode, wanted.mode) {
        (_, Listen) | (Barge, Whisper | Barge) => false,
        (Listen, _) | (Whisper, Barge | Takeover) | (Barge, Takeover) => true,
        (Whisper, Whisper) => !wanted.targets.is_subset(&now.targets),
        (Takeover, Takeover) => {
            let lets_in = matches!(wanted.agent_after, AgentAfter::Listening | AgentAfter::Stays);
            lets_in && wanted.agent_after != now.agent_after
        }
        (Takeover, _) => false,
    };
    let hands_back = now.mode == Takeover && wanted.mode != Takeover && agents_aside;
    reaches_more || hands_back || (now.muted && !wanted.muted)
}

/// An agent's leg on the call, as admission sees it.
#[derive(Clone, Debug)]
pub struct AgentFact {
    pub seat: SeatId,
    pub person: Option<PersonId>,
    pub receives: bool,
}

/// What admission has to know of a call.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub ended: bool,
    pub talking: bool,
    /// Connected legs only.
    pub agents: Vec<AgentFact>,
    pub customers: usize,
    pub customer_held: bool,
    pub seats: usize,
    pub supervisors: usize,
    /// Who is on a supervision that is not over.
    pub attending: Vec<(SupervisionId, PersonId)>,
    pub owner: Option<(SupervisionId, PersonId)>,
    /// Owner of a takeover who is gone and may come back.
    pub lost_owner: Option<PersonId>,
    pub max_supervisors: usize,
    pub max_seats: usize,
}

/// What is asked: a join (`present: None`), or a change of a supervision that exists.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    pub by: &'a Actor,
    pub mode: Mode,
    pub targets: &'a BTreeSet<SeatId>,
    pub stream: bool,
    pub present: Option<&'a SupervisionId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// With the targets that a whisper has: those named, else the call's agents.
    Admitted(BTreeSet<SeatId>),
    /// Every reason that holds, not only the first: the wallboard shows them all.
    Denied(Vec<Reason>),
}

pub fn admit(ask: &Ask, facts: &Facts) -> Admission {
    let mut no = Vec::new();
    let mut deny = |holds: bool, reason: Reason| {
        if holds && !no.contains(&reason) {
            no.push(reason);
        }
    };
    deny(facts.ended, Reason::CallEnded);
    deny(!facts.ended && !facts.talking, Reason::CallNotTalking);
    deny(!ask.by.may(Right::for_mode(ask.mode)), Reason::NotAllowed);
    deny(ask.stream && ask.mode != Mode::Listen, Reason::LegListenOnly);
    if ask.present.is_none() {
        let person = &ask.by.person;
        let coming_back = facts.lost_owner.as_ref() == Some(person);
        let own = facts.agents.iter().any(|agent| agent.person.as_ref() == Some(person));
        deny(own, Reason::OwnCall);
        let attends = facts.attending.iter().any(|(_, who)| who == person);
        deny(attends && !coming_back, Reason::AlreadySupervising);
        deny(facts.supervisors >= facts.max_supervisors, Reason::TooManySupervisors);
        deny(facts.seats >= facts.max_seats, Reason::TooManySeats);
    }
    let targets = match ask.mode {
        Mode::Whisper => whisper_targets(ask, facts, &mut deny),
        Mode::Takeover => {
            deny(facts.customers == 0, Reason::NoCustomer);
            let other = facts.owner.as_ref().is_some_and(|(id, person)| {
                Some(id) != ask.present && facts.lost_owner.as_ref() != Some(person)
            });
            let others_return =
                facts.lost_owner.as_ref().is_some_and(|person| person != &ask.by.person);
            deny(other || others_return, Reason::TakeoverTaken);
            ask.targets.clone()
        }
        Mode::Listen | Mode::Barge => ask.targets.clone(),
    };
    if no.is_empty() { Admission::Admitted(targets) } else { Admission::Denied(no) }
}

fn whisper_targets(
    ask: &Ask,
    facts: &Facts,
    deny: &mut impl FnMut(bool, Reason),
) -> BTreeSet<SeatId> {
    if ask.targets.is_empty() {
        deny(facts.agents.len() > 1 && facts.customers == 0, Reason::TargetRequired);
        let gone = facts.agents.is_empty() && facts.talking;
        deny(gone, Reason::AgentGone);
    }
    let all: BTreeSet<_> = facts.agents.iter().map(|agent| agent.seat).collect();
    let targets = if ask.targets.is_empty() { all.clone() } else { ask.targets.clone() };
    deny(!targets.is_subset(&all), Reason::TargetNotAgent);
    let deaf = |agent: &&AgentFact| targets.contains(&agent.seat) && !agent.receives;
    deny(facts.agents.iter().any(|agent| deaf(&agent)), Reason::TargetNotReceiving);
    targets
}

/// The name of a mode in the audit and the API.
pub const fn mode_code(mode: Mode) -> &'static str {
    match mode {
        Mode::Listen => "listen",
        Mode::Whisper => "whisper",
        Mode::Barge => "barge",
        Mode::Takeover => "takeover",
    }
}

pub const fn agent_after_code(after: AgentAfter) -> &'static str {
    match after {
        AgentAfter::Removed => "removed",
        AgentAfter::Held => "held",
        AgentAfter::Listening => "listening",
        AgentAfter::Stays => "stays",
    }
}
