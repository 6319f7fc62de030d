//! One page that follows the board: its scope, its meters, and its end when the person's rights
//! or the session go.

use super::hub::{Frame, Start};
use crate::clock;
use crate::commands::Desk;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use undertone_api::{CallSnapshot, Changes, Cursor, SignedIn, SignedOut, Told};
use undertone_core::access::{Actor, Right};
use undertone_core::id::{CallId, SeatId};
use undertone_core::seen;

const METERS_EVERY: Duration = Duration::from_millis(200);
/// Whether the session is still open; rights are told of at once.
const SESSION_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Following {
    pub(super) desk: Arc<Desk>,
    pub(super) who: SignedIn,
    pub(super) boot: String,
    pub(super) told: mpsc::Sender<Told>,
    pub(super) wanted: watch::Receiver<Vec<CallId>>,
}

/// What a cursor counts in: this start of the server, and what the person may see. Who may see
/// another part of it now begins with a snapshot.
pub(super) fn stream(boot: &str, who: &SignedIn) -> String {
    let all = who.actor.may(Right::SeeWallboard);
    format!("{boot}.{}", if all { "all" } else { "own" })
}

impl Following {
    pub(super) async fn run(mut self, start: Start) {
        let Start { number, snapshot, missed, mut coming } = start;
        // The calls that this page was shown: one that leaves its scope is gone for it.
        let mut shown = BTreeSet::new();
        if let Some(now) = &snapshot {
            let now = Arc::new(self.scoped(now, &mut shown));
            let cursor = self.cursor(number);
            if !self.tell(Told::Snapshot { cursor, at: clock::now().wall, now }) {
                return;
            }
        }
        for frame in missed {
            if !self.frame(&frame, &mut shown) {
                return;
            }
        }
        let mut meters = tokio::time::interval(METERS_EVERY);
        meters.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut session = tokio::time::interval(SESSION_EVERY);
        session.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut directory = self.desk.directory_changes();
        let gone = self.told.clone();
        loop {
            let goes_on = tokio::select! {
                () = gone.closed() => false,
                frame = coming.recv() => match frame {
                    Ok(frame) => self.frame(&frame, &mut shown),
                    // Further behind than is kept for it, or the server stops.
                    Err(RecvError::Lagged(_) | RecvError::Closed) => false,
                },
                Ok(()) = directory.changed() => self.rights_changed(),
                _ = session.tick() => self.is_signed_in().await,
                _ = meters.tick() => self.meters(&shown).await,
            };
            if !goes_on {
                return;
            }
        }
    }

    fn cursor(&self, number: u64) -> Cursor {
        Cursor(format!("{}.{number}", stream(&self.boot, &self.who)))
    }

    /// False: the page is too slow, or gone.
    fn tell(&self, told: Told) -> bool {
        self.told.try_send(told).is_ok()
    }

    fn frame(&self, frame: &Frame, shown: &mut BTreeSet<CallId>) -> bool {
        let what = self.scoped(&frame.what, shown);
        let cursor = self.cursor(frame.number);
        what.is_empty() || self.tell(Told::Changes { cursor, at: frame.at, what: Arc::new(what) })
    }

    fn scoped(&self, what: &Changes, shown: &mut BTreeSet<CallId>) -> Changes {
        let who = &self.who.actor;
        let mut mine = Changes {
            agents: what.agents.iter().filter(|a| seen::agent(a, who)).cloned().collect(),
            gone_agents: what.gone_agents.clone(),
            ..Changes::default()
        };
        for call in &what.calls {
            match self.desk.seen(call, who) {
                Some(call) => {
                    shown.insert(call.view.id.clone());
                    mine.calls.push(call);
                }
                None if shown.remove(&call.view.id) => mine.gone_calls.push(call.view.id.clone()),
                None => {}
            }
        }
        let gone = what.gone_calls.iter().filter(|id| shown.remove(*id));
        mine.gone_calls.extend(gone.cloned());
        mine
    }

    /// A person who is no more is let go; one whose rights changed begins anew, in the new scope.
    fn rights_changed(&mut self) -> bool {
        let dir = self.desk.directory();
        let Some(person) = dir.person(&self.who.actor.person) else {
            self.tell(Told::SignedOut(SignedOut::Revoked));
            return false;
        };
        let rights = match &self.who.actor.key {
            // A key's own rights are asked for with each request.
            Some(_) => self.who.actor.rights.intersection(&person.rights).copied().collect(),
            None => person.rights.clone(),
        };
        let same = rights == self.who.actor.rights && person.name == self.who.actor.name;
        if same {
            return true;
        }
        self.who.actor = Actor { rights, name: person.name.clone(), ..self.who.actor.clone() };
        // Its socket closes after this, and it comes back with a snapshot of what it may see.
        self.tell(Told::Me(Box::new(self.who.clone())));
        false
    }

    async fn is_signed_in(&self) -> bool {
        if self.desk.is_open(&self.who).await {
            return true;
        }
        self.tell(Told::SignedOut(SignedOut::Ended));
        false
    }

    async fn meters(&mut self, shown: &BTreeSet<CallId>) -> bool {
        let wanted: Vec<_> = self.wanted.borrow_and_update().clone();
        for call in wanted.into_iter().filter(|call| shown.contains(call)) {
            let Some(parties) = self.desk.meters(&call, &self.who.actor).await else { continue };
            if !self.tell(Told::Meters { at: clock::now().wall, call, parties }) {
                return false;
            }
        }
        true
    }
}

/// Without those whom one may not see, also where they are heard.
pub(super) fn without(call: &mut CallSnapshot, hidden: &BTreeSet<SeatId>) {
    let hears: BTreeMap<_, Vec<_>> = std::mem::take(&mut call.hears)
        .into_iter()
        .filter(|(listener, _)| !hidden.contains(listener))
        .map(|(listener, mut heard)| {
            heard.retain(|seat| !hidden.contains(seat));
            (listener, heard)
        })
        .collect();
    call.hears = hears;
}
