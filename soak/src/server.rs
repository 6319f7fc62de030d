//! The server under test: the binary with a provisioned folder, a key for each supervisor; asked
//! by HTTP, watched through /metrics and /proc.

use crate::figures::Sample;
use crate::people::{People, RIGHTS};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// Idle connections kept, so that handles do not grow with the load's bursts.
const IDLE_CONNECTIONS: usize = 8;
const START_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(60);
const DRAIN_S: &str = "5";

pub struct Server {
    pub sip: String,
    http: String,
    metrics: String,
    keys: Vec<String>,
    client: reqwest::Client,
    pid: u32,
    binary: PathBuf,
    config: String,
    child: Mutex<Child>,
    data: tempfile::TempDir,
}

/// What a request came to.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Server {
    pub async fn start(binary: &Path, people: &People) -> Result<Server> {
        let data = tempfile::Builder::new().prefix("undertone-soak-").tempdir()?;
        let at = |name: &str| data.path().join(name);
        std::fs::write(at("people.toml"), people.file())?;
        std::fs::write(
            at("undertone.toml"),
            format!(
                "http = \"127.0.0.1:0\"\nsip = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n\
                 rtp = \"127.0.0.1:20000-29999\"\ndata = {:?}\n",
                at("data")
            ),
        )?;
        let config = at("undertone.toml").display().to_string();
        let file = at("people.toml").display().to_string();
        command(binary, &["provision", "--config", &config, &file]).await?;
        let mut keys = Vec::new();
        for line in &people.supervisors {
            let person = format!("p{}", line.user());
            let args = ["key", "add", "--config", &config, &person, "--rights", RIGHTS];
            let made = command(binary, &args).await?;
            let token = made.split_whitespace().find(|word| word.starts_with("ut_"));
            keys.push(token.context("no key")?.to_owned());
        }
        let log = std::fs::File::create(at("log"))?;
        let mut child = Command::new(binary)
            .args(["serve", "--config", &config, "--drain", DRAIN_S])
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        // It may listen for SIP in several ways; the first is UDP. The figures come last.
        let mut said: HashMap<String, String> = HashMap::new();
        while !said.contains_key("metrics") {
            let line = tokio::time::timeout(START_WITHIN, lines.next_line()).await??;
            let line = line.context("the server ended before it was ready")?;
            if let Some((name, address)) = line.split_once(char::is_whitespace) {
                said.entry(name.to_owned()).or_insert_with(|| address.trim().to_owned());
            }
        }
        let address = |name: &str| said.get(name).cloned().context("an address is missing");
        let (http, sip, metrics) = (address("http")?, address("sip")?, address("metrics")?);
        let pid = child.id().context("it has ended")?;
        let client = reqwest::Client::builder().pool_max_idle_per_host(IDLE_CONNECTIONS);
        Ok(Server {
            sip: sip.trim_start_matches("sip:").to_owned(),
            http: http.trim_end_matches('/').to_owned(),
            metrics,
            keys,
            client: client.build()?,
            pid,
            binary: binary.to_owned(),
            config,
            child: Mutex::new(child),
            data,
        })
    }

    /// As supervisor number `who`.
    pub async fn ask(
        &self,
        who: usize,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer> {
        let url = format!("{}/api/v1{path}", self.http);
        let method = reqwest::Method::from_bytes(method.as_bytes())?;
        let mut request = self.client.request(method, url).bearer_auth(&self.keys[who]);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
    }

    pub async fn sample(&self) -> Option<Sample> {
        let text = self.client.get(&self.metrics).send().await.ok()?.text().await.ok()?;
        let figures: HashMap<String, f64> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(name, value)| {
                let name = name.strip_prefix("undertone_")?;
                Some((name.to_owned(), value.trim().parse().ok()?))
            })
            .collect();
        let proc = PathBuf::from(format!("/proc/{}", self.pid));
        let status = std::fs::read_to_string(proc.join("status")).ok()?;
        let field = |name: &str| -> Option<f64> {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        let handles = std::fs::read_dir(proc.join("fd")).ok()?.count();
        Some(Sample {
            rss_mib: field("VmRSS:")? / 1_024.0,
            threads: field("Threads:")?,
            handles: handles as f64,
            figures,
        })
    }

    /// `undertone audit verify` on the folder of the running server.
    pub async fn verify(&self) -> Result<String> {
        let said = command(&self.binary, &["audit", "verify", "--config", &self.config]).await?;
        Ok(said.trim().to_owned())
    }

    /// SIGTERM; the end of the process, or why it was none.
    pub async fn stop(&self) -> Result<()> {
        let mut child = self.child.lock().await;
        let pid = self.pid.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        let ended = tokio::time::timeout(STOP_WITHIN, child.wait()).await;
        let status = ended.context("it did not end after SIGTERM")??;
        if !status.success() {
            bail!("it ended with {status}");
        }
        Ok(())
    }

    /// Lines of its log at error level.
    pub fn errors(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.data.path().join("log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("ERROR")).map(str::to_owned).collect()
    }
}

async fn command(binary: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new(binary).args(args).output().await?;
    if !output.status.success() {
        bail!("undertone {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
