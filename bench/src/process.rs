//! A child process on a core of its own, and what it costs: CPU time and memory from /proc.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct Pinned {
    child: Child,
}

impl Pinned {
    /// Starts `program args` on `core`; `lines` of its standard output are read and returned.
    pub fn start(
        core: usize,
        program: &Path,
        args: &[String],
        lines: usize,
    ) -> Result<(Pinned, Vec<String>)> {
        // A benchmark that is killed leaves no server behind.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "taskset", "-c", &core.to_string()])
            .arg(program)
            .args(args)
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut reader = BufReader::new(stdout);
        let mut read = Vec::new();
        for _ in 0..lines {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                bail!("{} ended before it was ready", program.display());
            }
            read.push(line.trim().to_owned());
        }
        // What follows is not wanted, but a full pipe would stop the child.
        std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        Ok((Pinned { child }, read))
    }

    /// Nanoseconds on a CPU so far, all threads, user and system.
    pub fn cpu_ns(&self) -> Result<u64> {
        let mut total = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let path = task?.path().join("schedstat");
            // A thread may end between the listing and the reading.
            let Ok(text) = std::fs::read_to_string(path) else { continue };
            total += text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
        }
        Ok(total)
    }

    pub fn rss_kb(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).context("no VmRSS")?;
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).context("VmRSS")
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
