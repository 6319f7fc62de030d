//! A 3xx to a call of ours (RFC 3261 section 8.1.3.4): the best of its contacts that routing lets
//! the redirecting phone or trunk dial is called next. The host that a contact names is not
//! believed: only its user counts, as if it had been dialled. At most 5 a seat, none twice.

use super::dialling::{Aim, Search};
use super::exchange::dialled;
use super::task::CallTask;
use crate::clock;
use std::collections::BTreeSet;
use undertone_core::id::SeatId;
use undertone_core::routing::Origin;

const FOLLOWED_MAX: usize = 5;

/// How far one seat was sent around.
#[derive(Default)]
pub(super) struct Follows {
    tried: BTreeSet<String>,
    followed: usize,
    /// A place is found, and waits for the leg that named it to end.
    waits: bool,
}

impl Follows {
    /// Whether the next group is one that a 3xx named.
    pub(super) fn take(&mut self) -> bool {
        std::mem::take(&mut self.waits)
    }
}

impl CallTask {
    /// Puts what is to be called instead before whatever else would come next.
    pub(super) fn sent_on(&mut self, seat: SeatId, search: &mut Search, from: &Aim, to: &[String]) {
        search.follows.tried.insert(from.to_uri.clone());
        let origin = match (&from.device, &from.by) {
            (Some(device), _) => Origin::Device(device.clone()),
            (None, Some((trunk, _))) => Origin::Trunk(trunk.clone()),
            (None, None) => return,
        };
        if search.follows.followed >= FOLLOWED_MAX {
            return tracing::info!(call = %self.me.id, seat = %seat, "sent on too often");
        }
        let found =
            to.iter().find_map(|contact| self.place_of(seat, search, &origin, from, contact));
        let Some(group) = found else {
            return tracing::info!(call = %self.me.id, seat = %seat, "sent on to nobody");
        };
        search.follows.followed += 1;
        search.follows.waits = true;
        search.next.push_front(group);
    }

    /// The addresses behind one contact that were not tried yet.
    fn place_of(
        &self,
        seat: SeatId,
        search: &Search,
        origin: &Origin,
        from: &Aim,
        contact: &str,
    ) -> Option<Vec<Aim>> {
        let to = dialled(contact).ok()?;
        let dir = self.house.directory.borrow().clone();
        let now = clock::now().mono;
        let mut traffic = self.house.exchange.traffic();
        let place = traffic.place(now, &self.me.id, origin, &to, &dir).ok()?;
        drop(traffic);
        let (groups, _) =
            self.groups(seat, &place.into(), &from.from_user, &from.from_name).ok()?;
        let mut group = groups.into_iter().next()?;
        group.retain(|aim| !search.follows.tried.contains(&aim.to_uri));
        (!group.is_empty()).then_some(group)
    }
}
