//! Legs that change their place: out of a call into another one that goes on, or into a seat that
//! another leg had. Core says which; here dialogs, events and media are carried over.

use super::browser_seats::{Lodger, lodgers};
use super::exchange::Carried;
use super::legs::{Leg, Place};
use super::task::{CallTask, Message};
use super::transferring::OpenRefer;
use std::collections::BTreeMap;
use tokio::sync::{mpsc, watch};
use undertone_core::call::{
    ArrivalId, GuestPart, HandOver, Input, LegEnd, Merged, NewParty, ReferId, ReplaceAsked,
};
use undertone_core::id::{CallId, LegId, SeatId};
use undertone_engine::DetachedLeg;
use undertone_sip::DialogEvent;

/// A leg between two calls: of no bridge, its events waiting for its next place.
pub(super) struct Moved {
    leg: Leg,
    /// None if its media went away meanwhile.
    media: Option<DetachedLeg>,
    refers: Vec<(ReferId, OpenRefer)>,
    carried: Carried,
}

/// What another call gave up, by seats there.
pub struct Guests {
    legs: BTreeMap<SeatId, Moved>,
    browsers: BTreeMap<SeatId, Lodger>,
    merged: Merged,
}

/// An INVITE whose Replaces names a leg of this call.
pub struct Arrival {
    pub(super) leg: Leg,
    pub(super) events: mpsc::Receiver<DialogEvent>,
    pub(super) seat: SeatId,
    pub(super) by: NewParty,
}

/// What is on its way into this call, and what has left it.
#[derive(Default)]
pub(super) struct Moving {
    guests: BTreeMap<SeatId, Moved>,
    pub(super) lodgers: BTreeMap<SeatId, Lodger>,
    arrivals: BTreeMap<ArrivalId, (Leg, mpsc::Receiver<DialogEvent>)>,
    last_arrival: u64,
    given: BTreeMap<LegId, watch::Receiver<Place>>,
}

impl CallTask {
    pub(super) fn ask_to_give_up(&mut self, call: CallId, leaving: Vec<SeatId>) {
        let into = self.me.id.clone();
        match self.house.register.call(&call) {
            // Its answer is a message; that none comes has its deadline.
            Some(other) => {
                tokio::spawn(async move { other.input(Input::GiveUpTo { into, leaving }).await });
            }
            None => self.next.push_back(Input::Merged(Box::new(nothing(call)))),
        }
    }

    /// Legs leave the bridge between two packets, and come to the other call with their sockets.
    pub(super) fn hand_over(&mut self, given: HandOver) {
        let HandOver { into, merged } = given;
        let mut going = Vec::new();
        for guest in &merged.guests {
            let Some(leg) = self.legs.remove(&guest.seat) else { continue };
            let media = self.house.engine.detach(self.me.bridge, guest.seat);
            if let Some(place) = leg.place() {
                self.moving.given.insert(leg.id, place);
            }
            let carried = self.house.exchange.carry(&self.me.id, guest.seat);
            going.push((guest.seat, leg, media, self.take_refers(guest.seat), carried));
        }
        let seats = merged.guests.iter().map(|guest| guest.seat);
        let leaving = self.browsers_leave(seats);
        let (other, house) = (self.house.register.call(&into), self.house.clone());
        tokio::spawn(async move {
            let browsers = lodgers(leaving).await;
            let mut legs = BTreeMap::new();
            for (seat, leg, media, refers, carried) in going {
                let media = media.await.flatten();
                legs.insert(seat, Moved { leg, media, refers, carried });
            }
            let Some(other) = other else {
                house.lodgers_home(browsers);
                return let_go(legs);
            };
            let message = Message::Guests(Box::new(Guests { legs, browsers, merged }));
            if let Err(mpsc::error::SendError(Message::Guests(guests))) =
                other.to.send(message).await
            {
                house.lodgers_home(guests.browsers);
                let_go(guests.legs);
            }
        });
    }

    pub(super) fn guests_came(&mut self, guests: Guests) {
        let Guests { legs, browsers, merged } = guests;
        (self.moving.guests, self.moving.lodgers) = (legs, browsers);
        for guest in &merged.guests {
            if let GuestPart::Supervisor(join) = &guest.part {
                let (id, call) = (join.supervision.clone(), self.me.id.clone());
                self.house.register.note_supervision(id, call);
            }
        }
        self.next.push_back(Input::Merged(Box::new(merged)));
    }

