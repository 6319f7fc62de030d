//! What callers ask of a media thread, and the queue that takes it there.
//!
//! The whole queue is carried out in each turn of the thread, before packets: nothing waits
//! behind packets. What opens is refused when the queue is full; what closes never is.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use undertone_core::id::{BridgeId, SeatId, TapId};
use undertone_core::plan::{HearingPlan, Source};
use undertone_media::bridge::{Bridge, Leg, Sound};
use undertone_media::leg::webrtc::{Answered, Reoffer, Road, Secret, WebError};
use undertone_sdp::Media;

use crate::hosted::Hosted;
use crate::pending::Answer;
use crate::ports::Ports;
use crate::sys::Waker;
use crate::web::{Place, WebKey};
use crate::{DetachedLeg, TapSink};

/// Commands that wait on one thread before what opens is refused.
const QUEUE_MAX_COMMANDS: usize = 8_192;

pub(crate) type Work = Box<dyn FnOnce(Option<&mut Bridge>) + Send>;

pub(crate) enum Command {
    Open {
        id: BridgeId,
        seed: u64,
    },
    Close {
        id: BridgeId,
    },
    Attach {
        id: BridgeId,
        seat: SeatId,
        leg: Box<Leg>,
        ports: Ports,
        media: Box<Media>,
    },
    AttachLeg {
        id: BridgeId,
        seat: SeatId,
        leg: Box<DetachedLeg>,
    },
    Detach {
        id: BridgeId,
        seat: SeatId,
        answer: Answer<Option<DetachedLeg>>,
    },
    Reconfigure {
        id: BridgeId,
        seat: SeatId,
        media: Box<Media>,
    },
    /// The leg's signalling comes from there.
    Trust {
        id: BridgeId,
        seat: SeatId,
        host: IpAddr,
    },
    /// Another offer of the browser at this seat.
    Reoffer {
        id: BridgeId,
        seat: SeatId,
        offer: Box<Reoffer>,
        secret: Secret,
        answer: Answer<Option<Result<Answered, WebError>>>,
    },
    /// How long nothing has come from the browser at this seat.
    Silent {
        id: BridgeId,
        seat: SeatId,
        answer: Answer<Option<u64>>,
    },
    /// The leg goes on by the connection of that one.
    Rewire {
        id: BridgeId,
        seat: SeatId,
        with: Box<DetachedLeg>,
    },
    /// A browser may come to this thread's port, and name itself so.
    Welcome {
        ufrag: String,
        key: WebKey,
        place: Arc<Place>,
    },
    Farewell {
        key: WebKey,
    },
    /// A check of that browser came from there, and was authentic.
    Known {
        key: WebKey,
        road: Road,
        from: SocketAddr,
    },
    Unknown {
        key: WebKey,
        road: Road,
        from: SocketAddr,
    },
    Apply {
        id: BridgeId,
        plan: Arc<HearingPlan>,
    },
    OpenTap {
        id: BridgeId,
        tap: TapId,
        rate: u32,
        sink: Box<dyn TapSink>,
    },
    CloseTap {
        id: BridgeId,
        tap: TapId,
    },
    SetSource {
        id: BridgeId,
        source: Source,
        sound: Box<dyn Sound>,
    },
    Prove {
        id: BridgeId,
        seat: SeatId,
        incoming: bool,
    },
    Inspect {
        id: BridgeId,
        work: Work,
    },
    /// Gives the bridge to another thread.
    Release {
        id: BridgeId,
        to: usize,
    },
    /// A bridge is on its way here: keep what is asked of it.
    Expect {
        id: BridgeId,
    },
    /// The bridge has come; None if it was gone before it could be released.
    Adopt {
        id: BridgeId,
        hosted: Option<Box<Hosted>>,
    },
    Stop,
}

impl Command {
    pub(crate) fn bridge(&self) -> Option<BridgeId> {
        match self {
            Self::Open { id, .. }
            | Self::Close { id }
            | Self::Attach { id, .. }
            | Self::AttachLeg { id, .. }
            | Self::Detach { id, .. }
            | Self::Reconfigure { id, .. }
            | Self::Trust { id, .. }
            | Self::Reoffer { id, .. }
            | Self::Silent { id, .. }
            | Self::Rewire { id, .. }
            | Self::Apply { id, .. }
            | Self::OpenTap { id, .. }
            | Self::CloseTap { id, .. }
            | Self::SetSource { id, .. }
            | Self::Prove { id, .. }
            | Self::Inspect { id, .. }
            | Self::Release { id, .. }
            | Self::Expect { id }
            | Self::Adopt { id, .. } => Some(*id),
            Self::Welcome { .. }
            | Self::Farewell { .. }
            | Self::Known { .. }
            | Self::Unknown { .. }
            | Self::Stop => None,
        }
    }

