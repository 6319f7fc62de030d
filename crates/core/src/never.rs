//! Who must never hear whom.

use crate::plan::Never;
use crate::seat::{Seat, Sounds, TapSeat};

pub fn never(_seats: &[Seat], _taps: &[TapSeat], _sounds: &Sounds) -> Never {
    Never::new()
}
