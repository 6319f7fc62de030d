//! A call to us until its 200 is acknowledged, or it has ended before.
//!
//! ```text
//!   INVITE -> 100 -> Incoming -> ring / progress -> answer -> 200 -> ACK -> Confirmed -> live
//!                             -> reject -> 3xx-6xx     CANCEL -> 487, Failed 487
//!                                                      no ACK in 64*T1 -> BYE, Ended NoAck
//! ```
//!
//! Who may call, and where a call goes, is not decided here; only how many there may be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rsipstack::dialog::dialog::{DialogState, TerminatedReason};
use rsipstack::sip::prelude::ToTypedHeader as _;
use rsipstack::sip::{Header, HeadersExt as _, Method, Request, StatusCode};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::dialog::{Ends, sdp_of};
use crate::endpoint::{Core, call_id, capabilities, cseq, from_tag, lock};
use crate::handle::Command;
use crate::live::Live;
use crate::outgoing::sdp_headers;
use crate::types::{Address, DialogEvent, EndCause, Incoming, SipError, Transport};
use crate::wire::{ALLOW, unescape};

pub(crate) fn start(core: &Arc<Core>, mut invite: Transaction, calls: &mpsc::Sender<Incoming>) {
    let request = invite.original.clone();
    let merge = (call_id(&request), from_tag(&request), cseq(&request));
    if lock(&core.merges).contains_key(&merge) {
        return core.reply(invite, 482, Vec::new());
    }
    let full = lock(&core.routes).len() >= core.config.dialogs_max;
    let permit = calls.try_reserve();
    let (false, false, Ok(permit)) = (full, core.closing.is_cancelled(), permit) else {
        core.refused.fetch_add(1, Ordering::Relaxed);
        return core.reply(invite, 503, core.retry_after());
    };
    let (to_states, states) = core.layer.new_dialog_state_channel();
    let contact = Some(core.contact.clone());
    let created = core.layer.get_or_create_server_invite(&invite, to_states, None, contact);
    let Ok(dialog) = created else {
        return core.reply(invite, 400, Vec::new());
    };
    let (ends, handle, events) = Ends::new(core, dialog.clone(), states, Some(merge));
    let remote_seq = cseq(&request);
    let mut served = dialog;
    let serving = core.spawn(async move {
        if let Err(error) = served.handle(&mut invite).await {
            tracing::debug!(%error, "an INVITE could not be served");
        }
    });
    core.spawn(Ringing { ends, remote_seq, serving, answered: false }.run());
    permit.send(describe(&request, handle, events));
}

fn describe(
    request: &Request,
    dialog: crate::DialogHandle,
    events: mpsc::Receiver<DialogEvent>,
) -> Incoming {
    let from = request.from_header().ok().and_then(|h| h.clone().typed().ok());
    let to = request.to_header().ok().and_then(|h| h.clone().typed().ok());
    let contact = request.typed_contact_headers().ok().and_then(|c| c.into_iter().next());
    Incoming {
        call_id: call_id(request),
        from: from.map(|f| address(f.display_name, &f.uri)).unwrap_or_default(),
        to: to.map(|t| address(t.display_name, &t.uri)).unwrap_or_default(),
        request_user: unescape(request.uri.user().unwrap_or_default()),
        source: source(request),
        transport: Transport::Udp,
        flow: None,
        contact: contact.map(|c| c.uri.to_string()).unwrap_or_default(),
        offer: sdp_of(&request.body),
        dialog,
        events,
    }
}

/// Where the datagram came from, as our own reading wrote it into the Via.
fn source(request: &Request) -> std::net::SocketAddr {
    let via = request.via_header().ok();
    let target =
        via.and_then(|via| rsipstack::transport::SipConnection::parse_target_from_via(via).ok());
    let addr = target.map(|(transport, addr)| rsipstack::transport::SipAddr::new(transport, addr));
    addr.and_then(|addr| addr.get_socketaddr().ok())
        .unwrap_or_else(|| std::net::SocketAddr::from(([0, 0, 0, 0], 0)))
}

fn address(name: Option<String>, uri: &rsipstack::sip::Uri) -> Address {
    let mut plain = String::new();
    let mut escaped = false;
    for c in name.unwrap_or_default().trim().chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    Address { user: unescape(uri.user().unwrap_or_default()), name: plain, uri: uri.to_string() }
}

struct Ringing {
    ends: Ends,
    remote_seq: u32,
    /// The library's work on the INVITE transaction.
    serving: JoinHandle<Option<()>>,
    answered: bool,
}

enum Next {
    Wait,
    Live,
    Over,
}

