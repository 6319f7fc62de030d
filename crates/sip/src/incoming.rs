//! A call to us until its 200 is acknowledged, or it has ended before.
//!
//! ```text
//!   INVITE -> 100 -> Incoming -> ring / progress -> answer -> 200 -> ACK -> Confirmed -> live
//!                             -> reject -> 3xx-6xx     CANCEL -> 487, Failed 487
//!                                                      no ACK in 64*T1 -> BYE, Ended NoAck
//! ```
//!
//! Who may call, and where a call goes, is not decided here; only how many there may be, and what
//! the request itself makes impossible.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rsipstack::sip::prelude::ToTypedHeader as _;
use rsipstack::sip::{Header, HeadersExt as _, Method, Request};
use rsipstack::transaction::make_tag;
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::dialog::{self, Ends, early, sdp_of};
use crate::dialogs::merge_key;
use crate::door;
use crate::endpoint::{Core, Origin};
use crate::far::{Far, sdp_body};
use crate::fields::{call_id, capabilities, cseq, from_tag};
use crate::handle::Command;
use crate::identity;
use crate::live::{Live, at};
use crate::outgoing::addr_of;
use crate::reliable::{Reliable, Repeat};
use crate::replaces;
use crate::serving::{SAID_MAX, Said, serve};
use crate::session_timer::{self, Agreed};
use crate::types::{Address, DialogEvent, EndCause, Incoming, Replaces, Transport};
use crate::via;
use crate::wire::{ALLOW, ALLOW_EARLY, unescape};

pub(crate) fn start(core: &Arc<Core>, invite: Transaction, calls: &mpsc::Sender<Incoming>) {
    let refusal = match begin(core, &invite, calls) {
        Ok(Begun { places, far, tag, agreed, replaces }) => {
            let request = invite.original.clone();
            let begun = dialog::Begun::ByThem(merge_key(&request));
            let (ends, handle, events) = Ends::new(core, Arc::new(far), begun);
            let origin = core.origin(&invite);
            let lost = invite.connection.as_ref().and_then(|c| c.cancel_token());
            let (said, heard) = mpsc::channel(SAID_MAX);
            let answers = serve(core, invite, &tag, said.clone());
            let ringing = Ringing {
                remote_seq: cseq(&request),
                reliable: Reliable::new(answers.clone()),
                answers,
                said,
                heard,
                agreed,
                lost,
                ends,
                answer: None,
                answered: false,
            };
            core.spawn(ringing.run());
            return places.send(describe(&request, origin, replaces, handle, events));
        }
        Err(refusal) => refusal,
    };
    core.reply(invite, refusal.0, refusal.1);
}

struct Begun<'a> {
    places: mpsc::Permit<'a, Incoming>,
    far: Far,
    tag: Arc<str>,
    agreed: Option<Agreed>,
    replaces: Option<Replaces>,
}

type Refusal = (u16, Vec<Header>);

/// Everything that can refuse a call before anybody hears of it.
fn begin<'a>(
    core: &Arc<Core>,
    invite: &Transaction,
    calls: &'a mpsc::Sender<Incoming>,
) -> Result<Begun<'a>, Refusal> {
    let request = &invite.original;
    let plain = |code: u16| (code, Vec::new());
    if core.dialogs.is_merged(request) || core.dialogs.has_looped(request) {
        return Err(plain(482));
    }
    // A call for help is taken while draining, and over the limit, up to a limit of its own.
    let for_help = core.door.as_ref().is_some_and(|door| door.is_for_help(request));
    let reserve = if for_help { core.config.for_help_max } else { 0 };
    let full = (core.draining.load(Ordering::Relaxed) && !for_help)
        || core.dialogs.len() >= core.config.dialogs_max.saturating_add(reserve);
    let places = calls.try_reserve();
    let (false, false, Ok(places)) = (full, core.closing.is_cancelled(), places) else {
        core.refused.fetch_add(1, Ordering::Relaxed);
        return Err((503, core.retry_after()));
    };
    let agreed = session_timer::grant(&core.config, request, None)
        .map_err(|min_s| (422, vec![Header::MinSE(min_s.to_string().into())]))?;
    let replaces = match request.header_value("Replaces") {
        Some(value) => Some(core.replaceable(request, &value).map_err(plain)?),
        None => None,
    };
    let tag: Arc<str> = make_tag().value().into();
    let far = Far::of_caller(core, invite, &tag).ok_or_else(|| plain(400))?;
    Ok(Begun { places, far, tag, agreed, replaces })
}

