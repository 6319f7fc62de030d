//! Debian's Kamailio between the phones and the server: it puts itself into every dialog by
//! Record-Route, and writes down each request that passes.

use crate::foreign_phone::{Place, listens};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub struct Kamailio {
    child: Child,
    folder: TempDir,
}

const ROUTES: &str = r#"
request_route {
  xlog("L_INFO", "PASSED $rm from $si:$sp totag $tt\n");
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
    sl_send_reply("404", "Not Here"); exit;
  }
  t_check_trans();
  record_route();
  if ($sp == SERVER_PORT) {
PHONES
    sl_send_reply("404", "No Such Phone"); exit;
  }
  $ru = "sip:" + $rU + "@SERVER";
  t_relay();
}
"#;

impl Kamailio {
    /// `phones` are the users and where they are; everything else goes to the server.
    pub async fn start(own: Place, server: SocketAddr, phones: &[(&str, SocketAddr)]) -> Kamailio {
        let folder = tempfile::tempdir().expect("a folder");
        let to_phones: String = phones
            .iter()
            .map(|(user, at)| {
                format!(
                    "    if ($rU == \"{user}\") {{ $ru = \"sip:{user}@{at}\"; t_relay(); exit; }}\n"
                )
            })
            .collect();
        let routes = ROUTES
            .replace("PHONES\n", &to_phones)
            .replace("SERVER_PORT", &server.port().to_string())
            .replace("SERVER", &server.to_string());
        let modules = ["pv", "sl", "tm", "rr", "maxfwd", "siputils", "textops", "xlog"];
        let load: String = modules.map(|m| format!("loadmodule \"{m}.so\"\n")).concat();
        let text = format!(
            "#!KAMAILIO\ndebug=2\nlog_stderror=yes\nfork=yes\nchildren=1\ndisable_tcp=yes\n\
             auto_aliases=no\nlisten=udp:{}\nmpath=\"{}\"\n{load}\
             modparam(\"rr\", \"enable_full_lr\", 1)\n{routes}",
            own.at,
            modules_folder().display()
        );
        let file = folder.path().join("kamailio.cfg");
        std::fs::write(&file, text).expect("written");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log");
        let mut command = Command::new("kamailio");
        // In the foreground: its workers end with it.
        command.arg("-f").arg(&file).arg("-DD").args(["-m", "16", "-M", "4", "-Y"]);
        command.arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let at = own.at;
        drop(own);
        let child = command.spawn();
        let child = child.expect("kamailio is not installed: apt-get install kamailio");
        listens(at).await;
        Kamailio { child, folder }
    }

    /// How many requests of this method passed within a dialog.
    pub fn passed(&self, method: &str) -> usize {
        let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let wanted = format!("PASSED {method} ");
        log.lines().filter(|l| l.contains(&wanted) && !l.contains("totag <null>")).count()
    }
}

impl Drop for Kamailio {
    /// Told, not killed: it ends its workers itself.
    fn drop(&mut self) {
        if let Some(pid) = self.child.id() {
            let _ = std::process::Command::new("kill").arg(pid.to_string()).status();
        }
    }
}

/// Where Debian keeps them, whatever the machine.
fn modules_folder() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let modules = folders.map(|f| f.path().join("kamailio/modules"));
    modules.into_iter().find(|path| path.is_dir()).expect("Kamailio's modules")
}
