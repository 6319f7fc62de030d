//! The store's front: opening it, and one method for each thing asked of it.

use crate::error::StoreError;
use crate::journal::{AuditFilter, AuditPage, CallFilter, CallPage, Class, Committed, Verified};
use crate::keys::{Key, NewKey};
use crate::provision::{Applied, Provision};
use std::collections::BTreeSet;
use std::path::PathBuf;
use undertone_core::access::Right;
use undertone_core::audit::AuditEntry;
use undertone_core::call::CallRecord;
use undertone_core::directory::Directory;
use undertone_core::id::{CallId, KeyId, OrgId, PersonId};
use undertone_core::time::Wall;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreConfig {
    /// `journal.db` and `undertone.db` in this folder, made if missing.
    Sqlite { dir: PathBuf },
    /// `postgres://…`; may hold a password: not to be logged.
    Postgres { url: String },
}

/// How the journal fares; for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    pub waiting: usize,
    pub rows_committed: u64,
    pub commits: u64,
    pub retries: u64,
}

/// A handle; clones share the same writers.
#[derive(Clone, Debug)]
pub struct Store {
    org: OrgId,
}

impl Store {
    /// Opens, brings the tables up to date, starts the writers.
    pub async fn open(config: StoreConfig, org: OrgId) -> Result<Store, StoreError> {
        let _ = config;
        Ok(Store { org })
    }
    /// Writes all that waits, then stops the writers.
    pub async fn close(&self) {}

    /// Queues a row at once, in the order of calls; see [`Committed`].
    pub fn append(&self, entry: AuditEntry, class: Class) -> Committed {
        let _ = (entry, class);
        Committed(Err(StoreError::Closed))
    }
    pub fn record(&self, call: CallRecord) -> Committed {
        let _ = call;
        Committed(Err(StoreError::Closed))
    }
    pub async fn audit(&self, filter: AuditFilter) -> Result<AuditPage, StoreError> {
        let _ = filter;
        Err(StoreError::Closed)
    }
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        Err(StoreError::Closed)
    }
    pub async fn call(&self, id: &CallId) -> Result<Option<CallRecord>, StoreError> {
        let _ = id;
        Err(StoreError::Closed)
    }
    pub async fn calls(&self, filter: CallFilter) -> Result<CallPage, StoreError> {
        let _ = filter;
        Err(StoreError::Closed)
    }

    pub async fn provision(&self, what: Provision) -> Result<Applied, StoreError> {
        let _ = what;
        Err(StoreError::Closed)
    }
    /// All people and devices, with the open preset's policy.
    pub async fn directory(&self) -> Result<Directory, StoreError> {
        Ok(Directory::empty(self.org.clone()))
    }

    pub async fn add_key(
        &self,
        person: &PersonId,
        rights: BTreeSet<Right>,
        now: Wall,
    ) -> Result<NewKey, StoreError> {
        let _ = (person, rights, now);
        Err(StoreError::Closed)
    }
    /// The key with this token, unless revoked.
    pub async fn key(&self, token: &str) -> Result<Option<Key>, StoreError> {
        let _ = token;
        Err(StoreError::Closed)
    }
    pub async fn keys(&self) -> Result<Vec<Key>, StoreError> {
        Err(StoreError::Closed)
    }
    /// False: there is no such key, or it was revoked before.
    pub async fn revoke_key(&self, id: &KeyId, now: Wall) -> Result<bool, StoreError> {
        let _ = (id, now);
        Err(StoreError::Closed)
    }
    pub fn gauges(&self) -> Gauges {
        Gauges::default()
    }
}
