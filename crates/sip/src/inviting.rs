//! An INVITE of ours, from its first sending until no answer to it can come any more: the one task
//! that reads its transactions. It goes to one place after another as long as nobody is there,
//! answers challenges and 422, cancels, and ends every dialog that we do not keep (RFC 3261
//! sections 9.1, 13.2.2.4; RFC 6026 section 7.2; RFC 3263 section 4.3).
//!
//! ```text
//!   INVITE -> nothing, 503, no connection: the next place, if there is one; a place that answers
//!             after that is told CANCEL, or ACK and BYE
//!          -> 1xx* -> 2xx: the first is kept, each other fork gets ACK and BYE, for 64*T1
//!                  -> 401, 407, 422: the INVITE again, if there is something to say
//!                  -> 3xx-6xx
//!   cancel -> CANCEL after the first 1xx; a 2xx all the same gets ACK and BYE
//! ```
//!
//! ACKs are the transaction's. What the call is, is `outgoing`'s.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rsipstack::sip::{Header, HeadersExt as _, Method, Request, Response, SipMessage, Version};
use rsipstack::transaction::TransactionState;
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::transaction::{Transaction, TransactionEvent, TransactionEventSender};
use rsipstack::transport::SipAddr;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::endpoint::{Aim, Core};
use crate::far::{Far, branch_anew};
use crate::live::at;
use crate::lock::lock;
use crate::names::LookupError;
use crate::session_timer;

/// Answers that wait for the call's task; the transaction waits with them.
const HEARD_MAX: usize = 16;
/// An INVITE is not sent more often than this, whatever it is answered.
const TRIES_MAX: u8 = 4;

/// Forks that answered and are ended by us; what more answer are left to their own timers.
const SURPLUS_MAX: usize = 16;

pub(crate) enum Heard {
    Response(Box<Response>),
    /// It could not be sent at all.
    Broken(String),
    /// The name that it was for leads nowhere.
    Nowhere(LookupError),
    /// Nothing came from the last place in `unreachable_ms`.
    Silent,
    /// It was answered although we had cancelled, and that is ended too.
    Over,
}

/// What the call's task holds of it. Dropped, the INVITE is given up.
pub(crate) struct Inviting {
    pub(crate) heard: mpsc::Receiver<Heard>,
    orders: Arc<Orders>,
}

#[derive(Default)]
struct Orders {
    cancel: AtomicBool,
    /// Nothing was ever heard: repeating it makes no sense.
    silent: AtomicBool,
    /// The transaction of this moment, to be woken.
    now: Mutex<Option<(TransactionEventSender, TransactionKey)>>,
}

impl Orders {
    fn wake(&self) {
        if let Some((queue, key)) = &*lock(&self.now) {
            // Ended on its own: nothing is left to be told.
            let _ = queue.send(TransactionEvent::Terminate(key.clone()));
        }
    }
}

impl Inviting {
    /// CANCEL, as soon as it may be sent.
    pub(crate) fn cancel(&self) {
        self.orders.cancel.store(true, Ordering::SeqCst);
        self.orders.wake();
    }

    /// The same, of an INVITE that nobody has answered by anything.
    pub(crate) fn give_up(&self) {
        self.orders.silent.store(true, Ordering::SeqCst);
        self.cancel();
    }
}

impl Drop for Inviting {
    fn drop(&mut self) {
        self.cancel();
    }
}

pub(crate) fn start(core: &Arc<Core>, invite: Request, far: Arc<Far>, aim: Aim) -> Inviting {
    let (to, heard) = mpsc::channel(HEARD_MAX);
    let orders = Arc::<Orders>::default();
    let driver = Driver {
        core: core.clone(),
        invite,
        far,
        to,
        orders: orders.clone(),
        min_se_s: core.config.min_se_s,
        kept: None,
        ended: Vec::new(),
        provisional: false,
        cancel_sent: false,
        deadline: None,
        ways: VecDeque::new(),
        quiet_until: None,
    };
    core.linger(driver.begin(aim));
    Inviting { heard, orders }
}

struct Driver {
    core: Arc<Core>,
    invite: Request,
    far: Arc<Far>,
    to: mpsc::Sender<Heard>,
    orders: Arc<Orders>,
    min_se_s: u32,
    /// The tag of the dialog that the call goes on with.
    kept: Option<String>,
    /// Tags of those that got a BYE.
    ended: Vec<String>,
    provisional: bool,
    cancel_sent: bool,
    /// 64·T1 after CANCEL the INVITE counts as cancelled, whatever comes (section 9.1).
    deadline: Option<Instant>,
    /// Where it can still be sent; None is where its Route says.
    ways: VecDeque<Option<SipAddr>>,
    /// Until then something must have come from the place that it is at.
    quiet_until: Option<Instant>,
}

enum Then {
    Read,
    Again,
    /// Nobody is there.
    Next,
    Over,
}

