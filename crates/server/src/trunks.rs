//! What keeps each trunk's state: its names are looked up as often as their zones ask, its places
//! are asked by OPTIONS, and we are registered with it. What is learnt goes into core's `Traffic`;
//! what it means, core says.

use crate::switchboard::Switchboard;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::task::{AbortHandle, JoinSet};
use undertone_core::contact::{Host, Place, Wire};
use undertone_core::id::TrunkId;
use undertone_core::time::Mono;
use undertone_core::trunk::{Login, Secret, Trunk};
use undertone_sip::{
    Credentials, LookupError, PeerState, PeerWatch, Registered, Registration, RegistrationState,
    Target, Transport, Watched,
};

/// What was not found is looked up again after this.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(15);
/// Not more often than this, however short the zone's time to live is.
const LOOK_UP_LEAST: Duration = Duration::from_secs(1);

/// One trunk's tasks; they end, and what they learnt is forgotten, with this.
struct Tending {
    board: Switchboard,
    trunk: TrunkId,
    task: AbortHandle,
}

impl Drop for Tending {
    fn drop(&mut self) {
        self.task.abort();
        self.board.house().exchange.forget(&self.trunk);
    }
}

/// Follows the directory: what is new is tended, what changed is tended anew.
pub async fn tend(board: Switchboard) {
    let mut directory = board.house().directory.clone();
    let mut tended: BTreeMap<TrunkId, (Trunk, Tending)> = BTreeMap::new();
    loop {
        let dir = directory.borrow_and_update().clone();
        tended.retain(|id, (known, _)| dir.trunk(id) == Some(known));
        for trunk in dir.trunks.values() {
            tended.entry(trunk.id.clone()).or_insert_with(|| {
                let (board, id) = (board.clone(), trunk.id.clone());
                let task = tokio::spawn(tend_one(board.clone(), trunk.clone())).abort_handle();
                (trunk.clone(), Tending { board, trunk: id, task })
            });
        }
        if directory.changed().await.is_err() {
            return;
        }
    }
}

/// Until it is aborted. Its own tasks go with it.
async fn tend_one(board: Switchboard, trunk: Trunk) {
    let mut names = Names::default();
    let mut begun: Option<BTreeSet<Place>> = None;
    let mut tasks = JoinSet::new();
    loop {
        let (ways, again) = names.look_up(&board, &trunk).await;
        // In whichever order they came: a zone's weights change it each time.
        let all = ways.iter().cloned().collect();
        if begun.as_ref() != Some(&all) {
            tasks.shutdown().await;
            begin(&board, &trunk, &ways, &mut tasks);
            begun = Some(all);
        }
        match again {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            // Addresses stay what they are; the tasks live as long as this one.
            None => std::future::pending().await,
        }
    }
}

/// What the names of one trunk were last found to be.
#[derive(Default)]
struct Names(BTreeMap<Place, Vec<Place>>);

impl Names {
    /// Every address of the trunk, in order, and when to look again; None if none is a name.
    async fn look_up(
        &mut self,
        board: &Switchboard,
        trunk: &Trunk,
    ) -> (Vec<Place>, Option<Instant>) {
        let (mut ways, mut again) = (Vec::new(), None);
        for place in &trunk.places {
            let Host::Name(name) = &place.host else {
                ways.push(place.clone());
                continue;
            };
            let house = board.house();
            let wire = place.wire.map(|wire| transport(Some(wire)));
            let now = Instant::now();
            let until = match house.sip.look_up(name, place.port, wire).await {
                Ok(found) => {
                    let found_at = found.targets.into_iter().map(place_of).collect();
                    self.0.insert(place.clone(), found_at);
                    found.valid_until.max(now + LOOK_UP_LEAST)
                }
                Err(error) => {
                    tracing::warn!(trunk = %trunk.id, %error, "a trunk's name leads nowhere");
                    // Where only the name servers are away, the trunk need not be.
                    if !matches!(error, LookupError::NoServer(_)) {
                        self.0.remove(place);
                    }
                    now + LOOK_UP_AGAIN
                }
            };
            again = Some(again.map_or(until, |again: Instant| again.min(until)));
            let found = self.0.get(place).cloned().unwrap_or_default();
            house.exchange.traffic().found(&trunk.id, place, found.clone());
            ways.extend(found);
        }
        (ways, again)
    }
}

fn place_of(target: Target) -> Place {
    let wire = (target.transport == Transport::Tcp).then_some(Wire::Tcp);
    Place { host: Host::Addr(target.addr.ip()), port: Some(target.addr.port()), wire }
}

