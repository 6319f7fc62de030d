//! A switchboard in virtual time for the tests of the call: it does what effects ask, after the
//! delays set here, and watches what must hold after every single input.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use undertone_core::access::{Actor, Right};
use undertone_core::audit::AuditEntry;
use undertone_core::call::*;
use undertone_core::contact::Contact;
use undertone_core::directory::{Device, Directory, Facts, Person};
use undertone_core::id::*;
use undertone_core::number::Number;
use undertone_core::plan::*;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing::Outside;
use undertone_core::time::{Mono, Now, Wall};
use undertone_core::traffic::PlaceAsked;
use undertone_core::view::*;

pub(crate) const AGENT: SeatId = Call::CALLEE;
pub(crate) const CUSTOMER: SeatId = Call::CALLER;

pub(crate) fn person(name: &str) -> PersonId {
    PersonId::parse(name).unwrap()
}

/// The session of the pages by which this person acts.
pub(crate) fn session(name: &str) -> SessionId {
    SessionId::parse(&format!("ses-{name}")).unwrap()
}

pub(crate) fn sup(n: u64) -> SupervisionId {
    SupervisionId::parse(&format!("s{n}")).unwrap()
}

pub(crate) fn directory() -> Directory {
    let mut facts = Facts::empty(OrgId::parse("org").unwrap());
    facts.policy.codes.on = true;
    let rights: BTreeSet<Right> = Right::ALL.iter().copied().collect();
    for (n, name) in ["ana", "bo", "mia", "noor", "olu", "pat"].iter().enumerate() {
        let (id, extension) = (person(name), Some(format!("20{n}")));
        let rights = if n < 2 { BTreeSet::new() } else { rights.clone() };
        let known = Person { id: id.clone(), name: name.to_string(), extension, rights };
        facts.people.insert(id.clone(), known);
        let device = DeviceId::parse(&format!("{name}-phone")).unwrap();
        let extension = Some(format!("20{n}"));
        let contact = Contact::parse(&format!("sip:{name}@127.0.0.1:5080")).ok();
        let (name, owner) = (device.to_string(), Some(id));
        let net = Net::Internal;
        let (id, account) = (device.clone(), None);
        let made = Device { id, name, extension, owner, contact, account, net };
        facts.devices.insert(device, made);
    }
    // The other telephones of two of them.
    for (name, extension) in [("ana", "210"), ("mia", "212")] {
        let desk = DeviceId::parse(&format!("{name}-phone")).unwrap();
        let id = DeviceId::parse(&format!("{name}-soft-phone")).unwrap();
        let (extension, contact) = (Some(extension.to_owned()), None);
        let desk = facts.devices[&desk].clone();
        facts.devices.insert(id.clone(), Device { id, extension, contact, ..desk });
    }
    Directory::new(facts)
}

pub(crate) fn actor(name: &str, dir: &Directory) -> Actor {
    Actor {
        person: person(name),
        name: name.to_owned(),
        key: Some(KeyId::parse(&format!("key-{name}")).unwrap()),
        session: Some(session(name)),
        channel: Channel::Api,
        origin: "127.0.0.1".to_owned(),
        rights: dir.people[&person(name)].rights.clone(),
    }
}

/// What the world does by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    pub(crate) commits: bool,
    pub(crate) forces: bool,
    pub(crate) proves: bool,
    pub(crate) answers: bool,
    pub(crate) passes: bool,
    /// A place is found at once; else after a while.
    pub(crate) places: bool,
}

