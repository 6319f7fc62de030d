//! Bytes as inputs of a call: whatever could come, and what no switchboard would send. Each asking
//! has a number of its own, as the switchboard promises.

use crate::bytes::Bytes;
use undertone_core::access::{Actor, Right};
use undertone_core::call::{
    ArrivalId, Assist, AssistAct, Change, DialTarget, Guest, GuestPart, Input, Join, LegEnd,
    LegFailure, MergeAsked, Merged, NewParty, Other, PartyLeg, ReferId, ReplaceAsked, RequestId,
    RowId, TapEnd, TimerId, TransferAsked, TransferBy,
};
use undertone_core::directory::Directory;
use undertone_core::id::{
    CallId, DeviceId, KeyId, MessageId, PersonId, SeatId, SessionId, SupervisionId, TapId,
};
use undertone_core::plan::{EdgeRef, Listener, PlanVersion, Source};
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing::Origin;
use undertone_core::seat::{Mark, Room};
use undertone_core::view::{
    AgentAction, AgentAfter, CallView, Channel, Extent, Follow, HelpReason, LegKind, Mode, Net,
    ReplyWord,
};

const WHO: [&str; 5] = ["ana", "bo", "mia", "noor", "nobody"];
pub(crate) const FILE: &str = r#"
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

#[derive(Default)]
pub(crate) struct Inputs {
    asked: u64,
    supervisions: u64,
}

