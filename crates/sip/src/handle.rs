//! What one may ask of a dialog. A handle only asks; the dialog's task does it and says so by an
//! event. Nothing here waits on the network, save where it says async.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::lock::lock;
use crate::refer::{NOTICES_MAX, Notice};
use crate::types::{ReferToken, ReofferToken, Replaces, SipError};

/// Requests of ours that wait for the task. Ending a call does not go through this queue.
pub(crate) const COMMANDS_MAX: usize = 64;

#[derive(Debug)]
pub(crate) enum Command {
    Progress(u16, Option<String>),
    Answer(String),
    Reject(u16),
    Redirect(Vec<String>),
    Offer(OfferBy, String, oneshot::Sender<Result<String, SipError>>),
    AnswerReinvite(ReofferToken, Result<String, u16>),
    Info(String, oneshot::Sender<Result<u16, SipError>>),
    Options(oneshot::Sender<Result<u16, SipError>>),
    Refer(String, Option<Replaces>, oneshot::Sender<Result<u16, SipError>>),
    /// 202; what becomes of it arrives by the receiver.
    AcceptRefer(ReferToken, mpsc::Receiver<Notice>),
    RefuseRefer(ReferToken, u16),
}

/// The request that carries an offer of ours in a dialog that is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfferBy {
    Invite,
    Update,
}

/// Where the news of accepted REFERs goes: not through the dialog, which they may outlive.
pub(crate) type Notifiers = Arc<Mutex<HashMap<ReferToken, mpsc::Sender<Notice>>>>;

/// What one does with a dialog. Cheap to clone; dropping every handle ends the dialog.
#[derive(Clone)]
pub struct DialogHandle {
    pub(crate) call_id: Arc<str>,
    pub(crate) local_tag: Arc<str>,
    pub(crate) notifiers: Notifiers,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) ending: CancellationToken,
}

impl DialogHandle {
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Our tag: with the Call-ID, what names this dialog at our end.
    pub fn local_tag(&self) -> &str {
        &self.local_tag
    }

    /// Answers 180.
    pub fn ring(&self) {
        self.ask(Command::Progress(180, None));
    }

    /// Answers provisionally, 101 to 199. It is sent reliably (RFC 3262) where the caller requires
    /// that, or supports it and there is a description.
    pub fn progress(&self, code: u16, sdp: Option<String>) {
        self.ask(Command::Progress(code.clamp(101, 199), sdp));
    }

    /// Answers 200.
    pub fn answer(&self, sdp: String) {
        self.ask(Command::Answer(sdp));
    }

    /// Answers 300 to 699. The reason is for the log; the wire has the code's own phrase.
    pub fn reject(&self, code: u16, reason: Option<&str>) {
        tracing::debug!(call_id = %self.call_id, code, reason, "call rejected");
        self.ask(Command::Reject(code.clamp(300, 699)));
    }

    /// Answers 302: the caller is to try these URIs, the best first.
    pub fn redirect(&self, contacts: Vec<String>) {
        self.ask(Command::Redirect(contacts));
    }

    /// Ends an outgoing call that is not answered yet. One that is answered meanwhile gets a BYE.
    pub fn cancel(&self) {
        self.ending.cancel();
    }

    /// Ends the call in whatever state it is: BYE, CANCEL, or a refusal (603).
    pub fn bye(&self) {
        self.ending.cancel();
    }

    /// Offers anew; gives the answer. Err(SipError::Pending) at once while another offer is open
    /// on this dialog, by whomever, or before the call is confirmed. A glare (491) is tried again
    /// after the time of RFC 3261 section 14.1; Err(SipError::Refused(491)) then means that the far
    /// end's own offer came meanwhile, so that this one is out of date.
    pub async fn reinvite(&self, sdp: String) -> Result<String, SipError> {
        self.offer(OfferBy::Invite, sdp).await
    }

    /// The same by UPDATE (RFC 3311), which the far end must allow: Err(SipError::Refused(405))
    /// where it does not.
    pub async fn update(&self, sdp: String) -> Result<String, SipError> {
        self.offer(OfferBy::Update, sdp).await
    }

    async fn offer(&self, by: OfferBy, sdp: String) -> Result<String, SipError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Offer(by, sdp, reply));
        answer.await.unwrap_or(Err(SipError::Ended))
    }

    /// Answers a `Reoffer`. A token that is no longer open is ignored.
    pub fn answer_reinvite(&self, token: ReofferToken, answer: Result<String, u16>) {
        self.ask(Command::AnswerReinvite(token, answer));
    }

    /// Sends digits as `application/dtmf-relay`, one INFO each, each after the one before.
    pub async fn info(&self, digits: &str) -> Result<(), SipError> {
        for digit in digits.chars() {
            if !digit.is_ascii_digit() && !"*#ABCD".contains(digit) {
                return Err(SipError::BadAddress);
            }
            let (reply, answer) = oneshot::channel();
            self.ask(Command::Info(format!("Signal={digit}\r\nDuration=160\r\n"), reply));
            match answer.await.unwrap_or(Err(SipError::Ended))? {
                200..300 => {}
                code => return Err(SipError::Refused(code)),
            }
        }
        Ok(())
    }

    /// Asks whether the far end is alive; the code of its answer.
    pub async fn options(&self) -> Result<u16, SipError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Options(reply));
        answer.await.unwrap_or(Err(SipError::Ended))
    }

    /// Asks the far end to call that URI in our stead, and to replace that dialog there. Ok says
    /// only that it will try; what becomes of it comes as `Notified`.
    pub async fn refer(&self, uri: &str, replaces: Option<Replaces>) -> Result<(), SipError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Refer(uri.to_owned(), replaces, reply));
        match answer.await.unwrap_or(Err(SipError::Ended))? {
            200..300 => Ok(()),
            code => Err(SipError::Refused(code)),
        }
    }

    /// Answers a `Refer` by 202, and says 100 at once as RFC 3515 wants it. What becomes of the
    /// call is told by `notify_refer`.
    pub fn accept_refer(&self, token: ReferToken) {
        let (notices, told) = mpsc::channel(NOTICES_MAX);
        lock(&self.notifiers).insert(token, notices);
        self.ask(Command::AcceptRefer(token, told));
    }

    pub fn refuse_refer(&self, token: ReferToken, code: u16) {
        self.ask(Command::RefuseRefer(token, code.clamp(300, 699)));
    }

    /// Tells the far end of an accepted `Refer` what its call does (100, 180, 200, or a failure).
    /// `last` ends the subscription, and later news is dropped. Works after the dialog has ended.
    pub fn notify_refer(&self, token: ReferToken, code: u16, last: bool) {
        let mut notifiers = lock(&self.notifiers);
        let sender = if last { notifiers.remove(&token) } else { notifiers.get(&token).cloned() };
        let Some(sender) = sender else { return };
        // Full: the far end is slow to answer; only the last word must not be lost.
        if let Err(error) = sender.try_send(Notice { code, last }) {
            tracing::debug!(call_id = %self.call_id, %error, "news of a REFER was dropped");
        }
    }

    fn ask(&self, command: Command) {
        // Full: 64 requests wait on one dialog. What asked for an answer sees it dropped.
        if let Err(error) = self.commands.try_send(command) {
            tracing::debug!(call_id = %self.call_id, %error, "the dialog takes no more requests");
        }
    }
}