pub(crate) struct World {
    pub(crate) now_us: u64,
    pub(crate) call: Call,
    pub(crate) dir: Directory,
    pub(crate) habits: Habits,
    due: BTreeMap<(u64, u64), Due>,
    serial: u64,
    pub(crate) replies: BTreeMap<RequestId, Vec<Answer>>,
    pub(crate) asked: BTreeSet<RequestId>,
    pub(crate) rows: BTreeMap<RowId, AuditEntry>,
    pub(crate) committed: BTreeSet<RowId>,
    pub(crate) plan: Arc<HearingPlan>,
    guards: BTreeMap<EdgeRef, u64>,
    pub(crate) passed: BTreeSet<EdgeRef>,
    pub(crate) legs: BTreeSet<SeatId>,
    pub(crate) taps: BTreeSet<TapId>,
    pub(crate) timers: BTreeSet<TimerId>,
    pub(crate) sources: Vec<Source>,
    pub(crate) record: Option<CallRecord>,
    pub(crate) proofs: VecDeque<(SeatId, bool)>,
    pub(crate) log: Vec<String>,
    /// Each REFER: who sent it, and what was said about it.
    pub(crate) refers: BTreeMap<ReferId, (SeatId, Vec<Said>)>,
    /// Where each called seat was called.
    pub(crate) called_at: BTreeMap<SeatId, DialTarget>,
    /// The next join asks to be answered at `connecting`.
    pub(crate) early: bool,
    /// The next join comes with a leg that called us.
    pub(crate) dialled: bool,
    /// The next join by a browser's phone is asked for by an API key.
    pub(crate) keyed: bool,
    /// What is asked of another call, or of an arrived leg.
    pub(crate) outbox: Vec<Effect>,
    /// What joins follow.
    pub(crate) follows: Follow,
    /// Who is on this call, as the floor has been told.
    pub(crate) busy: BTreeSet<PersonId>,
    /// Seats for which something is counted.
    pub(crate) counted: BTreeSet<SeatId>,
    /// What was given back unused, in all.
    pub(crate) unused: usize,
    /// Found at once, and to be told after the turn.
    found: VecDeque<Input>,
}

/// What the sender of a REFER is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Accepted,
    Refused(u16),
    Notified(u16, bool),
}

#[derive(Clone, Debug)]
enum Due {
    Input(Input),
    Timer(TimerId),
    Guard(EdgeRef),
}

impl World {
    /// An inbound call from a customer to Ana.
    pub(crate) fn inbound() -> Self {
        Self::inbound_as("eu.n1.1.call")
    }

    fn inbound_as(id: &str) -> Self {
        let customer = NewParty {
            device: DeviceId::parse("a-customers-phone").ok(),
            number: "+4512345678".into(),
            name: "a customer".into(),
            net: Net::External,
            leg: PartyLeg::Arrived,
        };
        Self::start_as(id, customer, Self::phone_of("ana"))
    }

    /// Ana calls Bo.
    pub(crate) fn internal() -> Self {
        let caller = NewParty { leg: PartyLeg::Arrived, ..Self::phone_of("bo") };
        Self::start(caller, Self::phone_of("ana"))
    }

    fn said(&mut self, refer: ReferId, what: Said) {
        self.refers.get_mut(&refer).expect("a REFER that was sent").1.push(what);
    }

    pub(crate) fn phone_of(name: &str) -> NewParty {
        let device = DeviceId::parse(&format!("{name}-phone")).unwrap();
        NewParty {
            device: Some(device.clone()),
            number: name.into(),
            name: name.into(),
            net: Net::Internal,
            leg: PartyLeg::ToDial(DialTarget::Device(device)),
        }
    }

    pub(crate) fn start(caller: NewParty, callee: NewParty) -> Self {
        Self::start_as("eu.n1.1.call", caller, callee)
    }

    /// Ana, who called, talks with this one.
    pub(crate) fn consulting(id: &str, to: &str) -> Self {
        let caller = NewParty { leg: PartyLeg::Arrived, ..Self::phone_of("ana") };
        let mut world = Self::start_as(id, caller, Self::phone_of(to));
        world.run_ms(100);
        world
    }

    pub(crate) fn start_as(id: &str, caller: NewParty, callee: NewParty) -> Self {
        let dir = directory();
        let by_trunk = matches!(callee.leg, PartyLeg::ToDial(DialTarget::Trunk(_)));
        let new = NewCall {
            id: CallId::parse(id).unwrap(),
            caller,
            callee,
            queue: None,
            campaign: None,
            request: None,
            by: None,
        };
        let (call, effects) = Call::new(Now::default(), new, &dir);
        let commits = Habits {
            commits: true,
            forces: true,
            proves: true,
            answers: true,
            passes: true,
            places: true,
        };
        let mut world = Self {
            now_us: 0,
            call,
            dir,
            habits: commits,
            due: BTreeMap::new(),
            serial: 0,
            replies: BTreeMap::new(),
            asked: BTreeSet::new(),
            rows: BTreeMap::new(),
            committed: BTreeSet::new(),
            plan: Arc::default(),
            guards: BTreeMap::new(),
            passed: BTreeSet::new(),
            legs: BTreeSet::from([CUSTOMER]),
            taps: BTreeSet::new(),
            timers: BTreeSet::new(),
            sources: Vec::new(),
            record: None,
            proofs: VecDeque::new(),
            log: Vec::new(),
            refers: BTreeMap::new(),
            called_at: BTreeMap::new(),
            early: false,
            dialled: false,
            keyed: false,
            outbox: Vec::new(),
            follows: Follow::Call,
            busy: BTreeSet::new(),
            counted: BTreeSet::new(),
            unused: 0,
            found: VecDeque::new(),
        };
        if by_trunk {
            world.counted.insert(Call::CALLEE);
        }
        world.perform(effects);
        world
    }

