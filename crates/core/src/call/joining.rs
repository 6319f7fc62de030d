//! A supervisor comes: admitted or refused, dialled, audited, put in the plan in listen, proven,
//! and only then raised to what was asked. The answer is given when that is in force, or at the
//! step that failed; then nothing of it is left.

use super::Call;
use super::effect::Effect;
use super::input::{DialTarget, Join, RequestId};
use super::party::Party;
use super::raising::targets_text;
use super::turn::{Details, Due, Gate, Turn};
use crate::access::Right;
use crate::codes::Keypad;
use crate::id::{SeatId, SupervisionId, TapId};
use crate::refusal::{Reason, Refusal};
use crate::seat::{Part, Room, Supervising};
use crate::supervision::{
    Admission, AgentFact, Ask, Ear, Facts, Life, Supervision, Wanted, admit, agent_after_code,
    mode_code,
};
use crate::time::Now;
use crate::view::{AgentAfter, LegKind, Mode, Role};
use std::collections::BTreeSet;

/// How many supervisions, ended ones included, a call shows.
const SUPERVISIONS_KEPT: usize = 200;

impl Call {
    pub(super) fn facts(&self, max_supervisors: usize, max_seats: usize) -> Facts {
        let there = || self.supervisions.values().filter(|s| !s.is_over());
        let agent = |party: &Party| AgentFact {
            seat: party.id(),
            person: party.person.clone(),
            receives: party.seat.receives && party.seat.room == Room::MAIN,
        };
        let owner = there().find(|s| s.owns_call());
        let lost = there().find(|s| s.life == Life::Lost);
        Facts {
            ended: self.is_over(),
            talking: self.stage == super::Stage::Talking,
            agents: self.up(Role::Agent).map(agent).collect(),
            customers: self.up(Role::Customer).count(),
            customer_held: self.up(Role::Customer).any(|p| !p.seat.held_by.is_empty()),
            seats: self.seats().len(),
            supervisors: there().filter(|s| s.life != Life::Lost).count(),
            attending: there().map(|s| (s.id.clone(), s.by.person.clone())).collect(),
            owner: owner.map(|s| (s.id.clone(), s.by.person.clone())),
            lost_owner: lost.map(|s| s.by.person.clone()),
            max_supervisors,
            max_seats,
        }
    }

    pub(super) fn join(&mut self, turn: &mut Turn, join: Join) {
        let policy = &turn.dir.policy;
        let facts = self.facts(policy.max_supervisors, policy.max_seats);
        let targets: BTreeSet<_> = join.targets.iter().copied().collect();
        let stream = join.leg == LegKind::Stream;
        let ask = Ask { by: &join.by, mode: join.mode, targets: &targets, stream, present: None };
        let mut no = match admit(&ask, &facts) {
            Admission::Admitted(_) => Vec::new(),
            Admission::Denied(reasons) => reasons,
        };
        if let LegKind::Sip { device } = &join.leg {
            let own = turn.dir.owner(device).is_some_and(|owner| owner.id == join.by.person);
            let known = turn.dir.device(device).is_some();
            if !(own || known && join.by.may(Right::AnyDevice)) {
                no.push(Reason::LegNotOwn);
            }
        }
        // Behind a trunk nobody is called by us.
        if matches!(join.leg, LegKind::Trunk { .. }) && !join.arrived {
            no.push(Reason::LegNotOwn);
        }
        if join.private && !join.by.may(Right::Private) && !no.contains(&Reason::NotAllowed) {
            no.push(Reason::NotAllowed);
        }
        if self.supervisions.contains_key(&join.supervision) {
            no.push(Reason::BadRequest);
        }
        if !no.is_empty() {
            let refusal = Refusal { reasons: no, detail: String::new() };
            let (what, about) = ("supervision.join", Some(&join.supervision));
            return self.refuse(turn, &join.by, what, about, Some(join.request), refusal);
        }
        self.admitted(turn, join, targets);
    }

    fn admitted(&mut self, turn: &mut Turn, join: Join, targets: BTreeSet<SeatId>) {
        let (id, request) = (join.supervision.clone(), join.request);
        let answer_early = join.answer_early;
        let ear = self.give_ear(turn, &join);
        let life = Life::Connecting { answered: matches!(ear, Ear::Tap(_)), committed: false };
        let asked = if answer_early { Vec::new() } else { vec![request] };
        self.enter(turn, join, targets, ear, life, asked);
        if answer_early {
            let answer = self.answer(turn.now, Some(&id));
            turn.reply([request], answer);
        }
    }

