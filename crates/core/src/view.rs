//! What a call, a supervision and a person look like from outside, as plain data.
//!
//! The call's task makes these after every input that changed something; the API words them.

use crate::id::{CallId, DeviceId, PersonId, SeatId, SupervisionId, TrunkId};
use crate::outcome::Outcome;
use crate::plan::PlanVersion;
use crate::refusal::Reason;
use crate::time::Wall;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Customer,
    Agent,
    Supervisor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    Listen,
    Whisper,
    Barge,
    Takeover,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    Inbound,
    Outbound,
    Internal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    Queued,
    Ringing,
    Talking,
    Held,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Net {
    Internal,
    External,
}

/// What becomes of the agent when a supervisor takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentAfter {
    Removed,
    Held,
    Listening,
    Stays,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentAction {
    Hold,
    Resume,
    Remove,
    HandBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentState {
    Available,
    OnCall,
    WrapUp,
    NotAvailable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Follow {
    Call,
    Agent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    ThisCall,
    NextCall,
    AllCalls,
}

/// By which way somebody acts; rights are granted per channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    Web,
    Dtmf,
    Api,
}

/// How the supervisor's sound travels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LegKind {
    /// The browser leg of `/me/phone`.
    Phone,
    /// Undertone calls this device, which belongs to the supervisor.
    Sip { device: DeviceId },
    /// The supervisor called, from behind a trunk that vouches for this number.
    Trunk { trunk: TrunkId, number: String },
    /// The HTTP response body; listen only.
    Stream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SupervisionState {
    Connecting,
    Live,
    Ended,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyView {
    pub seat: SeatId,
    pub role: Role,
    pub person: Option<PersonId>,
    pub name: String,
    pub number: String,
    pub net: Net,
    pub held: bool,
    pub muted: bool,
    /// False while the leg rings or after it has gone.
    pub connected: bool,
    /// An agent whose call was taken over, and who stays to listen.
    pub listening_only: bool,
    /// Nothing comes from there just now, though its leg stands: a browser that sends no more.
    pub quiet: bool,
    /// The page that steers it is gone, and whoever it was heard by hears it no more.
    pub unattended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanView {
    pub mode: Mode,
    pub from: Wall,
    /// None while it lasts.
    pub to: Option<Wall>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisionView {
    pub id: SupervisionId,
    pub call: CallId,
    pub state: SupervisionState,
    pub version: u64,
    pub supervisor: PersonId,
    pub supervisor_name: String,
    pub seat: Option<SeatId>,
    pub leg: LegKind,
    pub mode: Mode,
    pub targets: Vec<SeatId>,
    pub muted: bool,
    pub alert: bool,
    pub follow: Follow,
    pub extent: Extent,
    pub reason: String,
    pub started_at: Wall,
    pub ended_at: Option<Wall>,
    pub spans: Vec<SpanView>,
    pub end_reason: Option<String>,
    /// The policy values in force, name to value, as stored with the supervision.
    pub policy: Vec<(&'static str, String)>,
    /// Milliseconds of guard before the last raise is heard by the customer; 0 if none ran.
    pub guard_ms: u32,
    /// By what it came to the mode that it is in, where nobody asked for that.
    pub fell_because: Option<String>,
    /// When last a mode was asked for in which the customer hears the supervisor, out of one in
    /// which not.
    pub last_raise: Option<RaiseView>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaiseView {
    pub mode: Mode,
    pub at: Wall,
    /// Whether the way to the customer was ever open since then.
    pub heard: bool,
}

/// The times of `metrics.md` 5a so far, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimingView {
    pub duration_ms: u64,
    pub queue_ms: u64,
    pub ring_ms: u64,
    pub talk_ms: u64,
    pub hold_ms: u64,
    pub whisper_ms: u64,
    pub listen_ms: u64,
    pub barge_ms: u64,
    pub takeover_ms: u64,
    /// What of the duration is none of queue, ring, talk and hold.
    pub other_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    pub at: Wall,
    /// A code such as `answered`, `joined`, `mode_changed`, `held`.
    pub what: &'static str,
    pub who: String,
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hearer {
    Seat(SeatId),
    /// A supervisor without a seat: a stream.
    Supervision(SupervisionId),
}

/// Whom one of the call hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarView {
    pub who: Hearer,
    /// Never empty.
    pub hears: Vec<SeatId>,
}

/// Who hears whom from `at` until the next of these. Who is not named hears nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardView {
    pub at: Wall,
    pub ears: Vec<EarView>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallView {
    pub id: CallId,
    pub direction: Direction,
    pub state: CallState,
    pub queue: Option<String>,
    pub campaign: Option<String>,
    pub started_at: Wall,
    pub answered_at: Option<Wall>,
    pub ended_at: Option<Wall>,
    pub end_reason: Option<String>,
    pub parties: Vec<PartyView>,
    pub supervisions: Vec<SupervisionView>,
    pub timing: TimingView,
    pub timeline: Vec<TimelineEntry>,
    /// What the plans let through, oldest first.
    pub heard: Vec<HeardView>,
    pub plan: PlanVersion,
    /// The agent's raised hand.
    pub help: Option<HelpView>,
    pub outcome: Option<Outcome>,
}

impl CallView {
    /// Its parties who are agents.
    pub fn agents(&self) -> impl Iterator<Item = &PartyView> {
        self.parties.iter().filter(|party| party.role == Role::Agent)
    }
}

/// Why an agent raises a hand; said in one press, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HelpReason {
    Policy,
    AngryCustomer,
    WantsSupervisor,
    Technical,
    Safety,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpView {
    /// Counts up within the call.
    pub number: u32,
    pub person: PersonId,
    pub name: String,
    pub reason: Option<HelpReason>,
    pub at: Wall,
    /// Who said that they come, or is on the way.
    pub coming: Option<(PersonId, String)>,
    /// Supervisors whose pages showed it at once.
    pub told: u32,
    /// How often it was said again, more loudly, because nobody came: two times at most.
    pub urged: u8,
}

/// What an agent presses to answer a supervisor without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyWord {
    Done,
    SayAgain,
    Cannot,
    TakeIt,
}

/// Why a call may want a supervisor, as far as only measuring tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttentionCode {
    /// From one party nothing comes, while others are heard.
    OneSided,
    /// Nobody says anything.
    Silent,
    /// Two speak at once, again and again.
    TalkOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionView {
    pub code: AttentionCode,
    pub since: Wall,
    pub count: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    pub person: PersonId,
    pub name: String,
    pub extension: Option<String>,
    pub state: AgentState,
    pub since: Wall,
    pub call: Option<CallId>,
    /// What the person gave for being away.
    pub reason: Option<String>,
    /// On a call or wrapping up: they are away after it, and why.
    pub next_away: Option<Option<String>>,
}

/// For each mode, whether the asker may enter it now, and if not, why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ability {
    pub mode: Mode,
    pub allowed: bool,
    /// Why not; with `allowed`, what to know (`customer_on_hold`).
    pub reasons: Vec<Reason>,
}
