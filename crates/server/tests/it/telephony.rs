//! What a server does for phones that are not ours and do as RFC 3261 and its family let them:
//! scripted peers on raw sockets, provisioned as devices with fixed contacts.

#![allow(clippy::unwrap_used)] // as in the SIP crate's own tests

use crate::peer::{Message, Peer, Script};
use tempfile::TempDir;
use undertone::serve::{Server, open_store};
use undertone::switchboard::MediaCounts;
use undertone_core::call::Call;
use undertone_media::bridge::BridgeEvent;

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n\
                     t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// A server, a customer's phone (2001) and two more (1001, 1002), all of them scripts.
struct Desk {
    server: Server,
    customer: Peer,
    first: Peer,
    second: Peer,
    script: Script,
    _data: TempDir,
}

async fn desk() -> Desk {
    let (customer, first, second) = (Peer::new().await, Peer::new().await, Peer::new().await);
    let mut people = String::new();
    for (number, peer) in [("2001", &customer), ("1001", &first), ("1002", &second)] {
        people += &format!(
            "[[device]]\nid = \"d{number}\"\nname = \"{number}\"\nextension = \"{number}\"\n\
             contact = \"sip:{number}@{}\"\nnet = \"external\"\n",
            peer.addr
        );
    }
    let data = tempfile::tempdir().unwrap();
    let config = crate::house::config(data.path());
    let store = open_store(&config).await.unwrap();
    store.provision(undertone::provision::read(&people).unwrap()).await.unwrap();
    let server = Server::over(&config, store).await.unwrap();
    let script = Script::new(server.sip_addr, "telephony@customer");
    Desk { server, customer, first, second, script, _data: data }
}

impl Desk {
    /// The customer calls 1001, with this description and these headers.
    async fn calls(&self, extra: &str, sdp: &str) {
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let extra = format!("{extra}{kind}");
        let text = self.script.request(&self.customer, "INVITE", "first", &extra, sdp);
        let text = text.replace("sip:200@", "sip:1001@");
        self.customer.raw(text.as_bytes(), self.server.sip_addr).await;
    }

    /// The customer acknowledges, with an answer or without.
    async fn acknowledges(&mut self, ok: &Message, sdp: &str) {
        self.script.their_tag = ok.tag("To");
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let ack = self.script.request(&self.customer, "ACK", "ack", kind, sdp);
        self.customer.raw(ack.as_bytes(), self.server.sip_addr).await;
    }

    async fn talks(&mut self) {
        self.calls("", OFFER).await;
        let invite = self.first.expect("INVITE").await;
        self.first.ok(&invite, "f", OFFER).await;
        let ok = self.customer.expect("SIP/2.0 200").await;
        self.acknowledges(&ok, "").await;
        self.first.expect("ACK").await;
    }

    /// Waits until the customer's ACK has been read: before it, a NOTIFY is no method (405), after
    /// it, of no event that is known (489).
    async fn settled(&mut self) {
        let extra = "Event: presence\r\nSubscription-State: active\r\n";
        for cseq in 2..500 {
            self.script.cseq = cseq;
            let branch = format!("settled{cseq}");
            let text = self.script.request(&self.customer, "NOTIFY", &branch, extra, "");
            self.customer.raw(text.as_bytes(), self.server.sip_addr).await;
            if self.customer.expect("SIP/2.0 4").await.start.starts_with("SIP/2.0 489") {
                return;
            }
        }
        panic!("the call is not up");
    }

