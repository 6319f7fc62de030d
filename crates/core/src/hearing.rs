//! Who hears whom: seats in, the whole plan out. The only place where this is decided; a pair
//! that is not named here is silent (`docs/HEARING.md` has the same in prose).
//!
//! | listener ↓ speaker → | customer | agent | listen | whisper | barge | takeover |
//! |---|---|---|---|---|---|---|
//! | customer | others of the room | yes | never | never | yes | yes |
//! | agent | yes | other agents | never | if a target | yes | yes |
//! | supervisor | yes | yes | no | by policy, unless private | yes | yes |
//!
//! Over the table lie, in this order: a leg not connected has no edge, but that a caller hears the
//! early media of who is called; nothing passes between rooms; a held party hears its treatment
//! only; who is held, muted or listening only is heard by nobody; the negotiated direction of a
//! leg takes edges away and never adds one.
//!
//! It does not know why a seat is as it is, nor what time it is. `never.rs` is asked for the
//! second opinion that travels with the plan; the two share the type `Seat` and nothing else.

use crate::id::SeatId;
use crate::never::never;
use crate::plan::{Edge, EdgeRef, HearingPlan, Listener, Opens, PlanVersion, Source};
use crate::seat::{Early, Part, Seat, Sounds, TapRow, TapSeat};
use crate::view::Mode;
use std::collections::{BTreeMap, BTreeSet};

/// What of the layered policy bears on hearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HearingPolicy {
    /// Supervisors hear each other's whispers.
    pub supervisors_hear_each_other: bool,
}

impl Default for HearingPolicy {
    fn default() -> Self {
        Self { supervisors_hear_each_other: true }
    }
}

/// What the next plan must know of those before it: whose microphones were live, which voices
/// were open, and which guards have run out. The call owns one from its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Every seat that was ever connected; seats are never reused, and one that lost its leg may
    /// have gone on talking.
    live: BTreeSet<SeatId>,
    /// The voices of the last plan; tones and music are never guarded.
    voices: BTreeMap<EdgeRef, Voice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Voice {
    opens: Opens,
    /// The plan that first named it, without a gap since.
    since: PlanVersion,
    passed: bool,
}

impl Voice {
    fn is_open(self) -> bool {
        self.opens == Opens::AtOnce || self.passed
    }
}

impl Before {
    /// Remembers a plan that is on its way to the bridge, and the seats it was made from.
    pub fn follow(&mut self, seats: &[Seat], plan: &HearingPlan) {
        self.live.extend(seats.iter().filter(|s| s.connected).map(|s| s.id));
        let voices = plan.edges.iter().filter(|e| matches!(e.source, Source::Seat(_)));
        self.voices = voices
            .map(|e| {
                let new = Voice { opens: e.opens, since: plan.version, passed: false };
                (e.name(), self.voices.get(&e.name()).copied().unwrap_or(new))
            })
            .collect();
    }

    /// The bridge reports that a guard has run out, under the plan `version`. False if that edge
    /// is not waiting: closed since, or closed and opened anew by a later plan. Then there is
    /// nothing to do; otherwise a new plan is due.
    pub fn guard_passed(&mut self, edge: EdgeRef, version: PlanVersion) -> bool {
        match self.voices.get_mut(&edge) {
            Some(voice) if !voice.is_open() && voice.since <= version => {
                voice.passed = true;
                true
            }
            _ => false,
        }
    }

    /// A microphone that was open elsewhere before it came here.
    pub fn was_live(&mut self, seat: SeatId) {
        self.live.insert(seat);
    }

    /// The edges of the last plan whose guard has not run out.
    pub fn guards(&self) -> impl Iterator<Item = EdgeRef> + '_ {
        self.voices.iter().filter(|(_, v)| !v.is_open()).map(|(name, _)| *name)
    }

    /// Keeps an edge's mark as long as the edge lasts, so that a bridge that skipped a plan still
    /// starts the guard (invariant 4). A supervisor's microphone is taken for live before its
    /// leg connects: it is opened in listen first, and a phone is spoken into while it rings.
    fn voice(&self, source: &Seat, listener: &Seat) -> Voice {
        let was_live = self.live.contains(&source.id) || matches!(source.part, Part::Supervisor(_));
        let guarded = was_live && listener.part == Part::Customer;
        let opens = if guarded { Opens::AfterGuard } else { Opens::AtOnce };
        let new = Voice { opens, since: PlanVersion::default(), passed: false };
        self.voices.get(&name(source, listener)).copied().unwrap_or(new)
    }
}

/// Who hears whom, given who sits where. Edges come sorted, no pair twice; equal questions have
/// equal answers.
pub fn hearing(
    seats: &[Seat],
    taps: &[TapSeat],
    sounds: &Sounds,
    policy: &HearingPolicy,
    before: &Before,
    version: PlanVersion,
) -> HearingPlan {
    let call = Call { seats, sounds, policy, before };
    let mut edges = Vec::new();
    for listener in seats {
        call.row(listener, &mut edges);
    }
    for tap in taps {
        call.tap_row(tap, &mut edges);
    }
    edges.sort_unstable_by_key(|e| (e.listener, e.source));
    edges.dedup_by_key(|e| (e.listener, e.source));
    HearingPlan { version, edges, never: never(seats, taps, sounds) }
}

