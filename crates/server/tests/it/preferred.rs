//! Phones of one account that registered with different q: the better ones ring first, the others
//! after them.

use crate::house::{SOON, rings};
use crate::registered::{Desk, PASSWORD, desk_with, phone};
use std::time::Duration;
use tokio::time::timeout;
use undertone_phone::{CallEnd, CallState, Phone, PhoneCall, Registered, Ringing};

/// At the desk's extension 1001: one phone that is preferred, one that is not.
struct Two {
    desk: Desk,
    first: Phone,
    second: Phone,
    _registered: [Registered; 2],
}

async fn two(ring_each_s: u64) -> Two {
    let desk = desk_with(|config| config.ring_each_s = ring_each_s).await;
    let first = phone(&desk.engine, "ana", Some(PASSWORD)).await;
    let second = phone(&desk.engine, "ana", Some(PASSWORD)).await;
    let registered =
        [desk.registered_with(&first, 900).await, desk.registered_with(&second, 400).await];
    assert_eq!(desk.bound(), 2);
    Two { desk, first, second, _registered: registered }
}

impl Two {
    fn call(&self) -> PhoneCall {
        self.desk.rosa.call(&self.desk.at("1001")).expect("a call")
    }

    /// One rings, and the other does not.
    async fn first_rings(&self, call: &PhoneCall) -> Ringing {
        let ringing = rings(&self.first).await;
        let heard = call.wait_for(SOON, |status| status.state == CallState::Ringing(180)).await;
        assert!(heard.is_some(), "the caller hears that it rings");
        self.second_is_quiet().await;
        ringing
    }

    async fn second_is_quiet(&self) {
        let rung = timeout(Duration::from_millis(300), self.second.incoming()).await;
        assert!(rung.is_err(), "the other phone rings too");
    }

    async fn close(self) {
        self.desk.close(&[&self.first, &self.second]).await;
    }
}

async fn ended(call: &PhoneCall) -> CallEnd {
    timeout(SOON, call.ended()).await.expect("in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_of_lower_q_rings_when_the_better_one_has_refused() {
    let two = two(60).await;
    let call = two.call();
    two.first_rings(&call).await.reject(486);
    let answered = rings(&two.second).await.answer().expect("answered");
    call.up().await.expect("through");
    answered.hang_up();
    assert_eq!(ended(&call).await, CallEnd::FarEnd);
    // When the last has refused too, the caller is told the weightier word.
    let call = two.call();
    two.first_rings(&call).await.reject(486);
    rings(&two.second).await.reject(404);
    assert!(matches!(ended(&call).await, CallEnd::Failed { code: 486, .. }));
    two.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_of_lower_q_rings_instead_when_nobody_has_answered_the_better_one() {
    let two = two(1).await;
    let call = two.call();
    let mut unanswered = two.first_rings(&call).await;
    let ringing = rings(&two.second).await;
    timeout(SOON, unanswered.cancelled()).await.expect("the better one stops");
    let answered = ringing.answer().expect("answered");
    call.up().await.expect("through");
    answered.hang_up();
    assert_eq!(ended(&call).await, CallEnd::FarEnd);
    two.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_for_all_phones_ends_the_call() {
    let two = two(60).await;
    let call = two.call();
    two.first_rings(&call).await.reject(603);
    assert!(matches!(ended(&call).await, CallEnd::Failed { code: 603, .. }));
    two.second_is_quiet().await;
    two.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_up_is_looked_for_no_further() {
    let two = two(1).await;
    let call = two.call();
    let mut ringing = two.first_rings(&call).await;
    call.hang_up();
    timeout(SOON, ringing.cancelled()).await.expect("it stops");
    two.desk.server.board.house().register.until_empty().await;
    let rung = timeout(Duration::from_millis(1_500), two.second.incoming()).await;
    assert!(rung.is_err(), "its turn came after all");
    two.close().await;
}
