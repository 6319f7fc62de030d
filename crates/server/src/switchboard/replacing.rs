//! An INVITE with Replaces (RFC 3891): to the call that has the dialog it names. Whether it may
//! take that place is core's to say.

use super::Switchboard;
use super::moving::Arrival;
use super::task::Message;
use crate::clock;
use std::collections::BTreeMap;
use undertone_core::audit::{AuditEntry, Outcome, Who};
use undertone_core::call::NewParty;
use undertone_core::refusal::{Reason, Refusal};
use undertone_engine::Rank;
use undertone_sip::{Incoming, Replaces};
use undertone_store::Class;

impl Switchboard {
    pub(super) fn arrived_to_replace(&self, incoming: Incoming, replaces: &Replaces) {
        let dir = self.directory();
        // Who is not known at all is refused and written as any caller is.
        let origin = match self.recognise(&incoming, &dir) {
            Ok((origin, _)) => origin,
            Err(code) => return incoming.dialog.reject(code, None),
        };
        let from = &incoming.from;
        let Some(by) = NewParty::arrived(&origin, &from.user, &from.name, &dir) else {
            return self.may_not_replace(&incoming, 403, Reason::NotAllowed);
        };
        let there = self.house.register.dialog(&replaces.call_id, &replaces.to_tag);
        let Some((call, seat)) = there else {
            return self.may_not_replace(&incoming, 481, Reason::NoSuchParty);
        };
        // Without an offer the seat would be without sound until the ACK.
        if incoming.offer.is_none() {
            return self.may_not_replace(&incoming, 488, Reason::BadRequest);
        }
        let leg = match self.arriving_leg(&incoming, Rank::First) {
            Ok(leg) => leg,
            Err(error) => {
                return self.may_not_replace(&incoming, error.code(), Reason::LegRejected);
            }
        };
        let arrival = Arrival { leg, events: incoming.events, seat, by };
        tokio::spawn(async move {
            // A call that has ended in between has nothing to replace.
            if let Err(unsent) = call.to.send(Message::Arrival(Box::new(arrival))).await
                && let Message::Arrival(arrival) = unsent.0
            {
                arrival.leg.refuse(481);
            }
        });
    }

    /// Refused before any call saw it, and written.
    fn may_not_replace(&self, incoming: &Incoming, code: u16, reason: Reason) {
        incoming.dialog.reject(code, None);
        let entry = AuditEntry {
            org: self.directory().org.clone(),
            at: clock::now().wall,
            who: Who { origin: format!("sip {}", incoming.source), ..Who::system() },
            what: "call.replace".into(),
            call: None,
            supervision: None,
            outcome: Outcome::refused(&Refusal::because(reason)),
            detail: BTreeMap::from([("from".to_owned(), incoming.from.user.clone())]),
        };
        drop(self.house.store.append(entry, Class::Other));
    }
}
