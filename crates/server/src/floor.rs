//! The one task that owns the floor: it is asked, never locked. Core's `Floor` decides; this
//! carries messages and runs its wrap-up timers.

use crate::clock;
use crate::live::Dirty;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use undertone_core::directory::Directory;
use undertone_core::floor::{Floor, FloorEffect, FloorInput};
use undertone_core::id::{CallId, PersonId};
use undertone_core::view::AgentView;

/// Messages that may wait for the floor.
const QUEUE: usize = 4_096;

enum Message {
    Input(FloorInput),
    Everybody(oneshot::Sender<Vec<AgentView>>),
    CallsOf(PersonId, oneshot::Sender<Vec<CallId>>),
    Away(PersonId, bool, Option<String>, oneshot::Sender<Option<AgentView>>),
}

#[derive(Clone, Debug)]
pub struct FloorTask {
    to: mpsc::Sender<Message>,
}

impl FloorTask {
    /// Runs until the last handle has gone.
    pub fn start(mut directory: watch::Receiver<Arc<Directory>>, dirty: Arc<Dirty>) -> Self {
        let (to, mut inbox) = mpsc::channel(QUEUE);
        let back = to.downgrade();
        tokio::spawn(async move {
            let mut floor = Floor::new(clock::now(), &directory.borrow().clone());
            loop {
                let message = tokio::select! {
                    message = inbox.recv() => match message {
                        Some(message) => message,
                        None => return,
                    },
                    Ok(()) = directory.changed() => Message::Input(FloorInput::DirectoryChanged),
                };
                let known = directory.borrow_and_update().clone();
                match message {
                    Message::Input(input) => {
                        for effect in floor.handle(clock::now(), input, &known) {
                            carry_out(effect, &back, &dirty);
                        }
                    }
                    Message::Away(person, away, reason, reply) => {
                        let input = FloorInput::Away { person: person.clone(), away, reason };
                        for effect in floor.handle(clock::now(), input, &known) {
                            carry_out(effect, &back, &dirty);
                        }
                        let _ = reply.send(floor.view_of(&person, &known));
                    }
                    Message::Everybody(reply) => {
                        let _ = reply.send(floor.view(&known));
                    }
                    Message::CallsOf(person, reply) => {
                        let _ = reply.send(floor.calls_of(&person).cloned().collect());
                    }
                }
            }
        });
        Self { to }
    }

    pub fn busy(&self, person: PersonId, call: CallId) {
        self.input(FloorInput::Busy { person, call });
    }

    pub fn free(&self, person: PersonId, call: CallId) {
        self.input(FloorInput::Free { person, call });
    }

    /// The call's task failed: nobody else will say that its people are free.
    pub fn gone(&self, call: CallId) {
        self.input(FloorInput::CallGone { call });
    }

    /// In order as long as the floor keeps up; a full queue is waited for by a task of its own, so
    /// that no call waits for the floor.
    fn input(&self, input: FloorInput) {
        if let Err(mpsc::error::TrySendError::Full(message)) =
            self.to.try_send(Message::Input(input))
        {
            tracing::warn!("the floor is behind");
            let to = self.to.clone();
            tokio::spawn(async move {
                let _ = to.send(message).await;
            });
        }
    }

    pub async fn everybody(&self) -> Vec<AgentView> {
        let (reply, answer) = oneshot::channel();
        let _ = self.to.send(Message::Everybody(reply)).await;
        answer.await.unwrap_or_default()
    }

    /// None: that person is not on the floor.
    pub async fn away(
        &self,
        person: PersonId,
        away: bool,
        reason: Option<String>,
    ) -> Option<AgentView> {
        let (reply, answer) = oneshot::channel();
        let _ = self.to.send(Message::Away(person, away, reason, reply)).await;
        answer.await.ok().flatten()
    }

    /// The calls that a person's devices are on.
    pub async fn calls_of(&self, person: PersonId) -> Vec<CallId> {
        let (reply, answer) = oneshot::channel();
        let _ = self.to.send(Message::CallsOf(person, reply)).await;
        answer.await.unwrap_or_default()
    }
}

/// Views are asked for: the live board is told only that there is something to ask.
fn carry_out(effect: FloorEffect, back: &mpsc::WeakSender<Message>, dirty: &Dirty) {
    let (person, round, after_ms) = match effect {
        FloorEffect::StartWrapUp { person, round, after_ms } => (person, round, after_ms),
        FloorEffect::Changed(_) | FloorEffect::Gone(_) => return dirty.agents(),
    };
    let back = back.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        if let Some(to) = back.upgrade() {
            let _ = to.send(Message::Input(FloorInput::WrapUpOver { person, round })).await;
        }
    });
}
