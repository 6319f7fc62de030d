//! A SIP phone as a library: register, call, answer, hold, digits, play and record PCM.
//!
//! A phone's call is a bridge with one leg: what the phone says are sounds of that bridge, what
//! it hears are its taps. It knows none of the server's rules.

mod call;
mod dialog;
mod endpoint;
mod error;
mod recording;
mod studio;
mod tone;

pub use call::{CallEnd, CallState, PhoneCall, Status};
pub use endpoint::{Answering, Endpoint, EndpointConfig, LineConfig, PhoneLine, Ringing};
pub use error::{CallError, PhoneError};
pub use recording::Recording;
pub use studio::PhoneEngine;
pub use tone::Tone;
pub use undertone_engine::EngineConfig;
pub use undertone_media::bridge::Sound;
pub use undertone_sdp::Codec;
pub use undertone_sip::{Registered, RegistrationState, Replaces, Target, Transport};

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;

/// One phone with an endpoint of its own.
#[derive(Clone)]
pub struct PhoneConfig {
    pub user: String,
    pub name: String,
    pub password: Option<String>,
    /// Of either family; the engine's `rtp_ip` must be of the same.
    pub bind: SocketAddr,
    /// What calls are placed by and come by; it listens on both.
    pub transport: Transport,
    pub codecs: Vec<Codec>,
    pub engine: PhoneEngine,
    pub answering: Answering,
    /// RFC 3261's T1: 500 in life, 50 in tests.
    pub t1_ms: u64,
}

impl PhoneConfig {
    /// On a loopback port of the kernel's choice, with every codec, answered by hand.
    pub fn new(user: &str, engine: &PhoneEngine) -> Self {
        let line = LineConfig::new(user);
        Self {
            user: line.user,
            name: line.name,
            password: line.password,
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            transport: Transport::Udp,
            codecs: line.codecs,
            engine: engine.clone(),
            answering: line.answering,
            t1_ms: 500,
        }
    }
}

/// An endpoint with one line, which takes every call that comes to its address. Everything a
/// line can do is done on it.
pub struct Phone {
    endpoint: Endpoint,
    line: PhoneLine,
}

impl Phone {
    pub async fn start(config: PhoneConfig) -> Result<Phone, PhoneError> {
        let PhoneConfig { bind, transport, t1_ms, .. } = config;
        let bind = EndpointConfig { bind, transport, t1_ms };
        let endpoint = Endpoint::bind(bind, &config.engine).await?;
        let line = endpoint.only_line(LineConfig {
            user: config.user,
            name: config.name,
            password: config.password,
            codecs: config.codecs,
            answering: config.answering,
        });
        Ok(Phone { endpoint, line })
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Ends every call and waits for them.
    pub async fn shutdown(&self) {
        self.endpoint.shutdown().await;
    }
}

impl Deref for Phone {
    type Target = PhoneLine;

    fn deref(&self) -> &PhoneLine {
        &self.line
    }
}
