//! Signing in to the pages: names and passwords, sessions, the one-time link of the first
//! administrator, the demo's ready sign-ins. Each way in and each refusal is audited; what a
//! signed-in person may do is core's.

mod demo;
mod devices;
mod first;
mod tries;

pub use demo::DemoPeople;
pub use devices::Devices;
pub use first::FirstLink;

use crate::clock;
use crate::hashing;
use crate::switchboard::Switchboard;
use async_trait::async_trait;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tries::{Asker, Tries};
use undertone_api::{
    Coming, Credentials, FirstPerson, Me, OpenSession, Opened, OwnDevice, SignIn, SignInRefused,
    SignedIn, Source, Welcome,
};
use undertone_core::access::Actor;
use undertone_core::audit::{AuditEntry, Outcome, Who};
use undertone_core::directory::Directory;
use undertone_core::id::PersonId;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::time::Wall;
use undertone_core::view::Channel;
use undertone_store::{Class, Login, Session, StoreError};

/// A page that is left alone for a shift is signed out; one that is used stays for a week.
const IDLE_MS: i64 = 12 * 3_600_000;
const LONGEST_MS: i64 = 7 * 24 * 3_600_000;
/// A session's last use is written no more often than this.
const SEEN_EVERY_MS: i64 = 60_000;
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// Passwords that may wait for their turn to be hashed; beyond them it is said at once. Browsers
/// that are known have places of their own, which no stranger can fill.
const WAITING_MAX: usize = 32;
const WAITING_KNOWN_MAX: usize = 16;
const PASSWORD_MIN: usize = 10;
const PASSWORD_MAX: usize = 200;
const NAME_MAX_BYTES: usize = 64;
/// What a name that does not exist is compared with, so that it takes as long as one that does.
const NOBODYS: &str = "$argon2id$v=19$m=47104,t=1,p=1$bm9ib2R5bm9ib2R5$\
                       Zm9yIG5vYm9keSBhdCBhbGwsIGV2ZXIsIGFueXdoZXI";

/// The desk where people sign in.
pub struct Reception {
    board: Switchboard,
    tries: Mutex<Tries>,
    waiting: Semaphore,
    waiting_known: Semaphore,
    devices: Devices,
    first: FirstLink,
    demo: Option<DemoPeople>,
}

impl Reception {
    pub fn new(
        board: Switchboard,
        devices: Devices,
        first: FirstLink,
        demo: Option<DemoPeople>,
    ) -> Self {
        let waiting = Semaphore::new(WAITING_MAX);
        let waiting_known = Semaphore::new(WAITING_KNOWN_MAX);
        Self { board, tries: Mutex::default(), waiting, waiting_known, devices, first, demo }
    }

    /// Ends sessions that nobody uses any more, until dropped.
    pub async fn sweep(board: Switchboard) {
        let mut every = tokio::time::interval(SWEEP_EVERY);
        loop {
            every.tick().await;
            let now = clock::now().wall.0;
            let (seen, opened) = (Wall(now - IDLE_MS), Wall(now - LONGEST_MS));
            if let Err(error) = board.house().store.sweep_sessions(seen, opened).await {
                tracing::warn!(%error, "old sessions could not be ended");
            }
        }
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, person: Option<&PersonId>, from: SocketAddr, what: &'static str) {
        self.note(person, from, what, Outcome::Allowed, None);
    }

    /// `login` is one that there is; what else was typed may be a password.
    fn write_refused(&self, from: SocketAddr, why: &'static str, login: Option<&str>) {
        let outcome = Outcome::Refused(vec![why.into()]);
        self.note(None, from, "session.open", outcome, login);
    }

    fn note(
        &self,
        person: Option<&PersonId>,
        from: SocketAddr,
        what: &'static str,
        outcome: Outcome,
        login: Option<&str>,
    ) {
        let detail = login.map(|login| ("login".to_owned(), login.to_owned()));
        let entry = AuditEntry {
            org: self.board.directory().org.clone(),
            at: clock::now().wall,
            who: Who {
                person: person.cloned(),
                key: None,
                channel: Some(Channel::Web),
                origin: from.to_string(),
            },
            what: what.into(),
            call: None,
            supervision: None,
            outcome,
            detail: detail.into_iter().collect(),
        };
        drop(self.board.house().store.append(entry, Class::Other));
    }

