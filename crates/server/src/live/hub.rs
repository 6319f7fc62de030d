//! The one task that keeps the board: the last known state of every call and person, a number for
//! each frame, and the frames of the last while for who comes back after a break.

use super::follower;
use super::followers::Followers;
use super::levels::Levels;
use super::pages::Pages;
use crate::clock;
use crate::commands::Desk;
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior};
use undertone_api::{
    Beginning, CallSnapshot, Changes, Cursor, Follower, LastHeard, LiveBoard, SignedIn,
};
use undertone_core::id::{CallId, PersonId};
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::time::Wall;
use undertone_core::view::AgentView;

/// Four frames a second at most.
const FRAME_EVERY: Duration = Duration::from_millis(250);
/// Who hears whom is measured, so nobody reports that it has changed: it is looked at.
const LAMPS_EVERY: Duration = Duration::from_millis(500);
/// Two minutes of a busy board, to come back to.
const FRAMES_KEPT: usize = 512;
/// How long changes are kept for the only follower, who is away.
const REST_AFTER: Duration = Duration::from_secs(30);
/// Frames that may wait for one follower; one that is further behind is let go.
const BEHIND_MAX: usize = 256;
const ASKING: usize = 64;

/// One frame, before anybody's scope.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) number: u64,
    pub(super) at: Wall,
    pub(super) what: Arc<Changes>,
}

/// Where a follower begins: a snapshot, or the frames after its cursor; then what comes.
pub(super) struct Start {
    pub(super) number: u64,
    pub(super) snapshot: Option<Arc<Changes>>,
    pub(super) missed: Vec<Frame>,
    pub(super) coming: broadcast::Receiver<Frame>,
}

pub(super) struct Ask {
    pub(super) after: Option<u64>,
    pub(super) reply: oneshot::Sender<Start>,
}

/// The way to the board's task.
pub struct Hub {
    desk: Arc<Desk>,
    asking: mpsc::Sender<Ask>,
    /// Of this start: a cursor of an earlier one means nothing here.
    boot: String,
    followers: Arc<Followers>,
    levels: Arc<Levels>,
    pages: Arc<Pages>,
    tasks: [AbortHandle; 2],
}

impl Hub {
    pub fn start(desk: Arc<Desk>, boot: String) -> Hub {
        let (asking, asked) = mpsc::channel(ASKING);
        let board = tokio::spawn(Board::new(desk.clone()).run(asked)).abort_handle();
        let pages = desk.board().house().pages.clone();
        let telling = tokio::spawn(pages.clone().tell(desk.clone())).abort_handle();
        let tasks = [board, telling];
        let (followers, levels) = (Arc::default(), Arc::new(Levels::new()));
        Hub { desk, asking, boot, followers, levels, pages, tasks }
    }

    /// Every follower is let go, and no more are taken.
    pub fn stop(&self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }

    fn number_of(&self, cursor: &Cursor, who: &SignedIn) -> Option<u64> {
        let (stream, number) = cursor.0.rsplit_once('.')?;
        let own = follower::stream(&self.boot, &who.actor)?;
        (stream == own).then(|| number.parse().ok())?
    }
}

#[async_trait]
impl LiveBoard for Hub {
    async fn follow(&self, who: SignedIn, how: Beginning) -> Result<Follower, Refusal> {
        let place = self.followers.take(&who.actor.person)?;
        let Beginning { after, tab } = how;
        let after = after.and_then(|cursor| self.number_of(&cursor, &who));
        let (reply, start) = oneshot::channel();
        let gone = || Refusal::because(Reason::ShuttingDown);
        self.asking.send(Ask { after, reply }).await.map_err(|_| gone())?;
        let start = start.await.map_err(|_| gone())?;
        let (told, receiver) = mpsc::channel(BEHIND_MAX);
        let (watched, wanted) = watch::channel(Vec::new());
        let (let_go, why) = oneshot::channel();
        let (desk, levels, boot) = (self.desk.clone(), self.levels.clone(), self.boot.clone());
        // A key has no page; what it begins is steered by whoever holds it.
        let heard = Arc::<LastHeard>::default();
        let opens = |_| self.pages.opens(&who.actor.person, heard.clone());
        let open = who.session.as_ref().map(opens);
        let (phone, says) = (None, None);
        let task =
            follower::Following { desk, levels, who, tab, boot, told, let_go, wanted, phone, says };
        tokio::spawn(async move {
            task.run(start).await;
            drop((place, open));
        });
        Ok(Follower { heard, told: receiver, let_go: why, watched })
    }
}

struct Board {
    desk: Arc<Desk>,
    calls: BTreeMap<CallId, CallSnapshot>,
    agents: BTreeMap<PersonId, AgentView>,
    number: u64,
    kept: VecDeque<Frame>,
    out: broadcast::Sender<Frame>,
    /// Since when nobody follows.
    alone: Option<Instant>,
    /// Nothing is looked at, and what is known is old.
    resting: bool,
}

