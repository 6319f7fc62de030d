//! The switchboard: one task a call, and the way from a name to that task. It carries what core
//! asks for to SIP, engine and store, and their ends back as inputs. Decides nothing.

mod alone;
mod arriving;
mod asking;
mod browser_news;
mod browser_seats;
mod browsers;
mod caller;
mod counts;
mod dialling;
mod exchange;
mod legs;
mod moving;
mod news;
mod noting;
mod offers;
mod page_rings;
mod pins;
mod preference;
mod register;
mod replacing;
mod sockets;
mod sound;
mod tapping;
mod task;
mod transferring;
mod turned_away;

pub use asking::{Joined, Sounding, supervision_in};
pub use browsers::{Connection, PhoneAsked, PhoneSeen};
pub use counts::{ByReason, Counts};
pub use exchange::{Exchange, dialled, tidy};
pub use news::MediaCounts;
pub use page_rings::PageSays;
pub use register::{CallHandle, Register};
pub use turned_away::Strangers;

use crate::clock;
use crate::floor::FloorTask;
use crate::ids::Ids;
use crate::live::{Dirty, Pages};
use crate::sessions::OpenSessions;
use futures::future::join_all;
use pins::Pins;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use undertone_core::call::{Call, Input, NewCall, Written};
use undertone_core::directory::{Device, Directory};
use undertone_core::floor::present_call;
use undertone_core::id::{CallId, KeyId, PersonId, SessionId};
use undertone_core::refusal::{Reason, Refusal};
use undertone_engine::Engine;
use undertone_sdp::Told;
use undertone_sip::{DialogEvent, Incoming, Sip};
use undertone_store::Store;

pub use task::Message;

/// Messages that may wait for one call. Media threads never wait for room: what does not fit is
/// counted, and the deadline that core set speaks instead.
const CALL_QUEUE: usize = 512;
/// All calls are told of lost rights within a second; one that takes nothing holds up no other.
const TOLD_WITHIN: Duration = Duration::from_millis(300);
/// Prompts and replies that may wait for a page to take them.
const WRITTEN_MAX: usize = 256;

/// What every call's task works with.
pub struct House {
    pub engine: Engine,
    pub sip: Sip,
    pub store: Store,
    pub floor: FloorTask,
    pub directory: watch::Receiver<Arc<Directory>>,
    pub ids: Ids,
    pub register: Arc<Register>,
    pub counts: Counts,
    /// Which of our addresses each side is told.
    pub told: Told,
    /// How long phones that are preferred more ring before the others do.
    pub ring_each: Duration,
    pub exchange: Exchange,
    /// What the live board has not looked at yet.
    pub dirty: Arc<Dirty>,
    /// Through which people see and steer.
    pub pages: Arc<Pages>,
    /// What is written between supervisors and agents, to their pages.
    pub written: broadcast::Sender<Arc<Written>>,
    /// By which people act on the pages.
    pub sessions: OpenSessions,
    strangers: Strangers,
    pins: Pins,
    /// Callers who are answered and on no call.
    alone: Arc<Semaphore>,
    draining: AtomicBool,
}

#[derive(Clone)]
pub struct Switchboard {
    house: Arc<House>,
}

/// What of the configuration calls need.
pub struct CallConfig {
    /// Which of our addresses each side is told.
    pub told: Told,
    /// How long phones that are preferred more ring before the others do.
    pub ring_each: Duration,
}

impl Switchboard {
    pub fn new(
        engine: Engine,
        sip: Sip,
        store: Store,
        directory: watch::Receiver<Arc<Directory>>,
        ids: Ids,
        register: Arc<Register>,
        config: CallConfig,
    ) -> Self {
        let CallConfig { told, ring_each } = config;
        let dirty = Arc::new(Dirty::default());
        let floor = FloorTask::start(directory.clone(), dirty.clone());
        let house = House {
            engine,
            sip,
            store,
            floor,
            directory,
            ids,
            register,
            counts: Counts::default(),
            told,
            ring_each,
            exchange: Exchange::default(),
            dirty,
            pages: Arc::default(),
            written: broadcast::Sender::new(WRITTEN_MAX),
            sessions: OpenSessions::default(),
            strangers: Strangers::default(),
            pins: Pins::default(),
            alone: Arc::new(Semaphore::new(alone::ALONE_MAX)),
            draining: AtomicBool::new(false),
        };
        Self { house: Arc::new(house) }
    }

    pub fn house(&self) -> &House {
        &self.house
    }

