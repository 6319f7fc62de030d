//! A caller who is told one thing and is on no call: answered, told, hung up. Every word has a
//! recording of ours; who is told what is core's.

use super::legs::Leg;
use super::tapping::Arrived;
use super::{Switchboard, sound};
use std::time::Duration;
use undertone_core::id::SeatId;
use undertone_core::notice::{Spoken, spoken_source, told_alone};
use undertone_engine::Engine;
use undertone_sip::DialogEvent;

const SEAT: SeatId = SeatId(1);
/// Before the word, so that its beginning is not lost while the phone opens its ear; and after.
const REST: Duration = Duration::from_millis(400);

pub(super) async fn tell_alone(board: Switchboard, arrived: Arrived, word: Spoken) {
    let (leg, mut events) = *arrived;
    let house = board.house();
    let bridge = house.ids.bridge();
    let engine: &Engine = &house.engine;
    if let Err(error) = engine.open(bridge, rand::random()) {
        tracing::warn!(%error, "a refusal is not spoken");
        return leg.refuse(503);
    }
    let (speech, length) = sound::spoken(word);
    let leg: Option<Leg> = leg.answer_alone(engine, bridge, SEAT);
    if let Some(leg) = leg {
        let begun = async {
            tokio::time::sleep(REST).await;
            engine.set_source(bridge, spoken_source(SEAT), speech)
        };
        let told = async {
            if let Err(error) = begun.await {
                return tracing::warn!(%error, "a refusal is not spoken");
            }
            engine.apply(bridge, std::sync::Arc::new(told_alone(SEAT)));
            tokio::time::sleep(length + REST).await;
        };
        let gone = async {
            while let Some(event) = events.recv().await {
                if matches!(event, DialogEvent::Failed { .. } | DialogEvent::Ended { .. }) {
                    return;
                }
            }
        };
        tokio::select! { () = told => {}, () = gone => {} }
        leg.end();
    }
    engine.close(bridge);
}
