//! What an operator runs beside a server: doctor, backup, restore, export, migrate.

use crate::process::Outpost;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Output};

fn undertone(args: &[&str], data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_undertone"));
    command.args(args).arg("--data").arg(data).output().expect("it runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Free when asked for; the kernel gives it to nobody else soon.
fn free() -> SocketAddr {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = tcp.local_addr().expect("bound");
        if UdpSocket::bind(addr).is_ok() {
            return addr;
        }
    }
}

#[test]
fn the_doctor_finds_nothing_broken_where_nothing_is() {
    let dir = tempfile::tempdir().unwrap();
    let (http, sip) = (free().to_string(), free().to_string());
    let output = undertone(&["doctor", "--http", &http, "--sip", &sip], dir.path());
    let said = out(&output);
    assert!(output.status.success(), "{said}");
    for line in [
        "server: none runs".to_owned(),
        "phones are told 127.0.0.1".to_owned(),
        format!("sip udp {sip} is free"),
        format!("sip arrives: a packet sent to {sip} does"),
        "media arrives: a packet sent to 127.0.0.1:".to_owned(),
        "files: ".to_owned(),
        "disk: ".to_owned(),
        "dscp: ".to_owned(),
        "not there yet; the first start makes it".to_owned(),
    ] {
        assert!(said.contains(&line), "{line:?} is not in {said}");
    }
}

#[test]
fn the_doctor_names_what_is_broken_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let held = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sip = held.local_addr().unwrap().to_string();
    let http = free().to_string();
    let output = undertone(&["doctor", "--http", &http, "--sip", &sip], dir.path());
    let said = out(&output);
    assert!(!output.status.success());
    let line = said.lines().find(|line| line.contains("held by another program"));
    let line = line.unwrap_or_else(|| panic!("{said}"));
    assert!(line.starts_with("BROKEN") && line.contains(&sip) && line.contains(" -> "), "{line}");
    // An address for documentation (RFC 5737): nobody's.
    let output = undertone(&["doctor", "--http", &http, "--sip", "192.0.2.1:5060"], dir.path());
    assert!(out(&output).contains("BROKEN  address: 192.0.2.1 is none of this machine's"));
    assert!(!output.status.success());
    let bad = dir.path().join("u.toml");
    std::fs::write(&bad, "sip = 1\n").unwrap();
    let output = undertone(&["doctor", "--config", bad.to_str().unwrap()], dir.path());
    assert!(out(&output).starts_with("BROKEN  configuration: "), "{}", out(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_works_beside_a_running_server_in_mid_call() {
    let outpost = Outpost::open().await;
    let (http, sip) = (free().to_string(), free().to_string());
    let args = ["--http", &http, "--sip", &sip, "--rtp", "127.0.0.1:31000-31999"];
    let server = outpost.serve(&args, &[]).await;
    let (customer, _agent) = outpost.talk(server.sip).await;
    let output = undertone(&[&["doctor"], &args[..]].concat(), &outpost.data());
    let said = out(&output);
    assert!(output.status.success(), "{said}");
    for line in [
        format!("as process {}", server.id()),
        format!("sip udp {sip} is held by the server"),
        format!("http {http} is held by the server"),
        format!("sip arrives: a packet sent to {sip} does"),
        "4 in use by the server".to_owned(),
        "reachable, writable, up to date".to_owned(),
    ] {
        assert!(said.contains(&line), "{line:?} is not in {said}");
    }
    assert!(customer.status().is_up());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_server_is_whole_and_comes_back() {
    let outpost = Outpost::open().await;
    let server = outpost.serve(&[], &[]).await;
    let (_customer, _agent) = outpost.talk(server.sip).await;
    let (_, calls) = outpost.get(&server, "/calls").await;
    let id = calls["items"][0]["id"].as_str().unwrap().to_owned();
    // Answered once its row is on disk, and the call's note is there no later than that.
    let _mia = outpost.supervise(server.http, "listen").await.expect("an answer");
    let copy = outpost.dir.path().join("copy");
    let into = copy.to_str().unwrap();
    let output = undertone(&["backup", into], &outpost.data());
    assert!(output.status.success(), "{output:?}");
    assert!(!undertone(&["backup", into], &outpost.data()).status.success(), "into a full folder");
    let onto_live = undertone(&["restore", into], &outpost.data());
    assert!(!onto_live.status.success(), "a running server's folder is left alone");
    server.kill().await;
    assert!(!undertone(&["restore", into], &outpost.data()).status.success(), "data is there");
    std::fs::rename(outpost.data(), outpost.dir.path().join("lost")).unwrap();
    let output = undertone(&["restore", into], &outpost.data());
    assert!(output.status.success(), "{output:?}");
    // The call that was live when the copy was made is closed like any lost one.
    let server = outpost.serve(&[], &[]).await;
    let (status, call) = outpost.get(&server, &format!("/calls/{id}")).await;
    assert_eq!((status, &call["end_reason"]), (200, &"node_lost".into()), "{call}");
    let export = out(&undertone(&["audit", "export"], &outpost.data()));
    let rows: Vec<serde_json::Value> =
        export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.len() >= 2, "{export}");
    for (place, row) in rows.iter().enumerate() {
        assert_eq!(row["seq"], place as u64 + 1);
        let before =
            place.checked_sub(1).map_or("0".repeat(64).into(), |p| rows[p]["hash"].clone());
        assert_eq!(row["prev_hash"], before);
    }
    assert_eq!(rows.last().unwrap()["what"], "call.end");
}

#[test]
fn migrate_says_what_it_ran() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    for _ in 0..2 {
        let output = undertone(&["migrate"], &data);
        assert!(output.status.success(), "{output:?}");
        assert!(out(&output).contains("up to date; 0 steps run"), "{}", out(&output));
    }
}
