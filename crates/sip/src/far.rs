//! How we speak to the far end of one dialog (RFC 3261 section 12): the tags, our numbers, where
//! its requests go, and by which way. Every request of ours in a dialog is made and sent here.
//!
//! It knows no state of a call: whether a request may be sent now is its caller's to know.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rsipstack::sip::prelude::ToTypedHeader as _;
use rsipstack::sip::{
    Header, HeadersExt, Method, Param, Request, Response, SipMessage, StatusCodeKind, Transport,
    Uri, Version,
};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::make_via_branch;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::{SipAddr, SipConnection};

use crate::challenge;
use crate::credentials::Credentials;
use crate::endpoint::Core;
use crate::fields::{call_id, cseq, from_tag};
use crate::lock::lock;
use crate::nat;
use crate::types::SipError;

/// A body and its type.
pub(crate) type Body = (&'static str, Vec<u8>);
pub(crate) type Outcome = Result<Response, SipError>;

pub(crate) fn sdp_body(sdp: String) -> Option<Body> {
    Some(("application/sdp", sdp.into_bytes()))
}

pub(crate) struct Far {
    core: Arc<Core>,
    call_id: String,
    local_tag: String,
    /// Our From, with our tag, as the first request of the dialog wrote it.
    local: String,
    /// Forks of one INVITE count together: gaps are allowed (section 12.2.1.1).
    seq: Arc<AtomicU32>,
    credentials: Mutex<Option<Credentials>>,
    /// What the far end believes its own address to be, if a NAT shows it elsewhere.
    inside: Option<IpAddr>,
    place: Mutex<Place>,
}

/// What answers and re-INVITEs may change.
#[derive(Clone)]
struct Place {
    /// Their To, with their tag once it is known.
    remote: String,
    remote_tag: String,
    target: Uri,
    routes: Vec<Header>,
    /// A stream that the dialog came or went by: its requests stay on it while it lives.
    connection: Option<SipConnection>,
}

impl Far {
    /// The dialog of an INVITE that came to us (section 12.1.1).
    pub(crate) fn of_caller(core: &Arc<Core>, invite: &Transaction, tag: &str) -> Option<Self> {
        let request = &invite.original;
        let contact = request.typed_contact_headers().ok()?.into_iter().next()?;
        let place = Place {
            remote: request.from_header().ok()?.value().to_owned(),
            remote_tag: from_tag(request),
            target: contact.uri,
            routes: route_set(request),
            connection: stream(invite.connection.as_ref()),
        };
        Some(Self {
            core: core.clone(),
            call_id: call_id(request),
            local_tag: tag.to_owned(),
            local: format!("{};tag={tag}", request.to_header().ok()?.value()),
            seq: Arc::default(),
            credentials: Mutex::default(),
            inside: nat::inside_of(request),
            place: Mutex::new(place),
        })
    }

    /// The dialogs of an INVITE of ours, before any is known: `fork` and `establish` make them.
    pub(crate) fn of_callee(
        core: &Arc<Core>,
        invite: &Request,
        inside: Option<IpAddr>,
        credentials: Option<Credentials>,
    ) -> Option<Self> {
        let preloaded = |header: &&Header| matches!(header, Header::Route(_));
        let place = Place {
            remote: invite.to_header().ok()?.value().to_owned(),
            remote_tag: String::new(),
            target: invite.uri.clone(),
            routes: invite.headers.iter().filter(preloaded).cloned().collect(),
            connection: None,
        };
        Some(Self {
            core: core.clone(),
            call_id: call_id(invite),
            local_tag: from_tag(invite),
            local: invite.from_header().ok()?.value().to_owned(),
            seq: Arc::new(AtomicU32::new(cseq(invite))),
            credentials: Mutex::new(credentials),
            inside,
            place: Mutex::new(place),
        })
    }

    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    pub(crate) fn local_tag(&self) -> &str {
        &self.local_tag
    }

    pub(crate) fn inside(&self) -> Option<IpAddr> {
        self.inside
    }

    /// The tag that the far end's requests carry; None before any is known.
    pub(crate) fn tag(&self) -> Option<String> {
        Some(lock(&self.place).remote_tag.clone()).filter(|tag| !tag.is_empty())
    }

    /// The one dialog that this answer of an INVITE of ours is of (section 12.1.2).
    pub(crate) fn fork(&self, response: &Response) -> Self {
        let mut place = lock(&self.place).clone();
        place.take(response);
        Self {
            core: self.core.clone(),
            call_id: self.call_id.clone(),
            local_tag: self.local_tag.clone(),
            local: self.local.clone(),
            seq: self.seq.clone(),
            credentials: Mutex::new(lock(&self.credentials).clone()),
            inside: self.inside,
            place: Mutex::new(place),
        }
    }

    /// From now on this is the dialog of that answer.
    pub(crate) fn establish(&self, response: &Response) {
        lock(&self.place).take(response);
    }

    /// Whom it may prove itself to, unless that was said with the call: where its name led.
    pub(crate) fn is_at(&self, peers: impl IntoIterator<Item = IpAddr>) {
        let mut credentials = lock(&self.credentials);
        *credentials = credentials.take().map(|with| with.bound_to(peers));
    }

    pub(crate) fn keep_to(&self, connection: Option<&SipConnection>) {
        lock(&self.place).connection = stream(connection);
    }

    /// The connection that its requests go over.
    pub(crate) fn connection(&self) -> Option<SipAddr> {
        lock(&self.place).connection.as_ref().map(|have| have.get_addr().clone())
    }

    /// Whether its requests go over this connection.
    pub(crate) fn is_on(&self, flow: &SipAddr) -> bool {
        lock(&self.place).connection.as_ref().is_some_and(|have| have.get_addr() == flow)
    }

    /// Target refresh (section 12.2): any re-INVITE or UPDATE, or its 2xx, may name a new Contact.
    pub(crate) fn refresh(&self, message: &impl HeadersExt) {
        let contacts = message.typed_contact_headers().unwrap_or_default();
        if let Some(contact) = contacts.into_iter().next() {
            lock(&self.place).target = contact.uri;
        }
    }

    /// A request of the next number.
    pub(crate) fn make(
        &self,
        method: Method,
        more: Vec<Header>,
        body: Option<Body>,
    ) -> Option<Request> {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed) + 1;
        let place = lock(&self.place);
        let mut headers = vec![
            via(&self.core, place.connection.as_ref())?,
            Header::CallId(self.call_id.clone().into()),
            Header::From(self.local.clone().into()),
            Header::To(place.remote.clone().into()),
            Header::CSeq(format!("{seq} {method}").into()),
            Header::Contact(format!("<{}>", self.core.contact).into()),
            Header::MaxForwards(70.into()),
            Header::UserAgent(self.core.config.user_agent.clone().into()),
        ];
        headers.extend(place.routes.iter().cloned());
        headers.extend(more);
        let (kind, body) = body.unzip();
        headers.extend(kind.map(|kind| Header::ContentType(kind.into())));
        let uri = place.target.clone();
        let body = body.unwrap_or_default();
        Some(Request { method, uri, headers: headers.into(), body, version: Version::V2 })
    }

    /// Sends it and gives its final answer; challenges are answered on the way.
    pub(crate) async fn send(&self, mut request: Request) -> Outcome {
        let mut tries = 0;
        loop {
            let connection = alive(lock(&self.place).connection.clone());
            let response = once(&self.core, request.clone(), connection).await?;
            match self.answer_to(&request, &response, tries) {
                Some(header) => self.number_anew(&mut request, header),
                None => return Ok(response),
            }
            tries += 1;
        }
    }

    /// What answers a challenge, if the answer is one and there is something to say.
    pub(crate) fn answer_to(
        &self,
        sent: &Request,
        response: &Response,
        tries: u8,
    ) -> Option<Header> {
        match response.status_code.code() {
            401 | 407 => challenge::again(sent, response, lock(&self.credentials).as_ref(), tries),
            _ => None,
        }
    }

    /// The same request once more: a new transaction under the next number (section 22.2).
    pub(crate) fn number_anew(&self, request: &mut Request, header: Header) {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed) + 1;
        let method = request.method;
        for have in request.headers.iter_mut() {
            if let Header::CSeq(cseq) = have {
                *cseq = format!("{seq} {method}").into();
            }
        }
        branch_anew(request);
        request.headers.unique_push(header);
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        more: Vec<Header>,
        body: Option<Body>,
    ) -> Outcome {
        let request = self.make(method, more, body);
        self.send(request.ok_or_else(|| SipError::Transport("no address".into()))?).await
    }

    /// Ends the dialog; whatever comes of it, it is over (section 15.1.1).
    pub(crate) async fn bye(&self) {
        if let Err(error) = self.ask(Method::Bye, Vec::new(), None).await {
            tracing::debug!(call_id = %self.call_id, %error, "our BYE failed");
        }
    }
}