    /// Phones that ring already, too.
    pub(crate) fn nobody_answers(&mut self) {
        self.habits.answers = false;
        let phones = |due: &Due| {
            let Due::Input(input) = due else { return false };
            matches!(input, Input::LegRinging { .. } | Input::LegAnswered { .. })
        };
        self.due.retain(|_, due| !phones(due));
    }

    /// A call that talks since `now`.
    pub(crate) fn talking() -> Self {
        Self::talking_as("eu.n1.1.call")
    }

    /// Of two alike the one with the lower id is the older.
    pub(crate) fn talking_as(id: &str) -> Self {
        let mut world = Self::inbound_as(id);
        world.run_ms(100);
        assert_eq!(world.view().state, CallState::Talking);
        world
    }

    pub(crate) fn now(&self) -> Now {
        Now { mono: Mono(self.now_us), wall: Wall((self.now_us / 1_000) as i64) }
    }

    pub(crate) fn view(&self) -> CallView {
        self.call.view(self.now())
    }

    pub(crate) fn supervision(&self, n: u64) -> SupervisionView {
        self.call.supervision_view(&sup(n)).expect("a supervision")
    }

    pub(crate) fn seat(&self, n: u64) -> SeatId {
        self.supervision(n).seat.expect("a seat")
    }

    fn later(&mut self, after_us: u64, due: Due) {
        self.serial += 1;
        self.due.insert((self.now_us + after_us, self.serial), due);
    }

    /// One input, now; everything that must hold is looked at after it.
    pub(crate) fn feed(&mut self, input: Input) {
        let before = self.call.is_over();
        self.log.push(format!("{:>9} {input:?}", self.now_us));
        if let Input::RowCommitted { row } = &input {
            self.committed.insert(*row);
        }
        if let Input::LegEnded { seat, .. } | Input::LegFailed { seat, .. } = &input {
            self.legs.remove(seat);
        }
        if let Input::TapEnded { tap, .. } = &input {
            self.taps.remove(tap);
        }
        if let Some(request) = request_of(&input) {
            assert!(self.asked.insert(request), "the test itself asks twice");
        }
        let effects = self.call.handle(self.now(), input, &self.dir);
        if before {
            let harmless = |e: &Effect| {
                matches!(
                    e,
                    Effect::Reply { .. } | Effect::WriteRow { .. } | Effect::GiveBack { .. }
                )
            };
            assert!(effects.iter().all(harmless), "after the end: {effects:?}");
        }
        self.perform(effects);
        crate::call_laws::hold(self);
        if let Some(found) = self.found.pop_front() {
            self.feed(found);
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.log.push(format!("          -> {effect:?}"));
            assert!(self.record.is_none() || self.call.is_over(), "Ended is the last");
            self.perform_one(effect);
        }
    }

