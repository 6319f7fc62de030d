//! HTTP: one file per operation, the wire's shapes, and the OpenAPI document made from them.
//!
//! Sees core's words and a small trait, [`Commands`]; knows no SIP, no media and no SQL. It
//! decides nothing about who may do what: that is asked of [`Commands`], and a refusal is worded.

#![forbid(unsafe_code)]

mod commands;
mod cookie;
mod csv;
mod docs_page;
mod forwarded;
#[doc(hidden)]
pub mod fuzzing;
mod idempotency;
mod link;
mod listing;
mod live;
mod ops;
mod places;
mod problem;
mod request;
mod router;
mod serve;
mod sign_in;
mod sound;
mod source;
mod stream;
mod tls;
mod wire;

pub use commands::{
    AuditPage, AuditQuery, AuditRow, CallSnapshot, Change, Commands, Exported, Hand, Health,
    HealthItem, HealthState, HeardAgent, HeardBefore, HistoryPage, HistoryQuery, IceServer,
    LegWanted, Of, OpenPhone, OpenedPhone, PhoneView, PlaceCall, Sent, Supervise, Supervised,
};
pub use cookie::same_secret;
pub use live::{
    Beginning, Changes, Cursor, Follower, LastHeard, LetGo, LiveBoard, Meter, SignedOut, Told,
    WATCHED_MAX,
};
pub use places::{Places, PlacesConfig, PlacesGauges};
pub use router::{Served, metrics_router, openapi_json, router};
pub use serve::{Door, Patience, listen, serve};
pub use sign_in::{
    Coming, Credentials, DemoSignIn, FirstPerson, Me, OpenSession, Opened, OwnDevice, SignIn,
    SignInRefused, SignedIn, Welcome,
};
pub use sound::{LiveSound, SoundEnded, SoundSender};
pub use source::Source;
pub use tls::Tls;
pub use wire::audit_line;
