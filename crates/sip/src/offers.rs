//! Offers in a call that is up, both ways, by INVITE and by UPDATE, and the session timer that
//! they refresh (RFC 3261 section 14, RFC 3311, RFC 4028).
//!
//! One offer at a time in a dialog: while ours is open, theirs gets 491; while theirs is open, a
//! second gets 500, and ours is refused as `Pending`. A glare of ours waits and tries again.

use std::collections::BTreeSet;
use std::time::Duration;

use rsipstack::sip::{Header, Method, Request, Response};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::dialog::{Ends, sdp_of};
use crate::far::{Outcome, sdp_body};
use crate::fields::{capabilities, cseq};
use crate::handle::OfferBy;
use crate::incoming::source;
use crate::live::{Next, glare_wait};
use crate::serving::{Answers, Said, serve};
use crate::session_timer::{self, Agreed, Due, SessionTimer};
use crate::types::{DialogEvent, EndCause, ReofferToken, SipError};
use crate::wire::ALLOW;

/// A glare is tried again this often.
const GLARES_MAX: u8 = 3;

type Reply = oneshot::Sender<Result<String, SipError>>;

/// An offer of ours that waits for its answer. A refresh has nobody who waits.
struct Ours {
    by: OfferBy,
    sdp: String,
    reply: Option<Reply>,
    glares: u8,
    sent: JoinHandle<Option<Outcome>>,
}

/// One that met theirs, and waits to be sent again.
struct Later {
    by: OfferBy,
    sdp: String,
    reply: Reply,
    glares: u8,
    at: Instant,
    /// An offer of theirs was taken meanwhile: this one knows nothing of it.
    stale: bool,
}

/// One of theirs that waits for ours.
struct Theirs {
    token: ReofferToken,
    how: How,
    deadline: Instant,
}

enum How {
    Invite(Answers),
    Update(Box<Transaction>),
}

/// What `turn` waited for: the answer to what is out.
pub(crate) enum Turn {
    Ours(Option<Outcome>),
    Refresh(Option<Outcome>),
}

pub(crate) struct Offers {
    said: mpsc::Sender<Said>,
    /// We called.
    caller: bool,
    /// The far end takes UPDATE.
    update: bool,
    /// What we described last: an INVITE that only refreshes says it again.
    described: String,
    ours: Option<Ours>,
    later: Option<Later>,
    /// An UPDATE without a description, which is no offer.
    refresh: Option<JoinHandle<Option<Outcome>>>,
    theirs: Option<Theirs>,
    /// INVITEs of theirs whose 200 has no ACK yet.
    unacknowledged: BTreeSet<u32>,
    /// ... and the one of them whose ACK will hold the answer to our offer.
    answer_in_ack: Option<u32>,
    tokens: u64,
    timer: SessionTimer,
}

fn allows_update(message: &impl rsipstack::sip::HeadersExt) -> bool {
    let mut allows = message.headers().iter().filter(|h| matches!(h, Header::Allow(_)));
    allows.any(|allow| allow.value().split(',').any(|method| method.trim() == "UPDATE"))
}

impl Offers {
    pub(crate) fn of_callee(
        answer: &Response,
        described: String,
        said: mpsc::Sender<Said>,
    ) -> Self {
        let agreed = session_timer::answered(answer, None);
        Self::new(true, allows_update(answer), agreed, described, said)
    }

    pub(crate) fn of_caller(
        invite: &Request,
        agreed: Option<Agreed>,
        described: String,
        said: mpsc::Sender<Said>,
    ) -> Self {
        Self::new(false, allows_update(invite), agreed, described, said)
    }

    fn new(
        caller: bool,
        update: bool,
        agreed: Option<Agreed>,
        described: String,
        said: mpsc::Sender<Said>,
    ) -> Self {
        Self {
            said,
            caller,
            update,
            described,
            ours: None,
            later: None,
            refresh: None,
            theirs: None,
            unacknowledged: BTreeSet::new(),
            answer_in_ack: None,
            tokens: 0,
            timer: SessionTimer::new(agreed),
        }
    }

