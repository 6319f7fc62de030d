//! The pages that the server serves, in Debian's Chromium, whose microphone is a file. Driven over
//! the DevTools protocol by what a page's own script could do; knows no call.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A browser that starts on a machine with much to do takes its time.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
const LOOKS_EVERY: Duration = Duration::from_millis(50);

/// Ends with its browser when it is dropped.
pub struct RealPage {
    browser: Child,
    _profile: TempDir,
    tools: WebSocketStream<MaybeTlsStream<TcpStream>>,
    asked: u64,
}

impl RealPage {
    /// `microphone` is a WAV file, said again and again from the first `getUserMedia` on.
    pub async fn open(url: &str, microphone: &Path) -> RealPage {
        let profile = tempfile::tempdir().expect("a folder");
        let browser = Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-dev-shm-usage", "--disable-extensions", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"])
            .arg(format!("--use-file-for-fake-audio-capture={}", microphone.display()))
            .arg("--remote-debugging-port=0")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .expect("chromium, from Debian's package");
        let tools = tokio::time::timeout(STARTS_WITHIN, tools(profile.path(), url));
        let tools = tools.await.expect("the browser opens the page");
        let mut page = RealPage { browser, _profile: profile, tools, asked: 0 };
        page.loaded(url).await;
        page
    }

    /// Whole, and no longer the empty one that a tab begins with.
    pub async fn loaded(&mut self, url: &str) {
        let here = format!("location.href.startsWith({})", json!(url));
        self.until(&format!("{here} && document.readyState === 'complete'")).await;
    }

    /// The value of an expression in the page, promises awaited, as after a person's click.
    pub async fn run(&mut self, expression: &str) -> Value {
        self.asked += 1;
        let params = json!({
            "expression": expression,
            "awaitPromise": true,
            "returnByValue": true,
            "userGesture": true,
        });
        let id = self.asked;
        let order = json!({ "id": id, "method": "Runtime.evaluate", "params": params });
        self.tools.send(Message::text(order.to_string())).await.expect("said");
        let answer = tokio::time::timeout(STARTS_WITHIN, async {
            loop {
                let Some(Ok(message)) = self.tools.next().await else { panic!("the page is gone") };
                let Ok(text) = message.to_text() else { continue };
                let told: Value = serde_json::from_str(text).unwrap_or_default();
                if told["id"] == id {
                    return told;
                }
            }
        });
        let answer = answer.await.expect("an answer of the page");
        let thrown = &answer["result"]["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {thrown}");
        answer["result"]["result"]["value"].clone()
    }

    /// Looks until the expression is true in the page.
    pub async fn until(&mut self, expression: &str) {
        let bound = Instant::now() + STARTS_WITHIN;
        while self.run(&format!("Boolean({expression})")).await != true {
            if Instant::now() > bound {
                let text = self.run("document.body.innerText").await;
                panic!("not seen: {expression}; the page says {text}");
            }
            tokio::time::sleep(LOOKS_EVERY).await;
        }
    }

    /// Clicks the first button or radio whose name begins so, once it is there.
    pub async fn click(&mut self, name: &str) {
        let all = "[...document.querySelectorAll('button, [role=radio]')]";
        let named = json!(name);
        let said = "(b.getAttribute('aria-label') || b.textContent).trim()";
        let found = format!("{all}.find(b => {said}.startsWith({named}))");
        self.until(&found).await;
        self.run(&format!("{found}.click()")).await;
    }

    /// Waits until the panel's sentence begins so.
    pub async fn says(&mut self, sentence: &str) {
        let spoken = "document.querySelector('.dock .sentence [role=status]')?.textContent";
        self.until(&format!("({spoken} || '').startsWith({})", json!(sentence))).await;
    }
}

/// The connection to the tab with this page, as soon as the browser has one.
async fn tools(profile: &Path, url: &str) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    loop {
        if let Some(socket) = tab(profile, url).await {
            return connect_async(socket).await.expect("the browser's tools").0;
        }
        tokio::time::sleep(LOOKS_EVERY).await;
    }
}

async fn tab(profile: &Path, url: &str) -> Option<String> {
    let told = std::fs::read_to_string(profile.join("DevToolsActivePort")).ok()?;
    let list = format!("http://127.0.0.1:{}/json/list", told.lines().next()?);
    let tabs: Value = reqwest::get(list).await.ok()?.json().await.ok()?;
    let ours = |tab: &&Value| {
        tab["type"] == "page" && tab["url"].as_str().is_some_and(|at| at.starts_with(url))
    };
    let tab = tabs.as_array()?.iter().find(ours)?;
    tab["webSocketDebuggerUrl"].as_str().map(str::to_owned)
}

impl Drop for RealPage {
    fn drop(&mut self) {
        if let Some(pid) = self.browser.id().and_then(|pid| i32::try_from(pid).ok()) {
            // Its own process group, which this test has made.
            let group = rustix::process::Pid::from_raw(pid).expect("a process");
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}
