//! The dialogs that live, by what names one in a request to it, and those that ended last: the one
//! place that knows whether an INVITE is another copy of one that we have (RFC 3261 section
//! 8.2.2.2), or one of ours that went in a circle (section 16.3).
//!
//! All addresses of one `Sip` share it. It runs no dialog and answers nothing.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rsipstack::sip::{Request, Uri};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::SipAddr;
use tokio::sync::mpsc;

use crate::contact;
use crate::far::Far;
use crate::fields::{call_id, cseq, from_tag, hops};
use crate::lock::lock;
use crate::types::KnownDialog;

/// Dialogs that ended last, for who names one of them too late.
const ENDED_MAX: usize = 1_024;

/// Call-ID and our tag: what names one of our dialogs in a request to it.
pub(crate) type DialogKey = (String, String);
/// Call-ID, their tag and CSeq: what two copies of one forked INVITE share (section 8.2.2.2).
pub(crate) type MergeKey = (String, String, u32);

/// One of our dialogs, as the endpoint knows it.
pub(crate) struct Route {
    pub(crate) requests: mpsc::Sender<Transaction>,
    pub(crate) far: Arc<Far>,
    pub(crate) up: Arc<AtomicBool>,
    /// The Request-URI of our INVITE; None if it was theirs.
    pub(crate) asked: Option<Uri>,
}

#[derive(Default)]
pub(crate) struct Dialogs {
    live: Mutex<HashMap<DialogKey, Route>>,
    merges: Mutex<HashMap<MergeKey, DialogKey>>,
    ended: Mutex<VecDeque<(DialogKey, String)>>,
}

pub(crate) fn merge_key(invite: &Request) -> MergeKey {
    (call_id(invite), from_tag(invite), cseq(invite))
}

impl Dialogs {
    pub(crate) fn len(&self) -> usize {
        lock(&self.live).len()
    }

    /// `merge` is there for a call that came to us.
    pub(crate) fn enter(&self, key: &DialogKey, route: Route, merge: Option<&MergeKey>) {
        lock(&self.live).insert(key.clone(), route);
        if let Some(merge) = merge {
            lock(&self.merges).insert(merge.clone(), key.clone());
        }
    }

    /// From here on it is one that has ended; the second time nothing happens.
    pub(crate) fn leave(&self, key: &DialogKey) {
        let Some(route) = lock(&self.live).remove(key) else { return };
        let mut ended = lock(&self.ended);
        if ended.len() >= ENDED_MAX {
            ended.pop_front();
        }
        ended.extend(route.far.tag().map(|tag| (key.clone(), tag)));
    }

    /// Copies of its INVITE are new calls again.
    pub(crate) fn forget_merge(&self, merge: &MergeKey) {
        lock(&self.merges).remove(merge);
    }

    pub(crate) fn requests_of(&self, key: &DialogKey) -> Option<mpsc::Sender<Transaction>> {
        lock(&self.live).get(key).map(|route| route.requests.clone())
    }

    /// Whether requests of any go over this connection.
    pub(crate) fn any_on(&self, flow: &SipAddr) -> bool {
        lock(&self.live).values().any(|route| route.far.is_on(flow))
    }

    /// The connections that requests of any go over.
    pub(crate) fn connections(&self) -> Vec<SipAddr> {
        lock(&self.live).values().filter_map(|route| route.far.connection()).collect()
    }

    /// The same INVITE by two ways: a proxy forked it, and both branches lead to us.
    pub(crate) fn is_merged(&self, invite: &Request) -> bool {
        lock(&self.merges).contains_key(&merge_key(invite))
    }

    /// An INVITE of ours that somebody passed back to us as it was. One that came straight from
    /// us is a call between two of our own users, and one whose Request-URI was changed on the way
    /// is a spiral, which is no loop (section 16.3): another way to a user of ours.
    pub(crate) fn has_looped(&self, invite: &Request) -> bool {
        let live = lock(&self.live);
        let Some(route) = live.get(&(call_id(invite), from_tag(invite))) else { return false };
        match &route.asked {
            Some(asked) => {
                hops(invite) > 1 && contact::same(&asked.to_string(), &invite.uri.to_string())
            }
            // Who was called by us under this tag began no dialog with it.
            None => true,
        }
    }

    /// What the far end believes its own address to be, if that leads elsewhere.
    pub(crate) fn inside(&self, key: &DialogKey) -> Option<IpAddr> {
        lock(&self.live).get(key)?.far.inside()
    }

    /// `to_tag` is ours, `from_tag` theirs, as in a Replaces that comes to us.
    pub(crate) fn known(&self, id: &str, to_tag: &str, from_tag: &str) -> Option<KnownDialog> {
        let live = lock(&self.live);
        let route = live.get(&(id.to_owned(), to_tag.to_owned()))?;
        let fits = route.far.tag().is_some_and(|tag| tag == from_tag);
        let confirmed = route.up.load(Ordering::Relaxed);
        fits.then_some(KnownDialog { confirmed, ours: route.asked.is_some() })
    }

    pub(crate) fn has_ended(&self, id: &str, to_tag: &str, from_tag: &str) -> bool {
        let named =
            |(key, tag): &(DialogKey, String)| key.0 == id && key.1 == to_tag && tag == from_tag;
        lock(&self.ended).iter().any(named)
    }
}
