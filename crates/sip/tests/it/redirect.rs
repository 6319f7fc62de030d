//! 3xx: an event with the contacts, the best first; and our own 302.

use undertone_sip::DialogEvent;

use crate::scripted_callee::called;
use crate::support::{call_in, drained, endpoint, next, silence, to};

#[tokio::test]
async fn a_302_names_its_contacts_the_best_first() {
    let mut called = called().await;
    let extra = "Contact: <sip:low@10.0.0.1>;q=0.2, \"B, C\" <sip:best@10.0.0.2:5070>;q=0.9\r\n\
                 Contact: <sip:also@10.0.0.3>;q=0.9\r\nContact: <sip:first@10.0.0.4>\r\n";
    called.peer.respond(&called.invite, "302 Moved Temporarily", "a", extra, "").await;
    called.peer.expect("ACK").await;
    let contacts =
        ["sip:first@10.0.0.4", "sip:best@10.0.0.2:5070", "sip:also@10.0.0.3", "sip:low@10.0.0.1"]
            .map(str::to_owned)
            .to_vec();
    assert_eq!(next(&mut called.events).await, DialogEvent::Redirected { contacts });
    let failed = next(&mut called.events).await;
    assert!(matches!(failed, DialogEvent::Failed { code: 302, .. }), "{failed:?}");
    silence(&mut called.events).await;
    drained(&called.sip).await;
}

#[tokio::test]
async fn a_redirection_without_a_contact_is_a_failure_that_names_none() {
    for status in ["300 Multiple Choices", "301 Moved", "305 Use Proxy", "380 Alternative"] {
        let mut called = called().await;
        called.peer.respond(&called.invite, status, "a", "", "").await;
        called.peer.expect("ACK").await;
        let contacts = Vec::new();
        assert_eq!(next(&mut called.events).await, DialogEvent::Redirected { contacts });
        assert!(matches!(next(&mut called.events).await, DialogEvent::Failed { .. }));
    }
}

#[tokio::test]
async fn our_own_302_names_where_to_call_instead() {
    let (caller, _) = endpoint().await;
    let (callee, mut incoming) = endpoint().await;
    let (_ours, mut events) = caller.call(to(callee.local_addr()));
    let call = call_in(&mut incoming).await;
    let there = "sip:300@127.0.0.1:5070".to_owned();
    call.dialog.redirect(vec![there.clone(), "not > clean".into()]);
    assert_eq!(next(&mut events).await, DialogEvent::Redirected { contacts: vec![there] });
    assert!(matches!(next(&mut events).await, DialogEvent::Failed { code: 302, .. }));
    drained(&caller).await;
    drained(&callee).await;
}
