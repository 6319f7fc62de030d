//! What one may ask of a dialog. A handle only asks; the dialog's task does it and says so by an
//! event. Nothing here waits on the network, save where it says async.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::types::{ReofferToken, SipError};

/// Requests of ours that wait for the task. Ending a call does not go through this queue.
pub(crate) const COMMANDS_MAX: usize = 64;

#[derive(Debug)]
pub(crate) enum Command {
    Progress(Option<String>),
    Answer(String),
    Reject(u16),
    Reinvite(String, oneshot::Sender<Result<String, SipError>>),
    AnswerReinvite(ReofferToken, Result<String, u16>),
    Info(String, oneshot::Sender<Result<u16, SipError>>),
    Options(oneshot::Sender<Result<u16, SipError>>),
}

/// What one does with a dialog. Cheap to clone; dropping every handle ends the dialog.
#[derive(Clone)]
pub struct DialogHandle {
    pub(crate) call_id: Arc<str>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) ending: CancellationToken,
}

impl DialogHandle {
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Answers 180.
    pub fn ring(&self) {
        self.ask(Command::Progress(None));
    }

    /// Answers a provisional of 180 or 183. The library can send no other; with a description it
    /// is 183, without one 180.
    pub fn progress(&self, _code: u16, sdp: Option<String>) {
        self.ask(Command::Progress(sdp));
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

    /// Ends an outgoing call that is not answered yet. One that is answered meanwhile gets a BYE.
    pub fn cancel(&self) {
        self.ending.cancel();
    }

    /// Ends the call in whatever state it is: BYE, CANCEL, or a refusal (603).
    pub fn bye(&self) {
        self.ending.cancel();
    }

    /// Offers anew; gives the answer. Err(SipError::Pending) at once while another offer is open
    /// on this dialog, by whomever, or before the call is confirmed.
    pub async fn reinvite(&self, sdp: String) -> Result<String, SipError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Reinvite(sdp, reply));
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

    fn ask(&self, command: Command) {
        // Full: 64 requests wait on one dialog. What asked for an answer sees it dropped.
        if let Err(error) = self.commands.try_send(command) {
            tracing::debug!(call_id = %self.call_id, %error, "the dialog takes no more requests");
        }
    }
}
