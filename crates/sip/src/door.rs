//! The one door: every request outside a dialog but ACK and CANCEL passes here before anything
//! else sees it (RFC 3261 section 22). It checks digests, counts wrong ones and limits how often
//! one may knock. Who is known is the server's `Gate`; what is asked for is not its business.
//!
//! A user who does not exist is treated in all as one who does: the same arithmetic, the same
//! counts, the same answers.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rsipstack::sip::prelude::ToTypedHeader as _;
use rsipstack::sip::{Header, HeadersExt as _, Method, Request};

use crate::digest::{self, Algorithm, Challenge, Question, Shown, hex};
use crate::endpoint::Core;
use crate::gate::{Access, Account, Asked, DoorConfig};
use crate::limits::{Buckets, Guesses, Origin};
use crate::nonce::{Nonces, Worth};
use crate::registrar::Registrar;
use crate::types::DoorGauges;
use crate::wire::unescape;

/// Nonces whose counts are remembered, sources and accounts with a bucket, guessers.
const NONCES_MAX: usize = 32_768;
const BUCKETS_MAX: usize = 16_384;
const GUESSERS_MAX: usize = 16_384;
/// A user name that is longer is nobody's.
const USER_MAX_BYTES: usize = 128;
/// Bindings that have run out are not given from then on; this is only for the table's size.
const EXPIRE_EVERY: Duration = Duration::from_secs(30);
/// How the account that authenticated travels with its request. Ours alone: one that comes from
/// outside is removed.
const ACCOUNT: &str = "Undertone-Account";

pub(crate) struct Door {
    config: DoorConfig,
    pub(crate) registrar: Option<Arc<Registrar>>,
    /// Makes what nobody has look like what somebody has.
    seed: u64,
    decoy: String,
    began: Instant,
    state: Mutex<State>,
    counts: Counts,
}

struct State {
    nonces: Nonces,
    /// Of who only says where he is: over UDP anybody can spend another's tokens.
    sources: Buckets<Origin>,
    /// Of who shows that he reads what we send to that source, or is connected.
    proven: Buckets<Origin>,
    /// Emergency calls have tokens of their own: no other call spends them.
    emergencies: Buckets<Origin>,
    accounts: Buckets<String>,
    guesses: Guesses,
}

#[derive(Default)]
struct Counts {
    challenged: AtomicU64,
    wrong: AtomicU64,
    locked: AtomicU64,
    locks: AtomicU64,
    not_own: AtomicU64,
    slowed: AtomicU64,
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// With the account that it proved to be, if any.
    Pass(Option<String>),
    /// From nobody we know, for who refuses those himself.
    Stranger,
    Answer(u16, Vec<Header>),
}

