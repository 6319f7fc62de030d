//! What `hearing.md` says, written a second time and pair by pair, for the tests to compare with.
//! Shares no code with `hearing.rs` or `never.rs`; speaks of calls at rest, not of a change.

use undertone_core::seat::{Early, Part, Seat};
use undertone_core::view::Mode;

/// Rows: who listens. Columns: customer, agent, listen, whisper, barge, takeover.
/// `y` yes, `n` no, `t` if a target, `p` if policy shares whispers and this one is not private.
const TABLE: [&[u8; 6]; 3] = [
    b"yynnyy", // a customer
    b"yyntyy", // an agent
    b"yynpyy", // a supervisor
];

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Word {
    pub voice: bool,
    pub digits: bool,
    /// To be in `never`: no policy and no direction of a leg would let it pass.
    pub banned: bool,
}

fn column(seat: &Seat) -> usize {
    match &seat.part {
        Part::Customer => 0,
        Part::Agent => 1,
        Part::Supervisor(s) => match s.mode {
            Mode::Listen => 2,
            Mode::Whisper => 3,
            Mode::Barge => 4,
            Mode::Takeover => 5,
        },
    }
}

/// What `to` hears of `from`.
pub(crate) fn word(seats: &[Seat], to: usize, from: usize, shared: bool) -> Word {
    let (l, s) = (&seats[to], &seats[from]);
    let quiet = !s.held_by.is_empty() || !s.muted_by.is_empty() || !s.listening_by.is_empty();
    // Before the answer: who was called to who called, and no other pair.
    let announced = !l.connected
        && !s.connected
        && (l.early, s.early) == (Some(Early::Hears), Some(Early::Heard))
        && column(l).max(column(s)) < 2;
    let apart = l.room != s.room || to == from || !(l.connected && s.connected || announced);
    let (targeted, private) = match &s.part {
        Part::Supervisor(sup) => (sup.targets.contains(&l.id), sup.private),
        _ => (false, false),
    };
    let cell = TABLE[column(l).min(2)][column(s)];
    let by_table = cell == b'y' || cell == b't' && targeted || cell == b'p' && !private;
    let possible = by_table && !quiet && !apart && l.held_by.is_empty();
    let voice = possible && (cell != b'p' || shared) && l.receives && s.sends;

    // Digits: customer and takeover; customer and agent where nobody has taken over.
    let taken = seats.iter().any(|o| column(o) == 5 && o.connected && o.room == l.room);
    let pair = (column(l).min(column(s)), column(l).max(column(s)));
    let digits = voice && !announced && (pair == (0, 5) || pair == (0, 1) && !taken);
    Word { voice, digits, banned: !possible }
}

/// Whether hold treatment is due, with nobody's guard running.
pub(crate) fn treated(seats: &[Seat], to: usize, shared: bool) -> bool {
    let l = &seats[to];
    let hears_none = (0..seats.len()).all(|from| !word(seats, to, from, shared).voice);
    let parties = |same: bool| {
        seats
            .iter()
            .enumerate()
            .any(|(i, o)| i != to && o.connected && column(o) < 2 && (o.room == l.room) == same)
    };
    let waits = match column(l) {
        0 => hears_none,
        1 => hears_none && parties(false) && !parties(true),
        _ => false,
    };
    l.connected && l.receives && (!l.held_by.is_empty() || waits)
}
