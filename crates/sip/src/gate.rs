//! Who may ask for what, as the server tells it: plain data and one trait. What a digest proves is
//! checked by `door`; who has which account is the server's to know.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::digest::Algorithm;
use crate::limits::{Guessing, Rate};
use crate::registrar::{Keep, Stored};

/// A request outside a dialog, before anything is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    pub source: SocketAddr,
    /// Over a connection, not a datagram: the source cannot be forged.
    pub connected: bool,
    pub from_user: String,
    pub to_user: String,
    /// The user part of the Request-URI.
    pub request_user: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Known by its address: let in without a digest, and without a limit.
    Open,
    Challenge,
    /// Let in as nobody, with a stranger's limits: for who refuses strangers himself.
    Nobody,
    /// This code, at once.
    Refuse(u16),
}

/// Which algorithms a challenge offers. Old phones take the first challenge or fail on the second,
/// so both are offered only where an account says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    #[default]
    Md5,
    Sha256,
    /// SHA-256 first (RFC 8760 section 2.4).
    Both,
}

impl Offer {
    pub(crate) fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Offer::Md5 => &[Algorithm::Md5],
            Offer::Sha256 => &[Algorithm::Sha256],
            Offer::Both => &[Algorithm::Sha256, Algorithm::Md5],
        }
    }
}

/// What is known of one user. No password: its hashes for our realm, in hexadecimal.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Account {
    pub user: String,
    pub ha1_md5: Option<String>,
    pub ha1_sha256: Option<String>,
    pub offer: Offer,
    /// Other names that it may have in From: the extensions of its device.
    pub names: Vec<String>,
}

impl Account {
    /// Of what it is offered only: else who likes the weaker one better could choose it.
    pub(crate) fn ha1(&self, algorithm: Algorithm) -> Option<&str> {
        if !self.offer.algorithms().contains(&algorithm) {
            return None;
        }
        match algorithm {
            Algorithm::Md5 => self.ha1_md5.as_deref(),
            Algorithm::Sha256 => self.ha1_sha256.as_deref(),
        }
    }
}

/// Never the hashes.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// The server's answer to every request outside a dialog but ACK and CANCEL. Asked in the path of
/// messages: it must not wait.
pub trait Gate: Send + Sync {
    fn judge(&self, asked: &Asked) -> Access;

    fn account(&self, user: &str) -> Option<Arc<Account>>;

    /// The account that another of its names means, as From may have it: what a first challenge
    /// offers is chosen by it, and nothing else.
    fn account_of_name(&self, name: &str) -> Option<Arc<Account>> {
        let _ = name;
        None
    }

    /// Numbers that meet no limit of other calls.
    fn is_emergency(&self, number: &str) -> bool {
        let _ = number;
        false
    }

    /// What a user who does not exist is offered, so that he looks like one who does: best what
    /// some account has, picked by `seed`, which is the same for the same name.
    fn offer_to_nobody(&self, seed: u64) -> Offer {
        let _ = seed;
        Offer::default()
    }
}

/// How this endpoint guards itself. Without one it takes requests from anybody, as a phone does.
#[derive(Clone)]
pub struct DoorConfig {
    pub gate: Arc<dyn Gate>,
    pub realm: String,
    /// How long a nonce of ours serves.
    pub nonce_s: u32,
    pub guessing: Guessing,
    /// Of a source that is not known by its address.
    pub source_rate: Rate,
    /// Of an account that has authenticated.
    pub account_rate: Rate,
    /// None: REGISTER is refused with 405.
    pub registrar: Option<RegistrarConfig>,
}

impl DoorConfig {
    pub fn new(gate: Arc<dyn Gate>, realm: &str) -> Self {
        Self {
            gate,
            realm: realm.into(),
            nonce_s: 300,
            guessing: Guessing { wrong_max: 10, source_wrong_max: 100, lock_s: 1_800 },
            source_rate: Rate { per_s: 50, at_once: 200 },
            account_rate: Rate { per_s: 10, at_once: 50 },
            registrar: None,
        }
    }
}

impl fmt::Debug for DoorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoorConfig").field("realm", &self.realm).finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub struct RegistrarConfig {
    /// Shorter is refused with 423 (RFC 3261 section 10.3).
    pub expires_min_s: u32,
    /// Longer is cut to this.
    pub expires_max_s: u32,
    /// Of a contact that says nothing.
    pub expires_default_s: u32,
    pub contacts_max: usize,
    /// Told of every change.
    pub keep: Arc<dyn Keep>,
    /// What was kept.
    pub restored: Vec<Stored>,
}

impl RegistrarConfig {
    pub fn new(keep: Arc<dyn Keep>, restored: Vec<Stored>) -> Self {
        Self {
            expires_min_s: 60,
            expires_max_s: 7_200,
            expires_default_s: 3_600,
            contacts_max: 10,
            keep,
            restored,
        }
    }
}
