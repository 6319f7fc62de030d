//! A call that is up, seen from either side: re-INVITEs both ways, INFO, OPTIONS, and its end.
//!
//! One INVITE at a time in a dialog (RFC 3261 section 14): while ours is open, theirs gets 491;
//! while theirs is open, a second gets 500, and ours is refused as `Pending`.

use rsipstack::dialog::dialog::{DialogState, TerminatedReason, TransactionHandle};
use rsipstack::sip::{Header, Method, Request, Response, StatusCode, StatusCodeKind};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::dialog::{Ends, refresh_target, sdp_of};
use crate::endpoint::{capabilities, cseq, from_tag};
use crate::handle::Command;
use crate::incoming::info_of;
use crate::outgoing::sdp_headers;
use crate::types::{DialogEvent, EndCause, ReofferToken, SipError};
use crate::wire::ALLOW;

type Outcome = rsipstack::Result<Option<Response>>;

/// A re-INVITE of ours that waits for its answer.
struct Ours {
    sent: JoinHandle<Option<Outcome>>,
    reply: oneshot::Sender<Result<String, SipError>>,
}

/// One of theirs that waits for ours.
struct Theirs {
    token: ReofferToken,
    handle: TransactionHandle,
    request: Request,
    /// Before the library's own, which would answer 501.
    deadline: Instant,
}

pub(crate) struct Live {
    remote_seq: u32,
    ours: Option<Ours>,
    /// A re-INVITE of theirs is on its way through the library to `theirs`.
    opening: bool,
    theirs: Option<Theirs>,
    /// Our 200 to theirs has no ACK yet.
    unacknowledged: bool,
    /// ... and the ACK will hold the answer to our offer.
    answer_in_ack: bool,
    tokens: u64,
    /// INFO and OPTIONS of ours; each gives the code of its answer.
    asked: JoinSet<u16>,
}

enum Next {
    Wait,
    /// It has ended: nothing is left to say.
    Over,
    /// It has ended for us; the far end is to be told.
    HangUp,
}

impl Live {
    pub(crate) fn caller() -> Self {
        Self::callee(0)
    }

    pub(crate) fn callee(remote_seq: u32) -> Self {
        Self {
            remote_seq,
            ours: None,
            opening: false,
            theirs: None,
            unacknowledged: false,
            answer_in_ack: false,
            tokens: 0,
            asked: JoinSet::new(),
        }
    }

    pub(crate) async fn run(mut self, ends: &mut Ends) {
        let ending = ends.ending.clone();
        let mut handles_gone = false;
        loop {
            let deadline = self.theirs.as_ref().map(|theirs| theirs.deadline);
            let next = tokio::select! {
                biased;
                () = ending.cancelled() => {
                    ends.ended(ends.our_cause());
                    Next::HangUp
                }
                state = ends.states.recv() => match state {
                    Some(state) => self.note(ends, state),
                    None => Next::Over,
                },
                transaction = ends.inbound.recv() => match transaction {
                    Some(transaction) => self.request(ends, transaction).await,
                    None => Next::Over,
                },
                outcome = sent(&mut self.ours) => self.answered(ends, outcome),
                Some(code) = self.asked.join_next() => lost(ends, code.unwrap_or(0)),
                () = at(deadline) => self.answer(ends, None, Err(500)).await,
                command = ends.commands.recv(), if !handles_gone => match command {
                    Some(command) => self.command(ends, command).await,
                    None => {
                        handles_gone = true;
                        ending.cancel();
                        Next::Wait
                    }
                },
            };
            match next {
                Next::Wait => {}
                Next::Over => return,
                Next::HangUp => {
                    self.refuse_theirs(487).await;
                    return hang_up(ends).await;
                }
            }
        }
    }

