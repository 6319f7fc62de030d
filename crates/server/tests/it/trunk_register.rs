//! Trunks that we register with: another Undertone, which calls us over our registration and
//! challenges what we call; and a registrar that is restarted and forgets us.

use crate::house::{AGENT, House, RATE, SOON, hears, rings};
use crate::trunks::{failed, figure, provision};
use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tempfile::NamedTempFile;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use undertone_sip::{
    Access, Account, Algorithm, Asked, Binding, DialogEvent, DoorConfig, Gate, Incoming,
    KeepNothing, Outgoing, RegistrarConfig, Sip, SipConfig, ha1,
};

const USER: &str = "4570001000";
const PASSWORD: &str = "canary-of-trunks-that-register";
const REGISTERED: &str = "undertone_trunk_registered{trunk=\"there\"}";
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                   m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n";

/// A trunk `there` at this address, our number on it leading to Ana, and the way out by a 9.
fn trunk(at: impl Display, password: &NamedTempFile) -> String {
    format!(
        "[[trunk]]\nid = \"there\"\naddresses = [\"{at}\"]\nuser = \"{USER}\"\n\
         password_file = \"{}\"\nregister = true\ncaller_number = \"{USER}\"\n\
         [[number]]\npattern = \"{USER}\"\nperson = \"ana\"\n\
         [[route]]\npattern = \"9.\"\nstrip = 1\ntrunks = [\"there\"]\n\
         [[outbound]]\npeople = [\"ana\"]\nto = [\"1XXX\"]\n",
        password.path().display()
    )
}

fn password(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{text}\n")).expect("written");
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn another_undertone_that_we_register_with_calls_us_and_takes_our_calls() {
    let (house, there) = (House::open().await, House::open().await);
    let account = format!(
        "[[device]]\nid = \"us\"\nextension = \"7000\"\naccount = \"{USER}\"\n\
         password = \"{PASSWORD}\"\nnet = \"external\"\n"
    );
    provision(&there, "", &account).await;
    let secret = password(PASSWORD);
    provision(&house, "", &trunk(there.server.sip_addr, &secret)).await;
    figure(&house, &format!("{REGISTERED} 1")).await;
    let call = there.phones["bo"].call(&there.at("7000")).unwrap();
    let ana = rings(&house.phones["ana"]).await.answer().unwrap();
    call.up().await.unwrap();
    ana.tone(Some(AGENT));
    hears(&call.record(RATE).unwrap(), AGENT).await;
    call.hang_up();
    ana.ended().await;
    // Out: known there by its account alone, so it is challenged.
    let before = there.server.sip().gauges().door.challenged;
    let call = house.phones["ana"].call(&house.at("91002")).unwrap();
    let ringing = rings(&there.phones["bo"]).await;
    assert!(there.server.sip().gauges().door.challenged > before, "it was challenged");
    let bo = ringing.answer().unwrap();
    call.up().await.unwrap();
    bo.tone(Some(AGENT));
    hears(&call.record(RATE).unwrap(), AGENT).await;
    call.hang_up();
    bo.ended().await;
    house.close().await;
    there.close().await;
}

/// Knows our account and nobody else.
struct OneAccount;

impl Gate for OneAccount {
    fn judge(&self, _asked: &Asked) -> Access {
        Access::Challenge
    }

    fn account(&self, user: &str) -> Option<Arc<Account>> {
        let hash = ha1(Algorithm::Md5, USER, "carrier", PASSWORD);
        let ours = Account { user: USER.into(), ha1_md5: Some(hash), ..Account::default() };
        (user == USER).then(|| Arc::new(ours))
    }
}

/// A carrier that keeps nothing over a restart, and grants registrations for two seconds.
struct Carrier {
    sip: Sip,
    incoming: Receiver<Incoming>,
}

impl Carrier {
    async fn open(at: SocketAddr) -> Self {
        let mut door = DoorConfig::new(Arc::new(OneAccount), "carrier");
        let keep = RegistrarConfig::new(Arc::new(KeepNothing), Vec::new());
        let short = RegistrarConfig { expires_min_s: 1, expires_max_s: 2, ..keep };
        door.registrar = Some(short);
        let config = SipConfig { door: Some(door), t1_ms: 50, ..SipConfig::new(at) };
        let bind = async {
            // The carrier of before may not have let go of its port yet.
            loop {
                match Sip::bind(config.clone()).await {
                    Ok(bound) => return bound,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        let (sip, incoming) = timeout(SOON, bind).await.expect("the port is free");
        Self { sip, incoming }
    }

    async fn close(self) -> SocketAddr {
        self.sip.shutdown().await;
        self.sip.local_addr()
    }

    /// Where we are registered, once we are.
    async fn binding(&self) -> Binding {
        let registrar = self.sip.registrar().expect("a registrar");
        let bound = async {
            loop {
                if let Some(binding) = registrar.bindings(USER).pop() {
                    return binding;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, bound).await.expect("registered")
    }

    /// Calls us where we are registered, and hangs up when Ana has answered.
    async fn calls(&self, house: &House) {
        let binding = self.binding().await;
        let (call, mut events) = self.sip.call(Outgoing {
            to_uri: binding.contact,
            to_addr: Some(binding.target),
            from_user: "+4512345678".into(),
            offer: SDP.into(),
            ..Outgoing::default()
        });
        let ana = rings(&house.phones["ana"]).await;
        assert_eq!(ana.from().user, "+4512345678");
        let ana = ana.answer().expect("answered");
        let answered = async {
            while let Some(event) = events.recv().await {
                if matches!(event, DialogEvent::Answered { .. }) {
                    return;
                }
            }
            panic!("not answered");
        };
        timeout(SOON, answered).await.expect("answered in time");
        call.bye();
        ana.ended().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registrar_that_is_restarted_has_us_again_and_one_that_is_gone_is_reported() {
    let carrier = Carrier::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
    let house = House::open().await;
    let secret = password(PASSWORD);
    let at = carrier.sip.local_addr();
    provision(&house, "", &trunk(at, &secret)).await;
    figure(&house, &format!("{REGISTERED} 1")).await;
    carrier.calls(&house).await;
    // Forgotten there: the next refresh is challenged with a nonce of the new one's.
    let mut carrier = Carrier::open(carrier.close().await).await;
    carrier.calls(&house).await;
    let call = house.phones["ana"].call(&house.at("91002")).unwrap();
    let came = timeout(SOON, carrier.incoming.recv()).await.expect("in time").expect("a call");
    assert_eq!((came.account.as_deref(), came.request_user.as_str()), (Some(USER), "1002"));
    came.dialog.reject(486, None);
    assert_eq!(failed(&call).await, 486);
    carrier.close().await;
    figure(&house, &format!("{REGISTERED} 0")).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_wrong_password_we_are_not_registered_and_nobody_calls_us_by_it() {
    let carrier = Carrier::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
    let house = House::open().await;
    let secret = password("wrong");
    provision(&house, "", &trunk(carrier.sip.local_addr(), &secret)).await;
    let refused = async {
        while carrier.sip.gauges().door.wrong == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, refused).await.expect("a wrong answer");
    figure(&house, &format!("{REGISTERED} 0")).await;
    assert_eq!(carrier.sip.registrar().expect("a registrar").bindings(USER).len(), 0);
    house.close().await;
    carrier.close().await;
}
