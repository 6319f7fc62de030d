//! The legs of another call sit down in this one, in one turn: their seats here are new, and what
//! was set on them there, by whom, is set on them here.
//!
//! Whether the two are to be one, and which of them goes on, is `merging.rs`'s.

use super::effect::Effect;
use super::input::{Guest, GuestPart, Join, Merged};
use super::party::Party;
use super::turn::{Due, Turn};
use super::{Call, Stage};
use crate::audit::{Outcome, Who};
use crate::id::SeatId;
use crate::phone::Leg;
use crate::refusal::{Reason, Refusal};
use crate::seat::{Mark, Part, Room, Seat};
use crate::supervision::{Admission, Ask, Ear, Life, admit};
use crate::view::{AgentAfter, Follow, LegKind, Mode, Role};
use std::collections::{BTreeMap, BTreeSet};

/// What is set on a guest, by seats of the call that it came from.
struct Marks {
    of: SeatId,
    held_by: BTreeSet<Mark>,
    listening_by: BTreeSet<Mark>,
}

impl Marks {
    fn of(guest: &Guest) -> Self {
        let (held_by, listening_by) = (guest.held_by.clone(), guest.listening_by.clone());
        Self { of: guest.seat, held_by, listening_by }
    }
}

impl Call {
    /// The other call's legs are here. In one turn they sit down and who joined the two leaves.
    pub(super) fn merged(&mut self, turn: &mut Turn, merged: Merged) {
        let waits = self.merges_with(&merged.from);
        let full = self.seats().len() + merged.guests.len() > turn.dir.policy.max_seats;
        // Asked for by this call and given up since, by a takeover or for lateness; or the phone
        // that joins the two was put aside here meanwhile.
        let unwanted = !waits && merged.refer.is_none();
        let aside = merged.ours.iter().any(|seat| self.is_aside(*seat));
        let unfit = full || unwanted || aside;
        if merged.guests.is_empty() || self.stage != Stage::Talking || unfit {
            for guest in merged.guests {
                turn.out.push(Effect::DropGuest { guest: guest.seat });
            }
            return if waits {
                self.merge_failed(turn)
            };
        }
        let mut refer = None;
        let mut leaving: BTreeSet<SeatId> = merged.ours.into_iter().collect();
        if waits {
            self.stop_timer(turn, &Due::Merge);
            let transfer = self.transfer.take();
            refer = transfer.as_ref().and_then(|transfer| transfer.refer);
            leaving.extend(transfer.into_iter().flat_map(|transfer| transfer.leaving));
        } else {
            self.give_up_transfer(turn, Reason::Superseded);
        }
        let details = vec![("from", merged.from.to_string())];
        self.write(turn, Who::system(), "call.merged", None, Outcome::Allowed, details);
        self.note(turn, "merged", "", merged.from.to_string());
        let (mut seats, mut joins) = (BTreeMap::new(), Vec::new());
        let marks: Vec<_> = merged.guests.iter().map(Marks::of).collect();
        let is_agent = |guest: &Guest| guest.part == GuestPart::Agent;
        let left = |guest: &Guest| is_agent(guest) && merged.leaving.contains(&guest.seat);
        let agent_left = merged.guests.iter().any(left);
        for guest in merged.guests {
            match guest.part {
                GuestPart::Supervisor(join) => {
                    joins.push((guest.seat, *join, guest.sends, guest.receives));
                }
                GuestPart::Customer | GuestPart::Agent => {
                    let old = guest.seat;
                    seats.insert(old, self.seat_guest(turn, guest));
                }
            }
        }
        leaving.extend(merged.leaving.iter().filter_map(|old| seats.get(old)));
        if let Some((old, token)) = merged.refer {
            refer = seats.get(&old).map(|seat| (*seat, token));
        }
        self.hand_seats_on(turn, leaving, seats.values().copied().collect());
        if let Some((seat, refer)) = refer {
            turn.out.push(Effect::NotifyRefer { seat, refer, code: 200, last: true });
        }
        for (guest, join, sends, receives) in joins {
            let gone = agent_left && join.follow == Follow::Agent;
            let seat = self.seat_guest_supervisor(turn, (guest, sends, receives), join, gone);
            seats.extend(seat.map(|seat| (guest, seat)));
        }
        self.carry_marks(&marks, &seats);
        self.keep_or_end(turn, "merged");
    }

    /// Who was held or put aside in the other call is so here, as long as whoever set that mark is
    /// here too: nobody becomes audible by a merge.
    fn carry_marks(&mut self, marks: &[Marks], seats: &BTreeMap<SeatId, SeatId>) {
        let here = |seat: &SeatId| self.parties.get(seat).is_some_and(|p| p.leg != Leg::Gone);
        let seats: BTreeMap<_, _> = seats.iter().filter(|(_, seat)| here(seat)).collect();
        let carried = |mark: &Mark| match mark {
            Mark::Api => Some(Mark::Api),
            Mark::Seat(old) => seats.get(old).map(|seat| Mark::Seat(**seat)),
        };
        for Marks { of, held_by, listening_by } in marks {
            let Some(party) = seats.get(of).and_then(|seat| self.parties.get_mut(seat)) else {
                continue;
            };
            party.seat.held_by.extend(held_by.iter().filter_map(carried));
            party.seat.listening_by.extend(listening_by.iter().filter_map(carried));
        }
    }