impl Core {
    /// The dialog that an INVITE may replace, or the code of RFC 3891 section 3.
    fn replaceable(&self, request: &Request, value: &str) -> Result<Replaces, u16> {
        let headers = request.headers.iter();
        if headers.filter(|h| h.name().eq_ignore_ascii_case("Replaces")).count() > 1 {
            return Err(400);
        }
        let replaces = replaces::parse(value).ok_or(400_u16)?;
        let Replaces { call_id, to_tag, from_tag, early_only } = &replaces;
        match self.dialogs.known(call_id, to_tag, from_tag) {
            None if self.dialogs.has_ended(call_id, to_tag, from_tag) => Err(603),
            None => Err(481),
            Some(known) if known.confirmed && *early_only => Err(486),
            // Only who began an early dialog can take it back.
            Some(known) if !known.confirmed && !known.ours => Err(481),
            Some(_) => Ok(replaces),
        }
    }
}

fn describe(
    request: &Request,
    origin: Origin,
    replaces: Option<Replaces>,
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
        source: origin.source,
        transport: origin.transport,
        flow: origin.flow,
        contact: contact.map(|c| c.uri.to_string()).unwrap_or_default(),
        account: door::account_of(request),
        identity: identity::read(request),
        offer: sdp_of(&request.body),
        max_forwards: max_forwards(request),
        replaces,
        referred_by: request.header_value("Referred-By"),
        dialog,
        events,
    }
}

/// Absent, it is as if it were 70 (section 16.6); `wire` has refused what is no number.
fn max_forwards(request: &Request) -> u8 {
    request.header_value("Max-Forwards").and_then(|v| v.trim().parse().ok()).unwrap_or(70)
}

/// Where the request came from, as our own reading wrote it into the Via.
pub(crate) fn source(request: &Request) -> SocketAddr {
    via::source_of(request).unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
}

