//! Who is let in, who is asked, and that nobody can tell whom we know.

use super::*;
use crate::gate::{Gate, Offer};
use crate::limits::{Guessing, Rate};
use rsipstack::sip::SipMessage;

const SOURCE: &str = "192.0.2.1:5060";

struct House {
    ana: Arc<Account>,
}

impl Gate for House {
    fn judge(&self, asked: &Asked) -> Access {
        match asked.source.port() {
            7 => Access::Open,
            9 => Access::Refuse(403),
            _ => Access::Challenge,
        }
    }

    fn is_emergency(&self, number: &str) -> bool {
        number == "112"
    }

    fn account_of_name(&self, name: &str) -> Option<Arc<Account>> {
        (name == "1001").then(|| self.ana.clone())
    }

    fn account(&self, user: &str) -> Option<Arc<Account>> {
        (user == "ana").then(|| self.ana.clone())
    }
}

fn door_with(offer: Offer, change: impl FnOnce(&mut DoorConfig)) -> Door {
    let ha1 = |algorithm| Some(digest::ha1(algorithm, "ana", "undertone", "secret"));
    let ana = Account {
        user: "ana".into(),
        ha1_md5: ha1(Algorithm::Md5),
        ha1_sha256: ha1(Algorithm::Sha256),
        offer,
        names: vec!["1001".into()],
    };
    let mut config = DoorConfig::new(Arc::new(House { ana: Arc::new(ana) }), "undertone");
    change(&mut config);
    Door::new(config)
}

fn door() -> Door {
    door_with(Offer::Md5, |_| ())
}

fn request(method: &str, from: &str, authorization: &str) -> Request {
    let text = format!(
        "{method} sip:200@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n\
         From: <sip:{from}@x>;tag=a\r\nTo: <sip:{from}@x>\r\nCall-ID: c\r\nCSeq: 2 {method}\r\n\
         {authorization}Content-Length: 0\r\n\r\n"
    );
    match SipMessage::try_from(text.as_bytes()).unwrap() {
        SipMessage::Request(request) => request,
        SipMessage::Response(_) => panic!("a request"),
    }
}

fn judged(door: &Door, request: &Request) -> Verdict {
    door.judge(request, SOURCE.parse().unwrap(), false)
}

/// The challenges of an answer 401.
fn challenges(verdict: Verdict) -> Vec<Challenge> {
    let Verdict::Answer(401, headers) = verdict else { panic!("{verdict:?}") };
    headers.iter().flat_map(|h| digest::challenges(h.value())).collect()
}

fn answer(user: &str, password: &str, challenge: &Challenge, method: &str, nc: &str) -> String {
    let algorithm = challenge.algorithm.unwrap();
    let ha1 = digest::ha1(algorithm, user, &challenge.realm, password);
    let qop = digest::Qop::Auth { nc, cnonce: "c" };
    let uri = "sip:200@192.0.2.9";
    let question = Question { method, uri, nonce: &challenge.nonce, qop };
    let shown = Shown {
        user: user.into(),
        realm: challenge.realm.clone(),
        nonce: challenge.nonce.clone(),
        uri: uri.into(),
        response: digest::response(algorithm, &ha1, &question),
        algorithm: challenge.algorithm,
        opaque: None,
        qop: Some("auth".into()),
        nc: Some(nc.into()),
        cnonce: Some("c".into()),
    };
    format!("Authorization: {}\r\n", shown.write())
}

fn asks(door: &Door, method: &str, user: &str, password: &str) -> Verdict {
    let challenge = challenges(judged(door, &request(method, user, ""))).remove(0);
    judged(door, &request(method, user, &answer(user, password, &challenge, method, "00000001")))
}

fn is_let_in(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Pass(Some(account)) if account == "ana")
}

#[test]
fn every_method_is_challenged_and_the_right_password_lets_in() {
    for method in ["INVITE", "REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE", "REFER", "PUBLISH"] {
        let door = door();
        assert!(is_let_in(&asks(&door, method, "ana", "secret")), "{method}");
        assert_eq!(challenges(asks(&door, method, "ana", "wrong")).len(), 1, "{method}");
    }
}

#[test]
fn both_algorithms_let_in_and_only_an_account_that_wants_two_is_offered_two() {
    use Algorithm::{Md5, Sha256};
    for (offer, offered) in
        [(Offer::Md5, vec![Md5]), (Offer::Sha256, vec![Sha256]), (Offer::Both, vec![Sha256, Md5])]
    {
        let door = door_with(offer, |_| ());
        let all = challenges(judged(&door, &request("INVITE", "ana", "")));
        assert_eq!(all.iter().filter_map(|c| c.algorithm).collect::<Vec<_>>(), offered);
        for challenge in all {
            let shown = answer("ana", "secret", &challenge, "INVITE", "00000001");
            let verdict = judged(&door, &request("INVITE", "ana", &shown));
            // Both challenges share a nonce: the second answer is a replay of its count.
            let again = matches!(verdict, Verdict::Answer(401, _));
            assert!(is_let_in(&verdict) || again);
        }
    }
}