    /// Whose login this is, if the password is right. Counted by where it comes from.
    async fn judged(&self, what: Credentials, by: &Coming) -> Result<Login, SignInRefused> {
        let Credentials { login: name, password } = what;
        let source = Source::of(by.from.ip());
        let device = by.device.as_ref().and_then(|token| self.devices.known(token, &name));
        let asker = device.map_or(Asker::Stranger(source), Asker::Known);
        let now_ms = clock::now().mono.0 / 1_000;
        let wait_ms = self.tries().wait_ms(asker, &name, now_ms);
        if wait_ms > 0 {
            if self.tries().tells(source, now_ms) {
                self.write_refused(by.from, "too_many_tries", None);
            }
            return Err(SignInRefused::TooMany { wait_ms });
        }
        let busy = SignInRefused::TooMany { wait_ms: 1_000 };
        let Some(_turn) = Turn::take(&self.tries, asker) else { return Err(busy) };
        let places = if device.is_some() { &self.waiting_known } else { &self.waiting };
        let Ok(_place) = places.try_acquire() else { return Err(busy) };
        // Counted before the hash, or many at once would all be free.
        self.tries().wrong(asker, &name, now_ms);
        let fits = name.len() <= NAME_MAX_BYTES && password.chars().count() <= PASSWORD_MAX;
        let login = match fits {
            true => self.board.house().store.login(&name).await.map_err(unavailable)?,
            false => None,
        };
        let known = login.filter(|login| self.board.directory().person(&login.person).is_some());
        let login_name = known.as_ref().map(|login| login.name.clone());
        let hash = known.as_ref().map_or(NOBODYS.to_owned(), |login| login.password.clone());
        let right = hashing::verify(hash, if fits { password } else { String::new() }).await;
        match known.filter(|_| right) {
            Some(login) => {
                self.tries().right(asker, &name, now_ms);
                Ok(login)
            }
            None => {
                self.write_refused(by.from, "bad_sign_in", login_name.as_deref());
                Err(SignInRefused::Wrong)
            }
        }
    }

    /// Another session than the one that came along, which ends here (ASVS 7.2.4).
    async fn opened(&self, login: &Login, by: Coming) -> Result<Opened, SignInRefused> {
        let Coming { from, session: before, .. } = by;
        let store = &self.board.house().store;
        let person = &login.person;
        let origin = from.to_string();
        if let Some(token) = before
            && let Some(before) = store.session(&token).await.map_err(unavailable)?
        {
            store.close_session(&before.id).await.map_err(unavailable)?;
            self.board.house().sessions.look();
            self.write(Some(&before.person), from, "session.close");
        }
        let now = clock::now().wall;
        let new = store.open_session(person, &origin, now).await.map_err(unavailable)?;
        // Before anybody can act by it.
        self.board.house().sessions.opened(new.session.id.clone());
        let dir = self.board.directory();
        let signed_in = signed_in(&new.session, &dir, &origin).ok_or(SignInRefused::Wrong)?;
        self.write(Some(person), from, "session.open");
        let device = self.devices.token(&login.name);
        Ok(Opened { signed_in, token: new.token, device })
    }
}

/// One password that is being judged.
struct Turn<'a>(&'a Mutex<Tries>, Asker);

impl<'a> Turn<'a> {
    fn take(tries: &'a Mutex<Tries>, by: Asker) -> Option<Turn<'a>> {
        let entered = tries.lock().unwrap_or_else(PoisonError::into_inner).enter(by);
        entered.then_some(Turn(tries, by))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).leave(self.1);
    }
}

fn signed_in(session: &Session, dir: &Directory, origin: &str) -> Option<SignedIn> {
    let person = dir.person(&session.person)?;
    let actor = Actor {
        person: person.id.clone(),
        name: person.name.clone(),
        key: None,
        session: Some(session.id.clone()),
        channel: Channel::Web,
        origin: origin.into(),
        rights: person.rights.clone(),
    };
    let open = OpenSession { id: session.id.clone(), csrf: session.csrf.clone() };
    Some(SignedIn { actor, session: Some(open) })
}

/// Length alone (NIST SP 800-63B 5.1.1.2): rules about kinds of characters make worse passwords.
pub fn unfit(password: &str) -> Option<&'static str> {
    match password.chars().count() {
        PASSWORD_MIN..=PASSWORD_MAX => None,
        _ => Some("A password has 10 to 200 characters."),
    }
}

pub async fn hashed(password: String) -> Result<String, SignInRefused> {
    if let Some(why) = unfit(&password) {
        return Err(SignInRefused::Unfit(why));
    }
    hashing::hash_beside(password).await.map_err(|error| {
        tracing::error!(%error, "a password could not be hashed");
        SignInRefused::Other(Refusal::because(Reason::Overloaded))
    })
}

fn unavailable(error: StoreError) -> SignInRefused {
    match error {
        // What somebody else has already: said as it is.
        StoreError::Refused(why) => SignInRefused::Other(Refusal::with(Reason::BadRequest, why)),
        error => SignInRefused::Other(away(error)),
    }
}

