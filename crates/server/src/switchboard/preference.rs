//! The phones of one seat by preference (RFC 3261 section 16.6): those that registered with the
//! highest q ring first, all of them together, and those with a lower one after them: when each of
//! the better ones has refused, or nobody has answered for `ring_each`. What a person says for all
//! their phones, a 6xx, ends it (section 16.7, step 5); so does whoever lets the seat go.

use super::dialling::{Aim, Search};
use super::legs::Leg;
use super::task::{CallTask, Message};
use std::cmp::Reverse;
use std::collections::VecDeque;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use undertone_core::id::SeatId;

/// Of a fixed contact, and of one that says nothing (section 10.2.1.2).
const USUAL: u16 = 1_000;

/// Those that are called together, the most preferred first; equals keep their order.
pub(super) fn by_preference(mut aims: Vec<Aim>) -> VecDeque<Vec<Aim>> {
    aims.sort_by_key(|aim| Reverse(q(aim)));
    let mut groups: VecDeque<Vec<Aim>> = VecDeque::new();
    for aim in aims {
        match groups.back_mut().filter(|group| group.first().map(q) == Some(q(&aim))) {
            Some(group) => group.push(aim),
            None => groups.push_back(vec![aim]),
        }
    }
    groups
}

fn q(aim: &Aim) -> u16 {
    aim.bound.as_ref().map_or(USUAL, |bound| bound.q_thousandths)
}

/// Said for every phone, not only for this one.
pub(super) fn is_global(code: u16) -> bool {
    (600..700).contains(&code)
}

/// How long the phones of this moment have before the next ones are called.
pub(super) struct Turn {
    due: Instant,
    timer: AbortHandle,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

impl CallTask {
    /// Begins the turn of the phones that have just been called, if others wait behind them. The
    /// addresses of a trunk wait for no time: they come when one before them is not there.
    pub(super) fn begin_turn(&self, seat: SeatId, search: &mut Search) {
        let others = search.is_inside() && !search.next.is_empty();
        search.turn = others.then(|| {
            let due = Instant::now() + self.house.ring_each;
            let inbox = self.me.to.clone();
            let timer = tokio::spawn(async move {
                tokio::time::sleep_until(due).await;
                // The call has ended meanwhile.
                let _ = inbox.send(Message::TurnOver { seat, due }).await;
            });
            Turn { due, timer: timer.abort_handle() }
        });
    }

    /// Nobody has answered: the next ones ring instead.
    pub(super) fn turn_over(&mut self, seat: SeatId, due: Instant) {
        let Some(mut search) = self.searches.remove(&seat) else { return };
        if search.turn.as_ref().is_none_or(|turn| turn.due != due) {
            self.searches.insert(seat, search);
            return;
        }
        let ringing = self.legs.remove(&seat);
        match self.next_group(&mut search.next, None, seat) {
            Ok((at, beside)) => {
                let beside = std::mem::replace(&mut search.beside, beside);
                let others = beside.into_iter().map(|(leg, _)| leg);
                ringing.into_iter().chain(others).for_each(Leg::end);
                search.at = at;
            }
            // None of them can be called: those that ring may go on.
            Err(_) => drop(ringing.map(|leg| self.legs.insert(seat, leg))),
        }
        self.begin_turn(seat, &mut search);
        self.searches.insert(seat, search);
    }

    /// One said no for all: whatever else rings for this seat stops, and nothing more is called.
    pub(super) fn said_for_all(&mut self, seat: SeatId, search: &mut Search) {
        search.next.clear();
        let others = std::mem::take(&mut search.beside).into_iter().map(|(leg, _)| leg);
        self.legs.remove(&seat).into_iter().chain(others).for_each(Leg::end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_6xx_is_said_for_all() {
        assert!(is_global(600) && is_global(603) && is_global(606));
        assert!(!is_global(486) && !is_global(503) && !is_global(480));
    }
}
