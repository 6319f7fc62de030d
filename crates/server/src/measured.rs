//! A call with what is measured of it: who hears whom at each output, how loud each end is, and
//! what that tells. Each look is one more thing that the call's ear has heard.

use crate::clock;
use crate::commands::{Desk, HEARD_DBFS};
use crate::switchboard::CallHandle;
use std::collections::BTreeMap;
use std::sync::PoisonError;
use undertone_api::CallSnapshot;
use undertone_core::attention::Heard;
use undertone_core::id::SeatId;
use undertone_core::plan::Source;
use undertone_core::view::{AttentionView, CallState, CallView, Role};
use undertone_media::bridge::Bridge;

/// What one look into a bridge gives.
struct Look {
    /// Listener to speakers, with their level there.
    heard: BTreeMap<SeatId, Vec<(SeatId, f32)>>,
    packets: BTreeMap<SeatId, u64>,
}

impl Look {
    fn into(bridge: &Bridge, seats: Vec<SeatId>) -> Look {
        let packets = |seat: &SeatId| Some((*seat, bridge.stats(*seat)?.received));
        let packets = seats.iter().filter_map(packets).collect();
        let heard = |seat: SeatId| {
            let by_seat = bridge.hears(seat).into_iter().filter_map(|(source, dbfs)| {
                let Source::Seat(speaker) = source else { return None };
                Some((speaker, dbfs))
            });
            (seat, by_seat.collect())
        };
        Look { heard: seats.into_iter().map(heard).collect(), packets }
    }

    fn hears(&self) -> BTreeMap<SeatId, Vec<SeatId>> {
        let loud = |all: &Vec<(SeatId, f32)>| {
            let loud = all.iter().filter(|(_, dbfs)| *dbfs > HEARD_DBFS);
            loud.map(|(speaker, _)| *speaker).collect()
        };
        self.heard.iter().map(|(listener, all)| (*listener, loud(all))).collect()
    }

    /// What somebody says is measured where others hear it.
    fn level_of(&self, speaker: SeatId) -> Option<f32> {
        let all = self.heard.values().flatten().filter(|(seat, _)| *seat == speaker);
        all.map(|(_, dbfs)| *dbfs).reduce(f32::max)
    }
}

impl Desk {
    pub(crate) async fn with_hears(&self, call: &CallHandle, view: CallView) -> CallSnapshot {
        let seats: Vec<SeatId> = view.parties.iter().map(|p| p.seat).collect();
        let look = move |bridge: &Bridge| Look::into(bridge, seats);
        match self.board().house().engine.inspect(call.bridge, look).await {
            Some(look) => {
                let attention = self.listen(call, &view, &look);
                CallSnapshot { view, hears: look.hears(), attention }
            }
            None => CallSnapshot { view, hears: BTreeMap::new(), attention: Vec::new() },
        }
    }

    fn listen(&self, call: &CallHandle, view: &CallView, look: &Look) -> Vec<AttentionView> {
        let ends = view.parties.iter().filter(|p| p.role != Role::Supervisor && p.connected);
        let free = |p: &&undertone_core::view::PartyView| !p.held && !p.muted;
        let talks = view.state == CallState::Talking && ends.clone().all(|p| free(&p));
        let ends: Vec<_> = ends
            .map(|party| Heard {
                seat: party.seat,
                level_dbfs: look.level_of(party.seat),
                packets: look.packets.get(&party.seat).copied().unwrap_or_default(),
            })
            .collect();
        let mut ear = call.ear.lock().unwrap_or_else(PoisonError::into_inner);
        ear.take(clock::now(), talks && ends.len() > 1, &ends);
        ear.attention(&self.board().directory().policy)
    }
}
