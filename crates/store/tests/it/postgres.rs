//! A private PostgreSQL for tests: one a test process, on a unix socket in a folder of its own.
//!
//! It lives as a child of a shell that waits on a pipe from us: when this process ends, in
//! whatever way, the shell stops that server and removes its folder. Nothing else is touched.

use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(crate) struct Postgres {
    dir: PathBuf,
    _pipe: ChildStdin,
    _shell: Child,
}

/// Stops the server when the pipe closes; the folder goes with it.
const WATCH: &str = r#"
bin=$1; dir=$2; shift 2
"$@" "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off \
  -c max_connections=200 >"$dir/log" 2>&1 &
server=$!
read _
kill -CONT $server 2>/dev/null; kill -QUIT $server 2>/dev/null
wait $server; rm -rf "$dir"
"#;

/// The one that tests of this process share, each with a database of its own.
pub(crate) fn shared() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(Postgres::start)
}

impl Postgres {
    pub(crate) fn start() -> Postgres {
        let bin = server_binaries();
        let dir = tempfile::Builder::new().prefix("ut-pg-").tempdir_in("/tmp").unwrap().keep();
        let root = std::fs::metadata("/proc/self").is_ok_and(|m| {
            use std::os::unix::fs::MetadataExt;
            m.uid() == 0
        });
        // PostgreSQL refuses to run as root.
        let user: &[&str] = match root {
            true => &["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"],
            false => &["env"],
        };
        if root {
            run(Command::new("chown").arg("postgres:postgres").arg(&dir));
        }
        run(Command::new(user[0])
            .args(&user[1..])
            .arg(bin.join("initdb"))
            .args(["--no-sync", "-A", "trust", "-U", "undertone", "-E", "UTF8", "--locale=C"])
            .arg("-D")
            .arg(dir.join("data")));
        let mut shell = Command::new("sh")
            .args(["-c", WATCH, "watch"])
            .arg(&bin)
            .arg(&dir)
            .args(user)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let pipe = shell.stdin.take().unwrap();
        let server = Postgres { dir, _pipe: pipe, _shell: shell };
        server.wait_until_up(&bin);
        server
    }

    fn wait_until_up(&self, bin: &std::path::Path) {
        let began = Instant::now();
        loop {
            let asked = Command::new(bin.join("pg_isready"))
                .arg("-q")
                .arg("-h")
                .arg(&self.dir)
                .status()
                .unwrap();
            if asked.success() {
                return;
            }
            let log = || std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(30), "not up in 30 s: {}", log());
        }
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join(".s.PGSQL.5432")
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?user=undertone&host={}", self.dir.display())
    }

    /// A database of its own, empty.
    pub(crate) async fn database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        use sqlx::{Connection, Executor};
        let name = format!("t{}", COUNT.fetch_add(1, Ordering::Relaxed));
        sqlx::any::install_default_drivers();
        let mut conn = sqlx::AnyConnection::connect(&self.url("postgres")).await.unwrap();
        conn.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        conn.close().await.unwrap();
        self.url(&name)
    }

    /// Sends a signal to the server and all that it forked.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.dir.join("data/postmaster.pid")).unwrap();
        let server = pid.lines().next().unwrap().to_owned();
        let mut all = vec![server.clone()];
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
            let after_name = stat.rsplit(')').next().unwrap_or_default();
            if after_name.split_whitespace().nth(1) == Some(&server) {
                all.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        // A process that it forked may have ended by itself since; the server has not.
        let out = Command::new("kill").arg(format!("-{signal}")).args(&all).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(said.lines().all(|line| line.contains("No such process")), "{said}");
    }
}

fn server_binaries() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .collect();
    found.sort();
    found.pop().expect("PostgreSQL's server is missing: apt-get install postgresql")
}

fn run(command: &mut Command) {
    let out = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?}: {said}");
}