/// The same request in another transaction, for another place (RFC 3263 section 4.3).
pub(crate) fn branch_anew(request: &mut Request) {
    for header in request.headers.iter_mut() {
        if let Header::Via(via) = header
            && let Ok(mut typed) = via.clone().typed()
        {
            typed.params.retain(|p| !matches!(p, Param::Branch(_)));
            typed.params.push(make_via_branch());
            *via = typed.into();
        }
    }
}

impl Place {
    fn take(&mut self, response: &Response) {
        if let Ok(to) = response.to_header() {
            self.remote = to.value().to_owned();
            let tag = to.tag().ok().flatten();
            self.remote_tag = tag.map(|tag| tag.value().to_owned()).unwrap_or_default();
        }
        self.routes = route_set(response);
        self.routes.reverse();
        let contacts = response.typed_contact_headers().unwrap_or_default();
        if let Some(contact) = contacts.into_iter().next() {
            self.target = contact.uri;
        }
    }
}

/// Record-Route, one value a header, in the message's order: as it is for who was called, reversed
/// for who called (section 12.1).
fn route_set(message: &impl HeadersExt) -> Vec<Header> {
    let typed = message.typed_record_route_headers().unwrap_or_default();
    typed.into_iter().map(|route| Header::Route(format!("<{}>", route.uri).into())).collect()
}