    fn note(&mut self, ends: &mut Ends, state: DialogState) -> Next {
        match state {
            DialogState::Updated(_, request, handle) if request.method == Method::Invite => {
                self.opening = false;
                self.tokens += 1;
                let token = ReofferToken(self.tokens);
                let sdp = sdp_of(&request.body);
                let deadline = Instant::now() + ends.core.timer_b() / 2;
                self.theirs = Some(Theirs { token, handle, request, deadline });
                ends.tell(DialogEvent::Reoffer { token, sdp });
            }
            DialogState::Confirmed(..) if self.unacknowledged => {
                self.unacknowledged = false;
                if std::mem::take(&mut self.answer_in_ack) {
                    let ack = ends.dialog.last_remote_ack();
                    let sdp = ack.and_then(|ack| sdp_of(&ack.body));
                    ends.tell(DialogEvent::Confirmed { sdp });
                }
            }
            // The library sends the BYE.
            DialogState::Terminated(_, TerminatedReason::Timeout) => {
                ends.ended(EndCause::NoAck);
                return Next::Over;
            }
            DialogState::Terminated(..) => {
                ends.ended(EndCause::Lost);
                return Next::Over;
            }
            _ => {}
        }
        Next::Wait
    }

    async fn request(&mut self, ends: &mut Ends, mut transaction: Transaction) -> Next {
        let core = ends.core.clone();
        let seq = cseq(&transaction.original);
        if ends.far_tag().as_deref() != Some(from_tag(&transaction.original).as_str()) {
            core.reply(transaction, 481, Vec::new());
            return Next::Wait;
        }
        // Section 12.2.2; a retransmission never comes this far.
        if seq < self.remote_seq {
            core.reply(transaction, 500, Vec::new());
            return Next::Wait;
        }
        self.remote_seq = seq;
        match transaction.original.method {
            Method::Bye => {
                self.refuse_theirs(487).await;
                let mut dialog = ends.dialog.clone();
                if let Err(error) = dialog.handle(&mut transaction).await {
                    tracing::debug!(%error, "a BYE could not be answered");
                }
                ends.ended(EndCause::FarEnd);
                return Next::Over;
            }
            Method::Invite if self.ours.is_some() => core.reply(transaction, 491, Vec::new()),
            Method::Invite if self.opening || self.theirs.is_some() => {
                // Section 14.2 wants 0 to 10 seconds.
                let headers = vec![Header::RetryAfter("1".into())];
                core.reply(transaction, 500, headers);
            }
            Method::Invite => {
                self.opening = true;
                let mut dialog = ends.dialog.clone();
                core.spawn(async move {
                    if let Err(error) = dialog.handle(&mut transaction).await {
                        tracing::debug!(%error, "a re-INVITE could not be served");
                    }
                });
            }
            Method::Info => {
                let event = info_of(&transaction.original);
                core.reply(transaction, 200, Vec::new());
                ends.tell(event);
            }
            Method::Options => core.reply(transaction, 200, capabilities()),
            _ => core.reply(transaction, 405, vec![Header::Allow(ALLOW.into())]),
        }
        Next::Wait
    }

    async fn command(&mut self, ends: &mut Ends, command: Command) -> Next {
        match command {
            Command::Reinvite(sdp, reply) => self.reinvite(ends, sdp, reply),
            Command::AnswerReinvite(token, answer) => {
                return self.answer(ends, Some(token), answer).await;
            }
            Command::Info(body, reply) => {
                let dialog = ends.dialog.clone();
                let headers = vec![Header::ContentType("application/dtmf-relay".into())];
                self.asked.spawn(async move {
                    let sent = dialog.info(Some(headers), Some(body.into_bytes())).await;
                    code_of(sent, reply)
                });
            }
            Command::Options(reply) => {
                let dialog = ends.dialog.clone();
                self.asked.spawn(async move {
                    code_of(dialog.request(Method::Options, None, None).await, reply)
                });
            }
            Command::Progress(..) | Command::Answer(_) | Command::Reject(_) => {}
        }
        Next::Wait
    }

    fn reinvite(
        &mut self,
        ends: &Ends,
        sdp: String,
        reply: oneshot::Sender<Result<String, SipError>>,
    ) {
        let theirs = self.opening || self.theirs.is_some() || self.unacknowledged;
        if self.ours.is_some() || theirs {
            let _ = reply.send(Err(SipError::Pending));
            return;
        }
        let dialog = ends.dialog.clone();
        let sent = ends.core.spawn(async move {
            dialog.reinvite(Some(sdp_headers()), Some(sdp.into_bytes())).await
        });
        self.ours = Some(Ours { sent, reply });
    }

