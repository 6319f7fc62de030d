//! Everything that can happen to a call, as data. The switchboard is the only one who makes these.

use crate::access::Actor;
use crate::id::{
    CallId, DeviceId, KeyId, MessageId, PersonId, SeatId, SessionId, SupervisionId, TapId,
};
use crate::outcome::Outcome;
use crate::plan::{EdgeRef, PlanVersion};
use crate::refusal::Refusal;
use crate::routing::{Origin, Outside};
use crate::seat::{Mark, Room};
use crate::view::{
    AgentAction, AgentAfter, CallView, Extent, Follow, HelpReason, LegKind, Mode, Net, ReplyWord,
};
use std::collections::BTreeSet;

macro_rules! call_number {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);
    )*};
}
impl RequestId {
    /// Askers choose below this; a call asks itself, for a key pressed, from here on.
    pub(super) const OWN: u64 = 1 << 63;
}
call_number!(
    /// Names one asking; chosen by the asker. Answered by exactly one `Effect::Reply`.
    RequestId,
    /// One audit row of this call; chosen by the call, never reused in it.
    RowId,
    /// One deadline of this call; chosen by the call, never reused in it.
    TimerId,
    /// One REFER on a leg of this call; chosen by the asker. Answered by `AcceptRefer` and, in the
    /// end, one last `NotifyRefer`, or by `RefuseRefer`.
    ReferId,
    /// An INVITE with Replaces that waits for core's word; chosen by the asker.
    ArrivalId
);

/// What a call is made of. `caller` becomes `Call::CALLER`, `callee` `Call::CALLEE`.
#[derive(Clone, Debug)]
pub struct NewCall {
    pub id: CallId,
    pub caller: NewParty,
    pub callee: NewParty,
    pub queue: Option<String>,
    pub campaign: Option<String>,
    /// Answered with the call's view when the call is talking, or with why not (`POST /calls`).
    pub request: Option<RequestId>,
    /// Who asked for it through the API; None for a call that came in by SIP.
    pub by: Option<Actor>,
}

