//! Requests of ours outside any dialog: REGISTER and OPTIONS. One at a time, with its challenge
//! answered; the outcome is a code, whatever becomes of it on the way.

use std::net::SocketAddr;
use std::time::Duration;

use rsipstack::sip::{Header, HeadersExt as _, Method, Param, Request, Response, SipMessage, Uri};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::transaction::Transaction;

use crate::challenge;
use crate::credentials::Credentials;
use crate::endpoint::Core;
use crate::types::{SipError, Transport};

/// A place that requests are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub addr: SocketAddr,
    pub transport: Transport,
}

/// One line of requests: they share a Call-ID and a From tag, and count on in CSeq.
pub(crate) struct Asker {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) from: Uri,
    pub(crate) to: Uri,
    pub(crate) credentials: Option<Credentials>,
    call_id: String,
    tag: String,
    cseq: u32,
}

impl Asker {
    pub(crate) fn new(core: &Core, method: Method, uri: Uri, from: Uri, to: Uri) -> Self {
        Self {
            method,
            uri,
            from,
            to,
            credentials: None,
            call_id: format!("{:032x}@{}", rand::random::<u128>(), core.advertised.ip()),
            tag: format!("{:016x}", rand::random::<u64>()),
            cseq: 0,
        }
    }

    /// The final answer. `Timeout` if there is none in time.
    pub(crate) async fn ask(
        &mut self,
        core: &Core,
        target: Target,
        headers: &[Header],
        limit: Duration,
    ) -> Result<Response, SipError> {
        let with = self.credentials.clone();
        let mut proof = None;
        let mut tries = 0;
        loop {
            let mut request = self.request(core, headers)?;
            match proof.take() {
                Some(header) => challenge::put(&mut request, header),
                None => {
                    let ahead =
                        with.as_ref().and_then(|w| challenge::ahead(&request, target.addr, w));
                    ahead.into_iter().for_each(|header| challenge::put(&mut request, header));
                }
            }
            let sent = request.clone();
            let answered = tokio::time::timeout(limit, send(core, request, target)).await;
            let response = answered.map_err(|_| SipError::Timeout)??;
            proof = challenge::again(&sent, &response, with.as_ref(), tries);
            if proof.is_none() {
                return Ok(response);
            }
            tries += 1;
        }
    }

    fn request(&mut self, core: &Core, headers: &[Header]) -> Result<Request, SipError> {
        self.cseq += 1;
        let lost = |error: rsipstack::Error| SipError::Transport(error.to_string());
        let via = core.endpoint.get_via(None, None).map_err(lost)?;
        let from = rsipstack::sip::typed::From {
            display_name: None,
            uri: self.from.clone(),
            params: vec![Param::Tag(self.tag.clone().into())],
        };
        let to = rsipstack::sip::typed::To {
            display_name: None,
            uri: self.to.clone(),
            params: Vec::new(),
        };
        let (uri, call_id) = (self.uri.clone(), Some(self.call_id.clone().into()));
        let method = self.method;
        let mut request =
            core.endpoint.make_request(method, uri, via, from, to, self.cseq, call_id);
        request.headers.extend(headers.to_vec());
        Ok(request)
    }
}

async fn send(core: &Core, request: Request, target: Target) -> Result<Response, SipError> {
    let lost = |error: rsipstack::Error| SipError::Transport(error.to_string());
    let key = TransactionKey::from_request(&request, TransactionRole::Client).map_err(lost)?;
    let mut transaction = Transaction::new_client(key, request, core.endpoint.clone(), None);
    transaction.destination = Some(core.way_to(target.addr, target.transport).await);
    transaction.send().await.map_err(lost)?;
    while let Some(message) = transaction.receive().await {
        if let SipMessage::Response(response) = message
            && response.status_code.code() >= 200
        {
            return Ok(response);
        }
    }
    Err(SipError::Timeout)
}

/// A number of seconds in a header.
pub(crate) fn seconds_in(response: &Response, name: &str) -> Option<u32> {
    let header = response.headers.iter().find(|h| h.name().eq_ignore_ascii_case(name))?;
    // Retry-After may be followed by a comment or parameters.
    let digits: String = header.value().trim().chars().take_while(char::is_ascii_digit).collect();
    crate::contact::seconds(&digits)
}

pub(crate) fn uri(text: &str) -> Result<Uri, SipError> {
    let clean = text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\",".contains(&b));
    if !clean || text.len() > 512 || !text.to_ascii_lowercase().starts_with("sip:") {
        return Err(SipError::BadAddress);
    }
    Uri::try_from(text).map_err(|_| SipError::BadAddress)
}

/// The Contact values of an answer, as text.
pub(crate) fn contacts(response: &Response) -> Vec<String> {
    response.contact_headers().iter().map(|header| header.value().to_owned()).collect()
}
