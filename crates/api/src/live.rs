//! What a page is told as it happens: a snapshot first, then what changed. The server makes it
//! and judges who may see what; this side words it. A reader who does not read is let go, never
//! waited for.

use crate::commands::{CallSnapshot, PhoneView};
use crate::sign_in::SignedIn;
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};
use undertone_core::call::Written;
use undertone_core::id::{CallId, PersonId, SeatId};
use undertone_core::refusal::Refusal;
use undertone_core::time::Wall;
use undertone_core::view::AgentView;

/// Calls of one page whose levels are measured.
pub const WATCHED_MAX: usize = 16;

/// A place in the stream of changes; opaque outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// Everything that changed since the frame before, each call and person whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub calls: Vec<CallSnapshot>,
    pub gone_calls: Vec<CallId>,
    pub agents: Vec<AgentView>,
    pub gone_agents: Vec<PersonId>,
    /// Hands that are no longer raised, by call and number.
    pub gone_help: Vec<(CallId, u32)>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
            && self.gone_calls.is_empty()
            && self.agents.is_empty()
            && self.gone_agents.is_empty()
            && self.gone_help.is_empty()
    }
}

/// One party as it sounds now.
#[derive(Clone, Debug, PartialEq)]
pub struct Meter {
    pub seat: SeatId,
    /// Of what this party says; None: nothing came.
    pub level_dbfs: Option<f32>,
    /// Whose sound is measured at this party's output.
    pub hears: Vec<SeatId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOut {
    /// The session ended: signed out elsewhere, or too old.
    Ended,
    /// The person or the key is no more.
    Revoked,
}

#[derive(Clone, Debug)]
pub enum Told {
    Snapshot {
        cursor: Cursor,
        at: Wall,
        now: Arc<Changes>,
    },
    Changes {
        cursor: Cursor,
        at: Wall,
        what: Arc<Changes>,
    },
    Meters {
        at: Wall,
        call: CallId,
        parties: Vec<Meter>,
    },
    /// The person's phone in the browser: its connection, its codec, whether a call has it, or that
    /// another page has it. None: it is closed.
    Phone(Option<Box<PhoneView>>),
    /// In writing, to this person.
    Written(Arc<Written>),
    /// Rights changed: who this page is now.
    Me(Box<SignedIn>),
    SignedOut(SignedOut),
}

/// Why the board tells a page no more, though its person is still signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetGo {
    /// It is further behind than is kept for it.
    TooSlow,
    /// It may see something else now, and begins anew.
    Anew,
}

/// When a page was last heard. What is told of a page that is gone counts from then: nobody knows
/// sooner that a connection is cut.
#[derive(Debug)]
pub struct LastHeard {
    began: Instant,
    at_ms: AtomicU64,
}

impl Default for LastHeard {
    fn default() -> Self {
        Self { began: Instant::now(), at_ms: AtomicU64::new(0) }
    }
}

impl LastHeard {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// It is heard now.
    pub fn mark(&self) {
        self.at_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// Milliseconds since.
    pub fn silent_ms(&self) -> u64 {
        self.now_ms().saturating_sub(self.at_ms.load(Ordering::Relaxed))
    }
}

/// One page's place in the stream. Dropped, it is forgotten.
pub struct Follower {
    /// Kept true by whoever reads from the page.
    pub heard: Arc<LastHeard>,
    pub told: mpsc::Receiver<Told>,
    /// Said before `told` ends; nothing said: the server stops.
    pub let_go: oneshot::Receiver<LetGo>,
    /// The calls whose levels this page shows.
    pub watched: watch::Sender<Vec<CallId>>,
}

/// How a page begins to follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beginning {
    /// From after this cursor if it is known, else with a snapshot first.
    pub after: Option<Cursor>,
    /// The name of the page, as it gives it with the offer for its phone; None: it has no phone.
    pub tab: Option<String>,
}

#[async_trait]
pub trait LiveBoard: Send + Sync + 'static {
    async fn follow(&self, who: SignedIn, how: Beginning) -> Result<Follower, Refusal>;
}
