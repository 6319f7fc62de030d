//! A call record as the JSON in its row. A shape of the store's own, so that core may rename its
//! fields without making old rows unreadable: what is missing in an old row has a default.

use crate::error::StoreError;
use crate::text::{self, bad};
use serde::{Deserialize, Serialize};
use undertone_core::call::CallRecord;
use undertone_core::id::{
    BadId, CallId, DeviceId, OrgId, PersonId, SeatId, SupervisionId, TrunkId,
};
use undertone_core::plan::PlanVersion;
use undertone_core::time::Wall;
use undertone_core::view::{
    CallView, EarView, HeardView, Hearer, LegKind, PartyView, SpanView, SupervisionView,
    TimelineEntry, TimingView,
};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Body {
    org: String,
    id: String,
    agents: Vec<String>,
    supervisors: Vec<String>,
    direction: String,
    state: String,
    queue: Option<String>,
    campaign: Option<String>,
    started_at: i64,
    answered_at: Option<i64>,
    ended_at: Option<i64>,
    end_reason: Option<String>,
    parties: Vec<Party>,
    supervisions: Vec<Supervision>,
    timing: Timing,
    timeline: Vec<Moment>,
    heard: Vec<Heard>,
    plan: u64,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Party {
    seat: u32,
    role: String,
    person: Option<String>,
    name: String,
    number: String,
    net: String,
    held: bool,
    muted: bool,
    connected: bool,
    #[serde(default)]
    listening_only: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Supervision {
    id: String,
    call: String,
    state: String,
    version: u64,
    supervisor: String,
    supervisor_name: String,
    seat: Option<u32>,
    leg: String,
    device: Option<String>,
    mode: String,
    targets: Vec<u32>,
    muted: bool,
    alert: bool,
    follow: String,
    extent: String,
    reason: String,
    started_at: i64,
    ended_at: Option<i64>,
    spans: Vec<(String, i64, Option<i64>)>,
    end_reason: Option<String>,
    policy: Vec<(String, String)>,
    guard_ms: u32,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Timing {
    duration: u64,
    queue: u64,
    ring: u64,
    talk: u64,
    hold: u64,
    whisper: u64,
    listen: u64,
    barge: u64,
    takeover: u64,
    other: u64,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Moment {
    at: i64,
    what: String,
    who: String,
    detail: String,
}

/// Whom each listener hears, from an instant on.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Heard {
    at: i64,
    seats: Vec<(u32, Vec<u32>)>,
    streams: Vec<(String, Vec<u32>)>,
}

pub(crate) fn write(record: &CallRecord) -> String {
    // JSON writes a NUL as \u0000, so PostgreSQL takes any text in here.
    text::json(&body(record))
}

pub(crate) fn body(record: &CallRecord) -> Body {
    let view = &record.view;
    let names = |people: &[PersonId]| people.iter().map(|p| p.to_string()).collect();
    Body {
        org: record.org.to_string(),
        id: view.id.to_string(),
        agents: names(&record.agents),
        supervisors: names(&record.supervisors),
        direction: text::direction(view.direction).into(),
        state: text::call_state(view.state).into(),
        queue: view.queue.clone(),
        campaign: view.campaign.clone(),
        started_at: view.started_at.0,
        answered_at: view.answered_at.map(|at| at.0),
        ended_at: view.ended_at.map(|at| at.0),
        end_reason: view.end_reason.clone(),
        parties: view.parties.iter().map(write_party).collect(),
        supervisions: view.supervisions.iter().map(write_supervision).collect(),
        timing: write_timing(&view.timing),
        timeline: view.timeline.iter().map(write_moment).collect(),
        heard: view.heard.iter().map(write_heard).collect(),
        plan: view.plan.0,
    }
}

pub(crate) fn read(json: String) -> Result<CallRecord, StoreError> {
    record(serde_json::from_str(&json).map_err(|e| bad("a call record", e))?)
}

pub(crate) fn record(body: Body) -> Result<CallRecord, StoreError> {
    let people = |ids: Vec<String>| {
        ids.iter().map(|text| id(text, PersonId::parse)).collect::<Result<Vec<_>, _>>()
    };
    let view = CallView {
        id: id(&body.id, CallId::parse)?,
        direction: text::direction_of(&body.direction)?,
        state: text::call_state_of(&body.state)?,
        queue: body.queue,
        campaign: body.campaign,
        started_at: Wall(body.started_at),
        answered_at: body.answered_at.map(Wall),
        ended_at: body.ended_at.map(Wall),
        end_reason: body.end_reason,
        parties: body.parties.into_iter().map(read_party).collect::<Result<_, _>>()?,
        supervisions: body
            .supervisions
            .into_iter()
            .map(read_supervision)
            .collect::<Result<_, _>>()?,
        timing: read_timing(&body.timing),
        timeline: body.timeline.into_iter().map(read_moment).collect(),
        heard: body.heard.into_iter().map(read_heard).collect::<Result<_, _>>()?,
        plan: PlanVersion(body.plan),
        help: None,
        // In a table of its own: it is said later, too.
        outcome: None,
    };
    Ok(CallRecord {
        org: id(&body.org, OrgId::parse)?,
        view,
        agents: people(body.agents)?,
        supervisors: people(body.supervisors)?,
    })
}

fn write_party(party: &PartyView) -> Party {
    Party {
        seat: party.seat.0,
        role: text::role(party.role).into(),
        person: party.person.as_ref().map(|p| p.to_string()),
        name: party.name.clone(),
        number: party.number.clone(),
        net: text::net(party.net).into(),
        held: party.held,
        muted: party.muted,
        connected: party.connected,
        listening_only: party.listening_only,
    }
}

fn read_party(party: Party) -> Result<PartyView, StoreError> {
    Ok(PartyView {
        seat: SeatId(party.seat),
        role: text::role_of(&party.role)?,
        person: party.person.as_deref().map(|p| id(p, PersonId::parse)).transpose()?,
        name: party.name,
        number: party.number,
        net: text::net_of(&party.net)?,
        held: party.held,
        muted: party.muted,
        connected: party.connected,
        listening_only: party.listening_only,
        // Of the moment, not of the record.
        quiet: false,
        unattended: false,
    })
}

fn write_supervision(s: &SupervisionView) -> Supervision {
    let (leg, device) = match &s.leg {
        LegKind::Phone => ("phone", None),
        LegKind::Sip { device } => ("sip", Some(device.to_string())),
        // A number holds no space, and a trunk's id none either.
        LegKind::Trunk { trunk, number } => ("trunk", Some(format!("{trunk} {number}"))),
        LegKind::Stream => ("stream", None),
    };
    let span =
        |span: &SpanView| (text::mode(span.mode).to_owned(), span.from.0, span.to.map(|to| to.0));
    Supervision {
        id: s.id.to_string(),
        call: s.call.to_string(),
        state: text::state(s.state).into(),
        version: s.version,
        supervisor: s.supervisor.to_string(),
        supervisor_name: s.supervisor_name.clone(),
        seat: s.seat.map(|seat| seat.0),
        leg: leg.into(),
        device,
        mode: text::mode(s.mode).into(),
        targets: s.targets.iter().map(|seat| seat.0).collect(),
        muted: s.muted,
        alert: s.alert,
        follow: text::follow(s.follow).into(),
        extent: text::extent(s.extent).into(),
        reason: s.reason.clone(),
        started_at: s.started_at.0,
        ended_at: s.ended_at.map(|at| at.0),
        spans: s.spans.iter().map(span).collect(),
        end_reason: s.end_reason.clone(),
        policy: s.policy.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
        guard_ms: s.guard_ms,
    }
}

fn read_supervision(s: Supervision) -> Result<SupervisionView, StoreError> {
    let leg = match (s.leg.as_str(), s.device) {
        ("phone", _) => LegKind::Phone,
        ("sip", Some(device)) => LegKind::Sip { device: id(&device, DeviceId::parse)? },
        ("trunk", Some(both)) => {
            let (trunk, number) = both.split_once(' ').unwrap_or((&both, ""));
            LegKind::Trunk { trunk: id(trunk, TrunkId::parse)?, number: number.to_owned() }
        }
        ("stream", _) => LegKind::Stream,
        (other, _) => return Err(bad("a supervision's leg", other)),
    };
    let span = |(mode, from, to): (String, i64, Option<i64>)| {
        Ok(SpanView { mode: text::mode_of(&mode)?, from: Wall(from), to: to.map(Wall) })
    };
    Ok(SupervisionView {
        id: id(&s.id, SupervisionId::parse)?,
        call: id(&s.call, CallId::parse)?,
        state: text::state_of(&s.state)?,
        version: s.version,
        supervisor: id(&s.supervisor, PersonId::parse)?,
        supervisor_name: s.supervisor_name,
        seat: s.seat.map(SeatId),
        leg,
        mode: text::mode_of(&s.mode)?,
        targets: s.targets.into_iter().map(SeatId).collect(),
        muted: s.muted,
        alert: s.alert,
        follow: text::follow_of(&s.follow)?,
        extent: text::extent_of(&s.extent)?,
        reason: s.reason,
        started_at: Wall(s.started_at),
        ended_at: s.ended_at.map(Wall),
        spans: s.spans.into_iter().map(span).collect::<Result<_, StoreError>>()?,
        end_reason: s.end_reason,
        policy: s.policy.into_iter().map(|(name, value)| (text::code(&name), value)).collect(),
        guard_ms: s.guard_ms,
        fell_because: None,
        last_raise: None,
    })
}

pub(crate) fn write_timing(t: &TimingView) -> Timing {
    Timing {
        duration: t.duration_ms,
        queue: t.queue_ms,
        ring: t.ring_ms,
        talk: t.talk_ms,
        hold: t.hold_ms,
        whisper: t.whisper_ms,
        listen: t.listen_ms,
        barge: t.barge_ms,
        takeover: t.takeover_ms,
        other: t.other_ms,
    }
}

pub(crate) fn read_timing(t: &Timing) -> TimingView {
    TimingView {
        duration_ms: t.duration,
        queue_ms: t.queue,
        ring_ms: t.ring,
        talk_ms: t.talk,
        hold_ms: t.hold,
        whisper_ms: t.whisper,
        listen_ms: t.listen,
        barge_ms: t.barge,
        takeover_ms: t.takeover,
        other_ms: t.other,
    }
}

fn write_moment(m: &TimelineEntry) -> Moment {
    Moment { at: m.at.0, what: m.what.into(), who: m.who.clone(), detail: m.detail.clone() }
}

fn read_moment(m: Moment) -> TimelineEntry {
    TimelineEntry { at: Wall(m.at), what: text::code(&m.what), who: m.who, detail: m.detail }
}

fn write_heard(heard: &HeardView) -> Heard {
    let numbers = |ear: &EarView| ear.hears.iter().map(|seat| seat.0).collect();
    let mut written = Heard { at: heard.at.0, ..Heard::default() };
    for ear in &heard.ears {
        match &ear.who {
            Hearer::Seat(seat) => written.seats.push((seat.0, numbers(ear))),
            Hearer::Supervision(id) => written.streams.push((id.to_string(), numbers(ear))),
        }
    }
    written
}

fn read_heard(heard: Heard) -> Result<HeardView, StoreError> {
    let ear =
        |who, hears: Vec<u32>| EarView { who, hears: hears.into_iter().map(SeatId).collect() };
    let mut ears: Vec<_> = heard
        .seats
        .into_iter()
        .map(|(seat, hears)| ear(Hearer::Seat(SeatId(seat)), hears))
        .collect();
    for (stream, hears) in heard.streams {
        ears.push(ear(Hearer::Supervision(id(&stream, SupervisionId::parse)?), hears));
    }
    Ok(HeardView { at: Wall(heard.at), ears })
}

fn id<T>(text: &str, parse: impl Fn(&str) -> Result<T, BadId>) -> Result<T, StoreError> {
    parse(text).map_err(|e| bad("a call record", e))
}
