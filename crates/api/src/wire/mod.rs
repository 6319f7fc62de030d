//! The shapes on the wire: what `docs/API.md` promises, made from core's views and back.

mod audit;
mod call;
mod help;
mod live;
mod me;
mod supervision;
mod words;

pub(crate) use audit::AuditList;
pub use audit::audit_line;
pub(crate) use call::{AbilityItem, AgentItem, AgentList, Call, CallList, CallPage};
pub(crate) use help::{Help, SentItem, help_number};
pub(crate) use live::Frame;
pub(crate) use me::{MeWire, SessionState};
pub(crate) use supervision::{LegWire, Supervision};
pub(crate) use words::{
    AgentActionWord, AgentAfterWord, ExtentWord, FollowWord, HelpReasonWord, ModeWord,
    ReplyWordWire, instant, moment, party_id, seat_of,
};
