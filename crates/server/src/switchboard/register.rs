//! Names to the tasks that own them: call, bridge, supervision. A table to look up in, locked
//! for the length of one look; the state of a call is never here.

use super::browsers::Browsers;
use super::task::Message;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{mpsc, watch};
use undertone_core::attention::Ear;
use undertone_core::call::Input;
use undertone_core::id::{BridgeId, CallId, SeatId, SupervisionId};
use undertone_sip::DialogHandle;

/// The way to one call's task.
#[derive(Clone, Debug)]
pub struct CallHandle {
    pub id: CallId,
    pub bridge: BridgeId,
    pub(crate) to: mpsc::Sender<Message>,
    /// What its sound tells to who looks.
    pub(crate) ear: Arc<Mutex<Ear>>,
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
    /// By Call-ID: our tag, and which seat of which call that dialog is.
    dialogs: HashMap<String, (String, CallId, SeatId)>,
}

#[derive(Debug)]
pub struct Register {
    tables: RwLock<Tables>,
    /// The phones that are browsers' pages.
    pub(super) browsers: Browsers,
    live: watch::Sender<usize>,
}

impl Default for Register {
    fn default() -> Self {
        Self {
            tables: RwLock::default(),
            browsers: Browsers::default(),
            live: watch::Sender::new(0),
        }
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
        tables.dialogs.retain(|_, (_, call, _)| call != id);
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

    /// What the media reports of a bridge that is no call's goes there.
    pub(super) fn listen(&self, bridge: BridgeId, to: mpsc::Sender<Message>) {
        self.write().bridges.insert(bridge, to);
    }

    pub(super) fn unlisten(&self, bridge: BridgeId) {
        self.write().bridges.remove(&bridge);
    }

    pub(super) fn note_supervision(&self, id: SupervisionId, call: CallId) {
        self.write().supervisions.insert(id, call);
    }

    pub(super) fn forget_supervision(&self, id: &SupervisionId) {
        self.write().supervisions.remove(id);
    }

    pub(super) fn note_dialog(&self, dialog: &DialogHandle, call: CallId, seat: SeatId) {
        let (id, tag) = (dialog.call_id().to_owned(), dialog.local_tag().to_owned());
        self.write().dialogs.insert(id, (tag, call, seat));
    }

    /// The call and the seat of the leg whose dialog has this Call-ID and tag of ours.
    pub(super) fn dialog(&self, call_id: &str, tag: &str) -> Option<(CallHandle, SeatId)> {
        let tables = self.read();
        let (ours, call, seat) = tables.dialogs.get(call_id)?;
        (ours == tag).then_some((tables.calls.get(call)?.clone(), *seat))
    }

    /// Our tag of that dialog, by which the far end may name it to others.
    pub fn tag_of(&self, call_id: &str) -> Option<String> {
        self.read().dialogs.get(call_id).map(|(tag, ..)| tag.clone())
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
