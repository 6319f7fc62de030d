//! One call: its two ends, its supervisors, and who may hear whom, as
//! `handle(now, Input, &Directory) -> Vec<Effect>`.
//!
//! ```text
//!  new ──▶ ringing ──both ends up──▶ talking ──────────────────────────▶ ended
//!             │                       │  ▲                                 ▲
//!             │                       │  └ hold, resume: marks on seats    │
//!             │                       └ agent gone, a supervisor in barge  │
//!             │                         keeps the call (becomes takeover)  │
//!             └── an end fails, hangs up, or rings too long ───────────────┘
//! ```
//!
//! Every input is taken in every state: what does not fit changes nothing, and what is asked for
//! is answered exactly once. No effect is awaited; each has a deadline set here. What opens an
//! edge for a supervisor waits for its committed row; what closes one is in the same turn's plan.
//!
//! A turn: the input changes seats and supervisions (the files beside this one, by concern), then
//! `planning.rs` makes one plan of the whole state. This file knows the state and the order only.

mod agent_act;
mod asking;
mod away;
mod changing;
mod control;
mod early;
pub mod effect;
mod ending;
mod entering;
mod follow;
mod guests;
mod handing;
mod heard;
mod helping;
pub mod input;
mod joining;
mod keying;
mod legs;
mod losing;
mod marking;
mod merging;
mod open;
mod party;
mod placing;
mod planning;
mod raising;
mod redirect;
mod showing;
mod signing_out;
mod too_late;
mod transfer;
mod turn;

pub use effect::{Answer, CallRecord, Effect, HandOver, Reply, Writing, Written};
pub use input::{
    ArrivalId, Assist, AssistAct, Change, DialTarget, Guest, GuestPart, Input, Join, LegEnd,
    LegFailure, MarkKind, MergeAsked, Merged, NewCall, NewParty, Other, PartyLeg, ReferId,
    ReplaceAsked, RequestId, RowId, TapEnd, TimerId, TransferAsked, TransferBy,
};
pub use open::OpenCall;

use crate::directory::Directory;
use crate::hearing::Before;
use crate::id::{CallId, OrgId, SeatId, SupervisionId, TapId};
use crate::notice::Spoken;
use crate::outcome::Outcome;
use crate::plan::{HearingPlan, PlanVersion};
use crate::supervision::Supervision;
use crate::time::{Mono, Now};
use crate::times::Times;
use crate::view::{Direction, HeardView, HelpView, TimelineEntry};
use keying::Keyed;
use party::Party;
use placing::Placing;
use std::collections::{BTreeMap, BTreeSet};
use transfer::Transfer;
use turn::{Await, Due, Gate, Turn};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Ringing,
    Talking,
    /// A customer alone hears that the takeover is lost; then the call ends.
    Announcing,
    Ended,
}

#[derive(Clone, Debug)]
pub struct Call {
    id: CallId,
    org: OrgId,
    direction: Direction,
    queue: Option<String>,
    campaign: Option<String>,
    stage: Stage,
    started: Now,
    answered: Option<Now>,
    ended: Option<Now>,
    end_reason: Option<&'static str>,
    /// `POST /calls`, answered when the call talks or fails.
    asked: Option<RequestId>,
    /// What a caller who was never answered is told.
    reject_code: u16,
    parties: BTreeMap<SeatId, Party>,
    supervisions: BTreeMap<SupervisionId, Supervision>,
    gates: BTreeMap<RowId, Gate>,
    timers: BTreeMap<TimerId, Due>,
    awaits: Vec<Await>,
    /// Who waits for a hand-back, by the seat that gives way.
    handing: BTreeMap<SeatId, Vec<RequestId>>,
    /// One end gives its place to a new party, who is being called.
    transfer: Option<Transfer>,
    /// Seats for which it is asked where they are to be called.
    placing: BTreeMap<SeatId, Placing>,
    /// Who whispered to an agent who is gone, and their supervision's version since.
    coached: Vec<(SupervisionId, u64)>,
    beeps: BTreeSet<SeatId>,
    last_beep: BTreeMap<SeatId, Mono>,
    /// What a supervisor's telephone is being told.
    spoken: BTreeMap<SeatId, Spoken>,
    /// What was asked by a key, until it is answered.
    keyed: BTreeMap<RequestId, Keyed>,
    plan: HearingPlan,
    in_force: PlanVersion,
    before: Before,
    times: Times,
    timeline: Vec<TimelineEntry>,
    heard: Vec<HeardView>,
    help: Option<HelpView>,
    outcome: Option<Outcome>,
    /// Who was there, to the agent's knowledge, when the hand was raised.
    help_before: BTreeSet<SupervisionId>,
    /// Who has written to an agent, who knows of them since.
    prompted: BTreeSet<SupervisionId>,
    last_help: u32,
    last_seat: u32,
    last_tap: u32,
    last_row: u64,
    last_timer: u64,
    last_await: u64,
    last_key: u64,
}

