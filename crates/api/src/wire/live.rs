//! The frames of `GET /events`.

use super::call::{AgentItem, Call};
use super::help::{Help, Named, help_id};
use super::me::MeWire;
use super::words::{ReplyWordWire, instant, party_id};
use crate::commands::CallSnapshot;
use crate::live::{Changes, Meter, SignedOut, Told};
use crate::ops::phone::Phone;
use serde::Serialize;
use std::sync::Arc;
use undertone_core::call::{Writing, Written};
use utoipa::ToSchema;

/// One frame, told apart by `type`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Frame {
    /// All there is: what the page had before is gone.
    Snapshot {
        cursor: String,
        at: String,
        calls: Vec<Call>,
        agents: Vec<AgentItem>,
        help: Vec<Help>,
    },
    /// Each call and agent that changed, whole.
    Changes {
        cursor: String,
        at: String,
        calls: Vec<Call>,
        gone_calls: Vec<String>,
        agents: Vec<AgentItem>,
        gone_agents: Vec<String>,
        help: Vec<Help>,
        gone_help: Vec<String>,
    },
    /// Levels of a watched call, five times a second.
    Meters { at: String, call_id: String, parties: Vec<MeterItem> },
    /// The state of one's phone in the browser changed; null: it is closed.
    Phone { phone: Option<Box<Phone>> },
    /// To the agent.
    Prompt {
        id: String,
        call_id: String,
        supervision_id: String,
        from: Named,
        text: String,
        at: String,
    },
    /// To the supervisor.
    Reply {
        id: String,
        call_id: String,
        supervision_id: String,
        from: Named,
        reply: ReplyWordWire,
        at: String,
    },
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
                let Lists { calls, agents, help, .. } = Lists::of(&now);
                Frame::Snapshot { cursor: cursor.0, at: instant(at), calls, agents, help }
            }
            Told::Changes { cursor, at, what } => {
                let Lists { calls, gone_calls, agents, gone_agents, help, gone_help } =
                    Lists::of(&what);
                let (cursor, at) = (cursor.0, instant(at));
                Frame::Changes {
                    cursor,
                    at,
                    calls,
                    gone_calls,
                    agents,
                    gone_agents,
                    help,
                    gone_help,
                }
            }
            Told::Meters { at, call, parties } => Frame::Meters {
                at: instant(at),
                call_id: call.to_string(),
                parties: parties.into_iter().map(MeterItem::from).collect(),
            },
            Told::Phone(view) => Frame::Phone { phone: view.map(|view| Box::new((*view).into())) },
            Told::Written(written) => Frame::written(&written),
            Told::Me(_) => Frame::ping(), // worded by who knows the person
            Told::SignedOut(why) => Frame::signed_out(why),
        }
    }

    fn written(written: &Written) -> Frame {
        let (id, at) = (written.id.to_string(), instant(written.at));
        let (call_id, supervision_id) = (written.call.to_string(), written.supervision.to_string());
        let from = Named { id: written.from.to_string(), name: written.from_name.clone() };
        match &written.what {
            Writing::Prompt(text) => {
                Frame::Prompt { id, call_id, supervision_id, from, text: text.clone(), at }
            }
            Writing::Reply(word) => {
                Frame::Reply { id, call_id, supervision_id, from, reply: (*word).into(), at }
            }
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
    help: Vec<Help>,
    gone_help: Vec<String>,
}

impl Lists {
    fn of(what: &Arc<Changes>) -> Lists {
        Lists {
            calls: what.calls.iter().map(Call::from).collect(),
            gone_calls: what.gone_calls.iter().map(ToString::to_string).collect(),
            agents: what.agents.iter().map(AgentItem::from).collect(),
            gone_agents: what.gone_agents.iter().map(ToString::to_string).collect(),
            help: hands(&what.calls),
            gone_help: what.gone_help.iter().map(|(call, n)| help_id(call, *n)).collect(),
        }
    }
}

/// The hands that are raised on these calls.
fn hands(calls: &[CallSnapshot]) -> Vec<Help> {
    let hand =
        |call: &CallSnapshot| call.view.help.as_ref().map(|help| Help::new(&call.view.id, help));
    calls.iter().filter_map(hand).collect()
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
