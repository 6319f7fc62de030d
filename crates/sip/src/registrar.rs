//! Where accounts can be reached (RFC 3261 section 10.3, RFC 3327, the binding rules of RFC 5626):
//! what a REGISTER changes, what is left, what is told back. Who may ask is `door`'s; where the
//! bindings are kept is the server's.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::contact::{self, Given};
use crate::door::wall_ms;
use crate::gate::RegistrarConfig;
use crate::types::{FlowId, Transport};

/// One place at which an account can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The URI that the phone gave, for the Request-URI.
    pub contact: String,
    /// Preference in thousandths (RFC 3261 section 20.10).
    pub q_thousandths: u16,
    /// Routes to it, the first hop first (RFC 3327).
    pub path: Vec<String>,
    /// Where its REGISTER came from: there it is reached, whatever stands in its URI, so that a
    /// phone behind a NAT rings and nobody can have us call a third party.
    pub target: SocketAddr,
    pub transport: Transport,
    /// The connection it came over; the binding goes with it.
    pub flow: Option<FlowId>,
    /// Milliseconds since 1970.
    pub expires_at_ms: u64,
    pub call_id: String,
    pub cseq: u32,
    /// `+sip.instance` and `reg-id` as the phone wrote them, told back to it.
    pub instance: String,
}

/// A binding as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub account: String,
    pub binding: Binding,
}

/// Told of every change, in order, with all that an account has now. Must not wait.
pub trait Keep: Send + Sync {
    fn changed(&self, account: &str, bindings: &[Binding]);
}

/// What a REGISTER asks for.
pub(crate) struct Wanted {
    pub(crate) call_id: String,
    pub(crate) cseq: u32,
    /// The values of all Contact headers; none asks what there is.
    pub(crate) contacts: Vec<String>,
    /// The Expires header.
    pub(crate) expires: Option<u32>,
    pub(crate) path: Vec<String>,
    pub(crate) source: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) flow: Option<FlowId>,
}

/// Why nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unchanged {
    /// 400.
    Malformed,
    /// 423, with the least that is taken.
    TooBrief(u32),
    /// 500: it came after one that was sent later.
    OutOfOrder,
}

pub struct Registrar {
    config: RegistrarConfig,
    accounts: Mutex<HashMap<String, Vec<Binding>>>,
}

