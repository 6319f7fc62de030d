//! A tapping code dialled from a telephone: the leg proved by a PIN where that is asked for, whose
//! call is meant, and the leg handed to that call's task. Who dialled is core's (`tapping`), and
//! so is what the code means and whether it is allowed (`codes`, `Join`); a refusal is audited like
//! the API's, and said to the caller.

use super::alone::{Alone, Typed};
use super::legs::Leg;
use super::task::{Message, Waiting};
use super::{CallHandle, Switchboard};
use crate::clock;
use std::collections::BTreeMap;
use tokio::sync::{mpsc, oneshot};
use undertone_core::access::Actor;
use undertone_core::audit::{AuditEntry, Outcome, Who};
use undertone_core::call::{Input, Join, RequestId};
use undertone_core::codes;
use undertone_core::directory::Directory;
use undertone_core::id::{CallId, SupervisionId};
use undertone_core::notice::Spoken;
use undertone_core::number::{Dialled, Number};
use undertone_core::pin::TRIES_A_CALL;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing::Origin;
use undertone_core::tapping::{Said, Tapped};
use undertone_core::view::{Channel, Extent, Follow};
use undertone_sip::{DialogEvent, Incoming};
use undertone_store::Class;

/// A leg that called us, and what happens on its dialog.
pub(crate) type Arrived = Box<(Leg, mpsc::Receiver<DialogEvent>)>;

/// A leg on loan to a call's task: it stays there if core adopts it, else it comes back.
pub struct Lent {
    pub(super) supervision: SupervisionId,
    pub(super) leg: Arrived,
    pub(super) back: oneshot::Sender<Arrived>,
}

/// A code that supervises, and not a number like any other.
pub(super) fn tapped(
    incoming: &Incoming,
    origin: &Origin,
    to: &Dialled,
    dir: &Directory,
) -> Option<Tapped> {
    let said = &incoming.identity;
    let number = |uri: &str| Dialled::parse(uri).ok().and_then(|d| d.number().cloned());
    let asserted = said.asserted_uris().filter_map(number).collect();
    let said = Said {
        asserted: (!said.asserted.is_empty()).then_some(asserted),
        from: Number::parse(&incoming.from.user).ok(),
    };
    Tapped::new(origin, to.as_str(), &said, dir)
}

fn join(tapped: &Tapped, by: Actor, request: RequestId, supervision: SupervisionId) -> Join {
    Join {
        request,
        supervision,
        by,
        leg: tapped.leg.clone(),
        mode: tapped.mode,
        targets: Vec::new(),
        alert: false,
        private: false,
        agent_after: Some(codes::AGENT_AFTER),
        reason: String::new(),
        follow: Follow::Call,
        extent: Extent::ThisCall,
        answer_early: false,
        arrived: true,
    }
}

impl Switchboard {
    pub(super) async fn tap(self, tapped: Tapped, arrived: Arrived) {
        let by = match tapped.admitted() {
            Ok(by) => by.clone(),
            Err(refusal) => return self.turn_down(&tapped, arrived, &refusal).await,
        };
        let arrived = match tapped.asks_pin {
            true => self.prove(&tapped, &by, arrived).await,
            false => Some(arrived),
        };
        let Some(arrived) = arrived else { return };
        if let Err((back, refusal)) = self.try_tap(&tapped, by, arrived).await {
            self.tell(back, &refusal).await;
        }
    }

    async fn turn_down(&self, tapped: &Tapped, arrived: Arrived, refusal: &Refusal) {
        self.audit_refusal(tapped, None, refusal);
        self.tell(Some(arrived), refusal).await;
    }

    fn count(&self, refusal: &Refusal) {
        self.house.counts.codes_refused.count(refusal);
        tracing::info!(%refusal, "a tapping code was refused");
    }

    /// None: who called has gone.
    async fn tell(&self, arrived: Option<Arrived>, refusal: &Refusal) {
        self.count(refusal);
        let Some(arrived) = arrived else { return };
        if let Some(mut alone) = Alone::answer(self, arrived).await {
            alone.say(Spoken::refusal(refusal)).await;
            alone.hang_up();
        }
    }

