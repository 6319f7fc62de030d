//! Names to the tasks that own them: call, bridge, supervision. A table to look up in, locked
//! for the length of one look; the state of a call is never here.

use super::task::Message;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{mpsc, watch};
use undertone_core::call::Input;
use undertone_core::id::{BridgeId, CallId, SupervisionId};

/// The way to one call's task.
#[derive(Clone, Debug)]
pub struct CallHandle {
    pub id: CallId,
    pub bridge: BridgeId,
    pub(crate) to: mpsc::Sender<Message>,
}

impl CallHandle {
    /// Waits for room only; a call that has ended takes nothing and that is no error.
    pub async fn input(&self, input: Input) {
        let _ = self.to.send(Message::Input(Box::new(input))).await;
    }
}

#[derive(Debug, Default)]
struct Tables {
    calls: HashMap<CallId, CallHandle>,
    bridges: HashMap<BridgeId, mpsc::Sender<Message>>,
    supervisions: HashMap<SupervisionId, CallId>,
}

#[derive(Debug)]
pub struct Register {
    tables: RwLock<Tables>,
    live: watch::Sender<usize>,
}

impl Default for Register {
    fn default() -> Self {
        Self { tables: RwLock::default(), live: watch::Sender::new(0) }
    }
}

impl Register {
    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }
    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, call: CallHandle) {
        let mut tables = self.write();
        tables.bridges.insert(call.bridge, call.to.clone());
        tables.calls.insert(call.id.clone(), call);
        self.live.send_replace(tables.calls.len());
    }

    pub(super) fn remove(&self, id: &CallId, bridge: BridgeId) {
        let mut tables = self.write();
        tables.bridges.remove(&bridge);
        tables.calls.remove(id);
        tables.supervisions.retain(|_, call| call != id);
        self.live.send_replace(tables.calls.len());
    }

    pub fn call(&self, id: &CallId) -> Option<CallHandle> {
        self.read().calls.get(id).cloned()
    }

    pub fn all(&self) -> Vec<CallHandle> {
        self.read().calls.values().cloned().collect()
    }

    pub fn live_calls(&self) -> usize {
        *self.live.borrow()
    }

    pub(super) fn bridge(&self, id: BridgeId) -> Option<mpsc::Sender<Message>> {
        self.read().bridges.get(&id).cloned()
    }

    pub(super) fn note_supervision(&self, id: SupervisionId, call: CallId) {
        self.write().supervisions.insert(id, call);
    }

    pub(super) fn forget_supervision(&self, id: &SupervisionId) {
        self.write().supervisions.remove(id);
    }

    pub fn call_of(&self, id: &SupervisionId) -> Option<CallHandle> {
        let tables = self.read();
        tables.calls.get(tables.supervisions.get(id)?).cloned()
    }

    pub async fn until_empty(&self) {
        let mut live = self.live.subscribe();
        let _ = live.wait_for(|n| *n == 0).await;
    }
}