fn stream(connection: Option<&SipConnection>) -> Option<SipConnection> {
    connection.filter(|connection| connection.is_reliable()).cloned()
}

fn alive(connection: Option<SipConnection>) -> Option<SipConnection> {
    connection.filter(|c| c.cancel_token().is_none_or(|token| !token.is_cancelled()))
}

/// A Via names the transport that its request goes by, and an address of ours (section 18.1.1).
pub(crate) fn via(core: &Core, connection: Option<&SipConnection>) -> Option<Header> {
    let listens = core.endpoint.transport_layer.get_listen_addrs();
    let transport = connection.map_or(Transport::Udp, SipConnection::transport);
    let ours = listens.iter().find(|addr| addr.r#type == Some(transport)).cloned();
    let via = core.endpoint.get_via(ours, None).ok()?;
    Some(Header::Via(via.into()))
}

/// One transaction, to its final answer. A timeout of the library's comes as a 408 from here.
async fn once(core: &Core, request: Request, connection: Option<SipConnection>) -> Outcome {
    let broken = |error: rsipstack::Error| SipError::Transport(error.to_string());
    let key = TransactionKey::from_request(&request, TransactionRole::Client).map_err(broken)?;
    let mut sent = Transaction::new_client(key, request, core.endpoint.clone(), connection);
    sent.send().await.map_err(broken)?;
    while let Some(message) = sent.receive().await {
        if let SipMessage::Response(response) = message
            && response.status_code.kind() != StatusCodeKind::Provisional
        {
            return Ok(response);
        }
    }
    Err(SipError::Timeout)
}