/// One of the two ends. Whose device it is fixes the role, now and for good.
#[derive(Clone, Debug)]
pub struct NewParty {
    pub device: Option<DeviceId>,
    pub number: String,
    pub name: String,
    pub net: Net,
    pub leg: PartyLeg,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartyLeg {
    /// Its INVITE is here, unanswered.
    Arrived,
    /// Undertone calls it.
    ToDial(DialTarget),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialTarget {
    /// A known device, at its contact or where it registered.
    Device(DeviceId),
    /// Several of one person at once: the first that answers has the call.
    Person { person: PersonId, devices: Vec<DeviceId> },
    /// Out, by a trunk.
    Trunk(Outside),
    /// A person's browser leg.
    Browser(PersonId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegFailure {
    Busy,
    Declined,
    NoAnswer,
    Unreachable,
    /// A phone that registers, and has not.
    NotRegistered,
    NoCommonCodec,
    PortsExhausted,
    Gone,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegEnd {
    /// A BYE or CANCEL came: somebody hung up on purpose.
    HungUp,
    /// Transport or peer gone without a word; a takeover's owner may come back.
    Lost,
    MediaTimeout,
    /// We ended it.
    Released,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TapEnd {
    ReaderClosed,
    ReaderTooSlow,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    pub request: RequestId,
    pub supervision: SupervisionId,
    pub by: Actor,
    pub leg: LegKind,
    pub mode: Mode,
    pub targets: Vec<SeatId>,
    pub alert: bool,
    /// With this right and wish, other supervisors do not see it.
    pub private: bool,
    pub agent_after: Option<AgentAfter>,
    pub reason: String,
    pub follow: Follow,
    pub extent: Extent,
    /// `Prefer: respond-async`: answered at `connecting`.
    pub answer_early: bool,
    /// The supervisor's phone dialled a code: its leg is here, unanswered (`Effect::Adopt`).
    pub arrived: bool,
}

#[derive(Clone, Debug)]
pub struct Change {
    pub request: RequestId,
    pub supervision: SupervisionId,
    pub by: Actor,
    pub mode: Option<Mode>,
    pub targets: Option<Vec<SeatId>>,
    pub alert: Option<bool>,
    pub muted: Option<bool>,
    pub agent_after: Option<AgentAfter>,
    pub if_version: Option<u64>,
}

/// Help asked for, promised or given without a sound (`helping.rs`).
#[derive(Clone, Debug)]
pub struct Assist {
    pub request: RequestId,
    pub by: Actor,
    pub act: AssistAct,
}

/// What a supervisor writes down (`marking.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarkKind {
    Note,
    /// To be reviewed.
    Flag,
    Bookmark,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssistAct {
    /// `told`: supervisors who look at the board now.
    Raise {
        reason: Option<HelpReason>,
        told: u32,
    },
    /// Of the hand that is raised.
    Reason {
        reason: Option<HelpReason>,
    },
    Withdraw,
    /// A supervisor is on the way to this hand.
    Coming {
        number: u32,
    },
    Prompt {
        supervision: SupervisionId,
        id: MessageId,
        text: String,
    },
    Answer {
        supervision: SupervisionId,
        id: MessageId,
        word: ReplyWord,
    },
    Mark {
        supervision: SupervisionId,
        kind: MarkKind,
        text: String,
    },
}

/// A party is to give its place to who answers at this number.
#[derive(Clone, Debug)]
pub struct TransferAsked {
    pub by: TransferBy,
    /// As it was asked for: a number or an address.
    pub to: String,
}

#[derive(Clone, Debug)]
pub enum TransferBy {
    /// The phone at this seat sent REFER: it leaves.
    Phone { seat: SeatId, refer: ReferId },
    /// By API or console: this party (None: the customer) goes to the new one, the others leave.
    Desk { by: Actor, party: Option<SeatId>, request: RequestId },
}

/// An INVITE names the dialog at this seat in its Replaces.
#[derive(Clone, Debug)]
pub struct ReplaceAsked {
    pub seat: SeatId,
    /// Answered by `ReplaceLeg` or `RefuseArrival`.
    pub arrival: ArrivalId,
    /// Whose INVITE it is.
    pub by: NewParty,
}

/// The phone at this seat sent REFER with a Replaces.
#[derive(Clone, Debug)]
pub struct MergeAsked {
    pub seat: SeatId,
    pub refer: ReferId,
    /// What the Replaces names, or why nothing.
    pub other: Result<Other, Refusal>,
}

/// A seat on another call, and that call as it was just now.
#[derive(Clone, Debug)]
pub struct Other {
    pub seat: SeatId,
    pub view: CallView,
    /// Whether who sits there may give that place away; it may be otherwise when it comes to it.
    pub leaves: Result<(), Refusal>,
}

/// All that a call gave up to this one; without guests it could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    pub from: CallId,
    pub guests: Vec<Guest>,
    /// Guests who leave at once: they joined the calls.
    pub leaving: Vec<SeatId>,
    /// Seats of this call that leave.
    pub ours: Vec<SeatId>,
    /// The guest who is told by NOTIFY.
    pub refer: Option<(SeatId, ReferId)>,
}

/// One leg of another call on its way here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Its seat there.
    pub seat: SeatId,
    pub part: GuestPart,
    pub person: Option<PersonId>,
    pub name: String,
    pub number: String,
    pub net: Net,
    pub redial: Option<DialTarget>,
    pub sends: bool,
    pub receives: bool,
    pub far_holds: bool,
    /// Who holds it, and who put it aside; by seats there.
    pub held_by: BTreeSet<Mark>,
    pub listening_by: BTreeSet<Mark>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestPart {
    Customer,
    Agent,
    /// As who joins in listen; its request is nobody's.
    Supervisor(Box<Join>),
}

#[derive(Clone, Debug)]
pub enum Input {
    /// A called leg rings (180).
    LegRinging {
        seat: SeatId,
    },
    /// A called leg sends sound before its answer (18x with a description) and its media is in the
    /// bridge, or an arrived one has been told so (after `EarlyLeg`); or that is over, and
    /// another leg may be called in its place.
    LegEarly {
        seat: SeatId,
        is_on: bool,
    },
    /// A called leg answered, or an arrived one has been answered (after `AnswerLeg`): its media
    /// is attached to the bridge.
    LegAnswered {
        seat: SeatId,
    },
    /// A called leg, or the answering of an arrived one, came to nothing.
    LegFailed {
        seat: SeatId,
        why: LegFailure,
    },
    LegEnded {
        seat: SeatId,
        cause: LegEnd,
    },
    /// Who was called at this seat said that others be called instead (3xx), and is gone.
    LegRedirected {
        seat: SeatId,
        by: Origin,
        /// As they were named, best first.
        to: Vec<String>,
        /// What the seat has failed by, if nobody else is called.
        why: LegFailure,
    },
    /// The end of `Place`.
    Placed {
        seat: SeatId,
        found: Result<NewParty, Refusal>,
    },
    /// A re-INVITE changed what its leg sends and receives, seen from us: `sends` = we get sound
    /// from it, `receives` = it takes sound from us.
    LegDirection {
        seat: SeatId,
        sends: bool,
        receives: bool,
    },
    /// Nothing has come by this leg for a while, though it is up: a browser that was killed, or
    /// whose network stands still. Said of browsers only, which send all the time.
    LegQuiet {
        seat: SeatId,
    },
    /// Sound comes by this leg (again).
    LegHeard {
        seat: SeatId,
    },
    /// A party goes to another room of this call (a consult) or comes back; not yet sent by the
    /// switchboard: transfers are a later issue's.
    Moved {
        seat: SeatId,
        room: Room,
    },
    /// `seat: None` ends the whole call.
    HangUp {
        by: Actor,
        seat: Option<SeatId>,
        request: Option<RequestId>,
    },
    /// Holds a party; None: the customer.
    Hold {
        by: Actor,
        seat: Option<SeatId>,
        request: Option<RequestId>,
    },
    /// Takes the API's mark off a party; None: the customer.
    Resume {
        by: Actor,
        seat: Option<SeatId>,
        request: Option<RequestId>,
    },
    TransferAsked(Box<TransferAsked>),
    ReplaceAsked(Box<ReplaceAsked>),
    MergeAsked(Box<MergeAsked>),
    /// The call `into` survives and asks for this one's legs; these seats are to leave.
    GiveUpTo {
        into: CallId,
        leaving: Vec<SeatId>,
    },
    Merged(Box<Merged>),
    Join(Box<Join>),
    Change(Box<Change>),
    Leave {
        request: Option<RequestId>,
        supervision: SupervisionId,
        by: Actor,
    },
    AgentAction {
        request: RequestId,
        supervision: SupervisionId,
        by: Actor,
        action: AgentAction,
    },
    Assist(Box<Assist>),
    /// What came of the call is kept like this now; in any order.
    OutcomeKept(Box<Outcome>),
    RowCommitted {
        row: RowId,
    },
    RowFailed {
        row: RowId,
    },
    PlanInForce {
        version: PlanVersion,
    },
    GuardPassed {
        edge: EdgeRef,
        version: PlanVersion,
    },
    AudioProven {
        seat: SeatId,
        incoming: bool,
    },
    /// The stream's socket took its first 60 ms.
    TapLive {
        tap: TapId,
    },
    TapEnded {
        tap: TapId,
        why: TapEnd,
    },
    MediaFailed {
        seat: SeatId,
    },
    /// The call's bridge is gone (it panicked): this call ends, no other does.
    BridgeFailed,
    Digit {
        seat: SeatId,
        digit: char,
    },
    Deadline {
        timer: TimerId,
    },
    /// A person's rights or a key changed; the snapshot that comes with this is the new one.
    RightsLost {
        person: PersonId,
        key: Option<KeyId>,
    },
    /// This person has no page any more, or none yet, to see and steer by. Said again of who
    /// already has none, it changes nothing.
    ControlLost {
        person: PersonId,
        /// Since the last page was heard.
        silent_ms: u64,
    },
    /// A page of this person is there again.
    ControlBack {
        person: PersonId,
    },
    /// These sessions of the pages are over: signed out, run out, or taken from their person.
    SignedOut {
        sessions: BTreeSet<SessionId>,
    },
    ShutDown,
}

impl Input {
    /// Who asks, where somebody does who signed in.
    pub(super) fn asker(&mut self) -> Option<&mut Actor> {
        match self {
            Input::HangUp { by, .. }
            | Input::Hold { by, .. }
            | Input::Resume { by, .. }
            | Input::Leave { by, .. }
            | Input::AgentAction { by, .. } => Some(by),
            Input::Join(join) => Some(&mut join.by),
            Input::Change(change) => Some(&mut change.by),
            Input::Assist(assist) => Some(&mut assist.by),
            Input::TransferAsked(asked) => match &mut asked.by {
                TransferBy::Desk { by, .. } => Some(by),
                TransferBy::Phone { .. } => None,
            },
            _ => None,
        }
    }
}
