//! A leg in a bridge where it is alone, before it is any call's: answered there, confirmed, taken
//! out again with its sound.

use super::{Leg, Stage};
use undertone_core::id::{BridgeId, SeatId};
use undertone_engine::{DetachedLeg, Engine};
use undertone_media::bridge::LegConfig;
use undertone_sdp::{Direction, Media};

impl Leg {
    /// Answers it into a bridge where it is alone; one that is up comes there with its sound.
    /// None: it cannot be, and is let go.
    pub(in crate::switchboard) fn answer_alone(
        mut self,
        engine: &Engine,
        bridge: BridgeId,
        seat: SeatId,
    ) -> Option<Self> {
        let there = match std::mem::replace(&mut self.stage, Stage::Up) {
            Stage::Arrived { answer, media } => {
                let attached = self.attach_alone(engine, bridge, seat, *media);
                if attached {
                    self.dialog.answer(answer);
                }
                attached
            }
            Stage::ArrivedEmpty => {
                self.stage = Stage::AnsweredEmpty;
                let offer = self.session.offer(Direction::SendRecv);
                self.dialog.answer(offer);
                true
            }
            Stage::OnTheWay(media) => engine.attach_leg(bridge, seat, *media).is_ok(),
            // Its media is in a call's bridge.
            Stage::Told { .. } | Stage::Playing(_) => false,
            Stage::Offered | Stage::AnsweredEmpty | Stage::Up => false,
        };
        if !there {
            // Of the two, whichever its dialog is not past.
            self.dialog.reject(503, None);
            self.dialog.bye();
            return None;
        }
        Some(self)
    }

    fn attach_alone(
        &mut self,
        engine: &Engine,
        bridge: BridgeId,
        seat: SeatId,
        media: Media,
    ) -> bool {
        let Some(ports) = self.ports.take() else { return false };
        let config = LegConfig { id: self.id, media, seed: rand::random() };
        engine.attach(bridge, seat, config, ports).is_ok()
    }

    /// Its ACK came, perhaps with the answer to our offer. False: it has no sound.
    pub(in crate::switchboard) fn confirmed_alone(
        &mut self,
        engine: &Engine,
        bridge: BridgeId,
        seat: SeatId,
        sdp: Option<&str>,
    ) -> bool {
        let media = sdp.map(|sdp| self.session.accept(sdp));
        match (&self.stage, media) {
            (Stage::AnsweredEmpty, Some(Ok(media))) => {
                self.stage = Stage::Up;
                self.attach_alone(engine, bridge, seat, media)
            }
            (Stage::AnsweredEmpty, _) => false,
            (_, Some(Ok(media))) => {
                engine.reconfigure(bridge, seat, media);
                true
            }
            (_, _) => true,
        }
    }

    /// It has left a bridge, and goes on into another one.
    pub(in crate::switchboard) fn takes_along(&mut self, media: DetachedLeg) {
        self.stage = Stage::OnTheWay(Box::new(media));
    }
}
