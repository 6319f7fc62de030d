//! A call that is up, seen from either side: what we ask of the far end, what it asks of us, its
//! refreshes, and its end. Offers, both ways, are `offers`'s.

use std::time::Duration;

use rsipstack::sip::{Header, Method, Request, Response};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::dialog::Ends;
use crate::far::{Body, Outcome};
use crate::fields::{capabilities, cseq, from_tag};
use crate::handle::Command;
use crate::incoming::info_of;
use crate::lock::lock;
use crate::offers::{Offers, Turn};
use crate::refer;
use crate::replaces::write_refer_to;
use crate::serving::{SAID_MAX, Said};
use crate::session_timer::{Agreed, Due};
use crate::types::{DialogEvent, EndCause, ReferToken, Replaces, SipError};
use crate::wire::ALLOW;

/// REFERs of the far end that wait for our answer.
const REFERS_MAX: usize = 4;

pub(crate) type Wire = (mpsc::Sender<Said>, mpsc::Receiver<Said>);

/// A REFER of theirs that waits for our answer.
struct Asked {
    token: ReferToken,
    transaction: Transaction,
    deadline: Instant,
    /// Whether it was the first in its dialog: the NOTIFYs of any other carry an id (RFC 3515
    /// section 2.4.6).
    first: bool,
}

pub(crate) struct Live {
    remote_seq: u32,
    offers: Offers,
    heard: mpsc::Receiver<Said>,
    /// Requests that came before the call was up.
    waiting: Vec<Transaction>,
    tokens: u64,
    /// INFO, OPTIONS and REFER of ours; each gives the code of its answer.
    asked: JoinSet<(Method, u16)>,
    refers: Vec<Asked>,
    /// REFERs of theirs, in this dialog so far.
    referred: u32,
    /// REFERs of ours whose last NOTIFY has not come.
    referring: u32,
    notifying: Vec<JoinHandle<Option<()>>>,
}

pub(crate) enum Next {
    Wait,
    /// It has ended: nothing is left to say.
    Over,
    /// It has ended for us; the far end is to be told.
    HangUp,
}

impl Live {
    /// We called, and this is the answer.
    pub(crate) fn of_callee(answer: &Response, offered: String, waiting: Vec<Transaction>) -> Self {
        let wire = mpsc::channel(SAID_MAX);
        let offers = Offers::of_callee(answer, offered, wire.0);
        Self::new(0, offers, wire.1, waiting)
    }

    /// They called, and this was the INVITE.
    pub(crate) fn of_caller(
        invite: &Request,
        remote_seq: u32,
        wire: Wire,
        agreed: Option<Agreed>,
        answered: String,
    ) -> Self {
        let offers = Offers::of_caller(invite, agreed, answered, wire.0);
        Self::new(remote_seq, offers, wire.1, Vec::new())
    }

    fn new(
        remote_seq: u32,
        offers: Offers,
        heard: mpsc::Receiver<Said>,
        waiting: Vec<Transaction>,
    ) -> Self {
        Self {
            remote_seq,
            offers,
            heard,
            waiting,
            tokens: 0,
            asked: JoinSet::new(),
            refers: Vec::new(),
            referred: 0,
            referring: 0,
            notifying: Vec::new(),
        }
    }

    pub(crate) async fn run(mut self, ends: &mut Ends) {
        for transaction in std::mem::take(&mut self.waiting) {
            if let Next::Over = self.request(ends, transaction) {
                return self.offers.end(ends);
            }
        }
        match self.serve(ends).await {
            Next::HangUp => {
                self.decide(ends);
                self.offers.end(ends);
                self.hang_up(ends).await;
            }
            Next::Wait | Next::Over => self.offers.end(ends),
        }
        for refer in self.refers {
            ends.core.reply(refer.transaction, 481, Vec::new());
        }
    }

    async fn serve(&mut self, ends: &mut Ends) -> Next {
        let ending = ends.ending.clone();
        let mut handles_gone = false;
        loop {
            let refer_at = self.refers.first().map(|refer| refer.deadline);
            let offers_at = self.offers.next();
            let next = tokio::select! {
                biased;
                () = ending.cancelled() => {
                    ends.ended(ends.our_cause());
                    Next::HangUp
                }
                Some(said) = self.heard.recv() => self.offers.heard(ends, said),
                transaction = ends.inbound.recv() => match transaction {
                    Some(transaction) => self.request(ends, transaction),
                    None => Next::Over,
                },
                turn = self.offers.turn() => self.turned(ends, turn),
                Some(answered) = self.asked.join_next() => self.answered(ends, answered.ok()),
                () = at(offers_at) => self.due(ends),
                () = at(refer_at) => { self.refuse_first(ends); Next::Wait }
                command = ends.commands.recv(), if !handles_gone => match command {
                    Some(command) => { self.command(ends, command); Next::Wait }
                    None => {
                        handles_gone = true;
                        ending.cancel();
                        Next::Wait
                    }
                },
            };
            match next {
                Next::Wait => {}
                done => return done,
            }
        }
    }