#[test]
fn a_digest_serves_once_and_counts_go_on() {
    let door = door();
    let challenge = challenges(judged(&door, &request("INVITE", "ana", ""))).remove(0);
    for count in 1..=300_u32 {
        let nc = format!("{count:08x}");
        let shown = answer("ana", "secret", &challenge, "INVITE", &nc);
        if count == 40 {
            door.state().accounts = Buckets::new(Rate { per_s: 1, at_once: 1_000 }, 8);
        }
        assert!(is_let_in(&judged(&door, &request("INVITE", "ana", &shown))), "{nc}");
        let replayed = challenges(judged(&door, &request("INVITE", "ana", &shown)));
        assert!(replayed[0].stale && replayed[0].nonce != challenge.nonce);
    }
}

#[test]
fn an_old_nonce_is_stale_and_the_next_one_lets_in() {
    let door = door_with(Offer::Md5, |config| config.nonce_s = 0);
    let challenge = challenges(judged(&door, &request("INVITE", "ana", ""))).remove(0);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(3) {
        std::hint::spin_loop();
    }
    let shown = answer("ana", "secret", &challenge, "INVITE", "00000001");
    assert!(challenges(judged(&door, &request("INVITE", "ana", &shown)))[0].stale);
    let wrong = answer("ana", "wrong", &challenge, "INVITE", "00000001");
    let told = challenges(judged(&door, &request("INVITE", "ana", &wrong)));
    assert!(told[0].stale, "and it does not tell whether the password was right");
    assert_eq!(door.gauges().wrong, 0);
}

#[test]
fn who_never_read_a_challenge_locks_nobody_and_learns_nothing() {
    let door = door();
    let elsewhere = "192.0.2.66:5060".parse().unwrap();
    let theirs = door.judge(&request("REGISTER", "ana", ""), elsewhere, false);
    let issued_to_another = challenges(theirs).remove(0);
    let made_up = Challenge { nonce: "0".repeat(64), ..issued_to_another.clone() };
    for n in 0..300 {
        for (challenge, password) in
            [(&issued_to_another, "guess"), (&made_up, "guess"), (&made_up, "secret")]
        {
            let shown = answer("ana", password, challenge, "REGISTER", "00000001");
            let told = challenges(judged(&door, &request("REGISTER", "ana", &shown)));
            assert!(told[0].stale, "{n}: right or wrong, it is asked anew");
        }
    }
    assert_eq!(door.gauges().wrong, 0);
    assert!(is_let_in(&asks(&door, "REGISTER", "ana", "secret")), "whose address it was");
}

#[test]
fn a_lock_holds_up_no_emergency_call() {
    let door = door();
    for guess in 0..10 {
        asks(&door, "REGISTER", "ana", &format!("guess {guess}"));
    }
    let call = |number: &str, password: &str| {
        let to = |authorization: &str| {
            let mut invite = request("INVITE", "ana", authorization);
            invite.uri = format!("sip:{number}@192.0.2.9").try_into().unwrap();
            invite
        };
        let challenge = challenges(judged(&door, &to(""))).remove(0);
        judged(&door, &to(&answer("ana", password, &challenge, "INVITE", "00000001")))
    };
    assert!(matches!(call("200", "secret"), Verdict::Answer(403, _)));
    assert!(is_let_in(&call("112", "secret")));
}

#[test]
fn the_first_challenge_is_the_accounts_whichever_of_its_names_from_has() {
    let door = door_with(Offer::Sha256, |_| ());
    for from in ["ana", "1001"] {
        let told = challenges(judged(&door, &request("INVITE", from, "")));
        assert_eq!(told[0].algorithm, Some(Algorithm::Sha256), "{from}");
    }
}

#[test]
fn an_algorithm_that_was_not_offered_is_not_taken() {
    let door = door_with(Offer::Sha256, |_| ());
    let mut challenge = challenges(judged(&door, &request("INVITE", "ana", ""))).remove(0);
    challenge.algorithm = Some(Algorithm::Md5);
    let shown = answer("ana", "secret", &challenge, "INVITE", "00000001");
    assert_eq!(challenges(judged(&door, &request("INVITE", "ana", &shown))).len(), 1);
    assert_eq!(door.gauges().wrong, 1);
}

