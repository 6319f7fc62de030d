//! The tones once more with phones that are not ours, as customer and as agent.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::foreign_phone::{Baresip, Tshark, listens, place};
use crate::rtp_socket::RtpSocket;
use crate::scoreboard::{MUSIC, Scoreboard};
use crate::sipp::Sipp;
use crate::stage::{Party, RATE, Setup, Stage, Who, tone::*, within};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use undertone_phone::{CallEnd, Recording};
use undertone_testkit::tone_ear::{bursts_found, listen, steady};

pub const NEVER: [f64; 4] = [LISTEN, WHISPER, AGENT_ASIDE, CUSTOMER];

/// The modes, on a call whose ends are anybody's: what each of the listed ears hears.
pub struct Modes<'a> {
    stage: &'a Stage,
    call: String,
    score: Scoreboard,
    /// Who of the two ends can be listened to while the call lasts.
    ears: Vec<&'static str>,
}

impl Modes<'_> {
    pub async fn sees(&mut self, what: &str, customer: &[f64], agent: &[f64], mia: &[f64]) {
        let all = [("customer", customer), ("agent", agent), ("supervisor", mia)];
        let there = all.into_iter().filter(|(name, _)| self.ears.contains(name));
        self.score.interval(what, &there.collect::<Vec<_>>()).await;
    }

    /// Listen, whisper, barge, hold, resume, takeover, hand-back, leave. The agent says one tone
    /// throughout.
    pub async fn walk(&mut self, meanwhile: impl AsyncFnOnce(&mut Self)) {
        let (id, mia) = self.stage.join(Who::Mia, &self.call, "listen", LISTEN).await;
        self.score.add("supervisor", &mia.heard, &[LISTEN, WHISPER, BARGE, TAKEOVER]);
        self.ears.push("supervisor");
        let both = [AGENT, CUSTOMER];
        self.sees("listen", &[AGENT], &[CUSTOMER], &both).await;
        mia.says.say(WHISPER);
        self.stage.mode(Who::Mia, &id, "whisper").await;
        self.sees("whisper", &[AGENT], &[CUSTOMER, WHISPER], &both).await;
        meanwhile(self).await;
        mia.says.say(BARGE);
        self.stage.mode(Who::Mia, &id, "barge").await;
        self.sees("barge", &[AGENT, BARGE], &[CUSTOMER, BARGE], &both).await;
        self.stage.call_control(&self.call, "hold").await;
        self.sees("barge, customer on hold", &[MUSIC], &[BARGE], &[AGENT]).await;
        self.stage.call_control(&self.call, "resume").await;
        self.sees("barge, resumed", &[AGENT, BARGE], &[CUSTOMER, BARGE], &both).await;
        mia.says.say(TAKEOVER);
        let body = serde_json::json!({ "mode": "takeover", "agent_after": "listening" });
        self.stage.change(Who::Mia, &id, body).await;
        self.sees("takeover", &[TAKEOVER], &[CUSTOMER, TAKEOVER], &[CUSTOMER]).await;
        self.stage.agent_action(Who::Mia, &id, "hand_back").await;
        mia.says.say(LISTEN);
        self.sees("handed back", &[AGENT], &[CUSTOMER], &both).await;
        self.stage.leave(Who::Mia, &id).await;
        assert_eq!(within(mia.call.ended()).await, CallEnd::FarEnd);
        self.ears.retain(|ear| *ear != "supervisor");
        self.sees("left", &[AGENT], &[CUSTOMER], &[]).await;
        self.score.print();
        self.score.whole_recordings();
    }

    /// Listen, whisper, barge and back by a phone that is not ours and says BARGE throughout.
    pub async fn walk_foreign(&mut self, at: SocketAddr) {
        let id = self.stage.join_at(Who::Mia, &self.call, "listen", at).await;
        self.sees("foreign: listen", &[AGENT], &[CUSTOMER], &[]).await;
        self.stage.mode(Who::Mia, &id, "whisper").await;
        self.sees("foreign: whisper", &[AGENT], &[CUSTOMER, BARGE], &[]).await;
        self.stage.mode(Who::Mia, &id, "barge").await;
        self.sees("foreign: barge", &[AGENT, BARGE], &[CUSTOMER, BARGE], &[]).await;
        self.stage.mode(Who::Mia, &id, "whisper").await;
        self.sees("foreign: whisper again", &[AGENT], &[CUSTOMER, BARGE], &[]).await;
        self.stage.mode(Who::Mia, &id, "listen").await;
        self.sees("foreign: listen again", &[AGENT], &[CUSTOMER], &[]).await;
        self.stage.leave(Who::Mia, &id).await;
        self.sees("foreign: left", &[AGENT], &[CUSTOMER], &[]).await;
        self.score.print();
        self.score.whole_recordings();
    }

    pub async fn hang_up(&self) {
        let path = format!("/calls/{}", self.call);
        let (status, _) = self.stage.send(Who::Mia, "DELETE", &path, None).await;
        assert!((200..300).contains(&status), "{status}");
    }
}

pub fn modes<'a>(
    stage: &'a Stage,
    call: String,
    ends: &[(&'static str, &Recording, &[f64])],
) -> Modes<'a> {
    let mut score = Scoreboard::default();
    ends.iter().for_each(|(name, heard, never)| score.add(name, heard, never));
    Modes { stage, call, score, ears: ends.iter().map(|(name, ..)| *name).collect() }
}