impl Board {
    fn new(desk: Arc<Desk>) -> Board {
        let (out, _) = broadcast::channel(BEHIND_MAX);
        let (calls, agents) = (BTreeMap::new(), BTreeMap::new());
        let kept = VecDeque::new();
        Board { desk, calls, agents, number: 0, kept, out, alone: None, resting: true }
    }

    async fn run(mut self, mut asked: mpsc::Receiver<Ask>) {
        let desk = self.desk.clone();
        let dirty = desk.dirty();
        let mut lamps = tokio::time::interval(LAMPS_EVERY);
        lamps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looked = Instant::now();
        loop {
            let followed = self.out.receiver_count() > 0;
            tokio::select! {
                ask = asked.recv() => match ask {
                    Some(ask) => self.begin(ask).await,
                    None => return,
                },
                () = dirty.news(), if followed => {
                    tokio::time::sleep_until(looked + FRAME_EVERY).await;
                    looked = Instant::now();
                    let (calls, agents) = dirty.take();
                    self.look(calls, agents).await;
                }
                _ = lamps.tick() => match followed {
                    true => self.look_at_all().await,
                    false => self.rest(),
                },
            }
        }
    }

    async fn look_at_all(&mut self) {
        self.alone = None;
        let (mut calls, agents) = self.desk.dirty().take();
        calls.extend(self.calls.keys().cloned());
        self.look(calls, agents).await;
    }

    /// Nobody follows: after a while what is known may grow old, and is made anew for the next.
    fn rest(&mut self) {
        let since = *self.alone.get_or_insert_with(Instant::now);
        if !self.resting && since.elapsed() >= REST_AFTER {
            self.resting = true;
            self.desk.dirty().want(false);
            self.kept.clear();
        }
    }

    async fn begin(&mut self, Ask { after, reply }: Ask) {
        if std::mem::take(&mut self.resting) {
            // Before looking: what changes meanwhile is looked at again.
            self.desk.dirty().want(true);
            let everything = self.desk.everything().await;
            self.calls = everything.0.into_iter().map(|c| (c.view.id.clone(), c)).collect();
            self.agents = everything.1.into_iter().map(|a| (a.person.clone(), a)).collect();
            self.number += 1;
        } else if self.out.receiver_count() == 0 {
            self.look_at_all().await;
        }
        let oldest = self.kept.front().map_or(self.number + 1, |frame| frame.number);
        let known = after.filter(|after| *after + 1 >= oldest && *after <= self.number);
        let missed = match known {
            Some(after) => self.kept.iter().filter(|f| f.number > after).cloned().collect(),
            None => Vec::new(),
        };
        let snapshot = known.is_none().then(|| {
            Arc::new(Changes {
                calls: self.calls.values().cloned().collect(),
                agents: self.agents.values().cloned().collect(),
                ..Changes::default()
            })
        });
        let number = known.unwrap_or(self.number);
        let coming = self.out.subscribe();
        let _ = reply.send(Start { number, snapshot, missed, coming });
    }

    async fn look(&mut self, calls: BTreeSet<CallId>, agents: bool) {
        let mut what = Changes::default();
        for (id, found) in self.desk.look_at(calls).await {
            match found {
                Some(now) => {
                    let before = self.calls.insert(id, now.clone());
                    what.gone_help.extend(lowered(before.as_ref(), Some(&now)));
                    if before.is_none_or(|before| follower::differs(&before, &now)) {
                        what.calls.push(now);
                    }
                }
                None => {
                    if let Some(before) = self.calls.remove(&id) {
                        what.gone_help.extend(lowered(Some(&before), None));
                        what.gone_calls.push(id);
                    }
                }
            }
        }
        if agents {
            self.look_at_agents(&mut what).await;
        }
        if what.is_empty() {
            return;
        }
        self.number += 1;
        let frame = Frame { number: self.number, at: clock::now().wall, what: Arc::new(what) };
        self.kept.push_back(frame.clone());
        if self.kept.len() > FRAMES_KEPT {
            self.kept.pop_front();
        }
        let _ = self.out.send(frame);
    }

    async fn look_at_agents(&mut self, what: &mut Changes) {
        let now: BTreeMap<_, _> = self
            .desk
            .everybody()
            .await
            .into_iter()
            .map(|agent| (agent.person.clone(), agent))
            .collect();
        let changed = now.values().filter(|agent| self.agents.get(&agent.person) != Some(*agent));
        what.agents = changed.cloned().collect();
        what.gone_agents =
            self.agents.keys().filter(|id| !now.contains_key(*id)).cloned().collect();
        self.agents = now;
    }
}

/// The hand that was raised before and is not now.
fn lowered(before: Option<&CallSnapshot>, now: Option<&CallSnapshot>) -> Option<(CallId, u32)> {
    let before = before?;
    let number = |call: &CallSnapshot| call.view.help.as_ref().map(|help| help.number);
    let gone = number(before).filter(|n| now.and_then(number) != Some(*n))?;
    Some((before.view.id.clone(), gone))
}
