//! From the state to one plan: which seats there are, what sounds beside them, when one seat has
//! given way to another, and what is answered once the plan is in force.

use super::effect::Effect;
use super::party::Party;
use super::turn::{Due, Turn};
use super::{Call, Stage};
use crate::hearing::{HearingPolicy, hearing};
use crate::id::SeatId;
use crate::notice::{HOLD_MUSIC, LOST_PROMPT, Sound, spoken_source};
use crate::phone::Leg;
use crate::plan::{EdgeRef, HearingPlan, Listener, PlanVersion, Source};
use crate::seat::{Part, Room, Seat, Sounds, Supervising, TapRow, TapSeat};
use crate::supervision::{Ear, Life, Supervision};
use crate::times::Holding;
use crate::view::{Mode, Role};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Call {
    /// Ends a turn: the plan, the answers that need no waiting, the times.
    pub(super) fn finish(&mut self, turn: &mut Turn) {
        if self.is_over() {
            // A key that ended the call is told nothing; its answer stays inside all the same.
            self.hear_own_answers(turn);
            self.note_heard(turn);
            turn.out.append(&mut turn.after_plan);
            turn.out.push(Effect::Changed);
            turn.out.push(Effect::Ended(Box::new(self.record(turn.now))));
            return;
        }
        if self.transfer.is_none() {
            self.coached.clear();
        }
        self.replan(turn);
        self.note_raises();
        self.set_awaits(turn);
        self.answer_what_is_in_force(turn);
        if self.hear_own_answers(turn) {
            self.replan(turn);
        }
        self.note_heard(turn);
        self.times.turn(turn.now.mono, self.holding());
        self.settle_help(turn);
        turn.out.append(&mut turn.after_plan);
        if turn.changed {
            turn.out.push(Effect::Changed);
        }
    }

    fn replan(&mut self, turn: &mut Turn) {
        let policy = HearingPolicy {
            supervisors_hear_each_other: turn.dir.policy.supervisors_hear_each_other,
        };
        let version = PlanVersion(self.plan.version.0 + 1);
        // Ends: every settling takes one `gives_way_to` off, and none is set here.
        let (plan, before) = loop {
            let (seats, taps) = (self.seats(), self.taps());
            let plan = hearing(&seats, &taps, &self.sounds(), &policy, &self.before, version);
            let mut before = self.before.clone();
            before.follow(&seats, &plan);
            let guards: BTreeSet<_> = before.guards().collect();
            match self.given_way(&guards) {
                Some(giver) => self.settle(turn, giver),
                None => break (plan, before),
            }
        };
        if self.is_over() || (plan.edges == self.plan.edges && plan.never == self.plan.never) {
            return;
        }
        self.start_sources(turn, &plan);
        self.before = before;
        self.plan = plan.clone();
        turn.changed = true;
        turn.out.push(Effect::ApplyPlan(Arc::new(plan)));
    }

    /// A seat that gives way to one whom no customer waits to hear: it may go aside now. Who is
    /// not there is waited for, up to the deadline: until then nobody has been heard instead.
    fn given_way(&self, guards: &BTreeSet<EdgeRef>) -> Option<SeatId> {
        let waiting = |to: SeatId| {
            self.up(Role::Customer).any(|customer| {
                let listener = Listener::Seat(customer.id());
                guards.contains(&EdgeRef { source: Source::Seat(to), listener })
            })
        };
        let taken = |to: SeatId| self.is_there(to) && !waiting(to);
        let given = |party: &&Party| party.gives_way_to().is_some_and(taken);
        self.parties.values().find(given).map(Party::id)
    }

    fn start_sources(&self, turn: &mut Turn, plan: &HearingPlan) {
        let names = |plan: &HearingPlan, source| plan.edges.iter().any(|e| e.source == source);
        for (source, sound) in [(HOLD_MUSIC, Sound::HoldMusic), (LOST_PROMPT, Sound::TakeoverLost)]
        {
            if names(plan, source) && !names(&self.plan, source) {
                turn.out.push(Effect::StartSource { source, sound });
            }
        }
        for (seat, word) in &self.spoken {
            let source = spoken_source(*seat);
            if names(plan, source) && !names(&self.plan, source) {
                turn.out.push(Effect::StartSource { source, sound: Sound::Spoken(*word) });
            }
        }
        for seat in &self.beeps {
            let source = Source::Tone(seat.0);
            if names(plan, source) && !names(&self.plan, source) {
                turn.out.push(Effect::StartSource { source, sound: Sound::CoachingBeep });
            }
        }
    }

    pub(super) fn seats(&self) -> Vec<Seat> {
        let present = self.parties.values().filter(|party| party.leg != Leg::Gone);
        present.map(|party| self.as_heard(party)).collect()
    }

    /// A supervisor's seat shows the mode that the supervision has now; from one who is not there
    /// nothing comes.
    fn as_heard(&self, party: &Party) -> Seat {
        let mut seat = party.seat.clone();
        seat.sends &= party.is_there();
        if let Some(supervision) = self.supervision_at(party.id()) {
            seat.part = Part::Supervisor(Supervising {
                mode: supervision.now.mode,
                targets: supervision.now.targets.clone(),
                private: supervision.private,
            });
        }
        seat
    }

    fn taps(&self) -> Vec<TapSeat> {
        let tap = |supervision: &Supervision| match supervision.ear {
            Ear::Tap(id) if supervision.is_routed() => {
                Some(TapSeat { id, hears: TapRow::Listen(Room::MAIN) })
            }
            _ => None,
        };
        self.supervisions.values().filter_map(tap).collect()
    }

    fn sounds(&self) -> Sounds {
        let Source::Music(music) = HOLD_MUSIC else { return Sounds::default() };
        let Source::Prompt(prompt) = LOST_PROMPT else { return Sounds::default() };
        let beeps = self.beeps.iter().map(|seat| (*seat, seat.0)).collect();
        let announcing = self.stage == Stage::Announcing;
        let customers = self.up(Role::Customer).filter(|_| announcing);
        let mut prompts: Vec<_> = customers.map(|p| (p.id(), prompt)).collect();
        for seat in self.spoken.keys() {
            if let Source::Prompt(prompt) = spoken_source(*seat) {
                prompts.push((*seat, prompt));
            }
        }
        Sounds { music, beeps, prompts }
    }

    fn set_awaits(&mut self, turn: &mut Turn) {
        let guarded: BTreeSet<_> = self.before.guards().map(|edge| edge.source).collect();
        let mut late = Vec::new();
        let (version, in_force) = (self.plan.version, self.in_force);
        for wait in self.awaits.iter_mut().filter(|wait| wait.version.is_none()) {
            wait.version = Some(version);
            if version > in_force {
                late.push(wait.number);
            }
            let raised = wait.about.as_ref().filter(|_| wait.raised);
            if let Some(supervision) = raised.and_then(|id| self.supervisions.get_mut(id)) {
                let own = supervision.seat().is_some_and(|s| guarded.contains(&Source::Seat(s)));
                supervision.guard_ms = if own { turn.dir.policy.guard_ms } else { 0 };
            }
        }
        for number in late {
            self.start_timer(turn, Due::Plan(number), turn.dir.policy.plan_ms);
        }
    }

    fn answer_what_is_in_force(&mut self, turn: &mut Turn) {
        let in_force = self.in_force;
        let ready = |version: Option<PlanVersion>| version.is_some_and(|v| v <= in_force);
        let (done, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.awaits).into_iter().partition(|w| ready(w.version));
        self.awaits = waiting;
        for wait in done {
            self.stop_timer(turn, &Due::Plan(wait.number));
            let answer = self.answer(turn.now, wait.about.as_ref());
            turn.reply(wait.requests, answer);
        }
    }

    pub(super) fn holding(&self) -> Holding {
        let customers = || self.up(Role::Customer);
        let held = |party: &Party| !party.seat.held_by.is_empty();
        let talks = |agent: &&Party| agent.may_be_heard() && agent.is_there();
        let facing = |agent: &&Party| customers().any(|c| c.seat.room == agent.seat.room);
        let live = |mode: Mode| {
            let there = |seat: SeatId| self.parties.get(&seat).is_some_and(Party::is_there);
            let heard = |s: &&Supervision| mode == Mode::Listen || s.seat().is_none_or(there);
            let in_it = |s: &&Supervision| s.is_routed() && s.now.mode == mode && heard(s);
            self.supervisions.values().filter(in_it).count() > 0
        };
        let lost = self.supervisions.values().any(|s| s.life == Life::Lost);
        let with_customer = customers().any(|party| party.seat.room == Room::MAIN);
        let agents = self.up(Role::Agent).filter(talks);
        let customer = |party: &Party| party.is(Role::Customer) && !party.handed_over;
        let internal = !self.parties.values().any(customer);
        let in_main = |party: &&Party| party.seat.room == Room::MAIN;
        let agent_talks = if internal {
            self.stage == Stage::Talking && agents.filter(in_main).count() > 1
        } else {
            agents.filter(facing).count() > 0
        };
        let alone = lost && self.up(Role::Agent).all(|agent| !agent.may_be_heard());
        let agent_held = internal && self.up(Role::Agent).any(held);
        let away = |agent: &Party| agent.may_be_heard() && !facing(&agent);
        Holding {
            queued: false,
            ringing: self.stage == Stage::Ringing,
            agent_talks,
            barge: with_customer && live(Mode::Barge),
            takeover: with_customer && live(Mode::Takeover),
            held: customers().any(held)
                || agent_held
                || (alone && with_customer)
                || (with_customer && self.customer_waits_for_sound())
                || self.stage == Stage::Announcing,
            // A transfer in flight is neither hold nor consult: it is what is left over.
            consulting: self.transfer.is_none() && with_customer && self.up(Role::Agent).any(away),
            whisper: live(Mode::Whisper),
            listen: live(Mode::Listen),
        }
    }

    /// The plan of an await never came in force: the media does not answer.
    pub(super) fn plan_not_in_force(&mut self, turn: &mut Turn, number: u64) {
        let Some(at) = self.awaits.iter().position(|wait| wait.number == number) else { return };
        let wait = self.awaits.remove(at);
        turn.refuse(wait.requests, crate::refusal::Reason::MediaFailed);
        if let Some(id) = wait.about.filter(|_| wait.raised) {
            self.take_back_raise(turn, &id, "media_failed");
        }
    }

    /// Those of a role whose leg is in the bridge.
    pub(super) fn up(&self, role: Role) -> impl Iterator<Item = &Party> {
        self.parties.values().filter(move |party| party.is(role) && party.is_up())
    }

    pub(super) fn supervision_at(&self, seat: SeatId) -> Option<&Supervision> {
        self.supervisions.values().find(|s| !s.is_over() && s.seat() == Some(seat))
    }
}
