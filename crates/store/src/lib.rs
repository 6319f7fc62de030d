//! SQL and nothing but SQL: the journal (audit, call records) and the directory (people,
//! devices, trunks, routes, keys, sessions), on SQLite or PostgreSQL with one set of queries.
//!
//! Decides nothing: it keeps what it is given, in order, and says when it is safe.

#![forbid(unsafe_code)]

mod accounts;
mod audit_rows;
mod call_body;
mod call_rows;
mod care;
mod db;
mod error;
mod journal;
mod keys;
mod labels;
mod logins;
mod open_rows;
mod outcome_rows;
mod pins;
pub mod private;
mod provision;
mod queue;
mod routes;
mod sessions;
mod sign_in;
mod store;
mod text;
mod trunks;
mod writer;

pub use accounts::{Account, StoredBinding};
pub use care::{Health, backup, examine};
pub use error::StoreError;
pub use journal::{
    AuditFilter, AuditPage, AuditRow, Boot, CallFilter, CallPage, Class, Committed, LostCall,
    Verified,
};
pub use keys::{Key, NewKey, secret};
pub use logins::Login;
pub use outcome_rows::SaidOutcome;
pub use pins::PinHash;
pub use provision::{Applied, Provision};
pub use sessions::{NewSession, Session};
pub use store::{Gauges, Store, StoreConfig};
