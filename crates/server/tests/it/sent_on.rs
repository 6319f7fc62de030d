//! Calls that are sent on, by 3xx, REFER and Replaces: who sits there in the end, and what trunks
//! and caps count meanwhile.

use crate::house::{AGENT, CUSTOMER, House, RATE, SOON, hears, rings};
use crate::peer::Peer;
use crate::trunks::{carrier, close, figure, outside, provision};
use undertone_phone::{CallEnd, CallError, Phone, PhoneCall, Replaces};

/// A telephone of this person at 9009 that is a script, beside all others, and a carrier.
async fn with_script(owner: &str) -> (House, Phone, Peer) {
    let (house, carrier, script) = (House::open().await, carrier().await, Peer::new().await);
    let device = format!(
        "[[device]]\nid = \"script\"\nowner = \"{owner}\"\nextension = \"9009\"\n\
         contact = \"sip:9009@{}\"\n",
        script.addr
    );
    provision(&house, "", &(device + &outside(&[carrier.addr()], ""))).await;
    (house, carrier, script)
}

async fn in_use(house: &House, channels: usize) {
    let line = format!("undertone_trunk_channels_in_use{{trunk=\"carrier\"}} {channels}");
    figure(house, &line).await;
}

async fn ended(call: &PhoneCall) -> CallEnd {
    tokio::time::timeout(SOON, call.ended()).await.expect("it ends in time")
}

/// What NOTIFY said last.
async fn told(call: &PhoneCall) -> (u16, bool) {
    let last = call.wait_for(SOON, |s| s.referred.last().is_some_and(|(_, last)| *last)).await;
    *last.expect("the end is told").referred.last().expect("a word")
}

/// Until a row about a 3xx says this of its reasons.
async fn redirect_row(house: &House, reasons: serde_json::Value) {
    let written = async {
        loop {
            let (_, audit) = house.get("/audit").await;
            let rows = audit["items"].as_array().expect("rows").clone();
            if rows.iter().any(|row| row["what"] == "call.redirect" && row["reasons"] == reasons) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, written).await.expect("the row is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_forwards_outside_makes_no_agent_of_whoever_answers() {
    let (house, carrier, mut script) = with_script("ana").await;
    let call = house.phones["rosa"].call(&house.at("9009")).unwrap();
    let invite = script.expect("INVITE").await;
    let moved = "Contact: <sip:004599@192.0.2.1>\r\n";
    script.respond(&invite, "302 Moved", "f", moved, "").await;
    let far = rings(&carrier).await;
    assert_eq!(far.to_user(), "+4599", "by Ana's rights, as if she had dialled it");
    let far = far.answer().unwrap();
    call.up().await.unwrap();
    far.tone(Some(CUSTOMER));
    hears(&call.record(RATE).unwrap(), CUSTOMER).await;
    let (_, calls) = house.get("/calls").await;
    let mobile = &calls["items"][0]["parties"][1];
    assert_eq!((&mobile["role"], &mobile["number"]), (&"customer".into(), &"+4599".into()));
    redirect_row(&house, serde_json::json!([])).await;
    let path = format!("/calls/{}/supervisions", calls["items"][0]["id"].as_str().unwrap());
    let uri = house.phones["mia"].uri();
    let whisper = serde_json::json!({ "mode": "whisper", "leg": { "kind": "sip", "uri": uri } });
    let (_, refused) = house.post(&path, whisper).await;
    assert_eq!(refused["reasons"][0], "agent_gone", "{refused}");
    let refer = far.refer(&house.at("1002"), None).await;
    assert_eq!(refer, Err(CallError::Refused(403)), "it has none of Ana's rights");
    in_use(&house, 1).await;
    far.hang_up();
    ended(&call).await;
    house.server.board.house().register.until_empty().await;
    in_use(&house, 0).await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisors_phone_that_names_a_colleague_is_not_followed() {
    let (house, carrier, mut script) = with_script("mia").await;
    let talk = house.talk().await;
    let path = format!("/calls/{}/supervisions", talk.id);
    let uri = format!("sip:9009@{}", script.addr);
    let listen = serde_json::json!({ "mode": "listen", "leg": { "kind": "sip", "uri": uri } });
    let joined = house.post(&path, listen);
    let answering = async {
        let invite = script.expect("INVITE").await;
        let moved = "Contact: <sip:1002@192.0.2.1>\r\n";
        script.respond(&invite, "302 Moved", "f", moved, "").await;
        script.expect("ACK").await;
    };
    let ((_, refused), ()) = tokio::join!(joined, answering);
    assert_eq!(refused["reasons"][0], "leg_rejected", "{refused}");
    redirect_row(&house, serde_json::json!(["leg_not_own"])).await;
    let rang = tokio::time::timeout(std::time::Duration::ZERO, house.phones["bo"].incoming()).await;
    assert!(rang.is_err(), "nobody else's phone rings");
    hears(&talk.customer.record(RATE).unwrap(), AGENT).await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_or_busy_transfer_leaves_no_channel_taken() {
    let (house, carrier, _script) = with_script("mia").await;
    let talk = house.talk().await;
    talk.agent.refer(&house.at("1002"), None).await.unwrap();
    let bo = rings(&house.phones["bo"]).await;
    let crossing = talk.agent.refer(&house.at("004599"), None).await;
    assert_eq!(crossing, Err(CallError::Refused(491)));
    in_use(&house, 0).await;
    bo.reject(486);
    assert_eq!(told(&talk.agent).await, (486, true));
    talk.agent.refer(&house.at("004599"), None).await.unwrap();
    let far = rings(&carrier).await;
    in_use(&house, 1).await;
    far.reject(486);
    hears(&talk.customer.record(RATE).unwrap(), AGENT).await;
    in_use(&house, 0).await;
    close(house, carrier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leg_that_goes_to_another_call_counts_there() {
    let (house, carrier, _script) = with_script("mia").await;
    let talk = house.talk().await;
    // Her second line, to a customer outside.
    let second = house.phones["ana"].call(&house.at("004599")).unwrap();
    let far = rings(&carrier).await.answer().unwrap();
    tokio::time::timeout(SOON, second.up()).await.unwrap().unwrap();
    far.tone(Some(CUSTOMER));
    let register = house.server.board.house().register.clone();
    let replaces = Replaces {
        call_id: second.call_id().into(),
        to_tag: register.tag_of(second.call_id()).expect("a dialog of the server's"),
        from_tag: second.tag().into(),
        early_only: false,
    };
    talk.agent.refer(&house.at("1002"), Some(replaces)).await.unwrap();
    assert_eq!(told(&talk.agent).await, (200, true));
    ended(&second).await;
    let one_is_left = async {
        while register.live_calls() > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, one_is_left).await.expect("the younger one ends");
    in_use(&house, 1).await;
    let denied = house.phones["ana"].call(&house.at("004598")).unwrap();
    assert!(matches!(ended(&denied).await, CallEnd::Failed { code: 480, .. }), "her cap is one");
    far.hang_up();
    assert_eq!(ended(&talk.customer).await, CallEnd::FarEnd);
    register.until_empty().await;
    in_use(&house, 0).await;
    close(house, carrier).await;
}
