//! Debian's linphone without a sound card: it says one tone from a file and keeps what it hears in
//! another.
#![allow(clippy::print_stderr)] // what a foreign program said, when a test fails

use crate::foreign_phone::{Place, say};
use crate::stage::{RATE, within};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};

pub struct Linphone {
    child: Child,
    says: ChildStdin,
    folder: TempDir,
}

impl Linphone {
    /// Answers by itself.
    pub async fn start(user: &str, own: Place, hz: f64) -> Linphone {
        let folder = tempfile::tempdir().expect("a folder");
        let here = folder.path();
        let at = own.at;
        // Without `ipv6_migration_done` it turns IPv6 on again, once, and offers media there.
        // Without its own echo canceller and gain control, which would work on our tones.
        let config = format!(
            "[sip]\nsip_port={}\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0\n\
             ipv6_migration_done=1\ndefault_proxy=-1\n\
             contact=\"{user}\" <sip:{user}@{at}>\n[rtp]\naudio_rtp_port=-1\n\
             [sound]\nechocancellation=0\nagc=0\nnoisegate=0\n[net]\nmtu=0\nfirewall_policy=0\n\
             adaptive_rate_control=0\n[video]\nenabled=0\n\
             [audio_codec_0]\nmime=PCMU\nrate=8000\nenabled=1\n",
            at.port()
        );
        std::fs::write(here.join("config"), config).expect("written");
        std::fs::create_dir_all(here.join(".local/share/linphone")).expect("a folder");
        say(&here.join("say.wav"), hz, 120);
        drop(own);
        let log = std::fs::File::create(here.join("log")).expect("a log");
        let mut command = Command::new("linphonec");
        command.arg("-c").arg(here.join("config")).arg("-a").env("HOME", here);
        command.stdin(Stdio::piped()).stdout(log).stderr(Stdio::null());
        let child = command.kill_on_drop(true).spawn();
        let mut child = child.expect("linphonec is not installed: apt-get install linphone-cli");
        let says = child.stdin.take().expect("its input");
        let mut phone = Linphone { child, says, folder };
        let (say, heard) = (phone.path("say.wav"), phone.path("heard.wav"));
        for line in ["soundcard use files".into(), format!("play {say}"), format!("record {heard}")]
        {
            phone.tell(&line).await;
        }
        // Opus and speex: what it keeps would be at their rate.
        for codec in 0..3 {
            phone.tell(&format!("codec disable {codec}")).await;
        }
        phone
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    async fn tell(&mut self, line: &str) {
        self.says.write_all(format!("{line}\n").as_bytes()).await.expect("linphone listens");
    }

    pub async fn dial(&mut self, uri: &str) {
        self.tell(&format!("call {uri}")).await;
    }

    /// Ends it, and gives all that it heard.
    pub async fn heard(mut self) -> Vec<i16> {
        self.tell("quit").await;
        within(self.child.wait()).await.expect("an end");
        let mut wav = hound::WavReader::open(self.path("heard.wav")).expect("what it heard");
        assert_eq!(wav.spec().sample_rate, RATE);
        wav.samples::<i16>().map_while(Result::ok).collect()
    }
}

impl Drop for Linphone {
    /// What it said, for who looks at a failure.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("linphone said:\n{}", String::from_utf8_lossy(&log));
        }
    }
}