    /// Cancel-safe: what it waits for stays in place until `turned` takes it.
    pub(crate) async fn turn(&mut self) -> Turn {
        match (&mut self.ours, &mut self.refresh) {
            (Some(ours), _) => Turn::Ours((&mut ours.sent).await.ok().flatten()),
            (None, Some(refresh)) => Turn::Refresh(refresh.await.ok().flatten()),
            (None, None) => std::future::pending().await,
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        let theirs = self.theirs.as_ref().map(|theirs| theirs.deadline);
        let later = self.later.as_ref().map(|later| later.at);
        [theirs, later, self.timer.next()].into_iter().flatten().min()
    }

    /// Something of `next` has come.
    pub(crate) fn due(&mut self, ends: &mut Ends) -> Option<Due> {
        let now = Instant::now();
        if self.theirs.as_ref().is_some_and(|theirs| theirs.deadline <= now) {
            self.answer(ends, None, Err(500));
        }
        if self.later.as_ref().is_some_and(|later| later.at <= now) {
            self.again(ends);
        }
        let due = self.timer.due()?;
        if due == Due::Refresh {
            self.refresh(ends);
        }
        Some(due)
    }

    fn open(&self) -> bool {
        let theirs = self.theirs.is_some() || !self.unacknowledged.is_empty();
        self.ours.is_some() || theirs
    }

    pub(crate) fn offer(&mut self, ends: &Ends, by: OfferBy, sdp: String, reply: Reply) {
        if self.open() || self.later.is_some() {
            let _ = reply.send(Err(SipError::Pending));
        } else if by == OfferBy::Update && !self.update {
            let _ = reply.send(Err(SipError::Refused(405)));
        } else {
            self.send(ends, by, sdp, Some(reply), 0);
        }
    }

    fn headers(&self, ends: &Ends) -> Vec<Header> {
        let mut headers = capabilities(ALLOW);
        headers.push(Header::Supported("timer, replaces".into()));
        headers.extend(session_timer::keep(self.timer.agreed(), ends.core.config.min_se_s));
        headers
    }

    fn send(&mut self, ends: &Ends, by: OfferBy, sdp: String, reply: Option<Reply>, glares: u8) {
        let method = match by {
            OfferBy::Invite => Method::Invite,
            OfferBy::Update => Method::Update,
        };
        let (far, headers, body) = (ends.far.clone(), self.headers(ends), sdp_body(sdp.clone()));
        let sent = ends.core.linger(async move { far.ask(method, headers, body).await });
        self.ours = Some(Ours { by, sdp, reply, glares, sent });
    }

    fn refresh(&mut self, ends: &Ends) {
        if self.open() || self.refresh.is_some() {
            // An open offer refreshes as well, if it is accepted.
            return self.timer.refused();
        }
        if !self.update {
            return self.send(ends, OfferBy::Invite, self.described.clone(), None, 0);
        }
        let (far, headers) = (ends.far.clone(), self.headers(ends));
        let ask = async move { far.ask(Method::Update, headers, None).await };
        self.refresh = Some(ends.core.linger(ask));
    }

    /// Takes the answer; gives its code, for what a code means to the dialog.
    pub(crate) fn turned(&mut self, ends: &mut Ends, turn: Turn) -> u16 {
        let outcome = match turn {
            Turn::Ours(outcome) => outcome,
            Turn::Refresh(outcome) => {
                self.refresh = None;
                return self.refreshed(ends, outcome.as_ref());
            }
        };
        let Some(ours) = self.ours.take() else { return 0 };
        let code = self.refreshed(ends, outcome.as_ref());
        if code == 491 && ours.glares < GLARES_MAX {
            self.postpone(ends, ours);
            return code;
        }
        let result = match outcome {
            Some(Ok(response)) if (200..300).contains(&code) => {
                self.described.clone_from(&ours.sdp);
                sdp_of(&response.body).ok_or(SipError::Refused(488))
            }
            None | Some(Err(SipError::Timeout)) => Err(SipError::Timeout),
            Some(Ok(_)) if code == 408 => Err(SipError::Timeout),
            Some(Ok(_)) => Err(SipError::Refused(code)),
            Some(Err(error)) => Err(error),
        };
        match (ours.reply, result) {
            (Some(reply), result) => drop(reply.send(result)),
            // Nobody offered: the far end may have changed what it says about itself all the same.
            (None, Ok(sdp)) => ends.tell(DialogEvent::Confirmed { sdp: Some(sdp) }),
            (None, Err(_)) => {}
        }
        code
    }

    /// Whatever was asked: a 2xx refreshes, and may name a new Contact (section 12.2.1.2).
    fn refreshed(&mut self, ends: &Ends, outcome: Option<&Outcome>) -> u16 {
        match outcome {
            Some(Ok(response)) => {
                let code = response.status_code.code();
                if (200..300).contains(&code) {
                    ends.far.refresh(response);
                    let agreed = session_timer::answered(response, self.timer.agreed());
                    self.timer.refreshed(agreed);
                } else {
                    self.timer.refused();
                }
                code
            }
            Some(Err(SipError::Timeout)) => 408,
            Some(Err(_)) | None => {
                self.timer.refused();
                0
            }
        }
    }

    fn postpone(&mut self, ends: &Ends, ours: Ours) {
        // A refresh comes again by its timer.
        let Some(reply) = ours.reply else { return };
        let at = Instant::now() + glare_wait(self.caller, ends.core.config.t1_ms);
        let (by, sdp, glares) = (ours.by, ours.sdp, ours.glares + 1);
        self.later = Some(Later { by, sdp, reply, glares, at, stale: false });
    }

    fn again(&mut self, ends: &Ends) {
        let Some(mut later) = self.later.take() else { return };
        if later.stale {
            let _ = later.reply.send(Err(SipError::Refused(491)));
        } else if self.open() {
            later.at = Instant::now() + Duration::from_millis(ends.core.config.t1_ms);
            self.later = Some(later);
        } else {
            self.send(ends, later.by, later.sdp, Some(later.reply), later.glares);
        }
    }

    pub(crate) fn invited(&mut self, ends: &mut Ends, transaction: Transaction) {
        let core = ends.core.clone();
        if self.ours.is_some() {
            return core.reply(transaction, 491, Vec::new());
        }
        if self.theirs.is_some() {
            // Section 14.2 wants 0 to 10 seconds.
            return core.reply(transaction, 500, vec![Header::RetryAfter("1".into())]);
        }
        if let Err(refusal) = self.acceptable(ends, &transaction.original) {
            return core.reply(transaction, refusal.0, refusal.1);
        }
        let tag = ends.far.local_tag().into();
        let answers = serve(&core, transaction, &tag, self.said.clone());
        let request = answers.request().clone();
        self.theirs(ends, &request, How::Invite(answers));
    }

    pub(crate) fn updated(&mut self, ends: &mut Ends, transaction: Transaction) {
        let core = ends.core.clone();
        if let Err(refusal) = self.acceptable(ends, &transaction.original) {
            return core.reply(transaction, refusal.0, refusal.1);
        }
        if transaction.original.body.is_empty() {
            // Without an offer it changes the target and the timer alone.
            let headers = self.accepted(ends, &transaction.original);
            return core.reply(transaction, 200, headers);
        }
        // RFC 3311 section 5.2.
        if self.ours.is_some() {
            return core.reply(transaction, 491, Vec::new());
        }
        if self.theirs.is_some() || !self.unacknowledged.is_empty() {
            return core.reply(transaction, 500, vec![Header::RetryAfter("1".into())]);
        }
        let request = transaction.original.clone();
        self.theirs(ends, &request, How::Update(Box::new(transaction)));
    }

    fn acceptable(&self, ends: &Ends, request: &Request) -> Result<(), (u16, Vec<Header>)> {
        let granted = session_timer::grant(&ends.core.config, request, self.timer.agreed());
        match granted {
            Ok(_) => Ok(()),
            Err(min_s) => Err((422, vec![Header::MinSE(min_s.to_string().into())])),
        }
    }

    fn theirs(&mut self, ends: &mut Ends, request: &Request, how: How) {
        self.tokens += 1;
        let token = ReofferToken(self.tokens);
        let deadline = Instant::now() + ends.core.timer_b() / 2;
        self.theirs = Some(Theirs { token, how, deadline });
        let sdp = sdp_of(&request.body);
        ends.tell(DialogEvent::Reoffer { token, sdp, source: source(request) });
    }

    /// A target changes when the request that names it is accepted. Gives the 2xx its headers.
    fn accepted(&mut self, ends: &Ends, request: &Request) -> Vec<Header> {
        ends.far.refresh(request);
        self.update |= allows_update(request);
        let now = self.timer.agreed();
        let agreed = session_timer::grant(&ends.core.config, request, now).unwrap_or(now);
        self.timer.refreshed(agreed);
        let mut headers = capabilities(ALLOW);
        headers.push(ends.core.contact_header());
        headers.push(Header::Supported("timer, replaces".into()));
        headers.extend(session_timer::granted(agreed));
        headers
    }

    /// Answers theirs; without a token, whatever is open.
    pub(crate) fn answer(
        &mut self,
        ends: &mut Ends,
        token: Option<ReofferToken>,
        answer: Result<String, u16>,
    ) {
        let fits = |theirs: &mut Theirs| token.is_none_or(|token| token == theirs.token);
        let Some(theirs) = self.theirs.take_if(fits) else { return };
        let sdp = match answer {
            Ok(sdp) => sdp,
            Err(code) => return refuse(ends, theirs.how, code.clamp(300, 699)),
        };
        if let Some(later) = &mut self.later {
            later.stale = true;
        }
        self.described.clone_from(&sdp);
        match theirs.how {
            How::Invite(answers) => {
                let request = answers.request().clone();
                let number = cseq(&request);
                self.unacknowledged.insert(number);
                self.answer_in_ack = request.body.is_empty().then_some(number);
                let mut headers = self.accepted(ends, &request);
                headers.retain(|header| !matches!(header, Header::Contact(_)));
                answers.give(200, headers, sdp_body(sdp));
            }
            How::Update(transaction) => {
                let mut headers = self.accepted(ends, &transaction.original);
                headers.push(Header::ContentType("application/sdp".into()));
                ends.core.reply_with(*transaction, 200, headers, Some(sdp.into_bytes()));
            }
        }
    }

    /// What a transaction of a re-INVITE says.
    pub(crate) fn heard(&mut self, ends: &mut Ends, said: Said) -> Next {
        match said {
            Said::Ack(number, ack) if self.unacknowledged.remove(&number) => {
                if self.answer_in_ack == Some(number) {
                    self.answer_in_ack = None;
                    ends.tell(DialogEvent::Confirmed { sdp: sdp_of(&ack.body) });
                }
                Next::Wait
            }
            Said::Ack(..) => Next::Wait,
            // The INVITE is answered 487, and the call stays as it was.
            Said::Cancelled => {
                self.theirs.take_if(|theirs| matches!(theirs.how, How::Invite(_)));
                Next::Wait
            }
            Said::NoAck => {
                ends.ended(EndCause::NoAck);
                Next::HangUp
            }
        }
    }

    /// The call ends: what is open is refused, and who waits is told.
    pub(crate) fn end(&mut self, ends: &Ends) {
        if let Some(theirs) = self.theirs.take() {
            refuse(ends, theirs.how, 487);
        }
        self.ours = None;
        self.later = None;
    }
}

fn refuse(ends: &Ends, how: How, code: u16) {
    match how {
        How::Invite(answers) => answers.give(code, Vec::new(), None),
        How::Update(transaction) => ends.core.reply(*transaction, code, Vec::new()),
    }
}
