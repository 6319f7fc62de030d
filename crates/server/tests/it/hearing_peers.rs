//! The tones once more: with linphone as customer, agent and supervisor, with sipp and baresip as
//! the supervisor, and with Kamailio in front of everybody.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::foreign_phone::{Baresip, listens, place};
use crate::hearing_foreign::{NEVER, modes, nothing_of};
use crate::kamailio::Kamailio;
use crate::linphone::Linphone;
use crate::rtp_socket::RtpSocket;
use crate::sipp::Sipp;
use crate::stage::{Party, RATE, Setup, Stage, tone::*, within};
use undertone_testkit::tone_ear::listen;

#[tokio::test(flavor = "multi_thread")]
async fn kamailio_in_front_of_all_carries_every_mode_and_stays_in_every_dialog() {
    let own = place();
    let at = own.at;
    let stage = Stage::open(Setup { front: Some(at), ..Setup::default() }).await;
    let phones = [
        ("+15550101", stage.customer.addr()),
        ("1001", stage.agent.addr()),
        ("2001", stage.mia.addr()),
    ];
    let kamailio = Kamailio::start(own, stage.server.sip_addr, &phones).await;
    let talk = stage.talk().await;
    let ends = [
        ("customer", &talk.customer.heard, &NEVER[..]),
        ("agent", &talk.agent.heard, &[AGENT][..]),
    ];
    let mut modes = modes(&stage, talk.id.clone(), &ends);
    modes.walk(async |_| {}).await;
    talk.customer.call.hang_up();
    within(talk.agent.call.ended()).await;
    // Three dialogs: of the customer, the agent and the supervisor.
    let passed = ["ACK", "BYE"].map(|method| kamailio.passed(method));
    println!("through Kamailio within dialogs: ACK {}, BYE {}", passed[0], passed[1]);
    assert!(passed[0] >= 3 && passed[1] >= 3, "{passed:?}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn linphone_as_customer_hears_no_whisper() {
    let own = place();
    let at = own.at;
    let stage = Stage::open(Setup { customer: Some(at), ..Setup::default() }).await;
    let mut linphone = Linphone::start("+15550101", own, CUSTOMER).await;
    listens(at).await;
    linphone.dial(&stage.at("1001")).await;
    let agent = stage.agent_answers().await;
    let ends = [("agent", &agent.heard, &[AGENT][..])];
    let mut modes = modes(&stage, stage.talking().await, &ends);
    modes.walk(async |_| {}).await;
    modes.hang_up().await;
    within(agent.call.ended()).await;
    nothing_of("linphone", &linphone.heard().await, &NEVER);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn linphone_as_agent_hears_the_whisper_and_the_customer_does_not() {
    let own = place();
    let at = own.at;
    let stage = Stage::open(Setup { agent: Some(at), ..Setup::default() }).await;
    let linphone = Linphone::start("1001", own, AGENT).await;
    listens(at).await;
    let customer = calls(&stage).await;
    let ends = [("customer", &customer.heard, &NEVER[..])];
    let mut modes = modes(&stage, stage.talking().await, &ends);
    modes.walk(async |_| {}).await;
    modes.hang_up().await;
    within(customer.call.ended()).await;
    hears_at_all("linphone as agent", &linphone.heard().await, &[WHISPER, CUSTOMER]);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn linphone_as_supervisor_is_heard_as_far_as_the_mode_goes() {
    let own = place();
    let at = own.at;
    let stage = Stage::open(Setup { mia: Some(at), ..Setup::default() }).await;
    let linphone = Linphone::start("2001", own, BARGE).await;
    listens(at).await;
    supervised(&stage, at).await;
    hears_at_all("linphone as supervisor", &linphone.heard().await, &[AGENT, CUSTOMER]);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn baresip_as_supervisor_is_heard_as_far_as_the_mode_goes() {
    let own = place();
    let at = own.at;
    let stage = Stage::open(Setup { mia: Some(at), ..Setup::default() }).await;
    let baresip = Baresip::start("2001", own, BARGE, None);
    listens(at).await;
    supervised(&stage, at).await;
    hears_at_all("baresip as supervisor", &baresip.heard().await, &[AGENT, CUSTOMER]);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sipp_as_supervisor_is_heard_as_far_as_the_mode_goes() {
    let own = place();
    let at = own.at;
    let stage = Stage::open(Setup { mia: Some(at), ..Setup::default() }).await;
    let socket = RtpSocket::open(BARGE).await;
    let sipp = Sipp::is_called(own, socket.port).await;
    supervised(&stage, at).await;
    sipp.ended_well().await;
    hears_at_all("sipp as supervisor", &socket.heard.samples(), &[AGENT, CUSTOMER]);
    let faults = socket.faults();
    println!("{} packets to sipp; faults {faults:?}", socket.packets().len());
    assert_eq!(faults.0, 0, "out of sequence");
    stage.close().await;
}

async fn calls(stage: &Stage) -> Party {
    let call = stage.customer.call(&stage.at("1001")).expect("a call");
    let customer = Party::on(call, Some(CUSTOMER));
    within(customer.call.up()).await.expect("the customer is through");
    customer
}

/// A call between two phones of ours, and a supervisor at this address in every mode.
async fn supervised(stage: &Stage, at: std::net::SocketAddr) {
    let talk = stage.talk().await;
    let ends = [
        ("customer", &talk.customer.heard, &[LISTEN, WHISPER, CUSTOMER][..]),
        ("agent", &talk.agent.heard, &[AGENT][..]),
    ];
    let mut modes = modes(stage, talk.id.clone(), &ends);
    modes.walk_foreign(at).await;
    modes.hang_up().await;
    within(talk.customer.call.ended()).await;
}

/// The control: a file in which nothing may be found did hear what it was to hear.
fn hears_at_all(who: &str, heard: &[i16], tones: &[f64]) {
    for hz in tones {
        let windows = listen(heard, RATE, *hz).hits.len();
        println!("{who}: {windows} windows with {hz} Hz in {} samples", heard.len());
        assert!(windows > 10, "{who} does not hear {hz} Hz");
    }
}
