//! One SIP address and the lines on it: calls that come in go to the line whose user they name.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, mpsc};
use undertone_sdp::Codec;
use undertone_sip::{
    Address, Credentials, Incoming, Registered, Registration, Replaces, Sip, SipConfig, Target,
    Transport,
};

use crate::call::PhoneCall;
use crate::dialog;
use crate::error::PhoneError;
use crate::studio::PhoneEngine;

/// Calls that wait on one line to be taken; one more gets 486.
const WAITING_MAX: usize = 64;

#[derive(Clone, Copy, Debug)]
pub struct EndpointConfig {
    /// Of either family, for UDP and TCP. Port 0 is the kernel's choice.
    pub bind: SocketAddr,
    /// What calls are placed by, and what the lines' addresses ask for.
    pub transport: Transport,
    pub t1_ms: u64,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { bind, transport: Transport::Udp, t1_ms: 500 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answering {
    /// Calls ring and wait in `incoming`.
    ByHand,
    /// Calls are answered as they come and wait in `answered`.
    AtOnce,
}

#[derive(Clone)]
pub struct LineConfig {
    pub user: String,
    pub name: String,
    /// What it answers challenges with; None answers none.
    pub password: Option<String>,
    pub codecs: Vec<Codec>,
    pub answering: Answering,
}

impl LineConfig {
    pub fn new(user: &str) -> Self {
        Self {
            user: user.into(),
            name: String::new(),
            password: None,
            codecs: Codec::ALL.to_vec(),
            answering: Answering::ByHand,
        }
    }

    /// For the realm of whoever it calls or registers with, and for nobody else.
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        self.password.as_ref().map(|password| Credentials::new(&self.user, password))
    }
}

/// A socket that any number of lines share. Cheap to clone.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    sip: Sip,
    transport: Transport,
    engine: PhoneEngine,
    lines: Lines,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<LineTable>>);

#[derive(Default)]
struct LineTable {
    by_user: HashMap<String, Door>,
    /// Takes every call that no other line takes.
    any: Option<Door>,
}

/// Where a line's calls go.
#[derive(Clone)]
struct Door {
    config: Arc<LineConfig>,
    ringing: mpsc::Sender<Ringing>,
    answered: mpsc::Sender<PhoneCall>,
}

impl Lines {
    fn table(&self) -> MutexGuard<'_, LineTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, user: &str) -> Option<Door> {
        let table = self.table();
        table.by_user.get(user).or(table.any.as_ref()).cloned()
    }
}

impl Endpoint {
    pub async fn bind(config: EndpointConfig, engine: &PhoneEngine) -> Result<Self, PhoneError> {
        let mut sip_config = SipConfig::new(config.bind);
        sip_config.t1_ms = config.t1_ms;
        sip_config.user_agent = format!("Undertone-phone/{}", env!("CARGO_PKG_VERSION"));
        sip_config.contact_user = "phone".into();
        let (sip, incoming) = Sip::bind(sip_config).await?;
        let lines = Lines::default();
        tokio::spawn(take_calls(incoming, lines.clone(), engine.clone()));
        let transport = config.transport;
        Ok(Self(Arc::new(Inner { sip, transport, engine: engine.clone(), lines })))
    }

    pub fn addr(&self) -> SocketAddr {
        self.0.sip.local_addr()
    }

    pub fn sip(&self) -> &Sip {
        &self.0.sip
    }

    /// A line of its own on this socket. One with the same user before it takes no more calls.
    pub fn line(&self, config: LineConfig) -> PhoneLine {
        self.add(config, false)
    }

    /// A line that takes whatever comes to this socket and names no other line.
    pub fn only_line(&self, config: LineConfig) -> PhoneLine {
        self.add(config, true)
    }

    fn add(&self, config: LineConfig, any: bool) -> PhoneLine {
        let (ringing, rings) = mpsc::channel(WAITING_MAX);
        let (answered, answers) = mpsc::channel(WAITING_MAX);
        let config = Arc::new(config);
        let door = Door { config: config.clone(), ringing, answered };
        let mut table = self.0.lines.table();
        if any {
            table.any = Some(door.clone());
        }
        table.by_user.insert(config.user.clone(), door);
        drop(table);
        PhoneLine {
            endpoint: self.clone(),
            config,
            rings: AsyncMutex::new(rings),
            answers: AsyncMutex::new(answers),
        }
    }

    pub async fn shutdown(&self) {
        self.0.sip.shutdown().await;
    }
}

async fn take_calls(mut incoming: mpsc::Receiver<Incoming>, lines: Lines, engine: PhoneEngine) {
    while let Some(call) = incoming.recv().await {
        let Some(door) = lines.find(&call.request_user) else {
            call.dialog.reject(404, None);
            continue;
        };
        call.dialog.ring();
        let ringing = Ringing { call, config: door.config.clone(), engine: engine.clone() };
        match door.config.answering {
            Answering::ByHand => {
                if let Err(refused) = door.ringing.try_send(ringing) {
                    refused.into_inner().reject(486);
                }
            }
            Answering::AtOnce => match door.answered.try_reserve() {
                Ok(place) => match ringing.answer() {
                    Ok(call) => place.send(call),
                    Err(error) => tracing::warn!(%error, "a phone could not answer"),
                },
                Err(_) => ringing.reject(486),
            },
        }
    }
}

