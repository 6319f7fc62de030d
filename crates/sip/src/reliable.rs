//! Reliable provisional answers (RFC 3262), both sides. As a callee: which are sent so, one at a
//! time, repeated until their PRACK. As a caller: which of them get a PRACK, a fork each.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{Header, HeadersExt as _, Method, Request, Response};
use tokio::time::Instant;

use crate::far::{Body, Far, sdp_body};
use crate::fields::cseq;
use crate::serving::Answers;

/// Provisional answers that wait for the PRACK of the one before; the last of them counts.
const WAITING_MAX: usize = 8;
/// Early dialogs of one call of ours that are known.
pub(crate) const FORKS_MAX: usize = 16;

/// Our side, as a callee.
pub(crate) struct Reliable {
    answers: Answers,
    required: bool,
    supported: bool,
    next: u32,
    open: Option<Open>,
    waiting: VecDeque<(u16, Option<String>, Vec<Header>)>,
}

struct Open {
    number: u32,
    response: Response,
    described: bool,
    again_at: Instant,
    wait: Duration,
    give_up: Instant,
}

pub(crate) enum Repeat {
    Sent,
    /// Nobody acknowledged it in 64·T1 (section 3): the call is to be refused.
    GivenUp,
}

impl Reliable {
    pub(crate) fn new(answers: Answers) -> Self {
        let request = answers.request();
        let required = request.header_contains_token("Require", "100rel");
        let supported = required || request.header_contains_token("Supported", "100rel");
        // Section 3: chosen at random, so that a restart is told from a repetition.
        let next = rand::random_range(1..1 << 30);
        Self { answers, required, supported, next, open: None, waiting: VecDeque::new() }
    }

    /// Sends it, now or when the one before has its PRACK.
    pub(crate) fn provisional(
        &mut self,
        code: u16,
        sdp: Option<String>,
        more: Vec<Header>,
        t1: Duration,
    ) {
        // The first that is reliable would have to hold our offer, and its PRACK the answer
        // (section 5). Ours goes with the 200: until then there is nothing to say but 100.
        if self.required && self.answers.request().body.is_empty() {
            return;
        }
        let reliable = self.required || (self.supported && sdp.is_some());
        if !reliable {
            return self.answers.give(code, more, sdp.and_then(sdp_body));
        }
        if self.open.is_some() {
            if self.waiting.len() < WAITING_MAX {
                self.waiting.push_back((code, sdp, more));
            }
            return;
        }
        self.send(code, sdp, more, t1);
    }

    fn send(&mut self, code: u16, sdp: Option<String>, mut more: Vec<Header>, t1: Duration) {
        let (number, described) = (self.next, sdp.is_some());
        self.next += 1;
        more.push(Header::Require("100rel".into()));
        more.push(Header::RSeq(number.to_string().into()));
        let response = self.answers.make(code, more, sdp.and_then(sdp_body));
        self.answers.send(response.clone());
        let now = Instant::now();
        let (again_at, give_up) = (now + t1, now + t1 * 64);
        self.open = Some(Open { number, response, described, again_at, wait: t1, give_up });
    }

    /// A 2xx must wait for the PRACK of a description (section 3).
    pub(crate) fn holds_answer(&self) -> bool {
        let waiting = self.waiting.iter().any(|(_, sdp, _)| sdp.is_some());
        waiting || self.open.as_ref().is_some_and(|open| open.described)
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.again_at.min(open.give_up))
    }

    pub(crate) fn repeat(&mut self) -> Repeat {
        let Some(open) = &mut self.open else { return Repeat::Sent };
        let now = Instant::now();
        if now >= open.give_up {
            self.open = None;
            return Repeat::GivenUp;
        }
        self.answers.send(open.response.clone());
        open.wait *= 2;
        open.again_at = now + open.wait;
        Repeat::Sent
    }

    /// The code that answers a PRACK.
    pub(crate) fn prack(&mut self, prack: &Request, t1: Duration) -> u16 {
        let Some(rack) = rack(prack) else { return 400 };
        let invite = cseq(self.answers.request());
        let fits = |open: &mut Open| rack == (open.number, invite);
        if self.open.take_if(fits).is_none() {
            return 481;
        }
        if let Some((code, sdp, more)) = self.waiting.pop_front() {
            self.send(code, sdp, more, t1);
        }
        // An offer in a PRACK (section 5) is not taken: ours was the answer already.
        if prack.body.is_empty() { 200 } else { 488 }
    }

    /// The final answer takes the place of whatever waits.
    pub(crate) fn end(&mut self) {
        self.open = None;
        self.waiting.clear();
    }
}

fn rack(prack: &Request) -> Option<(u32, u32)> {
    let value = prack.header_value("RAck")?;
    let mut words = value.split_ascii_whitespace();
    let number = words.next()?.parse().ok()?;
    let invite = words.next()?.parse().ok()?;
    (words.next()? == "INVITE").then_some((number, invite))
}

/// Their side, as a callee of ours: one entry a fork, by its tag.
#[derive(Default)]
pub(crate) struct Forks(HashMap<String, u32>);

impl Forks {
    /// The PRACK that this provisional answer wants: in order, and each once, since a PRACK is
    /// repeated by its own transaction (section 4).
    pub(crate) fn prack(&mut self, far: &Far, response: &Response) -> Option<(Arc<Far>, Header)> {
        if !response.header_contains_token("Require", "100rel") {
            return None;
        }
        let number = response.header_value("RSeq")?.trim().parse::<u32>().ok()?;
        let invite = response.cseq_header().ok()?.seq().ok()?;
        let fork = far.fork(response);
        let tag = fork.tag()?;
        let last = self.0.get(&tag).copied();
        let known = last.is_some() || self.0.len() < FORKS_MAX;
        if !known || last.is_some_and(|last| Some(number) != last.checked_add(1)) {
            return None;
        }
        self.0.insert(tag, number);
        Some((Arc::new(fork), Header::RAck(format!("{number} {invite} INVITE").into())))
    }
}

/// Sends it; what comes of it changes nothing, since the far end repeats what is not acknowledged.
pub(crate) async fn acknowledge(fork: Arc<Far>, rack: Header) {
    let nothing: Option<Body> = None;
    if let Err(error) = fork.ask(Method::PRack, vec![rack], nothing).await {
        tracing::debug!(call_id = fork.call_id(), %error, "a PRACK failed");
    }
}
