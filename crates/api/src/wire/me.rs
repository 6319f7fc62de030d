//! Who is signed in, as the pages read it; and what the sign-in page is told before.

use super::labels::LabelsWire;
use super::words::instant;
use crate::sign_in::{DemoSignIn, Me, OwnDevice, SignedIn, Welcome};
use serde::Serialize;
use undertone_core::access::Right;
use undertone_core::policy::Limits;
use utoipa::ToSchema;

/// What the sign-in page needs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionState {
    pub(crate) signed_in: bool,
    /// Nobody can sign in yet: use the one-time link that the server printed.
    first_run: bool,
    methods: [&'static str; 2],
    /// The demo's ready sign-ins, told to this machine only.
    demo: Option<Vec<DemoPerson>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct DemoPerson {
    login: String,
    password: String,
    #[schema(example = "supervisor")]
    role: &'static str,
    name: String,
    about: &'static str,
    /// The Host under which this role is opened, so that each has a cookie of its own.
    #[schema(example = "mia.localhost:8080")]
    host: String,
}

impl SessionState {
    pub(crate) fn new(welcome: Welcome, signed_in: bool, host: &str) -> Self {
        let port = host.rsplit_once(':').map(|(_, port)| port);
        let port = port.filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
        let person = |one: DemoSignIn| DemoPerson {
            host: match port {
                Some(port) => format!("{}.localhost:{port}", one.login),
                None => format!("{}.localhost", one.login),
            },
            login: one.login,
            password: one.password,
            role: one.role,
            name: one.name,
            about: one.about,
        };
        Self {
            signed_in,
            first_run: welcome.first_run,
            methods: ["password", "key"],
            demo: welcome.demo.map(|all| all.into_iter().map(person).collect()),
        }
    }
}

/// The signed-in person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeWire {
    person: MePerson,
    /// `administrator`, `supervisor` or `agent`: what the pages open with. Rights decide.
    #[schema(example = "supervisor")]
    role: &'static str,
    rights: Vec<&'static str>,
    /// What a page sends as `X-Undertone-Csrf`; null for an API key.
    csrf: Option<String>,
    /// The person's own telephones.
    devices: Vec<MeDevice>,
    server_time: String,
    server: MeServer,
    /// What the organisation calls things.
    labels: LabelsWire,
    policy: MePolicy,
}

/// From when on something lasts long or is too much of it, as the configuration has it.
#[derive(Debug, Serialize, ToSchema)]
struct MePolicy {
    /// A customer on hold.
    hold_long_ms: u64,
    talk_long_ms: u64,
    wrap_up_long_ms: u64,
    /// Nobody says anything.
    silence_ms: u64,
    /// One whisper.
    whisper_long_ms: u64,
    /// Of the time that one supervises; 0 to 1.
    #[schema(example = 0.1)]
    whisper_share: f64,
    #[schema(example = 1.5)]
    whisper_per_min: f64,
}

impl From<Limits> for MePolicy {
    fn from(limits: Limits) -> Self {
        Self {
            hold_long_ms: limits.hold_long_ms,
            talk_long_ms: limits.talk_long_ms,
            wrap_up_long_ms: limits.wrap_up_long_ms,
            silence_ms: limits.silence_ms,
            whisper_long_ms: limits.whisper_long_ms,
            whisper_share: f64::from(limits.whisper_percent) / 100.0,
            whisper_per_min: f64::from(limits.whispers_in_10_min) / 10.0,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct MePerson {
    id: String,
    name: String,
    extension: Option<String>,
    login: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct MeDevice {
    id: String,
    name: String,
    /// What `leg: {"kind":"sip","uri":…}` takes.
    uri: String,
    ready: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct MeServer {
    version: &'static str,
    demo: bool,
    /// How long an agent is in wrap-up after a call.
    wrap_up_ms: u64,
}

const SUPERVISE: [Right; 4] = [Right::Listen, Right::Whisper, Right::Barge, Right::Takeover];

impl MeWire {
    pub(crate) fn new(who: &SignedIn, me: Me) -> Self {
        let rights = &who.actor.rights;
        let role = match (rights.contains(&Right::Admin), SUPERVISE) {
            (true, _) => "administrator",
            (false, some) if some.iter().any(|right| rights.contains(right)) => "supervisor",
            (false, _) => "agent",
        };
        let device = |OwnDevice { id, name, uri, ready }| MeDevice { id, name, uri, ready };
        Self {
            person: MePerson {
                id: me.person.to_string(),
                name: me.name,
                extension: me.extension,
                login: me.login,
            },
            role,
            rights: rights.iter().map(|right| right.code()).collect(),
            csrf: who.session.as_ref().map(|session| session.csrf.clone()),
            devices: me.devices.into_iter().map(device).collect(),
            server_time: instant(me.now),
            server: MeServer {
                version: env!("CARGO_PKG_VERSION"),
                demo: me.demo,
                wrap_up_ms: me.wrap_up_ms,
            },
            labels: LabelsWire::from(&me.labels),
            policy: me.limits.into(),
        }
    }
}
