//! How the server is, on the wire.

use super::words::instant;
use crate::commands::{Health, HealthItem, HealthState};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub(crate) struct HealthView {
    at: String,
    /// The worst of the parts.
    state: HealthStateWord,
    items: Vec<HealthLine>,
}

/// One part.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HealthItem)]
pub(crate) struct HealthLine {
    /// `version`, `uptime`, `database`, `audit_chain`, `disk_free`, `clock`, `open_files`,
    /// `media_threads` (99 % of ticks were no later, last minute), `rtp_ports`, `sip_listeners`,
    /// `trunks` (only where there are any), `certificate`, `privacy_alarms`, `live_calls`,
    /// `http_sessions`; there may be more one day.
    #[schema(example = "database")]
    id: &'static str,
    state: HealthStateWord,
    /// With its unit.
    #[schema(example = "0.4 ms")]
    value: String,
    /// What it means, or what to do about it, in one English sentence; null: nothing.
    detail: Option<String>,
    /// What `value` and `detail` count, by name: of `audit_chain` `rows`, `checked_min`, `waiting`,
    /// `failed`; empty where there is nothing more to count.
    counts: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HealthState)]
pub(crate) enum HealthStateWord {
    Ok,
    /// Works, and somebody should know.
    Warn,
    Bad,
}

impl From<HealthState> for HealthStateWord {
    fn from(state: HealthState) -> Self {
        match state {
            HealthState::Ok => Self::Ok,
            HealthState::Warn => Self::Warn,
            HealthState::Bad => Self::Bad,
        }
    }
}

impl From<HealthItem> for HealthLine {
    fn from(item: HealthItem) -> Self {
        let HealthItem { id, state, value, detail, counts } = item;
        let detail = Some(detail).filter(|detail| !detail.is_empty());
        Self { id, state: state.into(), value, detail, counts }
    }
}

impl From<Health> for HealthView {
    fn from(health: Health) -> Self {
        let worst = health.items.iter().map(|item| item.state).max();
        Self {
            at: instant(health.at),
            state: worst.unwrap_or(HealthState::Ok).into(),
            items: health.items.into_iter().map(HealthLine::from).collect(),
        }
    }
}