impl Driver {
    async fn begin(mut self, aim: Aim) {
        match self.core.ways(&aim).await {
            Ok(ways) => self.ways = ways.into(),
            Err(why) => {
                tracing::debug!(call_id = self.far.call_id(), %why, "an INVITE leads nowhere");
                let _ = self.to.send(Heard::Nowhere(why)).await;
                return;
            }
        }
        if self.cancelled() {
            let _ = self.to.send(Heard::Over).await;
            return;
        }
        let places = self.ways.iter().flatten().filter_map(|way| way.get_socketaddr().ok());
        self.far.is_at(places.map(|place| place.ip()));
        self.run().await;
    }

    async fn run(mut self) {
        while let Some(way) = self.ways.pop_front() {
            let way = self.core.open(way).await;
            let mut tries = 0;
            let silence = Duration::from_millis(self.core.config.unreachable_ms);
            self.quiet_until = Some(Instant::now() + silence);
            let then = loop {
                match self.attempt(tries, way.as_ref()).await {
                    Then::Again => tries += 1,
                    then => break then,
                }
            };
            if !matches!(then, Then::Next) {
                return;
            }
            self.move_on();
        }
    }

    fn move_on(&mut self) {
        (self.provisional, self.cancel_sent) = (false, false);
        branch_anew(&mut self.invite);
    }

    /// One transaction to its end, or until the INVITE is to be sent anew.
    async fn attempt(&mut self, tries: u8, way: Option<&SipAddr>) -> Then {
        let key = match TransactionKey::from_request(&self.invite, TransactionRole::Client) {
            Ok(key) => key,
            Err(error) => return self.broken(&error).await,
        };
        let (request, endpoint) = (self.invite.clone(), self.core.endpoint.clone());
        let mut sent = Transaction::new_client(key.clone(), request, endpoint, None);
        sent.destination = way.cloned();
        *lock(&self.orders.now) = Some((sent.tu_sender.clone(), key));
        if let Err(error) = sent.send().await {
            return self.broken(&error).await;
        }
        self.far.keep_to(sent.connection.as_ref());
        self.obey(&mut sent);
        loop {
            let Some(message) = self.next(&mut sent).await else { return Then::Over };
            let then = match message {
                Some(SipMessage::Response(response)) => {
                    self.answered(&mut sent, response, tries).await
                }
                Some(SipMessage::Request(_)) => Then::Read,
                None if sent.state == TransactionState::Terminated => Then::Over,
                None => {
                    self.obey(&mut sent);
                    Then::Read
                }
            };
            match then {
                Then::Read => {}
                done => return done,
            }
        }
    }

    /// None: the time for any answer is over. The library must not be interrupted in its reading,
    /// unless nothing is read after it.
    async fn next(&mut self, sent: &mut Transaction) -> Option<Option<SipMessage>> {
        let mut message = pin!(sent.receive());
        loop {
            tokio::select! {
                message = &mut message => {
                    if message.is_some() {
                        self.quiet_until = None;
                    }
                    return Some(message);
                }
                () = at(self.deadline) => return None,
                () = at(self.quiet_until) => self.nobody_there().await,
            }
        }
    }

    async fn nobody_there(&mut self) {
        self.quiet_until = None;
        if self.ways.is_empty() || self.cancelled() {
            let _ = self.to.send(Heard::Silent).await;
        } else {
            self.hand_over();
        }
    }

    /// The other places have their turn, in a task of their own; what still comes from this one is
    /// ended here.
    fn hand_over(&mut self) {
        let (to, _) = mpsc::channel(1);
        let ours = Orders::default();
        ours.cancel.store(true, Ordering::SeqCst);
        ours.silent.store(true, Ordering::SeqCst);
        *lock(&ours.now) = lock(&self.orders.now).take();
        let mut other = Self {
            core: self.core.clone(),
            invite: self.invite.clone(),
            far: self.far.clone(),
            to: std::mem::replace(&mut self.to, to),
            orders: std::mem::replace(&mut self.orders, Arc::new(ours)),
            min_se_s: self.min_se_s,
            kept: None,
            ended: Vec::new(),
            provisional: false,
            cancel_sent: false,
            deadline: None,
            ways: std::mem::take(&mut self.ways),
            quiet_until: None,
        };
        other.move_on();
        self.core.linger(other.run());
        self.orders.wake();
    }

    async fn broken(&self, error: &rsipstack::Error) -> Then {
        if !self.ways.is_empty() && !self.cancelled() {
            return Then::Next;
        }
        tracing::debug!(call_id = self.far.call_id(), %error, "the INVITE failed");
        let _ = self.to.send(Heard::Broken(error.to_string())).await;
        Then::Over
    }

    fn cancelled(&self) -> bool {
        self.orders.cancel.load(Ordering::SeqCst) || self.to.is_closed()
    }

