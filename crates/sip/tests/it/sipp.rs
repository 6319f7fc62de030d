//! A foreign peer: sipp, as caller and as callee. `make test` installs it; without it these fail.

use std::process::Stdio;

use tokio::process::{Child, Command};
use tokio::time::timeout;
use undertone_sip::{DialogEvent, EndCause};

use crate::support::{ANSWER, LIMIT, call_in, drained, endpoint, next, next_final, to};

fn sipp(arguments: &[&str]) -> Child {
    Command::new("sipp")
        .args(arguments)
        .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-timeout", "20"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("sipp is not installed: apt-get install sip-tester")
}

async fn succeeded(mut child: Child) {
    let status = timeout(LIMIT * 2, child.wait()).await.expect("sipp did not end").unwrap();
    assert!(status.success(), "sipp: {status}");
}

#[tokio::test]
async fn sipp_calls_us_and_hangs_up() {
    let (sip, mut incoming) = endpoint().await;
    let target = sip.local_addr().to_string();
    let child = sipp(&["-sn", "uac", "-m", "5", "-r", "5", "-d", "100", &target]);
    for _ in 0..5 {
        let mut call = call_in(&mut incoming).await;
        assert_eq!(call.from.name, "sipp");
        assert!(call.offer.as_deref().is_some_and(|offer| offer.contains("m=audio")));
        call.dialog.ring();
        call.dialog.answer(ANSWER.into());
        tokio::spawn(async move {
            let _handle = call.dialog;
            assert_eq!(next(&mut call.events).await, DialogEvent::Confirmed { sdp: None });
            let ended = DialogEvent::Ended { cause: EndCause::FarEnd };
            assert_eq!(next(&mut call.events).await, ended);
        });
    }
    succeeded(child).await;
    drained(&sip).await;
}

#[tokio::test]
async fn we_call_sipp_and_hang_up() {
    let (sip, _) = endpoint().await;
    // A port that is free now; sipp takes it before our INVITE's retransmissions end.
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let port = free.port().to_string();
    let child = sipp(&["-sn", "uas", "-m", "1", "-p", &port]);
    let (ours, mut events) = sip.call(to(free));
    let DialogEvent::Answered { sdp } = next_final(&mut events).await else {
        panic!("sipp did not answer");
    };
    assert!(sdp.contains("m=audio"));
    ours.bye();
    assert_eq!(next(&mut events).await, DialogEvent::Ended { cause: EndCause::Us });
    succeeded(child).await;
    drained(&sip).await;
}
