//! `hearing.md`, "How it is proved", 3: what the customer is sent does not depend on whether a
//! supervisor is there or on what they say where the customer must not hear it.

use undertone_sdp::Codec::{self, G722, Opus, Pcma, Pcmu};
use undertone_testkit::twin::{Break, TwinConfig, TwinReport, run};

const FIXED: u64 = 0x5eed_0001;

fn proof() -> bool {
    std::env::var("UNDERTONE_PROOF").is_ok_and(|v| v == "1")
}

fn fresh() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_nanos() as u64
}

fn print(name: &str, seed: u64, report: &TwinReport) {
    println!(
        "{name}, seed {seed:#x}: {} transitions and {} steps of transfers in {} calls; \
         customer's edge opened {}; compared {} RTP and {} RTCP packets, {} with nobody there; \
         alarms {}; {}",
        report.transitions,
        report.transfers,
        report.episodes,
        report.opened,
        report.rtp_compared,
        report.rtcp_compared,
        report.with_absent,
        report.alarms,
        report.difference.as_deref().unwrap_or("0 differences"),
    );
    for ((from, to), count) in &report.by_pair {
        println!("    {from:>9} -> {to:<9} {count}");
    }
}

fn holds(codecs: [Codec; 3], transitions: u64) -> u64 {
    let mut opened = 0;
    let name = format!("{codecs:?}");
    for seed in [FIXED, fresh()] {
        let report = run(TwinConfig { seed, transitions, codecs, broken: None });
        print(&name, seed, &report);
        assert_eq!(report.difference, None, "{name}, seed {seed:#x}");
        assert_eq!(report.alarms, 0, "seed {seed:#x}");
        opened += report.opened;
    }
    opened
}

#[test]
fn customer_gets_the_same_bytes_at_the_same_instants_on_g711() {
    let transitions = if proof() { 500_000 } else { 3_000 };
    let opened = holds([Pcmu, Pcmu, Pcmu], transitions);
    assert!(opened > transitions / 20, "the customer's edge opened too rarely: {opened}");
}

/// One customer's codec against each codec of an agent; the supervisor's is the next one.
fn holds_with(customer: Codec) {
    let all = [Pcmu, Pcma, G722, Opus];
    let at = all.iter().position(|codec| *codec == customer).unwrap();
    let supervisor = all[(at + 1) % all.len()];
    let mut opened = 0;
    for agent in all {
        opened += holds([customer, agent, supervisor], if proof() { 5_000 } else { 60 });
    }
    assert!(opened > 5, "the customer's edge opened too rarely: {opened}");
}

#[test]
fn a_customer_on_pcmu_gets_the_same_bytes_whatever_the_agent_speaks() {
    holds_with(Pcmu);
}

#[test]
fn a_customer_on_pcma_gets_the_same_bytes_whatever_the_agent_speaks() {
    holds_with(Pcma);
}

#[test]
fn a_customer_on_g722_gets_the_same_bytes_whatever_the_agent_speaks() {
    holds_with(G722);
}

#[test]
fn a_customer_on_opus_gets_the_same_bytes_whatever_the_agent_speaks() {
    holds_with(Opus);
}

fn finds(broken: Break) {
    let codecs = [Pcmu, Pcmu, Pcmu];
    let report = run(TwinConfig { seed: FIXED, transitions: 1_000, codecs, broken: Some(broken) });
    print(&format!("{broken:?}"), FIXED, &report);
    assert!(report.difference.is_some(), "{broken:?} was not found in 1,000 transitions");
}

#[test]
fn twin_runs_find_a_wrong_row() {
    finds(Break::WrongRow);
}

#[test]
fn twin_runs_find_a_shared_buffer() {
    finds(Break::SharedBuffer);
}

#[test]
fn twin_runs_find_a_guard_of_nothing() {
    finds(Break::GuardZero);
}
