//! The store's front: opening it, and one method for each thing asked of it.

use crate::accounts::{self, Account, StoredBinding};
use crate::db::{Db, File};
use crate::error::StoreError;
use crate::journal::{
    AuditFilter, AuditPage, AuditRow, Boot, CallFilter, CallPage, Class, Committed, LostCall,
    Verified,
};
use crate::keys::{self, Key, NewKey};
use crate::outcome_rows::{self, SaidOutcome};
use crate::pins::{self, PinHash};
use crate::provision::{self, Applied, Provision};
use crate::queue::{Item, Queue};
use crate::{audit_rows, call_rows, open_rows, private, writer};
use sqlx::{AnyConnection, AnyPool, Connection};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use undertone_core::access::Right;
use undertone_core::audit::AuditEntry;
use undertone_core::call::{CallRecord, OpenCall};
use undertone_core::directory::Directory;
use undertone_core::id::{CallId, KeyId, OrgId, PersonId};
use undertone_core::outcome::Outcome;
use undertone_core::time::Wall;

#[derive(Clone, PartialEq, Eq)]
pub enum StoreConfig {
    /// `journal.db` and `undertone.db` in this folder, made if missing.
    Sqlite { dir: PathBuf },
    /// `postgres://…`; may hold a password: not to be logged.
    Postgres { url: String },
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreConfig::Sqlite { dir } => f.debug_struct("Sqlite").field("dir", dir).finish(),
            StoreConfig::Postgres { .. } => f.debug_struct("Postgres").finish_non_exhaustive(),
        }
    }
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
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    org: OrgId,
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
    journal: AnyPool,
    directory: AnyPool,
    directory_db: Db,
    /// The one connection that writes people, devices and keys; None until needed.
    directory_writer: Mutex<Option<AnyConnection>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close(); // the writer ends once it has written what waits
    }
}

impl Store {
    /// Opens, brings the tables up to date, starts the writers.
    pub async fn open(config: StoreConfig, org: OrgId) -> Result<Store, StoreError> {
        if let StoreConfig::Sqlite { dir } = &config {
            private::folder(dir)?;
            for file in [File::Journal, File::Directory] {
                private::database(&dir.join(file.on_disk()))?;
            }
        }
        let journal = Db::new(&config, File::Journal)?;
        let directory = Db::new(&config, File::Directory)?;
        journal.migrate().await?;
        directory.migrate().await?;
        let queue = Arc::new(Queue::default());
        let pool = journal.readers();
        let task = tokio::spawn(writer::run(journal, org.clone(), queue.clone()));
        let inner = Inner {
            org,
            queue,
            writer: Mutex::new(Some(task)),
            journal: pool,
            directory: directory.readers(),
            directory_db: directory,
            directory_writer: Mutex::new(None),
        };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// Writes all that waits, then stops the writers. Waits as long as the database is away:
    /// who cannot, sets a deadline around this.
    pub async fn close(&self) {
        self.inner.queue.close();
        if let Some(task) = self.inner.writer.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the journal's writer ended badly");
        }
        if let Some(conn) = self.inner.directory_writer.lock().await.take() {
            let _ = conn.close().await;
        }
        self.inner.journal.close().await;
        self.inner.directory.close().await;
    }

    /// Queues a row at once, in the order of calls; see [`Committed`].
    pub fn append(&self, entry: AuditEntry, class: Class) -> Committed {
        if entry.org != self.inner.org {
            return Committed(Err(StoreError::WrongOrg));
        }
        self.inner.queue.push(Item::Audit(Box::new(writer::cleaned(entry))), class)
    }

    /// Queues the record of an ended call; written again, it replaces itself.
    pub fn record(&self, call: CallRecord) -> Committed {
        self.end(Vec::new(), call)
    }

    /// Queues the end of a call: the last rows of its audit, its record, and that it is no longer
    /// open, all in one transaction.
    pub fn end(&self, rows: Vec<AuditEntry>, record: CallRecord) -> Committed {
        self.push_end(rows, record, false)
    }

    /// The same for a call that is found open and has nobody: nothing is written if it was closed
    /// meanwhile.
    pub fn end_lost(&self, rows: Vec<AuditEntry>, record: CallRecord) -> Committed {
        self.push_end(rows, record, true)
    }

