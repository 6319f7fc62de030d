//! What is written about every act, admitted or refused, and the chain that shows when a row was
//! changed. The store gives rows their order and keeps them; nothing here reads or writes.

use crate::access::Actor;
use crate::id::{CallId, KeyId, OrgId, PersonId, SupervisionId};
use crate::refusal::Refusal;
use crate::time::Wall;
use crate::view::Channel;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Who acted. `person: None` is the system itself, or a party known only by its leg (`origin`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub person: Option<PersonId>,
    pub key: Option<KeyId>,
    pub channel: Option<Channel>,
    pub origin: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    /// The codes of the reasons.
    Refused(Vec<String>),
}

/// One row. Owned text throughout, so that a stored row can be rebuilt and its hash checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub org: OrgId,
    pub at: Wall,
    pub who: Who,
    /// A code such as `supervision.join`.
    pub what: String,
    pub call: Option<CallId>,
    pub supervision: Option<SupervisionId>,
    pub outcome: Outcome,
    pub detail: BTreeMap<String, String>,
}

/// `prev` of the first row.
pub const GENESIS: [u8; 32] = [0; 32];

/// SHA-256(prev || canonical).
pub fn hash(prev: &[u8; 32], canonical: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(prev);
    digest.update(canonical);
    digest.finalize().into()
}

impl Who {
    pub fn system() -> Self {
        Self { person: None, key: None, channel: None, origin: "system".into() }
    }
}

impl From<&Actor> for Who {
    fn from(actor: &Actor) -> Self {
        Self {
            person: Some(actor.person.clone()),
            key: actor.key.clone(),
            channel: Some(actor.channel),
            origin: actor.origin.clone(),
        }
    }
}

impl Outcome {
    pub fn refused(refusal: &Refusal) -> Self {
        Outcome::Refused(refusal.reasons.iter().map(|reason| reason.code().into()).collect())
    }
}

impl AuditEntry {
    /// The bytes that the chain hashes: every field named, each value after its length, so that
    /// no two different entries have the same bytes.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = b"undertone.audit.1\n".to_vec();
        let mut field = |name: &str, value: &str| {
            out.extend_from_slice(format!("{}:{name}={}:", name.len(), value.len()).as_bytes());
            out.extend_from_slice(value.as_bytes());
            out.push(b'\n');
        };
        let opt = |id: Option<&str>| id.unwrap_or("").to_owned();
        field("org", self.org.as_str());
        field("at", &self.at.0.to_string());
        field("person", &opt(self.who.person.as_ref().map(PersonId::as_str)));
        field("key", &opt(self.who.key.as_ref().map(KeyId::as_str)));
        field("channel", self.who.channel.map_or("", channel_code));
        field("origin", &self.who.origin);
        field("what", &self.what);
        field("call", &opt(self.call.as_ref().map(CallId::as_str)));
        field("supervision", &opt(self.supervision.as_ref().map(SupervisionId::as_str)));
        match &self.outcome {
            Outcome::Allowed => field("outcome", "allowed"),
            Outcome::Refused(reasons) => {
                field("outcome", "refused");
                reasons.iter().for_each(|reason| field("reason", reason));
            }
        }
        self.detail.iter().for_each(|(name, value)| field(&format!("detail.{name}"), value));
        out
    }
}

/// The name of a channel in the audit and the API.
pub const fn channel_code(channel: Channel) -> &'static str {
    match channel {
        Channel::Web => "web",
        Channel::Dtmf => "dtmf",
        Channel::Api => "api",
    }
}