    /// Answers, asks for the PIN, and gives the leg back if it was right. Each refusal is said, and
    /// has its row.
    async fn prove(&self, tapped: &Tapped, by: &Actor, arrived: Arrived) -> Option<Arrived> {
        let (pins, store) = (&self.house.pins, &self.house.store);
        let hash = match pins.asked_of(store, &by.person, &tapped.from).await {
            Ok(hash) => hash,
            Err(refusal) => {
                self.turn_down(tapped, arrived, &refusal).await;
                return None;
            }
        };
        let mut alone = Alone::answer(self, arrived).await?;
        for _ in 0..TRIES_A_CALL {
            let tried = match alone.ask(Spoken::EnterPin).await {
                Typed::Gone => {
                    alone.hang_up();
                    return None;
                }
                Typed::Nothing => Err(Refusal::because(Reason::PinMissing)),
                Typed::Pin(pin) => pins.try_one(&hash, pin, &by.person, &tapped.from).await,
            };
            let Err(refusal) = tried else { return alone.let_go().await };
            self.audit_refusal(tapped, None, &refusal);
            self.count(&refusal);
            let again = refusal.reasons.contains(&Reason::PinWrong);
            if !alone.say(Spoken::refusal(&refusal)).await || !again {
                break;
            }
        }
        alone.hang_up();
        None
    }

    /// On refusal the leg comes back with it, unless it was taken and has ended.
    async fn try_tap(
        &self,
        tapped: &Tapped,
        by: Actor,
        arrived: Arrived,
    ) -> Result<(), (Option<Arrived>, Refusal)> {
        let refused = |arrived, call: Option<&CallId>, refusal: Refusal| {
            self.audit_refusal(tapped, call, &refusal);
            Err((Some(arrived), refusal))
        };
        let call = match self.call_of_agent(&tapped.extension).await {
            Ok(call) => call,
            Err(refusal) => return refused(arrived, None, refusal),
        };
        let Ok(supervision) = self.house.ids.supervision() else {
            return refused(arrived, Some(&call.id), Refusal::because(Reason::BadRequest));
        };
        let request = self.house.ids.request();
        let join = join(tapped, by, request, supervision.clone());
        self.lend(&call, supervision, request, join, arrived).await
    }

    /// The leg goes to the call's task with the wish; core audits what it refuses itself.
    async fn lend(
        &self,
        call: &CallHandle,
        supervision: SupervisionId,
        request: RequestId,
        join: Join,
        arrived: Arrived,
    ) -> Result<(), (Option<Arrived>, Refusal)> {
        let register = &self.house.register;
        register.note_supervision(supervision.clone(), call.id.clone());
        let (reply, answer) = oneshot::channel();
        let (back, returned) = oneshot::channel();
        let lent = Lent { supervision: supervision.clone(), leg: arrived, back };
        let waiting = Waiting { request, reply, sound: None };
        let ended = || Refusal::because(Reason::CallEnded);
        let message = Message::Lend(Box::new(Input::Join(Box::new(join))), waiting, Box::new(lent));
        let refusal = match call.to.send(message).await {
            Err(mpsc::error::SendError(unsent)) => {
                register.forget_supervision(&supervision);
                let refusal = self.too_late(&call.id, &unsent);
                let Message::Lend(_, _, lent) = unsent else { return Err((None, refusal)) };
                return Err((Some(lent.leg), refusal));
            }
            Ok(()) => match answer.await.unwrap_or_else(|_| Err(ended())) {
                Ok(_) => return Ok(()),
                Err(refusal) => refusal,
            },
        };
        register.forget_supervision(&supervision);
        Err((returned.await.ok(), refusal))
    }

    /// A refusal that no call's task has seen.
    fn audit_refusal(&self, tapped: &Tapped, call: Option<&CallId>, refusal: &Refusal) {
        let who = match &tapped.by {
            Some(by) => Who::from(by),
            None => Who {
                person: None,
                key: None,
                channel: Some(Channel::Dtmf),
                origin: tapped.shown(),
            },
        };
        let entry = AuditEntry {
            org: self.directory().org.clone(),
            at: clock::now().wall,
            who,
            what: "supervision.join".into(),
            call: call.cloned(),
            supervision: None,
            outcome: Outcome::refused(refusal),
            detail: BTreeMap::from([("extension".to_owned(), tapped.extension.clone())]),
        };
        drop(self.house.store.append(entry, Class::Other));
    }
}
