//! What a supervision is now: changes of mode that nothing holds back any more, the beep that the
//! coached agent hears, and the raise that is taken back.

use super::Call;
use super::turn::{Due, Turn};
use crate::audit::{Outcome, Who};
use crate::id::{SeatId, SupervisionId};
use crate::refusal::Reason;
use crate::seat::Mark;
use crate::supervision::{Wanted, mode_code};
use crate::view::{Mode, Role};

/// A beep lasts less; after this it is no longer named in the plan.
const BEEP_MS: u64 = 1_000;

pub(super) fn targets_text<'a>(targets: impl IntoIterator<Item = &'a SeatId>) -> String {
    let texts: Vec<_> = targets.into_iter().map(SeatId::to_string).collect();
    texts.join(" ")
}

impl Call {
    /// The supervision is this from now on.
    pub(super) fn become_now(&mut self, turn: &mut Turn, id: &SupervisionId, wanted: Wanted) {
        let Some(supervision) = self.supervisions.get_mut(id) else { return };
        if supervision.now == wanted {
            return;
        }
        let was = std::mem::replace(&mut supervision.now, wanted.clone());
        supervision.version += 1;
        supervision.guard_ms = 0;
        supervision.fell_because = None;
        let name = supervision.by.name.clone();
        let seat = supervision.seat();
        if was.mode != wanted.mode {
            supervision.begin_span(turn.now, wanted.mode);
            self.note(turn, "mode_changed", name, mode_code(wanted.mode));
        }
        turn.changed = true;
        if let Some(seat) = seat {
            self.set_own_mute(seat, wanted.muted);
            let spoke = matches!(was.mode, Mode::Barge | Mode::Takeover);
            if spoke && matches!(wanted.mode, Mode::Listen | Mode::Whisper) {
                // A supervisor whom the customer does not hear keeps nobody on hold.
                self.take_back_places(turn, seat, Reason::Superseded);
                self.forget(turn, seat);
            }
        }
        let entered = was.mode != wanted.mode || was.targets != wanted.targets;
        if entered {
            self.beep(turn, &wanted);
        }
    }

    fn set_own_mute(&mut self, seat: SeatId, muted: bool) {
        let Some(party) = self.parties.get_mut(&seat) else { return };
        if muted {
            party.seat.muted_by.insert(Mark::Seat(seat));
        } else {
            party.seat.muted_by.remove(&Mark::Seat(seat));
        }
    }

    /// C1: who is coached hears it begin, by policy; not again within ten seconds.
    pub(super) fn beep(&mut self, turn: &mut Turn, wanted: &Wanted) {
        let policy = &turn.dir.policy;
        if !policy.notice(wanted.mode).has_tone() {
            return;
        }
        for agent in self.seats_of(Role::Agent) {
            let told = wanted.mode != Mode::Whisper || wanted.targets.contains(&agent);
            let again = self
                .last_beep
                .get(&agent)
                .is_some_and(|last| turn.now.mono.since(*last) < policy.beep_again_ms * 1_000);
            if told && !again {
                let name = self.parties.get(&agent).map(|party| party.name.clone());
                self.note(turn, "agent_told", name.unwrap_or_default(), mode_code(wanted.mode));
                self.last_beep.insert(agent, turn.now.mono);
                self.beeps.insert(agent);
                self.start_timer(turn, Due::BeepOver(agent), BEEP_MS);
            }
        }
    }

    /// A change that nobody asked for now: it follows from what happened. Its row follows.
    pub(super) fn fall(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        mode: Mode,
        because: &'static str,
    ) {
        let Some(supervision) = self.supervisions.get(id) else { return };
        let from = supervision.now.mode;
        let wanted = Wanted { mode, ..supervision.now.clone() };
        self.become_now(turn, id, wanted);
        if let Some(supervision) = self.supervisions.get_mut(id) {
            supervision.fell_because = Some(because);
        }
        let details = vec![
            ("from", mode_code(from).to_owned()),
            ("to", mode_code(mode).to_owned()),
            ("because", because.to_owned()),
        ];
        self.write(turn, Who::system(), "supervision.mode", Some(id), Outcome::Allowed, details);
    }

    /// What was raised is not heard: back to listen, and whoever was put aside is back.
    pub(super) fn take_back_raise(
        &mut self,
        turn: &mut Turn,
        id: &SupervisionId,
        because: &'static str,
    ) {
        let Some(supervision) = self.supervisions.get(id).filter(|s| s.is_live()) else { return };
        if supervision.now.mode == Mode::Listen {
            return;
        }
        if let Some(seat) = supervision.seat() {
            self.take_back_places(turn, seat, Reason::Superseded);
            self.forget(turn, seat);
        }
        self.fall(turn, id, Mode::Listen, because);
        self.keep_or_end(turn, because);
    }

    /// A target is gone: without any left the whisper is for nobody, and falls back to listen.
    /// While another party is on the way in that one's place, those are remembered: follow.rs.
    pub(super) fn target_left(&mut self, turn: &mut Turn, gone: SeatId) {
        let mut silent = Vec::new();
        for supervision in self.supervisions.values_mut().filter(|s| !s.is_over()) {
            let was_target = supervision.now.targets.remove(&gone);
            if was_target && supervision.now.mode == Mode::Whisper {
                supervision.version += 1;
                if supervision.now.targets.is_empty() {
                    silent.push(supervision.id.clone());
                }
            }
        }
        for id in &silent {
            self.fall(turn, id, Mode::Listen, "target_left");
        }
        let version = |id: SupervisionId| self.supervisions.get(&id).map(|s| (id, s.version));
        let silent: Vec<_> = silent.into_iter().filter_map(version).collect();
        self.coached.extend(silent);
    }
}
