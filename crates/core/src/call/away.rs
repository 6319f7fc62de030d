//! Who is on the call and is not heard for now: nothing comes any more by a browser's leg, or the
//! page that a supervisor steers by is gone. Their edges are shut meanwhile, so that a customer
//! whose party it was hears hold treatment and never silence (invariant 8); they open again as
//! any that opens toward a customer, behind the guard. What is not mended in time is no longer
//! waited for: a lost leg in losing.rs, a lost page here.
//!
//! ```text
//!  page gone ──10 s──▶ whisper, barge: listen ──20 s──▶ the supervision ends
//!                      takeover: treatment              (and the agent has the call again)
//! ```

use super::Call;
use super::party::Party;
use super::turn::{Due, Turn};
use crate::id::{PersonId, SeatId, SupervisionId};
use crate::refusal::Reason;
use crate::supervision::{Life, Supervision};
use crate::view::{LegKind, Mode};
use std::collections::BTreeSet;

impl Call {
    pub(super) fn leg_quiet(&mut self, turn: &mut Turn, seat: SeatId) {
        let id = self.supervision_at(seat).map(|s| s.id.clone());
        let supervision = id.and_then(|id| self.supervisions.get_mut(&id));
        if let Some(supervision) = supervision.filter(|s| s.pending.is_none()) {
            // Whoever asks to be heard next proves it anew; what is asked already counts on it.
            supervision.incoming_proven = false;
        }
        self.set_quiet(turn, seat, true, "sound_lost");
    }

    pub(super) fn leg_heard(&mut self, turn: &mut Turn, seat: SeatId) {
        self.set_quiet(turn, seat, false, "sound_back");
    }

    fn set_quiet(&mut self, turn: &mut Turn, seat: SeatId, quiet: bool, what: &'static str) {
        let Some(party) = self.parties.get_mut(&seat).filter(|party| party.quiet != quiet) else {
            return;
        };
        party.quiet = quiet;
        let name = party.name.clone();
        if self.is_listened_to(seat) {
            self.note(turn, what, name, "");
        }
    }

    /// Whether it matters to anybody that nothing comes from there: not of one who only listens.
    fn is_listened_to(&self, seat: SeatId) -> bool {
        let heard = self.parties.get(&seat).is_some_and(|party| {
            party.may_be_heard() && party.seat.muted_by.is_empty() && party.seat.sends
        });
        heard && self.supervision_at(seat).is_none_or(|s| s.now.mode != Mode::Listen)
    }

    /// What this seat says would arrive, and somebody steers it.
    pub(super) fn is_there(&self, seat: SeatId) -> bool {
        self.parties.get(&seat).is_none_or(Party::is_there)
    }

    /// The page of this person was closed or cut off, and was last heard so long ago.
    pub(super) fn control_lost(&mut self, turn: &mut Turn, who: &PersonId, silent_ms: u64) {
        let policy = &turn.dir.policy;
        let fall_ms = policy.control_fall_ms.saturating_sub(silent_ms);
        let end_ms = policy.control_end_ms.saturating_sub(silent_ms);
        for id in self.steered_by(who) {
            let fall = Due::ControlFall(id.clone());
            let end = Due::ControlEnd(id);
            if !self.timers.values().any(|due| *due == end) {
                self.start_timer(turn, fall, fall_ms);
                self.start_timer(turn, end, end_ms);
            }
        }
    }

    pub(super) fn control_back(&mut self, turn: &mut Turn, who: &PersonId) {
        for id in self.steered_by(who) {
            self.stop_timer(turn, &Due::ControlFall(id.clone()));
            self.stop_timer(turn, &Due::ControlEnd(id.clone()));
            self.set_unattended(turn, &id, false);
        }
    }

    fn steered_by(&self, who: &PersonId) -> Vec<SupervisionId> {
        let theirs = |s: &&Supervision| is_steered(s) && s.by.person == *who;
        self.supervisions.values().filter(theirs).map(|s| s.id.clone()).collect()
    }

    /// Who must have a page as long as they supervise here. Of whom this begins to be true, by a
    /// join or by another call's legs, whoever knows the pages says whether there is one.
    pub fn steerers(&self) -> BTreeSet<PersonId> {
        let steered = self.supervisions.values().filter(|s| is_steered(s));
        steered.map(|s| s.by.person.clone()).collect()
    }

    pub(super) fn control_stays_away(&mut self, turn: &mut Turn, id: &SupervisionId) {
        let Some(supervision) = self.supervisions.get(id).filter(|s| s.is_live()) else { return };
        match supervision.now.mode {
            Mode::Listen => self.drop_pending(turn, id, Reason::Superseded),
            Mode::Takeover => self.set_unattended(turn, id, true),
            Mode::Whisper | Mode::Barge => {
                self.drop_pending(turn, id, Reason::Superseded);
                self.take_back_raise(turn, id, "control_lost");
            }
        }
    }

    pub(super) fn control_gone(&mut self, turn: &mut Turn, id: &SupervisionId) {
        let why = "control_lost";
        let Some(supervision) = self.supervisions.get(id) else { return };
        if supervision.owns_call() {
            return self.owner_stayed_away(turn, id, why);
        }
        let live = supervision.is_live();
        let life = if live { Life::Ended } else { Life::Failed };
        self.end_supervision(turn, id, life, why, (!live).then_some(Reason::LegNoAnswer));
        self.keep_or_end(turn, why);
    }

    fn set_unattended(&mut self, turn: &mut Turn, id: &SupervisionId, unattended: bool) {
        let seat = self.supervisions.get(id).and_then(|supervision| supervision.seat());
        let party = seat.and_then(|seat| self.parties.get_mut(&seat));
        let Some(party) = party.filter(|party| party.unattended != unattended) else { return };
        party.unattended = unattended;
        let name = party.name.clone();
        self.note(turn, if unattended { "owner_away" } else { "owner_back" }, name, "");
    }

    /// Somebody who would be heard is not there, and nobody else speaks to the customer.
    pub(super) fn customer_waits_for_sound(&self) -> bool {
        let speaks = |party: &&Party| {
            let mode = self.supervision_at(party.id()).map(|s| s.now.mode);
            let aloud = mode.is_none_or(|m| matches!(m, Mode::Barge | Mode::Takeover));
            !party.is(crate::view::Role::Customer) && party.may_be_heard() && aloud
        };
        let mut speakers = self.parties.values().filter(speaks).peekable();
        speakers.peek().is_some() && speakers.all(|party| !party.is_there())
    }
}

/// One begun by an API key or by a code has no page, and only its leg counts.
fn is_steered(supervision: &Supervision) -> bool {
    !supervision.is_over() && supervision.leg == LegKind::Phone && supervision.by.key.is_none()
}
