//! Calls that never begin: the code that the caller gets, and the audit row. Which code a reason
//! is, core says.

use super::Switchboard;
use crate::clock;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use undertone_core::audit::{AuditEntry, Outcome, Who};
use undertone_core::directory::Directory;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing::Origin;
use undertone_core::time::Mono;
use undertone_sip::Incoming;
use undertone_store::Class;

/// Strangers fill no disk: one row in so long, which says how many came meanwhile.
const STRANGER_ROW_EVERY_US: u64 = 1_000_000;

#[derive(Debug, Default)]
pub struct Strangers(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    written: Option<Mono>,
    unwritten: u64,
}

impl Strangers {
    /// How many came since the last row, this one too, if it is time for a row.
    fn row(&self, now: Mono) -> Option<u64> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.unwritten += 1;
        if seen.written.is_some_and(|at| now.since(at) < STRANGER_ROW_EVERY_US) {
            return None;
        }
        seen.written = Some(now);
        Some(std::mem::take(&mut seen.unwritten))
    }
}

impl Switchboard {
    /// A call that came by SIP and may not begin.
    pub(super) fn turned_away(
        &self,
        incoming: &Incoming,
        origin: Option<&Origin>,
        dir: &Directory,
        refusal: &Refusal,
    ) {
        let now = clock::now();
        let reasons = refusal.reasons.iter().map(|reason| reason.code()).collect::<Vec<_>>();
        let from = incoming.source;
        tracing::info!(%from, to = %incoming.request_user, ?reasons, "a call was turned away");
        self.house.counts.calls_refused.count(refusal);
        let mut detail = BTreeMap::new();
        detail.insert("caller".to_owned(), incoming.from.user.clone());
        detail.insert("callee".to_owned(), incoming.request_user.clone());
        if refusal.reasons.contains(&Reason::UnknownCaller) {
            let Some(count) = self.house.strangers.row(now.mono) else { return };
            detail.insert("strangers".to_owned(), count.to_string());
        }
        let (person, origin) = match origin {
            None => (None, format!("sip {from}")),
            Some(Origin::Trunk(trunk)) => (None, format!("trunk {trunk} {from}")),
            Some(Origin::Device(device)) => (
                dir.owner(device).map(|person| person.id.clone()),
                format!("phone {device} {from}"),
            ),
        };
        let entry = AuditEntry {
            org: dir.org.clone(),
            at: now.wall,
            who: Who { person, key: None, channel: None, origin },
            what: "call.start".into(),
            call: None,
            supervision: None,
            outcome: Outcome::refused(refusal),
            detail,
        };
        drop(self.house.store.append(entry, Class::Other));
    }
}
