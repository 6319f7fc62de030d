//! The server put together: store, media, SIP, switchboard, API; and taken apart in order.

use crate::bindings::{self, Keeper};
use crate::clock;
use crate::commands::Desk;
use crate::config::Config;
use crate::door::Gatekeeper;
use crate::figures;
use crate::health::Vitals;
use crate::https::{self, Https};
use crate::ids::Ids;
use crate::live::Hub;
use crate::lock::DataLock;
use crate::pages;
use crate::recover;
use crate::sign_in::{DemoPeople, Devices, FirstLink, Reception};
use crate::switchboard::{self, CallConfig, MediaCounts, Register, Switchboard};
use crate::trunks;
use crate::turn::Turn;
use crate::watch::{self, Watcher};
use anyhow::Context;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use undertone_api::{Door, Places, PlacesConfig};
use undertone_core::id::OrgId;
use undertone_engine::{Engine, EngineConfig};
use undertone_sip::{DoorConfig, RegistrarConfig, Sip, SipConfig};
use undertone_store::{Store, StoreConfig, private, secret};

/// 131 bits.
const LINK_DIGITS: usize = 22;
/// A few that ask for figures now and then.
const METRICS_CONNECTIONS_MAX: usize = 64;
/// How long calls may take to end once they were told to.
const GOODBYE: Duration = Duration::from_secs(5);

/// A running server.
pub struct Server {
    pub http: SocketAddr,
    /// None: plain HTTP, on loopback or behind a proxy.
    pub https: Option<Arc<Https>>,
    pub metrics: Option<SocketAddr>,
    /// The first of the addresses that it listens on for SIP.
    pub sip_addr: SocketAddr,
    pub board: Switchboard,
    pub desk: Arc<Desk>,
    pub engine: Engine,
    pub store: Store,
    pub media: Arc<MediaCounts>,
    /// The token of the one-time link, where nobody can sign in yet.
    pub first_link: Option<String>,
    pub live: Arc<Hub>,
    /// Of the pages' and the API's connections.
    pub places: Arc<Places>,
    sip: Sip,
    serving: Vec<Serving>,
    serving_metrics: Option<Serving>,
    watching: Vec<JoinHandle<()>>,
    /// Told when no registration can change any more; then the last are written.
    keeping: tokio::sync::watch::Sender<bool>,
    kept: JoinHandle<()>,
    /// Held as long as this lives; a kill frees it.
    _lock: DataLock,
}

/// One HTTP listener.
struct Serving {
    local: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    async fn start(addr: SocketAddr, door: Door, router: axum::Router) -> anyhow::Result<Serving> {
        let listener = undertone_api::listen(addr)
            .await
            .with_context(|| format!("cannot listen for HTTP on {addr}"))?;
        let local = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(undertone_api::serve(listener, door, router, until));
        Ok(Serving { local, stop, task })
    }