    /// A supervision begins; nothing is heard before its row is committed.
    pub(super) fn enter(
        &mut self,
        turn: &mut Turn,
        join: Join,
        targets: BTreeSet<SeatId>,
        ear: Ear,
        life: Life,
        asked: Vec<RequestId>,
    ) {
        let details = join_details(&join);
        let agent_after = join.agent_after.unwrap_or(AgentAfter::Removed);
        let want = Wanted { mode: join.mode, targets, muted: false, agent_after };
        let id = join.supervision.clone();
        let who = (&join.by).into();
        let name = join.by.name.clone();
        let supervision = Supervision {
            id: id.clone(),
            by: join.by,
            leg: join.leg,
            ear,
            life,
            now: Wanted { mode: Mode::Listen, targets: BTreeSet::new(), muted: false, agent_after },
            want,
            alert: join.alert,
            private: join.private,
            follow: join.follow,
            extent: join.extent,
            reason: join.reason,
            version: 1,
            asked,
            reached: false,
            pending: None,
            incoming_proven: false,
            spans: Vec::new(),
            started: turn.now,
            ended: None,
            end_reason: None,
            lost_by: "leg_lost",
            fell_because: None,
            last_raise: None,
            marks: 0,
            policy: turn.dir.policy.as_stored(),
            guard_ms: 0,
            keypad: Keypad::default(),
        };
        self.forget_the_oldest();
        self.supervisions.insert(id.clone(), supervision);
        self.note(turn, "joining", name, mode_code(join.mode));
        let gate = Gate::Join(id.clone());
        self.write_gate(turn, who, "supervision.join", Some(&id), details, gate);
    }

    /// A call that is joined again and again keeps the last of its ended supervisions; all of
    /// them are in the audit.
    fn forget_the_oldest(&mut self) {
        if self.supervisions.len() < SUPERVISIONS_KEPT {
            return;
        }
        let over = self.supervisions.values().filter(|supervision| supervision.is_over());
        let oldest = over.min_by_key(|s| s.started.mono).map(|s| s.id.clone());
        if let Some(oldest) = oldest {
            self.supervisions.remove(&oldest);
        }
    }

    /// A seat with a leg that is dialled now, while the row is written; or a tap, opened later.
    fn give_ear(&mut self, turn: &mut Turn, join: &Join) -> Ear {
        let policy = &turn.dir.policy;
        let (to, shown, after_ms) = match &join.leg {
            LegKind::Sip { device } if join.arrived => {
                return Ear::Seat(self.take_arrived(turn, join, device.to_string()));
            }
            LegKind::Trunk { number, .. } => {
                return Ear::Seat(self.take_arrived(turn, join, number.clone()));
            }
            LegKind::Stream => return Ear::Tap(self.next_tap()),
            LegKind::Sip { device } => {
                (DialTarget::Device(device.clone()), device.to_string(), policy.leg_answer_sip_ms)
            }
            LegKind::Phone => {
                let person = join.by.person.clone();
                let shown = person.to_string();
                (DialTarget::Browser(person), shown, policy.leg_answer_phone_ms)
            }
        };
        let seat = self.seat_supervisor(join, shown);
        let from = self.parties.get(&Self::CALLER);
        let (from_number, from_name) =
            from.map(|p| (p.number.clone(), p.name.clone())).unwrap_or_default();
        turn.out.push(Effect::Dial { seat, to, from_number, from_name });
        self.start_timer(turn, Due::LegAnswer(seat), after_ms);
        Ear::Seat(seat)
    }

    pub(super) fn seat_supervisor(&mut self, join: &Join, shown: String) -> SeatId {
        let seat = self.next_seat();
        let supervising =
            Supervising { mode: Mode::Listen, targets: BTreeSet::new(), private: join.private };
        let part = Part::Supervisor(supervising);
        let device = match &join.leg {
            LegKind::Sip { device } => Some(device.clone()),
            LegKind::Trunk { .. } | LegKind::Phone | LegKind::Stream => None,
        };
        let party = Party::supervisor(seat, &join.by, part, shown, device);
        self.parties.insert(seat, party);
        seat
    }

    /// The supervisor's phone called us: it is answered, and not dialled.
    fn take_arrived(&mut self, turn: &mut Turn, join: &Join, shown: String) -> SeatId {
        let seat = self.seat_supervisor(join, shown);
        turn.out.push(Effect::Adopt { seat, supervision: join.supervision.clone() });
        self.answer_arrived(turn, seat);
        seat
    }