    /// What was decided about REFERs before the end is carried out before it.
    fn decide(&mut self, ends: &mut Ends) {
        while let Ok(command) = ends.commands.try_recv() {
            if matches!(command, Command::AcceptRefer(..) | Command::RefuseRefer(..)) {
                self.command(ends, command);
            }
        }
    }

    fn answered(&mut self, ends: &mut Ends, answered: Option<(Method, u16)>) -> Next {
        let (method, code) = answered.unwrap_or((Method::Options, 0));
        if method == Method::Refer && !(200..300).contains(&code) {
            // Of one that was refused nothing will be told.
            self.referring = self.referring.saturating_sub(1);
        }
        lost(ends, code)
    }

    fn turned(&mut self, ends: &mut Ends, turn: Turn) -> Next {
        let code = self.offers.turned(ends, turn);
        lost(ends, code)
    }

    fn due(&mut self, ends: &mut Ends) -> Next {
        match self.offers.due(ends) {
            Some(Due::Lapsed) => {
                tracing::info!(call_id = %ends.call_id, "the session was not refreshed");
                ends.ended(EndCause::Lost);
                Next::HangUp
            }
            Some(Due::Refresh) | None => Next::Wait,
        }
    }

    fn request(&mut self, ends: &mut Ends, transaction: Transaction) -> Next {
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
                core.reply(transaction, 200, Vec::new());
                ends.ended(EndCause::FarEnd);
                return Next::Over;
            }
            Method::Invite => self.offers.invited(ends, transaction),
            Method::Update => self.offers.updated(ends, transaction),
            Method::Refer => self.referred(ends, transaction),
            Method::Notify => self.notified(ends, transaction),
            Method::Info => {
                let event = info_of(&transaction.original);
                core.reply(transaction, 200, Vec::new());
                ends.tell(event);
            }
            Method::Options => core.reply(transaction, 200, capabilities(ALLOW)),
            // Nothing of ours is reliable in a call that is up.
            Method::PRack => core.reply(transaction, 481, Vec::new()),
            _ => core.reply(transaction, 405, vec![Header::Allow(ALLOW.into())]),
        }
        Next::Wait
    }

    fn command(&mut self, ends: &mut Ends, command: Command) {
        match command {
            Command::Offer(by, sdp, reply) => self.offers.offer(ends, by, sdp, reply),
            Command::AnswerReinvite(token, answer) => {
                self.offers.answer(ends, Some(token), answer);
            }
            Command::Info(body, reply) => {
                let body = Some(("application/dtmf-relay", body.into_bytes()));
                self.ask(ends, Method::Info, Vec::new(), body, reply);
            }
            Command::Options(reply) => self.ask(ends, Method::Options, Vec::new(), None, reply),
            Command::Refer(uri, replaces, reply) => self.refer(ends, &uri, replaces, reply),
            Command::AcceptRefer(token, told) => {
                let Some(refer) = self.take_refer(token) else { return };
                let id = (!refer.first).then(|| cseq(&refer.transaction.original));
                ends.core.reply(refer.transaction, 202, vec![ends.core.contact_header()]);
                self.notifying.retain(|notifying| !notifying.is_finished());
                self.notifying.push(ends.core.linger(refer::notify(ends.far.clone(), id, told)));
            }
            Command::RefuseRefer(token, code) => {
                if let Some(refer) = self.take_refer(token) {
                    ends.core.reply(refer.transaction, code, Vec::new());
                }
            }
            Command::Progress(..)
            | Command::Answer(_)
            | Command::Reject(_)
            | Command::Redirect(_) => {}
        }
    }

    fn ask(
        &mut self,
        ends: &Ends,
        method: Method,
        headers: Vec<Header>,
        body: Option<Body>,
        reply: oneshot::Sender<Result<u16, SipError>>,
    ) {
        let far = ends.far.clone();
        let ask = async move { (method, code_of(far.ask(method, headers, body).await, reply)) };
        self.asked.spawn(ask);
    }

    fn refer(
        &mut self,
        ends: &Ends,
        uri: &str,
        replaces: Option<Replaces>,
        reply: oneshot::Sender<Result<u16, SipError>>,
    ) {
        let clean = uri.bytes().all(|b| b.is_ascii_graphic() && !b"<>\",?".contains(&b));
        if !clean || uri.len() > 512 {
            let _ = reply.send(Err(SipError::BadAddress));
            return;
        }
        self.referring += 1;
        let headers = vec![
            Header::ReferTo(write_refer_to(uri, replaces.as_ref()).into()),
            Header::ReferredBy(format!("<{}>", ends.core.contact).into()),
        ];
        self.ask(ends, Method::Refer, headers, None, reply);
    }

    fn take_refer(&mut self, token: ReferToken) -> Option<Asked> {
        let at = self.refers.iter().position(|refer| refer.token == token)?;
        Some(self.refers.remove(at))
    }

    fn referred(&mut self, ends: &mut Ends, transaction: Transaction) {
        self.tokens += 1;
        let token = ReferToken(self.tokens);
        let read = refer::read(&transaction.original, token);
        let room = self.refers.len() < REFERS_MAX;
        match read.and_then(|event| if room { Ok(event) } else { Err(603) }) {
            Ok(event) => {
                self.referred += 1;
                let deadline = Instant::now() + ends.core.timer_b() / 2;
                let first = self.referred == 1;
                self.refers.push(Asked { token, transaction, deadline, first });
                ends.tell(event);
            }
            Err(code) => ends.core.reply(transaction, code, Vec::new()),
        }
    }

    fn refuse_first(&mut self, ends: &Ends) {
        if !self.refers.is_empty() {
            let refer = self.refers.remove(0);
            ends.core.reply(refer.transaction, 603, Vec::new());
        }
    }

    /// A NOTIFY may come before the answer to its REFER (RFC 3515 section 2.4.4).
    fn notified(&mut self, ends: &mut Ends, transaction: Transaction) {
        let read = refer::notified(&transaction.original);
        let event = match read {
            Ok(_) if self.referring == 0 => Err(481),
            read => read,
        };
        match event {
            Ok(event) => {
                if let DialogEvent::Notified { last: true, .. } = event {
                    self.referring = self.referring.saturating_sub(1);
                }
                ends.core.reply(transaction, 200, vec![ends.core.contact_header()]);
                ends.tell(event);
            }
            Err(489) => {
                let headers = vec![Header::Other("Allow-Events".into(), "refer".into())];
                ends.core.reply(transaction, 489, headers);
            }
            Err(code) => ends.core.reply(transaction, code, Vec::new()),
        }
    }

    /// Tells the far end, after what it was promised to be told of its REFERs, and answers what
    /// crosses our BYE. Theirs ends it as well: nobody may be left to answer ours.
    async fn hang_up(&mut self, ends: &mut Ends) {
        if !self.notifying.is_empty() {
            // A subscription whose last word was not given gets one by this.
            lock(&ends.notifiers).clear();
            let notifying = std::mem::take(&mut self.notifying);
            let told = async {
                for notifying in notifying {
                    let _ = notifying.await;
                }
            };
            let _ = timeout(ends.core.timer_b(), told).await;
        }
        let (far, core) = (ends.far.clone(), ends.core.clone());
        let mut bye = std::pin::pin!(core.linger(async move { far.bye().await }));
        loop {
            tokio::select! {
                _ = &mut bye => return,
                Some(transaction) = ends.inbound.recv() => {
                    let bye = transaction.original.method == Method::Bye;
                    ends.core.reply(transaction, if bye { 200 } else { 481 }, Vec::new());
                    if bye {
                        return;
                    }
                }
            }
        }
    }
}

/// Answers of the far end that end a dialog (section 12.2.1.2).
fn lost(ends: &mut Ends, code: u16) -> Next {
    if code != 408 && code != 481 {
        return Next::Wait;
    }
    ends.ended(EndCause::Lost);
    Next::HangUp
}

fn code_of(answer: Outcome, reply: oneshot::Sender<Result<u16, SipError>>) -> u16 {
    let result = answer.map(|response| response.status_code.code());
    let code = match &result {
        Ok(code) => *code,
        Err(SipError::Timeout) => 408,
        Err(_) => 0,
    };
    let _ = reply.send(if code == 408 { Err(SipError::Timeout) } else { result });
    code
}

pub(crate) async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// RFC 3261 section 14.1, in units of 10 ms: longer for who chose the Call-ID. It keeps its ratio
/// to T1, so that tests run in scale.
pub(crate) fn glare_wait(ours: bool, t1_ms: u64) -> Duration {
    let units = if ours { rand::random_range(210..=400) } else { rand::random_range(0..=200) };
    Duration::from_millis(units * 10 * t1_ms / 500)
}
