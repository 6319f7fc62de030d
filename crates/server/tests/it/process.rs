//! The real binary as a process of its own on a data folder, and phones of this process around it.

use crate::house::{self, Options, SOON};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use undertone::clock;
use undertone::config::Config;
use undertone::serve::open_store;
use undertone_core::access::Right;
use undertone_core::id::PersonId;
use undertone_phone::{Phone, PhoneCall};

/// A data folder with people, a key for Mia, and everybody's phones. Servers come and go on it.
pub struct Outpost {
    pub phones: BTreeMap<&'static str, Phone>,
    pub dir: TempDir,
    token: String,
    http: reqwest::Client,
}

/// `undertone serve`, running. Killed when it is dropped.
pub struct Process {
    child: Child,
    pub http: SocketAddr,
    pub sip: SocketAddr,
    /// All that it wrote on standard error.
    log: watch::Receiver<Vec<String>>,
    out: watch::Receiver<Vec<String>>,
}

impl Outpost {
    pub async fn open() -> Outpost {
        let phones = house::phones(&Options::default()).await;
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let config = Config { data, ..Config::default() };
        let store = open_store(&config).await.expect("a store");
        let what =
            undertone::provision::read(&house::file(&phones, None)).expect("people and devices");
        store.provision(what).await.expect("provisioned");
        let mia = PersonId::parse("mia").expect("an id");
        let rights = Right::ALL.iter().copied().collect();
        let made = store.add_key(&mia, rights, clock::now().wall).await.expect("a key");
        store.close().await;
        Outpost { phones, dir, token: made.token, http: reqwest::Client::new() }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts a server on ports of the kernel's choice, with these arguments too.
    pub async fn serve(&self, args: &[&str], env: &[(&str, &Path)]) -> Process {
        let args: Vec<&str> = ["--media-threads", "1"].iter().chain(args).copied().collect();
        Process::start(&self.data(), &args, env).await
    }

    pub async fn send(
        &self,
        server: SocketAddr,
        method: &str,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Option<(u16, serde_json::Value)> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let url = format!("http://{server}/api/v1{path}");
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.ok()?; // whose server was killed gets none
        let status = response.status().as_u16();
        Some((status, response.json().await.unwrap_or_default()))
    }

    pub async fn get(&self, server: &Process, path: &str) -> (u16, serde_json::Value) {
        self.send(server.http, "GET", path, None).await.expect("an answer")
    }

    /// Rosa, a customer, talks with Ana, an agent.
    pub async fn talk(&self, sip: SocketAddr) -> (PhoneCall, PhoneCall) {
        let customer = self.phones["rosa"].call(&format!("sip:1001@{sip}")).expect("a call");
        let ringing = self.phones["ana"].incoming().await.expect("a ring");
        let agent = ringing.answer().expect("answered");
        customer.up().await.expect("the customer is through");
        agent.up().await.expect("the agent is through");
        (customer, agent)
    }

    /// Mia supervises Ana's call from her own phone, which answers by itself.
    pub async fn supervise(&self, http: SocketAddr, mode: &str) -> Option<(String, PhoneCall)> {
        let uri = self.phones["mia"].uri();
        let body = serde_json::json!({ "mode": mode, "leg": { "kind": "sip", "uri": uri } });
        let path = "/agents/1001/supervisions";
        let (status, joined) = self.send(http, "POST", path, Some(body)).await?;
        assert_eq!((status, &joined["state"]), (201, &"live".into()), "{joined}");
        let phone = self.phones["mia"].answered().await.expect("a call");
        Some((joined["id"].as_str().expect("an id").to_owned(), phone))
    }
}

impl Process {
    /// `undertone serve` on this folder, on ports of the kernel's choice, with these arguments too.
    pub async fn start(data: &Path, args: &[&str], env: &[(&str, &Path)]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_undertone"));
        command.args(["serve", "--data"]).arg(data);
        for (flag, chosen) in
            [("--http", "127.0.0.1:0"), ("--sip", "127.0.0.1:0"), ("--rtp", "127.0.0.1:0")]
        {
            if !args.contains(&flag) {
                command.args([flag, chosen]);
            }
        }
        command.args(args).envs(env.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("it starts");
        let log = follow(child.stderr.take().expect("piped"));
        let out = follow(child.stdout.take().expect("piped"));
        let address = async |what: &str| {
            let line = until(&out, what).await;
            line.unwrap_or_else(|| panic!("no {what}: {:?}", log.borrow())).to_owned()
        };
        let http = address("http  http://").await.parse().expect("an address");
        let sip = address("sip   sip:").await.parse().expect("an address");
        Process { child, http, sip, log, out }
    }

    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        let sent = std::process::Command::new("kill").args([name, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    pub async fn kill(mut self) {
        self.child.kill().await.expect("SIGKILL");
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(SOON, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("it runs on: {:?}", self.log.borrow())).expect("waited")
    }

    /// What it said, at its start, on the line that begins so.
    pub async fn told(&self, begins: &str) -> String {
        until(&self.out, begins).await.unwrap_or_else(|| panic!("no {begins}"))
    }

    pub fn log(&self) -> String {
        self.log.borrow().join("\n")
    }

    /// Waits for a line of its log that holds this.
    pub async fn says(&self, text: &str) {
        let mut log = self.log.clone();
        let said = log.wait_for(|lines| lines.iter().any(|line| line.contains(text)));
        let said = tokio::time::timeout(SOON, said).await.map(|said| said.is_ok());
        assert_eq!(said, Ok(true), "{text:?} is not in {:?}", self.log.borrow());
    }
}

fn follow(
    from: impl tokio::io::AsyncRead + Unpin + Send + 'static,
) -> watch::Receiver<Vec<String>> {
    let (lines, log) = watch::channel(Vec::new());
    let lines = Arc::new(lines);
    tokio::spawn(async move {
        let mut from = BufReader::new(from).lines();
        while let Ok(Some(line)) = from.next_line().await {
            lines.send_modify(|lines| lines.push(line));
        }
    });
    log
}

/// What follows this on the first line that begins with it.
async fn until(log: &watch::Receiver<Vec<String>>, begins: &str) -> Option<String> {
    let found = |lines: &Vec<String>| {
        lines.iter().find_map(|line| line.strip_prefix(begins).map(str::to_owned))
    };
    let mut log = log.clone();
    let there = log.wait_for(|lines| found(lines).is_some());
    let there = tokio::time::timeout(Duration::from_secs(30), there).await.ok()?.ok()?;
    found(&there)
}
