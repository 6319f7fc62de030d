//! What the API asks of the rest of Undertone, in core's words.
//!
//! The server implements this over its switchboard and store; tests implement it in memory.
//! Knows nothing of HTTP. Every answer is given after it happened, never when it was queued.

use crate::sound::LiveSound;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::net::IpAddr;
use undertone_core::access::Actor;
use undertone_core::audit::AuditEntry;
use undertone_core::call::MarkKind;
use undertone_core::feedback::Useful;
use undertone_core::id::{CallId, MessageId, PersonId, SeatId, SupervisionId};
use undertone_core::labels::Labels;
use undertone_core::outcome::{Outcome, OutcomeSaid};
use undertone_core::refusal::Refusal;
use undertone_core::time::Wall;
use undertone_core::view::{
    Ability, AgentAction, AgentAfter, AgentView, AttentionView, CallView, Extent, Follow,
    HelpReason, HelpView, Mode, ReplyWord, SupervisionView,
};

/// One call, and who hears whom as measured at each party's output (not as planned).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSnapshot {
    pub view: CallView,
    /// Listener to speakers. A seat that is missing hears nobody.
    pub hears: BTreeMap<SeatId, Vec<SeatId>>,
    /// What the levels tell of it.
    pub attention: Vec<AttentionView>,
}

/// What is done about a raised hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    Raise {
        reason: Option<HelpReason>,
    },
    Reason {
        reason: Option<HelpReason>,
    },
    Withdraw,
    /// The hand of this number: a supervisor comes.
    Coming {
        number: u32,
    },
}

/// A prompt or a reply that was passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub id: MessageId,
    pub at: Wall,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceCall {
    /// Extension of the agent whose phone rings first.
    pub from_agent: String,
    /// Extension, number or `sip:` URI.
    pub to: String,
}

/// What is to be supervised.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    Call(CallId),
    /// The present call of the agent with this extension.
    Agent(String),
}

/// How the supervisor wants to hear. Which device a URI means, and whether the caller may use
/// it, is not the API's to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LegWanted {
    Phone,
    Sip { uri: String },
    Stream,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Supervise {
    pub mode: Mode,
    pub leg: LegWanted,
    pub targets: Vec<SeatId>,
    /// Tell the agent that somebody listens (R160: off unless asked for).
    pub alert: bool,
    pub agent_after: Option<AgentAfter>,
    pub reason: String,
    pub follow: Follow,
    pub extent: Extent,
    /// Answer at `connecting` (`Prefer: respond-async`) instead of at `live`.
    pub answer_early: bool,
}

/// A supervision that began. `sound` is there exactly for `LegWanted::Stream`: then the answer
/// comes once the tap is open, and it is live when [`LiveSound::took`] says so.
#[derive(Debug)]
pub struct Supervised {
    pub view: SupervisionView,
    pub sound: Option<LiveSound>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub mode: Option<Mode>,
    pub targets: Option<Vec<SeatId>>,
    pub alert: Option<bool>,
    pub muted: Option<bool>,
    pub agent_after: Option<AgentAfter>,
    /// `If-Match`: act only on this version, else `version_mismatch`.
    pub if_version: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    pub call: Option<CallId>,
    pub person: Option<PersonId>,
    /// Inclusive.
    pub from: Option<Wall>,
    /// Exclusive.
    pub to: Option<Wall>,
    /// Rows with a smaller `seq` only: what an earlier page gave as `next`.
    pub before: Option<u64>,
    pub limit: u32,
}

/// Ended calls; what is None is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// By start; inclusive.
    pub from: Option<Wall>,
    /// Exclusive.
    pub to: Option<Wall>,
    pub agent: Option<PersonId>,
    pub queue: Option<String>,
    pub supervised: Option<bool>,
    /// What an earlier page gave as `next`.
    pub cursor: Option<String>,
    pub limit: u32,
}

/// What is carried out of here as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    Audit,
    History,
}

