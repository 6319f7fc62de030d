//! Keeps the snapshot of people, devices and keys fresh while other processes (`undertone
//! provision`, `key revoke`) change the database, and tells live calls who lost rights.

use crate::door::Accounts;
use crate::switchboard::Switchboard;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use undertone_core::access::Right;
use undertone_core::codes::TappingCodes;
use undertone_core::directory::Directory;
use undertone_core::id::{KeyId, PersonId};
use undertone_store::{Store, StoreError};

/// Lost rights end a running supervision within a second; looking is less than half of it. What
/// is looked at is one number: the rest is read when that has changed.
const LOOK_EVERY: Duration = Duration::from_millis(300);

type Keys = BTreeMap<KeyId, (PersonId, BTreeSet<Right>)>;

pub struct Watcher {
    store: Store,
    snapshot: watch::Sender<Arc<Directory>>,
    accounts: watch::Sender<Arc<Accounts>>,
    keys: Keys,
    version: i64,
    codes: TappingCodes,
}

/// The facts of the store under the policy of the configuration, and the keys that can be used.
async fn read(store: &Store, codes: &TappingCodes) -> Result<(Directory, Keys), StoreError> {
    let mut directory = store.directory().await?;
    let (usable, revoked): (Vec<_>, Vec<_>) =
        store.keys().await?.into_iter().partition(|key| key.revoked_at.is_none());
    directory.change(|facts| {
        facts.policy.codes = codes.clone();
        facts.revoked_keys = revoked.into_iter().map(|key| key.id).collect();
    });
    Ok((directory, usable.into_iter().map(|key| (key.id, (key.person, key.rights))).collect()))
}

/// The snapshot, and what keeps it fresh.
pub async fn start(
    store: Store,
    codes: TappingCodes,
) -> Result<(watch::Receiver<Arc<Directory>>, Watcher), StoreError> {
    let version = store.directory_version().await?;
    let (first, keys) = read(&store, &codes).await?;
    for extension in codes.conflicts(&first) {
        tracing::warn!(extension, "cannot be dialled any more: a tapping code takes it");
    }
    let accounts = Accounts::new(store.accounts().await?, &first);
    let accounts = watch::Sender::new(Arc::new(accounts));
    let (snapshot, reader) = watch::channel(Arc::new(first));
    Ok((reader, Watcher { store, snapshot, accounts, keys, version, codes }))
}

impl Watcher {
    /// What devices prove themselves with, kept fresh with the directory.
    pub fn accounts(&self) -> watch::Receiver<Arc<Accounts>> {
        self.accounts.subscribe()
    }

    pub async fn tell(mut self, board: Switchboard) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            match self.look().await {
                Ok(lost) => {
                    for (person, key) in lost {
                        tracing::info!(%person, "rights were taken away");
                        board.rights_lost(person, key).await;
                    }
                }
                Err(error) => tracing::warn!(%error, "people and keys cannot be read"),
            }
        }
    }

    /// Publishes what changed; gives whom live calls must be asked about.
    async fn look(&mut self) -> Result<Vec<(PersonId, Option<KeyId>)>, StoreError> {
        let version = self.store.directory_version().await?;
        if version == self.version {
            return Ok(Vec::new());
        }
        let (fresh, keys) = read(&self.store, &self.codes).await?;
        let accounts = Accounts::new(self.store.accounts().await?, &fresh);
        let before = self.snapshot.borrow().clone();
        let mut lost = Vec::new();
        for (id, person) in &before.people {
            let now = fresh.people.get(id).map(|p| &p.rights);
            if now.is_none_or(|now| !now.is_superset(&person.rights)) {
                lost.push((id.clone(), None));
            }
        }
        for (id, (person, rights)) in &self.keys {
            if keys.get(id).is_none_or(|(_, now)| !now.is_superset(rights)) {
                lost.push((person.clone(), Some(id.clone())));
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
}
