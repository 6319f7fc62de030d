//! Debian's Chromium, headless, with one page of ours: a real browser's end of a call. The page
//! takes orders from the test over HTTP; its microphone is a tone, what it hears comes back whole.

use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};
use undertone_testkit::tone_ear::steady;

/// A browser that starts on a machine with much to do takes its time.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
const OBEYS_WITHIN: Duration = Duration::from_secs(30);
/// Of what the page records.
pub const RATE: u32 = 48_000;

struct Desk {
    orders: Mutex<mpsc::Receiver<Value>>,
    done: mpsc::Sender<Value>,
}

/// Ends with its browser when it is dropped.
pub struct Chromium {
    orders: mpsc::Sender<Value>,
    done: Mutex<mpsc::Receiver<Value>>,
    browser: Child,
    _profile: TempDir,
    serving: tokio::task::JoinHandle<()>,
}

async fn next(State(desk): State<Arc<Desk>>) -> axum::Json<Value> {
    let order = desk.orders.lock().await.recv().await;
    // The test is over: the page waits until its browser ends.
    match order {
        Some(order) => axum::Json(order),
        None => std::future::pending().await,
    }
}

async fn done(State(desk): State<Arc<Desk>>, body: String) {
    let value = serde_json::from_str(&body).unwrap_or(Value::Null);
    let _ = desk.done.send(value).await;
}

/// What the browser's network lets through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Roads {
    All,
    /// As behind a firewall, by the browser's own policy: it opens no UDP socket at all.
    NoUdp,
}

/// The browser's settings as it finds them. (Its command line has a switch for this policy, which
/// a preference of the profile goes before.)
fn preferences(profile: &TempDir, roads: Roads) {
    if roads == Roads::NoUdp {
        let folder = profile.path().join("Default");
        std::fs::create_dir_all(&folder).expect("a profile");
        let policy = json!({ "webrtc": { "ip_handling_policy": "disable_non_proxied_udp" } });
        std::fs::write(folder.join("Preferences"), policy.to_string()).expect("its settings");
    }
}

impl Chromium {
    /// Its microphone says this tone.
    pub async fn start(hz: f64, roads: Roads) -> Chromium {
        let (orders, taken) = mpsc::channel(1);
        let (give, done_rx) = mpsc::channel(1);
        let desk = Arc::new(Desk { orders: Mutex::new(taken), done: give });
        let page = || async { Html(include_str!("chromium_page.html")) };
        let router = Router::new()
            .route("/", get(page))
            .route("/next", get(next))
            .route("/done", post(done))
            .layer(axum::extract::DefaultBodyLimit::max(64 * 1024 * 1024))
            .with_state(desk);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("its address");
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        let profile = tempfile::tempdir().expect("a folder");
        preferences(&profile, roads);
        let mut command = Command::new("chromium");
        command
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-dev-shm-usage", "--disable-extensions", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--autoplay-policy=no-user-gesture-required", "--mute-audio=false"])
            .args(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"])
            .args([
                "--allow-loopback-in-peer-connection",
                "--disable-features=WebRtcHideLocalIpsWithMdns",
            ]);
        let browser = command
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("http://{at}/"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .expect("chromium, from Debian's package");
        let done = Mutex::new(done_rx);
        let chromium = Chromium { orders, done, browser, _profile: profile, serving };
        let order = json!({ "order": "prepare", "hz": hz });
        let ready = chromium.within(STARTS_WITHIN, order).await;
        assert_eq!(ready, "running", "the page's audio");
        chromium
    }

    async fn within(&self, bound: Duration, order: Value) -> Value {
        let what = order["order"].clone();
        let mut done = self.done.lock().await;
        let obeyed = async {
            self.orders.send(order).await.ok()?;
            done.recv().await
        };
        let answer = tokio::time::timeout(bound, obeyed).await.ok().flatten();
        let answer = answer.unwrap_or_else(|| panic!("the browser does not obey: {what}"));
        assert!(answer["error"].is_null(), "{what}: {}", answer["error"]);
        answer["value"].clone()
    }

    pub async fn order(&self, order: Value) -> Value {
        self.within(OBEYS_WITHIN, order).await
    }

    /// A new connection that goes by these relays alone.
    pub async fn connect_by(&self, codecs: &[&str], relays: &Value) -> String {
        let order = json!({ "order": "connect", "codecs": codecs, "ice_servers": relays });
        self.order(order).await.as_str().expect("an offer").to_owned()
    }

    /// A new connection; gives its offer.
    pub async fn connect(&self, codecs: &[&str]) -> String {
        let offer = self.order(json!({ "order": "connect", "codecs": codecs })).await;
        offer.as_str().expect("an offer").to_owned()
    }

    pub async fn answered(&self, sdp: &str) {
        self.order(json!({ "order": "answer", "sdp": sdp })).await;
        assert_eq!(self.order(json!({ "order": "connected" })).await, "connected");
    }

    pub async fn tune(&self, hz: f64) {
        self.order(json!({ "order": "tune", "hz": hz })).await;
    }

    /// What it hears from now on, for so long.
    pub async fn hears(&self, ms: u32) -> Vec<i16> {
        let bytes = self.order(json!({ "order": "hear", "ms": ms })).await;
        let bytes: Vec<u8> = serde_json::from_value(bytes).expect("bytes");
        bytes.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect()
    }

    /// Waits until it hears exactly these of all tones; `ears` names all that may be.
    pub async fn hears_just(&self, what: &str, wanted: &[f64], all: &[(&str, f64)]) {
        let mut seen = String::new();
        for _ in 0..30 {
            let pcm = self.hears(600).await;
            let level = |hz: f64| steady(&pcm, RATE, hz);
            // Present at -10, absent under -40: G.711's own products lie between -45 and -60.
            let right = all.iter().all(|(_, hz)| match wanted.contains(hz) {
                true => (-16.0..-5.0).contains(&level(*hz)),
                false => level(*hz) < -40.0,
            });
            if right {
                return;
            }
            let loud = all.iter().map(|(name, hz)| format!("{name} {:.0}", level(*hz)));
            seen = loud.collect::<Vec<_>>().join(", ");
        }
        panic!("{what}: the browser hears {seen}");
    }

    /// As by `kill -9`, with all its processes.
    pub fn kill(&mut self) {
        self.signal(rustix::process::Signal::KILL);
    }

    /// It stands still, as on a network that does, until `thaw`.
    pub fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(pid) = self.browser.id().and_then(|pid| i32::try_from(pid).ok()) {
            // Its own process group, which this test has made.
            let group = rustix::process::Pid::from_raw(pid).expect("a process");
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.kill();
        self.serving.abort();
    }
}
