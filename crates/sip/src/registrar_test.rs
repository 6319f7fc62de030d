//! RFC 3261 section 10.3, step by step, in a time of our own.

use super::*;

struct Desk {
    registrar: Registrar,
    kept: Arc<Kept>,
    cseq: u32,
}

#[derive(Default)]
struct Kept(Mutex<Vec<(String, usize)>>);

impl Keep for Kept {
    fn changed(&self, account: &str, bindings: &[Binding]) {
        self.0.lock().unwrap().push((account.into(), bindings.len()));
    }
}

fn desk() -> Desk {
    let kept = Arc::new(Kept::default());
    let config = RegistrarConfig { contacts_max: 3, ..RegistrarConfig::new(kept.clone(), vec![]) };
    Desk { registrar: Registrar::new(config, 0), kept, cseq: 0 }
}

impl Desk {
    fn asks(&mut self, contacts: &[&str], expires: Option<u32>, at_ms: u64) -> Outcome {
        self.cseq += 1;
        self.asks_as("call", self.cseq, contacts, expires, at_ms)
    }

    fn asks_as(
        &self,
        call_id: &str,
        cseq: u32,
        contacts: &[&str],
        expires: Option<u32>,
        at_ms: u64,
    ) -> Outcome {
        let wanted = Wanted {
            call_id: call_id.into(),
            cseq,
            contacts: contacts.iter().map(|c| (*c).to_owned()).collect(),
            expires,
            path: vec![],
            source: "192.0.2.9:40000".parse().unwrap(),
            transport: Transport::Udp,
            flow: None,
        };
        let had = self.registrar.register("ana", &wanted, at_ms)?;
        Ok(had.into_iter().map(|b| (b.contact, (b.expires_at_ms - at_ms) / 1_000)).collect())
    }
}

type Outcome = Result<Vec<(String, u64)>, Unchanged>;

fn list(bound: &[(&str, u64)]) -> Outcome {
    Ok(bound.iter().map(|(uri, s)| ((*uri).to_owned(), *s)).collect())
}

#[test]
fn a_contact_is_bound_refreshed_told_and_removed() {
    let mut desk = desk();
    assert_eq!(desk.asks(&["<sip:ana@h>;expires=90"], Some(600), 0), list(&[("sip:ana@h", 90)]));
    assert_eq!(desk.asks(&["<sip:ana@h>"], Some(600), 1_000), list(&[("sip:ana@h", 600)]));
    assert_eq!(desk.asks(&[], None, 2_000), list(&[("sip:ana@h", 599)]), "a fetch");
    assert_eq!(desk.asks(&["<sip:ana@h>"], Some(0), 3_000), list(&[]));
    let kept = desk.kept.0.lock().unwrap().clone();
    assert_eq!(kept.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [1, 1, 0]);
}

#[test]
fn expiry_is_at_least_a_minute_at_most_the_limit_and_an_hour_if_nothing_is_said() {
    let mut desk = desk();
    assert_eq!(desk.asks(&["<sip:a@h>"], Some(59), 0), Err(Unchanged::TooBrief(60)));
    assert_eq!(desk.asks(&["<sip:a@h>;expires=59"], None, 0), Err(Unchanged::TooBrief(60)));
    assert_eq!(desk.asks(&["<sip:a@h>"], Some(1_000_000), 0), list(&[("sip:a@h", 7_200)]));
    assert_eq!(desk.asks(&["<sip:a@h>"], None, 0), list(&[("sip:a@h", 3_600)]));
}

#[test]
fn what_has_run_out_is_gone() {
    let mut desk = desk();
    desk.asks(&["<sip:a@h>"], Some(60), 0).unwrap();
    assert_eq!(desk.registrar.bindings_at("ana", 59_999).len(), 1);
    assert_eq!(desk.registrar.bindings_at("ana", 60_000).len(), 0);
    desk.registrar.expire(60_000);
    assert_eq!(desk.kept.0.lock().unwrap().last(), Some(&("ana".to_owned(), 0)));
}

#[test]
fn a_star_removes_all_and_only_with_expires_zero() {
    let mut desk = desk();
    desk.asks(&["<sip:a@h>, <sip:b@h>"], Some(60), 0).unwrap();
    assert_eq!(desk.asks(&["*"], Some(60), 0), Err(Unchanged::Malformed));
    assert_eq!(desk.asks(&["*"], None, 0), Err(Unchanged::Malformed));
    assert_eq!(desk.asks(&["*", "<sip:a@h>"], Some(0), 0), Err(Unchanged::Malformed));
    assert_eq!(desk.asks_as("call", 1, &["*"], Some(0), 0), Err(Unchanged::OutOfOrder));
    assert_eq!(desk.asks(&["*"], Some(0), 0), list(&[]));
}

