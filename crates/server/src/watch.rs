//! Keeps the snapshot of people, devices and keys fresh while other processes (`undertone
//! provision`, `key revoke`) change the database, and tells live calls who lost rights and which
//! sessions are over.

use crate::door::Accounts;
use crate::switchboard::Switchboard;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use undertone_core::access::Right;
use undertone_core::codes::TappingCodes;
use undertone_core::directory::Directory;
use undertone_core::id::{KeyId, PersonId, SessionId};
use undertone_core::policy::Limits;
use undertone_store::{Store, StoreError};

/// Lost rights end a running supervision within a second; looking is less than half of it. What
/// is looked at is one number: the rest is read when that has changed.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// What a session asked for before it ended has reached its call by then.
const ENDED_KEPT: Duration = Duration::from_secs(60);

type Keys = BTreeMap<KeyId, (PersonId, BTreeSet<Right>)>;

pub struct Watcher {
    store: Store,
    snapshot: watch::Sender<Arc<Directory>>,
    accounts: watch::Sender<Arc<Accounts>>,
    keys: Keys,
    /// Sessions that ended a moment ago.
    ended: VecDeque<(Instant, SessionId)>,
    /// Sessions that were open at the start.
    sessions: BTreeSet<SessionId>,
    version: i64,
    set: Set,
}

/// What of the policy the configuration sets.
#[derive(Clone, Debug, Default)]
pub struct Set {
    pub codes: TappingCodes,
    pub limits: Limits,
    pub wrap_up_ms: u64,
}

/// What live calls must be told.
#[derive(Default)]
struct Lost {
    rights: Vec<(PersonId, Option<KeyId>)>,
    sessions: BTreeSet<SessionId>,
}

async fn open_sessions(store: &Store) -> Result<BTreeSet<SessionId>, StoreError> {
    Ok(store.sessions().await?.into_iter().map(|session| session.id).collect())
}

/// The facts of the store under the policy of the configuration, and the keys that can be used.
async fn read(store: &Store, set: &Set) -> Result<(Directory, Keys), StoreError> {
    let mut directory = store.directory().await?;
    let (usable, revoked): (Vec<_>, Vec<_>) =
        store.keys().await?.into_iter().partition(|key| key.revoked_at.is_none());
    directory.change(|facts| {
        facts.policy.codes = set.codes.clone();
        facts.policy.limits = set.limits;
        facts.policy.wrap_up_ms = set.wrap_up_ms;
        facts.revoked_keys = revoked.into_iter().map(|key| key.id).collect();
    });
    Ok((directory, usable.into_iter().map(|key| (key.id, (key.person, key.rights))).collect()))
}

/// The snapshot, and what keeps it fresh.
pub async fn start(
    store: Store,
    set: Set,
) -> Result<(watch::Receiver<Arc<Directory>>, Watcher), StoreError> {
    let version = store.directory_version().await?;
    let (first, keys) = read(&store, &set).await?;
    let sessions = open_sessions(&store).await?;
    for extension in set.codes.conflicts(&first) {
        tracing::warn!(extension, "cannot be dialled any more: a tapping code takes it");
    }
    let accounts = Accounts::new(store.accounts().await?, &first);
    let accounts = watch::Sender::new(Arc::new(accounts));
    let (snapshot, reader) = watch::channel(Arc::new(first));
    let ended = VecDeque::new();
    let watcher = Watcher { store, snapshot, accounts, keys, ended, sessions, version, set };
    Ok((reader, watcher))
}

impl Watcher {
    /// What devices prove themselves with, kept fresh with the directory.
    pub fn accounts(&self) -> watch::Receiver<Arc<Accounts>> {
        self.accounts.subscribe()
    }

    /// From here on it is known which sessions are open.
    pub fn tell(mut self, board: Switchboard) -> impl Future<Output = ()> + Send {
        let open = std::mem::take(&mut self.sessions);
        board.house().sessions.are(open, &BTreeSet::new());
        self.watch(board)
    }

    async fn watch(mut self, board: Switchboard) {
        let open = &board.house().sessions;
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = open.asked() => {}
            }
            match self.look(&board).await {
                Ok(lost) => {
                    for (person, key) in lost.rights {
                        tracing::info!(%person, "rights were taken away");
                        board.rights_lost(person, key).await;
                    }
                    if !lost.sessions.is_empty() {
                        board.signed_out(&lost.sessions).await;
                    }
                }
                Err(error) => tracing::warn!(%error, "people and keys cannot be read"),
            }
        }
    }

    /// Publishes what changed; gives whom live calls must be asked about.
    async fn look(&mut self, board: &Switchboard) -> Result<Lost, StoreError> {
        let version = self.store.directory_version().await?;
        if version == self.version {
            return Ok(Lost::default());
        }
        // Known before it is read what is open: one that is opened in between is not over.
        let known = board.house().sessions.known();
        let open = open_sessions(&self.store).await?;
        let over: BTreeSet<_> = known.difference(&open).cloned().collect();
        let (mut fresh, keys) = read(&self.store, &self.set).await?;
        let accounts = Accounts::new(self.store.accounts().await?, &fresh);
        // Nothing fails from here on: what is over is told once.
        self.note_ended(&over);
        let ended = self.ended.iter().map(|(_, session)| session.clone()).collect();
        fresh.change(|facts| facts.ended_sessions = ended);
        board.house().sessions.are(open, &over);
        let before = self.snapshot.borrow().clone();
        let mut lost = Lost { rights: Vec::new(), sessions: over };
        for (id, person) in &before.people {
            let now = fresh.people.get(id).map(|p| &p.rights);
            if now.is_none_or(|now| !now.is_superset(&person.rights)) {
                lost.rights.push((id.clone(), None));
            }
        }
        for (id, (person, rights)) in &self.keys {
            if keys.get(id).is_none_or(|(_, now)| !now.is_superset(rights)) {
                lost.rights.push((person.clone(), Some(id.clone())));
            }
        }
        self.accounts.send_replace(Arc::new(accounts));
        self.keys = keys;
        self.version = version;
        if fresh != *before {
            self.snapshot.send_replace(Arc::new(fresh));
        }
        Ok(lost)
    }

    fn note_ended(&mut self, over: &BTreeSet<SessionId>) {
        let now = Instant::now();
        self.ended.retain(|(at, _)| now.duration_since(*at) < ENDED_KEPT);
        self.ended.extend(over.iter().map(|session| (now, session.clone())));
    }
}
