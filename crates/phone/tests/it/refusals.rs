//! Calls that never come to be, and lines that share a socket.

use undertone_phone::{CallEnd, CallError, Codec, Endpoint, EndpointConfig, LineConfig, Transport};

use crate::pair::{SOON, bounded, media, phone};

#[tokio::test]
async fn a_refused_call_ends_with_the_code_it_was_refused_with() {
    let engine = media();
    let (ann, ben) = (phone(&engine, "ann", &Codec::ALL).await, phone(&engine, "ben", &Codec::ALL));
    let ben = ben.await;
    let out = ann.call(&ben.uri()).unwrap();
    bounded(ben.incoming()).await.expect("it rings").reject(486);
    let Err(CallEnd::Failed { code, .. }) = bounded(out.up()).await else { panic!("it is up") };
    assert_eq!(code, 486);
    assert_eq!(out.hold().await, Err(CallError::Ended));
    assert_eq!(engine.engine().gauges().ports_in_use, 0);
}

#[tokio::test]
async fn who_gives_up_is_no_longer_rung_for() {
    let engine = media();
    let (ann, ben) = (phone(&engine, "ann", &Codec::ALL).await, phone(&engine, "ben", &Codec::ALL));
    let ben = ben.await;
    let out = ann.call(&ben.uri()).unwrap();
    let mut ringing = bounded(ben.incoming()).await.expect("it rings");
    assert_eq!(ringing.from().user, "ann");
    assert!(
        out.wait_for(SOON, |s| s.state == undertone_phone::CallState::Ringing(180)).await.is_some()
    );
    out.hang_up();
    bounded(ringing.cancelled()).await;
    assert_eq!(bounded(out.ended()).await, CallEnd::Us);
}

#[tokio::test]
async fn phones_without_a_common_codec_do_not_talk() {
    let engine = media();
    let ann = phone(&engine, "ann", &[Codec::Pcmu]).await;
    let ben = phone(&engine, "ben", &[Codec::G722]).await;
    let out = ann.call(&ben.uri()).unwrap();
    let ringing = bounded(ben.incoming()).await.expect("it rings");
    assert!(ringing.answer().is_err());
    let Err(CallEnd::Failed { code, .. }) = bounded(out.up()).await else { panic!("it is up") };
    assert_eq!(code, 488);
}

#[tokio::test]
async fn lines_on_one_socket_get_their_own_calls() {
    let engine = media();
    let config = EndpointConfig { t1_ms: 50, ..EndpointConfig::default() };
    let endpoint = Endpoint::bind(config, &engine).await.unwrap();
    let lines: Vec<_> =
        (0..5).map(|n| endpoint.line(LineConfig::new(&format!("line{n}")))).collect();
    let ann = phone(&engine, "ann", &Codec::ALL).await;
    for line in &lines {
        let out = ann.call(&line.uri()).unwrap();
        let ringing = bounded(line.incoming()).await.expect("it rings");
        assert_eq!(ringing.to_user(), line.user());
        let back = ringing.answer().unwrap();
        bounded(out.up()).await.unwrap();
        back.hang_up();
        assert_eq!(bounded(out.ended()).await, CallEnd::FarEnd);
    }
    let out = ann.call(&format!("sip:nobody@{}", endpoint.addr())).unwrap();
    let Err(CallEnd::Failed { code, .. }) = bounded(out.up()).await else { panic!("it is up") };
    assert_eq!(code, 404);
}

#[tokio::test]
async fn lines_call_each_other_over_the_one_socket_that_they_share() {
    let engine = media();
    for transport in [Transport::Udp, Transport::Tcp] {
        let config = EndpointConfig { t1_ms: 50, transport, ..EndpointConfig::default() };
        let endpoint = Endpoint::bind(config, &engine).await.unwrap();
        let line = |n: u8| endpoint.line(LineConfig::new(&format!("line{n}")));
        let lines = [line(0), line(1)];
        for (caller, callee) in [(0, 1), (1, 0)] {
            let out = lines[caller].call(&lines[callee].uri()).unwrap();
            let ringing = bounded(lines[callee].incoming()).await.expect("it rings");
            assert_eq!(ringing.from().user, lines[caller].user());
            let back = ringing.answer().unwrap();
            bounded(out.up()).await.unwrap();
            bounded(back.up()).await.unwrap();
            out.hold().await.unwrap();
            back.hang_up();
            assert_eq!(bounded(out.ended()).await, CallEnd::FarEnd);
            assert_eq!(bounded(back.ended()).await, CallEnd::Us);
        }
    }
}