    fn perform_one(&mut self, effect: Effect) {
        match effect {
            Effect::Place(wish) => self.find(*wish),
            Effect::GiveBack { seat, unused } => {
                self.unused += usize::from(self.counted.remove(&seat) && unused);
            }
            Effect::Dial { seat, to, .. } => {
                let by_trunk = matches!(to, DialTarget::Trunk(_));
                assert_eq!(by_trunk, self.counted.contains(&seat), "what is called is counted");
                self.legs.insert(seat);
                self.called_at.insert(seat, to);
                if self.habits.answers {
                    self.later(10_000, Due::Input(Input::LegRinging { seat }));
                    self.later(20_000, Due::Input(Input::LegAnswered { seat }));
                }
            }
            Effect::Adopt { seat, .. } => {
                self.legs.insert(seat);
            }
            Effect::AnswerLeg { seat } => {
                self.later(5_000, Due::Input(Input::LegAnswered { seat }));
            }
            Effect::EarlyLeg { seat } => {
                self.later(5_000, Due::Input(Input::LegEarly { seat, is_on: true }));
            }
            Effect::RejectLeg { seat, .. } | Effect::HangUpLeg { seat, .. } => {
                self.legs.remove(&seat);
            }
            Effect::WriteRow { row, entry, gates } => {
                assert!(self.rows.insert(row, *entry).is_none(), "a row's number is used once");
                if self.habits.commits {
                    self.later(3_000, Due::Input(Input::RowCommitted { row }));
                }
                let _ = gates;
            }
            Effect::ApplyPlan(plan) => self.apply(plan),
            Effect::StartSource { source, .. } => self.sources.push(source),
            Effect::OpenTap { tap, .. } => {
                self.taps.insert(tap);
                if self.habits.proves {
                    self.later(60_000, Due::Input(Input::TapLive { tap }));
                }
            }
            Effect::CloseTap { tap, .. } => {
                self.taps.remove(&tap);
            }
            Effect::ProveAudio { seat, incoming } => {
                self.proofs.push_back((seat, incoming));
                if self.habits.proves {
                    self.later(60_000, Due::Input(Input::AudioProven { seat, incoming }));
                }
            }
            Effect::Reply { request, result } => {
                assert!(request.0 < 1 << 63, "a key's answer stays inside");
                self.replies.entry(request).or_default().push(result);
            }
            Effect::StartTimer { timer, after_ms } => {
                assert!(self.timers.insert(timer), "a timer's number is used once");
                self.later(after_ms * 1_000, Due::Timer(timer));
            }
            Effect::StopTimer { timer } => {
                assert!(self.timers.remove(&timer), "only running timers are stopped");
            }
            Effect::Ended(record) => self.record = Some(*record),
            Effect::AgentBusy { person } => drop(self.busy.insert(person)),
            Effect::AgentFree { person } => drop(self.busy.remove(&person)),
            Effect::RingLeg { .. } | Effect::Changed => {}
            other => self.perform_a_move(other),
        }
    }

    /// What transfers and merges ask for.
    fn perform_a_move(&mut self, effect: Effect) {
        match effect {
            Effect::AcceptRefer { refer, .. } => self.said(refer, Said::Accepted),
            Effect::RefuseRefer { refer, code, .. } => self.said(refer, Said::Refused(code)),
            Effect::NotifyRefer { refer, code, last, .. } => {
                self.said(refer, Said::Notified(code, last));
            }
            Effect::HandOver(given) => {
                given.merged.guests.iter().for_each(|guest| {
                    self.legs.remove(&guest.seat);
                    self.counted.remove(&guest.seat);
                });
                if let Some((_, refer)) = &given.merged.refer {
                    self.refers.remove(refer);
                }
                self.outbox.push(Effect::HandOver(given));
            }
            Effect::TakeLeg { seat, guest } => {
                self.legs.insert(seat);
                self.outbox.push(Effect::TakeLeg { seat, guest });
            }
            Effect::ReplaceLeg { .. }
            | Effect::RefuseArrival { .. }
            | Effect::AskToGiveUp { .. }
            | Effect::Say(_)
            | Effect::DropGuest { .. } => self.outbox.push(effect),
            other => panic!("an effect that this world does not know: {other:?}"),
        }
    }

    /// As the bridge does: an edge that was not there and opens after its guard starts one.
    fn apply(&mut self, plan: Arc<HearingPlan>) {
        assert!(plan.version > self.plan.version, "versions rise");
        let names: BTreeSet<_> = plan.edges.iter().map(Edge::name).collect();
        self.guards.retain(|edge, _| names.contains(edge));
        self.passed.retain(|edge| names.contains(edge));
        let old: BTreeSet<_> = self.plan.edges.iter().map(Edge::name).collect();
        for edge in plan.edges.iter().filter(|edge| !old.contains(&edge.name())) {
            if edge.opens == Opens::AfterGuard {
                self.guards.insert(edge.name(), self.now_us);
                if self.habits.passes {
                    self.later(250_000, Due::Guard(edge.name()));
                }
            }
        }
        if self.habits.forces {
            let version = plan.version;
            self.later(2_000, Due::Input(Input::PlanInForce { version }));
        }
        self.plan = plan;
    }

