//! Transfers: what a phone asks by REFER, and what it is told of it. Who may, and where that leads,
//! core says.

use super::task::CallTask;
use std::collections::BTreeMap;
use undertone_core::call::{Input, MergeAsked, ReferId, TransferAsked, TransferBy};
use undertone_core::id::SeatId;
use undertone_core::refusal::{Reason, Refusal};
use undertone_sip::{DialogHandle, ReferToken, Replaces};

/// REFERs whose end is not told yet, with their dialogs: they may outlive their leg.
#[derive(Default)]
pub(super) struct Refers {
    open: BTreeMap<(SeatId, ReferId), OpenRefer>,
    last: u64,
}

pub(super) type OpenRefer = (DialogHandle, ReferToken);

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
                let asked = TransferAsked { by: TransferBy::Phone { seat, refer }, to };
                self.next.push_back(Input::TransferAsked(Box::new(asked)));
            }
        }
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
            let other = call.other(there).await.ok_or_else(unknown);
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
