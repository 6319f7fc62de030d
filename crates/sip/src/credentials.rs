//! What we prove to a far end who we are with: user and secret, and to whom alone it may be shown.
//! The secret never leaves this file but as a digest.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::digest::{Algorithm, Challenge, ha1};

/// Nonces whose counts are remembered; a far end that has more of them at once gets fresh counts.
const NONCES_MAX: usize = 8;
const PEERS_MAX: usize = 32;

/// User and password for one realm of one peer. Clones share what they remember: nonce counts, and
/// the realm and peer if those were left to the first challenge.
#[derive(Clone)]
pub struct Credentials {
    user: String,
    password: String,
    realm: Option<String>,
    /// The peer's addresses. None yet: the address that the first request went to.
    peers: Vec<IpAddr>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    realm: Option<String>,
    /// Nonces and the count last used with each.
    counts: VecDeque<(String, u32)>,
    /// The challenge answered last, for who answers before being asked.
    last: Option<(Challenge, bool)>,
}

impl Credentials {
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            realm: None,
            peers: Vec::new(),
            memory: Arc::default(),
        }
    }

    /// Only for this realm; else for the realm of the first challenge.
    #[must_use]
    pub fn for_realm(mut self, realm: &str) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Only to these addresses.
    #[must_use]
    pub fn for_peers(mut self, peers: impl IntoIterator<Item = IpAddr>) -> Self {
        self.peers = peers.into_iter().take(PEERS_MAX).collect();
        self
    }

    /// To where the request goes, unless that was said before.
    pub(crate) fn bound_to(self, peers: impl IntoIterator<Item = IpAddr>) -> Self {
        if self.peers.is_empty() { self.for_peers(peers) } else { self }
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn is_peer(&self, ip: IpAddr) -> bool {
        self.peers.iter().any(|peer| peer.to_canonical() == ip.to_canonical())
    }

    /// Whether this realm may be answered; the first one pins itself.
    pub(crate) fn is_realm(&self, realm: &str) -> bool {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        match self.realm.as_ref().or(memory.realm.as_ref()) {
            Some(ours) => ours == realm,
            None => {
                memory.realm = Some(realm.into());
                true
            }
        }
    }

    pub(crate) fn ha1(&self, algorithm: Algorithm, realm: &str) -> String {
        ha1(algorithm, &self.user, realm, &self.password)
    }

    /// The next count of a nonce: 1, 2, 3 …
    pub(crate) fn count(&self, nonce: &str) -> u32 {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = memory.counts.iter_mut().find(|(known, _)| known == nonce) {
            *count = count.saturating_add(1);
            return *count;
        }
        if memory.counts.len() == NONCES_MAX {
            memory.counts.pop_front();
        }
        memory.counts.push_back((nonce.into(), 1));
        1
    }

    pub(crate) fn remember(&self, challenge: Challenge, proxy: bool) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.last = Some((challenge, proxy));
    }

    pub(crate) fn last(&self) -> Option<(Challenge, bool)> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).last.clone()
    }
}

/// Never the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}