    fn opens(&self) -> bool {
        matches!(
            self,
            Self::Open { .. }
                | Self::Attach { .. }
                | Self::AttachLeg { .. }
                | Self::OpenTap { .. }
                | Self::SetSource { .. }
                | Self::Prove { .. }
                | Self::Inspect { .. }
        )
    }
}

/// One thread's queue. Callers push; the thread alone takes.
pub(crate) struct Queue {
    waiting: Mutex<VecDeque<Command>>,
    /// The thread has ended: what is pushed is dropped, which tells whoever waits for an answer.
    closed: AtomicBool,
    any: AtomicBool,
    len: AtomicUsize,
    waker: Waker,
}

impl Queue {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            waiting: Mutex::new(VecDeque::new()),
            closed: AtomicBool::new(false),
            any: AtomicBool::new(false),
            len: AtomicUsize::new(0),
            waker: Waker::new()?,
        })
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Command>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False, and the command dropped, if it opens something and the queue is full.
    pub(crate) fn push(&self, command: Command) -> bool {
        let mut waiting = self.lock();
        if self.closed.load(Ordering::Relaxed) {
            return false;
        }
        if waiting.len() >= QUEUE_MAX_COMMANDS {
            if command.opens() {
                return false;
            }
            if let Some(command) = Self::supersede(&mut waiting, command) {
                waiting.push_back(command);
            }
        } else {
            waiting.push_back(command);
        }
        self.len.store(waiting.len(), Ordering::Relaxed);
        drop(waiting);
        if !self.any.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
        true
    }

    /// The thread ends: drops what waits, and whatever comes after it.
    pub(crate) fn close(&self) {
        let dropped = {
            let mut waiting = self.lock();
            self.closed.store(true, Ordering::Relaxed);
            std::mem::take(&mut *waiting)
        };
        drop(dropped);
        self.len.store(0, Ordering::Relaxed);
    }

    /// A plan is the whole state: in a full queue it takes the place of the bridge's plan that
    /// waits there, which keeps the queue bounded although a plan is never refused.
    fn supersede(waiting: &mut VecDeque<Command>, command: Command) -> Option<Command> {
        let Command::Apply { id, plan } = command else { return Some(command) };
        for waits in waiting.iter_mut().rev() {
            if let Command::Apply { id: other, plan: old } = waits
                && *other == id
            {
                *old = plan;
                return None;
            }
        }
        Some(Command::Apply { id, plan })
    }

    /// Swaps all that waits into `into`, which is empty. Costs one load if nothing waits.
    pub(crate) fn take(&self, into: &mut VecDeque<Command>) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        self.any.store(false, Ordering::Release);
        let mut waiting = self.lock();
        std::mem::swap(&mut *waiting, into);
        self.len.store(0, Ordering::Relaxed);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_core::plan::PlanVersion;

    fn plan(version: u64) -> Arc<HearingPlan> {
        Arc::new(HearingPlan { version: PlanVersion(version), ..HearingPlan::default() })
    }

    #[test]
    fn a_full_queue_refuses_what_opens_and_takes_every_plan() {
        let queue = Queue::new().expect("an eventfd");
        let mut pushed = 0;
        while queue.push(Command::Open { id: BridgeId(pushed), seed: 0 }) {
            pushed += 1;
        }
        assert_eq!(pushed as usize, QUEUE_MAX_COMMANDS);
        for version in 1..=100 {
            assert!(queue.push(Command::Apply { id: BridgeId(7), plan: plan(version) }));
        }
        assert!(queue.push(Command::Close { id: BridgeId(7) }));
        let mut taken = VecDeque::new();
        assert!(queue.take(&mut taken));
        assert_eq!(taken.len(), QUEUE_MAX_COMMANDS + 2, "one plan and one close came on top");
        let plans = taken.iter().filter_map(|c| match c {
            Command::Apply { plan, .. } => Some(plan.version.0),
            _ => None,
        });
        assert_eq!(plans.collect::<Vec<_>>(), [100], "the newest plan is the one that is kept");
        assert!(!queue.take(&mut VecDeque::new()));
    }
}