    /// The customer hangs up, and so is the other told.
    async fn ends(mut self, at: usize) {
        self.script.cseq = 900;
        self.script.send(&self.customer, "BYE", "bye").await;
        self.customer.expect("SIP/2.0 200").await;
        let other = if at == 1 { &mut self.first } else { &mut self.second };
        let bye = other.expect("BYE").await;
        other.respond(&bye, "200 OK", "", "", "").await;
        let register = self.server.board.house().register.clone();
        register.until_empty().await;
        self.server.stop(std::time::Duration::ZERO).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_an_offer_gets_ours_and_its_answer_is_taken_from_the_ack() {
    let mut desk = desk().await;
    desk.calls("", "").await;
    let invite = desk.first.expect("INVITE").await;
    assert!(invite.body.contains("m=audio"), "whom we call always gets an offer");
    desk.first.ok(&invite, "f", OFFER).await;
    let ok = desk.customer.expect("SIP/2.0 200").await;
    assert!(ok.body.contains("m=audio"), "ours is the offer: {}", ok.body);
    desk.acknowledges(&ok, OFFER).await;
    desk.first.expect("ACK").await;
    let calls = desk.server.board.house().register.live_calls();
    assert_eq!(calls, 1);
    desk.ends(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_phone_is_asked_by_options_and_only_one_that_has_gone_loses_its_call() {
    let mut desk = desk().await;
    desk.talks().await;
    desk.settled().await;
    let register = desk.server.board.house().register.clone();
    let call = register.all().pop().unwrap();
    let silent = || BridgeEvent::LegSilent { seat: Call::CALLER, for_ms: 60_000 };
    register.report(&MediaCounts::default(), call.bridge, silent());
    let options = desk.customer.expect("OPTIONS").await;
    assert_eq!(options.tag("To"), "peertag", "it is asked within its dialog");
    desk.customer.respond(&options, "200 OK", "", "", "").await;
    desk.first.never("BYE", 200).await;
    register.report(&MediaCounts::default(), call.bridge, silent());
    let options = desk.customer.expect("OPTIONS").await;
    desk.customer.respond(&options, "481 Gone", "", "", "").await;
    let bye = desk.first.expect("BYE").await;
    desk.first.respond(&bye, "200 OK", "", "", "").await;
    register.until_empty().await;
    desk.server.stop(std::time::Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_silence_of_a_leg_that_was_replaced_ends_nobodys_call() {
    let mut desk = desk().await;
    desk.talks().await;
    desk.settled().await;
    let register = desk.server.board.house().register.clone();
    let call = register.all().pop().unwrap();
    let silent = BridgeEvent::LegSilent { seat: Call::CALLER, for_ms: 60_000 };
    register.report(&MediaCounts::default(), call.bridge, silent);
    desk.customer.expect("OPTIONS").await;
    // It does not answer; another leg of the same phone takes the seat (RFC 3891).
    let old =
        std::mem::replace(&mut desk.script, Script::new(desk.server.sip_addr, "second@customer"));
    let replaces =
        format!("Replaces: {};to-tag={};from-tag={}\r\n", old.call_id, old.their_tag, old.our_tag);
    desk.calls(&replaces, OFFER).await;
    let ok = desk.customer.expect("SIP/2.0 200").await;
    desk.acknowledges(&ok, "").await;
    let bye = desk.customer.expect("BYE").await;
    assert_eq!(bye.header("Call-ID"), old.call_id, "the leg that was replaced");
    desk.customer.respond(&bye, "200 OK", "", "", "").await;
    desk.first.never("BYE", 300).await;
    assert_eq!(register.live_calls(), 1);
    desk.ends(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_passes_on_one_hop_less_and_with_none_left_it_is_refused() {
    let mut desk = desk().await;
    let at = desk.server.sip_addr;
    let text = desk.script.request(&desk.customer, "INVITE", "none", "", "");
    let text = text.replace("sip:200@", "sip:1001@").replace("Max-Forwards: 70", "Max-Forwards: 0");
    desk.customer.raw(text.as_bytes(), at).await;
    desk.customer.expect("SIP/2.0 483").await;
    desk.script.send(&desk.customer, "ACK", "none").await;
    desk.script.call_id = "hops@customer".into();
    let sdp = "Content-Type: application/sdp\r\n";
    let text = desk.script.request(&desk.customer, "INVITE", "some", sdp, OFFER);
    let text = text.replace("sip:200@", "sip:1001@").replace("Max-Forwards: 70", "Max-Forwards: 8");
    desk.customer.raw(text.as_bytes(), at).await;
    let invite = desk.first.expect("INVITE").await;
    assert_eq!(invite.header("Max-Forwards"), "7");
    desk.first.ok(&invite, "f", OFFER).await;
    let ok = desk.customer.expect("SIP/2.0 200").await;
    desk.acknowledges(&ok, "").await;
    desk.first.expect("ACK").await;
    desk.ends(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_302_is_followed_as_if_its_user_had_been_dialled() {
    let mut desk = desk().await;
    desk.calls("", OFFER).await;
    let invite = desk.first.expect("INVITE").await;
    // The host is not believed: 1002 is called where we know it to be. 9999 is nobody's.
    let moved = "Contact: <sip:9999@192.0.2.1>;q=0.9, <sip:1002@192.0.2.1>;q=0.5\r\n";
    desk.first.respond(&invite, "302 Moved", "f", moved, "").await;
    desk.first.expect("ACK").await;
    let invite = desk.second.expect("INVITE").await;
    desk.second.ok(&invite, "s", OFFER).await;
    let ok = desk.customer.expect("SIP/2.0 200").await;
    desk.acknowledges(&ok, "").await;
    desk.second.expect("ACK").await;
    desk.ends(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_that_send_a_call_to_each_other_end_it() {
    let mut desk = desk().await;
    desk.calls("", OFFER).await;
    let to = |number: &str| format!("Contact: <sip:{number}@192.0.2.1>\r\n");
    let invite = desk.first.expect("INVITE").await;
    desk.first.respond(&invite, "302 Moved", "f", &to("1002"), "").await;
    let invite = desk.second.expect("INVITE").await;
    desk.second.respond(&invite, "302 Moved", "s", &to("1001"), "").await;
    let refused = desk.customer.expect("SIP/2.0 4").await;
    desk.script.their_tag = refused.tag("To");
    desk.script.send(&desk.customer, "ACK", "first").await;
    desk.first.never("INVITE", 100).await;
    desk.server.board.house().register.until_empty().await;
    desk.server.stop(std::time::Duration::ZERO).await;
}
