//! HTTP: one file per operation, the wire's shapes, and the OpenAPI document made from them.
//!
//! Sees core's words and a small trait, [`Commands`]; knows no SIP, no media and no SQL. It
//! decides nothing about who may do what: that is asked of [`Commands`], and a refusal is worded.

#![forbid(unsafe_code)]

mod commands;
mod docs_page;
#[doc(hidden)]
pub mod fuzzing;
mod idempotency;
mod ops;
mod problem;
mod request;
mod router;
mod serve;
mod sound;
mod stream;
mod wire;

pub use commands::{
    AuditPage, AuditQuery, AuditRow, CallSnapshot, Change, Commands, IceServer, LegWanted, Of,
    OpenPhone, OpenedPhone, PhoneView, PlaceCall, Supervise, Supervised,
};
pub use router::{metrics_router, openapi_json, router};
pub use serve::{listen, serve};
pub use sound::{LiveSound, SoundEnded, SoundSender};
pub use wire::audit_line;