    /// Carries out what was ordered since.
    fn obey(&mut self, sent: &mut Transaction) {
        if !self.cancelled() || self.kept.is_some() {
            return;
        }
        if self.orders.silent.load(Ordering::SeqCst)
            && let Some(timer) = sent.timer_a.take()
        {
            sent.endpoint_inner.timers.cancel(timer);
        }
        if self.provisional && !self.cancel_sent {
            self.cancel_sent = true;
            self.deadline = Some(Instant::now() + self.core.timer_b());
            cancel(&self.core, sent);
        }
    }

    async fn answered(&mut self, sent: &mut Transaction, response: Response, tries: u8) -> Then {
        match response.status_code.code() {
            100..=199 => {
                self.provisional = true;
                self.obey(sent);
                self.tell(response).await;
                Then::Read
            }
            200..=299 => {
                self.accepted(response).await;
                Then::Read
            }
            503 if !self.ways.is_empty() && !self.cancelled() => Then::Next,
            _ if !self.cancelled() && tries < TRIES_MAX && self.improved(&response, tries) => {
                self.provisional = false;
                Then::Again
            }
            _ => {
                self.tell(response).await;
                Then::Over
            }
        }
    }

    async fn tell(&self, response: Response) {
        // Its reader may have gone; then the call is given up, which `cancelled` sees.
        let _ = self.to.send(Heard::Response(Box::new(response))).await;
    }

    /// The first 2xx is the call's, unless it was given up; each other dialog is ended once.
    async fn accepted(&mut self, response: Response) {
        let tag = response.to_header().ok().and_then(|to| to.tag().ok().flatten());
        let tag = tag.map(|tag| tag.value().to_owned()).unwrap_or_default();
        if self.kept.as_ref() == Some(&tag) || self.ended.contains(&tag) {
            return;
        }
        if self.kept.is_none() && !self.cancelled() {
            let heard = Heard::Response(Box::new(response.clone()));
            if self.to.send(heard).await.is_ok() {
                self.kept = Some(tag);
                return;
            }
        }
        // Who answers with ever new tags would have us send BYEs to whom it names.
        if self.ended.len() >= SURPLUS_MAX {
            return tracing::debug!(call_id = self.far.call_id(), "too many forks answered");
        }
        self.ended.push(tag);
        self.deadline = None;
        let surplus = self.far.fork(&response);
        let to = self.kept.is_none().then(|| self.to.clone());
        self.core.linger(async move {
            surplus.bye().await;
            if let Some(to) = to {
                let _ = to.send(Heard::Over).await;
            }
        });
    }

    /// Whether the INVITE can be sent in a form that the far end may like better.
    fn improved(&mut self, response: &Response, tries: u8) -> bool {
        if let Some(header) = self.far.answer_to(&self.invite, response, tries) {
            self.far.number_anew(&mut self.invite, header);
            return true;
        }
        if response.status_code.code() != 422 {
            return false;
        }
        let Some(min_s) = session_timer::ask_again(response, self.min_se_s) else { return false };
        self.min_se_s = min_s;
        let mut headers = session_timer::ask(self.core.config.session_expires_s, min_s);
        if let (Some(min_se), Some(expires)) = (headers.pop(), headers.pop()) {
            self.invite.headers.unique_push(expires);
            self.far.number_anew(&mut self.invite, min_se);
        }
        true
    }
}

/// Goes where the INVITE went, under its Via, number and Request-URI (section 9.1).
fn cancel(core: &Arc<Core>, sent: &Transaction) {
    let invite = &sent.original;
    let kept = invite.headers.iter().filter_map(|header| match header {
        Header::Via(_)
        | Header::From(_)
        | Header::To(_)
        | Header::CallId(_)
        | Header::Route(_)
        | Header::MaxForwards(_)
        | Header::UserAgent(_) => Some(header.clone()),
        Header::CSeq(cseq) => Some(Header::CSeq(format!("{} CANCEL", cseq.seq().ok()?).into())),
        _ => None,
    });
    let headers = kept.collect::<Vec<_>>();
    let request = Request {
        method: Method::Cancel,
        uri: invite.uri.clone(),
        headers: headers.into(),
        body: Vec::new(),
        version: Version::V2,
    };
    let Ok(key) = TransactionKey::from_request(&request, TransactionRole::Client) else { return };
    let endpoint = core.endpoint.clone();
    let mut cancel = Transaction::new_client(key, request, endpoint, sent.connection.clone());
    cancel.destination.clone_from(&sent.destination);
    core.linger(async move {
        if let Err(error) = cancel.send().await {
            return tracing::debug!(%error, "CANCEL could not be sent");
        }
        while let Some(message) = cancel.receive().await {
            if let SipMessage::Response(response) = message
                && response.status_code.code() >= 200
            {
                return;
            }
        }
    });
}