    fn push_end(&self, rows: Vec<AuditEntry>, record: CallRecord, if_open: bool) -> Committed {
        if record.org != self.inner.org || rows.iter().any(|row| row.org != self.inner.org) {
            return Committed(Err(StoreError::WrongOrg));
        }
        let rows = rows.into_iter().map(writer::cleaned).collect();
        let record = Box::new(record);
        self.inner.queue.push(Item::End { rows, record, if_open }, Class::Other)
    }

    /// Queues what is known of a live call. Give it before the rows of the same turn. A note that
    /// is overtaken by a later one is never written.
    pub fn note(&self, boot: &Boot, call: OpenCall) {
        if call.record.org == self.inner.org {
            self.inner.queue.note(boot.clone(), call);
        }
    }

    /// Queues that this boot lives; earlier boots of its node are forgotten with it.
    pub fn seen(&self, boot: &Boot, at: Wall) {
        self.inner.queue.seen(boot.clone(), at);
    }

    /// Calls that earlier boots of this node left open.
    pub async fn lost_calls(&self, boot: &Boot) -> Result<Vec<LostCall>, StoreError> {
        open_rows::lost(&self.inner.journal, &self.inner.org, boot).await
    }

    /// The last committed note of a call that has not ended.
    pub async fn open_call(&self, id: &CallId) -> Result<Option<OpenCall>, StoreError> {
        open_rows::get(&self.inner.journal, &self.inner.org, id).await
    }

    /// Waits until what was noted of this call before is committed.
    pub async fn settled(&self, id: &CallId) -> Result<(), StoreError> {
        let settle = Item::Settle(id.clone());
        self.inner.queue.push(settle, Class::Supervision).await.map(drop)
    }

    /// The highest boot counter that this node is known to have had; 0 if none.
    pub async fn last_epoch(&self, node: &str) -> Result<u64, StoreError> {
        open_rows::last_epoch(&self.inner.journal, &self.inner.org, node).await
    }

    pub async fn audit(&self, filter: AuditFilter) -> Result<AuditPage, StoreError> {
        audit_rows::page(&self.inner.journal, &self.inner.org, filter).await
    }

    /// A thousand rows after this one, oldest first; none at the end.
    pub async fn audit_after(&self, seq: u64) -> Result<Vec<AuditRow>, StoreError> {
        audit_rows::after(&self.inner.journal, &self.inner.org, seq).await
    }

