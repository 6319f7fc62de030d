//! What the task of every dialog has, whichever side began it: its events, its requests from us
//! and from the far end, its places in the endpoint's maps, and how it leaves them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rsipstack::sip::{Response, Uri};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::dialogs::{DialogKey, MergeKey, Route};
use crate::endpoint::{Core, INBOUND_MAX};
use crate::far::Far;
use crate::handle::{COMMANDS_MAX, Command, DialogHandle, Notifiers};
use crate::types::{DialogEvent, EndCause, SipError};

/// Events that wait for their reader.
const EVENTS_MAX: usize = 64;

pub(crate) struct Ends {
    pub(crate) core: Arc<Core>,
    pub(crate) call_id: Arc<str>,
    pub(crate) far: Arc<Far>,
    /// Answered, by whichever side.
    pub(crate) up: Arc<AtomicBool>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) inbound: mpsc::Receiver<Transaction>,
    pub(crate) ending: CancellationToken,
    pub(crate) notifiers: Notifiers,
    events: mpsc::Sender<DialogEvent>,
    told_end: bool,
    places: Places,
}

/// Whose INVITE it was.
pub(crate) enum Begun {
    /// Its Request-URI.
    ByUs(Uri),
    /// What other copies of it share.
    ByThem(MergeKey),
}

/// Removed when the task ends, however it ends.
struct Places {
    core: Arc<Core>,
    key: DialogKey,
    merge: Option<MergeKey>,
}

impl Places {
    fn leave(&self) {
        self.core.dialogs.leave(&self.key);
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.leave();
        if let Some(merge) = &self.merge {
            self.core.dialogs.forget_merge(merge);
        }
    }
}

impl Ends {
    pub(crate) fn new(
        core: &Arc<Core>,
        far: Arc<Far>,
        begun: Begun,
    ) -> (Self, DialogHandle, mpsc::Receiver<DialogEvent>) {
        let key = (far.call_id().to_owned(), far.local_tag().to_owned());
        let call_id: Arc<str> = far.call_id().into();
        let (to_task, commands) = mpsc::channel(COMMANDS_MAX);
        let (requests, inbound) = mpsc::channel(INBOUND_MAX);
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let ending = core.closing.child_token();
        let up = Arc::<AtomicBool>::default();
        let (asked, merge) = match begun {
            Begun::ByUs(uri) => (Some(uri), None),
            Begun::ByThem(merge) => (None, Some(merge)),
        };
        let route = Route { requests, far: far.clone(), up: up.clone(), asked };
        core.dialogs.enter(&key, route, merge.as_ref());
        let notifiers = Notifiers::default();
        let handle = DialogHandle {
            call_id: call_id.clone(),
            local_tag: far.local_tag().into(),
            notifiers: notifiers.clone(),
            commands: to_task,
            ending: ending.clone(),
        };
        let places = Places { core: core.clone(), key, merge };
        let ends = Self {
            core: core.clone(),
            call_id,
            far,
            up,
            commands,
            inbound,
            ending,
            notifiers,
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
        self.far.tag()
    }

    /// What still waits for this task is told that the call is gone.
    pub(crate) fn refuse_waiting(&mut self) {
        self.inbound.close();
        while let Ok(transaction) = self.inbound.try_recv() {
            self.core.reply(transaction, 481, Vec::new());
        }
        self.places.leave();
    }
}

/// What cannot be asked of a call that is not up yet.
pub(crate) fn early(command: Command) {
    match command {
        Command::Offer(_, _, reply) => drop(reply.send(Err(SipError::Pending))),
        Command::Info(_, reply) | Command::Options(reply) | Command::Refer(_, _, reply) => {
            drop(reply.send(Err(SipError::Pending)));
        }
        Command::Progress(..)
        | Command::Answer(_)
        | Command::Reject(_)
        | Command::Redirect(_)
        | Command::AnswerReinvite(..)
        | Command::AcceptRefer(..)
        | Command::RefuseRefer(..) => {}
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
