//! The demo contact centre: people, their simulated phones and what they say. Everything here
//! reaches the server as a stranger's phone would, over sockets.

pub mod cast;
mod crowd;
pub mod ear;
mod ears;
mod hand;
mod scene;
pub mod speech;
pub mod stories;

use crate::clock;
use crate::config::Config;
use crate::listening;
use crate::serve::{Server, open_store};
use crate::sign_in::DemoPeople;
use anyhow::Context;
use cast::{Kind, Role};
use crowd::Crowd;
use std::net::SocketAddr;
use std::time::Duration;
use stories::Book;
use undertone_api::DemoSignIn;
use undertone_core::id::PersonId;
use undertone_phone::{
    Answering, Endpoint, EndpointConfig, EngineConfig, LineConfig, PhoneEngine, PhoneLine,
};

pub use ears::Ears;
pub use hand::AFTER as HAND_AFTER;
pub(crate) use speech::RATE;

/// Beyond this a demo is a load test.
pub const MAX_CALLS: usize = 200;

#[derive(Clone, Debug)]
pub struct DemoConfig {
    pub config: Config,
    /// Calls that stand at any time.
    pub calls: usize,
    pub seed: u64,
    /// From a supervisor's first look at the board until Ana raises her hand.
    pub hand_after: Duration,
}

/// A running demo.
pub struct Demo {
    pub server: Server,
    /// The API key of Mia Wong, a supervisor.
    pub key: String,
    /// Who may sign in to the pages, with passwords of this start.
    pub sign_ins: Vec<DemoSignIn>,
    crowd: Crowd,
    endpoints: Vec<Endpoint>,
    data: String,
}

/// A phone of the cast, ready to call and to be called.
pub(crate) struct Phone {
    pub(crate) role: Role,
    pub(crate) line: PhoneLine,
}

/// Starts the phones, then the server that knows them, then the talk.
pub async fn start(demo: DemoConfig) -> anyhow::Result<Demo> {
    let DemoConfig { config, calls, seed, hand_after } = demo;
    let book = Book::open()?;
    let engine = PhoneEngine::start(EngineConfig {
        rtp_ip: config.rtp.ip,
        priority: false,
        ..EngineConfig::default()
    })
    .context("cannot start the media of the simulated phones")?;
    let mut roles = cast::named();
    for n in 1..=calls.saturating_sub(book.stories.len()) {
        let (agent, customer) = cast::extra(n);
        roles.extend([agent, customer]);
    }
    let mut endpoints = Vec::new();
    let mut phones = Vec::new();
    for kind in [Kind::Agent, Kind::Customer, Kind::Supervisor] {
        let bind = SocketAddr::new(config.sip.first_ip(), 0);
        let endpoint =
            Endpoint::bind(EndpointConfig { bind, ..EndpointConfig::default() }, &engine)
                .await
                .context("cannot start the simulated phones")?;
        for role in roles.iter().filter(|role| role.kind == kind) {
            phones.push(phone(&endpoint, role));
        }
        endpoints.push(endpoint);
    }
    let store = open_store(&config).await?;
    let contacts: Vec<_> = phones.iter().map(|p| (p.role.clone(), p.line.uri())).collect();
    store.provision(cast::provision(&contacts)?).await?;
    let now = clock::now().wall;
    let mia = PersonId::parse("mia")?;
    let key = store.add_key(&mia, cast::supervisor_rights(), now).await?.token;
    let people = DemoPeople::prepare(&store).await?;
    let sign_ins = people.sign_ins();
    let server = Server::with_people(&config, store, Some(people)).await?;
    let mut crowd = Crowd::gather(&server, book, phones, calls, seed)?;
    crowd.join(hand::raise_when_watched(server.desk.clone(), hand::ana()?, hand_after));
    let data = config.data.display().to_string();
    Ok(Demo { server, key, sign_ins, crowd, endpoints, data })
}

fn phone(endpoint: &Endpoint, role: &Role) -> Phone {
    let answering = match role.kind {
        Kind::Supervisor => Answering::AtOnce,
        Kind::Agent | Kind::Customer => Answering::ByHand,
    };
    let line = LineConfig { name: role.name.clone(), answering, ..LineConfig::new(&role.number) };
    Phone { role: role.clone(), line: endpoint.line(line) }
}

impl Demo {
    /// What the demo prints: one thing a line, the line to paste last.
    pub fn welcome(&self) -> Vec<String> {
        let (at, key) = (self.server.origin(), &self.key);
        // Of a certificate of our own nobody has told curl.
        let unknown = if self.server.https.is_some() { "k" } else { "" };
        let listen = format!(
            "curl -sN{unknown} -X POST {at}/api/v1/agents/1001/supervisions \
             -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \
             -H 'Accept: audio/wav' -d '{{\"mode\":\"listen\",\"leg\":{{\"kind\":\"stream\"}}}}' \
             | aplay -q"
        );
        vec![
            format!("web address  {at}/ (the API: {at}/api/docs)"),
            format!("SIP address  {}", listening::uris(self.server.sip().listening()).join(" ")),
            format!("sign-ins     {}", self.people()),
            format!("API key      {key} (supervisor Mia Wong, desk phone {})", self.mia()),
            format!("data         {}", self.data),
            "Paste this line to hear Ana Ruiz's call:".into(),
            listen,
        ]
    }

    fn people(&self) -> String {
        let one = |p: &DemoSignIn| format!("{} / {} ({})", p.login, p.password, p.role);
        self.sign_ins.iter().map(one).collect::<Vec<_>>().join("   ")
    }

    /// Mia's desk phone answers by itself, so that `leg: sip` can be tried without a phone.
    fn mia(&self) -> String {
        format!("sip:2001@{}", self.server.sip_addr)
    }

    /// Everybody hangs up; the server is left to be stopped.
    pub async fn stop(self) -> Server {
        self.crowd.leave().await;
        for endpoint in &self.endpoints {
            endpoint.shutdown().await;
        }
        self.server
    }
}