    /// Whether a request is a trunk's that was found by name, or that we registered with.
    pub fn outside(&self) -> impl Fn(&undertone_sip::Asked) -> bool + Send + Sync + 'static {
        // Not the house itself: it holds the SIP endpoint that will hold this.
        let house = Arc::downgrade(&self.house);
        move |asked| {
            let Some(house) = house.upgrade() else { return false };
            let traffic = house.exchange.traffic();
            traffic.found_at(asked.source).is_some()
                || traffic.registered(&asked.request_user).is_some()
        }
    }

    /// The snapshot of this moment.
    pub fn directory(&self) -> Arc<Directory> {
        self.house.directory.borrow().clone()
    }

    /// Whether there is anywhere to call this device.
    pub fn is_reachable(&self, device: &Device) -> bool {
        let registered = device.account.as_deref().zip(self.house.sip.registrar());
        device.contact.is_some()
            || registered.is_some_and(|(account, at)| !at.bindings(account).is_empty())
    }

    pub fn is_draining(&self) -> bool {
        self.house.draining.load(Ordering::Relaxed)
    }

    /// From here on nothing new begins; what lives goes on.
    pub fn drain(&self) {
        self.house.draining.store(true, Ordering::Relaxed);
        self.house.sip.drain();
    }

    /// Takes calls as they come, until SIP is shut down.
    pub async fn answer_calls(self, mut incoming: mpsc::Receiver<Incoming>) {
        while let Some(call) = incoming.recv().await {
            self.arrived(call);
        }
    }

    /// Tells every live call that a person's rights or a key changed.
    pub async fn rights_lost(&self, person: PersonId, key: Option<KeyId>) {
        let lost = || Input::RightsLost { person: person.clone(), key: key.clone() };
        self.tell_all(lost).await;
        if self.directory().person(&person).is_none() {
            self.house.close_phone(&person);
        }
    }

    /// The last page of a person is gone and was last heard so long ago, or one is there (again).
    pub async fn control(&self, person: &PersonId, silent_ms: Option<u64>) {
        let control = || match silent_ms {
            None => Input::ControlBack { person: person.clone() },
            Some(silent_ms) => Input::ControlLost { person: person.clone(), silent_ms },
        };
        self.tell_all(control).await;
    }

    /// Tells every live call, all at once. One whose queue is full is told when it has room, and
    /// waited for no longer than others can bear.
    async fn tell_all(&self, what: impl Fn() -> Input) {
        let told = self.house.register.all().into_iter().map(|call| {
            let input = what();
            let telling = tokio::spawn(async move { call.input(input).await });
            tokio::time::timeout(TOLD_WITHIN, telling)
        });
        let late = join_all(told).await.iter().filter(|told| told.is_err()).count();
        if late > 0 {
            tracing::warn!(late, "calls take no more, and are told later");
        }
    }

    /// What these sessions began is over: first the calls hear of it, so that core says what
    /// becomes of a customer, then the phones in their browsers are closed.
    pub async fn signed_out(&self, sessions: &BTreeSet<SessionId>) {
        self.tell_all(|| Input::SignedOut { sessions: sessions.clone() }).await;
        self.house.close_phones_of(sessions);
    }

    /// Ends every live call, and waits until the last has gone.
    pub async fn shut_down(&self) {
        for call in self.house.register.all() {
            call.input(Input::ShutDown).await;
        }
        self.house.register.until_empty().await;
    }

    /// Makes a call's task. The id is chosen by the caller of this, so that it can be answered.
    fn begin(
        &self,
        new: NewCall,
        arrived: Option<(legs::Leg, mpsc::Receiver<DialogEvent>)>,
        reply: Option<task::Waiting>,
    ) -> CallHandle {
        let (to, inbox) = mpsc::channel(CALL_QUEUE);
        let bridge = self.house.ids.bridge();
        let id = new.id.clone();
        let handle = CallHandle { id: id.clone(), bridge, to, ear: Arc::default() };
        if let Err(error) = self.house.engine.open(bridge, rand::random()) {
            // Its legs will find no bridge, and the call ends by that.
            tracing::error!(call = %id, %error, "a call has no bridge");
        }
        self.house.register.add(handle.clone());
        self.house.counts.calls_started.fetch_add(1, Ordering::Relaxed);
        let directory = self.directory();
        let (call, effects) = Call::new(clock::now(), new, &directory);
        let mut task = task::CallTask::new(self.house.clone(), handle.clone(), call);
        if let Some((leg, events)) = arrived {
            task.arrived(Call::CALLER, leg, events);
        }
        if let Some(waiting) = reply {
            task.expect(waiting);
        }
        let running = tokio::spawn(task.run(effects, inbox));
        let house = self.house.clone();
        tokio::spawn(async move {
            let failed = running.await.is_err();
            if failed {
                // The panic was reported by its hook; its dialogs ended as their handles fell.
                house.counts.calls_failed.fetch_add(1, Ordering::Relaxed);
                tracing::error!(call = %id, "a call's task failed; this call ends alone");
                house.floor.gone(id.clone());
                house.browsers().call_gone(&id);
            }
            house.engine.close(bridge);
            house.exchange.left(&id);
            house.register.remove(&id, bridge);
            house.counts.calls_ended.fetch_add(1, Ordering::Relaxed);
            if failed {
                crate::recover::close_one(&house.store, &id, "task_failed").await;
            }
        });
        handle
    }

    /// The call that an agent is on now, by the extension that was dialled or asked for. Of two
    /// it is the one that is not on hold; core says which.
    pub(crate) async fn call_of_agent(&self, extension: &str) -> Result<CallHandle, Refusal> {
        let person = self.directory().person_at(extension).map(|person| person.id.clone());
        let person = person.ok_or_else(|| Refusal::because(Reason::NoSuchAgent))?;
        let calls = self.house.floor.calls_of(person.clone()).await;
        let calls: Vec<_> = calls.iter().filter_map(|id| self.house.register.call(id)).collect();
        let views = join_all(calls.iter().map(CallHandle::view)).await;
        let views: Vec<_> = views.into_iter().flatten().collect();
        let present = present_call(&person, &views).map(|view| &view.id);
        self.find(present.ok_or_else(|| Refusal::because(Reason::AgentNotOnCall))?)
    }

    pub(crate) fn find(&self, id: &CallId) -> Result<CallHandle, Refusal> {
        self.house.register.call(id).ok_or_else(|| Refusal::because(Reason::NoSuchCall))
    }
}
