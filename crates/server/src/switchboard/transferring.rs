//! Transfers: whom a number means, and what is told to the phone that sent REFER.

use super::task::CallTask;
use super::{CallHandle, Switchboard, dialled};
use std::collections::BTreeMap;
use undertone_core::access::Actor;
use undertone_core::call::{
    Input, MergeAsked, NewParty, Other, ReferId, TransferAsked, TransferBy,
};
use undertone_core::id::SeatId;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing::Origin;
use undertone_sip::{DialogHandle, ReferToken, Replaces};

/// REFERs whose end is not told yet, with their dialogs: they may outlive their leg.
#[derive(Default)]
pub(super) struct Refers {
    open: BTreeMap<(SeatId, ReferId), OpenRefer>,
    last: u64,
}

pub(super) type OpenRefer = (DialogHandle, ReferToken);

impl Switchboard {
    /// Whom somebody at a desk sends a call to: as from their own telephone, else as from the
    /// agent's who is on the call.
    pub(crate) async fn reach(
        &self,
        call: &CallHandle,
        by: &Actor,
        to: &str,
    ) -> Result<NewParty, Refusal> {
        let view = call.view().await.ok_or_else(|| Refusal::because(Reason::CallEnded))?;
        let dir = self.directory();
        let people = [&by.person].into_iter().chain(view.agents_here());
        let device = people.into_iter().find_map(|person| dir.devices_of(person).next());
        let device = device.ok_or_else(|| Refusal::because(Reason::OutboundDenied))?.id.clone();
        self.place_for(&call.id, &Origin::Device(device), &dialled(to)?)
    }
}

impl CallTask {
    /// The phone at this seat asks that its place be given to another (RFC 3515), or that its two
    /// calls become one (RFC 5589).
    pub(super) fn referred(
        &mut self,
        seat: SeatId,
        token: ReferToken,
        to: String,
        replaces: Option<Replaces>,
    ) {
        let Some(leg) = self.legs.get(&seat) else { return };
        self.refers.last += 1;
        let refer = ReferId(self.refers.last);
        self.refers.open.insert((seat, refer), (leg.dialog().clone(), token));
        match replaces {
            Some(replaces) => self.joins_two_calls(seat, refer, &replaces),
            None => {
                let (by, new) = (TransferBy::Phone { seat, refer }, self.reach(seat, &to));
                let asked = TransferAsked { by, to, new };
                self.next.push_back(Input::TransferAsked(Box::new(asked)));
            }
        }
    }

    /// As if the telephone at this seat had dialled it. One behind a trunk may send nobody on.
    fn reach(&self, seat: SeatId, to: &str) -> Result<NewParty, Refusal> {
        let device = self.call.device_at(seat);
        let device = device.ok_or_else(|| Refusal::because(Reason::NotAllowed))?;
        let board = Switchboard { house: self.house.clone() };
        board.place_for(&self.me.id, &Origin::Device(device), &dialled(to)?)
    }

    /// The other call is asked how it stands, and core what becomes of both.
    fn joins_two_calls(&mut self, seat: SeatId, refer: ReferId, replaces: &Replaces) {
        let unknown = || Refusal::with(Reason::NoSuchParty, "Replaces names no call of ours");
        let Some((call, there)) = self.house.register.dialog(&replaces.call_id, &replaces.to_tag)
        else {
            let asked = MergeAsked { seat, refer, other: Err(unknown()) };
            self.next.push_back(Input::MergeAsked(Box::new(asked)));
            return;
        };
        let me = self.me.clone();
        tokio::spawn(async move {
            let view = call.view().await;
            let other = view.map(|view| Other { seat: there, view }).ok_or_else(unknown);
            me.input(Input::MergeAsked(Box::new(MergeAsked { seat, refer, other }))).await;
        });
    }

    pub(super) fn accept_refer(&mut self, seat: SeatId, refer: ReferId) {
        if let Some((dialog, token)) = self.refers.open.get(&(seat, refer)) {
            dialog.accept_refer(*token);
        }
    }

    pub(super) fn refuse_refer(&mut self, seat: SeatId, refer: ReferId, code: u16) {
        if let Some((dialog, token)) = self.refers.open.remove(&(seat, refer)) {
            dialog.refuse_refer(token, code);
        }
    }

    pub(super) fn notify_refer(&mut self, seat: SeatId, refer: ReferId, code: u16, last: bool) {
        if let Some((dialog, token)) = self.refers.open.get(&(seat, refer)) {
            dialog.notify_refer(*token, code, last);
        }
        if last {
            self.refers.open.remove(&(seat, refer));
        }
    }

    /// Of a leg that came from another call.
    pub(super) fn keep_refer(&mut self, seat: SeatId, refer: ReferId, open: OpenRefer) {
        self.refers.last = self.refers.last.max(refer.0);
        self.refers.open.insert((seat, refer), open);
    }

    /// Those of a leg that goes to another call.
    pub(super) fn take_refers(&mut self, seat: SeatId) -> Vec<(ReferId, OpenRefer)> {
        let open = &mut self.refers.open;
        let theirs: Vec<_> = open.keys().filter(|(at, _)| *at == seat).copied().collect();
        theirs.into_iter().filter_map(|key| Some((key.1, open.remove(&key)?))).collect()
    }
}
