//! What the live board asks of the switchboard, floor and store. Looks only; decides nothing.

use super::dirty::Dirty;
use super::follower::without;
use crate::commands::Desk;
use futures::future::join_all;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;
use undertone_api::{CallSnapshot, Meter, SignedIn};
use undertone_core::access::Actor;
use undertone_core::directory::Directory;
use undertone_core::id::{CallId, SeatId};
use undertone_core::plan::Source;
use undertone_core::seen;
use undertone_core::view::{AgentView, CallView};
use undertone_media::bridge::Bridge;

/// Of one listener: each source and its level at that output.
type Heard = Vec<(SeatId, Vec<(SeatId, f32)>)>;

/// What one look at a call gave.
pub(super) struct Measured {
    view: CallView,
    heard: Heard,
}

impl Desk {
    pub(super) fn dirty(&self) -> &Arc<Dirty> {
        &self.board().house().dirty
    }

    pub(super) fn directory(&self) -> Arc<Directory> {
        self.board().directory()
    }

    pub(super) fn directory_changes(&self) -> watch::Receiver<Arc<Directory>> {
        let mut changes = self.board().house().directory.clone();
        // Between sign-in and now it may have changed.
        changes.mark_changed();
        changes
    }

    pub(super) async fn everything(&self) -> (Vec<CallSnapshot>, Vec<AgentView>) {
        let calls = self.board().house().register.all();
        let found = join_all(calls.iter().map(|call| self.snapshot(call))).await;
        (found.into_iter().flatten().collect(), self.everybody().await)
    }

    pub(super) async fn everybody(&self) -> Vec<AgentView> {
        self.board().house().floor.everybody().await
    }

    /// None: that call has ended.
    pub(super) async fn look_at(
        &self,
        calls: BTreeSet<CallId>,
    ) -> Vec<(CallId, Option<CallSnapshot>)> {
        let one = async |id: CallId| {
            let found = match self.board().house().register.call(&id) {
                Some(call) => self.snapshot(&call).await,
                None => None,
            };
            (id, found)
        };
        join_all(calls.into_iter().map(one)).await
    }

    /// As this person may see it.
    pub(super) fn seen(&self, call: &CallSnapshot, who: &Actor) -> Option<CallSnapshot> {
        let dir = self.directory();
        let (view, hidden) = seen::call(&call.view, who, &dir.policy)?;
        let mut seen = CallSnapshot { view, ..call.clone() };
        without(&mut seen, &hidden);
        Some(seen)
    }

    pub(super) async fn is_open(&self, who: &SignedIn) -> bool {
        let Some(session) = &who.session else { return true };
        // A database that is away signs nobody out.
        self.board().house().store.is_session(&session.id).await.unwrap_or(true)
    }

    /// A call as it sounds now, before anybody's scope.
    pub(super) async fn measure(&self, id: &CallId) -> Option<Measured> {
        let call = self.board().house().register.call(id)?;
        let view = call.view().await?;
        let look = |bridge: &Bridge| -> Heard {
            let at = |seat: SeatId| (seat, by_seat(bridge, seat));
            bridge.seats().map(at).collect()
        };
        let heard = self.board().house().engine.inspect(call.bridge, look).await?;
        Some(Measured { view, heard })
    }

    /// Levels of a call's parties, as far as this person may see them.
    pub(super) fn meters(&self, call: &Measured, who: &Actor) -> Option<Vec<Meter>> {
        let (view, hidden) = seen::call(&call.view, who, &self.directory().policy)?;
        let told = told(&call.heard, &hidden);
        let meter = |seat: SeatId| Meter {
            seat,
            level_dbfs: loudest(&told, seat),
            hears: told
                .iter()
                .filter(|(listener, _)| *listener == seat)
                .flat_map(|(_, all)| all.iter().map(|(speaker, _)| *speaker))
                .collect(),
        };
        Some(view.parties.iter().map(|party| meter(party.seat)).collect())
    }
}

/// Without those whom one may not see: neither what they say, nor what is measured because they
/// hear it. A level that only a silent listener hears would tell of that listener.
fn told(heard: &Heard, hidden: &BTreeSet<SeatId>) -> Heard {
    let shown = heard.iter().filter(|(listener, _)| !hidden.contains(listener));
    let without = |all: &Vec<(SeatId, f32)>| {
        all.iter().filter(|(speaker, _)| !hidden.contains(speaker)).copied().collect()
    };
    shown.map(|(listener, all)| (*listener, without(all))).collect()
}

fn by_seat(bridge: &Bridge, listener: SeatId) -> Vec<(SeatId, f32)> {
    let heard = bridge.hears(listener).into_iter().filter_map(|(source, dbfs)| {
        let Source::Seat(speaker) = source else { return None };
        (dbfs > crate::commands::HEARD_DBFS).then_some((speaker, dbfs))
    });
    heard.collect()
}

/// What a party says is measured where somebody hears it; whom nobody hears has no level.
fn loudest(heard: &Heard, speaker: SeatId) -> Option<f32> {
    let all = heard.iter().flat_map(|(_, all)| all);
    let of_it = all.filter(|(who, _)| *who == speaker).map(|(_, dbfs)| *dbfs);
    of_it.fold(None, |most, dbfs| Some(most.map_or(dbfs, |most: f32| most.max(dbfs))))
}
