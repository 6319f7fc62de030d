//! Early media with real phones: what a carrier plays before it answers is its caller's to hear,
//! and the carrier hears nothing for it.

use crate::house::{
    AGENT, CUSTOMER, House, RATE, SOON, SUPERVISOR, ended, hears, no_longer_hears, rings,
};
use crate::trunks::{carrier, close, failed, outside, provision};
use undertone_phone::{CallState, Phone, PhoneCall, Recording};
use undertone_testkit::spectrum::goertzel_hann;

async fn with_carriers(places: &[&Phone]) -> House {
    let house = House::open().await;
    let places: Vec<_> = places.iter().map(|carrier| carrier.addr()).collect();
    provision(&house, "emergency_numbers = [\"112\"]\n", &outside(&places, "")).await;
    house
}

/// It is called and has not answered.
async fn in_progress(call: &PhoneCall) {
    let seen = call.wait_for(SOON, |status| status.state == CallState::Ringing(183)).await;
    seen.expect("a 183");
}

/// The media threads let go on their own time, after the call.
async fn freed(house: &House, ports: u64) {
    let freed = async {
        while house.server.engine.gauges().ports_in_use != ports {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, freed).await.expect("the ports are free again");
}

/// For so long there was not one window with this tone. That it can be heard, the caller shows.
async fn nothing_of(heard: &Recording, hz: f64, ms: usize) {
    let from = heard.position();
    assert!(heard.more(RATE as usize * ms / 1_000, SOON).await, "no time passes");
    for window in heard.between(from, heard.position()).windows(320).step_by(80) {
        let level = goertzel_hann(window, RATE, hz);
        assert!(level < -45.0, "{hz} Hz at {level:.1} dBFS");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carriers_announcement_is_heard_before_the_answer_and_nothing_goes_back() {
    let carrier = carrier().await;
    let house = with_carriers(&[&carrier]).await;
    let ana = house.phones["ana"].call(&house.at("004599")).unwrap();
    let far = rings(&carrier).await.announce().unwrap();
    far.tone(Some(CUSTOMER));
    ana.tone(Some(AGENT));
    in_progress(&ana).await;
    let (at_ana, at_far) = (ana.record(RATE).unwrap(), far.record(RATE).unwrap());
    hears(&at_ana, CUSTOMER).await;
    nothing_of(&at_far, AGENT, 400).await;
    let (_, calls) = house.get("/calls").await;
    let call = &calls["items"][0];
    assert_eq!((&call["state"], &call["answered_at"]), (&"ringing".into(), &().into()), "{call}");
    far.answer();
    ana.up().await.unwrap();
    hears(&at_far, AGENT).await;
    hears(&at_ana, CUSTOMER).await;
    let id = call["id"].as_str().unwrap();
    let (_, mia) = house.join(id, "whisper").await;
    hears(&at_ana, SUPERVISOR).await;
    nothing_of(&at_far, SUPERVISOR, 300).await;
    mia.hang_up();
    ana.hang_up();
    ended(&far).await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_after_an_announcement_has_heard_it_and_is_told_the_code() {
    let carrier = carrier().await;
    let house = with_carriers(&[&carrier]).await;
    let ports = house.server.engine.gauges().ports_in_use;
    let ana = house.phones["ana"].call(&house.at("004599")).unwrap();
    let far = rings(&carrier).await.announce().unwrap();
    far.tone(Some(CUSTOMER));
    in_progress(&ana).await;
    hears(&ana.record(RATE).unwrap(), CUSTOMER).await;
    far.reject(404);
    assert_eq!(failed(&ana).await, 404);
    house.server.board.house().register.until_empty().await;
    freed(&house, ports).await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_first_carrier_the_next_ones_announcement_is_heard_and_the_firsts_no_more() {
    let (first, second) = (carrier().await, carrier().await);
    let house = with_carriers(&[&first, &second]).await;
    let bo = house.phones["bo"].call(&house.at("112")).unwrap();
    let refuses = rings(&first).await.announce().unwrap();
    refuses.tone(Some(CUSTOMER));
    in_progress(&bo).await;
    let at_bo = bo.record(RATE).unwrap();
    hears(&at_bo, CUSTOMER).await;
    refuses.reject(500);
    let helper = rings(&second).await.announce().unwrap();
    helper.tone(Some(AGENT));
    hears(&at_bo, AGENT).await;
    no_longer_hears(&at_bo, CUSTOMER).await;
    helper.answer();
    bo.up().await.unwrap();
    bo.tone(Some(SUPERVISOR));
    hears(&helper.record(RATE).unwrap(), SUPERVISOR).await;
    bo.hang_up();
    ended(&helper).await;
    first.shutdown().await;
    close(house, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_during_an_announcement_leaves_nothing() {
    let carrier = carrier().await;
    let house = with_carriers(&[&carrier]).await;
    let ports = house.server.engine.gauges().ports_in_use;
    let ana = house.phones["ana"].call(&house.at("004599")).unwrap();
    let far = rings(&carrier).await.announce().unwrap();
    in_progress(&ana).await;
    ana.hang_up();
    ended(&far).await;
    house.server.board.house().register.until_empty().await;
    freed(&house, ports).await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleagues_phone_that_describes_itself_while_it_rings_only_rings() {
    let house = House::open().await;
    let ana = house.phones["ana"].call(&house.at("1002")).unwrap();
    let bo = rings(&house.phones["bo"]).await.announce().unwrap();
    bo.tone(Some(CUSTOMER));
    let rung = ana.wait_for(SOON, |status| status.state == CallState::Ringing(180)).await;
    rung.expect("a 180");
    bo.answer();
    ana.up().await.unwrap();
    // What a phone said before its 200 has been judged before it.
    let (_, calls) = house.get("/calls").await;
    let timeline = calls["items"][0]["timeline"].as_array().expect("a timeline");
    let is = |what: &str| timeline.iter().any(|entry| entry["what"] == what);
    assert!(is("answered") && !is("early_media"), "{timeline:?}");
    hears(&ana.record(RATE).unwrap(), CUSTOMER).await;
    ana.hang_up();
    ended(&bo).await;
    house.close().await;
}