    /// Walks the whole chain.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        audit_rows::verify(&self.inner.journal, &self.inner.org).await
    }

    pub async fn call(&self, id: &CallId) -> Result<Option<CallRecord>, StoreError> {
        call_rows::get(&self.inner.journal, &self.inner.org, id).await
    }

    /// How many ended calls of this agent the other has supervised since then.
    pub async fn heard(
        &self,
        supervisor: &PersonId,
        agent: &PersonId,
        since: Wall,
    ) -> Result<u32, StoreError> {
        let (pool, org) = (&self.inner.journal, &self.inner.org);
        call_rows::heard(pool, org, supervisor, agent, since).await
    }

    /// What is said of a call goes over what was said before, with the row that says so; gives all
    /// that is kept of it then.
    pub async fn say_outcome(
        &self,
        what: SaidOutcome,
        row: AuditEntry,
    ) -> Result<Option<Outcome>, StoreError> {
        if row.org != self.inner.org {
            return Err(StoreError::WrongOrg);
        }
        let call = what.call.clone();
        let item = Item::Outcome(Box::new((what, writer::cleaned(row))));
        self.inner.queue.push(item, Class::Other).await?;
        outcome_rows::get(&self.inner.journal, &self.inner.org, &call).await
    }

    pub async fn calls(&self, filter: CallFilter) -> Result<CallPage, StoreError> {
        call_rows::list(&self.inner.journal, &self.inner.org, filter).await
    }

    /// All or nothing.
    pub async fn provision(&self, what: Provision) -> Result<Applied, StoreError> {
        let org = self.inner.org.clone();
        self.write("provisioning", async |conn| provision::apply(conn, &org, &what).await).await
    }

    /// All people and devices, with the open preset's policy.
    pub async fn directory(&self) -> Result<Directory, StoreError> {
        provision::directory(&self.inner.directory, &self.inner.org).await
    }

    /// A number that is another one after each change of people, devices or keys, whichever
    /// process made it. Read it before what it describes: what changes in between is then seen
    /// by the next look.
    pub async fn directory_version(&self) -> Result<i64, StoreError> {
        provision::version(&self.inner.directory, &self.inner.org).await
    }

    /// What devices prove themselves with; part of what `directory_version` counts.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        accounts::accounts(&self.inner.directory, &self.inner.org).await
    }

    /// What a person's PIN is compared with; None: they have none.
    pub async fn pin(&self, person: &PersonId) -> Result<Option<String>, StoreError> {
        pins::one(&self.inner.directory, &self.inner.org, person).await
    }

    pub async fn pins(&self) -> Result<Vec<PinHash>, StoreError> {
        pins::all(&self.inner.directory, &self.inner.org).await
    }

    /// Where accounts have registered, but for what has run out.
    pub async fn bindings(&self, now: Wall) -> Result<Vec<StoredBinding>, StoreError> {
        accounts::bindings(&self.inner.directory, &self.inner.org, now).await
    }

    /// Puts these in the place of all that an account had. No version counts it.
    pub async fn bind(
        &self,
        account: &str,
        bindings: Vec<StoredBinding>,
    ) -> Result<(), StoreError> {
        let org = self.inner.org.clone();
        let work =
            async |conn: &mut AnyConnection| accounts::bind(conn, &org, account, &bindings).await;
        self.transact("binding an account", false, work).await
    }

    pub async fn add_key(
        &self,
        person: &PersonId,
        rights: BTreeSet<Right>,
        now: Wall,
    ) -> Result<NewKey, StoreError> {
        let org = self.inner.org.clone();
        let new = keys::make(person, rights, now)?;
        let there =
            self.write("adding a key", async |conn| Ok(keys::insert(conn, &org, &new).await?));
        if there.await? {
            Ok(new)
        } else {
            Err(StoreError::Refused(format!("there is no person {person}")))
        }
    }

    /// The key with this token, unless revoked.
    pub async fn key(&self, token: &str) -> Result<Option<Key>, StoreError> {
        keys::find(&self.inner.directory, &self.inner.org, token).await
    }

    pub async fn keys(&self) -> Result<Vec<Key>, StoreError> {
        keys::list(&self.inner.directory, &self.inner.org).await
    }

    /// False: there is no such key, or it was revoked before.
    pub async fn revoke_key(&self, id: &KeyId, now: Wall) -> Result<bool, StoreError> {
        let org = self.inner.org.clone();
        self.write("revoking a key", async |conn| Ok(keys::revoke(conn, &org, id, now).await?))
            .await
    }

    pub(crate) fn org(&self) -> &OrgId {
        &self.inner.org
    }

    pub(crate) fn directory_pool(&self) -> &AnyPool {
        &self.inner.directory
    }

    pub fn gauges(&self) -> Gauges {
        let queue = &self.inner.queue;
        Gauges {
            waiting: queue.waiting(),
            rows_committed: queue.rows_committed.load(Ordering::Relaxed),
            commits: queue.commits.load(Ordering::Relaxed),
            retries: queue.retries.load(Ordering::Relaxed),
        }
    }

    /// One transaction on the directory's one writing connection, counted by its version.
    pub(crate) async fn write<T>(
        &self,
        step: &'static str,
        work: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.transact(step, true, work).await
    }

    pub(crate) async fn transact<T>(
        &self,
        step: &'static str,
        counted: bool,
        work: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut slot = self.inner.directory_writer.lock().await;
        let mut conn = match slot.take() {
            Some(conn) => conn,
            None => self.inner.directory_db.connect().await.map_err(StoreError::query(step))?,
        };
        let begin = self.inner.directory_db.begin();
        let mut tx = conn.begin_with(begin).await.map_err(StoreError::query(step))?;
        let done = work(&mut tx).await?;
        if counted {
            provision::count_up(&mut tx, &self.inner.org).await.map_err(StoreError::query(step))?;
        }
        tx.commit().await.map_err(StoreError::query(step))?;
        *slot = Some(conn); // after an error it is dropped instead: the next one starts clean
        Ok(done)
    }
}