impl Ringing {
    async fn run(mut self) {
        let ending = self.ends.ending.clone();
        let mut hung_up = false;
        let mut served = false;
        loop {
            let next = tokio::select! {
                biased;
                state = self.ends.states.recv() => match state {
                    Some(state) => self.note(&state),
                    None => Next::Over,
                },
                _ = &mut self.serving, if !served => {
                    served = true;
                    // Whatever it led to is already among the states; else it led to nothing.
                    if self.ends.states.is_empty() { self.lost() } else { Next::Wait }
                }
                () = ending.cancelled(), if !hung_up => {
                    hung_up = true;
                    self.hang_up()
                }
                transaction = self.ends.inbound.recv() => match transaction {
                    Some(transaction) => self.request(transaction).await,
                    None => Next::Over,
                },
                command = self.ends.commands.recv(), if !hung_up => match command {
                    Some(command) => self.command(command),
                    None => { ending.cancel(); Next::Wait }
                },
            };
            match next {
                Next::Wait => {}
                Next::Over => break,
                Next::Live => {
                    Live::callee(self.remote_seq).run(&mut self.ends).await;
                    break;
                }
            }
        }
        self.ends.refuse_waiting();
    }

    fn note(&mut self, state: &DialogState) -> Next {
        match state {
            DialogState::Confirmed(..) => {
                let ack = self.ends.dialog.last_remote_ack();
                let sdp = ack.and_then(|ack| sdp_of(&ack.body));
                self.ends.tell(DialogEvent::Confirmed { sdp });
                Next::Live
            }
            DialogState::Terminated(_, TerminatedReason::Timeout) => {
                self.ends.ended(EndCause::NoAck);
                Next::Over
            }
            DialogState::Terminated(_, TerminatedReason::UacCancel) => {
                self.ends.failed(487, "cancelled by the caller");
                Next::Over
            }
            DialogState::Terminated(..) => {
                self.lost();
                Next::Over
            }
            _ => Next::Wait,
        }
    }

    fn lost(&mut self) -> Next {
        if self.answered {
            self.ends.ended(EndCause::Lost);
        } else {
            self.ends.failed(500, "the call was lost");
        }
        Next::Over
    }

    /// An answered call must have its ACK before our BYE (section 15); the caller of `bye` need
    /// not wait for that.
    fn hang_up(&mut self) -> Next {
        let cause = self.ends.our_cause();
        self.ends.ended(cause);
        if self.answered {
            return Next::Wait;
        }
        let code = if cause == EndCause::Shutdown { 503 } else { 603 };
        self.reject(code);
        Next::Over
    }

    fn reject(&mut self, code: u16) {
        if let Err(error) = self.ends.dialog.reject(Some(StatusCode::from(code)), None) {
            tracing::debug!(call_id = %self.ends.call_id, %error, "a refusal could not be sent");
        }
    }

    fn command(&mut self, command: Command) -> Next {
        let dialog = &self.ends.dialog;
        let done = match command {
            Command::Progress(sdp) => {
                let headers = if sdp.is_some() { sdp_headers() } else { capabilities() };
                dialog.ringing(Some(headers), sdp.map(String::into_bytes))
            }
            Command::Answer(sdp) if !self.answered => {
                self.answered = true;
                dialog.accept(Some(sdp_headers()), Some(sdp.into_bytes()))
            }
            Command::Reject(code) if !self.answered => {
                self.reject(code);
                self.ends.ended(EndCause::Us);
                return Next::Over;
            }
            Command::Reinvite(_, reply) => {
                let _ = reply.send(Err(SipError::Pending));
                Ok(())
            }
            Command::Info(_, reply) | Command::Options(reply) => {
                let _ = reply.send(Err(SipError::Pending));
                Ok(())
            }
            Command::Answer(_) | Command::Reject(_) | Command::AnswerReinvite(..) => Ok(()),
        };
        if let Err(error) = done {
            tracing::debug!(call_id = %self.ends.call_id, %error, "an answer could not be sent");
            return self.lost();
        }
        Next::Wait
    }

    /// What the far end may ask before its ACK has come.
    async fn request(&mut self, mut transaction: Transaction) -> Next {
        if self.ends.far_tag().as_deref() != Some(from_tag(&transaction.original).as_str()) {
            self.ends.core.reply(transaction, 481, Vec::new());
            return Next::Wait;
        }
        let core = self.ends.core.clone();
        self.remote_seq = self.remote_seq.max(cseq(&transaction.original));
        match transaction.original.method {
            Method::Bye if self.answered => {
                let mut dialog = self.ends.dialog.clone();
                if let Err(error) = dialog.handle(&mut transaction).await {
                    tracing::debug!(%error, "a BYE could not be answered");
                }
                self.ends.ended(EndCause::FarEnd);
                return Next::Over;
            }
            Method::Bye => {
                self.reject(487);
                core.reply(transaction, 200, Vec::new());
                self.ends.failed(487, "hung up by the caller");
                return Next::Over;
            }
            // Section 14.2: one INVITE at a time.
            Method::Invite => core.reply(transaction, 500, core.retry_after()),
            Method::Options => core.reply(transaction, 200, capabilities()),
            Method::Info => {
                let event = info_of(&transaction.original);
                core.reply(transaction, 200, Vec::new());
                self.ends.tell(event);
            }
            _ => core.reply(transaction, 405, vec![Header::Allow(ALLOW.into())]),
        }
        Next::Wait
    }
}

pub(crate) fn info_of(request: &Request) -> DialogEvent {
    let content_type = request.header_value("Content-Type").unwrap_or_default();
    DialogEvent::Info { content_type, body: sdp_of(&request.body).unwrap_or_default() }
}
