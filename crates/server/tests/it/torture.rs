//! The messages of RFC 4475 and RFC 5118, each sent to a live server from a real socket; what came
//! back is compared with what the RFC asks (`tests/torture/*.toml`), and printed. After each the
//! server still answers OPTIONS; after all of them it holds nothing.
#![allow(clippy::print_stdout)] // the table is what the test shows

use crate::stage::within;
use crate::torture_rig::{Results, Rig, Table};

/// Where a server sends a response to a request that names no port and asks for no `rport`: so
/// the sender has SIP's own port, on an address of its own.
const SENDER: [u8; 4] = [127, 0, 44, 75];

#[tokio::test(flavor = "multi_thread")]
async fn rfc4475_over_udp() {
    let rig = Rig::open(SENDER).await;
    rig.over_udp(Table::read("rfc4475", 49)).await.print_and_judge("RFC 4475 over UDP");
    within(rig.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc5118_over_udp() {
    let mut results = Results::default();
    for one in Table::read("rfc5118", 12 + 1).each() {
        let rig = Rig::open(SENDER).await;
        results.add(rig.over_udp(one).await);
        within(rig.close()).await;
    }
    results.print_and_judge("RFC 5118 over UDP");
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc4475_over_tcp() {
    let rig = Rig::open(SENDER).await;
    rig.over_tcp(Table::read("rfc4475", 49)).await.print_and_judge("RFC 4475 over TCP");
    within(rig.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc5118_over_tcp() {
    let mut results = Results::default();
    for one in Table::read("rfc5118", 12 + 1).each() {
        let rig = Rig::open(SENDER).await;
        results.add(rig.over_tcp(one).await);
        within(rig.close()).await;
    }
    results.print_and_judge("RFC 5118 over TCP");
}
