//! Seats for the tests of hearing, by word. Knows nothing of who hears whom.

use std::collections::BTreeSet;
use undertone_core::id::SeatId;
use undertone_core::seat::{Early, Mark, Part, Room, Seat, Supervising};
use undertone_core::view::Mode;

pub(crate) const KINDS: [&str; 6] = ["customer", "agent", "listen", "whisper", "barge", "takeover"];
/// What a seat may be besides free; each alone.
pub(crate) const STATES: [&str; 4] = ["free", "held", "muted", "listening"];

pub(crate) fn part(kind: &str, targets: &[u32], private: bool) -> Part {
    let mode = match kind {
        "customer" => return Part::Customer,
        "agent" => return Part::Agent,
        "listen" => Mode::Listen,
        "whisper" => Mode::Whisper,
        "barge" => Mode::Barge,
        "takeover" => Mode::Takeover,
        other => panic!("no kind {other}"),
    };
    let targets: BTreeSet<SeatId> = targets.iter().map(|t| SeatId(*t)).collect();
    Part::Supervisor(Supervising { mode, targets, private })
}

pub(crate) fn seat(id: u32, kind: &str) -> Seat {
    let mut seat = Seat::new(SeatId(id), part(kind, &[], false));
    seat.connected = true;
    seat
}

pub(crate) fn whisper(id: u32, targets: &[u32]) -> Seat {
    let mut seat = seat(id, "whisper");
    seat.part = part("whisper", targets, false);
    seat
}

/// The seat in that state, or `deaf` / `mute` by its leg's direction, or `away`: not connected;
/// of those `early` may be heard before the answer, and `waits` may hear.
pub(crate) fn put(mut seat: Seat, state: &str) -> Seat {
    match state {
        "free" => {}
        "held" => seat.held_by = [Mark::Api].into(),
        "muted" => seat.muted_by = [Mark::Api].into(),
        "listening" => seat.listening_by = [Mark::Api].into(),
        "deaf" => seat.receives = false,
        "mute" => seat.sends = false,
        "away" => seat.connected = false,
        "early" => (seat.connected, seat.early) = (false, Some(Early::Heard)),
        "waits" => (seat.connected, seat.early) = (false, Some(Early::Hears)),
        other => panic!("no state {other}"),
    }
    seat
}

pub(crate) fn in_room(mut seat: Seat, room: u16) -> Seat {
    seat.room = Room(room);
    seat
}