struct Call<'a> {
    seats: &'a [Seat],
    sounds: &'a Sounds,
    policy: &'a HearingPolicy,
    before: &'a Before,
}

impl Call<'_> {
    /// All that one party hears.
    fn row(&self, listener: &Seat, edges: &mut Vec<Edge>) {
        if !listener.receives {
            return;
        }
        let first = edges.len();
        for source in self.seats {
            if self.heard(source, listener) {
                edges.extend(self.voice_edge(source, listener));
            }
        }
        if !listener.connected {
            return;
        }
        let mut prompted = false;
        for (_, prompt) in self.sounds.prompts.iter().filter(|(to, _)| *to == listener.id) {
            edges.push(sound(Source::Prompt(*prompt), listener, None));
            prompted = true;
        }
        let treated = self.treatment(listener, &edges[first..]);
        if let Some(until) = treated.filter(|_| !prompted) {
            edges.push(sound(Source::Music(self.sounds.music), listener, until));
        }
        if listener.part == Part::Agent && listener.held_by.is_empty() {
            for (_, tone) in self.sounds.beeps.iter().filter(|(to, _)| *to == listener.id) {
                edges.push(sound(Source::Tone(*tone), listener, None));
            }
        }
    }

    /// Whether the source's voice may reach the listener, whoever else is there.
    fn heard(&self, source: &Seat, listener: &Seat) -> bool {
        source.id != listener.id
            && source.room == listener.room
            && (source.connected && listener.connected || is_early(source, listener))
            && source.sends
            && can_speak(source)
            && listener.receives
            && listener.held_by.is_empty()
            && self.table(source, listener)
    }

    fn table(&self, source: &Seat, listener: &Seat) -> bool {
        let Part::Supervisor(speaker) = &source.part else {
            return true;
        };
        match (speaker.mode, &listener.part) {
            (Mode::Listen, _) => false,
            (Mode::Whisper, Part::Customer) => false,
            (Mode::Whisper, Part::Agent) => speaker.targets.contains(&listener.id),
            (Mode::Whisper, Part::Supervisor(_)) => self.shares_whisper(source),
            (Mode::Barge | Mode::Takeover, _) => true,
        }
    }

    /// Whether other supervisors hear this one's whisper. A private one would give itself away.
    fn shares_whisper(&self, source: &Seat) -> bool {
        let private = matches!(&source.part, Part::Supervisor(s) if s.private);
        self.policy.supervisors_hear_each_other && !private
    }

    /// An edge for a voice that may be heard; none if it has given way to another.
    fn voice_edge(&self, source: &Seat, listener: &Seat) -> Option<Edge> {
        let mut until = None;
        if let Some(other) = self.successor(source, listener) {
            if self.is_open(other, listener) {
                return None;
            }
            until = Some(name(other, listener));
        }
        Some(Edge {
            source: Source::Seat(source.id),
            listener: Listener::Seat(listener.id),
            audio: true,
            events: self.events(source, listener),
            gain_cdb: 0,
            opens: self.before.voice(source, listener).opens,
            until,
        })
    }

    /// The seat that is to be heard by this customer in place of `source`, if it can be. Of two
    /// that would give way to each other neither does.
    fn successor(&self, source: &Seat, customer: &Seat) -> Option<&Seat> {
        if customer.part != Part::Customer {
            return None;
        }
        let other = self.seats.iter().find(|s| Some(s.id) == source.gives_way_to)?;
        (other.gives_way_to.is_none() && self.heard(other, customer)).then_some(other)
    }

    fn is_open(&self, source: &Seat, listener: &Seat) -> bool {
        self.heard(source, listener) && self.before.voice(source, listener).is_open()
    }

    /// Telephone events pass between a customer and the customer's party only (`hearing.md`).
    fn events(&self, source: &Seat, listener: &Seat) -> bool {
        match (&source.part, &listener.part) {
            (Part::Customer, Part::Customer) => false,
            (Part::Customer, _) => self.is_party_of(listener, source),
            // Who takes over may dial from the tick in which the voice opens.
            (_, Part::Customer) => {
                let may_follow = is_owner(source) || source.part == Part::Agent;
                let follows = |s: &Seat| {
                    self.is_party_of(s, listener)
                        && self.successor(s, listener).is_some_and(|o| o.id == source.id)
                };
                self.is_party_of(source, listener) || may_follow && self.seats.iter().any(follows)
            }
            _ => false,
        }
    }

    /// Whether `seat` is the customer's party: the owner of a takeover, else the agents. While
    /// one gives way to the other, it is whoever the customer hears.
    fn is_party_of(&self, seat: &Seat, customer: &Seat) -> bool {
        let here = |s: &Seat| s.connected && s.room == customer.room;
        if !here(seat) || matches!(&seat.part, Part::Customer) {
            return false;
        }
        let gave_way = |s: &Seat| match self.successor(s, customer) {
            Some(other) => self.is_open(other, customer),
            None => false,
        };
        if is_owner(seat) {
            let agent_stays_till_then = self
                .seats
                .iter()
                .any(|s| here(s) && s.part == Part::Agent && s.gives_way_to == Some(seat.id));
            return !gave_way(seat) && (!agent_stays_till_then || self.is_open(seat, customer));
        }
        if seat.part != Part::Agent {
            return false;
        }
        self.seats.iter().filter(|s| here(s) && is_owner(s)).all(|owner| {
            let takes_from_us = seat.gives_way_to == Some(owner.id);
            let returns_to_us = owner.gives_way_to == Some(seat.id);
            (takes_from_us && !self.is_open(owner, customer)) || (returns_to_us && gave_way(owner))
        })
    }

    /// Whether hold treatment is due to a party that hears these voices, and until which of them
    /// opens. A customer always hears someone or this (invariant 8); an agent hears it when held,
    /// and when left alone in a room while the call goes on in another.
    fn treatment(&self, listener: &Seat, heard: &[Edge]) -> Option<Option<EdgeRef>> {
        if !listener.held_by.is_empty() {
            return Some(None);
        }
        let mut voices = heard.iter().filter(|e| matches!(e.source, Source::Seat(_)));
        match &listener.part {
            Part::Customer => {
                let opened = |e: &Edge| {
                    let known = self.before.voices.get(&e.name());
                    e.opens == Opens::AtOnce || known.is_some_and(|v| v.is_open())
                };
                if voices.clone().any(opened) {
                    return None;
                }
                Some(voices.map(Edge::name).min())
            }
            Part::Agent => {
                let party = |s: &&Seat| {
                    s.id != listener.id && s.connected && !matches!(s.part, Part::Supervisor(_))
                };
                let mut others = self.seats.iter().filter(party).peekable();
                let alone = others.peek().is_some() && others.all(|s| s.room != listener.room);
                (alone && voices.next().is_none()).then_some(None)
            }
            Part::Supervisor(_) => None,
        }
    }

    /// All that one tap takes. A tap takes sound only.
    fn tap_row(&self, tap: &TapSeat, edges: &mut Vec<Edge>) {
        for source in self.seats {
            if source.connected && source.sends && can_speak(source) && self.taken(source, tap) {
                edges.push(Edge {
                    source: Source::Seat(source.id),
                    listener: Listener::Tap(tap.id),
                    audio: true,
                    events: false,
                    gain_cdb: 0,
                    opens: Opens::AtOnce,
                    until: None,
                });
            }
        }
    }

    fn taken(&self, source: &Seat, tap: &TapSeat) -> bool {
        let spoken_in = match &source.part {
            Part::Customer | Part::Agent => None,
            Part::Supervisor(s) => Some(s.mode),
        };
        match tap.hears {
            TapRow::Listen(room) => source.room == room && self.taken_live(source, spoken_in),
            TapRow::Track(of) => {
                let aloud = matches!(spoken_in, None | Some(Mode::Barge | Mode::Takeover));
                source.id == of && aloud
            }
            TapRow::Whisper(of) => source.id == of && spoken_in == Some(Mode::Whisper),
        }
    }

    fn taken_live(&self, source: &Seat, spoken_in: Option<Mode>) -> bool {
        match spoken_in {
            Some(Mode::Listen) => false,
            Some(Mode::Whisper) => self.shares_whisper(source),
            None | Some(Mode::Barge | Mode::Takeover) => true,
        }
    }
}

fn can_speak(seat: &Seat) -> bool {
    seat.held_by.is_empty() && seat.muted_by.is_empty() && seat.listening_by.is_empty()
}

/// Before the answer a caller hears what the called network plays, and nobody else hears anything.
fn is_early(source: &Seat, listener: &Seat) -> bool {
    let supervises = |seat: &Seat| matches!(seat.part, Part::Supervisor(_));
    !source.connected
        && !listener.connected
        && source.early == Some(Early::Heard)
        && listener.early == Some(Early::Hears)
        && !supervises(source)
        && !supervises(listener)
}

fn is_owner(seat: &Seat) -> bool {
    matches!(&seat.part, Part::Supervisor(s) if s.mode == Mode::Takeover)
}

fn name(source: &Seat, listener: &Seat) -> EdgeRef {
    EdgeRef { source: Source::Seat(source.id), listener: Listener::Seat(listener.id) }
}

fn sound(source: Source, listener: &Seat, until: Option<EdgeRef>) -> Edge {
    Edge {
        source,
        listener: Listener::Seat(listener.id),
        audio: true,
        events: false,
        gain_cdb: 0,
        opens: Opens::AtOnce,
        until,
    }
}