    /// Our re-INVITE was answered. A refusal changes nothing, save where it says that the far end
    /// does not know this dialog, or says nothing at all (section 12.2.1.2).
    fn answered(&mut self, ends: &mut Ends, outcome: Option<Outcome>) -> Next {
        let Some(ours) = self.ours.take() else { return Next::Wait };
        let mut code = 0;
        let result = match outcome {
            Some(Ok(Some(response))) => {
                code = response.status_code.code();
                if response.status_code.kind() == StatusCodeKind::Successful {
                    refresh_target(&ends.dialog, &response);
                    sdp_of(&response.body).ok_or(SipError::Refused(488))
                } else if code == 408 {
                    Err(SipError::Timeout)
                } else {
                    Err(SipError::Refused(code))
                }
            }
            Some(Ok(None)) | None => Err(SipError::Timeout),
            Some(Err(error)) => Err(SipError::Transport(error.to_string())),
        };
        let _ = ours.reply.send(result);
        lost(ends, code)
    }

    /// Answers theirs; without a token, whatever is open.
    async fn answer(
        &mut self,
        ends: &mut Ends,
        token: Option<ReofferToken>,
        answer: Result<String, u16>,
    ) -> Next {
        let fits = |theirs: &mut Theirs| token.is_none_or(|token| token == theirs.token);
        let Some(theirs) = self.theirs.take_if(fits) else { return Next::Wait };
        let (status, headers, body) = match answer {
            Ok(sdp) => {
                // A target changes when the request that names it is accepted.
                refresh_target(&ends.dialog, &theirs.request);
                self.unacknowledged = true;
                self.answer_in_ack = theirs.request.body.is_empty();
                (StatusCode::OK, Some(sdp_headers()), Some(sdp.into_bytes()))
            }
            Err(code) => (StatusCode::from(code.clamp(300, 699)), None, None),
        };
        if theirs.handle.respond(status, headers, body).await.is_err() {
            self.unacknowledged = false;
            tracing::debug!(call_id = %ends.call_id, "a re-INVITE was gone before its answer");
        }
        Next::Wait
    }

    async fn refuse_theirs(&mut self, code: u16) {
        if let Some(theirs) = self.theirs.take() {
            let _ = theirs.handle.respond(StatusCode::from(code), None, None).await;
        }
    }
}

/// Answers of the far end that end a dialog.
fn lost(ends: &mut Ends, code: u16) -> Next {
    if code != 408 && code != 481 {
        return Next::Wait;
    }
    ends.ended(EndCause::Lost);
    Next::HangUp
}

fn code_of(sent: Outcome, reply: oneshot::Sender<Result<u16, SipError>>) -> u16 {
    let result = match sent {
        Ok(Some(response)) => Ok(response.status_code.code()),
        Ok(None) => Err(SipError::Timeout),
        Err(error) => Err(SipError::Transport(error.to_string())),
    };
    let code = result.as_ref().copied().unwrap_or(0);
    let _ = reply.send(if code == 408 { Err(SipError::Timeout) } else { result });
    code
}

/// Tells the far end, and answers what crosses our BYE.
async fn hang_up(ends: &mut Ends) {
    let dialog = ends.dialog.clone();
    let mut bye = std::pin::pin!(dialog.bye());
    loop {
        tokio::select! {
            sent = &mut bye => {
                if let Err(error) = sent {
                    tracing::debug!(call_id = %ends.call_id, %error, "our BYE failed");
                }
                return;
            }
            Some(transaction) = ends.inbound.recv() => {
                let code = if transaction.original.method == Method::Bye { 200 } else { 481 };
                ends.core.reply(transaction, code, Vec::new());
            }
        }
    }
}

async fn sent(ours: &mut Option<Ours>) -> Option<Outcome> {
    match ours {
        Some(ours) => (&mut ours.sent).await.ok().flatten(),
        None => std::future::pending().await,
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
