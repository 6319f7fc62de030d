//! A call of ours until it is answered or has failed.
//!
//! ```text
//!   INVITE -> nothing for unreachable_ms, at the last place -> Failed 408
//!          -> 1xx -> 2xx -> Answered -> live
//!          -> 3xx -> Redirected -------------------------> Failed
//!          -> 4xx-6xx ------------------------------------> Failed
//!   cancel() at any time -> Failed 487 at once; `inviting` sends CANCEL when it may, and ends
//!   what is answered all the same
//! ```

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rsipstack::sip::{Header, HeadersExt as _, Method, Request, Response, Uri, Version};
use rsipstack::transaction::make_tag;
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::dialog::{self, Ends, early, reason_of, sdp_of};
use crate::endpoint::Core;
use crate::far::{Far, via};
use crate::fields::capabilities;
use crate::handle::DialogHandle;
use crate::inviting::{self, Heard, Inviting};
use crate::live::Live;
use crate::names::LookupError;
use crate::reliable::{FORKS_MAX, Forks, acknowledge};
use crate::types::{DialogEvent, Outgoing, SipError};
use crate::wire::ALLOW_EARLY;
use crate::{identity, replaces, session_timer};

/// An early description that is kept for a 200 without one. Longer ones are told, and not kept.
const DESCRIBED_MAX_BYTES: usize = 8 * 1024;
/// Requests of the far end that wait for the call to be up.
const WAITING_MAX: usize = 8;

pub(crate) fn start(
    core: &Arc<Core>,
    call: Outgoing,
) -> (DialogHandle, mpsc::Receiver<DialogEvent>) {
    match begin(core, &call) {
        Ok(begun) => begun,
        Err((code, reason)) => stillborn(code, reason),
    }
}

/// A call that could not be begun: its one event says so.
fn stillborn(code: u16, reason: String) -> (DialogHandle, mpsc::Receiver<DialogEvent>) {
    let (commands, _) = mpsc::channel(1);
    let (events, receiver) = mpsc::channel(1);
    // The one place is free.
    let _ = events.try_send(DialogEvent::Failed { code, reason });
    let ending = CancellationToken::new();
    let (call_id, local_tag) = ("".into(), "".into());
    let notifiers = crate::handle::Notifiers::default();
    (DialogHandle { call_id, local_tag, notifiers, commands, ending }, receiver)
}

type Begun = (DialogHandle, mpsc::Receiver<DialogEvent>);

fn begin(core: &Arc<Core>, call: &Outgoing) -> Result<Begun, (u16, String)> {
    if core.closing.is_cancelled() {
        return Err((503, "shutting down".into()));
    }
    let reserve = if call.for_help { core.config.for_help_max } else { 0 };
    if core.dialogs.len() >= core.config.dialogs_max.saturating_add(reserve) {
        return Err((503, "too many calls".into()));
    }
    let bad = || (400, SipError::BadAddress.to_string());
    let callee = callee(&call.to_uri).map_err(|_| bad())?;
    let aim = core.aim(call, &callee)?;
    let invite = invite(core, call, callee).ok_or_else(bad)?;
    // A registered phone that named another host than its REGISTER came from.
    let named = IpAddr::try_from(invite.uri.host_with_port.host.clone()).ok();
    let inside = named.filter(|named| call.to_addr.is_some_and(|to| to.ip() != *named));
    let far = Far::of_callee(core, &invite, inside, call.credentials.clone()).ok_or_else(bad)?;
    let far = Arc::new(far);
    let begun = dialog::Begun::ByUs(invite.uri.clone());
    let (ends, handle, events) = Ends::new(core, far.clone(), begun);
    let setup = Setup {
        inviting: inviting::start(core, invite, far, aim),
        ends,
        forks: Forks::default(),
        described: HashMap::new(),
        waiting: Vec::new(),
        offered: call.offer.clone(),
    };
    core.spawn(setup.run());
    Ok((handle, events))
}

