//! Early media (RFC 3960 section 3.1, as a gateway does it): what a trunk plays before its answer,
//! to whoever called. Its media goes into the bridge at its first description, the caller's with
//! the 183; the answers that follow find both there.
//!
//! Of trunks only: phones that describe themselves in a 180 rarely play anything, and their caller
//! would hear silence instead of ringing.

use super::{CallTask, Leg, Stage};
use undertone_core::call::{Input, LegFailure};
use undertone_core::id::SeatId;

impl Leg {
    /// Its media is in the bridge, and nobody has answered.
    pub(super) fn is_early(&self) -> bool {
        matches!(self.stage, Stage::Playing(_) | Stage::Told { .. })
    }
}

impl CallTask {
    /// A called leg described its media before its answer. False if that is ringing and no more.
    pub(super) fn plays(&mut self, seat: SeatId, sdp: &str) -> bool {
        let by_trunk = self.searches.get(&seat).is_some_and(|search| search.at.by.is_some());
        let Some(leg) = self.legs.get_mut(&seat).filter(|_| by_trunk) else { return false };
        let Ok(media) = leg.session.foresee(sdp) else { return false };
        match &mut leg.stage {
            Stage::Offered => leg.stage = Stage::Playing(Box::new(media.clone())),
            // Another fork, or the network has changed its mind.
            Stage::Playing(was) => {
                if **was != media {
                    **was = media.clone();
                    self.house.engine.reconfigure(self.me.bridge, seat, media);
                }
                return true;
            }
            _ => return false,
        }
        match self.plug(seat, media) {
            Some(Ok(())) => self.next.push_back(Input::LegEarly { seat, is_on: true }),
            _ => {
                self.hang_up(seat);
                self.next.push_back(Input::LegFailed { seat, why: LegFailure::Other });
            }
        }
        true
    }

    /// The caller hears it from now on. One who made no offer has nothing to hear it by, and rings.
    pub(in crate::switchboard) fn tell_early(&mut self, seat: SeatId) {
        let Some(leg) = self.legs.get_mut(&seat) else { return };
        let (answer, media) = match std::mem::replace(&mut leg.stage, Stage::ArrivedEmpty) {
            Stage::Arrived { answer, media } => (answer, media),
            other => {
                leg.stage = other;
                return self.ring(seat);
            }
        };
        leg.stage = Stage::Told { answer: answer.clone() };
        match self.plug(seat, *media) {
            Some(Ok(())) => {
                if let Some(leg) = self.legs.get(&seat) {
                    leg.dialog.progress(183, Some(answer));
                }
                self.next.push_back(Input::LegEarly { seat, is_on: true });
            }
            _ => self.next.push_back(Input::LegFailed { seat, why: LegFailure::Other }),
        }
    }

    /// An early leg was answered: its media is where it belongs.
    pub(super) fn in_the_bridge(&mut self, seat: SeatId) {
        let agreed = self.legs.get(&seat).and_then(Leg::directions).unwrap_or((true, true));
        self.attached(seat, Ok(()), agreed);
    }

    /// A leg that was called has come to nothing; another may stand in its place at once.
    pub(in crate::switchboard) fn drop_called(&mut self, seat: SeatId) {
        if self.legs.remove(&seat).is_some_and(|leg| leg.is_early()) {
            self.unplug(seat);
            self.next.push_back(Input::LegEarly { seat, is_on: false });
        }
    }
}
