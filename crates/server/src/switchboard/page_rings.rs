//! A person's phone in the browser rings beside their other devices, and the first that answers has
//! the call. It has no dialog: the page answers or declines by a command, and the leg is borrowed
//! then. Knows no mode, and not who may be called.
//!
//! ```text
//!   dial ──▶ rings ──answer──▶ borrowed ──▶ LegAnswered, or LegFailed
//!              ├──decline────▶ LegFailed, the other devices stop
//!              └──another device answers, or the seat is let go──▶ rings no more
//! ```

use super::browsers::Connection;
use super::task::{CallTask, Message};
use super::{CallHandle, House};
use std::collections::BTreeMap;
use tokio::sync::oneshot;
use undertone_core::call::{DialTarget, Input, LegFailure};
use undertone_core::id::{PersonId, SeatId};
use undertone_core::refusal::{Reason, Refusal};

type Reply = oneshot::Sender<Result<(), Refusal>>;

/// What a page says to a call that rings there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSays {
    Answer,
    Decline,
}

/// Of one call.
#[derive(Default)]
pub(super) struct PageRings {
    ringing: BTreeMap<SeatId, PersonId>,
    /// Who waits for the leg to be there.
    answering: BTreeMap<SeatId, Reply>,
}

impl CallHandle {
    /// Success is said once the page's leg is in the call.
    pub async fn page_says(&self, person: PersonId, says: PageSays) -> Result<(), Refusal> {
        let ended = || Refusal::because(Reason::CallEnded);
        let (reply, answer) = oneshot::channel();
        let message = Message::Page { person, says, reply };
        self.to.send(message).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

impl House {
    /// Up, and in no call.
    fn has_free_page(&self, person: &PersonId) -> bool {
        let seen = self.phone(person);
        seen.is_some_and(|seen| seen.connection == Connection::Up && seen.call.is_none())
    }
}

impl CallTask {
    /// False: the person has no phone in a browser that is free.
    pub(super) fn ring_page(&mut self, seat: SeatId, to: &DialTarget) -> bool {
        let DialTarget::Person { person, .. } = to else { return false };
        if !self.house.has_free_page(person) {
            return false;
        }
        self.pages.ringing.insert(seat, person.clone());
        self.next.push_back(Input::LegRinging { seat });
        true
    }

    pub(super) fn page_rings(&self, seat: SeatId) -> bool {
        self.pages.ringing.contains_key(&seat)
    }

    pub(super) fn stop_page(&mut self, seat: SeatId) {
        self.pages.ringing.remove(&seat);
        self.pages.answering.remove(&seat);
    }

    pub(super) fn page_said(&mut self, person: &PersonId, says: PageSays, reply: Reply) {
        let mut ringing = self.pages.ringing.iter();
        let Some(seat) = ringing.find(|(_, whose)| *whose == person).map(|(seat, _)| *seat) else {
            let _ = reply.send(Err(Refusal::because(Reason::NotRinging)));
            return;
        };
        // The other devices stop.
        self.stop_search(seat);
        if let Some(leg) = self.legs.remove(&seat) {
            self.unplug(seat);
            leg.end();
        }
        match says {
            PageSays::Answer => {
                self.pages.answering.insert(seat, reply);
                self.dial_browser(seat, person);
            }
            PageSays::Decline => {
                self.next.push_back(Input::LegFailed { seat, why: LegFailure::Declined });
                let _ = reply.send(Ok(()));
            }
        }
    }

    /// The leg that a page answered with is in the call, or is not to be had.
    pub(super) fn page_is_in(&mut self, seat: SeatId, is_in: bool) {
        if let Some(reply) = self.pages.answering.remove(&seat) {
            let no = || Refusal::because(Reason::LegRejected);
            let _ = reply.send(is_in.then_some(()).ok_or_else(no));
        }
    }
}
