//! The server under test as a user runs it: the release binary, a provisioned folder, one key.

use crate::process::Pinned;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

pub struct Server {
    pub process: Pinned,
    pub sip: SocketAddr,
    http: String,
    key: String,
    client: reqwest::Client,
    _data: tempfile::TempDir,
}

const RIGHTS: &str = "see_wallboard,listen,whisper,barge,takeover";

/// Where the people's phones are: every one a user at this address.
fn people(phones: SocketAddr, calls: usize) -> String {
    let mut text = String::from("[[person]]\nid = \"boss\"\nname = \"Boss\"\n");
    text.push_str(
        "rights = [\"see_wallboard\", \"listen\", \"whisper\", \"barge\", \"takeover\"]\n\n",
    );
    for n in 0..calls {
        // A String takes every write.
        let _ = write!(
            text,
            "[[person]]\nid = \"a{n}\"\nname = \"Agent {n}\"\n\n\
             [[device]]\nid = \"a{n}\"\nextension = \"1{n:04}\"\nowner = \"a{n}\"\n\
             contact = \"sip:a{n}@{phones}\"\n\n\
             [[device]]\nid = \"c{n}\"\nextension = \"2{n:04}\"\n\
             contact = \"sip:c{n}@{phones}\"\n\n\
             [[device]]\nid = \"s{n}\"\nowner = \"boss\"\nextension = \"3{n:04}\"\n\
             contact = \"sip:s{n}@{phones}\"\n\n"
        );
    }
    text
}

impl Server {
    /// `calls` agents, customers and supervisor's devices; the server alone on `core`.
    pub fn start(binary: &Path, core: usize, phones: SocketAddr, calls: usize) -> Result<Server> {
        let data = tempfile::tempdir()?;
        let at = |name: &str| -> PathBuf { data.path().join(name) };
        std::fs::write(at("people.toml"), people(phones, calls))?;
        let config = format!(
            "http = \"127.0.0.1:0\"\nsip = \"127.0.0.1:0\"\nrtp = \"127.0.0.1:20000-65000\"\n\
             data = {:?}\nmedia_threads = 1\n",
            at("data")
        );
        std::fs::write(at("undertone.toml"), config)?;
        let config = at("undertone.toml").display().to_string();
        command(binary, &["provision", "--config", &config, &at("people.toml").to_string_lossy()])?;
        let key =
            command(binary, &["key", "add", "--config", &config, "boss", "--rights", RIGHTS])?;
        let key = key.split_whitespace().find(|w| w.starts_with("ut_")).context("no key")?;
        let args = ["serve".into(), "--config".into(), config];
        let (process, lines) = Pinned::start(core, binary, &args, 2)?;
        let address = |what: &str| -> Result<String> {
            let line = lines.iter().find(|l| l.to_lowercase().contains(what)).context("address")?;
            Ok(line.split_whitespace().last().unwrap_or_default().to_owned())
        };
        let sip = address("sip")?;
        let sip = sip.trim_start_matches("sip:").parse().with_context(|| sip.clone())?;
        let http = address("http")?;
        Ok(Server {
            process,
            sip,
            http: http.trim_end_matches('/').to_owned(),
            key: key.to_owned(),
            client: reqwest::Client::new(),
            _data: data,
        })
    }

    /// Starts a supervision of the agent's call on the supervisor's device; its id.
    pub async fn supervise(&self, agent: usize, mode: &str) -> Result<String> {
        let path = format!("/agents/1{agent:04}/supervisions");
        let leg = json!({"kind": "sip", "uri": format!("sip:s{agent}")});
        let answer = self.send(reqwest::Method::POST, &path, json!({"mode": mode, "leg": leg}));
        let answer = answer.await?;
        Ok(answer["id"].as_str().context("no id in the answer")?.to_owned())
    }

    pub async fn change(&self, supervision: &str, mode: &str) -> Result<Value> {
        let path = format!("/supervisions/{supervision}");
        self.send(reqwest::Method::PATCH, &path, json!({"mode": mode})).await
    }

    pub async fn leave(&self, supervision: &str) -> Result<Value> {
        self.send(reqwest::Method::DELETE, &format!("/supervisions/{supervision}"), json!({})).await
    }

    async fn send(&self, method: reqwest::Method, path: &str, body: Value) -> Result<Value> {
        let url = format!("{}/api/v1{path}", self.http);
        let request = self.client.request(method, &url).bearer_auth(&self.key).json(&body);
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("{url} answered {status}: {text}");
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

fn command(binary: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new(binary).args(args).output()?;
    if !output.status.success() {
        bail!("undertone {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
