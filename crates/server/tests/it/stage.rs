//! A call with supervisors on real phones whose every party says a tone of its own, another one
//! in each mode, through a microphone that is late as a browser's is. Proofs play on it.

use crate::microphone::Microphone;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use undertone::clock;
use undertone::config::{Config, RtpRange};
use undertone::serve::{Server, open_store};
use undertone_core::access::Right;
use undertone_core::id::{KeyId, PersonId};
use undertone_core::view::Net;
use undertone_phone::{
    Answering, Codec, EngineConfig, Phone, PhoneCall, PhoneConfig, PhoneEngine, Recording,
};
use undertone_store::Provision;

pub const SOON: Duration = Duration::from_secs(15);
pub const RATE: u32 = 8_000;

/// Chosen by search: no G.711 product of tones that may sound together comes within 5 dB of a hit
/// at a frequency that must not be heard beside them.
pub mod tone {
    pub const AGENT: f64 = 498.0;
    /// What the agent says while nobody is to hear it.
    pub const AGENT_ASIDE: f64 = 3_171.0;
    pub const CUSTOMER: f64 = 2_156.0;
    pub const CUSTOMER_ASIDE: f64 = 3_368.0;
    pub const LISTEN: f64 = 2_763.0;
    pub const WHISPER: f64 = 2_960.0;
    pub const BARGE: f64 = 762.0;
    pub const TAKEOVER: f64 = 1_472.0;
    /// The second supervisor's.
    pub const LISTEN_2: f64 = 2_365.0;
    pub const WHISPER_2: f64 = 2_557.0;
    pub const BARGE_2: f64 = 1_640.0;
    /// Of the agent to whom a call is transferred; no second supervisor barges beside them.
    pub const COLLEAGUE: f64 = BARGE_2;
    pub const ALL: [(&str, f64); 11] = [
        ("agent", AGENT),
        ("agent'", AGENT_ASIDE),
        ("cust", CUSTOMER),
        ("cust'", CUSTOMER_ASIDE),
        ("listen", LISTEN),
        ("whisper", WHISPER),
        ("barge", BARGE),
        ("takeov", TAKEOVER),
        ("listen2", LISTEN_2),
        ("whisp2", WHISPER_2),
        ("barge2", BARGE_2),
    ];
}

/// Proofs measure real time: one after another, so that none disturbs another's clock.
static TURN: Mutex<()> = Mutex::const_new(());

/// For who runs a proof elsewhere than on a stage of this process.
pub async fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

/// A proof's size: the small one is part of every test run.
pub fn size(small: usize, full: usize) -> usize {
    if std::env::var_os("UNDERTONE_PROOF").is_some_and(|v| v == "1") { full } else { small }
}

pub struct Setup {
    pub media_threads: usize,
    pub rtp: RtpRange,
    /// Contacts of foreign phones in place of ours.
    pub customer: Option<SocketAddr>,
    pub agent: Option<SocketAddr>,
    /// The customer is nobody's device: it comes by a trunk, and dials a number of ours.
    pub by_trunk: bool,
    pub mia: Option<SocketAddr>,
    /// A proxy that everybody is behind: all contacts and all calls are at its address.
    pub front: Option<SocketAddr>,
    /// A relay for browsers, and the file with its secret.
    pub turn: Option<(String, std::path::PathBuf)>,
}

impl Default for Setup {
    fn default() -> Self {
        let ip = Ipv4Addr::LOCALHOST.into();
        let rtp = RtpRange { ip, from: 0, to: 0 };
        Self {
            media_threads: 1,
            rtp,
            customer: None,
            agent: None,
            by_trunk: false,
            mia: None,
            front: None,
            turn: None,
        }
    }
}

/// One party: what it says, and all that it hears from its first packet on.
pub struct Party {
    pub call: PhoneCall,
    pub says: Microphone,
    pub heard: Recording,
}

impl Party {
    pub fn on(call: PhoneCall, hz: Option<f64>) -> Party {
        let says = Microphone::new(hz);
        let heard = call.record(RATE).expect("a recording");
        call.play(says.sound(RATE)).expect("a microphone");
        Party { call, says, heard }
    }
}

pub struct Stage {
    pub server: Server,
    pub customer: Phone,
    pub agent: Phone,
    /// Another agent, Bo, at 1002.
    pub colleague: Phone,
    pub mia: Phone,
    pub noor: Phone,
    pub data: TempDir,
    /// Of Mia, Noor, Olaf, who has no phone, and Ana.
    pub keys: Vec<KeyId>,
    tokens: Vec<String>,
    http: reqwest::Client,
    front: Option<SocketAddr>,
    _turn: MutexGuard<'static, ()>,
}

pub struct Talk {
    pub customer: Party,
    pub agent: Party,
    pub id: String,
}

