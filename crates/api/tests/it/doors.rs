//! Signing in, in memory: Sue with the password `right`, whose cookie is `cookie`; and a board
//! that tells what a test tells it.

use crate::memory::Memory;
use async_trait::async_trait;
use axum::Router;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot, watch};
use undertone_api::*;
use undertone_core::access::{Actor, Right};
use undertone_core::id::{CallId, PersonId, SessionId};
use undertone_core::refusal::Refusal;
use undertone_core::time::Wall;
use undertone_core::view::Channel;

#[derive(Default)]
pub(crate) struct Doors {
    pub(crate) log: Mutex<Vec<String>>,
    pub(crate) closed: Mutex<bool>,
}

/// The API over commands in memory, with doors of its own.
pub(crate) fn routed(memory: Arc<Memory>) -> Router {
    router(memory, doors(), Arc::new(Board::default()), &Served::default())
}

/// The board's side of one page.
pub(crate) struct Far {
    pub(crate) who: SignedIn,
    pub(crate) how: Beginning,
    pub(crate) told: mpsc::Sender<Told>,
    pub(crate) let_go: oneshot::Sender<LetGo>,
    pub(crate) watched: watch::Receiver<Vec<CallId>>,
}

/// The last page that followed.
#[derive(Default)]
pub(crate) struct Board(pub(crate) Mutex<Option<Far>>);

#[async_trait]
impl LiveBoard for Board {
    async fn follow(&self, who: SignedIn, how: Beginning) -> Result<Follower, Refusal> {
        let (told, receiver) = mpsc::channel(8);
        let (let_go, why) = oneshot::channel();
        let (watched, seen) = watch::channel(Vec::new());
        *self.0.lock().unwrap() = Some(Far { who, how, told, let_go, watched: seen });
        Ok(Follower { heard: Arc::default(), told: receiver, let_go: why, watched })
    }
}

pub(crate) fn doors() -> Arc<Doors> {
    Arc::default()
}

impl Doors {
    fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }

    fn opened(from: SocketAddr) -> Opened {
        let signed_in = Doors::sue(&from.to_string());
        Opened { signed_in, token: "cookie".into(), device: "known".into() }
    }

    fn sue(origin: &str) -> SignedIn {
        SignedIn {
            actor: Actor {
                person: PersonId::parse("sue").unwrap(),
                name: "Sue".into(),
                key: None,
                session: None,
                channel: Channel::Web,
                origin: origin.into(),
                rights: [Right::SeeWallboard, Right::Listen].into(),
            },
            session: Some(OpenSession {
                id: SessionId::parse("ses_1").unwrap(),
                csrf: "word".into(),
            }),
        }
    }
}

#[async_trait]
impl SignIn for Doors {
    fn welcome(&self, is_local: bool) -> Welcome {
        let mia = DemoSignIn {
            login: "mia".into(),
            password: "secret".into(),
            role: "supervisor",
            name: "Mia".into(),
            about: "sees all",
        };
        Welcome { first_run: false, demo: is_local.then(|| vec![mia]) }
    }
    async fn by_cookie(&self, token: &str, origin: &str) -> Result<Option<SignedIn>, Refusal> {
        let there = token == "cookie" && !*self.closed.lock().unwrap();
        Ok(there.then(|| Doors::sue(origin)))
    }
    async fn open(&self, what: Credentials, by: Coming) -> Result<Opened, SignInRefused> {
        let Coming { from, session, device } = by;
        self.note(format!("open {} from {}", what.login, from.ip()));
        for (brought, what) in [(session, "session"), (device, "device")] {
            brought.into_iter().for_each(|token| self.note(format!("with {what} {token}")));
        }
        match (what.login.as_str(), what.password.as_str()) {
            ("sue", "right") => Ok(Doors::opened(from)),
            ("busy", _) => Err(SignInRefused::TooMany { wait_ms: 1_500 }),
            _ => Err(SignInRefused::Wrong),
        }
    }
    async fn open_first(&self, what: FirstPerson, by: Coming) -> Result<Opened, SignInRefused> {
        self.note(format!("first {}", what.login));
        match what.token.as_str() {
            "link" => Ok(Doors::opened(by.from)),
            _ => Err(SignInRefused::NoSuchLink),
        }
    }
    async fn close(&self, _: &SignedIn, everywhere: bool) -> Result<(), Refusal> {
        self.note(format!("close {everywhere}"));
        *self.closed.lock().unwrap() = true;
        Ok(())
    }
    async fn change_password(
        &self,
        _: &SignedIn,
        old: String,
        _: String,
        _: Coming,
    ) -> Result<(), SignInRefused> {
        self.note("change");
        if old == "right" { Ok(()) } else { Err(SignInRefused::Wrong) }
    }
    async fn me(&self, who: &Actor) -> Result<Me, Refusal> {
        Ok(Me {
            person: who.person.clone(),
            name: who.name.clone(),
            extension: Some("2001".into()),
            login: Some("sue".into()),
            devices: Vec::new(),
            now: Wall(1_700_000_000_000),
            demo: false,
            wrap_up_ms: 30_000,
            labels: undertone_core::labels::Labels::parse("sales", [("agent", "rep")]).unwrap(),
            limits: undertone_core::policy::Limits::default(),
        })
    }
}