impl Incoming {
    /// The address that this caller is known by, if by any: over UDP where it sends from; over
    /// TCP, where that port means nothing, the one that its Contact names at the same host.
    pub fn known_as(&self) -> SocketAddr {
        let contact = addr_of(&self.contact).filter(|contact| contact.ip() == self.source.ip());
        match self.transport {
            Transport::Udp => self.source,
            Transport::Tcp => contact.unwrap_or(self.source),
        }
    }
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
    answers: crate::serving::Answers,
    reliable: Reliable,
    said: mpsc::Sender<Said>,
    heard: mpsc::Receiver<Said>,
    remote_seq: u32,
    agreed: Option<Agreed>,
    /// The end of the connection that the INVITE came over, if it came over one.
    lost: Option<CancellationToken>,
    /// Given, and not sent before the PRACK that it waits for.
    answer: Option<String>,
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
        loop {
            let repeat_at = self.reliable.next();
            let next = tokio::select! {
                biased;
                said = self.heard.recv() => match said {
                    Some(said) => self.note(said).await,
                    None => Next::Over,
                },
                () = ending.cancelled(), if !hung_up => {
                    hung_up = true;
                    self.hang_up()
                }
                // Nobody is left who could be answered. An answered call waits for its ACK, which
                // may come by another connection.
                () = cancelled(self.lost.as_ref()), if !self.answered => {
                    self.reject(487, Vec::new());
                    self.ends.failed(487, "the caller's connection was lost");
                    Next::Over
                }
                transaction = self.ends.inbound.recv() => match transaction {
                    Some(transaction) => self.request(transaction),
                    None => Next::Over,
                },
                () = at(repeat_at) => match self.reliable.repeat() {
                    Repeat::Sent => Next::Wait,
                    Repeat::GivenUp => self.unheard(),
                },
                command = self.ends.commands.recv(), if !hung_up => match command {
                    Some(command) => self.command(command),
                    None => { ending.cancel(); Next::Wait }
                },
            };
            match next {
                Next::Wait => {}
                Next::Over => break,
                Next::Live => return self.live().await,
            }
        }
        self.ends.refuse_waiting();
    }

    /// The INVITE is not kept for as long as the call lasts.
    async fn live(self) {
        let Self { mut ends, answers, said, heard, remote_seq, agreed, answer, reliable, .. } =
            self;
        let described = answer.unwrap_or_default();
        let wire = (said, heard);
        let live = Live::of_caller(answers.request(), remote_seq, wire, agreed, described);
        drop((answers, reliable));
        live.run(&mut ends).await;
        ends.refuse_waiting();
    }

    fn t1(&self) -> Duration {
        Duration::from_millis(self.ends.core.config.t1_ms)
    }

    async fn note(&mut self, said: Said) -> Next {
        match said {
            Said::Ack(_, ack) => {
                self.ends.tell(DialogEvent::Confirmed { sdp: sdp_of(&ack.body) });
                Next::Live
            }
            Said::NoAck => {
                self.ends.ended(EndCause::NoAck);
                self.ends.far.bye().await;
                Next::Over
            }
            Said::Cancelled => {
                self.ends.failed(487, "cancelled by the caller");
                Next::Over
            }
        }
    }

    /// Nobody acknowledged a reliable provisional answer (RFC 3262 section 3).
    fn unheard(&mut self) -> Next {
        self.reject(504, Vec::new());
        self.ends.failed(504, "a provisional answer was not acknowledged");
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
        match cause {
            EndCause::Shutdown => self.reject(503, self.ends.core.retry_after()),
            _ => self.reject(603, Vec::new()),
        }
        Next::Over
    }

    fn reject(&mut self, code: u16, headers: Vec<Header>) {
        self.reliable.end();
        self.answers.give(code, headers, None);
    }

    fn command(&mut self, command: Command) -> Next {
        match command {
            Command::Progress(code, sdp) if !self.answered && self.answer.is_none() => {
                // A description before the answer is one to an offer: ours goes with the 200.
                let sdp = sdp.filter(|_| !self.answers.request().body.is_empty());
                let t1 = self.t1();
                self.reliable.provisional(code, sdp, capabilities(ALLOW_EARLY), t1);
            }
            Command::Answer(sdp) if !self.answered && self.answer.is_none() => {
                self.answer = Some(sdp);
                self.answer_if_due();
            }
            Command::Reject(code) if !self.answered => {
                self.reject(code, Vec::new());
                self.ends.ended(EndCause::Us);
                return Next::Over;
            }
            Command::Redirect(contacts) if !self.answered => {
                let named = contacts.iter().filter(|uri| redirectable(uri));
                let named = named.map(|uri| Header::Contact(format!("<{uri}>").into())).collect();
                self.reject(302, named);
                self.ends.ended(EndCause::Us);
                return Next::Over;
            }
            other => early(other),
        }
        Next::Wait
    }

    fn answer_if_due(&mut self) {
        let Some(sdp) = self.answer.clone() else { return };
        if self.answered || self.reliable.holds_answer() {
            return;
        }
        self.answered = true;
        self.reliable.end();
        self.ends.up.store(true, Ordering::Relaxed);
        let mut headers = capabilities(ALLOW);
        headers.push(Header::Supported("timer, replaces".into()));
        headers.extend(session_timer::granted(self.agreed));
        self.answers.give(200, headers, sdp_body(sdp));
    }

    /// What the far end may ask before its ACK has come.
    fn request(&mut self, transaction: Transaction) -> Next {
        let core = self.ends.core.clone();
        let request = &transaction.original;
        if self.ends.far_tag().as_deref() != Some(from_tag(request).as_str()) {
            core.reply(transaction, 481, Vec::new());
            return Next::Wait;
        }
        self.remote_seq = self.remote_seq.max(cseq(request));
        match request.method {
            Method::Bye => {
                core.reply(transaction, 200, Vec::new());
                if self.answered {
                    self.ends.ended(EndCause::FarEnd);
                } else {
                    self.reject(487, Vec::new());
                    self.ends.failed(487, "hung up by the caller");
                }
                return Next::Over;
            }
            Method::PRack => {
                let code = self.reliable.prack(request, self.t1());
                core.reply(transaction, code, Vec::new());
                self.answer_if_due();
            }
            // Section 14.2, RFC 3311 section 5.2: the offer that is open is answered first.
            Method::Invite => core.reply(transaction, 500, core.retry_after()),
            Method::Update if !request.body.is_empty() => {
                core.reply(transaction, 500, core.retry_after());
            }
            Method::Update => core.reply(transaction, 200, Vec::new()),
            Method::Options => core.reply(transaction, 200, capabilities(ALLOW_EARLY)),
            Method::Info => {
                let event = info_of(request);
                core.reply(transaction, 200, Vec::new());
                self.ends.tell(event);
            }
            _ => core.reply(transaction, 405, vec![Header::Allow(ALLOW_EARLY.into())]),
        }
        Next::Wait
    }
}

async fn cancelled(token: Option<&CancellationToken>) {
    match token {
        Some(token) => token.cancelled().await,
        None => std::future::pending().await,
    }
}

fn redirectable(uri: &str) -> bool {
    uri.len() <= 512 && uri.bytes().all(|b| b.is_ascii_graphic() && !b"<>\",".contains(&b))
}

pub(crate) fn info_of(request: &Request) -> DialogEvent {
    let content_type = request.header_value("Content-Type").unwrap_or_default();
    DialogEvent::Info { content_type, body: sdp_of(&request.body).unwrap_or_default() }
}
