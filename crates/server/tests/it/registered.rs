//! Phones that register with a password: ours and a foreign one, called where they are.

use crate::foreign_phone::{Baresip, place};
use crate::house::{AGENT, SOON, config, hears, rings};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;
use undertone::config::Config;
use undertone::serve::{Server, open_store};
use undertone_phone::{
    CallEnd, EngineConfig, Phone, PhoneConfig, PhoneEngine, Registered, RegistrationState, Target,
    Transport,
};

pub const PASSWORD: &str = "canary-of-registered";

/// A server that knows `ana` by her account, at extension 1001, and Rosa by her address.
pub struct Desk {
    pub server: Server,
    pub engine: PhoneEngine,
    pub rosa: Phone,
    config: Config,
    _dir: TempDir,
}

pub async fn phone(engine: &PhoneEngine, user: &str, password: Option<&str>) -> Phone {
    let password = password.map(str::to_owned);
    let config = PhoneConfig { password, t1_ms: 50, ..PhoneConfig::new(user, engine) };
    Phone::start(config).await.expect("a phone")
}

async fn desk() -> Desk {
    desk_with(|_| ()).await
}

pub async fn desk_with(change: impl FnOnce(&mut Config)) -> Desk {
    let engine = EngineConfig { priority: false, ..EngineConfig::default() };
    let engine = PhoneEngine::start(engine).expect("the phones' media");
    let rosa = phone(&engine, "+1555", None).await;
    let dir = tempfile::tempdir().expect("a folder");
    let mut config = config(dir.path());
    change(&mut config);
    let store = open_store(&config).await.expect("a store");
    let text = format!(
        "[[person]]\nid = \"ana\"\nname = \"Ana\"\n\
         [[device]]\nid = \"ana-phone\"\nowner = \"ana\"\nextension = \"1001\"\n\
         account = \"ana\"\npassword = \"{PASSWORD}\"\n\
         [[device]]\nid = \"rosa\"\nextension = \"+1555\"\nnet = \"external\"\ncontact = \"{}\"\n",
        rosa.uri()
    );
    let what = undertone::provision::read(&text).expect("people and devices");
    store.provision(what).await.expect("provisioned");
    let server = Server::over(&config, store).await.expect("a server");
    Desk { server, engine, rosa, config, _dir: dir }
}

impl Desk {
    pub fn at(&self, number: &str) -> String {
        format!("sip:{number}@{}", self.server.sip_addr)
    }

    fn target(&self) -> Target {
        Target { addr: self.server.sip_addr, transport: Transport::Udp }
    }

    pub fn bound(&self) -> usize {
        self.server.sip().registrar().expect("a registrar").bindings("ana").len()
    }

    async fn until_bound(&self, count: usize) {
        let wait = async {
            while self.bound() != count {
                // The registrar tells nobody; the bound is the test's.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, wait).await.expect("bound in time");
    }

    async fn registered(&self, phone: &Phone) -> Registered {
        self.registered_with(phone, 1_000).await
    }

    pub async fn registered_with(&self, phone: &Phone, q_thousandths: u16) -> Registered {
        let registered = phone.register_with(self.target(), 60, Some(q_thousandths));
        let registered = registered.expect("an address");
        let mut state = registered.state();
        let is_up = |s: &RegistrationState| matches!(s, RegistrationState::Registered { .. });
        timeout(SOON, state.wait_for(is_up)).await.expect("in time").expect("registered");
        registered
    }

    pub async fn close(self, phones: &[&Phone]) {
        self.server.stop(Duration::ZERO).await;
        for phone in phones {
            phone.shutdown().await;
        }
        self.rosa.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_with_an_account_registers_is_called_and_calls() {
    let desk = desk().await;
    let ana = phone(&desk.engine, "ana", Some(PASSWORD)).await;
    let _registered = desk.registered(&ana).await;
    let call = desk.rosa.call(&desk.at("1001")).expect("a call");
    let answered = rings(&ana).await.answer().expect("answered");
    call.up().await.expect("through");
    answered.hang_up();
    assert_eq!(call.ended().await, CallEnd::FarEnd);
    let call = ana.call(&desk.at("+1555")).expect("a call");
    let ringing = rings(&desk.rosa).await;
    assert_eq!(ringing.from().user, "1001", "shown by its extension");
    ringing.reject(486);
    assert!(matches!(call.ended().await, CallEnd::Failed { code: 486, .. }));
    desk.close(&[&ana]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_and_a_wrong_password_are_let_in_nowhere() {
    let desk = desk().await;
    let eve = phone(&desk.engine, "ana", Some("wrong")).await;
    let stranger = phone(&desk.engine, "1001", None).await;
    for phone in [&eve, &stranger] {
        let ended = phone.call(&desk.at("+1555")).expect("a call").ended().await;
        assert!(matches!(ended, CallEnd::Failed { code: 401, .. }), "{ended:?}");
    }
    let registered = eve.register(desk.target(), 60).expect("an address");
    let mut state = registered.state();
    let refused = |s: &RegistrationState| matches!(s, RegistrationState::Refused { code: 401 });
    timeout(SOON, state.wait_for(refused)).await.expect("in time").expect("refused");
    assert_eq!(desk.bound(), 0);
    drop(registered);
    desk.close(&[&eve, &stranger]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_phones_of_one_account_ring_together_and_the_first_answer_has_the_call() {
    let desk = desk().await;
    let (one, two) = (
        phone(&desk.engine, "ana", Some(PASSWORD)).await,
        phone(&desk.engine, "ana", Some(PASSWORD)).await,
    );
    let _registered = (desk.registered(&one).await, desk.registered(&two).await);
    assert_eq!(desk.bound(), 2);
    let call = desk.rosa.call(&desk.at("1001")).expect("a call");
    let (mut first, second) = (rings(&one).await, rings(&two).await);
    let answered = second.answer().expect("answered");
    call.up().await.expect("through");
    timeout(SOON, first.cancelled()).await.expect("the other stops ringing");
    assert!(answered.status().is_up() || answered.up().await.is_ok());
    answered.hang_up();
    assert_eq!(call.ended().await, CallEnd::FarEnd);
    desk.close(&[&one, &two]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_registered_is_called_after_a_restart_without_registering_again() {
    let mut desk = desk().await;
    let ana = phone(&desk.engine, "ana", Some(PASSWORD)).await;
    let registered = desk.registered(&ana).await;
    let at = desk.server.sip_addr;
    desk.server.stop(Duration::ZERO).await;
    // At its old address, so that the phone's own refresh goes on.
    desk.config.sip = at.into();
    let store = open_store(&desk.config).await.expect("the store");
    desk.server = Server::over(&desk.config, store).await.expect("a server");
    assert_eq!(desk.bound(), 1);
    let call = desk.rosa.call(&desk.at("1001")).expect("a call");
    rings(&ana).await.reject(486);
    assert!(matches!(call.ended().await, CallEnd::Failed { .. }));
    drop(registered);
    desk.until_bound(0).await;
    desk.close(&[&ana]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn baresip_registers_with_its_password_and_is_called() {
    let desk = desk().await;
    let baresip = Baresip::registers("ana", PASSWORD, desk.server.sip_addr, place(), AGENT);
    desk.until_bound(1).await;
    let call = desk.rosa.call(&desk.at("1001")).expect("a call");
    call.up().await.expect("it answers");
    let heard = call.record(8_000).expect("recorded");
    hears(&heard, AGENT).await;
    call.hang_up();
    drop(baresip);
    desk.close(&[]).await;
}
