//! HTTP connections by the thousand that say nothing: by plain HTTP to the real binary, and to
//! HTTPS. The server holds no more than its limit, closes each, and answers whoever asks meanwhile.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::flood_tcp::{End, OTHER_HANDLES, host, idles, most_handles};
use crate::house::config;
use crate::https::curl;
use crate::served::Served;
use crate::stage::size;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use undertone::config::Config;
use undertone::https::HttpsConfig;
use undertone::serve::Server;

/// `PlacesConfig`: connections at once. Those that make room are closed a moment later.
const CONNECTIONS_MAX: usize = 4_096;
const BEING_CLOSED: usize = 512;
/// Far fewer than the kernel keeps in its queue for us.
const AT_ONCE: usize = 500;

/// How they ended, and how often somebody who asked meanwhile was answered.
async fn flood(count: usize, door: SocketAddr, url: &str) -> (Vec<End>, usize) {
    let mut all = JoinSet::new();
    let (mut ends, mut answers, mut begun) = (Vec::new(), 0, 0);
    while begun < count || !all.is_empty() {
        let some = AT_ONCE.min(count - begun);
        for number in begun..begun + some {
            all.spawn(idles(host(number), door));
        }
        begun += some;
        // On a connection of its own each time: as a stranger. The kernel's queue is served in
        // order, so whoever came before has been taken then.
        let answer = curl(&["-k", url]).await;
        assert!(answer.text.starts_with("HTTP/1.1 200"), "after {answers}: {}", answer.text);
        answers += 1;
        while let Some(end) = all.try_join_next() {
            ends.push(end.expect("it ended"));
        }
    }
    (ends, answers)
}

fn judged(what: &str, ends: &[End], answers: usize) {
    let ended = |how| ends.iter().filter(|end| **end == how).count();
    println!(
        "{what}: {} connections, {} closed, {} reset, {} not opened; {answers} answers meanwhile",
        ends.len(),
        ended(End::Closed),
        ended(End::Reset),
        ended(End::NotOpened)
    );
    assert_eq!(ended(End::Closed), ends.len(), "closed as TCP has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_connections_that_say_nothing_are_closed_and_hold_up_nobody() {
    let count = size(600, 10_000);
    let served = Served::start("").await;
    let url = format!("http://{}/healthz", served.http);
    let ((ends, answers), most) = most_handles(&served, flood(count, served.http, &url)).await;
    judged("http", &ends, answers);
    println!("{most} handles at most");
    assert!(most <= CONNECTIONS_MAX + BEING_CLOSED + OTHER_HANDLES, "{most} handles");
    let made_room = served.figure("http_connections_made_room_total").await;
    println!("{made_room} made room");
    assert_eq!(made_room > 0.0, count > CONNECTIONS_MAX, "{made_room} made room");
    assert_eq!(served.broken(), Vec::<String>::new());
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn https_connections_without_a_handshake_are_closed_and_hold_up_nobody() {
    let count = size(600, 6_000);
    let data = tempfile::tempdir().expect("a folder");
    let config = Config { https: Some(HttpsConfig::default()), ..config(data.path()) };
    let server = Server::start(&config).await.expect("a server");
    let url = format!("https://localhost:{}/healthz", server.http.port());
    let (ends, answers) = flood(count, server.http, &url).await;
    judged("https", &ends, answers);
    assert!(server.places.gauges().connections <= 16, "{:?}", server.places.gauges());
    server.stop(Duration::ZERO).await;
}