impl Stage {
    pub async fn open(setup: Setup) -> Stage {
        let turn = TURN.lock().await;
        let engine = EngineConfig { priority: false, ..EngineConfig::default() };
        let engine = PhoneEngine::start(engine).expect("the phones' media");
        let phone = async |number, answering| {
            let codecs = vec![Codec::Pcmu];
            let config =
                PhoneConfig { answering, codecs, t1_ms: 50, ..PhoneConfig::new(number, &engine) };
            Phone::start(config).await.expect("a phone")
        };
        let customer = phone("+15550101", Answering::ByHand).await;
        let agent = phone("1001", Answering::ByHand).await;
        let colleague = phone("1002", Answering::ByHand).await;
        let mia = phone("2001", Answering::AtOnce).await;
        let noor = phone("2002", Answering::AtOnce).await;
        let data = tempfile::tempdir().expect("a folder");
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = Config {
            http: any,
            sip: any.into(),
            rtp: setup.rtp,
            data: data.path().into(),
            media_threads: setup.media_threads,
            turn: setup.turn.iter().map(|(url, _)| url.clone()).collect(),
            turn_secret: setup.turn.as_ref().map(|(_, secret)| secret.clone()),
            ..Config::default()
        };
        let store = open_store(&config).await.expect("a store");
        let at = |phone: &Phone, foreign: Option<SocketAddr>| {
            setup.front.or(foreign).unwrap_or(phone.addr())
        };
        let what = people([
            (&customer, None, at(&customer, setup.customer)),
            (&agent, Some("ana"), at(&agent, setup.agent)),
            (&colleague, Some("bo"), at(&colleague, None)),
            (&mia, Some("mia"), at(&mia, setup.mia)),
            (&noor, Some("noor"), at(&noor, None)),
        ]);
        let what = if setup.by_trunk { by_trunk(what, customer.addr()) } else { what };
        store.provision(what).await.expect("provisioned");
        let (mut keys, mut tokens) = (Vec::new(), Vec::new());
        for name in ["mia", "noor", "olaf", "ana"] {
            let person = PersonId::parse(name).expect("an id");
            let rights = Right::ALL.iter().copied().collect();
            let made = store.add_key(&person, rights, clock::now().wall).await.expect("a key");
            keys.push(made.key.id);
            tokens.push(made.token);
        }
        let server = Server::over(&config, store).await.expect("a server");
        // No idle connections: who counts files counts the server's.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("HTTP");
        let front = setup.front;
        Stage {
            server,
            customer,
            agent,
            colleague,
            mia,
            noor,
            data,
            keys,
            tokens,
            http,
            front,
            _turn: turn,
        }
    }

    pub fn at(&self, extension: &str) -> String {
        format!("sip:{extension}@{}", self.front.unwrap_or(self.server.sip_addr))
    }

    /// The customer calls the agent, who answers; both speak.
    pub async fn talk(&self) -> Talk {
        let call = self.customer.call(&self.at("1001")).expect("a call");
        let customer = Party::on(call, Some(tone::CUSTOMER));
        let agent = self.agent_answers().await;
        within(customer.call.up()).await.expect("the customer is through");
        let id = self.talking().await;
        Talk { customer, agent, id }
    }

    pub async fn agent_answers(&self) -> Party {
        let ringing = within(self.agent.incoming()).await.expect("a ring");
        let agent = Party::on(ringing.answer().expect("answered"), Some(tone::AGENT));
        within(agent.call.up()).await.expect("the agent is through");
        agent
    }

