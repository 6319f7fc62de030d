//! `Call`, agents and abilities, as on the wire.

use super::help::{Attention, attention};
use super::outcome::OutcomeWire;
use super::supervision::Supervision;
use super::words::{ModeWord, instant, party_id};
use crate::commands::{CallSnapshot, HistoryPage};
use serde::Serialize;
use undertone_core::view::{
    Ability, AgentState, AgentView, CallState, Direction, Net, PartyView, Role, TimingView,
};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CallList {
    pub(crate) items: Vec<Call>,
}

/// Newest first; a page may hold fewer than asked for, and none, though there are more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CallPage {
    items: Vec<Call>,
    /// Give it as `cursor` for the calls before these; null at the end.
    next_cursor: Option<String>,
}

impl From<&HistoryPage> for CallPage {
    fn from(page: &HistoryPage) -> Self {
        let items = page.items.iter().map(Call::from).collect();
        Self { items, next_cursor: page.next.clone() }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Party {
    /// Unique within the call.
    id: String,
    /// `customer`, `agent` or `supervisor`.
    role: &'static str,
    name: String,
    number: String,
    /// `internal` or `external`.
    net: &'static str,
    held: bool,
    muted: bool,
    connected: bool,
    /// An agent whose call was taken over, and who stays to listen.
    listening_only: bool,
    /// Nothing comes from there just now, though its leg stands: a browser that sends no more.
    quiet: bool,
    /// The page that steers it is gone, and it is heard no more.
    unattended: bool,
    person_id: Option<String>,
    /// The parties whose sound was measured at this party's output just now.
    hears: Vec<String>,
}

/// Milliseconds, so far.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Timing {
    duration_ms: u64,
    queue_ms: u64,
    ring_ms: u64,
    talk_ms: u64,
    hold_ms: u64,
    whisper_ms: u64,
    listen_ms: u64,
    barge_ms: u64,
    takeover_ms: u64,
    /// What of the duration is none of queue, ring, talk and hold.
    other_ms: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Moment {
    #[schema(format = DateTime)]
    at: String,
    /// A code such as `answered`, `joined`, `mode_changed`, `held`.
    what: &'static str,
    who: String,
    detail: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Call {
    pub(crate) id: String,
    /// `inbound`, `outbound` or `internal`.
    direction: &'static str,
    /// `queued`, `ringing`, `talking`, `held` or `ended`.
    state: &'static str,
    queue: Option<String>,
    campaign: Option<String>,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    answered_at: Option<String>,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    end_reason: Option<String>,
    parties: Vec<Party>,
    supervisions: Vec<Supervision>,
    timing: Timing,
    timeline: Vec<Moment>,
    /// Why it may want a supervisor. What is measured is known only while somebody looks.
    attention: Vec<Attention>,
    /// What came of it; null: nobody has said.
    outcome: Option<OutcomeWire>,
}

pub(super) const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Internal => "internal",
    }
}

impl From<&CallSnapshot> for Call {
    fn from(snapshot: &CallSnapshot) -> Self {
        let view = &snapshot.view;
        Self {
            id: view.id.to_string(),
            direction: direction(view.direction),
            state: match view.state {
                CallState::Queued => "queued",
                CallState::Ringing => "ringing",
                CallState::Talking => "talking",
                CallState::Held => "held",
                CallState::Ended => "ended",
            },
            queue: view.queue.clone(),
            campaign: view.campaign.clone(),
            started_at: instant(view.started_at),
            answered_at: view.answered_at.map(instant),
            ended_at: view.ended_at.map(instant),
            end_reason: view.end_reason.clone(),
            parties: view.parties.iter().map(|p| party(p, snapshot)).collect(),
            supervisions: view.supervisions.iter().map(Supervision::from).collect(),
            timing: timing(&view.timing),
            timeline: view
                .timeline
                .iter()
                .map(|entry| Moment {
                    at: instant(entry.at),
                    what: entry.what,
                    who: entry.who.clone(),
                    detail: entry.detail.clone(),
                })
                .collect(),
            attention: attention(snapshot),
            outcome: view.outcome.as_ref().map(OutcomeWire::from),
        }
    }
}

fn party(party: &PartyView, snapshot: &CallSnapshot) -> Party {
    let hears = snapshot.hears.get(&party.seat);
    Party {
        id: party_id(party.seat),
        role: match party.role {
            Role::Customer => "customer",
            Role::Agent => "agent",
            Role::Supervisor => "supervisor",
        },
        name: party.name.clone(),
        number: party.number.clone(),
        net: match party.net {
            Net::Internal => "internal",
            Net::External => "external",
        },
        held: party.held,
        muted: party.muted,
        connected: party.connected,
        listening_only: party.listening_only,
        quiet: party.quiet,
        unattended: party.unattended,
        person_id: party.person.as_ref().map(|id| id.to_string()),
        hears: hears.into_iter().flatten().copied().map(party_id).collect(),
    }
}

fn timing(t: &TimingView) -> Timing {
    Timing {
        duration_ms: t.duration_ms,
        queue_ms: t.queue_ms,
        ring_ms: t.ring_ms,
        talk_ms: t.talk_ms,
        hold_ms: t.hold_ms,
        whisper_ms: t.whisper_ms,
        listen_ms: t.listen_ms,
        barge_ms: t.barge_ms,
        takeover_ms: t.takeover_ms,
        other_ms: t.other_ms,
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AgentList {
    pub(crate) items: Vec<AgentItem>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
pub(crate) struct AgentItem {
    id: String,
    name: String,
    extension: Option<String>,
    /// `available`, `on_call`, `wrap_up` or `not_available`.
    state: &'static str,
    #[schema(format = DateTime)]
    since: String,
    call_id: Option<String>,
    /// What was given for being away.
    reason: Option<String>,
    /// What comes after the call and wrap-up, where that is not `available`.
    next: Option<NextState>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NextState {
    /// `not_available`.
    state: &'static str,
    reason: Option<String>,
}

impl From<&AgentView> for AgentItem {
    fn from(view: &AgentView) -> Self {
        Self {
            id: view.person.to_string(),
            name: view.name.clone(),
            extension: view.extension.clone(),
            state: match view.state {
                AgentState::Available => "available",
                AgentState::OnCall => "on_call",
                AgentState::WrapUp => "wrap_up",
                AgentState::NotAvailable => "not_available",
            },
            since: instant(view.since),
            call_id: view.call.as_ref().map(|id| id.to_string()),
            reason: view.reason.clone(),
            next: view
                .next_away
                .as_ref()
                .map(|reason| NextState { state: "not_available", reason: reason.clone() }),
        }
    }
}

/// Whether the asker may enter a mode now, and if not, why not.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Ability)]
pub(crate) struct AbilityItem {
    allowed: bool,
    /// Why not; with `allowed`, what to know (`customer_on_hold`).
    reasons: Vec<&'static str>,
}

impl AbilityItem {
    pub(crate) fn of(ability: &Ability) -> (ModeWord, Self) {
        let reasons = ability.reasons.iter().map(|reason| reason.code()).collect();
        (ability.mode.into(), Self { allowed: ability.allowed, reasons })
    }
}
