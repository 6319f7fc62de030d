//! One turn of a call carried out, so that a process that dies at any instant leaves enough: the
//! note of the call goes before its rows, and the last rows of a call go with its record, all or
//! none. Decides nothing, and no sound waits for any of it.

use super::task::CallTask;
use crate::clock;
use std::sync::atomic::Ordering;
use undertone_core::audit::AuditEntry;
use undertone_core::call::{CallRecord, Effect};

impl CallTask {
    pub(super) fn carry_out_turn(&mut self, effects: Vec<Effect>) {
        let ends = matches!(effects.last(), Some(Effect::Ended(_)));
        let notable = |e: &Effect| matches!(e, Effect::WriteRow { .. } | Effect::Changed);
        if !self.call.is_over() && effects.iter().any(notable) {
            let note = self.call.noted(clock::now());
            self.house.store.note(self.house.ids.boot(), note);
        }
        let mut last_rows = Vec::new();
        for effect in effects {
            match effect {
                // Nothing waits for a row of a call that is over.
                Effect::WriteRow { entry, .. } if ends => last_rows.push(*entry),
                Effect::Ended(record) => self.record(std::mem::take(&mut last_rows), *record),
                other => self.carry_out(other),
            }
        }
    }

    pub(super) fn record(&self, rows: Vec<AuditEntry>, record: CallRecord) {
        let count = rows.len() as u64;
        let committed = self.house.store.end(rows, record);
        let (house, id) = (self.house.clone(), self.me.id.clone());
        tokio::spawn(async move {
            if let Err(error) = committed.await {
                house.counts.rows_failed.fetch_add(count, Ordering::Relaxed);
                tracing::error!(call = %id, %error, "an ended call was not recorded");
            }
        });
    }
}