/// UPDATE is not allowed before the call is up, so it is not in this Allow (RFC 3311 section 5.1).
fn invite(core: &Core, call: &Outgoing, callee: Uri) -> Option<Request> {
    let from = format!("<{}>;tag={}", caller(core, &call.from_user), make_tag());
    let name = quotable(&call.from_name);
    let from = if name.is_empty() { from } else { format!("\"{name}\" {from}") };
    let call_id = format!("{:032x}@{}", rand::random::<u128>(), core.advertised.ip());
    let config = &core.config;
    let mut headers = vec![
        via(core, None)?,
        Header::MaxForwards(u32::from(call.max_forwards.unwrap_or(70)).into()),
        Header::From(from.into()),
        Header::To(format!("<{callee}>").into()),
        Header::CallId(call_id.into()),
        Header::CSeq("1 INVITE".into()),
        Header::Contact(format!("<{}>", core.contact).into()),
        Header::UserAgent(config.user_agent.clone().into()),
        Header::Supported("100rel, timer, replaces".into()),
    ];
    headers.extend(capabilities(ALLOW_EARLY));
    headers.extend(session_timer::ask(config.session_expires_s, config.min_se_s));
    if let Some(replaces) = &call.replaces {
        headers.push(Header::Replaces(replaces::write(replaces).into()));
        headers.push(Header::Require("replaces".into()));
    }
    if let Some(by) = &call.referred_by {
        let clean = by.chars().filter(|c| !c.is_control()).take(512).collect::<String>();
        headers.push(Header::ReferredBy(clean.into()));
    }
    headers.extend(identity::write(&call.identity));
    headers.extend(
        call.route.iter().filter(|hop| is_route(hop)).map(|h| Header::Route(h.clone().into())),
    );
    headers.push(Header::ContentType("application/sdp".into()));
    Some(Request {
        method: Method::Invite,
        uri: callee,
        headers: headers.into(),
        body: call.offer.clone().into_bytes(),
        version: Version::V2,
    })
}

/// What may stand in a Route header: it came from a Path that somebody else wrote.
fn is_route(hop: &str) -> bool {
    let whole = hop.starts_with('<') && hop.contains('>') && hop.len() <= 512;
    whole && !hop.chars().any(char::is_control)
}

/// The user as it is: the library escapes what a URI cannot hold (section 25.1).
fn caller(core: &Core, user: &str) -> Uri {
    let mut uri = core.contact.clone();
    let kept: String = user.chars().filter(|c| !c.is_control()).take(128).collect();
    let user = if kept.is_empty() { "anonymous".to_owned() } else { kept };
    uri.auth = Some(rsipstack::sip::uri::Auth { user, password: None });
    uri
}

/// The host and port of a URI, if the host is an address.
pub(crate) fn addr_of(uri: &str) -> Option<SocketAddr> {
    SocketAddr::try_from(callee(uri).ok()?.host_with_port).ok()
}

/// Takes `sip:user@host`, and the same without its scheme.
fn callee(to: &str) -> Result<Uri, SipError> {
    let lower = to.get(..5).unwrap_or(to).to_ascii_lowercase();
    let text = if lower.starts_with("sip:") { to.to_owned() } else { format!("sip:{to}") };
    let clean = text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\",".contains(&b));
    if !clean || text.len() > 512 {
        return Err(SipError::BadAddress);
    }
    Uri::try_from(text.as_str()).map_err(|_| SipError::BadAddress)
}

/// The library writes a display name between quotes and escapes nothing; a backslash or a quote
/// confuses more phones than it helps, so they go.
fn quotable(name: &str) -> String {
    let kept = name.chars().filter(|c| !c.is_control() && !"\"\\<>".contains(*c));
    kept.take(128).collect::<String>().trim().to_owned()
}

struct Setup {
    ends: Ends,
    inviting: Inviting,
    /// Early dialogs whose provisional answers want a PRACK.
    forks: Forks,
    /// The last description of each fork: some peers do not repeat it in the 200.
    described: HashMap<String, String>,
    waiting: Vec<Transaction>,
    offered: String,
}

/// What the call comes to.
enum Outcome {
    Answered(Box<Response>),
    Refused(Box<Response>),
    Broken(String),
    Nowhere(LookupError),
    Over,
}

impl Setup {
    async fn run(mut self) {
        let config = &self.ends.core.config;
        let mut give_up = Instant::now() + Duration::from_millis(config.ring_max_ms);
        let ending = self.ends.ending.clone();
        let mut cancelled = false;
        let outcome = loop {
            tokio::select! {
                biased;
                heard = self.inviting.heard.recv() => {
                    if let Some(outcome) = self.note(heard, cancelled) {
                        break outcome;
                    }
                }
                () = ending.cancelled(), if !cancelled => {
                    cancelled = true;
                    give_up = self.cancel(487, "cancelled");
                }
                () = sleep_until(give_up) => {
                    if cancelled {
                        break Outcome::Over;
                    }
                    cancelled = true;
                    give_up = self.cancel(480, "not answered in time");
                }
                Some(transaction) = self.ends.inbound.recv() => self.request(transaction),
                command = self.ends.commands.recv(), if !cancelled => match command {
                    Some(command) => early(command),
                    None => ending.cancel(),
                },
            }
        };
        self.finish(outcome, cancelled).await;
    }

    fn note(&mut self, heard: Option<Heard>, cancelled: bool) -> Option<Outcome> {
        let response = match heard {
            Some(Heard::Response(response)) => response,
            Some(Heard::Broken(why)) => return Some(Outcome::Broken(why)),
            Some(Heard::Nowhere(why)) => return Some(Outcome::Nowhere(why)),
            Some(Heard::Silent) => {
                self.ends.failed(408, "no answer from that address");
                self.inviting.give_up();
                return Some(Outcome::Over);
            }
            Some(Heard::Over) | None => return Some(Outcome::Over),
        };
        match response.status_code.code() {
            100 => None,
            code @ 101..=199 => {
                self.provisional(code, &response, cancelled);
                None
            }
            200..=299 => Some(Outcome::Answered(response)),
            _ => Some(Outcome::Refused(response)),
        }
    }

