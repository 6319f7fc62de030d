//! One call under any inputs in any order, from a switchboard that does not keep its word: it
//! never panics, no plan opens what its own `never` forbids, nobody is answered twice, and the
//! end comes once and is the last.

use crate::bytes::Bytes;
use std::collections::BTreeSet;
use undertone_core::access::{Actor, Right};
use undertone_core::call::{
    Call, Change, DialTarget, Effect, Input, Join, LegEnd, LegFailure, NewCall, NewParty, PartyLeg,
    RequestId, RowId, TapEnd, TimerId,
};
use undertone_core::directory::{Directory, Facts};
use undertone_core::id::{CallId, DeviceId, KeyId, OrgId, PersonId, SeatId, SupervisionId, TapId};
use undertone_core::plan::{EdgeRef, HearingPlan, Listener, PlanVersion, Source};
use undertone_core::seat::Room;
use undertone_core::time::{Mono, Now, Wall};
use undertone_core::view::{AgentAction, AgentAfter, Channel, Extent, Follow, LegKind, Mode, Net};

const WHO: [&str; 5] = ["ana", "bo", "mia", "noor", "nobody"];
const FILE: &str = r#"
[[person]]
id = "ana"
name = "Ana"
[[person]]
id = "bo"
name = "Bo"
[[person]]
id = "mia"
name = "Mia"
rights = ["listen", "whisper", "barge", "takeover"]
[[person]]
id = "noor"
name = "Noor"
rights = ["listen"]
[[device]]
id = "ana-phone"
owner = "ana"
contact = "sip:ana@127.0.0.1:5080"
[[device]]
id = "bo-phone"
owner = "bo"
contact = "sip:bo@127.0.0.1:5081"
[[device]]
id = "mia-phone"
owner = "mia"
contact = "sip:mia@127.0.0.1:5082"
[[device]]
id = "noor-phone"
owner = "noor"
contact = "sip:noor@127.0.0.1:5083"
"#;
/// More than this of one call is not looked at: what happens early happens often.
const INPUTS_MAX: usize = 400;

struct Desk {
    dir: Directory,
    call: Call,
    now: u64,
    plan: PlanVersion,
    asked: u64,
    answered: BTreeSet<RequestId>,
    ended: bool,
}

pub fn call_inputs(data: &[u8]) {
    let mut bytes = Bytes(data);
    let Some(mut desk) = Desk::open(&mut bytes) else { return };
    for _ in 0..INPUTS_MAX {
        if bytes.is_empty() {
            break;
        }
        desk.now += u64::from(bytes.word()) * 500;
        let Some(input) = desk.input(&mut bytes) else { continue };
        desk.feed(input);
    }
    desk.feed(Input::ShutDown);
    assert!(desk.ended && desk.call.is_over(), "told to end, and goes on");
    desk.feed(Input::ShutDown);
    desk.call.view(desk.time());
}

impl Desk {
    fn open(bytes: &mut Bytes<'_>) -> Option<Desk> {
        let provision = undertone::provision::read(FILE).ok()?;
        let mut facts = Facts::empty(OrgId::parse("org").ok()?);
        for person in provision.people {
            facts.people.insert(person.id.clone(), person);
        }
        for device in provision.devices {
            facts.devices.insert(device.id.clone(), device);
        }
        facts.policy.codes.on = bytes.flag();
        let dir = Directory::new(facts);
        let ana = device("ana")?;
        let caller =
            if bytes.flag() { (None, Net::External) } else { (device("bo"), Net::Internal) };
        let party = |device: Option<DeviceId>, net, leg| NewParty {
            number: "1".into(),
            name: "one".into(),
            device,
            net,
            leg,
        };
        let asked = bytes.flag().then_some(RequestId(0));
        let new = NewCall {
            id: CallId::parse("eu.n1.1.call").ok()?,
            caller: party(caller.0, caller.1, PartyLeg::Arrived),
            callee: party(
                Some(ana.clone()),
                Net::Internal,
                PartyLeg::ToDial(DialTarget::Device(ana)),
            ),
            queue: None,
            campaign: None,
            request: asked,
            by: None,
        };
        let (call, effects) = Call::new(Now::default(), new, &dir);
        let (plan, answered) = (PlanVersion(0), BTreeSet::new());
        let mut desk = Desk { dir, call, now: 0, plan, asked: 1, answered, ended: false };
        desk.look_at(effects);
        Some(desk)
    }

