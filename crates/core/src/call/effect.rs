//! Everything that a call asks for, as data. None is awaited; what takes time comes back as an
//! `Input` that names it, or its deadline does.

use super::input::{
    ArrivalId, DialTarget, LegEnd, Merged, ReferId, RequestId, RowId, TapEnd, TimerId,
};
use crate::audit::AuditEntry;
use crate::id::{CallId, MessageId, OrgId, PersonId, SeatId, SupervisionId, TapId};
use crate::notice::Sound;
use crate::plan::{HearingPlan, Source};
use crate::refusal::Refusal;
use crate::time::Wall;
use crate::traffic::PlaceAsked;
use crate::view::{CallView, ReplyWord, SupervisionView};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Supervision(Box<SupervisionView>),
    Call(Box<CallView>),
    /// Done, and there is nothing to show.
    Done,
}

pub type Answer = Result<Reply, Refusal>;

/// What is kept of a call that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    pub org: OrgId,
    pub view: CallView,
    /// Every person whose device was an agent's leg.
    pub agents: Vec<PersonId>,
    /// Every person who supervised it, refused attempts not counted.
    pub supervisors: Vec<PersonId>,
}

/// Something in writing between a supervisor and agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub id: MessageId,
    pub call: CallId,
    pub supervision: SupervisionId,
    pub to: Vec<PersonId>,
    pub from: PersonId,
    pub from_name: String,
    pub at: Wall,
    pub what: Writing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writing {
    Prompt(String),
    Reply(ReplyWord),
}

/// What a call that ends gives to the one that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    pub into: CallId,
    pub merged: Merged,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Where the seat is called is to be found, and counted as this seat's. Ends as Placed.
    Place(Box<PlaceAsked>),
    /// What was counted as this seat's counts no more. `unused`: nobody was called for it.
    GiveBack {
        seat: SeatId,
        unused: bool,
    },
    /// Ends as LegAnswered, LegFailed, LegRedirected, or our HangUpLeg.
    Dial {
        seat: SeatId,
        to: DialTarget,
        from_number: String,
        from_name: String,
    },
    /// The leg that came with this supervision's `Join` is the one of this seat from here on.
    /// Comes before its `AnswerLeg`, in the turn of the `Join`; if it does not, the leg stays with
    /// whoever sent the `Join`.
    Adopt {
        seat: SeatId,
        supervision: SupervisionId,
    },
    /// Arrived legs only: 180.
    RingLeg {
        seat: SeatId,
    },
    /// Arrived legs only: 183 with our answer; ends as LegEarly, unless it made no offer.
    EarlyLeg {
        seat: SeatId,
    },
    /// Arrived legs only: 200; ends as LegAnswered or LegFailed.
    AnswerLeg {
        seat: SeatId,
    },
    /// Arrived legs only, before AnswerLeg.
    RejectLeg {
        seat: SeatId,
        code: u16,
    },
    /// CANCEL or BYE, whatever the leg needs, and its media goes. Nothing has to come back.
    HangUpLeg {
        seat: SeatId,
        cause: LegEnd,
    },
    /// 202: what becomes of it is told by `NotifyRefer`.
    AcceptRefer {
        seat: SeatId,
        refer: ReferId,
    },
    RefuseRefer {
        seat: SeatId,
        refer: ReferId,
        code: u16,
    },
    /// How the transfer goes, as a SIP answer would say it; exactly one is the last. Its leg may
    /// be gone by then.
    NotifyRefer {
        seat: SeatId,
        refer: ReferId,
        code: u16,
        last: bool,
    },
    /// The arrived leg is answered and takes this seat in the bridge; the one that had it is let
    /// go after. Its direction comes as `LegDirection`.
    ReplaceLeg {
        seat: SeatId,
        arrival: ArrivalId,
    },
    RefuseArrival {
        arrival: ArrivalId,
        code: u16,
    },
    /// To the other call: `GiveUpTo`.
    AskToGiveUp {
        call: CallId,
        leaving: Vec<SeatId>,
    },
    /// These legs leave the bridge and go to the other call, with `Merged`.
    HandOver(Box<HandOver>),
    /// A guest's leg, which came with `Merged`, takes this seat in the bridge.
    TakeLeg {
        seat: SeatId,
        guest: SeatId,
    },
    /// A guest's leg is let go.
    DropGuest {
        guest: SeatId,
    },
    /// Every row is written. One that gates something must be answered by RowCommitted or
    /// RowFailed; answering the others is harmless.
    WriteRow {
        row: RowId,
        entry: Box<AuditEntry>,
        gates: bool,
    },
    /// To the pages of those persons, wherever they are open.
    Say(Box<Written>),
    ApplyPlan(Arc<HearingPlan>),
    /// Comes before the plan that names the source. Starts it from its beginning.
    StartSource {
        source: Source,
        sound: Sound,
    },
    OpenTap {
        tap: TapId,
        supervision: SupervisionId,
    },
    CloseTap {
        tap: TapId,
        why: Option<TapEnd>,
    },
    /// Ends as AudioProven: three packets went to it under the plan in force; with `incoming`
    /// also one came from it in the last second.
    ProveAudio {
        seat: SeatId,
        incoming: bool,
    },
    Reply {
        request: RequestId,
        result: Answer,
    },
    StartTimer {
        timer: TimerId,
        after_ms: u64,
    },
    StopTimer {
        timer: TimerId,
    },
    /// The view changed.
    Changed,
    AgentBusy {
        person: PersonId,
    },
    AgentFree {
        person: PersonId,
    },
    /// The last effect of a call. Inputs may still come and are harmless.
    Ended(Box<CallRecord>),
}
