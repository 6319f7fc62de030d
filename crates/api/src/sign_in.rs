//! What the API asks about who is signed in. The server implements it over its store; a password
//! passes through here once, and is neither kept nor logged.

use async_trait::async_trait;
use std::net::SocketAddr;
use undertone_core::access::Actor;
use undertone_core::id::{PersonId, SessionId};
use undertone_core::labels::Labels;
use undertone_core::policy::Limits;
use undertone_core::refusal::Refusal;
use undertone_core::time::Wall;

/// Who acts, and the session that says so; no session where an API key did.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub actor: Actor,
    pub session: Option<OpenSession>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct OpenSession {
    pub id: SessionId,
    /// What a page must send as `X-Undertone-Csrf` with every change.
    pub csrf: String,
}

impl std::fmt::Debug for OpenSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSession").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A session just opened; the tokens go into cookies and nowhere else.
pub struct Opened {
    pub signed_in: SignedIn,
    pub token: String,
    /// Says that somebody has signed in on this browser; opens nothing.
    pub device: String,
}

/// From where somebody comes to sign in, and what their browser brings along.
#[derive(Clone)]
pub struct Coming {
    pub from: SocketAddr,
    /// The token of a session, which ends where another begins.
    pub session: Option<String>,
    /// What an earlier [`Opened::device`] gave.
    pub device: Option<String>,
}

/// A name and a password as typed in.
pub struct Credentials {
    pub login: String,
    pub password: String,
}

/// The first administrator, with the token of the one-time link.
pub struct FirstPerson {
    pub token: String,
    pub login: String,
    pub name: String,
    pub password: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInRefused {
    /// The name or the password: which of them is not said.
    Wrong,
    TooMany {
        wait_ms: u64,
    },
    /// A new password that will not do, and why, in one sentence.
    Unfit(&'static str),
    /// The one-time link was used, or never was one.
    NoSuchLink,
    Other(Refusal),
}

/// One of the demo's ready sign-ins.
#[derive(Clone, PartialEq, Eq)]
pub struct DemoSignIn {
    pub login: String,
    pub password: String,
    /// `supervisor`, `agent`, `administrator`.
    pub role: &'static str,
    pub name: String,
    pub about: &'static str,
}

/// What the sign-in page needs before anybody is signed in.
#[derive(Clone, Default)]
pub struct Welcome {
    /// Nobody can sign in yet: the one-time link is the way in.
    pub first_run: bool,
    /// In the demo, and asked from this machine.
    pub demo: Option<Vec<DemoSignIn>>,
}

/// A device of the person's own, as `leg: {kind: sip, uri}` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnDevice {
    pub id: String,
    pub name: String,
    pub uri: String,
    /// Whether it could be called now.
    pub ready: bool,
}

/// The signed-in person, and what the page needs to know of the server.
#[derive(Clone, Debug)]
pub struct Me {
    pub person: PersonId,
    pub name: String,
    pub extension: Option<String>,
    pub login: Option<String>,
    pub devices: Vec<OwnDevice>,
    pub now: Wall,
    pub demo: bool,
    pub wrap_up_ms: u64,
    pub labels: Labels,
    pub limits: Limits,
}

#[async_trait]
pub trait SignIn: Send + Sync + 'static {
    /// `is_local`: asked from this machine.
    fn welcome(&self, is_local: bool) -> Welcome;
    /// By the cookie's token. None: it is no session, or no longer.
    async fn by_cookie(&self, token: &str, origin: &str) -> Result<Option<SignedIn>, Refusal>;
    async fn open(&self, what: Credentials, by: Coming) -> Result<Opened, SignInRefused>;
    async fn open_first(&self, what: FirstPerson, by: Coming) -> Result<Opened, SignInRefused>;
    /// This session, or all of the person's.
    async fn close(&self, who: &SignedIn, everywhere: bool) -> Result<(), Refusal>;
    /// All other sessions of the person end.
    async fn change_password(
        &self,
        who: &SignedIn,
        old: String,
        new: String,
        by: Coming,
    ) -> Result<(), SignInRefused>;
    async fn me(&self, who: &Actor) -> Result<Me, Refusal>;
}
