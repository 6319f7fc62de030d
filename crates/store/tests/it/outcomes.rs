//! What came of calls, kept beside their records.

use crate::fixture::{Fresh, call, entry, on_both, person};
use crate::records::record;
use undertone_core::outcome::{Outcome, OutcomeSaid};
use undertone_core::time::Wall;
use undertone_store::{CallFilter, SaidOutcome};

fn said(at: i64, said: OutcomeSaid) -> SaidOutcome {
    let by = (person("ann"), "A \"name\" é\0".into());
    SaidOutcome { call: call("eu.n1.1.001"), said, at: Wall(at), by }
}

fn csat(csat: u8) -> OutcomeSaid {
    OutcomeSaid { csat: Some(Some(csat)), ..OutcomeSaid::default() }
}

on_both! {
    async fn an_outcome_is_kept_by_field_before_and_after_the_record(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let first = OutcomeSaid {
            disposition: Some(Some("sale".into())),
            value_hundredths: Some(Some(-19_995)),
            resolved: Some(Some(false)),
            ..OutcomeSaid::default()
        };
        // The call lives.
        let kept = store.say_outcome(said(5, first), entry(1)).await.unwrap().unwrap();
        assert_eq!((kept.version, kept.csat, kept.resolved), (1, None, Some(false)));
        store.record(record(1)).await.unwrap();
        store.record(record(2)).await.unwrap();
        // It has ended.
        let later = OutcomeSaid { reason: Some(Some("moving".into())), ..csat(4) };
        store.say_outcome(said(9, later), entry(2)).await.unwrap();
        let expected = Outcome {
            csat: Some(4),
            resolved: Some(false),
            reason: Some("moving".into()),
            disposition: Some("sale".into()),
            value_hundredths: Some(-19_995),
            at: Wall(9),
            by: Some((person("ann"), "A \"name\" é\u{fffd}".into())),
            version: 2,
        };
        store.close().await;
        let store = fresh.open().await;
        let found = store.call(&call("eu.n1.1.001")).await.unwrap().unwrap();
        assert_eq!(found.view.outcome.as_ref(), Some(&expected));
        assert_eq!(store.call(&call("eu.n1.1.002")).await.unwrap(), Some(record(2)));
        let ann = CallFilter { person: Some(person("ann")), ..CallFilter::default() };
        for filter in [CallFilter::default(), ann] {
            let page = store.calls(filter).await.unwrap();
            let outcomes: Vec<_> = page.items.iter().map(|r| r.view.outcome.as_ref()).collect();
            assert_eq!(outcomes, [None, Some(&expected)]);
        }
        let rows = store.audit_after(0).await.unwrap();
        assert_eq!(rows.len(), 2, "each saying with its row");
        store.close().await;
    }

    async fn of_many_who_say_at_once_none_is_lost(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let mut all = tokio::task::JoinSet::new();
        for n in 0..20_u64 {
            let store = store.clone();
            let what = match n % 2 {
                0 => csat(3),
                _ => OutcomeSaid { resolved: Some(Some(true)), ..OutcomeSaid::default() },
            };
            all.spawn(async move { store.say_outcome(said(n as i64, what), entry(n)).await });
        }
        let mut versions = Vec::new();
        while let Some(done) = all.join_next().await {
            versions.push(done.unwrap().unwrap().unwrap().version);
        }
        assert_eq!(versions.iter().max(), Some(&20));
        store.record(record(1)).await.unwrap();
        let outcome = store.call(&call("eu.n1.1.001")).await.unwrap().unwrap().view.outcome;
        let outcome = outcome.unwrap();
        assert_eq!((outcome.csat, outcome.resolved), (Some(3), Some(true)));
        store.close().await;
    }
}