#[test]
fn an_older_request_of_the_same_call_id_changes_nothing_at_all() {
    let mut desk = desk();
    desk.asks(&["<sip:a@h>"], Some(60), 0).unwrap();
    desk.asks(&["<sip:a@h>"], Some(90), 0).unwrap();
    let late = desk.asks_as("call", 1, &["<sip:b@h>", "<sip:a@h>"], Some(600), 0);
    assert_eq!(late, Err(Unchanged::OutOfOrder));
    assert_eq!(desk.asks(&[], None, 0), list(&[("sip:a@h", 90)]), "b was not bound either");
    let anew = desk.asks_as("other", 1, &["<sip:a@h>"], Some(600), 0);
    assert_eq!(anew, list(&[("sip:a@h", 600)]), "a phone that was started again");
}

#[test]
fn what_is_preferred_comes_first() {
    let mut desk = desk();
    let bound = desk.asks(&["<sip:a@h>;q=0.2,<sip:b@h>", "<sip:c@h>;q=0.7"], Some(60), 0);
    assert_eq!(bound, list(&[("sip:b@h", 60), ("sip:c@h", 60), ("sip:a@h", 60)]));
}

#[test]
fn contacts_have_a_limit_and_the_oldest_goes() {
    let mut desk = desk();
    for (n, uri) in ["<sip:a@h>", "<sip:b@h>", "<sip:c@h>", "<sip:d@h>"].iter().enumerate() {
        desk.asks(&[uri], Some(60), n as u64 * 1_000).unwrap();
    }
    let left = desk.registrar.bindings_at("ana", 4_000);
    let left: Vec<_> = left.iter().map(|b| b.contact.as_str()).collect();
    assert_eq!(left, ["sip:d@h", "sip:c@h", "sip:b@h"]);
    let four = "<sip:1@h>,<sip:2@h>,<sip:3@h>,<sip:4@h>";
    assert_eq!(desk.asks(&[four], Some(60), 0), Err(Unchanged::Malformed));
}

#[test]
fn one_phone_that_moves_keeps_one_binding() {
    let mut desk = desk();
    let at = |port: u16| format!("<sip:a@h:{port}>;reg-id=1;+sip.instance=\"<urn:uuid:7>\"");
    desk.asks(&[&at(1)], Some(60), 0).unwrap();
    assert_eq!(desk.asks(&[&at(2)], Some(60), 0), list(&[("sip:a@h:2", 60)]));
}

#[test]
fn bindings_are_reached_where_they_came_from_and_come_back_after_a_restart() {
    let mut desk = desk();
    desk.asks(&["<sip:a@10.0.0.1:5060>"], Some(60), 0).unwrap();
    let binding = desk.registrar.bindings_at("ana", 0).pop().unwrap();
    assert_eq!(binding.target.to_string(), "192.0.2.9:40000");
    let tcp = |contact: &str| Binding {
        contact: contact.into(),
        transport: Transport::Tcp,
        ..binding.clone()
    };
    let kept = [binding.clone(), tcp("sip:b@192.0.2.9:5070"), tcp("sip:c@10.0.0.1:5060")];
    let stored = kept.map(|binding| Stored { account: "ana".into(), binding });
    let config = RegistrarConfig::new(Arc::new(KeepNothing), stored.to_vec());
    let again = Registrar::new(config.clone(), 1_000);
    let targets: Vec<_> =
        again.bindings_at("ana", 1_000).iter().map(|b| b.target.to_string()).collect();
    assert_eq!(targets, ["192.0.2.9:40000", "192.0.2.9:5070"]);
    assert_eq!(Registrar::new(config, 60_000).registered(), 0);
}

#[test]
fn over_a_connection_that_has_gone_nothing_is_bound_and_what_is_taken_out_goes() {
    let mut desk = desk();
    desk.asks(&["<sip:a@h>"], Some(60), 0).unwrap();
    let over = |desk: &Desk, cseq, contact: &str, expires| {
        let wanted = Wanted {
            call_id: "gone".into(),
            cseq,
            contacts: vec![contact.to_owned()],
            expires: Some(expires),
            path: vec![],
            source: "192.0.2.9:40000".parse().unwrap(),
            transport: Transport::Tcp,
            flow: None,
        };
        desk.registrar.register("ana", &wanted, 0).map(|had| had.len())
    };
    assert_eq!(over(&desk, 1, "<sip:b@h>", 60).unwrap(), 1);
    assert_eq!(over(&desk, 2, "<sip:a@h>", 0).unwrap(), 0);
}
