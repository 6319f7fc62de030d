//! Call records.

use crate::fixture::{Fresh, call, on_both, org, person};
use undertone_core::call::CallRecord;
use undertone_core::id::{CallId, DeviceId, SeatId, SupervisionId};
use undertone_core::plan::PlanVersion;
use undertone_core::time::Wall;
use undertone_core::view::*;
use undertone_store::CallFilter;

fn supervision(call: &CallId) -> SupervisionView {
    SupervisionView {
        id: SupervisionId::parse("s1").unwrap(),
        call: call.clone(),
        state: SupervisionState::Ended,
        version: 3,
        supervisor: person("sue"),
        supervisor_name: "Sue".into(),
        seat: Some(SeatId(3)),
        leg: LegKind::Sip { device: DeviceId::parse("d3").unwrap() },
        mode: Mode::Barge,
        targets: vec![SeatId(2)],
        muted: true,
        alert: true,
        follow: Follow::Agent,
        extent: Extent::AllCalls,
        reason: "training".into(),
        started_at: Wall(2),
        ended_at: Some(Wall(9)),
        spans: vec![
            SpanView { mode: Mode::Whisper, from: Wall(2), to: Some(Wall(5)) },
            SpanView { mode: Mode::Barge, from: Wall(5), to: None },
        ],
        end_reason: Some("left".into()),
        policy: vec![("agent_after", "removed".into())],
        guard_ms: 250,
        fell_because: None,
        last_raise: None,
    }
}

pub(crate) fn record(n: i64) -> CallRecord {
    let id = call(&format!("eu.n1.1.{n:03}"));
    let party = |seat, role, who: Option<&str>| PartyView {
        seat: SeatId(seat),
        role,
        person: who.map(person),
        name: "A \"name\" é\0".into(),
        number: "201".into(),
        net: Net::Internal,
        held: seat == 1,
        muted: seat == 2,
        connected: seat != 3,
        listening_only: seat == 2,
        quiet: false,
        unattended: false,
    };
    let supervision = supervision(&id);
    let stream = SupervisionView { leg: LegKind::Stream, ended_at: None, ..supervision.clone() };
    CallRecord {
        org: org(),
        view: CallView {
            id,
            direction: Direction::Inbound,
            state: CallState::Ended,
            queue: Some("sales".into()),
            campaign: None,
            started_at: Wall(1_000 + n / 2), // two of each, to order by id
            answered_at: Some(Wall(1_500)),
            ended_at: Some(Wall(2_000 + n)),
            end_reason: Some("customer_hung_up".into()),
            parties: vec![
                party(1, Role::Customer, None),
                party(2, Role::Agent, Some("ann")),
                party(3, Role::Supervisor, Some("sue")),
            ],
            supervisions: vec![supervision, stream],
            timing: TimingView { duration_ms: 9, talk_ms: 5, other_ms: 4, ..Default::default() },
            timeline: vec![TimelineEntry {
                at: Wall(7),
                what: "joined",
                who: "Sue".into(),
                detail: "listen".into(),
            }],
            heard: vec![HeardView {
                at: Wall(7),
                ears: vec![
                    EarView { who: Hearer::Seat(SeatId(1)), hears: vec![SeatId(2)] },
                    EarView {
                        who: Hearer::Supervision(SupervisionId::parse("s1").unwrap()),
                        hears: vec![SeatId(1), SeatId(2)],
                    },
                ],
            }],
            plan: PlanVersion(12),
            help: None,
            outcome: None,
        },
        agents: vec![person("ann")],
        supervisors: if n % 2 == 0 { vec![person("sue")] } else { vec![] },
    }
}

on_both! {
    async fn a_record_comes_back_as_it_went_in(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        store.record(record(1)).await.unwrap();
        store.record(record(1)).await.unwrap();
        assert_eq!(store.call(&call("eu.n1.1.001")).await.unwrap(), Some(record(1)));
        assert_eq!(store.call(&call("eu.n1.1.002")).await.unwrap(), None);
    }

    async fn calls_of_an_agent_that_somebody_heard_are_counted(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        for n in 0..5 {
            store.record(record(n)).await.unwrap();
        }
        let (ann, sue) = (person("ann"), person("sue"));
        // Sue supervised those with an even number, which began at 1000, 1001 and 1002.
        assert_eq!(store.heard(&sue, &ann, Wall(0)).await.unwrap(), 3);
        assert_eq!(store.heard(&sue, &ann, Wall(1_001)).await.unwrap(), 2);
        assert_eq!(store.heard(&ann, &sue, Wall(0)).await.unwrap(), 0, "Ann heard nobody");
        assert_eq!(store.heard(&sue, &person("bo"), Wall(0)).await.unwrap(), 0);
        store.close().await;
    }

    async fn the_list_goes_by_start_in_pages(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let waiting: Vec<_> = (0..25).map(|n| store.record(record(n))).collect();
        for committed in waiting {
            committed.await.unwrap();
        }
        let sue = CallFilter { person: Some(person("sue")), ..Default::default() };
        let early = CallFilter { to: Some(Wall(1_005)), ..Default::default() };
        for (mut filter, expected) in [(CallFilter::default(), 25), (sue, 13), (early, 10)] {
            filter.limit = 4;
            let mut seen = Vec::new();
            loop {
                let page = store.calls(filter.clone()).await.unwrap();
                seen.extend(page.items.iter().map(|r| (r.view.started_at, r.view.id.clone())));
                filter.cursor = page.next.clone();
                if page.next.is_none() { break; }
            }
            assert_eq!(seen.len(), expected, "{filter:?}");
            assert!(seen.windows(2).all(|w| w[0] > w[1]), "{seen:?}");
        }
        let odd = CallFilter { cursor: Some("not ours".into()), ..Default::default() };
        assert!(store.calls(odd).await.is_err());
    }
}