    fn time(&self) -> Now {
        Now { mono: Mono(self.now), wall: Wall((self.now / 1_000) as i64) }
    }

    fn feed(&mut self, input: Input) {
        let effects = self.call.handle(self.time(), input, &self.dir);
        self.look_at(effects);
    }

    fn look_at(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let harmless = matches!(effect, Effect::Reply { .. } | Effect::WriteRow { .. });
            assert!(!self.ended || harmless, "after the end: {effect:?}");
            match effect {
                Effect::ApplyPlan(plan) => self.obeys(&plan),
                Effect::Reply { request, .. } => {
                    assert!(self.answered.insert(request), "{request:?} is answered twice");
                }
                Effect::Ended(record) => {
                    let t = record.view.timing;
                    let named = t.queue_ms + t.ring_ms + t.talk_ms + t.hold_ms + t.other_ms;
                    assert_eq!(t.duration_ms, named, "the duration identity");
                    self.ended = true;
                }
                _ => {}
            }
        }
    }

    /// Sorted, no pair twice, newer than the last, and within its own `never`.
    fn obeys(&mut self, plan: &HearingPlan) {
        assert!(plan.version > self.plan, "versions rise");
        self.plan = plan.version;
        let order = |pair: &[undertone_core::plan::Edge]| {
            (pair[0].listener, pair[0].source) < (pair[1].listener, pair[1].source)
        };
        assert!(plan.edges.windows(2).all(order), "{:?}", plan.edges);
        for edge in &plan.edges {
            let banned = plan.never.get(&edge.listener).is_some_and(|n| n.contains(&edge.source));
            assert!(!banned || !edge.audio, "{edge:?} is open and must never be");
        }
    }

    fn input(&mut self, bytes: &mut Bytes<'_>) -> Option<Input> {
        let seat = SeatId(u32::from(bytes.byte() % 12));
        Some(match bytes.byte() % 24 {
            0 => Input::LegRinging { seat },
            1..=3 => Input::LegAnswered { seat },
            4 => Input::LegFailed { seat, why: bytes.one_of(&FAILURES) },
            5 => Input::LegEnded { seat, cause: bytes.one_of(&ENDS) },
            6 => Input::LegDirection { seat, sends: bytes.flag(), receives: bytes.flag() },
            7 => Input::Moved { seat, room: bytes.one_of(&[Room::MAIN, Room(1), Room(9)]) },
            8..=10 => Input::RowCommitted { row: RowId(u64::from(bytes.byte())) },
            11 => Input::RowFailed { row: RowId(u64::from(bytes.byte())) },
            12 => Input::PlanInForce { version: PlanVersion(u64::from(bytes.word())) },
            13 => {
                let source = Source::Seat(SeatId(u32::from(bytes.byte() % 12)));
                let edge = EdgeRef { source, listener: Listener::Seat(seat) };
                Input::GuardPassed { edge, version: self.plan }
            }
            14 => Input::AudioProven { seat, incoming: bytes.flag() },
            15 => Input::TapLive { tap: TapId(u32::from(bytes.byte() % 6)) },
            16 => Input::TapEnded { tap: TapId(u32::from(bytes.byte() % 6)), why: TapEnd::Failed },
            17 => Input::Deadline { timer: TimerId(u64::from(bytes.byte())) },
            18 => Input::Digit { seat, digit: char::from(bytes.byte()) },
            19 => Input::RightsLost { person: person(bytes)?, key: None },
            _ => return self.asking(seat, bytes),
        })
    }

    /// What a person asks for; each asking has a number of its own.
    fn asking(&mut self, seat: SeatId, bytes: &mut Bytes<'_>) -> Option<Input> {
        let request = RequestId(self.asked);
        self.asked += 1;
        let by = self.actor(bytes)?;
        let supervision = SupervisionId::parse(&format!("s{}", bytes.byte() % 6)).ok()?;
        let some = |bytes: &mut Bytes<'_>| bytes.flag().then_some(seat);
        Some(match bytes.byte() % 10 {
            0 => Input::HangUp { by, seat: some(bytes), request: Some(request) },
            1 => Input::Hold { by, seat: some(bytes), request: Some(request) },
            2 => Input::Resume { by, seat: some(bytes), request: Some(request) },
            3 => Input::Leave { request: Some(request), supervision, by },
            4 => {
                let action = bytes.one_of(&ACTIONS);
                Input::AgentAction { request, supervision, by, action }
            }
            5 | 6 => Input::Change(Box::new(Change {
                request,
                supervision,
                by,
                mode: bytes.flag().then(|| bytes.one_of(&MODES)),
                targets: some(bytes).map(|seat| vec![seat]),
                alert: bytes.flag().then(|| bytes.flag()),
                muted: bytes.flag().then(|| bytes.flag()),
                agent_after: bytes.flag().then(|| bytes.one_of(&AFTER)),
                if_version: bytes.flag().then(|| u64::from(bytes.byte())),
            })),
            _ => Input::Join(Box::new(Join {
                request,
                supervision,
                leg: match bytes.byte() % 3 {
                    0 => LegKind::Stream,
                    1 => LegKind::Phone,
                    _ => LegKind::Sip { device: device(bytes.one_of(&WHO))? },
                },
                by,
                mode: bytes.one_of(&MODES),
                targets: some(bytes).into_iter().collect(),
                alert: bytes.flag(),
                private: bytes.flag(),
                agent_after: bytes.flag().then(|| bytes.one_of(&AFTER)),
                reason: String::new(),
                follow: bytes.one_of(&[Follow::Call, Follow::Agent]),
                extent: bytes.one_of(&[Extent::ThisCall, Extent::NextCall, Extent::AllCalls]),
                answer_early: bytes.flag(),
                arrived: bytes.flag(),
            })),
        })
    }

    fn actor(&self, bytes: &mut Bytes<'_>) -> Option<Actor> {
        let person = person(bytes)?;
        let rights = self.dir.people.get(&person).map(|p| p.rights.clone()).unwrap_or_default();
        Some(Actor {
            name: person.to_string(),
            person,
            key: KeyId::parse("key").ok(),
            channel: bytes.one_of(&[Channel::Api, Channel::Dtmf]),
            origin: "127.0.0.1".into(),
            rights: if bytes.flag() { rights } else { Right::ALL.iter().copied().collect() },
        })
    }
}

const MODES: [Mode; 4] = [Mode::Listen, Mode::Whisper, Mode::Barge, Mode::Takeover];
const AFTER: [AgentAfter; 4] =
    [AgentAfter::Removed, AgentAfter::Held, AgentAfter::Listening, AgentAfter::Stays];
const ACTIONS: [AgentAction; 4] =
    [AgentAction::Hold, AgentAction::Resume, AgentAction::Remove, AgentAction::HandBack];
const ENDS: [LegEnd; 4] = [LegEnd::HungUp, LegEnd::Lost, LegEnd::MediaTimeout, LegEnd::Released];
const FAILURES: [LegFailure; 4] =
    [LegFailure::Busy, LegFailure::Unreachable, LegFailure::PortsExhausted, LegFailure::Gone];

fn person(bytes: &mut Bytes<'_>) -> Option<PersonId> {
    PersonId::parse(bytes.one_of(&WHO)).ok()
}

fn device(name: &str) -> Option<DeviceId> {
    DeviceId::parse(&format!("{name}-phone")).ok()
}
