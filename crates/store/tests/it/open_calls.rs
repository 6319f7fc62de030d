//! Live calls as a later start finds them.

use crate::fixture::{Fresh, call, entry, on_both};
use crate::records::record;
use undertone_core::call::OpenCall;
use undertone_core::time::Wall;
use undertone_core::view::{CallState, TimingView};
use undertone_store::{AuditFilter, Boot, Class, LostCall, Verified};

fn boot(node: &str, epoch: u64) -> Boot {
    Boot { node: node.into(), epoch }
}

/// A note of call `n`.
fn note(n: i64, at: i64) -> OpenCall {
    let mut record = record(n);
    record.view.state = CallState::Talking;
    record.view.ended_at = None;
    let grows = TimingView { duration_ms: 1_000, talk_ms: 1_000, ..Default::default() };
    OpenCall { at: Wall(at), record, grows }
}

on_both! {
    async fn what_an_earlier_boot_left_open_is_found_and_nothing_else(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let (ours, other) = (boot("eu.n1", 3), boot("eu.n2", 1));
        store.seen(&ours, Wall(70));
        store.note(&ours, note(1, 50));
        store.note(&ours, note(1, 60)); // overtakes the first
        store.note(&ours, note(2, 61));
        store.note(&other, note(3, 62));
        store.end(vec![entry(0)], record(2)).await.unwrap();
        store.note(&boot("eu.n1", 4), note(4, 80));
        store.close().await;
        let store = fresh.open().await;
        assert_eq!(store.last_epoch("eu.n1").await.unwrap(), 4);
        assert_eq!(store.last_epoch("eu.n9").await.unwrap(), 0);
        let now = boot("eu.n1", 4);
        let lost = store.lost_calls(&now).await.unwrap();
        assert_eq!(lost, [LostCall { call: note(1, 60), seen: Wall(70) }]);
        let id = &lost[0].call.record.view.id;
        assert_eq!(store.open_call(id).await.unwrap(), Some(note(1, 60)));
        assert_eq!(store.open_call(&call("eu.n1.1.002")).await.unwrap(), None);
    }

    async fn of_two_who_close_a_lost_call_one_writes(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let (one, two) = (fresh.open().await, fresh.open().await);
        one.note(&boot("eu.n1", 1), note(1, 50));
        one.append(entry(0), Class::Other).await.unwrap(); // the note goes before it
        let end = |n| (vec![entry(n), entry(n + 1)], record(1));
        let ((rows, call), (rows_2, call_2)) = (end(1), end(3));
        let (a, b) = tokio::join!(one.end_lost(rows, call), two.end_lost(rows_2, call_2));
        let mut seqs = [a.unwrap(), b.unwrap()];
        seqs.sort_unstable();
        assert_eq!(seqs, [0, 3], "one of the two wrote its rows");
        let page = one.audit(AuditFilter::default()).await.unwrap();
        assert_eq!(page.items.len(), 3);
        let verified = one.verify().await.unwrap();
        assert!(matches!(verified, Verified::Whole { rows: 3, .. }), "{verified:?}");
        assert!(one.lost_calls(&boot("eu.n1", 2)).await.unwrap().is_empty());
    }

    async fn a_note_that_waits_with_its_end_is_not_left_behind(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let waiting: Vec<_> = (0..700)
            .map(|n| {
                store.note(&boot("eu.n1", 1), note(n, 50));
                store.end(vec![entry(n as u64)], record(n))
            })
            .collect();
        for committed in waiting {
            committed.await.unwrap();
        }
        assert!(store.lost_calls(&boot("eu.n1", 2)).await.unwrap().is_empty());
        assert_eq!(store.gauges().waiting, 0);
    }

    async fn what_was_noted_is_committed_once_it_is_settled(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        for n in 0..1_200 {
            store.note(&boot("eu.n1", 1), note(n, 50)); // waits for a row, which does not come
        }
        // The last by its name, which is how they are taken.
        let id = note(999, 50).record.view.id;
        store.settled(&id).await.unwrap();
        assert_eq!(store.open_call(&id).await.unwrap(), Some(note(999, 50)));
        drop(store.end(vec![entry(0)], record(999)));
        store.settled(&id).await.unwrap();
        store.close().await;
        assert_eq!(fresh.open().await.open_call(&id).await.unwrap(), None);
    }
}
