//! Debian's coturn as a relay between a browser and the server, with secrets shared by both.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::stage::within;

/// Ends when it is dropped.
pub struct Relay {
    pub url: String,
    pub secret: PathBuf,
    _folder: TempDir,
    _server: Child,
}

impl Relay {
    pub async fn start() -> Relay {
        let folder = tempfile::tempdir().expect("a folder");
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "north\n").expect("the secret's file");
        // The kernel's choice, which coturn cannot be asked to make.
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = free.local_addr().expect("its address");
        drop(free);
        let server = Command::new("turnserver")
            .args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--allow-loopback-peers"])
            .args(["--use-auth-secret", "--static-auth-secret=north", "--realm=undertone"])
            .args(["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--log-file=/dev/null"])
            .arg(format!("--listening-port={}", at.port()))
            .arg(format!("--pidfile={}", folder.path().join("pid").display()))
            .arg(format!("--userdb={}", folder.path().join("users").display()))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("turnserver, from Debian's package coturn");
        within(listens(at)).await;
        Relay { url: format!("turn:{at}"), secret, _folder: folder, _server: server }
    }
}

async fn listens(at: SocketAddr) {
    while TcpStream::connect(at).await.is_err() {
        tokio::task::yield_now().await;
    }
}
