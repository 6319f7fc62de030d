//! What becomes of a request before anything is kept of it. Here is the first line against floods:
//! what can be answered without state is (RFC 3261 section 8.2.7), what repeats a request at work
//! is held back, and only what a dialog, the registrar or a new call will take goes on to the
//! library, where each request costs a transaction and is kept for 64·T1 after its answer.
//!
//! ```text
//!   repeats one that is answered ------------------> the library says its answer again
//!   repeats one at work ---------------------------> nothing, or the INVITE's last answer again
//!   of no dialog, too many, of nobody, no business -> an answer without state
//!   INVITE, REGISTER, in a dialog -----------------> the library, while there is room
//! ```

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use rsipstack::sip::{Header, Method, Request, Response};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};

use super::Core;
use crate::door::{self, Verdict};
use crate::fields::{call_id, to_tag};
use crate::lock::lock;
use crate::serving::answer_to;
use crate::stateless;
use crate::wire::ALLOW;

/// Transactions at work for each dialog allowed; beyond it, requests are dropped.
const RUNNING_PER_DIALOG: usize = 4;
/// The same and those that are over and kept for repetitions. A dialog lasts longer than they are
/// kept, and has two or three that are kept.
const KEPT_PER_DIALOG: usize = 8;
/// Of all that, what strangers may fill is this part.
const STRANGERS_SHARE: usize = 16;
/// An INVITE is repeated seven times at most (section 17.1.1.2), an ACK or CANCEL seldom.
const REPEATED_MAX: u8 = 16;
/// INVITEs at work that were repeated.
const REPEATERS_MAX: usize = 8_192;

pub(super) enum Sifted {
    /// To the library, which keeps something of it.
    Pass,
    Answer(Box<Response>),
    /// Over UDP it comes again by itself.
    Drop,
}

/// Who asks, as far as room is concerned.
#[derive(Clone, Copy)]
enum Asker {
    /// Who has a call, or calls for help, goes on while others are refused.
    InDialog,
    Known,
    /// Whom nobody knows is going to be refused, which needs no more than a corner.
    Stranger,
}

/// How often each INVITE at work has been repeated. The library queues all that comes for a
/// transaction, without an end, until somebody reads it.
#[derive(Default)]
pub(super) struct Repeats(Mutex<HashMap<TransactionKey, u8>>);

impl Repeats {
    /// `at_work` tells which are still worth a place.
    fn is_one_too_many(
        &self,
        key: &TransactionKey,
        at_work: impl Fn(&TransactionKey) -> bool,
    ) -> bool {
        let mut all = lock(&self.0);
        if all.len() >= REPEATERS_MAX && !all.contains_key(key) {
            all.retain(|key, _| at_work(key));
            if all.len() >= REPEATERS_MAX {
                return true;
            }
        }
        let count = all.entry(key.clone()).or_insert(0);
        *count = count.saturating_add(1);
        *count > REPEATED_MAX
    }
}

impl Core {
    pub(super) fn sift(
        &self,
        request: &mut Request,
        source: SocketAddr,
        connected: bool,
    ) -> Sifted {
        // Nobody but us writes there.
        door::sign(request, None);
        let known = TransactionKey::from_request(request, TransactionRole::Server);
        if let Ok(key) = &known {
            if self.endpoint.finished_transactions.contains_key(key) {
                return Sifted::Pass;
            }
            if self.endpoint.transactions.contains_key(key) {
                return self.repeated(request, key);
            }
        }
        if matches!(request.method, Method::Ack | Method::Cancel) {
            // The library makes no transaction of either.
            return Sifted::Pass;
        }
        let Some(tag) = to_tag(request) else { return self.knock(request, source, connected) };
        match self.dialogs.requests_of(&(call_id(request), tag)) {
            Some(_) if self.is_crowded(Asker::InDialog) => self.crowded(request, connected),
            Some(_) => Sifted::Pass,
            None => self.say(request, 481, Vec::new()),
        }
    }

    /// A request that is being worked on. Any but an INVITE says nothing before its final answer
    /// (section 17.2.2); of an INVITE's the library needs to know only that it came.
    fn repeated(&self, request: &mut Request, key: &TransactionKey) -> Sifted {
        let of_invite = matches!(request.method, Method::Invite | Method::Ack | Method::Cancel);
        let at_work = |key: &TransactionKey| self.endpoint.transactions.contains_key(key);
        if !of_invite || self.repeats.is_one_too_many(key, at_work) {
            return Sifted::Drop;
        }
        if request.method == Method::Invite {
            request.body = Vec::new();
        }
        Sifted::Pass
    }

    /// Outside a dialog: whether it is let in, with what it proved written on it. What is answered
    /// without state needs no room, and is answered however little there is.
    fn knock(&self, request: &mut Request, source: SocketAddr, connected: bool) -> Sifted {
        let needs_room = matches!(request.method, Method::Invite | Method::Register);
        let for_help = self.door.as_ref().is_some_and(|door| door.is_for_help(request));
        let asker = if for_help { Asker::InDialog } else { Asker::Known };
        if needs_room && self.is_crowded(asker) {
            return self.crowded(request, connected);
        }
        if let Some(door) = &self.door {
            if let Some(wait_s) = door.overrun(request, source, connected) {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return self.busy(request, wait_s);
            }
            match door.judge(request, source, connected) {
                Verdict::Pass(account) => door::sign(request, account.as_deref()),
                Verdict::Stranger if needs_room && self.is_crowded(Asker::Stranger) => {
                    return self.crowded(request, connected);
                }
                Verdict::Stranger => {}
                Verdict::Answer(code, headers) => return self.say(request, code, headers),
            }
        }
        match request.method {
            Method::Invite => Sifted::Pass,
            Method::Register if self.door.is_some() => Sifted::Pass,
            Method::Options => self.say(request, 200, self.abilities()),
            Method::Bye | Method::Info | Method::PRack | Method::Update | Method::Notify => {
                self.say(request, 481, Vec::new())
            }
            // A transfer is of a call, so it is asked within one.
            Method::Refer => self.say(request, 403, Vec::new()),
            _ => self.say(request, 405, vec![Header::Allow(ALLOW.into())]),
        }
    }

    fn is_crowded(&self, asker: Asker) -> bool {
        let stats = self.endpoint.get_stats();
        let (running, kept) =
            (stats.running_transactions, stats.running_transactions + stats.finished_transactions);
        let room = |per_dialog: usize| {
            let known = self.config.dialogs_max.saturating_mul(per_dialog).max(1_024);
            match asker {
                Asker::InDialog => known.saturating_mul(2),
                Asker::Known => known,
                Asker::Stranger => known / STRANGERS_SHARE,
            }
        };
        running > room(RUNNING_PER_DIALOG) || kept > room(KEPT_PER_DIALOG)
    }

    /// Over TCP it would be waited for.
    fn crowded(&self, request: &Request, connected: bool) -> Sifted {
        self.refused.fetch_add(1, Ordering::Relaxed);
        if connected { self.busy(request, self.config.retry_after_s) } else { Sifted::Drop }
    }

    fn busy(&self, request: &Request, wait_s: u32) -> Sifted {
        self.say(request, 503, vec![Header::RetryAfter(wait_s.to_string().into())])
    }

    fn say(&self, request: &Request, code: u16, headers: Vec<Header>) -> Sifted {
        let answer = answer_to(self, request, &stateless::tag(request), code, headers, None);
        Sifted::Answer(Box::new(answer))
    }
}
