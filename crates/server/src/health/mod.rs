//! How this server is, for an administrator's page: each part as it measures itself anyway, with
//! what is well, what somebody may want to know, and what is broken. Repairs nothing; what a phone
//! outside would find is the doctor's.

mod chain;
mod lately;
mod parts;

use crate::config::{Config, RtpRange};
use crate::https::Https;
use crate::switchboard::{MediaCounts, Switchboard};
use chain::Chain;
use lately::Lately;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;
use undertone_api::{Health, HealthItem, HealthState};

const MEASURE_EVERY: Duration = Duration::from_secs(10);

/// What is looked at, and what was seen lately.
pub struct Vitals {
    started: Instant,
    media: Arc<MediaCounts>,
    rtp: Vec<RtpRange>,
    data: PathBuf,
    https: OnceLock<Option<Arc<Https>>>,
    lately: Mutex<Lately>,
    chain: Arc<Mutex<Chain>>,
}

impl Vitals {
    pub fn new(config: &Config, media: Arc<MediaCounts>) -> Arc<Vitals> {
        Arc::new(Vitals {
            started: Instant::now(),
            media,
            rtp: [Some(config.rtp), config.rtp_v6].into_iter().flatten().collect(),
            data: config.data.clone(),
            https: OnceLock::new(),
            lately: Mutex::default(),
            chain: Arc::default(),
        })
    }

    /// How browsers reach it, once that is known.
    pub fn served(&self, https: Option<Arc<Https>>) {
        let _ = self.https.set(https);
    }

    /// Measures on, until dropped.
    pub async fn measure(self: Arc<Self>, board: Switchboard) {
        let mut every = tokio::time::interval(MEASURE_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            self.lately().note(Instant::now(), board.house().engine.gauges());
        }
    }

    pub(crate) async fn look(&self, board: &Switchboard) -> Health {
        let house = board.house();
        let gauges = house.engine.gauges();
        let mut items = vec![
            item("version", HealthState::Ok, env!("CARGO_PKG_VERSION"), ""),
            self.uptime(board),
            parts::database(&house.store).await,
            self.audit_chain(board),
            self.disk_free(),
            parts::clock(&house.store).await,
            parts::open_files(),
            self.media_threads(&gauges),
            self.rtp_ports(&gauges),
            parts::sip_listeners(&house.sip),
        ];
        items.extend(parts::trunks(board));
        items.push(parts::certificate(self.https.get().and_then(Option::as_ref)));
        items.push(self.privacy_alarms());
        let calls = house.register.live_calls();
        items.push(item("live_calls", HealthState::Ok, calls.to_string(), ""));
        let sessions = house.sessions.known().len();
        items.push(item("http_sessions", HealthState::Ok, sessions.to_string(), ""));
        Health { at: crate::clock::now().wall, items }
    }
}

fn item(
    id: &'static str,
    state: HealthState,
    value: impl Into<String>,
    detail: impl Into<String>,
) -> HealthItem {
    let (value, detail) = (value.into(), detail.into());
    HealthItem { id, state, value, detail, counts: BTreeMap::new() }
}
