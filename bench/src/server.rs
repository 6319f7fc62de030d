//! The server under test as a user runs it: the release binary, a provisioned folder, one key.

use crate::process::Pinned;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub struct Server {
    pub process: Pinned,
    pub sip: SocketAddr,
    pub http: String,
    key: String,
    client: reqwest::Client,
    binary: PathBuf,
    config: String,
    _data: tempfile::TempDir,
}

const RIGHTS: &str = "see_wallboard,listen,whisper,barge,takeover,control";
/// Of the one who looks at the board in a browser.
pub const LOGIN: &str = "boss";
pub const PASSWORD: &str = "a bench is no secret";

/// Where the people's phones are: every one a user at this address. An agent's extension is the
/// person's too: a page rings for nobody else's.
fn people(phones: SocketAddr, calls: usize) -> String {
    let rights = RIGHTS.replace(',', "\", \"");
    let boss = "[[person]]\nid = \"boss\"\nname = \"Boss\"\n";
    let mut text = format!("{boss}rights = [\"{rights}\"]\n\n");
    for n in 0..calls {
        // A String takes every write.
        let _ = write!(
            text,
            "[[person]]\nid = \"a{n}\"\nname = \"Agent {n}\"\nextension = \"1{n:04}\"\n\
             rights = [\"see_wallboard\"]\n\n\
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
        let args = ["serve".into(), "--config".into(), config.clone()];
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
            binary: binary.into(),
            config,
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

    /// An API key of agent `n`.
    pub fn key_of(&self, n: usize) -> Result<String> {
        let (agent, config) = (format!("a{n}"), &self.config);
        let args = ["key", "add", "--config", config, &agent, "--rights", "see_wallboard"];
        let told = command(&self.binary, &args)?;
        Ok(told.split_whitespace().find(|w| w.starts_with("ut_")).context("no key")?.to_owned())
    }

    /// Lets `LOGIN` sign in to the pages by `PASSWORD`.
    pub fn let_in(&self) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command.args(["user", "add", "--config", &self.config, LOGIN]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::null()).spawn()?;
        writeln!(child.stdin.take().context("no standard input")?, "{PASSWORD}")?;
        anyhow::ensure!(child.wait()?.success(), "undertone user add");
        Ok(())
    }

    /// The ids of the calls that stand, each with the person who is its agent.
    pub async fn calls(&self) -> Result<Vec<(String, String)>> {
        let calls = self.send(reqwest::Method::GET, "/calls?limit=500", Value::Null).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = calls["items"].as_array().cloned().unwrap_or_default();
        Ok(all
            .iter()
            .map(|call| {
                let parties = call["parties"].as_array().cloned().unwrap_or_default();
                let agent = parties.iter().find(|party| party["person_id"].is_string());
                (text(&call["id"]), agent.map(|a| text(&a["person_id"])).unwrap_or_default())
            })
            .collect())
    }

    pub async fn send(&self, method: reqwest::Method, path: &str, body: Value) -> Result<Value> {
        self.send_as(&self.key, method, path, body).await
    }

    pub async fn send_as(
        &self,
        key: &str,
        method: reqwest::Method,
        path: &str,
        body: Value,
    ) -> Result<Value> {
        let url = format!("{}/api/v1{path}", self.http);
        let mut request = self.client.request(method, &url).bearer_auth(key);
        if !body.is_null() {
            request = request.json(&body);
        }
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