impl Registrar {
    pub(crate) fn new(mut config: RegistrarConfig, now_ms: u64) -> Self {
        let mut accounts: HashMap<String, Vec<Binding>> = HashMap::new();
        for Stored { account, mut binding } in std::mem::take(&mut config.restored) {
            if binding.expires_at_ms <= now_ms {
                continue;
            }
            // Its connection is gone: it can be reached only if it can be connected to, itself.
            if binding.transport == Transport::Tcp {
                let own = |addr: &SocketAddr| addr.ip() == binding.target.ip();
                let Some(addr) = contact::address(&binding.contact).filter(own) else { continue };
                (binding.target, binding.flow) = (addr, None);
            }
            accounts.entry(account).or_default().push(binding);
        }
        Self { config, accounts: Mutex::new(accounts) }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Vec<Binding>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where an account can be reached now, what it prefers first.
    pub fn bindings(&self, account: &str) -> Vec<Binding> {
        self.bindings_at(account, wall_ms())
    }

    fn bindings_at(&self, account: &str, now_ms: u64) -> Vec<Binding> {
        let found = self.accounts().get(account).cloned().unwrap_or_default();
        let mut live: Vec<_> = found.into_iter().filter(|b| b.expires_at_ms > now_ms).collect();
        live.sort_by_key(|b| (u16::MAX - b.q_thousandths, u64::MAX - b.expires_at_ms));
        live
    }

    /// Accounts that can be reached somewhere.
    pub fn registered(&self) -> usize {
        let now_ms = wall_ms();
        let live = |bindings: &&Vec<Binding>| bindings.iter().any(|b| b.expires_at_ms > now_ms);
        self.accounts().values().filter(live).count()
    }

    /// What came over a connection cannot be reached once that is gone (RFC 5626 section 5.3).
    pub(crate) fn flow_closed(&self, flow: FlowId) {
        self.forget(|binding| binding.flow == Some(flow));
    }

    /// Connections that registrations came by.
    pub(crate) fn flows(&self) -> HashSet<FlowId> {
        self.accounts().values().flatten().filter_map(|binding| binding.flow).collect()
    }

    pub(crate) fn has_flow(&self, flow: FlowId) -> bool {
        self.accounts().values().flatten().any(|binding| binding.flow == Some(flow))
    }

    /// Takes out what has run out; asked now and then, so that the table does not keep it.
    pub(crate) fn expire(&self, now_ms: u64) {
        self.forget(|binding| binding.expires_at_ms <= now_ms);
    }

    fn forget(&self, gone: impl Fn(&Binding) -> bool) {
        let mut accounts = self.accounts();
        accounts.retain(|account, bindings| {
            let before = bindings.len();
            bindings.retain(|binding| !gone(binding));
            if bindings.len() != before {
                self.config.keep.changed(account, bindings);
            }
            !bindings.is_empty()
        });
    }

    /// Carries out a REGISTER as a whole or not at all; gives what the account has then.
    pub(crate) fn register(
        &self,
        account: &str,
        wanted: &Wanted,
        now_ms: u64,
    ) -> Result<Vec<Binding>, Unchanged> {
        if !wanted.contacts.is_empty() {
            let mut accounts = self.accounts();
            let mut bindings = accounts.get(account).cloned().unwrap_or_default();
            bindings.retain(|binding| binding.expires_at_ms > now_ms);
            self.apply(&mut bindings, wanted, now_ms)?;
            self.config.keep.changed(account, &bindings);
            if bindings.is_empty() {
                accounts.remove(account);
            } else {
                accounts.insert(account.to_owned(), bindings);
            }
        }
        Ok(self.bindings_at(account, now_ms))
    }

    fn apply(
        &self,
        bindings: &mut Vec<Binding>,
        wanted: &Wanted,
        now_ms: u64,
    ) -> Result<(), Unchanged> {
        let late = |b: &Binding| b.call_id == wanted.call_id && wanted.cseq <= b.cseq;
        let given = contact::read_all(&wanted.contacts).ok_or(Unchanged::Malformed)?;
        let Some(given) = given else {
            // `*`: all of them, and only so (section 10.2.2).
            if wanted.expires != Some(0) {
                return Err(Unchanged::Malformed);
            }
            if bindings.iter().any(late) {
                return Err(Unchanged::OutOfOrder);
            }
            bindings.clear();
            return Ok(());
        };
        if given.len() > self.config.contacts_max {
            return Err(Unchanged::Malformed);
        }
        for one in given {
            let expires_s = self.expires_of(&one, wanted.expires)?;
            let at = bindings.iter().position(|b| {
                let same = |x: &str| !x.is_empty() && x == b.instance;
                same(&one.instance) || contact::same(&b.contact, &one.uri)
            });
            if at.is_some_and(|at| late(&bindings[at])) {
                return Err(Unchanged::OutOfOrder);
            }
            if let Some(at) = at {
                bindings.remove(at);
            }
            // A connection that has gone already leads nowhere; what it takes away is taken.
            let lost = wanted.transport == Transport::Tcp && wanted.flow.is_none();
            if expires_s > 0 && !lost {
                self.make_room(bindings);
                bindings.push(bound(one, wanted, now_ms + u64::from(expires_s) * 1_000));
            }
        }
        Ok(())
    }

    fn expires_of(&self, one: &Given, header: Option<u32>) -> Result<u32, Unchanged> {
        let asked = one.expires.or(header).unwrap_or(self.config.expires_default_s);
        if asked > 0 && asked < self.config.expires_min_s {
            return Err(Unchanged::TooBrief(self.config.expires_min_s));
        }
        Ok(asked.min(self.config.expires_max_s))
    }

    /// A phone that comes back again and again from other ports is not shut out by its own past:
    /// what has been refreshed least lately goes.
    fn make_room(&self, bindings: &mut Vec<Binding>) {
        while bindings.len() >= self.config.contacts_max.max(1) {
            let oldest = bindings.iter().enumerate().min_by_key(|(_, b)| b.expires_at_ms);
            let Some((at, _)) = oldest else { return };
            bindings.remove(at);
        }
    }
}

fn bound(one: Given, wanted: &Wanted, expires_at_ms: u64) -> Binding {
    Binding {
        contact: one.uri,
        q_thousandths: one.q_thousandths,
        path: wanted.path.clone(),
        target: wanted.source,
        transport: wanted.transport,
        flow: wanted.flow,
        expires_at_ms,
        call_id: wanted.call_id.clone(),
        cseq: wanted.cseq,
        instance: one.instance,
    }
}

/// For an endpoint whose bindings need not outlive it.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepNothing;

impl Keep for KeepNothing {
    fn changed(&self, _account: &str, _bindings: &[Binding]) {}
}

impl RegistrarConfig {
    /// Bindings that end with the endpoint.
    pub fn forgetful() -> Self {
        Self::new(Arc::new(KeepNothing), Vec::new())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "registrar_test.rs"]
mod tests;
