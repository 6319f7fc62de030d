//! A tapping code dialled from a telephone: who called, whose call is meant, and the leg handed to
//! that call's task. What the code means and whether it is allowed is core's (`codes`, `Join`); a
//! refusal is audited like the API's, and said to the caller.

use super::legs::Leg;
use super::task::{Message, Waiting};
use super::{CallHandle, Switchboard, telling};
use crate::clock;
use std::collections::BTreeMap;
use tokio::sync::{mpsc, oneshot};
use undertone_core::access::Actor;
use undertone_core::audit::{AuditEntry, Outcome, Who};
use undertone_core::call::{Input, Join, RequestId};
use undertone_core::codes;
use undertone_core::directory::{Device, Directory};
use undertone_core::id::{CallId, DeviceId, SupervisionId};
use undertone_core::notice::Spoken;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::view::{Channel, Extent, Follow, LegKind, Mode};
use undertone_sip::DialogEvent;
use undertone_store::Class;

/// A leg that called us, and what happens on its dialog.
pub(crate) type Arrived = Box<(Leg, mpsc::Receiver<DialogEvent>)>;

/// A leg on loan to a call's task: it stays there if core adopts it, else it comes back.
pub struct Lent {
    pub(super) supervision: SupervisionId,
    pub(super) leg: Arrived,
    pub(super) back: oneshot::Sender<Arrived>,
}

/// What was dialled, from which telephone.
pub(super) struct Tapped {
    pub(super) mode: Mode,
    pub(super) extension: String,
    pub(super) device: DeviceId,
    /// Whose telephone it is; None: nobody's, and nobody may supervise from it.
    pub(super) by: Option<Actor>,
}

impl Tapped {
    pub(super) fn new(mode: Mode, extension: &str, device: &Device, dir: &Directory) -> Self {
        let by = dir.owner(&device.id).map(|person| Actor {
            person: person.id.clone(),
            name: person.name.clone(),
            key: None,
            channel: Channel::Dtmf,
            origin: format!("telephone {}", device.id),
            rights: person.rights.clone(),
        });
        Self { mode, extension: extension.to_owned(), device: device.id.clone(), by }
    }

    fn join(&self, by: Actor, request: RequestId, supervision: SupervisionId) -> Join {
        Join {
            request,
            supervision,
            by,
            leg: LegKind::Sip { device: self.device.clone() },
            mode: self.mode,
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
}

impl Switchboard {
    pub(super) async fn tap(self, tapped: Tapped, arrived: Arrived) {
        match self.try_tap(&tapped, arrived).await {
            Ok(()) => {}
            Err((arrived, refusal)) => {
                tracing::info!(%refusal, device = %tapped.device, "a tapping code was refused");
                if let Some(arrived) = arrived {
                    telling::tell_alone(self, arrived, Spoken::refusal(&refusal)).await;
                }
            }
        }
    }

    /// On refusal the leg comes back with it, unless it was taken and has ended.
    async fn try_tap(
        &self,
        tapped: &Tapped,
        arrived: Arrived,
    ) -> Result<(), (Option<Arrived>, Refusal)> {
        let refused = |arrived, call: Option<&CallId>, refusal: Refusal| {
            self.audit_refusal(tapped, call, &refusal);
            Err((Some(arrived), refusal))
        };
        let Some(by) = tapped.by.clone() else {
            return refused(arrived, None, Refusal::because(Reason::NotAllowed));
        };
        let call = match self.call_of_agent(&tapped.extension).await {
            Ok(call) => call,
            Err(refusal) => return refused(arrived, None, refusal),
        };
        let Ok(supervision) = self.house.ids.supervision() else {
            return refused(arrived, Some(&call.id), Refusal::because(Reason::BadRequest));
        };
        let request = self.house.ids.request();
        let join = tapped.join(by, request, supervision.clone());
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
                origin: format!("telephone {}", tapped.device),
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
