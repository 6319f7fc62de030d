//! What the task of every dialog has, whichever side began it: its events, its requests from us
//! and from the far end, its places in the endpoint's maps, and how it leaves them.

use std::sync::Arc;

use rsipstack::dialog::DialogId;
use rsipstack::dialog::dialog::DialogStateReceiver;
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::Response;
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::endpoint::{Core, DialogKey, INBOUND_MAX, MergeKey, lock};
use crate::handle::{COMMANDS_MAX, Command, DialogHandle};
use crate::types::{DialogEvent, EndCause};

/// Events that wait for their reader.
const EVENTS_MAX: usize = 64;

pub(crate) struct Ends {
    pub(crate) core: Arc<Core>,
    pub(crate) call_id: Arc<str>,
    pub(crate) dialog: InviteDialog,
    pub(crate) states: DialogStateReceiver,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) inbound: mpsc::Receiver<Transaction>,
    pub(crate) ending: CancellationToken,
    events: mpsc::Sender<DialogEvent>,
    told_end: bool,
    places: Places,
}

/// Removed when the task ends, however it ends.
struct Places {
    core: Arc<Core>,
    key: DialogKey,
    merge: Option<MergeKey>,
    dialog: InviteDialog,
    first_id: DialogId,
}

impl Drop for Places {
    fn drop(&mut self) {
        lock(&self.core.routes).remove(&self.key);
        if let Some(merge) = &self.merge {
            lock(&self.core.merges).remove(merge);
        }
        self.core.layer.remove_dialog(&self.first_id);
        self.core.layer.remove_dialog(&self.dialog.id());
    }
}

impl Ends {
    pub(crate) fn new(
        core: &Arc<Core>,
        dialog: InviteDialog,
        states: DialogStateReceiver,
        merge: Option<MergeKey>,
    ) -> (Self, DialogHandle, mpsc::Receiver<DialogEvent>) {
        let id = dialog.id();
        let key = (id.call_id.clone(), id.local_tag.clone());
        let call_id: Arc<str> = id.call_id.as_str().into();
        let (to_task, commands) = mpsc::channel(COMMANDS_MAX);
        let (route, inbound) = mpsc::channel(INBOUND_MAX);
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let ending = core.closing.child_token();
        lock(&core.routes).insert(key.clone(), route);
        if let Some(merge) = &merge {
            lock(&core.merges).insert(merge.clone(), key.clone());
        }
        let handle =
            DialogHandle { call_id: call_id.clone(), commands: to_task, ending: ending.clone() };
        let places =
            Places { core: core.clone(), key, merge, dialog: dialog.clone(), first_id: id };
        let ends = Self {
            core: core.clone(),
            call_id,
            dialog,
            states,
            commands,
            inbound,
            ending,
            events,
            told_end: false,
            places,
        };
        (ends, handle, receiver)
    }

    /// A reader that leaves 64 events unread has lost this call: it ends.
    pub(crate) fn tell(&mut self, event: DialogEvent) {
        if self.told_end {
            return;
        }
        self.told_end = matches!(event, DialogEvent::Failed { .. } | DialogEvent::Ended { .. });
        if let Err(mpsc::error::TrySendError::Full(_)) = self.events.try_send(event) {
            tracing::warn!(call_id = %self.call_id, "events are not read, the call ends");
            self.ending.cancel();
        }
    }

    pub(crate) fn failed(&mut self, code: u16, reason: &str) {
        self.tell(DialogEvent::Failed { code, reason: reason.to_owned() });
    }

    pub(crate) fn ended(&mut self, cause: EndCause) {
        self.tell(DialogEvent::Ended { cause });
    }

    /// Why we end it: by a handle, or because everything ends.
    pub(crate) fn our_cause(&self) -> EndCause {
        if self.core.closing.is_cancelled() { EndCause::Shutdown } else { EndCause::Us }
    }

    /// The tag that the far end's requests carry; None before any is known.
    pub(crate) fn far_tag(&self) -> Option<String> {
        Some(self.dialog.id().remote_tag).filter(|tag| !tag.is_empty())
    }

    /// What still waits for this task is told that the call is gone.
    pub(crate) fn refuse_waiting(&mut self) {
        self.inbound.close();
        while let Ok(transaction) = self.inbound.try_recv() {
            self.core.reply(transaction, 481, Vec::new());
        }
        lock(&self.core.routes).remove(&self.places.key);
    }
}

/// The description in a message, if it has one.
pub(crate) fn sdp_of(body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    std::str::from_utf8(body).ok().map(str::to_owned)
}

/// An answer's phrase, as the far end wrote it.
pub(crate) fn reason_of(response: &Response) -> String {
    let said = response.wire_reason.clone();
    said.unwrap_or_else(|| response.status_code.text().to_owned())
}

/// The far end may name a new Contact in any re-INVITE or its answer (section 12.2).
pub(crate) fn refresh_target(dialog: &InviteDialog, contacts: &impl rsipstack::sip::HeadersExt) {
    let Ok(typed) = contacts.typed_contact_headers() else { return };
    let (Some(first), Ok(raw)) = (typed.first(), contacts.contact_header()) else { return };
    let dialog = rsipstack::dialog::dialog::Dialog::Invite(dialog.clone());
    dialog.set_remote_target(first.uri.clone(), Some(raw.clone()));
}
