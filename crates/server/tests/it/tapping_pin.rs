//! Tapping codes that ask for a PIN, by real phones: the prompt, tries, the lock, and that the PIN
//! is nowhere but in Mia's head.

use crate::house::{
    self, AGENT, CUSTOMER, House, Options, RATE, SOON, SUPERVISOR, Talk, ended, hears, never_hears,
};
use crate::process::Outpost;
use crate::tapping::{dials, in_mode, is_told, rows};
use std::path::Path;
use std::time::Duration;
use undertone::codes::CodesConfig;
use undertone_core::pin::PinAsked;
use undertone_phone::CallEnd;

const PIN: &str = "493827";

async fn house_with(pin: Option<&'static str>) -> House {
    let codes = CodesConfig { on: true, pin: PinAsked::Always, ..CodesConfig::default() };
    House::with(Options { codes, pin, ..Options::default() }).await
}

/// Rows that refuse a join for this reason alone.
async fn refusals(house: &House, reason: &str) -> usize {
    let is = |row: &&serde_json::Value| {
        row["what"] == "supervision.join" && row["reasons"] == serde_json::json!([reason])
    };
    rows(house).await.iter().filter(is).count()
}

async fn nobody_supervises(house: &House, talk: &Talk) {
    let (_, call) = house.get(&format!("/calls/{}", talk.id)).await;
    assert!(call["supervisions"].as_array().is_none_or(Vec::is_empty), "{call}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_pin_opens_the_code_in_listen_and_the_keys_work_from_then_on() {
    let house = house_with(Some(PIN)).await;
    let talk = house.talk().await;
    let (at_customer, at_agent) =
        (talk.customer.record(RATE).unwrap(), talk.agent.record(RATE).unwrap());
    let (mia, at_mia) = dials(&house, "*801001").await;
    is_told(&at_mia).await;
    nobody_supervises(&house, &talk).await;
    mia.digits("493827#").await.unwrap();
    let joined = in_mode(&house, &talk, "listen").await;
    assert_eq!(joined["supervisor"]["id"], "mia", "{joined}");
    assert_eq!(joined["policy"]["tapping_codes.pin"], "always", "{joined}");
    hears(&at_mia, CUSTOMER).await;
    hears(&at_mia, AGENT).await;
    never_hears(&at_customer, SUPERVISOR, AGENT, 400).await;
    mia.digits("5").await.unwrap();
    in_mode(&house, &talk, "whisper").await;
    hears(&at_agent, SUPERVISOR).await;
    never_hears(&at_customer, SUPERVISOR, AGENT, 400).await;
    mia.hang_up();
    house
        .until(&format!("/calls/{}", talk.id), |call| call["supervisions"][0]["state"] == "ended")
        .await;
    let rows = rows(&house).await;
    let join = rows.iter().find(|row| row["what"] == "supervision.join").expect("a row");
    assert_eq!(join["origin"], "telephone mia-phone, by PIN", "it says that a PIN was typed");
    // Not in all of a row: its hashes are digits too.
    let says =
        |row: &serde_json::Value| format!("{} {} {}", row["origin"], row["detail"], row["reasons"]);
    assert!(!rows.iter().any(|row| says(row).contains(PIN)), "and no row says which");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pin_is_said_and_written_each_time_and_the_third_ends_the_call() {
    let house = house_with(Some(PIN)).await;
    let talk = house.talk().await;
    let (mia, at_mia) = dials(&house, "*801001").await;
    // One that is wrong, one that is begun again and then too short, one that is no PIN.
    for (tries, typed) in ["493828#", "493*827#", "111111#"].into_iter().enumerate() {
        is_told(&at_mia).await;
        mia.digits(typed).await.unwrap();
        let wrong = |row: &serde_json::Value| row["reasons"] == serde_json::json!(["pin_wrong"]);
        let count = |audit: &serde_json::Value| {
            audit["items"].as_array().unwrap().iter().filter(|row| wrong(row)).count()
        };
        house.until("/audit", |audit| count(audit) == tries + 1).await;
    }
    assert_eq!(ended(&mia).await, CallEnd::FarEnd);
    nobody_supervises(&house, &talk).await;
    // The tries of one call do not lock.
    let (mia, _) = dials(&house, "*801001").await;
    mia.info("493827#").await.unwrap();
    in_mode(&house, &talk, "listen").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_pins_lock_and_then_not_even_the_right_one_is_taken() {
    let house = house_with(Some(PIN)).await;
    let talk = house.talk().await;
    // At once, from one telephone: many tries at one instant are many all the same.
    let guess = async || {
        let (mia, heard) = dials(&house, "*801001").await;
        for n in 1..=3 {
            is_told(&heard).await;
            mia.info("493820#").await.unwrap();
            let said = refusals(&house, "pin_wrong").await + refusals(&house, "pin_locked").await;
            assert!(said <= 12, "{n}");
        }
        ended(&mia).await
    };
    tokio::join!(guess(), guess(), guess(), guess());
    assert_eq!(refusals(&house, "pin_wrong").await, 10);
    let (mia, heard) = dials(&house, "*801001").await;
    is_told(&heard).await;
    assert_eq!(ended(&mia).await, CallEnd::FarEnd, "told, and not asked");
    assert!(refusals(&house, "pin_locked").await >= 2);
    nobody_supervises(&house, &talk).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_pin_and_who_types_none_is_told_so() {
    let house = house_with(None).await;
    let (mia, heard) = dials(&house, "*801001").await;
    is_told(&heard).await;
    assert_eq!(ended(&mia).await, CallEnd::FarEnd);
    assert_eq!(refusals(&house, "pin_not_set").await, 1);
    house.close().await;

    let house = house_with(Some(PIN)).await;
    let (mia, heard) = dials(&house, "*801001").await;
    is_told(&heard).await;
    mia.info("#").await.unwrap();
    assert_eq!(ended(&mia).await, CallEnd::FarEnd);
    assert_eq!(refusals(&house, "pin_missing").await, 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_pin_for_an_agent_who_is_not_on_a_call_is_answered_by_a_word() {
    let house = house_with(Some(PIN)).await;
    let (mia, heard) = dials(&house, "*801002").await;
    mia.info("493827#").await.unwrap();
    house.audited(|row| row["reasons"][0] == "agent_not_on_call").await;
    is_told(&heard).await;
    assert_eq!(ended(&mia).await, CallEnd::FarEnd);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_while_asked_leaves_nothing_behind() {
    let house = house_with(Some(PIN)).await;
    let (mia, heard) = dials(&house, "*801001").await;
    is_told(&heard).await;
    mia.hang_up();
    let engine = house.server.engine.clone();
    let gone = async {
        while engine.gauges().ports_in_use > 0 || engine.gauges().bridges > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, gone).await.expect("its room is closed");
    house.close().await;
}

/// `undertone provision` with Mia's PIN in the file; what it says.
async fn provisioned(outpost: &Outpost) -> String {
    let file = outpost.dir.path().join("people.toml");
    std::fs::write(&file, house::file(&outpost.phones, Some(PIN))).expect("written");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_undertone"));
    command.arg("provision").arg(&file).arg("--data").arg(outpost.data());
    let done = command.output().await.expect("it runs");
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).expect("text") + &String::from_utf8_lossy(&done.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provisioned_pin_is_taken_by_the_binary_and_is_in_no_log_and_no_file() {
    let outpost = Outpost::open().await;
    assert!(provisioned(&outpost).await.contains("PINs: 1 changed"));
    let again = provisioned(&outpost).await;
    assert!(again.contains("PINs: 0 changed") && !again.contains(PIN), "{again}");
    let config = outpost.dir.path().join("config.toml");
    std::fs::write(&config, "[tapping_codes]\non = true\npin = \"always\"\n").expect("written");
    let args = ["--config", config.to_str().expect("a path")];
    let server = outpost.serve(&args, &[("UNDERTONE_LOG", Path::new("trace"))]).await;
    let (_customer, _agent) = outpost.talk(server.sip).await;
    let mia = outpost.phones["mia"].call(&format!("sip:*801001@{}", server.sip)).expect("a call");
    mia.up().await.expect("the code is answered");
    mia.info("493827#").await.unwrap();
    let listens = async {
        loop {
            let (_, calls) = outpost.get(&server, "/calls").await;
            if calls["items"][0]["supervisions"][0]["state"] == "live" {
                return;
            }
            // The API tells nobody; the bound is the test's.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, listens).await.expect("she listens");
    let log = server.log();
    assert!(log.contains("TRACE") && !log.contains(PIN) && !log.contains("Signal="), "{log}");
    server.kill().await;
    for entry in std::fs::read_dir(outpost.data()).expect("the data folder").flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        let has = bytes.windows(PIN.len()).any(|window| window == PIN.as_bytes());
        assert!(!has, "{:?}", entry.path());
    }
}