/// Newest first; may hold fewer than asked for though there are more.
#[derive(Clone, Debug, Default)]
pub struct HistoryPage {
    pub items: Vec<CallSnapshot>,
    pub next: Option<String>,
}

/// One row of the audit and its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    pub seq: u64,
    pub prev_hash: [u8; 32],
    pub hash: [u8; 32],
    pub entry: AuditEntry,
}

/// Newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditPage {
    pub items: Vec<AuditRow>,
    pub next: Option<u64>,
}

/// Whether a part is well; the later the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthState {
    Ok,
    /// Works, and somebody should know.
    Warn,
    Bad,
}

/// One part of the server, as it was measured just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthItem {
    /// A stable name, such as `database`.
    pub id: &'static str,
    pub state: HealthState,
    /// The figure, with its unit.
    pub value: String,
    /// What it means or what to do; may be empty.
    pub detail: String,
    /// The figures of both by name, for who says them in another language.
    pub counts: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub at: Wall,
    pub items: Vec<HealthItem>,
}

/// How many calls of an agent a supervisor has heard, the present one counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardAgent {
    pub person: PersonId,
    pub name: String,
    pub calls: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardBefore {
    pub since: Wall,
    pub agents: Vec<HeardAgent>,
}

/// A browser's offer for the caller's one leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPhone {
    pub sdp: String,
    /// Also if another page of the caller has it.
    pub here: bool,
    /// Names the page over a reload.
    pub tab: String,
    /// From where the browser asks.
    pub peer: Option<IpAddr>,
}

/// A relay between a browser and this server. The credential is a secret: it is not logged.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    pub urls: Vec<String>,
    pub username: String,
    pub credential: String,
    /// From now on.
    pub lasts_ms: u64,
}

impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IceServer({:?})", self.urls)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneView {
    pub id: String,
    pub state: &'static str,
    pub send_codec: &'static str,
    pub call: Option<CallId>,
    pub supervision: Option<SupervisionId>,
    pub ice_servers: Vec<IceServer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedPhone {
    pub view: PhoneView,
    /// Our answer.
    pub sdp: String,
}