#[test]
fn who_spends_a_sources_tokens_in_its_name_does_not_hold_up_who_reads_there() {
    let slow = Rate { per_s: 1, at_once: 2 };
    let door = door_with(Offer::Md5, |config| config.source_rate = slow);
    let source = SOURCE.parse().unwrap();
    let challenge = challenges(judged(&door, &request("REGISTER", "ana", ""))).remove(0);
    let forged = [0; 3].map(|_| door.overrun(&request("OPTIONS", "x", ""), source, false));
    assert_eq!(forged, [None, None, Some(1)]);
    let shown = answer("ana", "secret", &challenge, "REGISTER", "00000001");
    assert_eq!(door.overrun(&request("REGISTER", "ana", &shown), source, false), None);
    assert_eq!(door.overrun(&request("REGISTER", "ana", ""), source, true), None, "connected");
    let third = door.overrun(&request("REGISTER", "ana", &shown), source, false);
    assert_eq!(third, Some(1), "it has its own limit");
}

#[test]
fn nobody_speaks_in_another_name() {
    let door = door();
    let challenge = challenges(judged(&door, &request("INVITE", "ana", ""))).remove(0);
    let shown = answer("ana", "secret", &challenge, "INVITE", "00000001");
    let verdict = judged(&door, &request("INVITE", "bob", &shown));
    assert!(matches!(verdict, Verdict::Answer(403, _)), "{verdict:?}");
    let shown = answer("ana", "secret", &challenge, "INVITE", "00000002");
    assert!(is_let_in(&judged(&door, &request("INVITE", "1001", &shown))), "its own extension");
    let shown = answer("ana", "secret", &challenge, "REGISTER", "00000003");
    let mut other = request("REGISTER", "ana", &shown);
    other.headers.unique_push(Header::To("<sip:bob@x>".into()));
    assert!(matches!(judged(&door, &other), Verdict::Answer(403, _)));
}

#[test]
fn ten_wrong_guesses_lock_one_source_and_nobody_can_tell_whom_we_know() {
    let door = door();
    for user in ["ana", "nobody"] {
        for guess in 0..10 {
            let told = challenges(asks(&door, "REGISTER", user, &format!("guess {guess}")));
            assert_eq!((told.len(), told[0].stale), (1, false), "{user}");
        }
        let challenge = challenges(judged(&door, &request("REGISTER", user, ""))).remove(0);
        let shown = answer(user, "secret", &challenge, "REGISTER", "00000001");
        let right = request("REGISTER", user, &shown);
        assert!(matches!(judged(&door, &right), Verdict::Answer(403, _)), "{user} is locked");
    }
    let elsewhere = "192.0.2.2:5060".parse().unwrap();
    let asked = door.judge(&request("INVITE", "ana", ""), elsewhere, false);
    let shown = answer("ana", "secret", &challenges(asked).remove(0), "INVITE", "00000001");
    let verdict = door.judge(&request("INVITE", "ana", &shown), elsewhere, false);
    assert!(is_let_in(&verdict), "the account's own phone is elsewhere");
    assert_eq!(door.gauges().wrong, 20);
}

#[test]
fn known_addresses_need_no_digest_and_refused_ones_get_their_code() {
    let door = door();
    let at = |port: u16| {
        door.judge(&request("INVITE", "x", ""), format!("192.0.2.1:{port}").parse().unwrap(), false)
    };
    assert!(matches!(at(7), Verdict::Pass(None)));
    assert!(matches!(at(9), Verdict::Answer(403, _)));
}

#[test]
fn who_asks_too_often_is_told_to_wait_and_a_known_address_is_not() {
    let slow = Rate { per_s: 1, at_once: 2 };
    let door = door_with(Offer::Md5, |config| {
        (config.source_rate, config.account_rate) = (slow, slow);
        config.guessing = Guessing { wrong_max: 10, source_wrong_max: 100, lock_s: 60 };
    });
    let asks_from =
        |source: &str| door.overrun(&request("INVITE", "x", ""), source.parse().unwrap(), false);
    assert_eq!([SOURCE; 3].map(asks_from), [None, None, Some(1)]);
    assert_eq!(asks_from("192.0.2.1:7"), None);
    assert_eq!(asks_from("192.0.2.3:1"), None);
    let acks = door.overrun(&request("ACK", "x", ""), SOURCE.parse().unwrap(), false);
    assert_eq!(acks, None, "what ends or confirms is never held up");
    let verdicts = [0; 3].map(|_| is_let_in(&asks(&door, "INVITE", "ana", "secret")));
    assert_eq!(verdicts, [true, true, false], "an account has a limit of its own");
    let mut emergency = request("INVITE", "x", "");
    emergency.uri = "sip:112@192.0.2.9".try_into().unwrap();
    let calls = [SOURCE; 3].map(|from| door.overrun(&emergency, from.parse().unwrap(), false));
    assert_eq!(calls, [None, None, Some(1)], "an emergency waits for no other call");
}

#[test]
fn what_came_from_outside_is_no_proof() {
    let mut request = request("INVITE", "ana", "Undertone-Account: ana\r\n");
    sign(&mut request, None);
    assert_eq!(account_of(&request), None);
    sign(&mut request, Some("bo"));
    assert_eq!(account_of(&request).as_deref(), Some("bo"));
}
