//! One page that follows the board: its scope, its meters, and its end when the person's rights
//! or the session go.

use super::hub::{Frame, Start};
use super::levels::{LOOK_EVERY, Levels};
use crate::clock;
use crate::commands::Desk;
use crate::switchboard::PhoneSeen;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;
use undertone_api::{CallSnapshot, Changes, Cursor, LetGo, SignedIn, SignedOut, Told};
use undertone_core::access::{Actor, Right};
use undertone_core::id::{CallId, SeatId};
use undertone_core::labels::Labels;
use undertone_core::policy::Limits;
use undertone_core::seen;
use undertone_core::view::TimingView;

/// Whether the session is still open; rights are told of at once.
const SESSION_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Following {
    pub(super) desk: Arc<Desk>,
    pub(super) levels: Arc<Levels>,
    pub(super) who: SignedIn,
    /// The page's name, by which it has the phone or not.
    pub(super) tab: Option<String>,
    pub(super) boot: String,
    pub(super) told: mpsc::Sender<Told>,
    pub(super) let_go: oneshot::Sender<LetGo>,
    pub(super) wanted: watch::Receiver<Vec<CallId>>,
    /// As it was told of last.
    pub(super) phone: Option<PhoneSeen>,
    /// Words and limits, as `GET /me` had them when this began, or as they were told of last.
    pub(super) says: Option<(Labels, Limits)>,
}

/// It takes no more; with why, if there is anything to say.
struct Over(Option<LetGo>);

/// What a cursor counts in: this start of the server, and what the person may see. None: whoever
/// sees the own calls alone begins with a snapshot each time, which is small. A number would tell
/// them how much goes on that they are not told of, such as a silent listener.
pub(super) fn stream(boot: &str, who: &Actor) -> Option<String> {
    who.may(Right::SeeWallboard).then(|| format!("{boot}.all"))
}

/// The calls that this page was shown, as it was shown them; only where it does not see all.
type Shown = BTreeMap<CallId, CallSnapshot>;

impl Following {
    pub(super) async fn run(mut self, start: Start) {
        if let Err(Over(Some(why))) = self.follow(start).await {
            let _ = self.let_go.send(why);
        }
    }

