//! The phones' own media engine, shared by any number of them: hands each call's media events to
//! that call.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use undertone_core::id::{BridgeId, LegId};
use undertone_engine::{Engine, EngineConfig, EngineError};
use undertone_media::bridge::BridgeEvent;

/// Media events of one call that wait at most; beyond it they are dropped.
const EVENTS_MAX: usize = 256;

type Listeners = Arc<Mutex<HashMap<BridgeId, mpsc::Sender<BridgeEvent>>>>;

/// A media engine for phones. Cheap to clone.
#[derive(Clone)]
pub struct PhoneEngine {
    engine: Engine,
    listeners: Listeners,
    next: Arc<AtomicU64>,
}

fn lock(listeners: &Listeners) -> MutexGuard<'_, HashMap<BridgeId, mpsc::Sender<BridgeEvent>>> {
    listeners.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PhoneEngine {
    pub fn start(config: EngineConfig) -> io::Result<PhoneEngine> {
        let listeners = Listeners::default();
        let heard = listeners.clone();
        let on_event = move |bridge: BridgeId, event: BridgeEvent| {
            let listener = lock(&heard).get(&bridge).cloned();
            if let Some(listener) = listener {
                // A full queue is a call that nobody follows; the media thread waits for none.
                let _ = listener.try_send(event);
            }
        };
        let engine = Engine::start(config, Arc::new(on_event))?;
        Ok(PhoneEngine { engine, listeners, next: Arc::new(AtomicU64::new(1)) })
    }

    /// For its gauges and moves; the bridges in it belong to the calls.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn open(&self) -> Result<(OpenBridge, mpsc::Receiver<BridgeEvent>), EngineError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (tx, rx) = mpsc::channel(EVENTS_MAX);
        let id = BridgeId(number);
        lock(&self.listeners).insert(id, tx);
        let bridge = OpenBridge { id, leg: LegId(number), of: self.clone() };
        self.engine.open(id, rand::random())?;
        Ok((bridge, rx))
    }
}

/// A bridge that closes when it is dropped.
pub(crate) struct OpenBridge {
    pub(crate) id: BridgeId,
    pub(crate) leg: LegId,
    of: PhoneEngine,
}

impl OpenBridge {
    pub(crate) fn engine(&self) -> &Engine {
        &self.of.engine
    }

    pub(crate) fn close(&self) {
        self.of.engine.close(self.id);
        lock(&self.of.listeners).remove(&self.id);
    }
}

impl Drop for OpenBridge {
    fn drop(&mut self) {
        self.close();
    }
}