    fn provisional(&mut self, code: u16, response: &Response, cancelled: bool) {
        if let Some((fork, rack)) = self.forks.prack(&self.ends.far, response) {
            self.ends.core.linger(acknowledge(fork, rack));
        }
        let sdp = sdp_of(&response.body);
        if let (Some(sdp), Some(tag)) = (&sdp, self.ends.far.fork(response).tag()) {
            self.describe(tag, sdp);
        }
        if !cancelled {
            self.ends.tell(DialogEvent::Progress { code, sdp });
        }
    }

    /// Who answers with ever new tags, or at length, makes us keep no more than this.
    fn describe(&mut self, tag: String, sdp: &str) {
        let room = self.described.len() < FORKS_MAX || self.described.contains_key(&tag);
        if room && sdp.len() <= DESCRIBED_MAX_BYTES {
            self.described.insert(tag, sdp.to_owned());
        }
    }

    /// Says so at once; what is left is between us and the far end. Gives when to stop waiting.
    fn cancel(&mut self, code: u16, reason: &str) -> Instant {
        self.ends.failed(code, reason);
        self.inviting.cancel();
        Instant::now() + self.ends.core.timer_b()
    }

    /// What a callee asks before its answer has reached us. What belongs to a call that is up may
    /// only have overtaken the 200: it waits.
    fn request(&mut self, transaction: Transaction) {
        let core = &self.ends.core;
        match transaction.original.method {
            Method::Options => core.reply(transaction, 200, capabilities(ALLOW_EARLY)),
            // Section 5.2 of RFC 3311: our own offer is open.
            Method::Update if !transaction.original.body.is_empty() => {
                core.reply(transaction, 491, Vec::new());
            }
            Method::Update => core.reply(transaction, 200, Vec::new()),
            _ if self.waiting.len() < WAITING_MAX => self.waiting.push(transaction),
            _ => core.reply(transaction, 503, core.retry_after()),
        }
    }

    async fn finish(mut self, outcome: Outcome, cancelled: bool) {
        match outcome {
            Outcome::Answered(response) => return self.answered(*response, cancelled).await,
            Outcome::Refused(response) => {
                let code = response.status_code.code();
                if (300..400).contains(&code) {
                    self.ends.tell(DialogEvent::Redirected { contacts: contacts(&response) });
                }
                self.ends.failed(code, &reason_of(&response));
            }
            Outcome::Broken(why) => {
                tracing::debug!(call_id = %self.ends.call_id, why, "the INVITE failed");
                self.ends.failed(503, "the call could not be sent");
            }
            Outcome::Nowhere(why) => self.ends.failed(503, &why.to_string()),
            Outcome::Over => self.ends.failed(408, "no answer"),
        }
        for transaction in self.waiting {
            self.ends.core.reply(transaction, 481, Vec::new());
        }
        self.ends.refuse_waiting();
    }

    async fn answered(self, response: Response, cancelled: bool) {
        let Self { mut ends, mut described, waiting, offered, inviting, forks, .. } = self;
        ends.far.establish(&response);
        ends.up.store(true, Ordering::Relaxed);
        let early = ends.far.tag().and_then(|tag| described.remove(&tag));
        match sdp_of(&response.body).or(early) {
            Some(sdp) if !cancelled => ends.tell(DialogEvent::Answered { sdp }),
            Some(_) => {}
            None => {
                ends.failed(488, "answered without a description");
                ends.ending.cancel();
            }
        }
        // `inviting` goes on by itself; here it is no more than a request to give up.
        drop((described, inviting, forks));
        let live = Live::of_callee(&response, offered, waiting);
        drop(response);
        live.run(&mut ends).await;
        ends.refuse_waiting();
    }
}

/// Where a 3xx points to, the best first (section 8.1.3.4); equals keep their order.
fn contacts(response: &Response) -> Vec<String> {
    let typed = response.typed_contact_headers().unwrap_or_default();
    let weigh = |contact: &rsipstack::sip::typed::Contact| {
        let q = contact.params.iter().find_map(|param| match param {
            rsipstack::sip::Param::Q(q) => q.value().trim().parse::<f32>().ok(),
            _ => None,
        });
        q.filter(|q| q.is_finite()).unwrap_or(1.0)
    };
    let mut weighed: Vec<_> = typed.iter().map(|c| (weigh(c), c.uri.to_string())).collect();
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    weighed.into_iter().map(|(_, uri)| uri).collect()
}