impl Inputs {
    pub(crate) fn next(
        &mut self,
        dir: &Directory,
        plan: PlanVersion,
        view: &CallView,
        bytes: &mut Bytes<'_>,
    ) -> Option<Input> {
        let seat = SeatId(u32::from(bytes.byte() % 12));
        Some(match bytes.byte() % 34 {
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
                Input::GuardPassed { edge, version: plan }
            }
            14 => Input::AudioProven { seat, incoming: bytes.flag() },
            15 => Input::TapLive { tap: TapId(u32::from(bytes.byte() % 6)) },
            16 => Input::TapEnded { tap: TapId(u32::from(bytes.byte() % 6)), why: TapEnd::Failed },
            17 => Input::Deadline { timer: TimerId(u64::from(bytes.byte())) },
            18 => Input::Digit { seat, digit: char::from(bytes.byte()) },
            19 if seat.0 % 2 == 1 => Input::SignedOut { sessions: session().into_iter().collect() },
            19 => Input::RightsLost { person: person(bytes)?, key: None },
            20 if seat.0 % 2 == 1 => self.assist(dir, bytes)?,
            20 => Input::MediaFailed { seat },
            21 => Input::BridgeFailed,
            22 | 23 => self.transfer(dir, seat, bytes)?,
            24 => self.replaces(seat, bytes),
            25 => self.merging(seat, view, bytes)?,
            26 => self.merged(dir, seat, bytes)?,
            27 | 28 => Input::Placed { seat, found: found(bytes) },
            29 => {
                let why = bytes.one_of(&FAILURES);
                let by = Origin::Device(device(bytes.one_of(&WHO))?);
                Input::LegRedirected { seat, by, to: vec!["sip:2@h".into()], why }
            }
            30 => Input::LegEarly { seat, is_on: bytes.flag() },
            31 if bytes.flag() => Input::LegQuiet { seat },
            31 => Input::LegHeard { seat },
            32 if bytes.flag() => Input::ControlLost {
                person: person(bytes)?,
                silent_ms: u64::from(bytes.byte()) * 100,
            },
            32 => Input::ControlBack { person: person(bytes)? },
            _ => return self.asking(dir, seat, bytes),
        })
    }

    /// Help asked for, promised or given in writing.
    fn assist(&mut self, dir: &Directory, bytes: &mut Bytes<'_>) -> Option<Input> {
        let (by, request) = (actor(dir, bytes)?, RequestId(self.number()));
        let supervision = supervision(u64::from(bytes.byte() % 6))?;
        let id = MessageId::parse("message").ok()?;
        let reason = bytes.flag().then(|| bytes.one_of(&HELP));
        let act = match bytes.byte() % 6 {
            0 => AssistAct::Raise { reason, told: u32::from(bytes.byte()) },
            1 => AssistAct::Reason { reason },
            2 => AssistAct::Withdraw,
            3 => AssistAct::Coming { number: u32::from(bytes.byte() % 4) },
            4 => {
                // Also longer than a prompt may be.
                let text = "a word ".repeat(usize::from(bytes.byte()));
                AssistAct::Prompt { supervision, id, text }
            }
            _ => AssistAct::Answer { supervision, id, word: bytes.one_of(&REPLIES) },
        };
        Some(Input::Assist(Box::new(Assist { request, by, act })))
    }

    fn number(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }

    fn transfer(&mut self, dir: &Directory, seat: SeatId, bytes: &mut Bytes<'_>) -> Option<Input> {
        let by = if bytes.flag() {
            TransferBy::Phone { seat, refer: ReferId(self.number()) }
        } else {
            let (by, party) = (actor(dir, bytes)?, bytes.flag().then_some(seat));
            TransferBy::Desk { by, party, request: RequestId(self.number()) }
        };
        Some(Input::TransferAsked(Box::new(TransferAsked { by, to: "1".into() })))
    }

    fn replaces(&mut self, seat: SeatId, bytes: &mut Bytes<'_>) -> Input {
        let (arrival, by) = (ArrivalId(self.number()), new_party(bytes));
        Input::ReplaceAsked(Box::new(ReplaceAsked { seat, arrival, by }))
    }

    /// What the other call looks like, this one must guess: as it does itself, but for its name.
    fn merging(&mut self, seat: SeatId, view: &CallView, bytes: &mut Bytes<'_>) -> Option<Input> {
        let other = CallId::parse("eu.n1.1.other").ok()?;
        if bytes.byte() < 64 {
            return Some(Input::GiveUpTo { into: other, leaving: vec![seat] });
        }
        let refer = ReferId(self.number());
        let its_seat = SeatId(u32::from(bytes.byte() % 12));
        let other = match bytes.byte() % 4 {
            0 => Err(Refusal::because(Reason::NoSuchCall)),
            _ => {
                let refused = bytes.flag().then(|| Refusal::because(Reason::NotAllowed));
                let view = CallView { id: other, ..view.clone() };
                Ok(Other { seat: its_seat, view, leaves: refused.map_or(Ok(()), Err) })
            }
        };
        Some(Input::MergeAsked(Box::new(MergeAsked { seat, refer, other })))
    }

    fn merged(&mut self, dir: &Directory, ours: SeatId, bytes: &mut Bytes<'_>) -> Option<Input> {
        let mut guests = Vec::new();
        for _ in 0..bytes.byte() % 4 {
            let part = match bytes.byte() % 3 {
                0 => GuestPart::Customer,
                1 => GuestPart::Agent,
                _ => GuestPart::Supervisor(Box::new(self.join(dir, ours, bytes)?)),
            };
            guests.push(Guest {
                seat: SeatId(u32::from(bytes.byte() % 12)),
                part,
                person: person(bytes).filter(|_| bytes.flag()),
                name: "guest".into(),
                number: "9".into(),
                net: bytes.one_of(&[Net::Internal, Net::External]),
                redial: None,
                sends: bytes.flag(),
                receives: bytes.flag(),
                far_holds: bytes.flag(),
                held_by: bytes.flag().then_some(Mark::Api).into_iter().collect(),
                listening_by: bytes.flag().then_some(Mark::Seat(ours)).into_iter().collect(),
            });
        }
        let seat = SeatId(u32::from(bytes.byte() % 12));
        let refer = bytes.flag().then(|| (seat, ReferId(self.number())));
        let from = CallId::parse("eu.n1.1.other").ok()?;
        let merged = Merged { from, guests, leaving: vec![seat], ours: vec![ours], refer };
        Some(Input::Merged(Box::new(merged)))
    }

    /// What a person asks for.
    fn asking(&mut self, dir: &Directory, seat: SeatId, bytes: &mut Bytes<'_>) -> Option<Input> {
        let some = |bytes: &mut Bytes<'_>| bytes.flag().then_some(seat);
        let which = bytes.byte() % 10;
        if which >= 7 {
            return self.join(dir, seat, bytes).map(|join| Input::Join(Box::new(join)));
        }
        let (by, request) = (actor(dir, bytes)?, RequestId(self.number()));
        let supervision = supervision(u64::from(bytes.byte() % 6))?;
        Some(match which {
            0 => Input::HangUp { by, seat: some(bytes), request: Some(request) },
            1 => Input::Hold { by, seat: some(bytes), request: Some(request) },
            2 => Input::Resume { by, seat: some(bytes), request: Some(request) },
            3 => Input::Leave { request: Some(request), supervision, by },
            4 => {
                let action = bytes.one_of(&ACTIONS);
                Input::AgentAction { request, supervision, by, action }
            }
            _ => Input::Change(Box::new(Change {
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
        })
    }

    fn join(&mut self, dir: &Directory, seat: SeatId, bytes: &mut Bytes<'_>) -> Option<Join> {
        let by = actor(dir, bytes)?;
        let leg = match bytes.byte() % 3 {
            0 => LegKind::Stream,
            1 => LegKind::Phone,
            _ => LegKind::Sip { device: device(bytes.one_of(&WHO))? },
        };
        self.supervisions += 1;
        Some(Join {
            request: RequestId(self.number()),
            supervision: supervision(self.supervisions - 1)?,
            leg,
            by,
            mode: bytes.one_of(&MODES),
            targets: bytes.flag().then_some(seat).into_iter().collect(),
            alert: bytes.flag(),
            private: bytes.flag(),
            agent_after: bytes.flag().then(|| bytes.one_of(&AFTER)),
            reason: String::new(),
            follow: bytes.one_of(&[Follow::Call, Follow::Agent]),
            extent: bytes.one_of(&[Extent::ThisCall, Extent::NextCall, Extent::AllCalls]),
            answer_early: bytes.flag(),
            arrived: bytes.flag(),
        })
    }
}

/// The one session that there is.
fn session() -> Option<SessionId> {
    SessionId::parse("session").ok()
}

fn actor(dir: &Directory, bytes: &mut Bytes<'_>) -> Option<Actor> {
    let person = person(bytes)?;
    let rights = dir.people.get(&person).map(|p| p.rights.clone()).unwrap_or_default();
    let channel = bytes.one_of(&[Channel::Api, Channel::Dtmf]);
    let own = bytes.flag();
    Some(Actor {
        name: person.to_string(),
        person,
        key: KeyId::parse("key").ok(),
        session: session().filter(|_| own),
        channel,
        origin: "127.0.0.1".into(),
        rights: if own { rights } else { Right::ALL.iter().copied().collect() },
    })
}

/// Whom a seat is to call, as the routes have it.
fn found(bytes: &mut Bytes<'_>) -> Result<NewParty, Refusal> {
    let nobody = Err(Refusal::because(Reason::NoSuchAgent));
    if bytes.byte() < 64 { nobody } else { Ok(new_party(bytes)) }
}

fn new_party(bytes: &mut Bytes<'_>) -> NewParty {
    let device = device(bytes.one_of(&WHO)).filter(|_| bytes.flag());
    let leg = match &device {
        Some(device) if bytes.flag() => PartyLeg::ToDial(DialTarget::Device(device.clone())),
        _ => PartyLeg::Arrived,
    };
    let net = bytes.one_of(&[Net::Internal, Net::External]);
    NewParty { number: "2".into(), name: "two".into(), device, net, leg }
}

const MODES: [Mode; 4] = [Mode::Listen, Mode::Whisper, Mode::Barge, Mode::Takeover];
const AFTER: [AgentAfter; 4] =
    [AgentAfter::Removed, AgentAfter::Held, AgentAfter::Listening, AgentAfter::Stays];
const ACTIONS: [AgentAction; 4] =
    [AgentAction::Hold, AgentAction::Resume, AgentAction::Remove, AgentAction::HandBack];
const ENDS: [LegEnd; 4] = [LegEnd::HungUp, LegEnd::Lost, LegEnd::MediaTimeout, LegEnd::Released];
const HELP: [HelpReason; 2] = [HelpReason::Policy, HelpReason::Safety];
const REPLIES: [ReplyWord; 2] = [ReplyWord::Done, ReplyWord::TakeIt];
const FAILURES: [LegFailure; 4] =
    [LegFailure::Busy, LegFailure::Unreachable, LegFailure::PortsExhausted, LegFailure::Gone];

fn supervision(number: u64) -> Option<SupervisionId> {
    SupervisionId::parse(&format!("s{number}")).ok()
}

fn person(bytes: &mut Bytes<'_>) -> Option<PersonId> {
    PersonId::parse(bytes.one_of(&WHO)).ok()
}

fn device(name: &str) -> Option<DeviceId> {
    DeviceId::parse(&format!("{name}-phone")).ok()
}
