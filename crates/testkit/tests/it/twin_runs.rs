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

/// Every other pair of codecs of customer and agent, a test each; the supervisor's is a third.
macro_rules! pairs {
    ($($name:ident: $customer:ident, $agent:ident, $supervisor:ident;)*) => {
        /// The customer's codec is named first, then the agent's.
        mod customer_gets_the_same_bytes_on {
            use super::*;
            $(#[test]
            fn $name() {
                let transitions = if proof() { 5_000 } else { 120 };
                let opened = holds([$customer, $agent, $supervisor], transitions);
                assert!(opened > 0, "the customer's edge never opened");
            })*
        }
    };
}

pairs! {
    pcmu_and_pcma: Pcmu, Pcma, G722;
    pcmu_and_g722: Pcmu, G722, Pcma;
    pcmu_and_opus: Pcmu, Opus, Pcma;
    pcma_and_pcmu: Pcma, Pcmu, G722;
    pcma_and_pcma: Pcma, Pcma, G722;
    pcma_and_g722: Pcma, G722, Pcmu;
    pcma_and_opus: Pcma, Opus, G722;
    g722_and_pcmu: G722, Pcmu, Opus;
    g722_and_pcma: G722, Pcma, Opus;
    g722_and_g722: G722, G722, Opus;
    g722_and_opus: G722, Opus, Pcma;
    opus_and_pcmu: Opus, Pcmu, Pcma;
    opus_and_pcma: Opus, Pcma, Pcmu;
    opus_and_g722: Opus, G722, Pcmu;
    opus_and_opus: Opus, Opus, Pcmu;
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