    pub(super) fn take_leg(&mut self, seat: SeatId, guest: SeatId) {
        if self.take_browser(seat, guest) {
            return;
        }
        let Some(Moved { leg, media, refers, carried }) = self.moving.guests.remove(&guest) else {
            self.next.push_back(Input::LegEnded { seat, cause: LegEnd::Lost });
            return;
        };
        let engine = &self.house.engine;
        let attached = media.map(|media| engine.attach_leg(self.me.bridge, seat, media));
        if !matches!(attached, Some(Ok(()))) {
            tracing::warn!(call = %self.me.id, %seat, "a leg came without its media");
            self.next.push_back(Input::MediaFailed { seat });
        }
        carried.put(&self.me.id, seat);
        leg.moves_to((self.me.to.clone(), seat));
        self.house.register.note_dialog(leg.dialog(), self.me.id.clone(), seat);
        for (refer, open) in refers {
            self.keep_refer(seat, refer, open);
        }
        self.legs.insert(seat, leg);
    }

    pub(super) fn drop_guest(&mut self, guest: SeatId) {
        if let Some(lodger) = self.moving.lodgers.remove(&guest) {
            self.house.lodgers_home([(guest, lodger)].into());
        }
        if let Some(moved) = self.moving.guests.remove(&guest) {
            moved.leg.end();
        }
    }

    pub(super) fn arrival_came(&mut self, arrival: Arrival) {
        let Arrival { leg, events, seat, by } = arrival;
        self.moving.last_arrival += 1;
        let arrival = ArrivalId(self.moving.last_arrival);
        self.moving.arrivals.insert(arrival, (leg, events));
        let asked = ReplaceAsked { seat, arrival, by };
        self.next.push_back(Input::ReplaceAsked(Box::new(asked)));
    }

    /// One leg's media goes out of the seat and the other's in between the same two packets; then
    /// the old dialog ends.
    pub(super) fn replace_leg(&mut self, seat: SeatId, arrival: ArrivalId) {
        let Some((mut leg, events)) = self.moving.arrivals.remove(&arrival) else { return };
        let old = self.legs.remove(&seat);
        self.unplug(seat);
        leg.follow(self.me.to.clone(), seat, events);
        self.legs.insert(seat, leg);
        self.answer(seat);
        match self.legs.get(&seat).and_then(Leg::directions) {
            Some((sends, receives)) => {
                self.next.push_back(Input::LegDirection { seat, sends, receives });
            }
            None => self.next.push_back(Input::LegEnded { seat, cause: LegEnd::Lost }),
        }
        if let Some(old) = old {
            old.end();
        }
    }

    pub(super) fn refuse_arrival(&mut self, arrival: ArrivalId, code: u16) {
        if let Some((leg, _)) = self.moving.arrivals.remove(&arrival) {
            leg.refuse(code);
        }
    }

    /// News of a leg that has gone to another call goes after it.
    pub(super) fn send_after(&self, leg: LegId, event: DialogEvent) {
        let Some(place) = self.moving.given.get(&leg).cloned() else { return };
        tokio::spawn(super::legs::deliver(place, leg, event));
    }

    /// After the end: who was on the way in is told that there is nothing here.
    pub(super) fn turn_away(&mut self, message: Message) {
        match message {
            Message::Arrival(arrival) => arrival.leg.refuse(481),
            Message::Guests(guests) => {
                self.house.lodgers_home(guests.browsers);
                let_go(guests.legs);
            }
            Message::Browser { seat, borrowed } => {
                if let Ok(borrowed) = *borrowed {
                    self.send_home(seat, borrowed);
                }
            }
            Message::Dialog { leg, event, .. } => self.send_after(leg, event),
            _ => {}
        }
    }
}

fn nothing(from: CallId) -> Merged {
    Merged { from, guests: vec![], leaving: vec![], ours: vec![], refer: None }
}

fn let_go(legs: BTreeMap<SeatId, Moved>) {
    legs.into_values().for_each(|moved| moved.leg.end());
}
