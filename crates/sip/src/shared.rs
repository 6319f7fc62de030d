//! What the endpoints of one `Sip` have together, whichever address a message came to: the
//! dialogs, the door, the count of connections, and the end of everything.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::census::Census;
use crate::dialogs::Dialogs;
use crate::door::Door;
use crate::names::Names;
use crate::types::{Gauges, SipConfig, SipError};

pub(crate) struct Shared {
    pub(crate) config: SipConfig,
    pub(crate) dialogs: Arc<Dialogs>,
    pub(crate) door: Option<Arc<Door>>,
    pub(crate) census: Arc<Census>,
    pub(crate) names: Arc<Names>,
    /// Of dialogs: a shutdown waits for them.
    pub(crate) tasks: TaskTracker,
    /// What only waits for the far end's timers: an ACK, a second 2xx, the answer to a CANCEL.
    pub(crate) lingering: TaskTracker,
    /// Every dialog ends.
    pub(crate) closing: CancellationToken,
    /// Nothing runs any more.
    pub(crate) stop: CancellationToken,
}

impl Shared {
    pub(crate) fn new(config: SipConfig) -> Result<Self, SipError> {
        Ok(Self {
            names: Arc::new(Names::new(&config.name_servers)?),
            door: config.door.clone().map(Door::new).map(Arc::new),
            config,
            dialogs: Arc::default(),
            census: Arc::default(),
            tasks: TaskTracker::new(),
            lingering: TaskTracker::new(),
            closing: CancellationToken::new(),
            stop: CancellationToken::new(),
        })
    }

    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            dialogs: self.dialogs.len(),
            tasks: self.tasks.len() + self.lingering.len(),
            connections: self.census.total(),
            connections_refused: self.census.refused.load(Ordering::Relaxed),
            door: self.door.as_ref().map(|door| door.gauges()).unwrap_or_default(),
            ..Gauges::default()
        }
    }

    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub(crate) async fn shutdown(&self) {
        self.closing.cancel();
        self.tasks.close();
        let limit = Duration::from_millis(self.config.shutdown_ms);
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "dialogs did not all end in time");
        }
        self.stop.cancel();
    }
}
