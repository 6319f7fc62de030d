//! Keys pressed on a supervisor's telephone: each becomes the change or the act that the API would
//! ask for, by the same rules and with the same rows; what comes of it is said into that ear alone.
//!
//! A key's request is the call's own: its answer is taken out of the turn's effects here, since
//! nobody outside waits for it.

use super::Call;
use super::effect::Effect;
use super::input::{Change, RequestId};
use super::turn::{Due, Turn};
use crate::access::Actor;
use crate::codes::KeyWish;
use crate::id::{SeatId, SupervisionId};
use crate::notice::Spoken;
use crate::refusal::{Reason, Refusal};
use crate::view::{AgentAction, Channel, LegKind, Mode};

/// Who pressed, and what is said when it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keyed {
    seat: SeatId,
    done: Spoken,
}

impl Call {
    pub(super) fn pressed(&mut self, turn: &mut Turn, seat: SeatId, digit: char) {
        if !turn.dir.policy.codes.on {
            return;
        }
        let live = |id: &&SupervisionId| self.supervisions.get(*id).is_some_and(|s| s.is_live());
        let id = self.supervision_at(seat).map(|s| &s.id).filter(live).cloned();
        let Some(supervision) = id.as_ref().and_then(|id| self.supervisions.get_mut(id)) else {
            return;
        };
        // A page has buttons for the modes, and its keypad is for the customer's side alone.
        if supervision.leg == LegKind::Phone {
            return;
        }
        let wish = supervision.keypad.press(turn.now.mono, digit, supervision.now.mode);
        let by = Actor {
            channel: Channel::Dtmf,
            origin: format!("keypad of {}", supervision.by.name),
            ..supervision.by.clone()
        };
        let (Some(wish), Some(id)) = (wish, id) else { return };
        self.wished(turn, &id, seat, by, wish);
    }

    fn wished(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        seat: SeatId,
        by: Actor,
        wish: KeyWish,
    ) {
        let done = match wish {
            KeyWish::Mode(mode) => Spoken::in_mode(mode),
            KeyWish::HandBack => Spoken::HandedBack,
        };
        self.last_key += 1;
        let request = RequestId(RequestId::OWN + self.last_key);
        self.keyed.insert(request, Keyed { seat, done });
        let in_takeover = self.supervisions.get(id).is_some_and(|s| s.now.mode == Mode::Takeover);
        match wish {
            KeyWish::HandBack if !in_takeover => {
                let refusal = Refusal::because(Reason::NotInMode);
                self.refuse(turn, &by, "supervision.hand_back", Some(id), Some(request), refusal);
            }
            KeyWish::HandBack => self.agent_action(turn, id, by, AgentAction::HandBack, request),
            KeyWish::Mode(mode) => {
                let change = Change {
                    request,
                    supervision: id.clone(),
                    by,
                    mode: Some(mode),
                    targets: None,
                    alert: None,
                    muted: None,
                    agent_after: None,
                    if_version: None,
                };
                self.change(turn, change);
            }
        }
    }

    /// Takes the answers to keys out of this turn. True if somebody is told something now, so
    /// that a plan is due.
    pub(super) fn hear_own_answers(&mut self, turn: &mut Turn) -> bool {
        let own = |effect: &Effect| match effect {
            Effect::Reply { request, .. } => request.0 >= RequestId::OWN,
            _ => false,
        };
        let (answers, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut turn.after_plan).into_iter().partition(own);
        turn.after_plan = rest;
        let mut told = false;
        for answer in answers {
            let Effect::Reply { request, result } = answer else { continue };
            let Some(Keyed { seat, done }) = self.keyed.remove(&request) else { continue };
            let word = match &result {
                Ok(_) => done,
                // The later key of two is the one that is answered.
                Err(no) if no.reasons.contains(&Reason::Superseded) => continue,
                Err(no) => Spoken::refusal(no),
            };
            told |= self.say(turn, seat, word);
        }
        told
    }

    /// One word at a time: what comes while another plays is in the audit and is not said.
    fn say(&mut self, turn: &mut Turn, seat: SeatId, word: Spoken) -> bool {
        let there = self.parties.get(&seat).is_some_and(|party| party.is_up());
        if !there || self.spoken.contains_key(&seat) {
            return false;
        }
        self.spoken.insert(seat, word);
        self.start_timer(turn, Due::SpokenOver(seat), turn.dir.policy.spoken_ms);
        true
    }
}
