//! Trunks that are named by a domain: a real name server on loopback says where they
//! are, in which order, and for how long.

use crate::house::{AGENT, CUSTOMER, House, Options, RATE, SOON, hears, rings};
use crate::trunks::{NUMBER, carrier, dead, failed, figure, outside, provision};
use std::net::SocketAddr;
use undertone_core::contact::Place;
use undertone_core::id::TrunkId;
use undertone_phone::Phone;
use undertone_testkit::dns::NameServer;

async fn house(server: &NameServer) -> House {
    House::with(Options { name_servers: vec![server.addr()], ..Options::default() }).await
}

/// Services of `carrier.test`, the first with the lowest priority number.
fn services(places: &[SocketAddr]) -> String {
    let mut zone = "host 1 IN A 127.0.0.1\n".to_owned();
    for (priority, place) in places.iter().enumerate() {
        let port = place.port();
        zone += &format!("_sip._udp.carrier 1 IN SRV {priority} 0 {port} host\n");
    }
    zone
}

/// Until the trunk's addresses are these.
async fn found(house: &House, places: &[SocketAddr]) {
    let id = TrunkId::parse("carrier").expect("an id");
    let places: Vec<Place> =
        places.iter().map(|at| at.to_string().parse().expect("a place")).collect();
    let there = async {
        loop {
            let directory = house.server.board.directory();
            let trunk = directory.trunk(&id).expect("the trunk");
            let now = undertone::clock::now().mono;
            if house.server.board.house().exchange.traffic().ways(trunk, now, true) == places {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, there).await.expect("the name is found");
}

async fn close(house: House, carriers: impl IntoIterator<Item = Phone>) {
    house.close().await;
    for carrier in carriers {
        carrier.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trunk_is_called_at_the_services_of_its_domain_one_after_another() {
    let (dead, carrier) = (dead().await, carrier().await);
    let server = NameServer::start(&services(&[dead, carrier.addr()])).await;
    let house = house(&server).await;
    provision(&house, "", &outside(&["carrier.test"], "")).await;
    found(&house, &[dead, carrier.addr()]).await;
    let call = house.phones["ana"].call(&house.at("004599")).unwrap();
    let far = rings(&carrier).await.answer().unwrap();
    call.up().await.unwrap();
    far.tone(Some(CUSTOMER));
    hears(&call.record(RATE).unwrap(), CUSTOMER).await;
    call.hang_up();
    far.ended().await;
    close(house, [carrier]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_moves_is_called_and_known_where_its_zone_says_by_then() {
    let (before, after) = (carrier().await, carrier().await);
    let server = NameServer::start(&services(&[before.addr()])).await;
    let house = house(&server).await;
    provision(&house, "", &outside(&["carrier.test"], "")).await;
    found(&house, &[before.addr()]).await;
    let stranger = after.call(&house.at(NUMBER)).unwrap();
    assert_eq!(failed(&stranger).await, 403, "not yet a carrier of ours");
    server.set(&services(&[after.addr()])).await;
    found(&house, &[after.addr()]).await;
    let call = after.call(&house.at(NUMBER)).unwrap();
    let ana = rings(&house.phones["ana"]).await.answer().unwrap();
    call.up().await.unwrap();
    ana.tone(Some(AGENT));
    hears(&call.record(RATE).unwrap(), AGENT).await;
    call.hang_up();
    ana.ended().await;
    let left = before.call(&house.at(NUMBER)).unwrap();
    assert_eq!(failed(&left).await, 403, "no longer one");
    let out = house.phones["ana"].call(&house.at("004599")).unwrap();
    let far = rings(&after).await.answer().unwrap();
    out.up().await.unwrap();
    out.hang_up();
    far.ended().await;
    close(house, [before, after]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trunk_whose_name_does_not_exist_carries_no_call_until_it_does() {
    let carrier = carrier().await;
    let server = NameServer::start(&services(&[carrier.addr()])).await;
    let house = house(&server).await;
    provision(&house, "", &outside(&["nobody.test"], "")).await;
    figure(&house, "undertone_trunk_up{trunk=\"carrier\"} 0").await;
    let call = house.phones["ana"].call(&house.at("004599")).unwrap();
    assert_eq!(failed(&call).await, 503);
    provision(&house, "", &outside(&["carrier.test"], "")).await;
    found(&house, &[carrier.addr()]).await;
    let call = house.phones["ana"].call(&house.at("004599")).unwrap();
    rings(&carrier).await.reject(486);
    assert_eq!(failed(&call).await, 486);
    close(house, [carrier]).await;
}