    /// The id of the call that talks.
    pub async fn talking(&self) -> String {
        within(async {
            loop {
                let (_, calls) = self.get("/calls").await;
                let items = calls["items"].as_array().cloned().unwrap_or_default();
                if let Some(call) = items.iter().find(|c| c["state"] == "talking") {
                    return call["id"].as_str().expect("an id").to_string();
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// A supervisor joins by their own phone, which answers by itself, and says this tone.
    pub async fn join(&self, who: Who, call: &str, mode: &str, hz: f64) -> (String, Party) {
        let body = serde_json::json!({ "mode": mode, "leg": self.leg(who) });
        let path = format!("/calls/{call}/supervisions");
        let phone = self.phone(who);
        let (joined, party) = tokio::join!(self.send(who, "POST", &path, Some(body)), async {
            Party::on(within(phone.answered()).await.expect("a call"), Some(hz))
        });
        assert_eq!((joined.0, &joined.1["state"]), (201, &"live".into()), "{}", joined.1);
        (joined.1["id"].as_str().expect("an id").to_string(), party)
    }

    pub fn leg(&self, who: Who) -> serde_json::Value {
        let phone = self.phone(who);
        let behind = |front: SocketAddr| format!("sip:{}@{front}", phone.user());
        let uri = self.front.map_or_else(|| phone.uri(), behind);
        serde_json::json!({ "kind": "sip", "uri": uri })
    }

    /// A supervisor joins by a phone that is not ours, at this address, which answers by itself.
    pub async fn join_at(&self, who: Who, call: &str, mode: &str, at: SocketAddr) -> String {
        let uri = format!("sip:{}@{at}", self.phone(who).user());
        let body = serde_json::json!({ "mode": mode, "leg": { "kind": "sip", "uri": uri } });
        let path = format!("/calls/{call}/supervisions");
        let (status, joined) = self.send(who, "POST", &path, Some(body)).await;
        assert_eq!((status, &joined["state"]), (201, &"live".into()), "{joined}");
        joined["id"].as_str().expect("an id").to_string()
    }

    pub fn phone(&self, who: Who) -> &Phone {
        match who {
            Who::Mia => &self.mia,
            Who::Noor => &self.noor,
            Who::Olaf => panic!("Olaf has no phone"),
            Who::Ana => &self.agent,
        }
    }

    pub async fn change(&self, who: Who, supervision: &str, body: serde_json::Value) {
        let path = format!("/supervisions/{supervision}");
        let (status, now) = self.send(who, "PATCH", &path, Some(body)).await;
        assert_eq!(status, 200, "{now}");
    }

    pub async fn mode(&self, who: Who, supervision: &str, mode: &str) {
        self.change(who, supervision, serde_json::json!({ "mode": mode })).await;
    }

    pub async fn agent_action(&self, who: Who, supervision: &str, action: &str) {
        let path = format!("/supervisions/{supervision}/agent");
        let body = serde_json::json!({ "action": action });
        let (status, now) = self.send(who, "POST", &path, Some(body)).await;
        assert_eq!(status, 200, "{now}");
    }

    pub async fn leave(&self, who: Who, supervision: &str) {
        let path = format!("/supervisions/{supervision}");
        let (status, now) = self.send(who, "DELETE", &path, None).await;
        assert_eq!(status, 200, "{now}");
    }

    pub async fn call_control(&self, call: &str, what: &str) {
        let path = format!("/calls/{call}/{what}");
        let (status, now) = self.send(Who::Mia, "POST", &path, None).await;
        assert_eq!(status, 200, "{now}");
    }

    pub async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        self.send(Who::Mia, "GET", path, None).await
    }

    pub fn request(&self, who: Who, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}/api/v1{path}", self.server.http);
        let method = method.parse().expect("a method");
        self.http.request(method, url).bearer_auth(&self.tokens[who as usize])
    }

    pub async fn send(
        &self,
        who: Who,
        method: &str,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> (u16, serde_json::Value) {
        let mut request = self.request(who, method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    /// Stops everything, and sees that nothing is left and that no output was ever silenced.
    pub async fn close(self) {
        let (engine, sip) = (self.server.engine.clone(), self.server.sip().clone());
        let alarms = self.server.media.clone();
        let register = self.server.board.house().register.clone();
        self.server.stop(Duration::ZERO).await;
        assert_eq!(register.live_calls(), 0);
        assert_eq!(sip.gauges().dialogs, 0, "{:?}", sip.gauges());
        assert_eq!(engine.gauges().ports_in_use, 0, "{:?}", engine.gauges());
        let alarms = alarms.privacy_alarms.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(alarms, 0, "privacy alarms");
        for phone in [&self.customer, &self.agent, &self.colleague, &self.mia, &self.noor] {
            phone.shutdown().await;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Mia = 0,
    Noor = 1,
    Olaf = 2,
    /// The agent.
    Ana = 3,
}

/// Waits for what must come, with a bound.
pub async fn within<T>(what: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let come = tokio::time::timeout(SOON, what).await;
    come.unwrap_or_else(|_| panic!("did not come within {:?}", began.elapsed()))
}

/// Takes the customer's device away and puts a trunk in its place.
fn by_trunk(mut what: Provision, customer: SocketAddr) -> Provision {
    let text = format!(
        "[[person]]\nid = \"ana\"\nname = \"ana\"\nextension = \"1001\"\n\
         [[device]]\nid = \"a\"\nowner = \"ana\"\ncontact = \"sip:a@127.0.0.1:9\"\n\
         [[trunk]]\nid = \"carrier\"\naddresses = [\"{customer}\"]\n\
         [[number]]\npattern = \"1001\"\nperson = \"ana\"\n"
    );
    let outside = undertone::provision::read(&text).expect("a trunk");
    what.devices.retain(|device| device.owner.is_some());
    what.trunks = outside.trunks;
    what.numbers = outside.numbers;
    what
}

fn people<const N: usize>(phones: [(&Phone, Option<&str>, SocketAddr); N]) -> Provision {
    use undertone_core::contact::Contact;
    use undertone_core::directory::{Device, Person};
    use undertone_core::id::DeviceId;
    let mut what = Provision::default();
    let rights = Right::ALL.iter().copied().collect();
    let id = PersonId::parse("olaf").expect("an id");
    what.people.push(Person { id, name: "olaf".into(), extension: None, rights });
    for (phone, owner, contact) in phones {
        let number = phone.user().to_string();
        let owner = owner.map(|name| PersonId::parse(name).expect("an id"));
        if let Some(id) = &owner {
            let rights = Right::ALL.iter().copied().collect();
            let extension = Some(number.clone());
            what.people.push(Person { id: id.clone(), name: id.to_string(), extension, rights });
        }
        what.devices.push(Device {
            id: DeviceId::parse(&format!("phone-{number}")).expect("an id"),
            name: number.clone(),
            net: if owner.is_some() { Net::Internal } else { Net::External },
            owner,
            contact: Contact::parse(&format!("sip:{number}@{contact}")).ok(),
            account: None,
            extension: Some(number),
        });
    }
    what
}