    async fn stop(self) {
        let _ = self.stop.send(());
        let abort = self.task.abort_handle();
        if tokio::time::timeout(GOODBYE, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// The one organisation of an instance.
pub fn org() -> anyhow::Result<OrgId> {
    OrgId::parse("org1").context("the organisation's id")
}

/// Where the database is.
pub fn store_config(config: &Config) -> StoreConfig {
    match &config.database_url {
        Some(url) => StoreConfig::Postgres { url: url.clone() },
        None => StoreConfig::Sqlite { dir: config.data.clone() },
    }
}

pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    if config.database_url.is_none() {
        make_data_folder(config)?;
    }
    Ok(Store::open(store_config(config), org()?).await?)
}

fn make_data_folder(config: &Config) -> anyhow::Result<()> {
    private::folder(&config.data).context("cannot make the data folder")
}

impl Server {
    /// Starts everything; when this returns, calls and requests are taken.
    pub async fn start(config: &Config) -> anyhow::Result<Server> {
        clock::now();
        let store = open_store(config).await?;
        Self::over(config, store).await
    }

    /// The same over a store that is open already.
    pub async fn over(config: &Config, store: Store) -> anyhow::Result<Server> {
        Self::with_people(config, store, None).await
    }

    /// The same, with the demo's ready sign-ins.
    pub async fn with_people(
        config: &Config,
        store: Store,
        demo: Option<DemoPeople>,
    ) -> anyhow::Result<Server> {
        make_data_folder(config)?;
        let lock = DataLock::take(&config.data)?;
        let node = format!("{}.{}", config.region, config.node);
        let epoch = next_epoch(&config.data)?.max(store.last_epoch(&node).await? + 1);
        let ids = Ids::new(&config.region, &config.node, epoch);
        // Before anybody can ask: a call of an earlier boot is over.
        recover::close_lost(&store, ids.boot()).await?;
        let (register, media) = (Arc::new(Register::default()), Arc::new(MediaCounts::default()));
        let engine = start_engine(config, &register, &media)?;
        let (codes, limits) = (config.tapping_codes.codes(), config.attention.limits());
        let set = watch::Set { codes, limits, wrap_up_ms: config.wrap_up_s * 1_000 };
        let (directory, watcher) = watch::start(store.clone(), set).await?;
        let gatekeeper = Arc::new(Gatekeeper::new(directory.clone(), watcher.accounts()));
        let keeper = Arc::new(Keeper::default());
        let registrar = RegistrarConfig::new(keeper.clone(), bindings::restored(&store).await?);
        let mut door = DoorConfig::new(gatekeeper.clone(), &config.realm);
        door.registrar = Some(registrar);
        let (sip, incoming) =
            Sip::bind(SipConfig { door: Some(door), ..sip_config(config) }).await?;
        let keeping = tokio::sync::watch::Sender::new(false);
        let kept = tokio::spawn(keeper.write(store.clone(), keeping.subscribe()));
        let board = Switchboard::new(
            engine.clone(),
            sip.clone(),
            store.clone(),
            directory,
            ids,
            register.clone(),
            CallConfig { told: config.told(), ring_each: Duration::from_secs(config.ring_each_s) },
        );
        gatekeeper.knows_outside(board.outside());
        let vitals = Vitals::new(config, media.clone());
        let desk = Arc::new(Desk::new(board.clone(), relay(config)?, vitals.clone()));
        let nobody = !store.has_logins().await?;
        let first_link = nobody.then(|| secret(LINK_DIGITS)).transpose()?;
        let devices = Devices::of(&config.data)?;
        let first = FirstLink::of(first_link.clone());
        let reception = Reception::new(board.clone(), devices, first, demo);
        let mut server = Server {
            http: config.http,
            https: None,
            metrics: None,
            sip_addr: sip.local_addr(),
            board: board.clone(),
            desk: desk.clone(),
            engine,
            store,
            media,
            first_link,
            live: Arc::new(Hub::start(desk.clone(), epoch.to_string())),
            places: places(config),
            sip,
            serving: Vec::new(),
            serving_metrics: None,
            watching: watching(watcher, &vitals, &board),
            keeping,
            kept,
            _lock: lock,
        };
        server.serve_pages(config, reception).await?;
        vitals.served(server.https.clone());
        server.serve_metrics(config.metrics).await?;
        tokio::spawn(board.answer_calls(incoming));
        Ok(server)
    }

    async fn serve_pages(&mut self, config: &Config, reception: Reception) -> anyhow::Result<()> {
        self.https = Https::start(config)?.map(Arc::new);
        let served = undertone_api::Served {
            https: config.behind_https || self.https.is_some(),
            names: config.asked_by(),
            proxies: config.http_proxies.clone(),
        };
        let tls = self.https.as_ref().map(|https| https.tls.clone());
        let door = Door { tls, places: self.places.clone(), ..Door::default() };
        let (desk, live) = (self.desk.clone(), self.live.clone());
        let router = undertone_api::router(desk, Arc::new(reception), live, &served);
        let insists = self.https.as_ref().is_some_and(|https| https.is_vouched_for());
        let router = https::insisting(pages::over(router), insists);
        let api = Serving::start(config.http, door, router).await?;
        self.http = api.local;
        self.serving.push(api);
        Ok(())
    }

    /// Puts the figures on this address, or takes them off; if it cannot be had, they stay where
    /// they are.
    pub async fn serve_metrics(&mut self, addr: Option<SocketAddr>) -> anyhow::Result<()> {
        let next = match addr {
            Some(addr) => {
                let router = undertone_api::metrics_router(figures::of(self));
                let few = METRICS_CONNECTIONS_MAX;
                let places = Places::new(PlacesConfig {
                    connections_max: few,
                    connections_of_one_max: few,
                    proxies: Vec::new(),
                });
                Some(Serving::start(addr, Door { places, ..Door::default() }, router).await?)
            }
            None => None,
        };
        self.metrics = next.as_ref().map(|serving| serving.local);
        if let Some(old) = std::mem::replace(&mut self.serving_metrics, next) {
            old.stop().await;
        }
        Ok(())
    }

    /// Where browsers find it: `https://ADDR`, or `http://ADDR`.
    pub fn origin(&self) -> String {
        let scheme = if self.https.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.http)
    }

    pub fn sip(&self) -> &Sip {
        &self.sip
    }

    /// No new calls; live ones may go on for `drain`, then each is ended by BYE; then what waits
    /// for the disk is written, and the last listener closes.
    pub async fn stop(self, drain: Duration) {
        self.board.drain();
        let empty = self.board.house().register.until_empty();
        if tokio::time::timeout(drain, empty).await.is_err() {
            let live = self.board.house().register.live_calls();
            tracing::info!(live, "ending the calls that are left");
        }
        if tokio::time::timeout(GOODBYE, self.board.shut_down()).await.is_err() {
            tracing::warn!("some calls did not end in time");
        }
        self.live.stop();
        futures::future::join_all(
            self.serving.into_iter().chain(self.serving_metrics).map(Serving::stop),
        )
        .await;
        self.sip.shutdown().await;
        self.keeping.send_replace(true);
        if tokio::time::timeout(GOODBYE, self.kept).await.is_err() {
            tracing::warn!("the last registrations were not written");
        }
        for watching in self.watching {
            watching.abort();
        }
        self.store.close().await;
    }
}

/// What looks after this and that as long as the server lives.
fn watching(watcher: Watcher, vitals: &Arc<Vitals>, board: &Switchboard) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(watcher.tell(board.clone())),
        tokio::spawn(trunks::tend(board.clone())),
        tokio::spawn(recover::tell_alive(board.clone())),
        tokio::spawn(switchboard::tidy(board.clone())),
        tokio::spawn(Reception::sweep(board.clone())),
        tokio::spawn(vitals.clone().measure(board.clone())),
    ]
}

