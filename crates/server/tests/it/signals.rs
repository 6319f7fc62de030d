//! What a server process does when it is told: drain, stop at once, read its configuration again;
//! and what it tells the service manager.

use crate::house::SOON;
use crate::process::{Outpost, Process};
use std::path::Path;
use tokio::net::{UdpSocket, UnixDatagram};
use undertone_phone::CallEnd;

async fn told(socket: &UnixDatagram, wanted: &str) {
    let mut buffer = [0; 1_024];
    let come = async {
        loop {
            let length = socket.recv(&mut buffer).await.expect("a datagram");
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.lines().any(|line| line == wanted) {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, come).await.unwrap_or_else(|_| panic!("{wanted} did not come"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_is_told_ready_alive_reloading_and_stopping() {
    let outpost = Outpost::open().await;
    let path = outpost.dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let env: [(&str, &Path); 2] =
        [("NOTIFY_SOCKET", path.as_path()), ("WATCHDOG_USEC", Path::new("300000"))];
    let mut server = outpost.serve(&[], &env).await;
    told(&manager, "READY=1").await;
    told(&manager, "WATCHDOG=1").await;
    server.signal("-HUP");
    told(&manager, "RELOADING=1").await;
    told(&manager, "READY=1").await;
    server.signal("-TERM");
    told(&manager, "STOPPING=1").await;
    assert!(server.ended().await.success());
}

/// An INVITE as nobody's library makes it; gives the answer's text.
async fn raw_invite(server: &Process) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let (us, to) = (socket.local_addr().expect("bound"), server.sip);
    let invite = format!(
        "INVITE sip:1001@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bKdrain\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+1555@{us}>;tag=a\r\nTo: <sip:1001@{to}>\r\n\
         Call-ID: drain\r\nCSeq: 1 INVITE\r\nContact: <sip:+1555@{us}>\r\nContent-Length: 0\r\n\r\n"
    );
    socket.send_to(invite.as_bytes(), to).await.expect("sent");
    let mut buffer = vec![0; 4_096];
    let answer = async {
        loop {
            let (length, _) = socket.recv_from(&mut buffer).await.expect("a datagram");
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if !text.starts_with("SIP/2.0 1") {
                return text;
            }
        }
    };
    tokio::time::timeout(SOON, answer).await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_told_to_stop_refuses_new_calls_and_waits_for_the_live_one() {
    let outpost = Outpost::open().await;
    let mut server = outpost.serve(&["--drain", "60"], &[]).await;
    let (customer, agent) = outpost.talk(server.sip).await;
    server.signal("-TERM");
    server.says("stopping: no new calls").await;
    let answer = raw_invite(&server).await;
    assert!(answer.starts_with("SIP/2.0 503"), "{answer}");
    assert!(answer.contains("\r\nRetry-After: "), "{answer}");
    let (status, why) = outpost.get(&server, "/readyz").await;
    assert_eq!((status, &why["code"]), (503, &"not_ready".into()), "{why}");
    assert!(customer.status().is_up());
    customer.hang_up();
    assert_eq!(agent.ended().await, CallEnd::FarEnd);
    assert!(server.ended().await.success(), "with its last call, long before the 60 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_outlast_the_drain_end_by_bye_and_are_on_record() {
    let outpost = Outpost::open().await;
    let mut server = outpost.serve(&["--drain", "1"], &[]).await;
    let (customer, agent) = outpost.talk(server.sip).await;
    let (_, calls) = outpost.get(&server, "/calls").await;
    let id = calls["items"][0]["id"].as_str().unwrap().to_owned();
    server.signal("-TERM");
    let ends = async { tokio::join!(customer.ended(), agent.ended()) };
    let ends = tokio::time::timeout(SOON, ends).await.expect("in time");
    assert_eq!(ends, (CallEnd::FarEnd, CallEnd::FarEnd));
    assert!(server.ended().await.success());
    let next = outpost.serve(&[], &[]).await;
    let (_, call) = outpost.get(&next, &format!("/calls/{id}")).await;
    assert_eq!(call["end_reason"], "shutting_down", "{call}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once_and_the_next_start_closes_what_was_cut() {
    let outpost = Outpost::open().await;
    let mut server = outpost.serve(&["--drain", "600"], &[]).await;
    let (customer, _agent) = outpost.talk(server.sip).await;
    let (_, calls) = outpost.get(&server, "/calls").await;
    let id = calls["items"][0]["id"].as_str().unwrap().to_owned();
    server.signal("-TERM");
    server.says("stopping: no new calls").await;
    assert!(customer.status().is_up());
    server.signal("-INT");
    server.says("stopped at once").await;
    assert!(!server.ended().await.success(), "cutting calls is no success");
    let next = outpost.serve(&[], &[]).await;
    let (_, call) = outpost.get(&next, &format!("/calls/{id}")).await;
    assert_eq!(call["end_reason"], "node_lost", "{call}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_changes_what_can_be_changed_names_the_rest_and_drops_no_call() {
    let outpost = Outpost::open().await;
    let file = outpost.dir.path().join("u.toml");
    std::fs::write(&file, "drain_s = 600\n").unwrap();
    let mut server = outpost.serve(&["--config", file.to_str().unwrap()], &[]).await;
    let (customer, _agent) = outpost.talk(server.sip).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let metrics = format!("metrics = \"127.0.0.1:{port}\"\n");
    std::fs::write(&file, format!("drain_s = 0\nregion = \"eu\"\n{metrics}")).unwrap();
    server.signal("-HUP");
    server.says("reload: changed: metrics, drain_s; waits for the next start: region").await;
    let figures = || async { reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await };
    assert!(figures().await.unwrap().text().await.unwrap().contains("undertone_calls_live 1"));
    std::fs::write(&file, "drain_s = 0\nmetrics = 5\n").unwrap();
    server.signal("-HUP");
    server.says("reload: nothing is changed: ").await;
    server.says("u.toml:2: ").await;
    assert!(figures().await.is_ok(), "the figures are where they were");
    assert!(customer.status().is_up());
    server.signal("-TERM");
    assert_eq!(customer.ended().await, CallEnd::FarEnd, "the drain is 0 now, not 600");
    assert!(server.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_has_one_server() {
    let outpost = Outpost::open().await;
    let _server = outpost.serve(&[], &[]).await;
    let mut second = std::process::Command::new(env!("CARGO_BIN_EXE_undertone"));
    second.args(["serve", "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--rtp", "127.0.0.1:0"]);
    let output = second.arg("--data").arg(outpost.data()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("another undertone"), "{said}");
}