#[async_trait]
pub trait Commands: Send + Sync + 'static {
    /// Whose key this is: who acts with it (channel API, rights that person and key both grant),
    /// or None. `origin` is the peer's address, for the audit. The token is a secret: it is
    /// neither logged nor kept.
    async fn sign_in(&self, token: &str, origin: &str) -> Result<Option<Actor>, Refusal>;
    /// Live calls in the caller's scope.
    async fn calls(&self, who: &Actor) -> Result<Vec<CallSnapshot>, Refusal>;
    /// Live or ended.
    async fn call(&self, who: &Actor, id: &CallId) -> Result<CallSnapshot, Refusal>;
    async fn abilities(&self, who: &Actor, id: &CallId) -> Result<Vec<Ability>, Refusal>;
    async fn agents(&self, who: &Actor) -> Result<Vec<AgentView>, Refusal>;
    async fn audit(&self, who: &Actor, query: AuditQuery) -> Result<AuditPage, Refusal>;
    async fn history(&self, who: &Actor, query: HistoryQuery) -> Result<HistoryPage, Refusal>;
    /// Once the row that says so is written; `asked` is the query, as the audit shows it.
    async fn export(&self, who: &Actor, what: Exported, asked: String) -> Result<(), Refusal>;
    async fn place_call(&self, who: &Actor, what: PlaceCall) -> Result<CallSnapshot, Refusal>;
    async fn hang_up(&self, who: &Actor, id: &CallId) -> Result<(), Refusal>;
    /// By the caller's phone in the browser, at which it rings.
    async fn answer_call(&self, who: &Actor, id: &CallId) -> Result<CallSnapshot, Refusal>;
    async fn decline_call(&self, who: &Actor, id: &CallId) -> Result<(), Refusal>;
    /// None: the customer, or the far end where there is none; core says.
    async fn hold(
        &self,
        who: &Actor,
        id: &CallId,
        party: Option<SeatId>,
    ) -> Result<CallSnapshot, Refusal>;
    async fn resume(
        &self,
        who: &Actor,
        id: &CallId,
        party: Option<SeatId>,
    ) -> Result<CallSnapshot, Refusal>;
    /// This party (None: the customer) goes to whoever answers at `to`; answered when they talk.
    async fn transfer(
        &self,
        who: &Actor,
        id: &CallId,
        party: Option<SeatId>,
        to: String,
    ) -> Result<CallSnapshot, Refusal>;
    async fn supervise(&self, who: &Actor, of: Of, what: Supervise) -> Result<Supervised, Refusal>;
    async fn supervision(
        &self,
        who: &Actor,
        id: &SupervisionId,
    ) -> Result<SupervisionView, Refusal>;
    /// Answered once in force.
    async fn change(
        &self,
        who: &Actor,
        id: &SupervisionId,
        what: Change,
    ) -> Result<SupervisionView, Refusal>;
    async fn leave(&self, who: &Actor, id: &SupervisionId) -> Result<SupervisionView, Refusal>;
    async fn agent_action(
        &self,
        who: &Actor,
        id: &SupervisionId,
        what: AgentAction,
    ) -> Result<SupervisionView, Refusal>;
    /// The caller's own leg in a browser.
    async fn open_phone(&self, who: &Actor, what: OpenPhone) -> Result<OpenedPhone, Refusal>;
    /// As the page of this name sees it.
    async fn phone(&self, who: &Actor, tab: Option<&str>) -> Result<PhoneView, Refusal>;
    async fn close_phone(&self, who: &Actor) -> Result<(), Refusal>;
    /// What a browser is told before its offer; may be nothing.
    async fn ice_servers(&self, who: &Actor) -> Vec<IceServer>;
    /// The hand as it is then; None: it is down.
    async fn hand(
        &self,
        who: &Actor,
        call: &CallId,
        what: Hand,
    ) -> Result<Option<HelpView>, Refusal>;
    async fn prompt(&self, who: &Actor, id: &SupervisionId, text: String) -> Result<Sent, Refusal>;
    async fn reply(
        &self,
        who: &Actor,
        id: &SupervisionId,
        word: ReplyWord,
    ) -> Result<Sent, Refusal>;
    /// Once the row is written.
    async fn feedback(
        &self,
        who: &Actor,
        call: &CallId,
        about: &SupervisionId,
        useful: Useful,
    ) -> Result<(), Refusal>;
    /// In the call's timeline; when.
    async fn mark(
        &self,
        who: &Actor,
        id: &SupervisionId,
        kind: MarkKind,
        text: String,
    ) -> Result<Wall, Refusal>;
    /// Of one's own supervision.
    async fn heard_before(&self, who: &Actor, id: &SupervisionId) -> Result<HeardBefore, Refusal>;
    /// Once it is kept; all that is kept of it, as far as who asks may see it.
    async fn set_outcome(
        &self,
        who: &Actor,
        call: &CallId,
        said: OutcomeSaid,
    ) -> Result<Outcome, Refusal>;
    /// Away, with a reason to show, or back.
    async fn set_state(
        &self,
        who: &Actor,
        away: bool,
        reason: Option<String>,
    ) -> Result<AgentView, Refusal>;
    /// What the organisation calls things on its pages; gives it as it is then.
    async fn set_labels(&self, who: &Actor, what: Labels) -> Result<Labels, Refusal>;
    /// How the server is, part by part; for administrators.
    async fn health(&self, who: &Actor) -> Result<Health, Refusal>;
    /// In the demo: what the simulated telephone of this party hears, for who supervises the call.
    /// None: no simulated telephone is there.
    async fn ear(
        &self,
        who: &Actor,
        call: &CallId,
        party: SeatId,
    ) -> Result<Option<LiveSound>, Refusal>;
    /// Ready to take calls, or why not, in one plain sentence.
    async fn ready(&self) -> Result<(), String>;
}
