//! The raised hand, and why a call wants somebody, as on the wire.

use super::words::{HelpReasonWord, ReplyWordWire, instant};
use crate::commands::{CallSnapshot, Sent};
use crate::problem::Problem;
use serde::Serialize;
use undertone_core::id::CallId;
use undertone_core::refusal::Reason;
use undertone_core::view::{AttentionCode, HelpView};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Help {
    id: String,
    call_id: String,
    agent: Named,
    reason: Option<HelpReasonWord>,
    #[schema(format = DateTime)]
    at: String,
    /// Who said that they come, or is on the way.
    coming: Option<Named>,
    /// Supervisors whose pages showed it at once.
    told: u32,
    /// How often it was said again because nobody came: after 30 s, and after 60 s.
    urged: u8,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// Why a call may want a supervisor, as far as only the server can know.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Attention {
    /// `help_requested`, `one_sided`, `silent` or `talk_over`.
    #[schema(example = "silent")]
    code: String,
    #[schema(format = DateTime)]
    since: String,
    /// Of `talk_over`: how often in the last minute; of `help_requested`: how often it was said
    /// again because nobody came.
    count: Option<u32>,
    /// Of `help_requested`: the reason, if one was given.
    detail: Option<HelpReasonWord>,
}

/// A prompt or reply that was passed on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Sent)]
pub(crate) struct SentItem {
    id: String,
    #[schema(format = DateTime)]
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<ReplyWordWire>,
}

impl SentItem {
    pub(crate) fn new(sent: &Sent, text: Option<String>, reply: Option<ReplyWordWire>) -> Self {
        Self { id: sent.id.to_string(), at: instant(sent.at), text, reply }
    }
}

/// Opaque outside: the call, and which of its hands.
pub(crate) fn help_id(call: &CallId, number: u32) -> String {
    format!("{call}.h{number}")
}

pub(crate) fn help_number(id: &str) -> Result<(CallId, u32), Problem> {
    let parts = id.rsplit_once(".h").and_then(|(call, number)| {
        let (call, number) = (CallId::parse(call).ok()?, number.parse().ok()?);
        // One hand has one id.
        (help_id(&call, number) == id).then_some((call, number))
    });
    parts.ok_or_else(|| Problem::not_found(Reason::NoSuchHelp))
}

impl Help {
    pub(crate) fn new(call: &CallId, help: &HelpView) -> Self {
        let named = |(id, name): &(undertone_core::id::PersonId, String)| Named {
            id: id.to_string(),
            name: name.clone(),
        };
        Self {
            id: help_id(call, help.number),
            call_id: call.to_string(),
            agent: Named { id: help.person.to_string(), name: help.name.clone() },
            reason: help.reason.map(Into::into),
            at: instant(help.at),
            coming: help.coming.as_ref().map(named),
            told: help.told,
            urged: help.urged,
        }
    }
}

/// The hand first.
pub(crate) fn attention(snapshot: &CallSnapshot) -> Vec<Attention> {
    let hand = snapshot.view.help.as_ref().map(|help| Attention {
        code: "help_requested".into(),
        since: instant(help.at),
        count: (help.urged > 0).then_some(u32::from(help.urged)),
        detail: help.reason.map(Into::into),
    });
    let measured = snapshot.attention.iter().map(|one| Attention {
        code: match one.code {
            AttentionCode::OneSided => "one_sided",
            AttentionCode::Silent => "silent",
            AttentionCode::TalkOver => "talk_over",
        }
        .into(),
        since: instant(one.since),
        count: one.count,
        detail: None,
    });
    hand.into_iter().chain(measured).collect()
}
