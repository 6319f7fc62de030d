//! Phones that are not ours, so that they do not share our mistakes: places for them, baresip as
//! a whole; and tshark, which judges what the server sends.
#![allow(clippy::print_stderr)] // what a foreign program said, when a test fails

use crate::stage::{RATE, SOON, within};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// An address for a foreign phone, held by us until that phone starts, so that none of the many
/// sockets in between takes it. For TCP as well, and with the port above: baresip takes all three.
pub struct Place {
    pub at: SocketAddr,
    _held: (UdpSocket, [TcpListener; 2]),
}

pub fn place() -> Place {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let at = udp.local_addr().expect("bound");
        let next = SocketAddr::new(at.ip(), at.port().saturating_add(1));
        if at.port().is_multiple_of(2)
            && let (Ok(own), Ok(above)) = (TcpListener::bind(at), TcpListener::bind(next))
        {
            return Place { at, _held: (udp, [own, above]) };
        }
    }
}

/// Waits until somebody holds the UDP port, as the kernel's table says: to try it by binding
/// could take it away.
pub async fn listens(at: SocketAddr) {
    // A socket of both families stands in the second table.
    let any = |zeros: usize| format!(":{:04X} {}:0000", at.port(), "0".repeat(zeros));
    let tables = [("/proc/net/udp", any(8)), ("/proc/net/udp6", any(32))];
    let has = |(table, wanted): &(&str, String)| {
        std::fs::read_to_string(table).is_ok_and(|text| text.contains(wanted))
    };
    within(async {
        while !tables.iter().any(has) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Debian's baresip, saying one tone from a file and keeping what it hears in another.
pub struct Baresip {
    child: Child,
    folder: TempDir,
}

impl Baresip {
    /// Answers by itself; calls `dials` first, if given.
    pub fn start(user: &str, own: Place, hz: f64, dials: Option<&str>) -> Baresip {
        Self::with(&format!("<sip:{user}@127.0.0.1>;regint=0"), own, hz, dials)
    }

    /// Registers, and answers by itself.
    pub fn registers(
        user: &str,
        password: &str,
        server: SocketAddr,
        own: Place,
        hz: f64,
    ) -> Baresip {
        let account = format!("<sip:{user}@{server}>;auth_user={user};auth_pass={password}");
        Self::with(&format!("{account};regint=60"), own, hz, None)
    }

    fn with(account: &str, own: Place, hz: f64, dials: Option<&str>) -> Baresip {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let here = folder.path().display();
        let config = format!(
            "sip_listen {}\n\
             audio_player aubridge,nil\naudio_alert aubridge,nil\n\
             audio_source aufile,{here}/say.wav\n\
             ausrc_format s16\nauplay_format s16\nauenc_format s16\naudec_format s16\n\
             module_path /usr/lib/baresip/modules\n\
             module g711.so\nmodule sndfile.so\nmodule aubridge.so\nmodule aufile.so\n\
             module_tmp account.so\nmodule_app menu.so\nsnd_path {here}\n",
            own.at
        );
        std::fs::write(at("config"), config).expect("written");
        let account = format!("{account};answermode=auto\n");
        std::fs::write(at("accounts"), account).expect("written");
        std::fs::write(at("contacts"), "").expect("written");
        say(&at("say.wav"), hz, 120);
        let mut arguments = vec!["-f".to_string(), here.to_string()];
        arguments.extend(dials.iter().flat_map(|to| ["-e".into(), format!("/dial {to}")]));
        drop(own);
        let log = std::fs::File::create(at("log")).expect("a log");
        let mut command = Command::new("baresip");
        command.args(&arguments).stdin(Stdio::null()).stdout(log).stderr(Stdio::null());
        let child = command.kill_on_drop(true).spawn();
        let child = child.expect("baresip is not installed: apt-get install baresip-core");
        Baresip { child, folder }
    }

    /// Ends it, and gives all that it heard.
    pub async fn heard(mut self) -> Vec<i16> {
        let pid = self.child.id().expect("it runs").to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(told.expect("kill").success());
        within(self.child.wait()).await.expect("an end");
        let files = std::fs::read_dir(self.folder.path()).expect("a folder").flatten();
        let is_heard = |path: &PathBuf| path.to_string_lossy().ends_with("-dec.wav");
        let file = files.map(|f| f.path()).find(is_heard).expect("what baresip heard");
        let mut wav = hound::WavReader::open(file).expect("a WAV file");
        assert_eq!(wav.spec().sample_rate, RATE);
        wav.samples::<i16>().map_while(Result::ok).collect()
    }
}

impl Drop for Baresip {
    /// What it said, for who looks at a failure.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("baresip said:\n{}", String::from_utf8_lossy(&log));
        }
    }
}

/// A tone as a WAV file.
pub fn say(path: &Path, hz: f64, seconds: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).expect("a file");
    let mut pcm = vec![0; (RATE * seconds) as usize];
    let ms = seconds as usize * 1_000;
    undertone_testkit::tone_ear::inject(&mut pcm, RATE, hz, -10.0, 0, ms);
    pcm.iter().for_each(|sample| wav.write_sample(*sample).expect("written"));
    wav.finalize().expect("written");
}

/// tshark on loopback, for what goes to one port.
pub struct Tshark {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Tshark {
    /// None where this user may not capture.
    pub async fn start(port: u16) -> Option<Tshark> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rtp.pcapng");
        let mut command = Command::new("tshark");
        command.args(["-i", "lo", "-f", &format!("udp dst port {port}"), "-w"]).arg(&file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().ok()?;
        let mut said = BufReader::new(child.stderr.take()?).lines();
        while let Ok(Ok(Some(line))) = tokio::time::timeout(SOON, said.next_line()).await {
            if line.contains("Capturing on") || line.contains("Capture started") {
                // The first packets may come before the filter is in place; they are not missed
                // in the middle, which is what counts.
                tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
                return Some(Tshark { child, folder, port });
            }
        }
        None
    }

    /// Its table of streams: each line one stream, from tshark's own analysis.
    pub async fn streams(mut self) -> String {
        let pid = self.child.id().expect("it runs").to_string();
        let told = Command::new("kill").args(["-INT", &pid]).status().await;
        assert!(told.expect("kill").success());
        within(self.child.wait()).await.expect("an end");
        let file = self.folder.path().join("rtp.pcapng");
        let as_rtp = format!("udp.port=={},rtp", self.port);
        let mut command = Command::new("tshark");
        command.arg("-r").arg(&file).args(["-d", &as_rtp, "-q", "-z", "rtp,streams"]);
        let out = command.output().await.expect("tshark");
        String::from_utf8_lossy(&out.stdout).into_owned()
    }
}