fn away(error: StoreError) -> Refusal {
    tracing::error!(%error, "the store does not answer");
    Refusal::with(Reason::AuditUnavailable, "the database does not answer")
}

#[async_trait]
impl SignIn for Reception {
    fn welcome(&self, is_local: bool) -> Welcome {
        let demo = self.demo.as_ref().filter(|_| is_local);
        Welcome { first_run: self.first.is_open(), demo: demo.map(DemoPeople::sign_ins) }
    }

    async fn by_cookie(&self, token: &str, origin: &str) -> Result<Option<SignedIn>, Refusal> {
        let store = &self.board.house().store;
        let Some(session) = store.session(token).await.map_err(away)? else { return Ok(None) };
        let now = clock::now().wall;
        let idle = now.0 - session.seen_at.0 > IDLE_MS;
        if idle || now.0 - session.opened_at.0 > LONGEST_MS {
            store.close_session(&session.id).await.map_err(away)?;
            return Ok(None);
        }
        if now.0 - session.seen_at.0 > SEEN_EVERY_MS {
            store.session_seen(&session.id, now).await.map_err(away)?;
        }
        Ok(signed_in(&session, &self.board.directory(), origin))
    }

    async fn open(&self, what: Credentials, by: Coming) -> Result<Opened, SignInRefused> {
        let login = self.judged(what, &by).await?;
        self.opened(&login, by).await
    }

    async fn open_first(&self, what: FirstPerson, by: Coming) -> Result<Opened, SignInRefused> {
        let (first, board) = (self.first.clone(), self.board.clone());
        // A task of its own: a browser that goes away half-way must not use the link up.
        let made = tokio::spawn(async move { first.make(&board, what).await }).await;
        let away = |_| SignInRefused::Other(Refusal::because(Reason::Overloaded));
        let login = made.map_err(away)??;
        self.opened(&login, by).await
    }

    async fn close(&self, who: &SignedIn, everywhere: bool) -> Result<(), Refusal> {
        let store = &self.board.house().store;
        let what = if everywhere { "session.close_all" } else { "session.close" };
        match (&who.session, everywhere) {
            (_, true) => {
                store.close_sessions(&who.actor.person).await.map_err(away)?;
            }
            (Some(session), false) => {
                store.close_session(&session.id).await.map_err(away)?;
            }
            (None, false) => {
                let why = "an API key has no session to close";
                return Err(Refusal::with(Reason::BadRequest, why));
            }
        }
        self.board.house().sessions.look();
        let from = who.actor.origin.parse().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)));
        self.write(Some(&who.actor.person), from, what);
        Ok(())
    }

    async fn change_password(
        &self,
        who: &SignedIn,
        old: String,
        new: String,
        by: Coming,
    ) -> Result<(), SignInRefused> {
        let store = &self.board.house().store;
        let known = store.login_of(&who.actor.person).await.map_err(unavailable)?;
        let Some(known) = known else { return Err(SignInRefused::Wrong) };
        let old = Credentials { login: known.name.clone(), password: old };
        let login = self.judged(old, &by).await?;
        let password = hashed(new).await?;
        let changed = Login { password, changed_at: clock::now().wall, ..login };
        let stays = who.session.as_ref().map(|session| session.id.clone());
        store.put_login(changed, stays).await.map_err(unavailable)?;
        self.board.house().sessions.look();
        self.write(Some(&who.actor.person), by.from, "password.change");
        Ok(())
    }

    async fn me(&self, who: &Actor) -> Result<Me, Refusal> {
        let dir = self.board.directory();
        let login = self.board.house().store.login_of(&who.person).await.map_err(away)?;
        let own = dir.devices.values().filter(|d| d.owner.as_ref() == Some(&who.person));
        let devices = own.map(|device| OwnDevice {
            id: device.id.to_string(),
            name: device.name.clone(),
            uri: device.extension.as_ref().map_or_else(
                || device.contact.as_ref().map(ToString::to_string).unwrap_or_default(),
                |extension| format!("sip:{extension}@undertone"),
            ),
            ready: self.board.is_reachable(device),
        });
        Ok(Me {
            person: who.person.clone(),
            name: who.name.clone(),
            extension: dir.person(&who.person).and_then(|person| person.extension.clone()),
            login: login.map(|login| login.name),
            devices: devices.collect(),
            now: clock::now().wall,
            demo: self.demo.is_some(),
            wrap_up_ms: dir.policy.wrap_up_ms,
            labels: dir.labels.clone(),
            limits: dir.policy.limits,
        })
    }
}
