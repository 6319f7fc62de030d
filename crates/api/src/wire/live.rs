//! The frames of `GET /events`.

use super::call::{AgentItem, Call};
use super::me::MeWire;
use super::words::{instant, party_id};
use crate::live::{Changes, Meter, SignedOut, Told};
use crate::ops::phone::Phone;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// One frame, told apart by `type`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Frame {
    /// All there is: what the page had before is gone.
    Snapshot { cursor: String, at: String, calls: Vec<Call>, agents: Vec<AgentItem> },
    /// Each call and agent that changed, whole.
    Changes {
        cursor: String,
        at: String,
        calls: Vec<Call>,
        gone_calls: Vec<String>,
        agents: Vec<AgentItem>,
        gone_agents: Vec<String>,
    },
    /// Levels of a watched call, five times a second.
    Meters { at: String, call_id: String, parties: Vec<MeterItem> },
    /// The state of one's phone in the browser changed.
    Phone { phone: Box<Phone> },
    /// Rights changed.
    Me { me: Box<MeWire> },
    /// Nothing else was to say.
    Ping {},
    /// The connection closes with 4401.
    SignedOut { reason: &'static str },
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeterItem {
    id: String,
    /// Of what the party says, of the last 200 ms; null: nothing came.
    level_dbfs: Option<f32>,
    speaking: bool,
    /// Whose sound is measured at this party's output.
    hears: Vec<String>,
}

/// Louder than this is speech rather than room.
const SPEAKING_DBFS: f32 = -45.0;

impl Frame {
    pub(crate) fn of(told: Told) -> Frame {
        match told {
            Told::Snapshot { cursor, at, now } => {
                let Lists { calls, agents, .. } = Lists::of(&now);
                Frame::Snapshot { cursor: cursor.0, at: instant(at), calls, agents }
            }
            Told::Changes { cursor, at, what } => {
                let Lists { calls, gone_calls, agents, gone_agents } = Lists::of(&what);
                let (cursor, at) = (cursor.0, instant(at));
                Frame::Changes { cursor, at, calls, gone_calls, agents, gone_agents }
            }
            Told::Meters { at, call, parties } => Frame::Meters {
                at: instant(at),
                call_id: call.to_string(),
                parties: parties.into_iter().map(MeterItem::from).collect(),
            },
            Told::Phone(view) => Frame::Phone { phone: Box::new((*view).into()) },
            Told::Me(_) => Frame::ping(), // worded by who knows the person
            Told::SignedOut(why) => Frame::signed_out(why),
        }
    }

    pub(crate) fn me(me: MeWire) -> Frame {
        Frame::Me { me: Box::new(me) }
    }

    pub(crate) fn ping() -> Frame {
        Frame::Ping {}
    }

    pub(crate) fn signed_out(why: SignedOut) -> Frame {
        let reason = match why {
            SignedOut::Ended => "ended",
            SignedOut::Revoked => "revoked",
        };
        Frame::SignedOut { reason }
    }
}

struct Lists {
    calls: Vec<Call>,
    gone_calls: Vec<String>,
    agents: Vec<AgentItem>,
    gone_agents: Vec<String>,
}

impl Lists {
    fn of(what: &Arc<Changes>) -> Lists {
        Lists {
            calls: what.calls.iter().map(Call::from).collect(),
            gone_calls: what.gone_calls.iter().map(ToString::to_string).collect(),
            agents: what.agents.iter().map(AgentItem::from).collect(),
            gone_agents: what.gone_agents.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<Meter> for MeterItem {
    fn from(meter: Meter) -> Self {
        Self {
            id: party_id(meter.seat),
            level_dbfs: meter.level_dbfs,
            speaking: meter.level_dbfs.is_some_and(|level| level > SPEAKING_DBFS),
            hears: meter.hears.into_iter().map(party_id).collect(),
        }
    }
}
