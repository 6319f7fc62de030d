//! `Supervision` and `leg`, as on the wire.

use super::words::{ExtentWord, FollowWord, ModeWord, instant, party_id};
use crate::commands::LegWanted;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use undertone_core::view::{LegKind, SupervisionState, SupervisionView};
use utoipa::ToSchema;

/// How the supervisor's sound travels.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum LegWire {
    /// The browser leg of `/me/phone`.
    Phone {},
    /// Undertone calls this device: one of the caller's own.
    Sip { uri: String },
    /// The answer's body is the live sound; listen only.
    Stream {},
}

impl From<LegWire> for LegWanted {
    fn from(leg: LegWire) -> Self {
        match leg {
            LegWire::Phone {} => LegWanted::Phone,
            LegWire::Sip { uri } => LegWanted::Sip { uri },
            LegWire::Stream {} => LegWanted::Stream,
        }
    }
}

/// The leg of a supervision that exists.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SupervisionLeg)]
pub(crate) struct Leg {
    /// `phone`, `sip` or `stream`.
    kind: &'static str,
    /// For `sip`: which device was called, or called.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    /// For `sip`, instead: behind which trunk the supervisor called from.
    #[serde(skip_serializing_if = "Option::is_none")]
    trunk_id: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Span {
    mode: ModeWord,
    #[schema(format = DateTime)]
    from: String,
    /// Null while it lasts.
    #[schema(format = DateTime)]
    to: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Supervisor {
    id: String,
    name: String,
}

/// One stay of one supervisor on one call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Supervision {
    pub(crate) id: String,
    call_id: String,
    /// `connecting`, `live`, `ended` or `failed`.
    state: &'static str,
    /// Counts up with each change; for `If-Match`.
    pub(crate) version: u64,
    supervisor: Supervisor,
    /// The supervisor's own party on the call; null for a stream.
    party_id: Option<String>,
    leg: Leg,
    mode: ModeWord,
    /// Whom a whisper is for.
    targets: Vec<String>,
    muted: bool,
    alert: bool,
    follow: FollowWord,
    extent: ExtentWord,
    reason: String,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    spans: Vec<Span>,
    end_reason: Option<String>,
    /// The policy values in force when it began.
    policy: BTreeMap<&'static str, String>,
    /// Guard before the last raise is heard by the customer; 0 if none ran.
    guard_ms: u32,
    /// By what it came to the mode that it is in, where nobody asked for that: `control_lost`,
    /// `target_left`, `agent_left` and others; else null.
    fell_because: Option<String>,
    /// When last a mode was asked for in which the customer hears the supervisor, out of one in
    /// which not; null: never.
    last_raise: Option<Raise>,
}

/// In the answer to a change that goes back, *nothing was heard* is true where `heard` is false.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Raise {
    mode: ModeWord,
    #[schema(format = DateTime)]
    at: String,
    /// Whether the way to the customer was ever open since then.
    heard: bool,
}

impl From<&SupervisionView> for Supervision {
    fn from(view: &SupervisionView) -> Self {
        let (kind, device_id, trunk_id) = match &view.leg {
            LegKind::Phone => ("phone", None, None),
            LegKind::Sip { device } => ("sip", Some(device.to_string()), None),
            LegKind::Trunk { trunk, .. } => ("sip", None, Some(trunk.to_string())),
            LegKind::Stream => ("stream", None, None),
        };
        let state = match view.state {
            SupervisionState::Connecting => "connecting",
            SupervisionState::Live => "live",
            SupervisionState::Ended => "ended",
            SupervisionState::Failed => "failed",
        };
        let spans = view.spans.iter().map(|span| Span {
            mode: span.mode.into(),
            from: instant(span.from),
            to: span.to.map(instant),
        });
        Self {
            id: view.id.to_string(),
            call_id: view.call.to_string(),
            state,
            version: view.version,
            supervisor: Supervisor {
                id: view.supervisor.to_string(),
                name: view.supervisor_name.clone(),
            },
            party_id: view.seat.map(party_id),
            leg: Leg { kind, device_id, trunk_id },
            mode: view.mode.into(),
            targets: view.targets.iter().copied().map(party_id).collect(),
            muted: view.muted,
            alert: view.alert,
            follow: view.follow.into(),
            extent: view.extent.into(),
            reason: view.reason.clone(),
            started_at: instant(view.started_at),
            ended_at: view.ended_at.map(instant),
            spans: spans.collect(),
            end_reason: view.end_reason.clone(),
            policy: view.policy.iter().cloned().collect(),
            guard_ms: view.guard_ms,
            fell_because: view.fell_because.clone(),
            last_raise: view.last_raise.map(|raise| Raise {
                mode: raise.mode.into(),
                at: instant(raise.at),
                heard: raise.heard,
            }),
        }
    }
}
