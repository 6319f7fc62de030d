//! What a supervisor in barge or takeover does with the agent: hold, resume, remove, hand back.
//! The customer's leg is the anchor and survives all of it.

use super::Call;
use super::input::RequestId;
use super::party::Then;
use super::turn::Turn;
use crate::access::Actor;
use crate::audit::Outcome;
use crate::id::{SeatId, SupervisionId};
use crate::refusal::{Reason, Refusal};
use crate::seat::Mark;
use crate::supervision::{Act, Wanted, opens};
use crate::view::{AgentAction, AgentAfter, Mode, Role};

const fn what(action: AgentAction) -> &'static str {
    match action {
        AgentAction::Hold => "supervision.agent_hold",
        AgentAction::Resume => "supervision.agent_resume",
        AgentAction::Remove => "supervision.agent_remove",
        AgentAction::HandBack => "supervision.hand_back",
    }
}

impl Call {
    pub(super) fn agent_action(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        by: Actor,
        action: AgentAction,
        request: RequestId,
    ) {
        let seat = match self.judge_action(id, &by, action) {
            Ok(seat) => seat,
            Err(refusal) => {
                let what = what(action);
                return self.refuse(turn, &by, what, Some(id), Some(request), refusal);
            }
        };
        self.supersede(turn, id);
        match action {
            AgentAction::Resume => {
                return self.ask(turn, id, Act::ResumeAgent, &by, Some(request), vec![]);
            }
            AgentAction::HandBack => return self.hand_back(turn, id, &by, request),
            AgentAction::Hold | AgentAction::Remove => {}
        }
        self.write(turn, (&by).into(), what(action), Some(id), Outcome::Allowed, vec![]);
        if action == AgentAction::Hold {
            self.hold_agents(turn, seat);
        } else {
            // Whoever the customer hears is heard until the supervisor is.
            for agent in self.seats_of(Role::Agent) {
                self.give_way(turn, agent, seat, Then::Agent(AgentAfter::Removed));
            }
        }
        self.answer_in_force([request], Some(id), false);
    }

    fn judge_action(
        &self,
        id: &SupervisionId,
        by: &Actor,
        action: AgentAction,
    ) -> Result<SeatId, Refusal> {
        let supervision = self.mine(id, by)?;
        let mode = supervision.now.mode;
        let fits = match action {
            AgentAction::HandBack => mode == Mode::Takeover,
            _ => matches!(mode, Mode::Barge | Mode::Takeover),
        };
        let seat = supervision.seat().filter(|_| supervision.is_live() && fits);
        let seat = seat.ok_or_else(|| Refusal::because(Reason::NotInMode))?;
        if self.up(Role::Agent).next().is_none() {
            return Err(Refusal::because(Reason::AgentGone));
        }
        // Between two agents nobody says which one is meant, and no customer would be left.
        if self.up(Role::Customer).next().is_none() {
            return Err(Refusal::because(Reason::NoCustomer));
        }
        Ok(seat)
    }

    fn hold_agents(&mut self, turn: &mut Turn, by: SeatId) {
        let name = self.parties.get(&by).map(|party| party.name.clone()).unwrap_or_default();
        for agent in self.seats_of(Role::Agent) {
            self.parties.entry(agent).and_modify(|party| {
                party.seat.held_by.insert(Mark::Seat(by));
            });
        }
        self.note(turn, "agent_held", name, "");
    }

    pub(super) fn agents_resumed(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        request: Option<RequestId>,
    ) {
        let Some(supervision) = self.supervisions.get(id) else { return };
        let name = supervision.by.name.clone();
        if let Some(seat) = supervision.seat() {
            self.take_back_places(turn, seat, Reason::Superseded);
            for agent in self.seats_of(Role::Agent) {
                self.parties.entry(agent).and_modify(|party| {
                    party.seat.forget_marks_of(seat);
                });
            }
        }
        self.note(turn, "agent_resumed", name, "");
        self.answer_in_force(request, Some(id), false);
    }

    /// Back to the agent, the supervisor then in listen.
    fn hand_back(&mut self, turn: &mut Turn, id: &SupervisionId, by: &Actor, request: RequestId) {
        let Some(supervision) = self.supervisions.get(id) else { return };
        let wanted = Wanted { mode: Mode::Listen, ..supervision.now.clone() };
        let details = vec![("to", "listen".to_owned())];
        if opens(&supervision.now, &wanted, self.agents_aside()) {
            let act = Act::Become(wanted);
            self.ask(turn, id, act, by, Some(request), details);
        } else {
            let what = what(AgentAction::HandBack);
            self.write(turn, by.into(), what, Some(id), Outcome::Allowed, details);
            self.apply(turn, id, wanted, vec![request]);
        }
    }
}
