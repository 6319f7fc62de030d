//! sipp calls a server as it is run, 200 times a second, each call held a second, every tenth with
//! media both ways, and none may fail. 5 s of it in `make test`, a minute under UNDERTONE_PROOF=1.
#![allow(clippy::print_stdout)] // figures are what a proof shows

use crate::foreign_phone::{Place, listens, place};
use crate::served::Served;
use crate::sipp::Sipp;
use crate::stage::{SOON, size, turn};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

const PLAIN_PER_SECOND: u32 = 180;
const WITH_MEDIA_PER_SECOND: u32 = 20;

fn people(devices: &[(&str, SocketAddr)]) -> String {
    let device = |(number, at): &(&str, SocketAddr)| {
        format!(
            "[[device]]\nid = \"d{number}\"\nname = \"{number}\"\nextension = \"{number}\"\n\
             contact = \"sip:{number}@{at}\"\nnet = \"external\"\n"
        )
    };
    devices.iter().map(device).collect()
}

/// sipp's own callee; with `echo` it says what it hears, so that media goes both ways.
async fn callee(folder: &Path, name: &str, own: Place, calls: u32, echo: bool) -> Sipp {
    let (at, calls) = (own.at, calls.to_string());
    let mut more = vec!["-sn", "uas", "-m", &calls, "-timeout", "180"];
    more.extend(echo.then_some("-rtp_echo"));
    let sipp = Sipp::run(folder, name, own, &more);
    listens(at).await;
    sipp
}

const TALKS: &str = r#"<nop><action><exec rtp_stream="say.ulaw,-1,0,PCMU/8000"/></action></nop>"#;

/// A caller of so many calls a second, `media` or not.
fn caller(folder: &Path, own: Place, to: SocketAddr, rate: u32, seconds: u32, media: bool) -> Sipp {
    let (rate, calls) = (rate.to_string(), (rate * seconds).to_string());
    let (name, callee) = if media { ("talking", "1002") } else { ("plain", "1001") };
    let file = folder.join(format!("{name}.xml"));
    std::fs::write(&file, scenario(media)).expect("written");
    let (file, to) = (file.display().to_string(), to.to_string());
    let rates = ["-s", callee, "-r", &rate, "-m", &calls, "-d", "1000", "-timeout", "150"];
    let mut more = vec!["-sf", &file];
    more.extend(rates);
    more.push(&to);
    Sipp::run(folder, name, own, &more)
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
    let _turn = turn().await;
    let seconds = size(5, 60) as u32;
    let places = [place(), place(), place(), place()];
    let numbers = ["1001", "1002", "2001", "2002"];
    let at = |index: usize| (numbers[index], places[index].at);
    let served = Served::start(&people(&[at(0), at(1), at(2), at(3)])).await;
    let folder = served.folder().to_owned();
    // Ten seconds of nothing: sipp repeats it.
    std::fs::write(folder.join("say.ulaw"), vec![0xff_u8; 80_000]).expect("written");
    let (plain, talking) = (PLAIN_PER_SECOND, WITH_MEDIA_PER_SECOND);
    let [silent, echo, plain_at, talking_at] = places;
    let callees = [
        callee(&folder, "silent", silent, plain * seconds, false).await,
        callee(&folder, "echo", echo, talking * seconds, true).await,
    ];
    let callers = [
        caller(&folder, plain_at, served.sip, plain, seconds, false),
        caller(&folder, talking_at, served.sip, talking, seconds, true),
    ];
    let limit = Duration::from_secs(u64::from(seconds)) + SOON * 2;
    for sipp in callers.into_iter().chain(callees) {
        sipp.ended_well_in(limit).await;
    }
    served.until_at_most("calls_live", 0, SOON).await;
    let ended = served.figure("calls_ended_total").await;
    println!("{ended} calls, each as its scenario says; {} kB", served.rss_kb());
    assert!(ended >= f64::from((plain + talking) * seconds), "{ended} calls");
    assert_eq!(served.broken(), Vec::<String>::new());
    served.stop().await;
}