    pub(super) fn join_row(&mut self, turn: &mut Turn, id: &SupervisionId, committed: bool) {
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        let Life::Connecting { answered, .. } = supervision.life else { return };
        if !committed {
            let no = Reason::AuditUnavailable;
            return self.end_supervision(turn, id, Life::Failed, no.code(), Some(no));
        }
        supervision.life = Life::Connecting { answered, committed: true };
        self.route_when_ready(turn, id);
    }

    pub(super) fn supervisor_answered(&mut self, turn: &mut Turn, seat: SeatId) {
        let Some(id) = self.supervision_at(seat).map(|s| s.id.clone()) else { return };
        let Some(supervision) = self.supervisions.get_mut(&id) else { return };
        if let Life::Connecting { committed, .. } = supervision.life {
            supervision.life = Life::Connecting { answered: true, committed };
            self.route_when_ready(turn, &id);
        }
    }

    /// Row committed and leg answered: in the plan, in listen, whatever was asked.
    fn route_when_ready(&mut self, turn: &mut Turn, id: &SupervisionId) {
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        if supervision.life != (Life::Connecting { answered: true, committed: true }) {
            return;
        }
        supervision.life = Life::Routed;
        supervision.version += 1;
        supervision.begin_span(turn.now, Mode::Listen);
        let incoming = supervision.want.mode != Mode::Listen;
        match supervision.ear {
            Ear::Tap(tap) => {
                let supervision = id.clone();
                turn.out.push(Effect::OpenTap { tap, supervision });
            }
            Ear::Seat(seat) => {
                if let Some(party) = self.parties.get_mut(&seat) {
                    party.seat.connected = true;
                }
                turn.after_plan.push(Effect::ProveAudio { seat, incoming });
            }
        }
        turn.changed = true;
        self.start_timer(turn, Due::Proof(id.clone()), turn.dir.policy.audio_proof_ms);
    }

    pub(super) fn tap_live(&mut self, turn: &mut Turn, tap: TapId) {
        let at = |s: &&Supervision| s.ear == Ear::Tap(tap) && s.life == Life::Routed;
        let id = self.supervisions.values().find(at).map(|s| s.id.clone());
        if let Some(id) = id {
            self.proven(turn, &id);
        }
    }

    pub(super) fn audio_proven(&mut self, turn: &mut Turn, seat: SeatId, incoming: bool) {
        if incoming {
            self.leg_heard(turn, seat);
        }
        let Some(id) = self.supervision_at(seat).map(|s| s.id.clone()) else { return };
        let Some(supervision) = self.supervisions.get_mut(&id) else { return };
        supervision.incoming_proven |= incoming;
        let enough = incoming || supervision.want.mode == Mode::Listen;
        match supervision.life {
            Life::Routed if enough => self.proven(turn, &id),
            Life::Live => self.commit_when_ready(turn, &id),
            _ => {}
        }
    }

    fn proven(&mut self, turn: &mut Turn, id: &SupervisionId) {
        self.stop_timer(turn, &Due::Proof(id.clone()));
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        supervision.life = Life::Live;
        supervision.version += 1;
        let name = supervision.by.name.clone();
        // So that a later raise need not wait for it; without a deadline, nobody asked.
        if let (Ear::Seat(seat), false) = (supervision.ear, supervision.incoming_proven) {
            turn.after_plan.push(Effect::ProveAudio { seat, incoming: true });
        }
        self.note(turn, "joined", name, "listen");
        self.pursue(turn, id);
    }

    pub(super) fn not_proven(&mut self, turn: &mut Turn, id: &SupervisionId) {
        let no = Reason::AudioNotProven;
        self.end_supervision(turn, id, Life::Failed, no.code(), Some(no));
    }

    pub(super) fn view_or_record_time(&self, now: Now) -> Now {
        self.ended.unwrap_or(now)
    }
}

fn join_details(join: &Join) -> Details {
    let leg = match &join.leg {
        LegKind::Phone => "phone".to_owned(),
        LegKind::Sip { device } => format!("sip {device}"),
        LegKind::Trunk { trunk, number } => format!("trunk {trunk} {number}"),
        LegKind::Stream => "stream".to_owned(),
    };
    let mut details = vec![
        ("mode", mode_code(join.mode).to_owned()),
        ("leg", leg),
        ("alert", join.alert.to_string()),
        ("reason", join.reason.clone()),
    ];
    if !join.targets.is_empty() {
        details.push(("targets", targets_text(&join.targets)));
    }
    if join.private {
        details.push(("private", "true".to_owned()));
    }
    if let Some(after) = join.agent_after {
        details.push(("agent_after", agent_after_code(after).to_owned()));
    }
    details
}
