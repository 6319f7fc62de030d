//! Blind transfer over real phones, asked for by name: to a free and to a busy colleague, and what
//! becomes of the call when somebody hangs up in the midst of it.

use crate::house::{
    AGENT, CUSTOMER, House, RATE, SOON, ended, hears, never_hears, no_longer_hears, rings,
};
use undertone_phone::CallEnd;

/// What the colleague says.
const COLLEAGUE: f64 = 1_000.0;

#[tokio::test(flavor = "multi_thread")]
async fn by_name_the_customer_goes_to_a_colleague_and_the_agent_is_free() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    hears(&at_customer, AGENT).await;
    let path = format!("/calls/{}/transfer", talk.id);
    let transfer = house.post(&path, serde_json::json!({ "to": "1002" }));
    let answering = async {
        let ringing = rings(&house.phones["bo"]).await;
        assert_eq!(ringing.from().user, "+1555", "the customer's number is shown");
        no_longer_hears(&at_customer, AGENT).await;
        let bo = ringing.answer().unwrap();
        bo.tone(Some(COLLEAGUE));
        bo
    };
    let ((status, call), bo) = tokio::join!(transfer, answering);
    assert_eq!((status, &call["state"]), (200, &"talking".into()), "{call}");
    let at_bo = bo.record(RATE).unwrap();
    hears(&at_customer, COLLEAGUE).await;
    hears(&at_bo, CUSTOMER).await;
    assert_eq!(ended(&talk.agent).await, CallEnd::FarEnd);
    never_hears(&at_customer, AGENT, COLLEAGUE, 300).await;
    let roles: Vec<_> = call["parties"].as_array().unwrap().iter().map(|p| &p["role"]).collect();
    assert_eq!(roles, ["customer", "agent", "agent"]);
    talk.customer.hang_up();
    assert_eq!(ended(&bo).await, CallEnd::FarEnd);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_colleague_is_a_refusal_and_the_agent_has_the_call_again() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let path = format!("/calls/{}/transfer", talk.id);
    let transfer = house.post(&path, serde_json::json!({ "to": "1002" }));
    let refusing = async { rings(&house.phones["bo"]).await.reject(486) };
    let ((status, no), ()) = tokio::join!(transfer, refusing);
    assert_eq!((status, &no["code"]), (409, &"agent_busy".into()), "{no}");
    hears(&at_customer, AGENT).await;
    let nowhere = house.post(&path, serde_json::json!({ "to": "9999" })).await;
    assert_eq!((nowhere.0, &nowhere.1["code"]), (422, &"no_route".into()));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hung_up_in_flight_is_called_back_when_nobody_else_takes_the_call() {
    let house = House::open().await;
    let talk = house.talk().await;
    let at_customer = talk.customer.record(RATE).unwrap();
    let path = format!("/calls/{}/transfer", talk.id);
    let transfer = house.post(&path, serde_json::json!({ "to": "1002" }));
    let story = async {
        let ringing = rings(&house.phones["bo"]).await;
        talk.agent.hang_up();
        assert_eq!(ended(&talk.agent).await, CallEnd::Us);
        house.off_the_call("ana").await;
        ringing.reject(603);
        let ana = rings(&house.phones["ana"]).await.answer().unwrap();
        ana.tone(Some(COLLEAGUE));
        hears(&at_customer, COLLEAGUE).await;
        ana
    };
    let ((status, _), ana) = tokio::join!(transfer, story);
    assert_eq!(status, 502);
    talk.customer.hang_up();
    assert_eq!(ended(&ana).await, CallEnd::FarEnd);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_hangs_up_in_flight_and_the_colleagues_phone_stops_ringing() {
    let house = House::open().await;
    let talk = house.talk().await;
    let path = format!("/calls/{}/transfer", talk.id);
    let transfer = house.post(&path, serde_json::json!({ "to": "1002" }));
    let story = async {
        let mut ringing = rings(&house.phones["bo"]).await;
        talk.customer.hang_up();
        tokio::time::timeout(SOON, ringing.cancelled()).await.expect("it stops ringing");
    };
    let ((status, no), ()) = tokio::join!(transfer, story);
    assert_eq!((status, &no["code"]), (409, &"call_ended".into()), "{no}");
    assert_eq!(ended(&talk.agent).await, CallEnd::FarEnd);
    house.server.board.house().register.until_empty().await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_agents_two_calls_the_one_that_is_not_on_hold_is_supervised() {
    let house = House::open().await;
    let talk = house.talk().await;
    talk.agent.hold().await.unwrap();
    // Her second call, on the same telephone.
    let second = house.phones["bo"].call(&house.at("1001")).unwrap();
    let ana = rings(&house.phones["ana"]).await.answer().unwrap();
    tokio::time::timeout(SOON, second.up()).await.unwrap().unwrap();
    ana.tone(Some(AGENT));
    second.tone(Some(COLLEAGUE));
    let at_second = second.record(RATE).unwrap();
    hears(&at_second, AGENT).await;
    let uri = house.phones["mia"].uri();
    let body = serde_json::json!({ "mode": "listen", "leg": { "kind": "sip", "uri": uri } });
    let (status, joined) = house.post("/agents/1001/supervisions", body).await;
    assert_eq!(status, 201, "{joined}");
    assert_ne!(joined["call_id"], talk.id.as_str(), "the one on hold is the other");
    let mia = tokio::time::timeout(SOON, house.phones["mia"].answered()).await.unwrap().unwrap();
    let at_mia = mia.record(RATE).unwrap();
    hears(&at_mia, COLLEAGUE).await;
    never_hears(&at_mia, CUSTOMER, COLLEAGUE, 300).await;
    house.close().await;
}