fn sip_config(config: &Config) -> SipConfig {
    let first = SocketAddr::new(config.sip.first_ip(), 0);
    SipConfig {
        listen: config.sip.listen(),
        dscp: Some(config.dscp_sip),
        name_servers: config.name_servers.clone(),
        told: config.told(),
        ..SipConfig::new(first)
    }
}

/// Of the pages and the API, by whichever door.
fn places(config: &Config) -> Arc<Places> {
    let proxies = config.http_proxies.clone();
    Places::new(PlacesConfig { proxies, ..PlacesConfig::default() })
}

fn relay(config: &Config) -> anyhow::Result<Option<Turn>> {
    Turn::read(&config.turn, config.turn_secret.as_deref())
        .context("cannot read the file turn_secret")
}

fn start_engine(
    config: &Config,
    register: &Arc<Register>,
    media: &Arc<MediaCounts>,
) -> anyhow::Result<Engine> {
    let (register, media) = (register.clone(), media.clone());
    let on_event = Arc::new(move |bridge, event| register.report(&media, bridge, event));
    let config = EngineConfig {
        threads: config.media_threads,
        rtp_ip: config.rtp.ip,
        ports: config.rtp.ports(),
        also: config.rtp_v6.map(|range| (range.ip, range.ports())),
        dscp: Some(config.dscp_media),
        web: Some(config.browsers.of(config.rtp.ip)),
        ..EngineConfig::default()
    };
    Engine::start(config, on_event).context("cannot start the media threads")
}

/// Counts boots in the data folder: call ids name theirs, so that an old message is known as old.
fn next_epoch(data: &Path) -> anyhow::Result<u64> {
    let (path, fresh) = (data.join("boot"), data.join("boot.new"));
    let last = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse::<u64>().context("the file `boot` holds no number")?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => 0,
        Err(e) => return Err(e).context("cannot read the file `boot`"),
    };
    std::fs::write(&fresh, format!("{}\n", last + 1)).context("cannot write the file `boot`")?;
    std::fs::rename(&fresh, &path).context("cannot write the file `boot`")?;
    Ok(last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_boot_counts_one_up() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(next_epoch(dir.path()).unwrap(), 1);
        assert_eq!(next_epoch(dir.path()).unwrap(), 2);
        std::fs::write(dir.path().join("boot"), "x").unwrap();
        assert!(next_epoch(dir.path()).is_err());
    }
}
