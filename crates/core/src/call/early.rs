//! Before the answer: the caller hears what the network that is called plays (an announcement, a
//! ringback), and nothing goes the other way. Whose sound that may be is `hearing.rs`'s to say.

use super::turn::Turn;
use super::{Call, Stage};
use crate::call::effect::Effect;
use crate::id::SeatId;
use crate::phone::Leg;
use crate::seat::Early;

impl Call {
    /// Of the two ends only: who is called by a transfer has a customer who hears hold treatment.
    pub(super) fn leg_early(&mut self, turn: &mut Turn, seat: SeatId, is_on: bool) {
        if self.stage != Stage::Ringing {
            return;
        }
        match seat {
            Self::CALLEE => self.called_is_early(turn, is_on),
            Self::CALLER if is_on => self.caller_hears(turn),
            _ => {}
        }
    }

    fn called_is_early(&mut self, turn: &mut Turn, is_on: bool) {
        let Some(callee) = self.parties.get_mut(&Self::CALLEE) else { return };
        let is_called = matches!(callee.leg, Leg::Dialling | Leg::Ringing);
        if !is_called || callee.to_dial.is_some() || callee.seat.early.is_some() == is_on {
            return;
        }
        turn.changed = true;
        if !is_on {
            callee.seat.early = None;
            return;
        }
        callee.leg = Leg::Ringing;
        callee.seat.early = Some(Early::Heard);
        let name = callee.name.clone();
        self.note(turn, "early_media", name, "");
        match self.parties.get(&Self::CALLER).map(|party| (party.leg, party.seat.early)) {
            Some((Leg::Arrived, None)) => turn.out.push(Effect::EarlyLeg { seat: Self::CALLER }),
            Some((Leg::Up, None)) => self.caller_hears(turn),
            _ => {}
        }
    }

    /// A leg that is called by us is in the bridge once it is up, and one that called us once it
    /// has had its 183.
    fn caller_hears(&mut self, turn: &mut Turn) {
        let Some(caller) = self.parties.get_mut(&Self::CALLER) else { return };
        if matches!(caller.leg, Leg::Arrived | Leg::Up) && !caller.seat.connected {
            caller.seat.early = Some(Early::Hears);
            turn.changed = true;
        }
    }
}
