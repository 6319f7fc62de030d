//! Debian's sipp with scenarios of ours: signalling that does not share our mistakes. Media is
//! whose port the scenario names.
#![allow(clippy::print_stderr)] // what it showed, when a test fails

use crate::foreign_phone::{Place, listens};
use crate::stage::SOON;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub const CALLER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+15550101@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:+15550101@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio RTP_PORT RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"#;

pub const CALLEE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="callee">
<recv request="INVITE" rrs="true"/>
<send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:1001@[local_ip]:[local_port]>
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:1001@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio RTP_PORT RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv request="ACK"/>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"#;

/// One run of sipp. Ended when it is dropped.
pub struct Sipp {
    child: Child,
    /// What it shows at its end, and what went wrong.
    shown: [PathBuf; 2],
    _folder: Option<TempDir>,
}

impl Sipp {
    /// Calls extension 1001 at the server, once.
    pub fn calls(server: SocketAddr, own: Place, rtp_port: u16) -> Sipp {
        Self::once(CALLER, own, rtp_port, &["-s", "1001", &server.to_string()])
    }

    /// Is called once.
    pub async fn is_called(own: Place, rtp_port: u16) -> Sipp {
        let at = own.at;
        let sipp = Self::once(CALLEE, own, rtp_port, &[]);
        listens(at).await;
        sipp
    }

    fn once(scenario: &str, own: Place, rtp_port: u16, more: &[&str]) -> Sipp {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("scenario.xml");
        let text = scenario.replace("RTP_PORT", &rtp_port.to_string());
        std::fs::write(&file, text).expect("written");
        let file = file.display().to_string();
        let mut arguments = vec!["-sf", &file, "-m", "1", "-timeout", "120"];
        arguments.extend(more);
        let mut sipp = Self::run(folder.path(), "sipp", own, &arguments);
        sipp._folder = Some(folder);
        sipp
    }

    /// With these arguments, from a place of its own; what it shows is kept in the folder, for who
    /// looks at a failure.
    pub fn run(folder: &Path, name: &str, own: Place, arguments: &[&str]) -> Sipp {
        let [screen, errors] =
            ["screen", "errors"].map(|kind| folder.join(format!("{name}.{kind}")));
        let port = own.at.port().to_string();
        drop(own);
        let mut command = Command::new("sipp");
        command.args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", &port, "-nostdin"]);
        command.args(arguments).args(["-trace_screen", "-screen_file"]).arg(&screen);
        command.args(["-trace_err", "-error_file"]).arg(&errors);
        command.current_dir(folder).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("sipp is not installed: apt-get install sip-tester");
        Sipp { child, shown: [screen, errors], _folder: None }
    }

    /// All its calls went as its scenario says.
    pub async fn ended_well(self) {
        self.ended_well_in(SOON).await;
    }

    pub async fn ended_well_in(mut self, limit: Duration) {
        let ended = tokio::time::timeout(limit, self.child.wait()).await;
        if !ended.as_ref().is_ok_and(|status| status.as_ref().is_ok_and(|s| s.success())) {
            for file in &self.shown {
                let text = std::fs::read(file).unwrap_or_default();
                eprintln!("{}:\n{}", file.display(), String::from_utf8_lossy(&text));
            }
            panic!("sipp: {ended:?}");
        }
    }
}
