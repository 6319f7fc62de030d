//! Who may ask what of us by SIP: the directory and its accounts as the SIP side's gate wants
//! them. Whom a call is from, and where it leads, is core's.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;
use undertone_core::directory::Directory;
use undertone_sip::{Access, Account, Algorithm, Asked, Gate, Offer, is_ha1};
use undertone_store::Account as Kept;

/// Every account by its user, as it is asked for with each request.
#[derive(Default)]
pub struct Accounts {
    by_user: HashMap<String, Arc<Account>>,
    /// And by each extension of its device.
    by_name: HashMap<String, Arc<Account>>,
    /// What each offers: a user that there is not is offered what one of them is.
    offers: Vec<Offer>,
}

impl Accounts {
    /// An account of no device proves nothing and is left out.
    pub fn new(kept: Vec<Kept>, dir: &Directory) -> Self {
        let mut accounts = Self::default();
        for kept in kept {
            let Some(device) = dir.device_of_account(&kept.name) else { continue };
            let of_owner = dir.owner(&device.id).and_then(|person| person.extension.clone());
            let names = [device.extension.clone(), of_owner, Some(device.id.to_string())];
            let offer = offer_of(&kept.offers);
            accounts.offers.push(offer);
            let account = Account {
                user: kept.name.clone(),
                ha1_md5: kept.ha1_md5.filter(|hash| is_ha1(Algorithm::Md5, hash)),
                ha1_sha256: kept.ha1_sha256.filter(|hash| is_ha1(Algorithm::Sha256, hash)),
                offer,
                names: names.into_iter().flatten().collect(),
            };
            let account = Arc::new(account);
            for name in &account.names {
                accounts.by_name.insert(name.clone(), account.clone());
            }
            accounts.by_user.insert(kept.name, account);
        }
        accounts
    }
}

/// As it is kept; what is not known is what every phone knows.
pub fn offer_of(text: &str) -> Offer {
    match text {
        "sha-256" => Offer::Sha256,
        "both" => Offer::Both,
        _ => Offer::Md5,
    }
}

/// Whether a source, or the number it calls, is a trunk's that only the running server knows.
type Outside = Box<dyn Fn(&Asked) -> bool + Send + Sync>;

pub struct Gatekeeper {
    directory: watch::Receiver<Arc<Directory>>,
    accounts: watch::Receiver<Arc<Accounts>>,
    outside: OnceLock<Outside>,
}

impl Gatekeeper {
    pub fn new(
        directory: watch::Receiver<Arc<Directory>>,
        accounts: watch::Receiver<Arc<Accounts>>,
    ) -> Self {
        Self { directory, accounts, outside: OnceLock::new() }
    }

    /// Trunks that were found by name, or that we registered with, are known by this.
    pub fn knows_outside(&self, test: impl Fn(&Asked) -> bool + Send + Sync + 'static) {
        let _ = self.outside.set(Box::new(test));
    }

    fn is_known(&self, asked: &Asked) -> bool {
        // Not a guard: what asks the outside locks on, and a change of the directory waits between.
        let dir = self.directory.borrow().clone();
        let source = if asked.connected { dir.over_connection(asked.source) } else { asked.source };
        let mut here = dir.devices_at(source);
        here.any(|device| device.account.is_none())
            || dir.trunk_at(source).is_some()
            || self.outside.get().is_some_and(|is_known| is_known(asked))
    }
}

impl Gate for Gatekeeper {
    fn judge(&self, asked: &Asked) -> Access {
        if self.is_known(asked) {
            return Access::Open;
        }
        // Where nobody can prove who he is there is nothing to ask for: core refuses strangers,
        // and writes that down.
        let nobody = self.accounts.borrow().by_user.is_empty();
        if nobody { Access::Nobody } else { Access::Challenge }
    }

    fn account(&self, user: &str) -> Option<Arc<Account>> {
        self.accounts.borrow().by_user.get(user).cloned()
    }

    fn account_of_name(&self, name: &str) -> Option<Arc<Account>> {
        self.accounts.borrow().by_name.get(name).cloned()
    }

    fn is_emergency(&self, number: &str) -> bool {
        self.directory.borrow().is_emergency(number)
    }

    fn offer_to_nobody(&self, seed: u64) -> Offer {
        let accounts = self.accounts.borrow();
        let count = accounts.offers.len() as u64;
        let at = seed.checked_rem(count).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| accounts.offers.get(at).copied()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Barrier, mpsc};
    use std::time::Duration;
    use undertone_core::id::OrgId;

    fn a_request() -> Asked {
        Asked {
            method: "INVITE".into(),
            source: "192.0.2.1:5060".parse().expect("an address"),
            connected: false,
            from_user: "1001".into(),
            to_user: "1002".into(),
            request_user: "1002".into(),
        }
    }

    #[test]
    fn the_directory_can_change_while_the_outside_is_asked() {
        let org = OrgId::parse("o").expect("an id");
        let (changes, directory) = watch::channel(Arc::new(Directory::empty(org.clone())));
        let gate = Gatekeeper::new(directory, watch::channel(Arc::default()).1);
        let (ask, asked) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (begin, begun) = (ask.clone(), asked.clone());
        gate.knows_outside(move |_| {
            begin.wait();
            begun.wait();
            true
        });
        let (done, changed) = mpsc::sync_channel(1);
        let asking = std::thread::spawn(move || gate.judge(&a_request()));
        ask.wait();
        std::thread::spawn(move || {
            changes.send_replace(Arc::new(Directory::empty(org)));
            done.send(())
        });
        let in_time = changed.recv_timeout(Duration::from_secs(5));
        asked.wait();
        in_time.expect("the change waited for who asked");
        assert_eq!(asking.join().expect("it was asked"), Access::Open);
    }
}
