//! Calls and rows of the audit as cells of a table: what a spreadsheet can use of them.

use super::call::direction;
use super::outcome::value_text;
use super::words::instant;
use crate::commands::{AuditRow, CallSnapshot};
use std::collections::BTreeSet;
use undertone_core::audit::{Outcome as Row, channel_code};
use undertone_core::outcome::Outcome;
use undertone_core::time::Wall;
use undertone_core::view::{CallView, Role};

pub(crate) const CALL_COLUMNS: [&str; 25] = [
    "id",
    "direction",
    "queue",
    "campaign",
    "started_at",
    "answered_at",
    "ended_at",
    "end_reason",
    "customers",
    "agents",
    "supervisors",
    "duration_ms",
    "queue_ms",
    "ring_ms",
    "talk_ms",
    "hold_ms",
    "listen_ms",
    "whisper_ms",
    "barge_ms",
    "takeover_ms",
    "csat",
    "resolved",
    "reason",
    "disposition",
    "value",
];

pub(crate) const AUDIT_COLUMNS: [&str; 14] = [
    "seq",
    "at",
    "what",
    "person_id",
    "key_id",
    "channel",
    "origin",
    "call_id",
    "supervision_id",
    "outcome",
    "reasons",
    "detail",
    "prev_hash",
    "hash",
];

/// Several of one kind in one cell.
const AND: &str = "; ";

fn at(time: Option<Wall>) -> String {
    time.map(instant).unwrap_or_default()
}

/// By name and number, each once.
fn people(view: &CallView, role: Role) -> String {
    let mut all = Vec::new();
    for party in view.parties.iter().filter(|party| party.role == role) {
        let named = !party.name.is_empty() && party.name != party.number;
        let text = match named {
            true => format!("{} {}", party.name, party.number).trim().to_owned(),
            false => party.number.clone(),
        };
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all.join(AND)
}

pub(crate) fn call_cells(call: &CallSnapshot) -> Vec<String> {
    let view = &call.view;
    // Also those who left: a party is there as long as its seat is, a supervision for good.
    let supervisors: BTreeSet<_> = view
        .supervisions
        .iter()
        .filter(|supervision| !supervision.spans.is_empty())
        .map(|supervision| supervision.supervisor_name.as_str())
        .collect();
    let times = &view.timing;
    let mut cells = vec![
        view.id.to_string(),
        direction(view.direction).to_owned(),
        view.queue.clone().unwrap_or_default(),
        view.campaign.clone().unwrap_or_default(),
        instant(view.started_at),
        at(view.answered_at),
        at(view.ended_at),
        view.end_reason.clone().unwrap_or_default(),
        people(view, Role::Customer),
        people(view, Role::Agent),
        supervisors.into_iter().collect::<Vec<_>>().join(AND),
    ];
    let lasted = [
        times.duration_ms,
        times.queue_ms,
        times.ring_ms,
        times.talk_ms,
        times.hold_ms,
        times.listen_ms,
        times.whisper_ms,
        times.barge_ms,
        times.takeover_ms,
    ];
    cells.extend(lasted.iter().map(ToString::to_string));
    cells.extend(outcome_cells(view.outcome.as_ref()));
    cells
}

fn outcome_cells(outcome: Option<&Outcome>) -> [String; 5] {
    let Some(outcome) = outcome else { return Default::default() };
    [
        outcome.csat.map(|csat| csat.to_string()).unwrap_or_default(),
        outcome.resolved.map(|resolved| resolved.to_string()).unwrap_or_default(),
        outcome.reason.clone().unwrap_or_default(),
        outcome.disposition.clone().unwrap_or_default(),
        outcome.value_hundredths.map(value_text).unwrap_or_default(),
    ]
}

pub(crate) fn audit_cells(row: &AuditRow) -> Vec<String> {
    let entry = &row.entry;
    let text = |id: Option<&dyn ToString>| id.map(ToString::to_string).unwrap_or_default();
    let (outcome, reasons) = match &entry.outcome {
        Row::Allowed => ("allowed", String::new()),
        Row::Refused(reasons) => ("refused", reasons.join(AND)),
    };
    vec![
        row.seq.to_string(),
        instant(entry.at),
        entry.what.clone(),
        text(entry.who.person.as_ref().map(|id| id as _)),
        text(entry.who.key.as_ref().map(|id| id as _)),
        entry.who.channel.map_or("", channel_code).to_owned(),
        entry.who.origin.clone(),
        text(entry.call.as_ref().map(|id| id as _)),
        text(entry.supervision.as_ref().map(|id| id as _)),
        outcome.to_owned(),
        reasons,
        // A map of text cannot fail to be JSON.
        serde_json::to_string(&entry.detail).unwrap_or_default(),
        super::audit::hex(&row.prev_hash),
        super::audit::hex(&row.hash),
    ]
}