    async fn follow(&mut self, start: Start) -> Result<(), Over> {
        let Start { number, snapshot, missed, mut coming } = start;
        let mut shown = Shown::new();
        // Before the first frame: whoever has it counts on what follows.
        let who = &self.who.actor;
        let supervises = who.may(Right::SeeWallboard) && seen::supervises(who);
        let _looks = self.desk.dirty().looks(&who.person, supervises);
        let mut written = self.desk.board().house().written.subscribe();
        if let Some(now) = snapshot {
            let now = self.scoped(&now, &mut shown);
            let cursor = self.cursor(number);
            self.tell(Told::Snapshot { cursor, at: clock::now().wall, now })?;
        }
        for frame in missed {
            self.frame(&frame, &mut shown)?;
        }
        let mut meters = tokio::time::interval(LOOK_EVERY);
        meters.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut session = tokio::time::interval(SESSION_EVERY);
        session.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut directory = self.desk.directory_changes();
        let gone = self.told.clone();
        loop {
            tokio::select! {
                () = gone.closed() => return Ok(()),
                frame = coming.recv() => match frame {
                    Ok(frame) => self.frame(&frame, &mut shown)?,
                    Err(RecvError::Lagged(_)) => return Err(Over(Some(LetGo::TooSlow))),
                    Err(RecvError::Closed) => return Ok(()),
                },
                said = written.recv() => match said {
                    Ok(said) if said.to.contains(&self.who.actor.person) => {
                        self.tell(Told::Written(said))?;
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Err(Over(Some(LetGo::TooSlow))),
                    Err(RecvError::Closed) => return Ok(()),
                },
                Ok(()) = directory.changed() => self.rights_changed()?,
                _ = session.tick() => self.is_signed_in().await?,
                _ = meters.tick() => {
                    self.meters().await?;
                    self.phone().await?;
                }
            }
        }
    }

    fn cursor(&self, number: u64) -> Cursor {
        Cursor(match stream(&self.boot, &self.who.actor) {
            Some(stream) => format!("{stream}.{number}"),
            None => format!("{}.own", self.boot),
        })
    }

    fn tell(&self, told: Told) -> Result<(), Over> {
        self.told.try_send(told).map_err(|error| match error {
            TrySendError::Full(_) => Over(Some(LetGo::TooSlow)),
            TrySendError::Closed(_) => Over(None),
        })
    }

    fn frame(&self, frame: &Frame, shown: &mut Shown) -> Result<(), Over> {
        let what = self.scoped(&frame.what, shown);
        if what.is_empty() {
            return Ok(());
        }
        self.tell(Told::Changes { cursor: self.cursor(frame.number), at: frame.at, what })
    }

    /// What of this the person may see. A change that they may not see is none: not even that
    /// there was one is told.
    fn scoped(&self, what: &Arc<Changes>, shown: &mut Shown) -> Arc<Changes> {
        let who = &self.who.actor;
        if who.may(Right::SeeWallboard) {
            return what.clone();
        }
        let mut mine = Changes {
            agents: what.agents.iter().filter(|a| seen::agent(a, who)).cloned().collect(),
            gone_agents: what.gone_agents.iter().filter(|id| **id == who.person).cloned().collect(),
            ..Changes::default()
        };
        for call in &what.calls {
            let id = &call.view.id;
            match self.desk.seen(call, who) {
                Some(now) => {
                    let before = shown.insert(id.clone(), now.clone());
                    if before.is_none_or(|before| differs(&before, &now)) {
                        mine.calls.push(now);
                    }
                }
                None if shown.remove(id).is_some() => mine.gone_calls.push(id.clone()),
                None => {}
            }
        }
        let help = what.gone_help.iter().filter(|(call, _)| shown.contains_key(call));
        mine.gone_help = help.cloned().collect();
        let gone = what.gone_calls.iter().filter(|id| shown.remove(*id).is_some());
        mine.gone_calls.extend(gone.cloned());
        Arc::new(mine)
    }

    /// A person or key that is no more is let go; one whose rights changed begins anew, in the
    /// new scope.
    fn rights_changed(&mut self) -> Result<(), Over> {
        let dir = self.desk.directory();
        let by = &self.who.actor;
        let revoked = by.key.as_ref().is_some_and(|key| dir.revoked_keys.contains(key));
        let Some(person) = dir.person(&by.person).filter(|_| !revoked) else {
            self.tell(Told::SignedOut(SignedOut::Revoked))?;
            return Err(Over(None));
        };
        let mut now = Actor { name: person.name.clone(), ..by.clone() };
        match by.key {
            Some(_) => dir.restrict(&mut now),
            None => now.rights = person.rights.clone(),
        }
        let says = (dir.labels.clone(), dir.policy.limits);
        if now == self.who.actor {
            // Words of the page changed: nothing that it may see.
            let known = self.says.replace(says.clone());
            if known.is_some_and(|known| known != says) {
                self.tell(Told::Me(Box::new(self.who.clone())))?;
            }
            return Ok(());
        }
        self.who.actor = now;
        self.tell(Told::Me(Box::new(self.who.clone())))?;
        Err(Over(Some(LetGo::Anew)))
    }

    async fn is_signed_in(&self) -> Result<(), Over> {
        if self.desk.is_open(&self.who).await {
            return Ok(());
        }
        self.tell(Told::SignedOut(SignedOut::Ended))?;
        Err(Over(None))
    }

    async fn phone(&mut self) -> Result<(), Over> {
        let now = self.desk.phone_seen(&self.who.actor);
        if now == self.phone {
            return Ok(());
        }
        self.phone.clone_from(&now);
        let view = match now {
            Some(now) => {
                let tab = self.tab.as_deref();
                Some(Box::new(self.desk.shown(&self.who.actor, now, tab).await))
            }
            None => None,
        };
        self.tell(Told::Phone(view))
    }

    async fn meters(&mut self) -> Result<(), Over> {
        let wanted: Vec<_> = self.wanted.borrow_and_update().clone();
        for call in wanted {
            let measured = self.levels.of(&self.desk, &call).await;
            let parties = measured.and_then(|now| self.desk.meters(&now, &self.who.actor));
            let Some(parties) = parties else { continue };
            self.tell(Told::Meters { at: clock::now().wall, call, parties })?;
        }
        Ok(())
    }
}

/// Times run on by themselves: a page counts them on. Everything else is a change.
pub(super) fn differs(before: &CallSnapshot, now: &CallSnapshot) -> bool {
    let still = |call: &CallSnapshot| {
        let mut call = call.clone();
        call.view.timing = TimingView::default();
        call
    };
    still(before) != still(now)
}

/// Without those whom one may not see, also where they are heard.
pub(crate) fn without(call: &mut CallSnapshot, hidden: &BTreeSet<SeatId>) {
    call.hears.retain(|listener, _| !hidden.contains(listener));
    call.hears.values_mut().for_each(|heard| heard.retain(|seat| !hidden.contains(seat)));
}
