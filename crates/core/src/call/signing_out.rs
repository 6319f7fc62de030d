//! A session of the pages is over: what it began on this call ends with it, whatever telephone it
//! is heard by. A customer who was taken over has the agent again at once; where there is none,
//! it is as when the owner's leg is lost: treatment, and the owner may come back by signing in.

use super::Call;
use super::turn::Turn;
use crate::access::Actor;
use crate::id::{SessionId, SupervisionId};
use crate::refusal::Reason;
use crate::supervision::{Ear, Life, Supervision};
use crate::view::Role;
use std::collections::BTreeSet;

const WHY: &str = "signed_out";

impl Call {
    pub(super) fn signed_out(&mut self, turn: &mut Turn, sessions: &BTreeSet<SessionId>) {
        let over = |by: &Actor| by.session.as_ref().is_some_and(|s| sessions.contains(s));
        let theirs = |s: &&Supervision| !s.is_over() && over(&s.by);
        let begun: Vec<_> =
            self.supervisions.values().filter(theirs).map(|s| s.id.clone()).collect();
        for id in begun {
            self.leave_signed_out(turn, &id);
        }
        // What was asked of somebody else's.
        let asked = |s: &&Supervision| s.pending.as_ref().is_some_and(|p| over(&p.by));
        let asked: Vec<_> =
            self.supervisions.values().filter(asked).map(|s| s.id.clone()).collect();
        for id in asked {
            self.drop_pending(turn, &id, Reason::SignedOut);
        }
    }

    fn leave_signed_out(&mut self, turn: &mut Turn, id: &SupervisionId) {
        // An earlier one of several may have ended the call.
        let Some(supervision) = self.supervisions.get(id).filter(|s| !s.is_over()) else { return };
        let agent = self.up(Role::Agent).next().is_some();
        match (supervision.life, supervision.ear) {
            (Life::Live, Ear::Seat(seat)) if supervision.owns_call() && !agent => {
                self.lose_owner(turn, id, seat, WHY);
            }
            // Its customer waits for whoever comes back.
            (Life::Lost, _) if !agent => {}
            (Life::Live | Life::Lost, _) => {
                self.end_supervision(turn, id, Life::Ended, WHY, None);
                self.keep_or_end(turn, WHY);
            }
            _ => {
                self.end_supervision(turn, id, Life::Failed, WHY, Some(Reason::SignedOut));
                self.keep_or_end(turn, WHY);
            }
        }
    }
}
