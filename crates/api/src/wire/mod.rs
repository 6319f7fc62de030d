//! The shapes on the wire: what `docs/API.md` promises, made from core's views and back.

mod audit;
mod call;
mod health;
mod heard;
mod help;
mod labels;
mod live;
mod me;
mod outcome;
mod rows;
mod supervision;
mod words;

pub(crate) use audit::AuditList;
pub use audit::audit_line;
pub(crate) use call::{AbilityItem, AgentItem, AgentList, Call, CallList, CallPage};
pub(crate) use health::HealthView;
pub(crate) use heard::HeardList;
pub(crate) use help::{Help, SentItem, help_number};
pub(crate) use labels::{LabelsAsked, LabelsWire};
pub(crate) use live::Frame;
pub(crate) use me::{MeWire, SessionState};
pub(crate) use outcome::{OutcomeAsked, OutcomeWire};
pub(crate) use rows::{AUDIT_COLUMNS, CALL_COLUMNS, audit_cells, call_cells};
pub(crate) use supervision::{LegWire, Supervision};
pub(crate) use words::{
    AgentActionWord, AgentAfterWord, ExtentWord, FollowWord, HelpReasonWord, MarkWord, ModeWord,
    ReplyWordWire, UsefulWord, instant, moment, party_id, seat_of,
};