impl Call {
    pub const CALLER: SeatId = SeatId(1);
    pub const CALLEE: SeatId = SeatId(2);

    pub fn new(now: Now, new: NewCall, dir: &Directory) -> (Call, Vec<Effect>) {
        let caller = Party::end(Self::CALLER, new.caller, dir);
        let callee = Party::end(Self::CALLEE, new.callee, dir);
        let mut call = Call {
            id: new.id,
            org: dir.org.clone(),
            direction: legs::direction(&caller, &callee),
            queue: new.queue,
            campaign: new.campaign,
            stage: Stage::Ringing,
            started: now,
            answered: None,
            ended: None,
            end_reason: None,
            asked: new.request,
            reject_code: 480,
            parties: [(Self::CALLER, caller), (Self::CALLEE, callee)].into(),
            supervisions: BTreeMap::new(),
            gates: BTreeMap::new(),
            timers: BTreeMap::new(),
            awaits: Vec::new(),
            handing: BTreeMap::new(),
            transfer: None,
            placing: BTreeMap::new(),
            coached: Vec::new(),
            beeps: BTreeSet::new(),
            last_beep: BTreeMap::new(),
            spoken: BTreeMap::new(),
            keyed: BTreeMap::new(),
            plan: HearingPlan::default(),
            in_force: PlanVersion(0),
            before: Before::default(),
            times: Times::start(now.mono, Default::default()),
            timeline: Vec::new(),
            heard: Vec::new(),
            help: None,
            outcome: None,
            help_before: BTreeSet::new(),
            prompted: BTreeSet::new(),
            last_help: 0,
            last_seat: Self::CALLEE.0,
            last_tap: 0,
            last_row: 0,
            last_timer: 0,
            last_await: 0,
            last_key: 0,
        };
        let mut turn = Turn::new(now, dir);
        call.begin(&mut turn, new.by);
        call.finish(&mut turn);
        (call, turn.out)
    }

    /// Total: any input in any order, also after the end.
    pub fn handle(&mut self, now: Now, mut input: Input, dir: &Directory) -> Vec<Effect> {
        let mut turn = Turn::new(now, dir);
        // Sign-in was before this instant; what was taken away in between does not count.
        input.asker().into_iter().for_each(|by| dir.restrict(by));
        if self.is_over() {
            self.after_the_end(&mut turn, input);
            turn.out.append(&mut turn.after_plan);
            return turn.out;
        }
        self.step(&mut turn, input);
        self.finish(&mut turn);
        turn.out
    }

