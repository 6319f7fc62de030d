//! Instants that are handed in. Nothing in this crate reads a clock.

use std::ops::{Add, Sub};

/// Microseconds on the process's monotonic clock; orders events and measures lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

/// Milliseconds since the Unix epoch, UTC; what people are shown. Never used to measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub i64);

/// The two clocks read together: every input to a state machine carries one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    pub mono: Mono,
    pub wall: Wall,
}

impl Mono {
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1_000)
    }
    /// Microseconds from `earlier` to `self`; 0 if `earlier` is later.
    pub const fn since(self, earlier: Mono) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
    pub const fn plus_us(self, us: u64) -> Self {
        Self(self.0.saturating_add(us))
    }
    pub const fn plus_ms(self, ms: u64) -> Self {
        self.plus_us(ms * 1_000)
    }
}

impl Add<std::time::Duration> for Mono {
    type Output = Mono;
    fn add(self, d: std::time::Duration) -> Mono {
        self.plus_us(d.as_micros() as u64)
    }
}

impl Sub for Mono {
    type Output = std::time::Duration;
    fn sub(self, earlier: Mono) -> std::time::Duration {
        std::time::Duration::from_micros(self.since(earlier))
    }
}
