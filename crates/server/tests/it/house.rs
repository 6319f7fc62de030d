//! A server on ports of the kernel's choice with four phones around it, and what tests ask of
//! them. Nobody sleeps: whoever waits, waits for the thing itself, with a bound.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use undertone::clock;
use undertone::codes::CodesConfig;
use undertone::config::{Config, RtpRange};
use undertone::serve::{Server, open_store};
use undertone_core::access::Right;
use undertone_core::directory::Device;
use undertone_core::id::{KeyId, PersonId};
use undertone_phone::{
    Answering, CallEnd, Codec, EngineConfig, Phone, PhoneCall, PhoneConfig, PhoneEngine, Recording,
    Ringing, Transport,
};
use undertone_testkit::spectrum::goertzel_hann;

pub const SOON: Duration = Duration::from_secs(10);
pub const RATE: u32 = 8_000;

/// Each party's own pitch.
pub const CUSTOMER: f64 = 400.0;
pub const AGENT: f64 = 700.0;
pub const SUPERVISOR: f64 = 1_300.0;

pub struct House {
    pub server: Server,
    pub phones: BTreeMap<&'static str, Phone>,
    /// Of Mia, a supervisor with every right.
    pub token: String,
    pub key: KeyId,
    /// Of Mia, for tapping codes.
    pin: Option<&'static str>,
    http: reqwest::Client,
    _dir: TempDir,
}

pub struct Options {
    pub media_threads: usize,
    pub codecs: Vec<Codec>,
    /// Extensions are people's and not their telephones', so that they ring in their pages too.
    pub in_pages: bool,
    /// Rosa's, if she has others.
    pub customer_codecs: Option<Vec<Codec>>,
    /// Of the key; the person has all.
    pub rights: Vec<Right>,
    pub codes: CodesConfig,
    /// Mia's.
    pub pin: Option<&'static str>,
    /// What all phones call and are called by.
    pub transport: Transport,
    /// None: the kernel's choice.
    pub rtp: Option<RtpRange>,
    /// The server's; the system's if there are none.
    pub name_servers: Vec<SocketAddr>,
    /// Phones of IPv6; their sockets, for media too, know no other family. With any, the server
    /// listens on both.
    pub v6: &'static [&'static str],
}

impl Default for Options {
    fn default() -> Self {
        Self {
            media_threads: 2,
            codecs: vec![Codec::Pcmu],
            in_pages: false,
            customer_codecs: None,
            rights: Right::ALL.to_vec(),
            codes: CodesConfig::default(),
            pin: None,
            transport: Transport::Udp,
            rtp: None,
            name_servers: Vec::new(),
            v6: &[],
        }
    }
}

/// A call that talks: the customer's phone, the agent's, its id.
pub struct Talk {
    pub customer: PhoneCall,
    pub agent: PhoneCall,
    pub id: String,
}

impl House {
    pub async fn open() -> House {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> House {
        let phones = phones(&options).await;
        let name_servers = options.name_servers.clone();
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            media_threads: options.media_threads,
            name_servers,
            tapping_codes: options.codes,
            ..config(dir.path())
        };
        config.rtp = options.rtp.unwrap_or(config.rtp);
        if !options.v6.is_empty() {
            config.sip = "127.0.0.1:0,[::1]:0".parse().expect("addresses");
            config.rtp_v6 = Some(RtpRange { ip: Ipv6Addr::LOCALHOST.into(), from: 0, to: 0 });
        }
        let store = open_store(&config).await.expect("a store");
        let what = undertone::provision::read(&file(&phones, options.pin));
        let mut what = what.expect("people and devices");
        if options.in_pages {
            for person in &mut what.people {
                let own = |device: &&mut Device| device.owner.as_ref() == Some(&person.id);
                let device = what.devices.iter_mut().find(own);
                person.extension = device.and_then(|device| device.extension.take());
            }
        }
        store.provision(what).await.expect("provisioned");
        let mia = PersonId::parse("mia").expect("an id");
        let rights = options.rights.into_iter().collect();
        let made = store.add_key(&mia, rights, clock::now().wall).await.expect("a key");
        let server = Server::over(&config, store).await.expect("a server");
        let http = reqwest::Client::new();
        let (token, key, pin) = (made.token, made.key.id, options.pin);
        House { server, phones, token, key, pin, http, _dir: dir }
    }

    /// The people and phones here, as a provisioning file.
    pub fn file(&self) -> String {
        file(&self.phones, self.pin)
    }

    /// The SIP address of an extension at the server.
    pub fn at(&self, extension: &str) -> String {
        format!("sip:{extension}@{}", self.server.sip_addr)
    }

