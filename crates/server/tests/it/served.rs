//! `undertone serve` as its users run it, for who loads or floods it: with people of a file, its
//! figures, its memory and its handles. Who calls is not its business.

use crate::process::Process;
use crate::stage::within;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

pub struct Served {
    process: Process,
    pub sip: SocketAddr,
    pub http: SocketAddr,
    metrics: String,
    folder: TempDir,
}

impl Served {
    /// With what this provisioning file says.
    pub async fn start(people: &str) -> Served {
        Self::start_with(people, &[]).await
    }

    /// And these arguments too.
    pub async fn start_with(people: &str, more: &[&str]) -> Served {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, data) = (folder.path().join("people.toml"), folder.path().join("data"));
        std::fs::write(&file, people).expect("written");
        let mut applying = Command::new(env!("CARGO_BIN_EXE_undertone"));
        applying.arg("provision").arg(&file).arg("--data").arg(&data);
        let told = applying.output().await.expect("it runs");
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let args = [&["--drain", "1", "--metrics", "127.0.0.1:0"], more].concat();
        let process = Process::start(&data, &args, &[("UNDERTONE_LOG", Path::new("warn"))]).await;
        let metrics = process.told("metrics ").await;
        let (sip, http) = (process.sip, process.http);
        Served { sip, http, process, metrics, folder }
    }

    /// For who needs one beside it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn rss_kb(&self) -> usize {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or("");
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("its memory")
    }

    /// Files and sockets that it holds.
    pub fn handles(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.process.id())).expect("it runs").count()
    }

    /// One figure of its metrics page.
    pub async fn figure(&self, name: &str) -> f64 {
        let page = reqwest::get(&self.metrics).await.expect("metrics").text().await;
        let page = page.expect("a page");
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("undertone_{name} ")));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name}: {page}"))
    }

    /// Waits until this figure is so small.
    pub async fn until_at_most(&self, name: &str, most: u32, limit: Duration) {
        let small = async {
            while self.figure(name).await > f64::from(most) {
                // Nothing tells outside the process; a page each 100 ms disturbs nobody.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let small = tokio::time::timeout(limit, small).await;
        assert!(small.is_ok(), "{name} does not come to {most} within {limit:?}");
    }

    /// Stopped for so long, as on a machine that stalls.
    #[allow(clippy::disallowed_methods)] // the standstill itself; on a blocking thread
    pub async fn stand_still(&self, time: Duration) {
        let pid = Pid::from_raw(self.process.id().cast_signed()).expect("a process");
        let still = move || {
            kill_process(pid, Signal::STOP).expect("stopped");
            // It has stopped when its parent, who we are, is told so.
            let options = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
            let stopped = waitid(WaitId::Pid(pid), options);
            std::thread::sleep(time);
            kill_process(pid, Signal::CONT).expect("goes on");
            assert!(stopped.is_ok_and(|status| status.is_some_and(|s| s.stopped())));
        };
        tokio::task::spawn_blocking(still).await.expect("stopped and gone on");
    }

    /// All of its log so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Lines of its log that say that something broke.
    pub fn broken(&self) -> Vec<String> {
        let broken = |line: &&str| line.contains("panicked") || line.contains("ERROR");
        self.process.log().lines().filter(broken).map(str::to_owned).collect()
    }

    /// Told to stop, it ends every call that is left.
    pub async fn stop(mut self) {
        self.process.signal("-TERM");
        assert!(within(self.process.ended()).await.success());
    }
}
