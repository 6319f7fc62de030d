//! The audit: order, chain, pages, and what happens to a row on its way in.

use crate::fixture::{Fresh, call, entry, on_both, person};
use sqlx::Executor;
use undertone_core::audit::{AuditEntry, GENESIS, Who};
use undertone_core::id::OrgId;
use undertone_core::time::Wall;
use undertone_store::{AuditFilter, Class, StoreError, Verified};

on_both! {
    async fn rows_come_back_as_they_went_in(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let bare = AuditEntry { who: Who::system(), call: None, supervision: None, ..entry(1) };
        assert_eq!(store.append(entry(0), Class::Supervision).await.unwrap(), 1);
        assert_eq!(store.append(bare.clone(), Class::Other).await.unwrap(), 2);
        let page = store.audit(AuditFilter::default()).await.unwrap();
        let entries: Vec<_> = page.items.iter().map(|row| row.entry.clone()).collect();
        assert_eq!(entries, [bare, entry(0)], "newest first");
        assert_eq!(page.items[1].prev_hash, GENESIS);
        assert_eq!(page.items[0].prev_hash, page.items[1].hash);
        assert_eq!(page.next, None);
    }

    async fn the_chain_goes_on_after_a_restart(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        for round in 0..3 {
            let store = fresh.open().await;
            let waiting: Vec<_> =
                (0..20).map(|n| store.append(entry(round * 20 + n), Class::Other)).collect();
            drop(waiting); // nobody listens; they are written all the same
            store.close().await;
        }
        let store = fresh.open().await;
        let verified = store.verify().await.unwrap();
        assert!(matches!(verified, Verified::Whole { rows: 60, .. }), "{verified:?}");
    }

    async fn many_waiters_share_a_commit(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let waiting: Vec<_> = (0..500).map(|n| store.append(entry(n), Class::Other)).collect();
        let mut seqs = Vec::new();
        for committed in waiting {
            seqs.push(committed.await.unwrap());
        }
        assert_eq!(seqs, (1..=500).collect::<Vec<_>>());
        let gauges = store.gauges();
        assert_eq!((gauges.rows_committed, gauges.waiting), (500, 0));
        assert!(gauges.commits <= 10, "{} commits for 500 rows", gauges.commits);
    }

    async fn a_changed_row_is_found_where_it_is(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        for n in 0..8 {
            store.append(entry(n), Class::Other).await.unwrap();
        }
        let mut raw = fresh.raw().await;
        for (harm, repair) in [
            ("UPDATE audit SET what = 'x' WHERE seq = 5",
             "UPDATE audit SET what = 'supervision.join' WHERE seq = 5"),
            ("UPDATE audit SET seq = 50 WHERE seq = 5", "UPDATE audit SET seq = 5 WHERE seq = 50"),
            ("UPDATE audit SET outcome = 'maybe' WHERE seq = 5",
             "UPDATE audit SET outcome = 'allowed' WHERE seq = 5"),
            ("UPDATE audit SET reasons = '[\"x\"]', outcome = 'refused' WHERE seq = 5",
             "UPDATE audit SET reasons = '[]', outcome = 'allowed' WHERE seq = 5"),
        ] {
            raw.execute(harm).await.unwrap();
            let verified = store.verify().await.unwrap();
            assert!(matches!(verified, Verified::Broken { seq: 5, .. }), "{harm}: {verified:?}");
            raw.execute(repair).await.unwrap();
            let verified = store.verify().await.unwrap();
            assert!(matches!(verified, Verified::Whole { rows: 8, .. }), "{repair}: {verified:?}");
        }
    }

    async fn pages_and_filters_give_each_row_once(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let waiting: Vec<_> = (0..60).map(|n| store.append(entry(n), Class::Other)).collect();
        for committed in waiting {
            committed.await.unwrap();
        }
        let from = Wall(entry(10).at.0);
        let to = Wall(entry(50).at.0);
        let filters = [
            (AuditFilter::default(), 60),
            (AuditFilter { call: Some(call("eu.n1.1.c1")), ..Default::default() }, 30),
            (AuditFilter { person: Some(person("p2")), ..Default::default() }, 20),
            (AuditFilter { from: Some(from), to: Some(to), ..Default::default() }, 40),
            (AuditFilter {
                call: Some(call("eu.n1.1.c0")),
                person: Some(person("p0")),
                from: Some(from),
                ..Default::default()
            }, 8),
        ];
        for (mut filter, expected) in filters {
            filter.limit = 7;
            let mut seen = Vec::new();
            loop {
                let page = store.audit(filter.clone()).await.unwrap();
                assert!(page.items.len() <= 7);
                seen.extend(page.items.iter().map(|row| row.seq));
                filter.before = page.next;
                if page.next.is_none() { break; }
            }
            assert_eq!(seen.len(), expected, "{filter:?}");
            assert!(seen.windows(2).all(|w| w[0] > w[1]), "each once, newest first");
        }
    }

    async fn a_character_that_no_database_takes_blocks_nobody(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let mut odd = entry(0);
        odd.what = "a\0b".into();
        odd.detail.insert("x\0".into(), "\0".into());
        store.append(odd, Class::Supervision).await.unwrap();
        store.append(entry(2), Class::Supervision).await.unwrap();
        let page = store.audit(AuditFilter::default()).await.unwrap();
        assert_eq!(page.items[1].entry.what, "a\u{fffd}b");
        assert!(matches!(store.verify().await.unwrap(), Verified::Whole { rows: 2, .. }));
    }

    async fn another_organisations_row_is_not_taken(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let other = AuditEntry { org: OrgId::parse("other").unwrap(), ..entry(0) };
        let refused = store.append(other, Class::Other).await;
        assert!(matches!(refused, Err(StoreError::WrongOrg)));
    }

    async fn two_stores_on_one_journal_keep_one_chain(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let (one, two) = (fresh.open().await, fresh.open().await);
        let mut waiting = Vec::new();
        for n in 0..100 {
            waiting.push(one.append(entry(n), Class::Other));
            waiting.push(two.append(entry(n), Class::Other));
            if n % 10 == 0 {
                for committed in waiting.drain(..) {
                    committed.await.unwrap();
                }
            }
        }
        one.close().await;
        two.close().await;
        let store = fresh.open().await;
        let verified = store.verify().await.unwrap();
        assert!(matches!(verified, Verified::Whole { rows: 200, .. }), "{verified:?}");
    }
}
