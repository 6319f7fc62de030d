//! The one place of the server where clocks are read. Everything else is handed a `Now`.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use undertone_core::time::{Mono, Now, Wall};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Both clocks, read together.
pub fn now() -> Now {
    let us = START.elapsed().as_micros() as u64;
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { mono: Mono(us), wall: Wall(wall.as_millis() as i64) }
}
