//! What the media threads report, as messages to the call whose bridge it is. Runs on a media
//! thread: it never waits.

use super::register::Register;
use super::task::Message;
use std::sync::atomic::{AtomicU64, Ordering};
use undertone_core::call::Input;
use undertone_core::id::BridgeId;
use undertone_media::bridge::BridgeEvent;

/// What was reported and is counted, not acted on.
#[derive(Debug, Default)]
pub struct MediaCounts {
    /// A forbidden source was about to be sent and was silenced. Any is an alarm.
    pub privacy_alarms: AtomicU64,
    /// Reports that found a call's queue full.
    pub reports_lost: AtomicU64,
}

/// Nothing received for so long: the phone is asked whether it is still there.
const MEDIA_TIMEOUT_MS: u64 = 60_000;

impl Register {
    pub fn report(&self, counts: &MediaCounts, bridge: BridgeId, event: BridgeEvent) {
        if let BridgeEvent::PrivacyAlarm { .. } = event {
            counts.privacy_alarms.fetch_add(1, Ordering::Relaxed);
            tracing::error!(%bridge, ?event, "PRIVACY: a forbidden source was silenced");
        }
        self.browsers.report(bridge, &event);
        let Some(message) = message(event) else { return };
        let Some(to) = self.bridge(bridge) else { return };
        if let Err(tokio::sync::mpsc::error::TrySendError::Full(_)) = to.try_send(message) {
            counts.reports_lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn message(event: BridgeEvent) -> Option<Message> {
    let input = match event {
        BridgeEvent::PlanInForce(version) => Input::PlanInForce { version },
        BridgeEvent::GuardPassed { edge, version } => Input::GuardPassed { edge, version },
        BridgeEvent::AudioProven { seat, incoming } => Input::AudioProven { seat, incoming },
        BridgeEvent::Panicked => Input::BridgeFailed,
        // Asked once a minute of silence, not at each step of it.
        BridgeEvent::LegSilent { seat, for_ms }
            if for_ms > 0 && for_ms.is_multiple_of(MEDIA_TIMEOUT_MS) =>
        {
            return Some(Message::Silent { seat, for_ms });
        }
        BridgeEvent::Digit { seat, event, started: true } => {
            return Some(Message::Digit { seat, digit: digit(event)? });
        }
        _ => return None,
    };
    Some(Message::Input(Box::new(input)))
}

/// RFC 4733 section 3.2: events 0 to 15.
fn digit(event: u8) -> Option<char> {
    "0123456789*#ABCD".chars().nth(usize::from(event))
}
