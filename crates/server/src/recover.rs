//! What a process that died left open: its calls are closed as lost, with their last known time,
//! before the next one takes calls. Nothing is taken up again. Core says what a closed call is.

use crate::clock;
use crate::switchboard::Switchboard;
use std::time::Duration;
use undertone_core::id::CallId;
use undertone_store::{Boot, Store, StoreError};

/// Why a call ended whose process is gone; in its record and in the audit.
const NODE_LOST: &str = "node_lost";
/// How far the last known time of a lost call may lie before the end of its process.
const ALIVE_EVERY: Duration = Duration::from_secs(2);

/// Closes what earlier boots of this node left open; how many calls. Each is closed in one
/// transaction: if this is killed too, the next start goes on where it stopped.
pub async fn close_lost(store: &Store, boot: &Boot) -> Result<usize, StoreError> {
    let lost = store.lost_calls(boot).await?;
    let count = lost.len();
    let closing = lost.into_iter().map(|lost| {
        let (rows, record) = lost.call.closed(NODE_LOST, lost.seen, clock::now().wall);
        store.end_lost(rows, record)
    });
    for committed in closing.collect::<Vec<_>>() {
        committed.await?;
    }
    if count > 0 {
        tracing::warn!(calls = count, "calls that an earlier start left open are closed as lost");
    }
    store.seen(boot, clock::now().wall);
    Ok(count)
}

/// One call whose task failed in this process.
pub async fn close_one(store: &Store, id: &CallId, why: &str) {
    let closed = async {
        // Its last note may still wait, and perhaps its end.
        store.settled(id).await?;
        let Some(open) = store.open_call(id).await? else { return Ok(0) };
        let now = clock::now().wall;
        let (rows, record) = open.closed(why, now, now);
        store.end_lost(rows, record).await
    };
    if let Err(error) = closed.await {
        tracing::error!(call = %id, %error, "a failed call was not recorded");
    }
}

/// Says again and again that this process lives, while it has calls.
pub async fn tell_alive(board: Switchboard) {
    let mut tick = tokio::time::interval(ALIVE_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let house = board.house();
        if house.register.live_calls() > 0 {
            house.store.seen(house.ids.boot(), clock::now().wall);
        }
    }
}