/// One user on an endpoint.
pub struct PhoneLine {
    endpoint: Endpoint,
    config: Arc<LineConfig>,
    rings: AsyncMutex<mpsc::Receiver<Ringing>>,
    answers: AsyncMutex<mpsc::Receiver<PhoneCall>>,
}

impl PhoneLine {
    pub fn addr(&self) -> SocketAddr {
        self.endpoint.addr()
    }

    pub fn user(&self) -> &str {
        &self.config.user
    }

    /// Where this line is called, without a registrar.
    pub fn uri(&self) -> String {
        let asks = match self.endpoint.0.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
        };
        format!("sip:{}@{}{asks}", self.config.user, self.addr())
    }

    /// Registers with a server, and keeps that up as long as what this gives lives.
    pub fn register(&self, server: Target, expires_s: u32) -> Result<Registered, PhoneError> {
        self.register_with(server, expires_s, None)
    }

    /// The same, preferred so much, of 1,000.
    pub fn register_with(
        &self,
        server: Target,
        expires_s: u32,
        q_thousandths: Option<u16>,
    ) -> Result<Registered, PhoneError> {
        let Target { addr, transport } = server;
        let by = if transport == Transport::Tcp { ";transport=tcp" } else { "" };
        let registered = self.endpoint.0.sip.register(Registration {
            registrar_uri: format!("sip:{addr}{by}"),
            targets: vec![server],
            aor_uri: format!("sip:{}@{addr}", self.config.user),
            contact_user: self.config.user.clone(),
            credentials: self.config.credentials(),
            expires_s,
            q_thousandths,
        });
        Ok(registered?)
    }

    /// Starts a call; what becomes of it is in the call's status. `to` is `sip:user@host:port`.
    pub fn call(&self, to: &str) -> Result<PhoneCall, PhoneError> {
        self.place(to, None)
    }

    /// Starts a call that is to take the place of a dialog at the far end (RFC 3891).
    pub fn call_replacing(&self, to: &str, replaces: Replaces) -> Result<PhoneCall, PhoneError> {
        self.place(to, Some(replaces))
    }

    fn place(&self, to: &str, replaces: Option<Replaces>) -> Result<PhoneCall, PhoneError> {
        let Inner { sip, transport, engine, .. } = &*self.endpoint.0;
        // Over UDP the address called may ask for another.
        let transport = Some(*transport).filter(|t| *t != Transport::Udp);
        dialog::place(sip, engine, &self.config, to, transport, replaces)
    }

    /// The next call that rings here. None when the endpoint has gone.
    pub async fn incoming(&self) -> Option<Ringing> {
        self.rings.lock().await.recv().await
    }

    /// The next call that was answered here by itself (`Answering::AtOnce`).
    pub async fn answered(&self) -> Option<PhoneCall> {
        self.answers.lock().await.recv().await
    }
}

impl Drop for PhoneLine {
    fn drop(&mut self) {
        let mut table = self.endpoint.0.lines.table();
        let ours = |door: &Door| Arc::ptr_eq(&door.config, &self.config);
        if table.by_user.get(&self.config.user).is_some_and(ours) {
            table.by_user.remove(&self.config.user);
        }
        if table.any.as_ref().is_some_and(ours) {
            table.any = None;
        }
    }
}

/// A call that rings. Dropped unanswered, it is refused.
pub struct Ringing {
    call: Incoming,
    config: Arc<LineConfig>,
    engine: PhoneEngine,
}

impl Ringing {
    pub fn from(&self) -> &Address {
        &self.call.from
    }

    pub fn to_user(&self) -> &str {
        &self.call.request_user
    }

    pub fn call_id(&self) -> &str {
        &self.call.call_id
    }

    /// The answer is on its way; the call is up when its ACK has come.
    pub fn answer(self) -> Result<PhoneCall, PhoneError> {
        dialog::answer(self.call, &self.engine, &self.config)
    }

    /// Is heard before it is answered (183): `PhoneCall::answer` or `reject` is to follow.
    pub fn announce(self) -> Result<PhoneCall, PhoneError> {
        dialog::announce(self.call, &self.engine, &self.config)
    }

    pub fn reject(self, code: u16) {
        self.call.dialog.reject(code, None);
    }

    /// Waits until the caller gives up.
    pub async fn cancelled(&mut self) {
        use undertone_sip::DialogEvent::{Ended, Failed};
        while let Some(event) = self.call.events.recv().await {
            if matches!(event, Ended { .. } | Failed { .. }) {
                break;
            }
        }
    }
}