    /// The same at the server's address of that phone's family.
    pub fn for_phone(&self, phone: &str, extension: &str) -> String {
        let v6 = self.phones[phone].addr().is_ipv6();
        let listening = self.server.sip().listening();
        let addr = listening.iter().map(|l| l.addr).find(|addr| addr.is_ipv6() == v6);
        format!("sip:{extension}@{}", addr.expect("an address of its family"))
    }

    /// Rosa, a customer, calls Ana, an agent; each says its own tone.
    pub async fn talk(&self) -> Talk {
        let customer = self.phones["rosa"].call(&self.for_phone("rosa", "1001")).expect("a call");
        let ringing = rings(&self.phones["ana"]).await;
        assert_eq!(ringing.from().user, "+1555", "the caller's number is passed on");
        let agent = ringing.answer().expect("answered");
        customer.up().await.expect("the customer is through");
        agent.up().await.expect("the agent is through");
        customer.tone(Some(CUSTOMER));
        agent.tone(Some(AGENT));
        let (_, calls) = self.get("/calls").await;
        let items = calls["items"].as_array().expect("calls").clone();
        let talking = items.iter().find(|c| c["state"] == "talking").expect("a talking call");
        let id = talking["id"].as_str().expect("an id").to_string();
        Talk { customer, agent, id }
    }

    /// Mia joins by her own phone, which answers by itself.
    pub async fn join(&self, call: &str, mode: &str) -> (String, PhoneCall) {
        let uri = self.phones["mia"].uri();
        let body = serde_json::json!({ "mode": mode, "leg": { "kind": "sip", "uri": uri } });
        let path = format!("/calls/{call}/supervisions");
        let (status, joined) = self.post(&path, body).await;
        assert_eq!((status, &joined["state"]), (201, &"live".into()), "{joined}");
        let answered = self.phones["mia"].answered();
        let phone = tokio::time::timeout(SOON, answered).await.expect("in time").expect("a call");
        phone.tone(Some(SUPERVISOR));
        (joined["id"].as_str().expect("an id").to_string(), phone)
    }

    pub async fn mode(&self, supervision: &str, mode: &str) -> serde_json::Value {
        self.change(supervision, serde_json::json!({ "mode": mode })).await
    }