#[tokio::test(flavor = "multi_thread")]
async fn sipp_as_customer_hears_no_whisper_and_tshark_finds_no_fault_in_its_stream() {
    let own = place();
    let stage = Stage::open(Setup { customer: Some(own.at), ..Setup::default() }).await;
    let customer = RtpSocket::open(CUSTOMER).await;
    let tshark = Tshark::start(customer.port).await;
    let sipp = Sipp::calls(stage.server.sip_addr, own, customer.port);
    let agent = stage.agent_answers().await;
    let ends = [("customer", &customer.heard, &NEVER[..]), ("agent", &agent.heard, &[AGENT])];
    let mut modes = modes(&stage, stage.talking().await, &ends);
    modes
        .walk(async |modes| {
            customer.sends.store(false, Ordering::Relaxed);
            modes.sees("whisper, no packet comes", &[AGENT], &[WHISPER], &[AGENT]).await;
            customer.sends.store(true, Ordering::Relaxed);
            let coached = [CUSTOMER, WHISPER];
            modes.sees("whisper, packets again", &[AGENT], &coached, &[AGENT, CUSTOMER]).await;
        })
        .await;
    modes.hang_up().await;
    sipp.ended_well().await;
    let (got, faults) = (customer.packets().len(), customer.faults());
    println!("{got} packets to the customer; out of sequence, wrong timestamps: {faults:?}");
    assert_eq!(faults, (0, 0));
    match tshark {
        Some(tshark) => judged_by_tshark(&tshark.streams().await),
        None => println!("tshark may not capture here: its judgement is missing"),
    }
    stage.close().await;
}

/// One stream, nothing lost, no problem flagged.
fn judged_by_tshark(table: &str) {
    println!("{table}");
    let streams: Vec<&str> = table.lines().filter(|line| line.contains("0x")).collect();
    assert_eq!(streams.len(), 1, "one stream: {table}");
    assert!(streams[0].contains(" 0 (0.0%)"), "nothing lost: {table}");
    assert!(!streams[0].trim_end().ends_with('X'), "no problem: {table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sipp_as_agent_hears_the_whisper_and_the_customer_does_not() {
    let own = place();
    let stage = Stage::open(Setup { agent: Some(own.at), ..Setup::default() }).await;
    let agent = RtpSocket::open(AGENT).await;
    let sipp = Sipp::is_called(own, agent.port).await;
    let call = stage.customer.call(&stage.at("1001")).expect("a call");
    let customer = Party::on(call, Some(CUSTOMER));
    within(customer.call.up()).await.expect("the customer is through");
    let ends = [("customer", &customer.heard, &NEVER[..]), ("agent", &agent.heard, &[AGENT])];
    let mut modes = modes(&stage, stage.talking().await, &ends);
    modes.walk(async |_| {}).await;
    modes.hang_up().await;
    sipp.ended_well().await;
    let (got, faults) = (agent.packets().len(), agent.faults());
    println!("{got} packets to the agent; out of sequence, wrong timestamps: {faults:?}");
    assert_eq!(faults, (0, 0));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn baresip_as_customer_hears_no_whisper() {
    let own = place();
    let stage = Stage::open(Setup { customer: Some(own.at), ..Setup::default() }).await;
    let baresip = Baresip::start("+15550101", own, CUSTOMER, Some(&stage.at("1001")));
    let agent = stage.agent_answers().await;
    let ends = [("agent", &agent.heard, &[AGENT][..])];
    let mut modes = modes(&stage, stage.talking().await, &ends);
    modes.walk(async |_| {}).await;
    let heard = baresip.heard().await;
    within(agent.call.ended()).await;
    nothing_of("baresip", &heard, &NEVER);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn baresip_as_agent_hears_the_whisper_and_the_customer_does_not() {
    let own = place();
    let stage = Stage::open(Setup { agent: Some(own.at), ..Setup::default() }).await;
    let at = own.at;
    let baresip = Baresip::start("1001", own, AGENT, None);
    listens(at).await;
    let call = stage.customer.call(&stage.at("1001")).expect("a call");
    let customer = Party::on(call, Some(CUSTOMER));
    within(customer.call.up()).await.expect("the customer is through");
    let ends = [("customer", &customer.heard, &NEVER[..])];
    let mut modes = modes(&stage, stage.talking().await, &ends);
    modes.walk(async |_| {}).await;
    let heard = baresip.heard().await;
    within(customer.call.ended()).await;
    let whispered = listen(&heard, RATE, WHISPER).hits.len();
    println!("baresip as agent: {whispered} windows with the whisper");
    assert!(whispered > 10, "the control: the agent hears the whisper");
    stage.close().await;
}

/// What a foreign customer kept: nothing that it may never hear; and it did hear the agent and
/// barge.
pub fn nothing_of(who: &str, heard: &[i16], never: &[f64]) {
    let seconds = heard.len() as f64 / f64::from(RATE);
    for hz in never {
        let found = listen(heard, RATE, *hz);
        let (caught, injected) = bursts_found(heard, RATE, *hz, RATE as usize / 25);
        println!(
            "{who} {seconds:.1} s, {hz} Hz: {} hits in {} windows, peak {:.1} dBFS; bursts \
             found {caught}/{injected}",
            found.hits.len(),
            found.windows,
            found.peak_dbfs
        );
        assert_eq!(found.hits, [], "{hz} Hz");
        assert!(caught * 100 >= injected * 95, "{caught} of {injected}");
    }
    assert!(steady(heard, RATE, AGENT) > -16.0, "the control: it hears the agent");
    for hz in [BARGE, TAKEOVER] {
        assert!(listen(heard, RATE, hz).hits.len() > 20, "the control: it hears {hz} Hz");
    }
}