    /// Who joined the calls leaves; supervision goes on as through a transfer.
    fn hand_seats_on(&mut self, turn: &mut Turn, leaving: BTreeSet<SeatId>, came: Vec<SeatId>) {
        let agent = |seat: &SeatId| self.parties.get(seat).is_some_and(|p| p.is(Role::Agent));
        let agent_left = leaving.iter().any(agent);
        let new: Vec<_> = came.into_iter().filter(|seat| !leaving.contains(seat)).collect();
        for seat in &new {
            self.follow(turn, agent_left, *seat);
        }
        for seat in leaving {
            if let Some(party) = self.parties.get_mut(&seat) {
                party.handed_over = true;
            }
            self.depart(turn, seat, "transferred", true);
        }
        let agents = |seat: &&SeatId| self.parties.get(seat).is_some_and(|p| p.is(Role::Agent));
        if let Some(agent) = new.iter().find(agents).copied() {
            self.coach_anew(turn, agent);
        }
    }

    /// What it says toward a customer was said in another call until now: its edges are guarded.
    fn seat_guest(&mut self, turn: &mut Turn, guest: Guest) -> SeatId {
        let seat = self.next_seat();
        let part = match guest.part {
            GuestPart::Customer => Part::Customer,
            GuestPart::Agent | GuestPart::Supervisor(_) => Part::Agent,
        };
        let mut sits = Seat::new(seat, part);
        (sits.connected, sits.sends, sits.receives) = (true, guest.sends, guest.receives);
        self.before.was_live(seat);
        turn.out.push(Effect::TakeLeg { seat, guest: guest.seat });
        let busy = guest.person.clone().filter(|_| sits.part == Part::Agent);
        if let Some(person) = busy {
            turn.out.push(Effect::AgentBusy { person });
        }
        let holds = sits.part == Part::Agent && !guest.receives;
        self.note(turn, "joined_by_merge", guest.name.clone(), seat.to_string());
        self.parties.insert(
            seat,
            Party {
                seat: sits,
                person: guest.person,
                name: guest.name,
                number: guest.number,
                net: guest.net,
                leg: Leg::Up,
                to_dial: None,
                called: Vec::new(),
                redial: guest.redial,
                handed_over: false,
                far_holds: guest.far_holds,
                quiet: false,
                unattended: false,
                then: None,
            },
        );
        if holds {
            self.mark_others(seat, Room::MAIN);
        }
        seat
    }

    /// A supervisor of the call that ended: in listen, once the row about it is committed.
    fn seat_guest_supervisor(
        &mut self,
        turn: &mut Turn,
        (guest, sends, receives): (SeatId, bool, bool),
        mut join: Join,
        agent_left: bool,
    ) -> Option<SeatId> {
        turn.dir.restrict(&mut join.by);
        let policy = &turn.dir.policy;
        let facts = self.facts(policy.max_supervisors, policy.max_seats);
        let targets = BTreeSet::new();
        let by = &join.by;
        let ask = Ask { by, mode: Mode::Listen, targets: &targets, stream: false, present: None };
        let known = self.supervisions.contains_key(&join.supervision);
        let refusal = match admit(&ask, &facts) {
            // It followed the agent, who has left both.
            Admission::Admitted(_) if agent_left => {
                Some(Refusal::because(Reason::AgentTransferred))
            }
            Admission::Admitted(_) if !known => None,
            Admission::Admitted(_) => Some(Refusal::because(Reason::AlreadySupervising)),
            Admission::Denied(reasons) => Some(Refusal { reasons, detail: "merged".into() }),
        };
        if let Some(no) = refusal {
            turn.out.push(Effect::DropGuest { guest });
            let (by, id) = (join.by.clone(), join.supervision.clone());
            self.refuse(turn, &by, "supervision.join", Some(&id), None, no);
            return None;
        }
        let shown = match &join.leg {
            LegKind::Sip { device } => device.to_string(),
            LegKind::Trunk { number, .. } => number.clone(),
            LegKind::Phone | LegKind::Stream => join.by.person.to_string(),
        };
        let seat = self.seat_supervisor(&join, shown);
        if let Some(party) = self.parties.get_mut(&seat) {
            (party.seat.sends, party.seat.receives, party.leg) = (sends, receives, Leg::Up);
        }
        self.before.was_live(seat);
        turn.out.push(Effect::TakeLeg { seat, guest });
        join.agent_after = Some(AgentAfter::Removed);
        let life = Life::Connecting { answered: true, committed: false };
        self.enter(turn, join, BTreeSet::new(), Ear::Seat(seat), life, Vec::new());
        Some(seat)
    }
}
