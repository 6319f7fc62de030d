//! Phones of IPv6 and of IPv4 on one call, by real phones whose sockets know their own family
//! alone: what one hears of the other has gone through the server, in both families.

use crate::house::{
    AGENT, CUSTOMER, House, Options, RATE, SUPERVISOR, hears, never_hears, no_longer_hears,
};

/// The parties named are of IPv6, the others of IPv4.
async fn a_supervised_call(v6: &'static [&'static str]) {
    let house = House::with(Options { v6, ..Options::default() }).await;
    for (id, phone) in &house.phones {
        assert_eq!(phone.addr().is_ipv6(), v6.contains(id), "{id}");
    }
    let talk = house.talk().await;
    let (at_customer, at_agent) = (
        talk.customer.record(RATE).expect("a recording"),
        talk.agent.record(RATE).expect("a recording"),
    );
    hears(&at_customer, AGENT).await;
    hears(&at_agent, CUSTOMER).await;
    let (id, mia) = house.join(&talk.id, "whisper").await;
    let at_mia = mia.record(RATE).expect("a recording");
    hears(&at_mia, CUSTOMER).await;
    hears(&at_mia, AGENT).await;
    hears(&at_agent, SUPERVISOR).await;
    never_hears(&at_customer, SUPERVISOR, AGENT, 400).await;
    house.mode(&id, "barge").await;
    hears(&at_customer, SUPERVISOR).await;
    house.mode(&id, "listen").await;
    no_longer_hears(&at_customer, SUPERVISOR).await;
    // Hold and resume re-describe each leg: each stays in its family.
    talk.agent.hold().await.expect("held");
    no_longer_hears(&at_customer, AGENT).await;
    talk.agent.resume().await.expect("resumed");
    hears(&at_customer, AGENT).await;
    hears(&at_agent, CUSTOMER).await;
    mia.hang_up();
    talk.customer.hang_up();
    talk.agent.ended().await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_of_ipv6_talks_with_an_agent_of_ipv4_under_a_supervisor_of_ipv6() {
    a_supervised_call(&["rosa", "mia"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_of_ipv4_talks_with_an_agent_of_ipv6_under_a_supervisor_of_ipv4() {
    a_supervised_call(&["ana"]).await;
}
