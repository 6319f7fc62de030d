//! The demo's ears: what one of its simulated telephones hears, for a person who supervises that
//! call. It is the telephone's own ear, after network and codec, and no word of the plan's.

use crate::commands::Desk;
use crate::demo::RATE;
use crate::switchboard::CallHandle;
use std::time::Duration;
use undertone_api::LiveSound;
use undertone_core::access::{Actor, Right};
use undertone_core::id::{CallId, PersonId, SeatId};
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::view::{CallView, SupervisionState};
use undertone_phone::Recording;

const FRAME: usize = RATE as usize / 50;
/// A telephone hears something in every tick, if only silence; later its call is over.
const QUIET: Duration = Duration::from_secs(2);
/// Once a second it is asked whether the person still supervises.
const LOOK_EVERY: usize = 50;

fn supervises(view: &CallView, who: &PersonId) -> bool {
    let live = |state| state == SupervisionState::Live;
    view.supervisions.iter().any(|s| s.supervisor == *who && live(s.state))
}

impl Desk {
    pub(crate) async fn hear_as(
        &self,
        who: &Actor,
        id: &CallId,
        seat: SeatId,
    ) -> Result<Option<LiveSound>, Refusal> {
        let Some(ears) = self.ears.get() else { return Ok(None) };
        self.may(who, Right::Listen, "demo.ear")?;
        let call = self.board().find(id)?;
        let view = call.view().await.ok_or_else(|| Refusal::because(Reason::CallEnded))?;
        if !supervises(&view, &who.person) {
            let refusal = Refusal::because(Reason::NoSuchSupervision);
            return Err(self.refused(who, "demo.ear", Some(id), refusal));
        }
        let party = view.parties.iter().find(|party| party.seat == seat && party.connected);
        let party = party.ok_or_else(|| Refusal::because(Reason::NoSuchParty))?;
        let Some(heard) = ears.of(&party.number).and_then(|phone| phone.record(RATE).ok()) else {
            return Ok(None);
        };
        let (sender, sound) = LiveSound::channel(RATE, || {}, |_| {});
        tokio::spawn(tell(heard, sender, call, who.person.clone()));
        Ok(Some(sound))
    }
}

/// Until nobody reads, the telephone hears nothing more, or the person has left.
async fn tell(
    heard: Recording,
    sender: undertone_api::SoundSender,
    call: CallHandle,
    who: PersonId,
) {
    let mut at = heard.position();
    let mut frames = 0;
    while heard.more(FRAME, QUIET).await {
        while at + FRAME <= heard.position() {
            if sender.frame(&heard.between(at, at + FRAME)).is_err() {
                return;
            }
            at += FRAME;
            frames += 1;
        }
        if frames >= LOOK_EVERY {
            frames = 0;
            if !call.view().await.is_some_and(|view| supervises(&view, &who)) {
                return;
            }
        }
    }
}
