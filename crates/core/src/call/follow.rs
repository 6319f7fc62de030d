//! Supervision through a transfer (C15): who follows the call stays with it, if they still may;
//! who follows the agent leaves with the agent, and is told why.
//!
//! Nothing opens by itself toward a new party but what the mode opens to everybody: a whisper to
//! who left falls back to listen, and is for the new agent once a row says so.

use super::Call;
use super::turn::Turn;
use crate::access::Right;
use crate::id::{SeatId, SupervisionId};
use crate::refusal::Reason;
use crate::supervision::{Act, Life, Supervision, Wanted, mode_code};
use crate::view::{Follow, Mode, Role};

impl Call {
    /// Before the new party is in any plan: who must not supervise it ends here.
    pub(super) fn follow(&mut self, turn: &mut Turn, agent_left: bool, arrived: SeatId) {
        let new = self.parties.get(&arrived).and_then(|party| party.person.clone());
        let there = self.supervisions.values().filter(|s| !s.is_over());
        let ends: Vec<_> = there
            .filter_map(|s| {
                let no = if new.as_ref() == Some(&s.by.person) {
                    Reason::OwnCall
                } else if s.follow == Follow::Agent && agent_left {
                    Reason::AgentTransferred
                } else if !still_may(turn, s) {
                    Reason::RightsLost
                } else {
                    return None;
                };
                Some((s.id.clone(), s.is_live() || s.life == Life::Lost, no))
            })
            .collect();
        for (id, live, no) in ends {
            let life = if live { Life::Ended } else { Life::Failed };
            self.end_supervision(turn, &id, life, no.code(), (!live).then_some(no));
        }
        self.tell_the_new_agent(turn, arrived);
    }

    /// C1: an agent to whom a supervisor speaks from the first word on hears that, too.
    fn tell_the_new_agent(&mut self, turn: &mut Turn, arrived: SeatId) {
        if !self.parties.get(&arrived).is_some_and(|party| party.is(Role::Agent)) {
            return;
        }
        let spoken =
            |s: &&Supervision| s.is_live() && matches!(s.now.mode, Mode::Barge | Mode::Takeover);
        let said = self.supervisions.values().find(spoken).map(|s| s.now.clone());
        if let Some(wanted) = said {
            self.beep(turn, &wanted);
        }
    }

    /// Who whispered to an agent who left whispers to the one who came: asked for as any raise,
    /// with its row, and only if nothing else was asked meanwhile.
    pub(super) fn coach_anew(&mut self, turn: &mut Turn, arrived: SeatId) {
        let coached = std::mem::take(&mut self.coached);
        if !self.parties.get(&arrived).is_some_and(|party| party.is(Role::Agent)) {
            return;
        }
        for (id, version) in coached {
            let Some(supervision) = self.supervisions.get(&id) else { continue };
            let untouched = supervision.version == version && supervision.pending.is_none();
            let listens = supervision.is_live() && supervision.now.mode == Mode::Listen;
            if !(untouched && listens) {
                continue;
            }
            let targets = [arrived].into();
            let wanted = Wanted { mode: Mode::Whisper, targets, ..supervision.now.clone() };
            let by = supervision.by.clone();
            let details = vec![
                ("from", mode_code(Mode::Listen).to_owned()),
                ("to", mode_code(Mode::Whisper).to_owned()),
                ("targets", arrived.to_string()),
                ("because", "transferred".to_owned()),
            ];
            self.ask(turn, &id, Act::Become(wanted), &by, None, details);
        }
    }

    /// The owner of a takeover has passed the customer on, and listens from here.
    pub(super) fn pass_on(&mut self, turn: &mut Turn, id: &SupervisionId) {
        let Some(supervision) = self.supervisions.get(id).filter(|s| s.is_live()) else { return };
        if supervision.now.mode == Mode::Takeover {
            let wanted = Wanted { mode: Mode::Listen, ..supervision.now.clone() };
            self.apply(turn, id, wanted, Vec::new());
        }
    }
}

/// By the rights of this moment: those of the join, as far as the person still has them.
fn still_may(turn: &Turn, supervision: &Supervision) -> bool {
    let right = Right::for_mode(supervision.now.mode);
    let person = turn.dir.person(&supervision.by.person);
    supervision.by.may(right) && person.is_some_and(|person| person.rights.contains(&right))
}