impl Door {
    pub(crate) fn new(config: DoorConfig) -> Self {
        let state = State {
            nonces: Nonces::new(rand::random(), u64::from(config.nonce_s) * 1_000, NONCES_MAX),
            sources: Buckets::new(config.source_rate, BUCKETS_MAX),
            proven: Buckets::new(config.source_rate, BUCKETS_MAX),
            emergencies: Buckets::new(config.source_rate, BUCKETS_MAX),
            accounts: Buckets::new(config.account_rate, BUCKETS_MAX),
            guesses: Guesses::new(config.guessing, GUESSERS_MAX),
        };
        Self {
            registrar: config.registrar.clone().map(|r| Arc::new(Registrar::new(r, wall_ms()))),
            config,
            seed: rand::random(),
            decoy: hex(&rand::random::<[u8; 32]>()),
            began: Instant::now(),
            state: Mutex::new(state),
            counts: Counts::default(),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before the SIP library keeps anything of a request: whether its source asks too often. Gives
    /// the seconds to wait.
    pub(crate) fn overrun(
        &self,
        request: &Request,
        source: SocketAddr,
        connected: bool,
    ) -> Option<u32> {
        if matches!(request.method, Method::Ack | Method::Cancel)
            || crate::fields::to_tag(request).is_some()
        {
            return None;
        }
        let asked = asked(request, source, connected);
        if self.config.gate.judge(&asked) == Access::Open {
            return None;
        }
        let emergency = self.is_emergency(&asked);
        let nonce = self.of_realm(request).next().map(|shown| shown.nonce);
        let (mut state, from) = (self.state(), Origin::of(source.ip()));
        let proven = connected || nonce.is_some_and(|nonce| state.nonces.is_of(&nonce, from));
        let buckets = match (emergency, proven) {
            (true, _) => &mut state.emergencies,
            (false, true) => &mut state.proven,
            (false, false) => &mut state.sources,
        };
        let taken = buckets.take(from, self.now_ms());
        drop(state);
        let wait = taken.err()?;
        self.counts.slowed.fetch_add(1, Ordering::Relaxed);
        Some(wait)
    }

    pub(crate) fn judge(&self, request: &Request, source: SocketAddr, connected: bool) -> Verdict {
        let asked = asked(request, source, connected);
        match self.config.gate.judge(&asked) {
            Access::Open => Verdict::Pass(None),
            Access::Nobody => Verdict::Stranger,
            Access::Refuse(code) => Verdict::Answer(code.clamp(400, 699), Vec::new()),
            Access::Challenge => self.authenticate(request, &asked),
        }
    }

    fn authenticate(&self, request: &Request, asked: &Asked) -> Verdict {
        let Some((shown, account)) = self.shown(request) else {
            self.counts.challenged.fetch_add(1, Ordering::Relaxed);
            let user = named(&asked.from_user);
            return self.challenge(user, self.meant_by_from(user), asked, false);
        };
        let (from, now) = (Origin::of(asked.source.ip()), self.now_ms());
        let name = named(&shown.user);
        // Over a nonce that this source was not given, or that is old, the digest is not looked
        // at: what it says counts against nobody, and tells nobody whether it was right (RFC 7616
        // section 3.3, stale).
        if !self.state().nonces.is_fresh(&shown.nonce, from, now) {
            self.counts.challenged.fetch_add(1, Ordering::Relaxed);
            return self.challenge(name, self.config.gate.account(name), asked, true);
        }
        if self.is_locked(name, asked, now) {
            self.counts.locked.fetch_add(1, Ordering::Relaxed);
            return Verdict::Answer(403, Vec::new());
        }
        if !self.is_right(request, &shown, account.as_deref()) {
            self.counts.wrong.fetch_add(1, Ordering::Relaxed);
            if self.state().guesses.wrong(name, from, now) {
                self.counts.locks.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(source = %asked.source, "too many wrong passwords, locked");
            }
            return self.challenge(name, account, asked, false);
        }
        // A right digest over a count that was used: perhaps a replay, so no more than a new nonce
        // is given for it.
        // A count that the digest does not cover is no count.
        let count = shown.qop.as_ref().and(shown.nc.as_deref()).and_then(digest::count);
        if self.state().nonces.spend(&shown.nonce, from, count, now) == Worth::Stale {
            return self.challenge(name, account, asked, true);
        }
        let Some(account) = account else { return self.challenge(name, None, asked, false) };
        self.state().guesses.right(name, from);
        self.admit(asked, &account, now)
    }

    /// Whether too many guesses hold up this one. An emergency call is held up by none, if it is
    /// the first in a while: it may still be a guess.
    fn is_locked(&self, name: &str, asked: &Asked, now_ms: u64) -> bool {
        let (mut state, from) = (self.state(), Origin::of(asked.source.ip()));
        state.guesses.is_locked(name, from, now_ms)
            && !(self.is_emergency(asked) && state.guesses.lets_call_for_help(name, from, now_ms))
    }

    /// The account that a From means, by its user name or by an extension of its device.
    fn meant_by_from(&self, user: &str) -> Option<Arc<Account>> {
        let gate = &self.config.gate;
        gate.account(user).or_else(|| gate.account_of_name(user))
    }

    /// The same of a request that nothing was asked about yet.
    pub(crate) fn is_for_help(&self, request: &Request) -> bool {
        let number = unescape(request.uri.user().unwrap_or_default());
        request.method == Method::Invite && self.config.gate.is_emergency(&number)
    }

    fn is_emergency(&self, asked: &Asked) -> bool {
        asked.method == "INVITE" && self.config.gate.is_emergency(&asked.request_user)
    }

    /// Who has proved who he is may still ask only in his own name, and not too often.
    fn admit(&self, asked: &Asked, account: &Account, now_ms: u64) -> Verdict {
        let is_own = |user: &str| account.user == user || account.names.iter().any(|n| n == user);
        // REGISTER names in To whom it binds (RFC 3261 section 10.3); nobody binds for others.
        if !is_own(&asked.from_user) || (asked.method == "REGISTER" && !is_own(&asked.to_user)) {
            self.counts.not_own.fetch_add(1, Ordering::Relaxed);
            return Verdict::Answer(403, Vec::new());
        }
        if !self.is_emergency(asked)
            && let Err(wait) = self.state().accounts.take(account.user.clone(), now_ms)
        {
            self.counts.slowed.fetch_add(1, Ordering::Relaxed);
            return Verdict::Answer(503, vec![Header::RetryAfter(wait.to_string().into())]);
        }
        Verdict::Pass(Some(account.user.clone()))
    }

    /// The credentials for our realm, and the account that they name, if it is one. With several,
    /// the first that the account can check.
    fn shown(&self, request: &Request) -> Option<(Shown, Option<Arc<Account>>)> {
        let mut all = self.of_realm(request);
        let first = all.next()?;
        let account = self.config.gate.account(named(&first.user));
        let known = |shown: &Shown| {
            let algorithm = shown.algorithm.unwrap_or(Algorithm::Md5);
            account.as_ref().is_some_and(|a| a.user == shown.user && a.ha1(algorithm).is_some())
        };
        let shown = if known(&first) { first } else { all.find(known).unwrap_or(first) };
        Some((shown, account))
    }

    fn of_realm<'a>(&'a self, request: &'a Request) -> impl Iterator<Item = Shown> + 'a {
        let ours = |shown: &Shown| shown.realm == self.config.realm;
        request.headers.iter().filter_map(move |header| match header {
            Header::Authorization(h) => Shown::read(h.value()).filter(ours),
            Header::ProxyAuthorization(h) => Shown::read(h.value()).filter(ours),
            _ => None,
        })
    }

    /// Hashes alike for everybody; without an account, or a hash of that kind, over a decoy.
    fn is_right(&self, request: &Request, shown: &Shown, account: Option<&Account>) -> bool {
        let algorithm = shown.algorithm.unwrap_or(Algorithm::Md5);
        let ha1 = account.and_then(|account| account.ha1(algorithm));
        let decoy = &self.decoy[..if algorithm == Algorithm::Md5 { 32 } else { 64 }];
        let Some(qop) = shown.covers(&request.body) else { return false };
        let method = request.method.to_string();
        let (uri, nonce) = (shown.uri.as_str(), shown.nonce.as_str());
        let question = Question { method: &method, uri, nonce, qop };
        let expected = digest::response(algorithm, ha1.unwrap_or(decoy), &question);
        digest::same(&expected, &shown.response) & ha1.is_some()
    }

    /// A new nonce, under each algorithm that this account is offered, or nobody of that name.
    fn challenge(
        &self,
        user: &str,
        account: Option<Arc<Account>>,
        asked: &Asked,
        stale: bool,
    ) -> Verdict {
        let offer = match &account {
            Some(account) => account.offer,
            None => self.config.gate.offer_to_nobody(self.seed_of(user)),
        };
        let to = Origin::of(asked.source.ip());
        let nonce = self.state().nonces.make(self.now_ms(), rand::random(), to);
        let one = |algorithm: &Algorithm| {
            let challenge = Challenge {
                realm: self.config.realm.clone(),
                nonce: nonce.clone(),
                algorithm: Some(*algorithm),
                stale,
                ..Challenge::default()
            };
            Header::WwwAuthenticate(challenge.write().into())
        };
        Verdict::Answer(401, offer.algorithms().iter().map(one).collect())
    }

    pub(crate) fn gauges(&self) -> DoorGauges {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        DoorGauges {
            challenged: of(&self.counts.challenged),
            wrong: of(&self.counts.wrong),
            locked: of(&self.counts.locked),
            locks: of(&self.counts.locks),
            not_own: of(&self.counts.not_own),
            slowed: of(&self.counts.slowed),
        }
    }

    fn seed_of(&self, user: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, user).hash(&mut hasher);
        hasher.finish()
    }
}

/// Takes out bindings that have run out, as long as the endpoint lives.
pub(crate) async fn keep(core: Arc<Core>) {
    let Some(registrar) = core.door.as_ref().and_then(|door| door.registrar.clone()) else {
        return;
    };
    let mut look = tokio::time::interval(EXPIRE_EVERY);
    loop {
        tokio::select! {
            _ = look.tick() => registrar.expire(wall_ms()),
            () = core.stop.cancelled() => return,
        }
    }
}

/// Milliseconds since 1970: bindings outlive a restart.
pub(crate) fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn named(user: &str) -> &str {
    if user.len() <= USER_MAX_BYTES { user } else { "" }
}

fn asked(request: &Request, source: SocketAddr, connected: bool) -> Asked {
    let from = request.from_header().ok().and_then(|h| h.clone().typed().ok()).map(|h| h.uri);
    let to = request.to_header().ok().and_then(|h| h.clone().typed().ok()).map(|h| h.uri);
    let user = |uri: Option<&rsipstack::sip::Uri>| {
        unescape(uri.and_then(|uri| uri.user()).unwrap_or_default())
    };
    Asked {
        method: request.method.to_string(),
        source: if connected { listens_at(request, source) } else { source },
        connected,
        from_user: user(from.as_ref()),
        to_user: user(to.as_ref()),
        request_user: user(Some(&request.uri)),
    }
}

/// Over a connection the source's port says nothing: a phone is known by the port that its Contact
/// names, on the host that it came from.
fn listens_at(request: &Request, source: SocketAddr) -> SocketAddr {
    let contacts = request.typed_contact_headers().unwrap_or_default();
    let contact = contacts.first().and_then(|c| crate::contact::address(&c.uri.to_string()));
    contact.filter(|contact| contact.ip() == source.ip()).unwrap_or(source)
}

/// Writes the verdict on the request, and off it what somebody else wrote there.
pub(crate) fn sign(request: &mut Request, account: Option<&str>) {
    request.headers.retain(|h| !h.name().eq_ignore_ascii_case(ACCOUNT));
    if let Some(account) = account {
        request.headers.push(Header::Other(ACCOUNT.into(), account.to_owned()));
    }
}

/// The account that a request proved to be of.
pub(crate) fn account_of(request: &Request) -> Option<String> {
    let signed = request.headers.iter().find(|h| h.name() == ACCOUNT);
    signed.map(|header| header.value().to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "door_test.rs"]
mod tests;
