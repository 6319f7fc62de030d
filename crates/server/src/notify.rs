//! What systemd is told (`sd_notify(3)`): ready, reloading, stopping, alive. Without its socket in
//! the environment nothing is sent, and nothing else differs.

use sd_notify::NotifyState;
use std::time::Duration;

/// Beside the drain: what the end of a server takes at most.
const STOP_SPARE_S: u64 = 15;

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Calls and requests are taken.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Followed by `ready`, whatever comes of it.
pub fn reloading() {
    let mut states = vec![NotifyState::Reloading];
    states.extend(NotifyState::monotonic_usec_now().ok());
    tell(&states);
}

/// Live calls may go on for so long: the manager must not lose patience before that.
pub fn stopping(drain_s: u64) {
    let us = (drain_s + STOP_SPARE_S).saturating_mul(1_000_000);
    let us = u32::try_from(us).unwrap_or(u32::MAX);
    tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(us)]);
}

pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often the manager wants to hear `alive`, if at all; half of what it waits.
pub fn alive_every() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|patience| patience / 2)
}
