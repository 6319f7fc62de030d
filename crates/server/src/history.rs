//! Ended calls by page. The store finds by time and person; what else was asked for is looked at
//! here, for so many calls at once and no more.

use crate::commands::{plain, unavailable};
use undertone_api::{HistoryPage, HistoryQuery};
use undertone_core::call::CallRecord;
use undertone_core::refusal::{Reason, Refusal};
use undertone_store::{CallFilter, Store, StoreError};

/// Calls that one page looks at; a rare kind may take several pages.
const LOOKED_AT_MAX: usize = 5_000;

pub(crate) async fn page(store: &Store, query: HistoryQuery) -> Result<HistoryPage, Refusal> {
    let mut page = HistoryPage { items: Vec::new(), next: query.cursor.clone() };
    let (wanted, mut looked_at) = (query.limit as usize, 0);
    loop {
        // As many as there is room for: none that was looked at is left out of the page.
        let limit = (wanted - page.items.len()) as u32;
        let filter = CallFilter {
            person: query.agent.clone(),
            from: query.from,
            to: query.to,
            cursor: page.next.take(),
            limit,
        };
        let found = store.calls(filter).await.map_err(refused)?;
        looked_at += found.items.len();
        let fit = found.items.into_iter().filter(|record| fits(record, &query));
        page.items.extend(fit.map(|record| plain(record.view)));
        page.next = found.next;
        if page.next.is_none() || page.items.len() >= wanted || looked_at >= LOOKED_AT_MAX {
            return Ok(page);
        }
    }
}

fn fits(record: &CallRecord, query: &HistoryQuery) -> bool {
    let agent = query.agent.as_ref().is_none_or(|agent| record.agents.contains(agent));
    let queue = query.queue.is_none() || query.queue == record.view.queue;
    let supervised = !record.supervisors.is_empty();
    agent && queue && query.supervised.is_none_or(|wanted| wanted == supervised)
}

fn refused(error: StoreError) -> Refusal {
    match error {
        StoreError::Refused(why) => Refusal::with(Reason::BadRequest, why),
        error => unavailable(error),
    }
}