fn begin(board: &Switchboard, trunk: &Trunk, ways: &[Place], tasks: &mut JoinSet<()>) {
    let targets: Vec<_> = ways.iter().filter_map(target).collect();
    let sip = &board.house().sip;
    if trunk.ping_s > 0 {
        for (place, target) in ways.iter().zip(&targets) {
            let every = Duration::from_secs(u64::from(trunk.ping_s));
            let what = PeerWatch { uri: format!("sip:{place}"), target: *target, every };
            match sip.watch_peer(what) {
                Ok(watched) => {
                    let (board, id, place) = (board.clone(), trunk.id.clone(), place.clone());
                    tasks.spawn(watch(board, id, place, watched));
                }
                Err(error) => tracing::warn!(trunk = %trunk.id, %error, "cannot ask by OPTIONS"),
            }
        }
    }
    let Some(login) = &trunk.login else { return };
    let Some(password) = read(trunk, &login.password) else { return };
    let peers = targets.iter().map(|target| target.addr.ip());
    let mut credentials = Credentials::new(&login.user, &password).for_peers(peers);
    if let Some(realm) = &login.realm {
        credentials = credentials.for_realm(realm);
    }
    board.house().exchange.log_in(&trunk.id, credentials.clone());
    if login.register {
        register(board, trunk, login, credentials, targets, tasks);
    }
}

/// The user of our contact there is nobody's to guess: calls that name it are this trunk's.
fn register(
    board: &Switchboard,
    trunk: &Trunk,
    login: &Login,
    credentials: Credentials,
    targets: Vec<Target>,
    tasks: &mut JoinSet<()>,
) {
    let Some(place) = trunk.places.first() else { return };
    let host = Place { port: None, wire: None, ..place.clone() };
    let contact_user = format!("t{:032x}", rand::random::<u128>());
    let what = Registration {
        registrar_uri: format!("sip:{host}"),
        targets,
        aor_uri: format!("sip:{}@{host}", login.user),
        contact_user: contact_user.clone(),
        credentials: Some(credentials),
        expires_s: login.expires_s,
        q_thousandths: None,
    };
    match board.house().sip.register(what) {
        Ok(registered) => {
            board.house().exchange.traffic().register(&contact_user, Some(trunk.id.clone()));
            let contact = OurContact { board: board.clone(), user: contact_user };
            tasks.spawn(stay(board.clone(), trunk.id.clone(), registered, contact));
        }
        Err(error) => tracing::warn!(trunk = %trunk.id, %error, "cannot register"),
    }
}

/// The user of a contact of ours; calls that name it are nobody's once this has gone.
struct OurContact {
    board: Switchboard,
    user: String,
}

impl Drop for OurContact {
    fn drop(&mut self) {
        self.board.house().exchange.traffic().register(&self.user, None);
    }
}

async fn stay(board: Switchboard, trunk: TrunkId, registered: Registered, _contact: OurContact) {
    let mut state = registered.state();
    loop {
        let now = *state.borrow_and_update();
        let is_there = matches!(now, RegistrationState::Registered { .. });
        if board.house().exchange.note_registered(&trunk, is_there) != is_there {
            tracing::info!(%trunk, state = ?now, "registration with a trunk");
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// What is down stays so until it answers.
async fn watch(board: Switchboard, trunk: TrunkId, place: Place, watched: Watched) {
    let mut state = watched.state();
    loop {
        let bad = match *state.borrow_and_update() {
            PeerState::Unknown => None,
            PeerState::Up => Some(None),
            PeerState::Down => Some(Some(Mono(u64::MAX))),
        };
        if let Some(bad) = bad {
            let up = bad.is_none();
            tracing::info!(%trunk, %place, up, "a trunk's address");
            board.house().exchange.traffic().note(&trunk, &place, bad);
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

fn target(place: &Place) -> Option<Target> {
    Some(Target { addr: place.address()?, transport: transport(place.wire) })
}

pub fn transport(wire: Option<Wire>) -> Transport {
    match wire {
        Some(Wire::Tcp) => Transport::Tcp,
        Some(Wire::Udp) | None => Transport::Udp,
    }
}

fn read(trunk: &Trunk, secret: &Secret) -> Option<String> {
    let found = match secret {
        Secret::Env(name) => std::env::var(name).ok(),
        Secret::File(path) => std::fs::read_to_string(path).ok(),
    };
    if found.is_none() {
        tracing::error!(trunk = %trunk.id, ?secret, "a trunk's password is not where it should be");
    }
    found.map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
}
