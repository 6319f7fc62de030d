//! Media ports and addresses as a whole server uses them: what happens when they run short, and
//! which address each side is told.

use crate::field::Field;
use crate::stage::{Setup, Stage, Who, turn, within};
use std::net::{IpAddr, Ipv6Addr};
use undertone::config::RtpRange;
use undertone_phone::CallEnd;

/// A range that no other test run of this machine has at the same time.
pub fn range(pairs: u16) -> RtpRange {
    let from = 10_000 + (std::process::id() % 100) as u16 * 180;
    RtpRange { ip: [127, 0, 0, 1].into(), from, to: from + pairs * 2 - 1 }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_ports_run_short_supervisors_go_without_first_and_then_calls_get_503() {
    let stage = Stage::open(Setup { rtp: range(3), ..Setup::default() }).await;
    let talk = stage.talk().await;
    // One pair of three is left, and kept for calls.
    let body = serde_json::json!({ "mode": "listen", "leg": stage.leg(Who::Mia) });
    let path = format!("/calls/{}/supervisions", talk.id);
    let (status, refused) = stage.send(Who::Mia, "POST", &path, Some(body)).await;
    assert_eq!(status, 503, "{refused}");
    assert!(refused.to_string().contains("overloaded"), "{refused}");
    // The next call finds that pair for one end, and none for the other.
    let second = stage.customer.call(&stage.at("2002")).expect("a call");
    let end = within(second.ended()).await;
    assert!(matches!(end, CallEnd::Failed { code: 503, .. }), "{end:?}");
    let gauges = stage.server.engine.gauges();
    assert!(gauges.ports_refused >= 2 && gauges.ports_in_use == 2, "{gauges:?}");
    drop(talk);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_outside_is_told_the_address_outside_and_who_is_inside_the_machines_own() {
    let outside: IpAddr = "203.0.113.5".parse().expect("an address");
    let here: IpAddr = [127, 0, 0, 1].into();
    let peers: IpAddr = [127, 0, 0, 2].into();
    for (local, told) in [("127.0.0.2", here), ("10.0.0.0/8", outside)] {
        let _turn = turn().await;
        let local = local.parse().expect("a network");
        let mut field = Field::open(range(20), peers, 2, |config| {
            config.external_address = vec![outside];
            config.local_networks = vec![local];
        })
        .await;
        // Each end of a call, the one that offered and the one that was offered to.
        let all: Vec<IpAddr> = field.calls.iter().flatten().map(|end| end.told).collect();
        assert_eq!(all, [told; 4], "peers on {peers}, {local} is local");
        field.talk(2, 10, 3_000.0).await;
        field.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_ipv6_carries_calls_and_locks_their_sources() {
    let _turn = turn().await;
    let here: IpAddr = Ipv6Addr::LOCALHOST.into();
    let mut field = Field::open(RtpRange { ip: here, ..range(20) }, here, 2, |_| {}).await;
    assert!(field.calls.iter().flatten().all(|end| end.told == here));
    field.talk(2, 50, 3_000.0).await;
    field.all_are_locked().await;
    field.close().await;
}
