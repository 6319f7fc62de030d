//! An INVITE of the far end's, from its arrival to the ACK of our answer: the one task that reads
//! its transaction. Answers go in through the transaction's queue, what happens comes out.
//!
//! The first of a dialog and those within it are alike here; what they mean is `incoming`'s and
//! `live`'s.

use std::sync::Arc;

use rsipstack::sip::{Header, HeadersExt as _, Method, Request, Response, SipMessage, StatusCode};
use rsipstack::transaction::transaction::{Transaction, TransactionEvent, TransactionEventSender};
use tokio::sync::mpsc;

use crate::endpoint::Core;
use crate::far::Body;
use crate::fields::cseq;

/// ACK, CANCEL, the end: more than three a transaction cannot say.
pub(crate) const SAID_MAX: usize = 16;

/// What a transaction said; `u32` is the CSeq of its INVITE.
pub(crate) enum Said {
    Ack(u32, Box<Request>),
    /// CANCEL came in time: the INVITE has been answered 487.
    Cancelled,
    /// Our 2xx was not acknowledged in 64·T1.
    NoAck,
}

/// Answers one request, whatever its transaction does meanwhile.
#[derive(Clone)]
pub(crate) struct Answers {
    core: Arc<Core>,
    request: Arc<Request>,
    tag: Arc<str>,
    queue: TransactionEventSender,
}

impl Answers {
    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    pub(crate) fn make(&self, code: u16, more: Vec<Header>, body: Option<Body>) -> Response {
        answer_to(&self.core, &self.request, &self.tag, code, more, body)
    }

    pub(crate) fn send(&self, response: Response) {
        // It ends before its queue does; what comes later answers nobody.
        if self.queue.send(TransactionEvent::Respond(response)).is_err() {
            tracing::debug!("an INVITE was gone before its answer");
        }
    }

    pub(crate) fn give(&self, code: u16, more: Vec<Header>, body: Option<Body>) {
        self.send(self.make(code, more, body));
    }
}

/// Sends 100 and reads on. The task ends with the ACK or with the transaction, and keeps no
/// shutdown waiting.
pub(crate) fn serve(
    core: &Arc<Core>,
    mut invite: Transaction,
    tag: &Arc<str>,
    said: mpsc::Sender<Said>,
) -> Answers {
    let answers = Answers {
        core: core.clone(),
        request: Arc::new(invite.original.clone()),
        tag: tag.clone(),
        queue: invite.tu_sender.clone(),
    };
    let ours = answers.clone();
    core.linger(async move {
        if let Err(error) = invite.send_trying().await {
            tracing::debug!(%error, "100 could not be sent");
        }
        read(&mut invite, &ours, &said).await;
    });
    answers
}

async fn read(invite: &mut Transaction, answers: &Answers, said: &mpsc::Sender<Said>) {
    let number = cseq(&invite.original);
    while let Some(message) = invite.receive().await {
        let SipMessage::Request(request) = message else { continue };
        match request.method {
            Method::Ack => {
                // Its reader is the dialog's task, which may have ended.
                let _ = said.try_send(Said::Ack(number, Box::new(request)));
                return;
            }
            Method::Cancel => {
                let terminated = answers.make(487, Vec::new(), None);
                if let Err(error) = invite.respond(terminated).await {
                    tracing::debug!(%error, "487 could not be sent");
                }
                let _ = said.try_send(Said::Cancelled);
            }
            _ => {}
        }
    }
    let code = invite.last_response.as_ref().map_or(0, |response| response.status_code.code());
    if (200..300).contains(&code) {
        let _ = said.try_send(Said::NoAck);
    }
}

/// An answer within a dialog (section 8.2.6, 12.1.1).
pub(crate) fn answer_to(
    core: &Core,
    request: &Request,
    tag: &str,
    code: u16,
    more: Vec<Header>,
    body: Option<Body>,
) -> Response {
    let tagged = request.to_header().is_ok_and(|to| to.tag().is_ok_and(|tag| tag.is_some()));
    let mut headers = Vec::new();
    for header in request.headers.iter() {
        match header {
            Header::To(to) if !tagged => {
                headers.push(Header::To(format!("{};tag={tag}", to.value()).into()));
            }
            Header::RecordRoute(_) if code >= 300 => {}
            Header::Via(_)
            | Header::From(_)
            | Header::To(_)
            | Header::CallId(_)
            | Header::CSeq(_)
            | Header::RecordRoute(_) => headers.push(header.clone()),
            _ => {}
        }
    }
    if code < 300 {
        headers.push(Header::Contact(format!("<{}>", core.contact).into()));
    }
    headers.push(Header::Server(core.config.user_agent.clone().into()));
    headers.extend(more);
    let (kind, body) = body.unzip();
    headers.extend(kind.map(|kind| Header::ContentType(kind.into())));
    let body = body.unwrap_or_default();
    headers.push(Header::ContentLength(u32::try_from(body.len()).unwrap_or(0).into()));
    Response {
        status_code: StatusCode::from(code),
        wire_reason: None,
        headers: headers.into(),
        body,
        version: *request.version(),
    }
}
