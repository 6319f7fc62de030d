//! The audit, as on the wire.

use super::words::instant;
use crate::commands::{AuditPage, AuditRow};
use serde::Serialize;
use std::collections::BTreeMap;
use undertone_core::audit::{Outcome, channel_code};
use utoipa::ToSchema;

/// Newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AuditList {
    items: Vec<AuditItem>,
    /// Give it as `cursor` for the rows before these; null at the end.
    next_cursor: Option<String>,
}

/// Who did what, when, from where, and what came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AuditRow)]
pub(crate) struct AuditItem {
    seq: u64,
    #[schema(format = DateTime)]
    at: String,
    /// A code such as `supervision.join`.
    what: String,
    /// Null: the system itself.
    person_id: Option<String>,
    key_id: Option<String>,
    /// `web`, `dtmf` or `api`.
    channel: Option<&'static str>,
    origin: String,
    call_id: Option<String>,
    supervision_id: Option<String>,
    /// `allowed` or `refused`.
    outcome: &'static str,
    reasons: Vec<String>,
    detail: BTreeMap<String, String>,
    /// Hash of the row before, in hex.
    prev_hash: String,
    /// SHA-256 over `prev_hash` and this row, in hex.
    hash: String,
}

impl From<AuditPage> for AuditList {
    fn from(page: AuditPage) -> Self {
        let next_cursor = page.next.map(|seq| seq.to_string());
        Self { items: page.items.into_iter().map(AuditItem::from).collect(), next_cursor }
    }
}

impl From<AuditRow> for AuditItem {
    fn from(row: AuditRow) -> Self {
        let entry = row.entry;
        let (outcome, reasons) = match entry.outcome {
            Outcome::Allowed => ("allowed", Vec::new()),
            Outcome::Refused(reasons) => ("refused", reasons),
        };
        Self {
            seq: row.seq,
            at: instant(entry.at),
            what: entry.what,
            person_id: entry.who.person.map(|id| id.to_string()),
            key_id: entry.who.key.map(|id| id.to_string()),
            channel: entry.who.channel.map(channel_code),
            origin: entry.who.origin,
            call_id: entry.call.map(|id| id.to_string()),
            supervision_id: entry.supervision.map(|id| id.to_string()),
            outcome,
            reasons,
            detail: entry.detail,
            prev_hash: hex(&row.prev_hash),
            hash: hex(&row.hash),
        }
    }
}

/// A row as one line of JSON, as in `GET /audit`.
pub fn audit_line(row: AuditRow) -> String {
    // Text, numbers and maps of text: this cannot fail to be JSON.
    serde_json::to_string(&AuditItem::from(row)).unwrap_or_default()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
