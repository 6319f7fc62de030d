//! The words of the journal: what is asked of it and what it answers.

use crate::error::StoreError;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use undertone_core::audit::AuditEntry;
use undertone_core::call::{CallRecord, OpenCall};
use undertone_core::id::{CallId, PersonId};
use undertone_core::time::Wall;

/// Which rows go first when many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A row that somebody waits for before sound may flow.
    Supervision,
    Other,
}

/// One row of the audit and its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    pub seq: u64,
    pub prev_hash: [u8; 32],
    pub hash: [u8; 32],
    pub entry: AuditEntry,
}

/// Resolves when the row is committed (with its `seq`; 0 for a call record), or will never be.
/// Dropping it changes nothing: the row is written all the same.
#[derive(Debug)]
pub struct Committed(pub(crate) Result<oneshot::Receiver<Result<u64, StoreError>>, StoreError>);

impl Future for Committed {
    type Output = Result<u64, StoreError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Err(error) => Poll::Ready(Err(error.clone())),
            Ok(waiter) => {
                Pin::new(waiter).poll(cx).map(|got| got.unwrap_or(Err(StoreError::Closed)))
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub call: Option<CallId>,
    pub person: Option<PersonId>,
    /// Inclusive.
    pub from: Option<Wall>,
    /// Exclusive.
    pub to: Option<Wall>,
    /// Rows with a smaller `seq` only.
    pub before: Option<u64>,
    /// At most 1,000; 0 means 100.
    pub limit: u32,
}

/// How many rows a page has.
pub(crate) const fn page_rows(asked: u32) -> i64 {
    match asked {
        0 => 100,
        1..=1_000 => asked as i64,
        _ => 1_000,
    }
}

/// Newest first; `next` is the `before` of the following page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    pub items: Vec<AuditRow>,
    pub next: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// A person who was an agent or a supervisor on it.
    pub person: Option<PersonId>,
    pub from: Option<Wall>,
    pub to: Option<Wall>,
    /// What an earlier page gave as `next`.
    pub cursor: Option<String>,
    /// At most 1,000; 0 means 100.
    pub limit: u32,
}

/// By start, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallPage {
    pub items: Vec<CallRecord>,
    pub next: Option<String>,
}

/// Which process wrote: a node (`region.node`), and how often it had started by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    pub node: String,
    pub epoch: u64,
}

/// A call that an earlier boot of this node left open, and when that boot was last known to live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostCall {
    pub call: OpenCall,
    pub seen: Wall,
}

/// What an unbroken chain holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    Whole { rows: u64, head: [u8; 32] },
    Broken { seq: u64, why: String },
}
