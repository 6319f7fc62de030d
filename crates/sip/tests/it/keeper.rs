//! An endpoint with a door: one account, `ana`, and what its registrar keeps.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::timeout;
use undertone_sip::{
    Access, Account, Algorithm, Asked, Binding, DoorConfig, Gate, Incoming, Keep, Offer, Registrar,
    RegistrarConfig, Sip, Stored, ha1,
};

use crate::support::{LIMIT, config};

pub(crate) const REALM: &str = "undertone";
pub(crate) const PASSWORD: &str = "canary-password-7431";

pub(crate) struct House(pub(crate) Offer);

impl Gate for House {
    fn judge(&self, _asked: &Asked) -> Access {
        Access::Challenge
    }

    fn account_of_name(&self, name: &str) -> Option<Arc<Account>> {
        if name == "100" { self.account("ana") } else { None }
    }

    fn account(&self, user: &str) -> Option<Arc<Account>> {
        let hash = |algorithm| Some(ha1(algorithm, "ana", REALM, PASSWORD));
        let ana = Account {
            user: "ana".into(),
            ha1_md5: hash(Algorithm::Md5),
            ha1_sha256: hash(Algorithm::Sha256),
            offer: self.0,
            names: vec!["100".into()],
        };
        (user == "ana").then(|| Arc::new(ana))
    }
}

/// Lets everybody in, and 112 is for help.
pub(crate) struct Open;

impl Gate for Open {
    fn judge(&self, _asked: &Asked) -> Access {
        Access::Open
    }

    fn account(&self, _user: &str) -> Option<Arc<Account>> {
        None
    }

    fn is_emergency(&self, number: &str) -> bool {
        number == "112"
    }
}

/// Every change, newest last.
#[derive(Clone)]
pub(crate) struct Kept(watch::Sender<Vec<Vec<Binding>>>);

impl Keep for Kept {
    fn changed(&self, account: &str, bindings: &[Binding]) {
        assert_eq!(account, "ana");
        self.0.send_modify(|all| all.push(bindings.to_vec()));
    }
}

impl Kept {
    /// Waits for a state of what is kept.
    pub(crate) async fn until(&self, mut test: impl FnMut(&[Vec<Binding>]) -> bool) {
        let mut reader = self.0.subscribe();
        let come = reader.wait_for(|all| test(all));
        timeout(LIMIT, come).await.expect("not kept in time").expect("kept");
    }

    pub(crate) fn last(&self) -> Vec<Stored> {
        let last = self.0.borrow().last().cloned().unwrap_or_default();
        last.into_iter().map(|binding| Stored { account: "ana".into(), binding }).collect()
    }
}

pub(crate) struct Desk {
    pub(crate) sip: Sip,
    pub(crate) incoming: Receiver<Incoming>,
    pub(crate) kept: Kept,
    pub(crate) registrar: Arc<Registrar>,
}

pub(crate) async fn desk(offer: Offer) -> Desk {
    desk_with(offer, Vec::new(), |_| ()).await
}

pub(crate) async fn desk_with(
    offer: Offer,
    restored: Vec<Stored>,
    change: impl FnOnce(&mut DoorConfig),
) -> Desk {
    let kept = Kept(watch::Sender::new(Vec::new()));
    let mut door = DoorConfig::new(Arc::new(House(offer)), REALM);
    let registrar = RegistrarConfig::new(Arc::new(kept.clone()), restored);
    door.registrar = Some(RegistrarConfig { expires_min_s: 1, ..registrar });
    change(&mut door);
    let mut config = config();
    config.door = Some(door);
    let (sip, incoming) = Sip::bind(config).await.unwrap();
    let registrar = sip.registrar().expect("a registrar");
    Desk { sip, incoming, kept, registrar }
}

pub(crate) fn at(addr: SocketAddr) -> undertone_sip::Target {
    undertone_sip::Target { addr, transport: undertone_sip::Transport::Udp }
}
