//! sipp calls a server as it is run, 200 times a second, each call held a second, every tenth with
//! media both ways, and none may fail. 5 s of it in `make test`, a minute under UNDERTONE_PROOF=1.

use crate::foreign_phone::{Place, listens, place};
use crate::stage::within;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const PLAIN_PER_SECOND: u32 = 180;
const WITH_MEDIA_PER_SECOND: u32 = 20;

/// `undertone serve` in a process of its own, with these devices.
struct Served {
    child: Child,
    sip: SocketAddr,
    folder: TempDir,
}

impl Served {
    async fn with(devices: &[(&str, SocketAddr)]) -> Served {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data").display().to_string();
        let mut people = String::new();
        for (number, at) in devices {
            people += &format!(
                "[[device]]\nid = \"d{number}\"\nname = \"{number}\"\nextension = \"{number}\"\n\
                 contact = \"sip:{number}@{at}\"\nnet = \"external\"\n"
            );
        }
        let file = folder.path().join("people.toml");
        std::fs::write(&file, people).expect("written");
        let undertone = env!("CARGO_BIN_EXE_undertone");
        let mut applying = Command::new(undertone);
        applying.arg("provision").arg(&file).args(["--data", &data]).stdout(Stdio::null());
        assert!(applying.status().await.expect("it runs").success());
        let mut child = Command::new(undertone)
            .args(["serve", "--data", &data, "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0"])
            .args(["--rtp", "127.0.0.1:0", "--drain", "5"])
            .env("UNDERTONE_LOG", "warn")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let sip = within(async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(addr) = line.strip_prefix("sip   sip:") {
                    return addr.parse().expect("an address");
                }
            }
            panic!("the server did not start");
        });
        let sip = sip.await;
        Served { child, sip, folder }
    }

    /// Told to stop, it ends every call that is left and says nothing but that.
    async fn stop(mut self) -> TempDir {
        let pid = self.child.id().expect("it runs").to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(told.expect("kill").success());
        assert!(within(self.child.wait()).await.expect("an end").success());
        self.folder
    }
}

/// sipp's own scenario; what it prints is kept for who looks at a failure.
fn sipp(folder: &Path, name: &str, own: Place, more: &[&str]) -> Child {
    let port = own.at.port().to_string();
    let screen = folder.join(name).display().to_string();
    drop(own);
    let mut command = Command::new("sipp");
    command.args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", &port, "-nostdin"]);
    command.args(more).args(["-trace_screen", "-screen_file", &screen]);
    command.current_dir(folder).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("sipp is not installed: apt-get install sip-tester")
}

/// sipp's own callee; with `echo` it says what it hears, so that media goes both ways.
async fn callee(folder: &Path, name: &str, own: Place, calls: u32, echo: bool) -> Child {
    let (at, calls) = (own.at, calls.to_string());
    let mut more = vec!["-sn", "uas", "-m", &calls, "-timeout", "180"];
    more.extend(echo.then_some("-rtp_echo"));
    let child = sipp(folder, name, own, &more);
    listens(at).await;
    child
}

const TALKS: &str = r#"<nop><action><exec rtp_stream="say.ulaw,-1,0,PCMU/8000"/></action></nop>"#;

/// A caller of so many calls a second, `media` or not.
fn caller(
    folder: &Path,
    own: Place,
    to: SocketAddr,
    rate: u32,
    seconds: u32,
    media: bool,
) -> Child {
    let (rate, calls) = (rate.to_string(), (rate * seconds).to_string());
    let (name, callee) = if media { ("talking", "1002") } else { ("plain", "1001") };
    let file = folder.join(format!("{name}.xml"));
    std::fs::write(&file, scenario(media)).expect("written");
    let (file, to) = (file.display().to_string(), to.to_string());
    let rates = ["-s", callee, "-r", &rate, "-m", &calls, "-d", "1000", "-timeout", "150"];
    let mut more = vec!["-sf", &file];
    more.extend(rates);
    more.push(&to);
    sipp(folder, name, own, &more)
}

fn scenario(media: bool) -> String {
    let talks = if media { TALKS } else { "" };
    let port = if media { "[rtpstream_audio_port]" } else { "[media_port]" };
    SCENARIO.replace("TALKS", talks).replace("MEDIA_PORT", port)
}

const SCENARIO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]:[local_port]>;tag=[pid]t[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio MEDIA_PORT RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]:[local_port]>;tag=[pid]t[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
TALKS
<pause/>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]:[local_port]>;tag=[pid]t[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"#;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_calls_a_second_and_none_fails() {
    let seconds = if std::env::var_os("UNDERTONE_PROOF").is_some() { 60 } else { 5 };
    let places = [place(), place(), place(), place()];
    let numbers = ["1001", "1002", "2001", "2002"];
    let at = |index: usize| (numbers[index], places[index].at);
    let served = Served::with(&[at(0), at(1), at(2), at(3)]).await;
    let folder = served.folder.path().to_owned();
    // Ten seconds of nothing: sipp repeats it.
    std::fs::write(folder.join("say.ulaw"), vec![0xff_u8; 80_000]).expect("written");
    let (plain, talking) = (PLAIN_PER_SECOND, WITH_MEDIA_PER_SECOND);
    let [silent, echo, plain_at, talking_at] = places;
    let mut all = [
        ("silent", callee(&folder, "silent", silent, plain * seconds, false).await),
        ("echo", callee(&folder, "echo", echo, talking * seconds, true).await),
        ("plain", caller(&folder, plain_at, served.sip, plain, seconds, false)),
        ("talking", caller(&folder, talking_at, served.sip, talking, seconds, true)),
    ];
    for (name, child) in all.iter_mut().rev() {
        let status = child.wait().await.expect("an end");
        let screen = std::fs::read_to_string(folder.join(*name)).unwrap_or_default();
        assert!(status.success(), "{name}: {status}\n{screen}");
    }
    served.stop().await;
}
