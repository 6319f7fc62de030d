//! A call's seats whose leg is a browser's: borrowed when core dials it, given back when core lets
//! it go. What takes time is awaited elsewhere and comes back as a message.

use super::House;
use super::browsers::{Borrowed, Loan, Spoken};
use super::legs::Leg;
use super::task::{CallTask, Message};
use std::collections::BTreeMap;
use undertone_core::call::{Input, LegEnd, LegFailure};
use undertone_core::id::{PersonId, SeatId};
use undertone_engine::{DetachedLeg, Pending};
use undertone_sdp::Codec;

/// A browser's leg between two calls.
pub(super) struct Lodger {
    person: PersonId,
    from: Loan,
    leg: DetachedLeg,
}

/// A leg that is on its way out of its bridge.
type Leaving = Vec<(SeatId, PersonId, Loan, Pending<Option<DetachedLeg>>)>;

pub(super) async fn lodgers(leaving: Leaving) -> BTreeMap<SeatId, Lodger> {
    let mut out = BTreeMap::new();
    for (seat, person, from, leg) in leaving {
        if let Some(leg) = leg.await.flatten() {
            out.insert(seat, Lodger { person, from, leg });
        }
    }
    out
}

impl House {
    pub(super) fn lodgers_home(&self, lodgers: BTreeMap<SeatId, Lodger>) {
        for Lodger { person, from, leg } in lodgers.into_values() {
            self.phone_comes_home(&person, &from, leg);
        }
    }
}

impl CallTask {
    /// Of these seats, those of browsers: they leave the bridge between two packets.
    pub(super) fn browsers_leave(&mut self, seats: impl Iterator<Item = SeatId>) -> Leaving {
        let mut leaving = Vec::new();
        for seat in seats {
            let Some(person) = self.browser_seats.remove(&seat) else { continue };
            let leg = self.house.engine.detach(self.me.bridge, seat);
            leaving.push((seat, person, self.loan(seat), leg));
        }
        leaving
    }

    /// A browser's leg that came with another call takes this seat. False: it is none's.
    pub(super) fn take_browser(&mut self, seat: SeatId, guest: SeatId) -> bool {
        let Some(Lodger { person, from, leg }) = self.moving.lodgers.remove(&guest) else {
            return false;
        };
        let loan = self.loan(seat);
        let moved = self.house.browsers().relent(&person, &from, loan);
        if !moved || self.house.engine.attach_leg(self.me.bridge, seat, leg).is_err() {
            self.next.push_back(Input::LegEnded { seat, cause: LegEnd::Lost });
            return true;
        }
        self.browser_seats.insert(seat, person);
        // The call it comes from may have spoken another codec.
        self.follows(seat);
        true
    }

    /// After each message: what the call's other end speaks may be another codec now, by a
    /// transfer or its phone's own wish.
    pub(super) fn browsers_follow(&mut self) {
        if self.browser_seats.is_empty() {
            return;
        }
        let spoken = self.spoken();
        if spoken.is_some() && std::mem::replace(&mut self.was_spoken, spoken) != spoken {
            self.browser_seats.keys().for_each(|seat| self.follows(*seat));
        }
    }

    fn follows(&self, seat: SeatId) {
        let Some(person) = self.browser_seats.get(&seat) else { return };
        let spoken = self.house.browsers().speaks(person, (&self.me.id, seat), self.spoken());
        if let Some(Spoken { media, is_other: true }) = spoken {
            self.house.engine.reconfigure(self.me.bridge, seat, media);
        }
    }

    /// By the call's other end: browsers ask for it first, so that packets can pass untouched.
    fn spoken(&self) -> Option<Codec> {
        self.legs.values().find_map(Leg::prefers)
    }

    fn loan(&self, seat: SeatId) -> Loan {
        let (call, to) = (self.me.id.clone(), self.me.to.clone());
        Loan { call, bridge: self.me.bridge, seat, to, look: self.look.clone() }
    }

    pub(super) fn dial_browser(&mut self, seat: SeatId, person: &PersonId) {
        self.browser_seats.insert(seat, person.clone());
        let (house, person, loan) = (self.house.clone(), person.clone(), self.loan(seat));
        tokio::spawn(async move {
            let borrowed = house.borrow_phone(&person, &loan).await;
            let message = Message::Browser { seat, borrowed: Box::new(borrowed) };
            // The call has ended: the leg goes back.
            if let Err(unsent) = loan.to.send(message).await
                && let Message::Browser { borrowed, .. } = unsent.0
                && let Ok(Borrowed { leg, .. }) = *borrowed
            {
                house.phone_comes_home(&person, &loan, leg);
            }
        });
    }

    pub(super) fn browser_came(&mut self, seat: SeatId, borrowed: Result<Borrowed, LegFailure>) {
        let person = self.browser_seats.get(&seat).cloned();
        let (person, borrowed) = match (person, borrowed) {
            (Some(person), Ok(borrowed)) => (person, borrowed),
            (Some(_), Err(why)) => {
                self.browser_seats.remove(&seat);
                self.page_is_in(seat, false);
                return self.next.push_back(Input::LegFailed { seat, why });
            }
            // Nobody waits for it any more.
            (None, Ok(borrowed)) => return self.send_home(seat, borrowed),
            (None, Err(_)) => return,
        };
        let Borrowed { leg, media } = borrowed;
        let engine = &self.house.engine;
        if engine.attach_leg(self.me.bridge, seat, leg).is_err() {
            self.browser_seats.remove(&seat);
            self.house.close_phone(&person);
            self.page_is_in(seat, false);
            let why = LegFailure::Other;
            return self.next.push_back(Input::LegFailed { seat, why });
        }
        // Its page may have offered anew since it was booked.
        let here = (&self.me.id, seat);
        let spoken = self.house.browsers().speaks(&person, here, self.spoken());
        let media = spoken.map_or(media, |spoken| spoken.media);
        let (sends, receives) = (media.receives, media.sends);
        engine.reconfigure(self.me.bridge, seat, media);
        self.next.push_back(Input::LegAnswered { seat });
        self.page_is_in(seat, true);
        if !(sends && receives) {
            self.next.push_back(Input::LegDirection { seat, sends, receives });
        }
    }

    pub(super) fn send_home(&self, seat: SeatId, borrowed: Borrowed) {
        let loan = self.loan(seat);
        if let Some(person) = self.house.browsers().holder(&loan) {
            self.house.phone_comes_home(&person, &loan, borrowed.leg);
        }
    }

    /// The seat is let go. False: it is no browser's.
    pub(super) fn return_browser(&mut self, seat: SeatId) -> bool {
        let Some(person) = self.browser_seats.remove(&seat) else { return false };
        let (house, loan) = (self.house.clone(), self.loan(seat));
        let leaving = house.engine.detach(self.me.bridge, seat);
        tokio::spawn(async move {
            if let Some(leg) = leaving.await.flatten() {
                house.phone_comes_home(&person, &loan, leg);
            }
        });
        true
    }

    pub(super) fn browser_gone(&mut self, seat: SeatId, cause: LegEnd) {
        if self.return_browser(seat) {
            self.next.push_back(Input::LegEnded { seat, cause });
        }
    }

    pub(super) fn return_browsers(&mut self) {
        let seats: Vec<SeatId> = self.browser_seats.keys().copied().collect();
        for seat in seats {
            self.return_browser(seat);
        }
    }
}