    fn step(&mut self, turn: &mut Turn, input: Input) {
        match input {
            Input::LegRinging { seat } => self.leg_ringing(turn, seat),
            Input::LegEarly { seat, is_on } => self.leg_early(turn, seat, is_on),
            Input::LegAnswered { seat } => self.leg_answered(turn, seat),
            Input::LegFailed { seat, why } => self.leg_failed(turn, seat, why),
            Input::LegEnded { seat, cause } => self.leg_ended(turn, seat, cause),
            Input::LegRedirected { seat, by, to, why } => {
                self.leg_redirected(turn, seat, by, to, why);
            }
            Input::Placed { seat, found } => self.placed(turn, seat, found),
            Input::LegDirection { seat, sends, receives } => {
                self.leg_direction(turn, seat, sends, receives);
            }
            Input::LegQuiet { seat } => self.leg_quiet(turn, seat),
            Input::LegHeard { seat } => self.leg_heard(turn, seat),
            Input::MediaFailed { seat } => self.leg_ended(turn, seat, LegEnd::MediaTimeout),
            Input::Moved { seat, room } => self.moved(turn, seat, room),
            Input::HangUp { by, seat, request } => self.hang_up(turn, &by, seat, request),
            Input::Hold { by, seat, request } => self.hold(turn, &by, seat, request),
            Input::Resume { by, seat, request } => self.resume(turn, by, seat, request),
            Input::TransferAsked(asked) => self.transfer_asked(turn, *asked),
            Input::ReplaceAsked(asked) => self.replace_asked(turn, *asked),
            Input::MergeAsked(asked) => self.merge_asked(turn, *asked),
            Input::GiveUpTo { into, leaving } => self.asked_to_give_up(turn, into, leaving),
            Input::Merged(merged) => self.merged(turn, *merged),
            Input::Join(join) => self.join(turn, *join),
            Input::Change(change) => self.change(turn, *change),
            Input::Leave { request, supervision, by } => {
                self.leave(turn, &supervision, &by, request);
            }
            Input::AgentAction { request, supervision, by, action } => {
                self.agent_action(turn, &supervision, by, action, request);
            }
            Input::Assist(assist) => self.assist(turn, *assist),
            Input::OutcomeKept(outcome) => self.outcome_kept(turn, *outcome),
            Input::RowCommitted { row } => self.row_done(turn, row, true),
            Input::RowFailed { row } => self.row_done(turn, row, false),
            Input::PlanInForce { version } => {
                self.in_force = self.in_force.max(version.min(self.plan.version));
            }
            Input::GuardPassed { edge, version } => {
                self.before.guard_passed(edge, version);
                self.way_was_open(edge, version);
            }
            Input::AudioProven { seat, incoming } => self.audio_proven(turn, seat, incoming),
            Input::TapLive { tap } => self.tap_live(turn, tap),
            Input::TapEnded { tap, why } => self.tap_ended(turn, tap, why),
            Input::BridgeFailed => self.end(turn, "media_failed"),
            Input::Digit { seat, digit } => self.pressed(turn, seat, digit),
            Input::Deadline { timer } => self.deadline(turn, timer),
            Input::RightsLost { person, key } => self.rights_lost(turn, &person, key.as_ref()),
            Input::ControlLost { person, silent_ms } => self.control_lost(turn, &person, silent_ms),
            Input::ControlBack { person } => self.control_back(turn, &person),
            Input::SignedOut { sessions } => self.signed_out(turn, &sessions),
            Input::ShutDown => self.end(turn, "shutting_down"),
        }
    }

    fn deadline(&mut self, turn: &mut Turn, timer: TimerId) {
        match self.timers.remove(&timer) {
            None => {}
            Some(Due::LegAnswer(seat)) => self.leg_failed(turn, seat, LegFailure::NoAnswer),
            Some(Due::Row(row)) => self.row_done(turn, row, false),
            Some(Due::Proof(id)) => self.not_proven(turn, &id),
            Some(Due::Incoming(id)) => self.raise_not_proven(turn, &id),
            Some(Due::Plan(number)) => self.plan_not_in_force(turn, number),
            Some(Due::Guard(seat)) => self.guard_not_passed(turn, seat),
            Some(Due::ComeBack(id)) => {
                let why = self.supervisions.get(&id).map_or("leg_lost", |s| s.lost_by);
                self.owner_stayed_away(turn, &id, why);
            }
            Some(Due::ControlFall(id)) => self.control_stays_away(turn, &id),
            Some(Due::ControlEnd(id)) => self.control_gone(turn, &id),
            Some(Due::Merge) => self.merge_failed(turn),
            Some(Due::Place(seat)) => self.not_placed(turn, seat),
            Some(Due::Urge(number)) => self.urge(turn, number),
            Some(Due::Announcement) => self.end(turn, "takeover_lost"),
            Some(Due::BeepOver(seat)) => {
                self.beeps.remove(&seat);
            }
            Some(Due::SpokenOver(seat)) => {
                self.spoken.remove(&seat);
            }
        }
    }

    fn row_done(&mut self, turn: &mut Turn, row: RowId, committed: bool) {
        match self.drop_gate(turn, row) {
            None => {}
            Some(Gate::Join(id)) => self.join_row(turn, &id, committed),
            Some(Gate::Change(id)) => self.change_row(turn, &id, row, committed),
            Some(Gate::Resume { by, seat, request }) => {
                self.resume_row(turn, &by, seat, request, committed);
            }
        }
    }

    pub fn id(&self) -> &CallId {
        &self.id
    }

    /// True once `Effect::Ended` has been given.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Ended
    }

    fn next_seat(&mut self) -> SeatId {
        self.last_seat += 1;
        SeatId(self.last_seat)
    }

    fn next_tap(&mut self) -> TapId {
        self.last_tap += 1;
        TapId(self.last_tap)
    }
}
