//! Asking a live call: an input that is answered, its view, what somebody may do on it.

pub use super::sound::Sounding;
use super::task::{Message, Waiting};
use super::{CallHandle, Switchboard};
use crate::clock;
use tokio::sync::{mpsc, oneshot};
use undertone_core::access::Actor;
use undertone_core::call::{Answer, Input, Join, Other, RequestId};
use undertone_core::id::{CallId, SeatId, SupervisionId};
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::view::{Ability, CallView, LegKind, SupervisionView};
use undertone_store::Class;

impl CallHandle {
    /// Sends the input that the function makes for a fresh request, and waits for core's answer.
    pub async fn ask(&self, board: &Switchboard, input: impl FnOnce(RequestId) -> Input) -> Answer {
        let request = board.house.ids.request();
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { request, reply, sound: None };
        let message = Message::Ask(Box::new(input(request)), waiting);
        if let Err(mpsc::error::SendError(unsent)) = self.to.send(message).await {
            return Err(board.too_late(&self.id, &unsent));
        }
        answer.await.unwrap_or_else(|_| Err(Refusal::because(Reason::CallEnded)))
    }

    /// None once the call has ended.
    pub async fn view(&self) -> Option<CallView> {
        let (reply, answer) = oneshot::channel();
        self.to.send(Message::View(reply)).await.ok()?;
        answer.await.ok()
    }

    /// How a seat there stands, for another call of the same phone.
    pub(super) async fn other(&self, seat: SeatId) -> Option<Other> {
        let (reply, answer) = oneshot::channel();
        self.to.send(Message::Other(seat, reply)).await.ok()?;
        answer.await.ok()
    }

    pub async fn abilities(&self, who: &Actor) -> Option<Vec<Ability>> {
        let (reply, answer) = oneshot::channel();
        self.to.send(Message::Abilities(Box::new(who.clone()), reply)).await.ok()?;
        answer.await.ok()
    }

    /// Begins a supervision. A stream is answered as soon as its sound is there, any other leg
    /// when core answers.
    pub async fn join(
        &self,
        board: &Switchboard,
        supervision: SupervisionId,
        join: impl FnOnce(RequestId) -> Join,
    ) -> Result<Joined, Refusal> {
        let request = board.house.ids.request();
        let join = join(request);
        let register = &board.house.register;
        register.note_supervision(supervision.clone(), self.id.clone());
        let (reply, answer) = oneshot::channel();
        let (sound, sounding) = oneshot::channel();
        let is_stream = join.leg == LegKind::Stream;
        let sound = is_stream.then(|| (supervision.clone(), sound));
        let input = Box::new(Input::Join(Box::new(join)));
        let ended = || Refusal::because(Reason::CallEnded);
        let message = Message::Ask(input, Waiting { request, reply, sound });
        let joined = if let Err(mpsc::error::SendError(unsent)) = self.to.send(message).await {
            Err(board.too_late(&self.id, &unsent))
        } else if is_stream {
            tokio::select! {
                biased;
                Ok(sounding) = sounding => Ok(Joined::Sound(Box::new(sounding))),
                answer = answer => answer.unwrap_or_else(|_| Err(ended())).map(Joined::Answer),
            }
        } else {
            answer.await.unwrap_or_else(|_| Err(ended())).map(Joined::Answer)
        };
        if joined.is_err() {
            register.forget_supervision(&supervision);
        }
        joined
    }
}

impl Switchboard {
    /// The call's task has gone: what was to be asked of it is refused, and that is written here.
    pub(super) fn too_late(&self, call: &CallId, unsent: &Message) -> Refusal {
        if let Message::Ask(input, _) | Message::Lend(input, ..) = unsent
            && let Some(row) = input.too_late(&self.directory().org, call, clock::now().wall)
        {
            drop(self.house.store.append(row, Class::Other));
        }
        Refusal::because(Reason::CallEnded)
    }
}

pub enum Joined {
    Answer(undertone_core::call::Reply),
    Sound(Box<Sounding>),
}

/// One supervision out of its call's view.
pub fn supervision_in(view: &CallView, id: &SupervisionId) -> Result<SupervisionView, Refusal> {
    let found = view.supervisions.iter().find(|s| s.id == *id);
    found.cloned().ok_or_else(|| Refusal::because(Reason::NoSuchSupervision))
}