    pub async fn change(&self, supervision: &str, body: serde_json::Value) -> serde_json::Value {
        let path = format!("/supervisions/{supervision}");
        let (status, now) = self.send(reqwest::Method::PATCH, &path, Some(body)).await;
        assert_eq!(status, 200, "{now}");
        now
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.server.http)
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path)).bearer_auth(&self.token)
    }

    pub async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> (u16, serde_json::Value) {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    pub async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        self.send(reqwest::Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: serde_json::Value) -> (u16, serde_json::Value) {
        self.send(reqwest::Method::POST, path, Some(body)).await
    }

    /// Asks again until the answer is so. The API tells nobody by itself, so it is asked; what the
    /// test waits for is the answer, and the pause only spares the server.
    pub async fn until(
        &self,
        path: &str,
        is_so: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let asked = async {
            loop {
                let (_, answer) = self.get(path).await;
                if is_so(&answer) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let come = tokio::time::timeout(SOON, asked).await;
        come.unwrap_or_else(|_| panic!("{path} did not become what was waited for"))
    }

    /// Waits until the server knows that this person has left: their phone has ended the call, and
    /// its BYE may still be on its way.
    pub async fn off_the_call(&self, who: &str) {
        let off = |agents: &serde_json::Value| {
            let items = agents["items"].as_array().expect("agents");
            let agent = items.iter().find(|agent| agent["name"] == who).expect("the agent");
            agent["state"] != "on_call"
        };
        self.until("/agents", off).await;
    }

    /// Every row of the audit, the newest first, once they hold one that is so.
    pub async fn audited(
        &self,
        is_so: impl Fn(&serde_json::Value) -> bool,
    ) -> Vec<serde_json::Value> {
        let has =
            |audit: &serde_json::Value| audit["items"].as_array().expect("rows").iter().any(&is_so);
        self.until("/audit", has).await["items"].as_array().expect("rows").clone()
    }

    /// Stops everything, and sees that nothing is left.
    pub async fn close(self) {
        let (engine, sip) = (self.server.engine.clone(), self.server.sip().clone());
        let register = self.server.board.house().register.clone();
        self.server.stop(Duration::ZERO).await;
        assert_eq!(register.live_calls(), 0);
        assert_eq!(sip.gauges().dialogs, 0, "{:?}", sip.gauges());
        assert_eq!(engine.gauges().ports_in_use, 0, "{:?}", engine.gauges());
        for phone in self.phones.values() {
            phone.shutdown().await;
        }
    }
}

/// A customer's phone, two agents' and a supervisor's, which answers by itself.
pub async fn phones(options: &Options) -> BTreeMap<&'static str, Phone> {
    let engine = another_engine();
    let engine_v6 = EngineConfig {
        priority: false,
        rtp_ip: Ipv6Addr::LOCALHOST.into(),
        ..EngineConfig::default()
    };
    let engine_v6 = PhoneEngine::start(engine_v6).expect("the phones' media");
    let mut phones = BTreeMap::new();
    for (id, number) in [("ana", "1001"), ("bo", "1002"), ("mia", "2001"), ("rosa", "+1555")] {
        let answering = if id == "mia" { Answering::AtOnce } else { Answering::ByHand };
        let own = options.customer_codecs.as_ref().filter(|_| id == "rosa");
        let codecs = own.unwrap_or(&options.codecs).clone();
        let v6 = options.v6.contains(&id);
        let ip: IpAddr = if v6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        let engine = if v6 { &engine_v6 } else { &engine };
        let config = PhoneConfig {
            bind: SocketAddr::new(ip, 0),
            name: id.into(),
            answering,
            codecs,
            transport: options.transport,
            t1_ms: 50,
            ..PhoneConfig::new(number, engine)
        };
        phones.insert(id, Phone::start(config).await.expect("a phone"));
    }
    phones
}

/// `pin` is Mia's.
pub fn file(phones: &BTreeMap<&'static str, Phone>, pin: Option<&str>) -> String {
    let rights: Vec<_> = Right::ALL.iter().map(|r| format!("\"{}\"", r.code())).collect();
    let mut text = String::new();
    for (id, phone) in phones {
        let (number, contact) = (phone.user(), phone.uri());
        let owner = if *id == "rosa" {
            "net = \"external\"".into()
        } else {
            let rights = if *id == "mia" { rights.join(", ") } else { String::new() };
            let pin = pin.filter(|_| *id == "mia").map(|pin| format!("pin = \"{pin}\"\n"));
            let pin = pin.unwrap_or_default();
            text +=
                &format!("[[person]]\nid = \"{id}\"\nname = \"{id}\"\nrights = [{rights}]\n{pin}");
            format!("owner = \"{id}\"")
        };
        text += &format!(
            "[[device]]\nid = \"{id}-phone\"\nname = \"{id}\"\nextension = \"{number}\"\n\
             contact = \"{contact}\"\n{owner}\n"
        );
    }
    text
}

/// Waits until the newest 100 ms hold the tone.
pub async fn hears(heard: &Recording, hz: f64) {
    let window = RATE as usize / 10;
    let found = heard.until(window, SOON, |pcm| goertzel_hann(pcm, RATE, hz) > -30.0).await;
    assert!(found.is_some(), "{hz} Hz is not heard");
}

/// Waits until the newest 100 ms do not hold the tone.
pub async fn no_longer_hears(heard: &Recording, hz: f64) {
    let window = RATE as usize / 10;
    let found = heard.until(window, SOON, |pcm| goertzel_hann(pcm, RATE, hz) < -50.0).await;
    assert!(found.is_some(), "{hz} Hz is still heard");
}

/// Listens for so long and finds no window of 40 ms that holds the tone, but one that is there.
pub async fn never_hears(heard: &Recording, hz: f64, but: f64, ms: usize) {
    let from = heard.position();
    assert!(heard.more(RATE as usize * ms / 1_000, SOON).await, "nothing comes");
    let pcm = heard.between(from, heard.position());
    for window in pcm.windows(320).step_by(80) {
        let level = goertzel_hann(window, RATE, hz);
        assert!(level < -45.0, "{hz} Hz at {level:.1} dBFS");
    }
    let control = goertzel_hann(&pcm, RATE, but);
    assert!(control > -30.0, "the control of {but} Hz is at {control:.1} dBFS");
}

/// The next call that rings there.
pub async fn rings(phone: &Phone) -> Ringing {
    let ringing = tokio::time::timeout(SOON, phone.incoming()).await;
    ringing.expect("it rings in time").expect("a ring")
}

pub async fn ended(call: &PhoneCall) -> CallEnd {
    tokio::time::timeout(SOON, call.ended()).await.expect("it ends in time")
}

/// On loopback ports of the kernel's choice, with its data there.
pub fn config(data: &Path) -> Config {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Config {
        http: any,
        sip: any.into(),
        rtp: RtpRange { ip: any.ip(), from: 0, to: 0 },
        data: data.into(),
        media_threads: 1,
        ..Config::default()
    }
}

/// Media for a phone that is nobody's.
pub fn another_engine() -> PhoneEngine {
    let engine = EngineConfig { priority: false, ..EngineConfig::default() };
    PhoneEngine::start(engine).expect("media")
}
