//! Where phones have registered, kept in the store: what changes is noted at once and written in
//! its own time, so that no REGISTER waits for a disk. Decides nothing about who is bound.

use crate::clock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use undertone_core::time::Wall;
use undertone_sip::{Binding, Keep, Stored, Transport};
use undertone_store::{Store, StoreError, StoredBinding};

/// Until the next attempt, where the database is away.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What an account has now, of all whose change is not written yet: one entry an account.
#[derive(Default)]
pub struct Keeper {
    changed: Mutex<BTreeMap<String, Vec<StoredBinding>>>,
    wake: Notify,
}

impl Keep for Keeper {
    fn changed(&self, account: &str, bindings: &[Binding]) {
        let rows = bindings.iter().map(|binding| row(account, binding)).collect();
        self.waiting().insert(account.to_owned(), rows);
        self.wake.notify_one();
    }
}

impl Keeper {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, Vec<StoredBinding>>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes as it comes, until told to stop; then what is left, once.
    pub async fn write(self: Arc<Self>, store: Store, mut stop: watch::Receiver<bool>) {
        loop {
            let stopped = tokio::select! {
                () = self.wake.notified() => false,
                _ = stop.wait_for(|stop| *stop) => true,
            };
            let written = self.write_all(&store).await;
            if let Err(error) = &written {
                tracing::warn!(%error, "registrations were not written");
            }
            if stopped {
                return;
            }
            if written.is_err() {
                tokio::select! {
                    () = tokio::time::sleep(AGAIN_AFTER) => self.wake.notify_one(),
                    _ = stop.wait_for(|stop| *stop) => self.wake.notify_one(),
                }
            }
        }
    }

    async fn write_all(&self, store: &Store) -> Result<(), StoreError> {
        loop {
            let Some((account, rows)) = self.waiting().pop_first() else { return Ok(()) };
            if let Err(error) = store.bind(&account, rows.clone()).await {
                // What came meanwhile is newer.
                self.waiting().entry(account).or_insert(rows);
                return Err(error);
            }
        }
    }
}

/// What was kept, for the registrar to begin with.
pub async fn restored(store: &Store) -> Result<Vec<Stored>, StoreError> {
    let rows = store.bindings(clock::now().wall).await?;
    Ok(rows.into_iter().filter_map(stored).collect())
}

fn row(account: &str, binding: &Binding) -> StoredBinding {
    StoredBinding {
        account: account.to_owned(),
        contact: binding.contact.clone(),
        q_thousandths: binding.q_thousandths,
        path: binding.path.clone(),
        target: binding.target.to_string(),
        transport: if binding.transport == Transport::Tcp { "tcp" } else { "udp" }.into(),
        expires_at: Wall(i64::try_from(binding.expires_at_ms).unwrap_or(i64::MAX)),
        call_id: binding.call_id.clone(),
        cseq: binding.cseq,
        instance: binding.instance.clone(),
    }
}

/// A row that another version wrote and this one does not understand is left alone.
fn stored(row: StoredBinding) -> Option<Stored> {
    let binding = Binding {
        contact: row.contact,
        q_thousandths: row.q_thousandths,
        path: row.path,
        target: row.target.parse().ok()?,
        transport: if row.transport == "tcp" { Transport::Tcp } else { Transport::Udp },
        flow: None,
        expires_at_ms: u64::try_from(row.expires_at.0).ok()?,
        call_id: row.call_id,
        cseq: row.cseq,
        instance: row.instance,
    };
    Some(Stored { account: row.account, binding })
}