    /// Sound passes on this edge: named, and neither waiting for its guard nor closed by the
    /// edge that it lasts until.
    pub(crate) fn hears(&self, listener: SeatId, source: SeatId) -> bool {
        let name = EdgeRef { source: Source::Seat(source), listener: Listener::Seat(listener) };
        self.plan
            .edges
            .iter()
            .any(|edge| edge.name() == name && edge.audio && self.is_open(edge.name(), edge.opens))
    }

    pub(crate) fn is_open(&self, name: EdgeRef, opens: Opens) -> bool {
        opens == Opens::AtOnce || self.passed.contains(&name)
    }

    pub(crate) fn hears_music(&self, listener: SeatId) -> bool {
        let to = Listener::Seat(listener);
        let music = |edge: &&Edge| matches!(edge.source, Source::Music(_)) && edge.listener == to;
        self.plan.edges.iter().any(|edge| music(&edge))
    }

    pub(crate) fn run_ms(&mut self, ms: u64) {
        let until = self.now_us + ms * 1_000;
        while let Some(((at, serial), _)) = self.due.first_key_value() {
            let key = (*at, *serial);
            if key.0 > until {
                break;
            }
            let due = self.due.remove(&key).unwrap();
            self.now_us = self.now_us.max(key.0);
            match due {
                Due::Input(input) => self.feed(input),
                Due::Timer(timer) => {
                    if self.timers.remove(&timer) {
                        self.feed(Input::Deadline { timer });
                    }
                }
                Due::Guard(edge) => {
                    if self.guards.get(&edge).is_some_and(|at| at + 250_000 <= self.now_us) {
                        self.guards.remove(&edge);
                        self.passed.insert(edge);
                        let version = self.plan.version;
                        self.feed(Input::GuardPassed { edge, version });
                    }
                }
            }
        }
        self.now_us = until;
    }

    /// As the exchange: the first name that leads anywhere is the seat's.
    fn find(&mut self, wish: PlaceAsked) {
        let mut found = Err(Refusal::because(Reason::NoRoute));
        for to in &wish.to {
            found = found.or_else(|_| Self::routed(to, wish.outside));
        }
        let seat = wish.seat;
        let by_trunk =
            |party: &NewParty| matches!(party.leg, PartyLeg::ToDial(DialTarget::Trunk(_)));
        if found.as_ref().is_ok_and(by_trunk) {
            self.counted.insert(seat);
        }
        let placed = Input::Placed { seat, found };
        if self.habits.places {
            self.found.push_back(placed);
        } else {
            self.later(50_000, Due::Input(placed));
        }
    }

    /// Something is being looked for.
    pub(crate) fn places_now(&self) -> bool {
        let placed = |due: &Due| matches!(due, Due::Input(Input::Placed { .. }));
        !self.found.is_empty() || self.due.values().any(placed)
    }

    /// Whom routing finds at this name: a phone of ours, one of nobody's, one outside, or none.
    fn routed(to: &str, outside: bool) -> Result<NewParty, Refusal> {
        match to {
            "nobody" => Err(Refusal::because(Reason::NoRoute)),
            "mobile" if outside => Ok(Self::outside()),
            "mobile" => Err(Refusal::because(Reason::OutboundDenied)),
            _ => Ok(Self::phone_of(to)),
        }
    }

    /// A number that a trunk leads to.
    pub(crate) fn outside() -> NewParty {
        let outside = Outside {
            trunk: TrunkId::parse("carrier").unwrap(),
            number: Number::parse("+4599").unwrap(),
            then: Vec::new(),
            emergency: false,
            transparent: false,
        };
        NewParty {
            device: None,
            number: "+4599".into(),
            name: "+4599".into(),
            net: Net::External,
            leg: PartyLeg::ToDial(DialTarget::Trunk(outside)),
        }
    }
}

fn request_of(input: &Input) -> Option<RequestId> {
    match input {
        Input::Join(join) => Some(join.request),
        Input::Change(change) => Some(change.request),
        Input::AgentAction { request, .. } => Some(*request),
        Input::Assist(assist) => Some(assist.request),
        Input::TransferAsked(asked) => match &asked.by {
            TransferBy::Desk { request, .. } => Some(*request),
            TransferBy::Phone { .. } => None,
        },
        Input::Leave { request, .. }
        | Input::HangUp { request, .. }
        | Input::Hold { request, .. }
        | Input::Resume { request, .. } => *request,
        _ => None,
    }
}
