//! The arithmetic of Digest (RFC 2617, RFC 7616, RFC 8760) and the text of its headers, for both
//! sides. It knows no account, no nonce's age and no clock: who may do what is `door`'s and
//! `challenge`'s.

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest as _, Sha256};

/// The most parameters that one header may have; more is not worth reading.
const PARAMS_MAX: usize = 32;

/// What a digest is made with. The `-sess` forms and SHA-512-256 are not: no phone asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Algorithm::Md5, Algorithm::Sha256]
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(name.trim()))
    }

    fn hash(self, text: &[u8]) -> String {
        match self {
            Algorithm::Md5 => hex(&Md5::digest(text)),
            Algorithm::Sha256 => hex(&Sha256::digest(text)),
        }
    }

    fn hex_len(self) -> usize {
        match self {
            Algorithm::Md5 => 32,
            Algorithm::Sha256 => 64,
        }
    }
}

/// `H(user:realm:password)`: what is kept instead of a password. As secret as the password is,
/// for this realm.
pub fn ha1(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> String {
    algorithm.hash(format!("{user}:{realm}:{password}").as_bytes())
}

/// Whether a text can be an HA1 of this algorithm.
pub fn is_ha1(algorithm: Algorithm, text: &str) -> bool {
    text.len() == algorithm.hex_len() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// How much of a message the digest covers; None is RFC 2069's, without counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Qop<'a> {
    None,
    Auth { nc: &'a str, cnonce: &'a str },
    AuthInt { nc: &'a str, cnonce: &'a str, body: &'a [u8] },
}

/// What is hashed with an HA1.
pub(crate) struct Question<'a> {
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) qop: Qop<'a>,
}

/// RFC 7616 section 3.4.1.
pub(crate) fn response(algorithm: Algorithm, ha1: &str, asked: &Question<'_>) -> String {
    let Question { method, uri, nonce, qop } = asked;
    let mut a2 = format!("{method}:{uri}");
    if let Qop::AuthInt { body, .. } = qop {
        let _ = write!(a2, ":{}", algorithm.hash(body));
    }
    let ha2 = algorithm.hash(a2.as_bytes());
    let middle = match qop {
        Qop::None => String::new(),
        Qop::Auth { nc, cnonce } => format!("{nc}:{cnonce}:auth:"),
        Qop::AuthInt { nc, cnonce, .. } => format!("{nc}:{cnonce}:auth-int:"),
    };
    algorithm.hash(format!("{ha1}:{nonce}:{middle}{ha2}").as_bytes())
}

/// Compares in a time that depends on the lengths alone.
pub(crate) fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut differs = a.len() ^ b.len();
    for (x, y) in a.iter().zip(b) {
        differs |= usize::from(x ^ y);
    }
    std::hint::black_box(differs) == 0
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// One challenge, as the far end wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) realm: String,
    pub(crate) nonce: String,
    pub(crate) opaque: Option<String>,
    /// None: one that we do not speak. Not named is MD5 (RFC 7616 section 3.3).
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) stale: bool,
    /// The list of `qop`; empty if there is none.
    pub(crate) qop: Vec<String>,
}

impl Challenge {
    pub(crate) fn offers(&self, qop: &str) -> bool {
        self.qop.iter().any(|have| have.eq_ignore_ascii_case(qop))
    }

    /// One that we write: `qop="auth"`, nothing that we would not check.
    pub(crate) fn write(&self) -> String {
        let algorithm = self.algorithm.map_or("MD5", Algorithm::name);
        let stale = if self.stale { ", stale=true" } else { "" };
        format!(
            "Digest realm=\"{}\", nonce=\"{}\", algorithm={algorithm}, qop=\"auth\"{stale}",
            self.realm, self.nonce
        )
    }
}

/// The challenges of one header: usually one; some peers join several by commas.
pub(crate) fn challenges(value: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut rest = value.trim();
    while let Some(after) = scheme(rest) {
        let (params, left) = params(after);
        rest = left;
        let get = |name: &str| params.iter().find(|(key, _)| key == name).map(|(_, v)| v.clone());
        let (Some(realm), Some(nonce)) = (get("realm"), get("nonce")) else { continue };
        let named = get("algorithm");
        let list = get("qop").unwrap_or_default();
        found.push(Challenge {
            realm,
            nonce,
            opaque: get("opaque"),
            algorithm: named.map_or(Some(Algorithm::Md5), |name| Algorithm::parse(&name)),
            stale: get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            qop: list.split(',').map(|q| q.trim().to_owned()).filter(|q| !q.is_empty()).collect(),
        });
    }
    found
}

/// What a far end shows of itself: an Authorization or Proxy-Authorization header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) user: String,
    pub(crate) realm: String,
    pub(crate) nonce: String,
    pub(crate) uri: String,
    pub(crate) response: String,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) opaque: Option<String>,
    pub(crate) qop: Option<String>,
    pub(crate) nc: Option<String>,
    pub(crate) cnonce: Option<String>,
}

impl Shown {
    pub(crate) fn read(value: &str) -> Option<Self> {
        let (params, rest) = params(scheme(value.trim())?);
        if !rest.is_empty() {
            return None;
        }
        // A name given twice is an attempt to be read in two ways.
        let twice = |at: usize| params[..at].iter().any(|(key, _)| *key == params[at].0);
        if (0..params.len()).any(twice) {
            return None;
        }
        let get = |name: &str| params.iter().find(|(key, _)| key == name).map(|(_, v)| v.clone());
        let algorithm = match get("algorithm") {
            Some(name) => Some(Algorithm::parse(&name)?),
            None => None,
        };
        Some(Self {
            user: get("username")?,
            realm: get("realm")?,
            nonce: get("nonce")?,
            uri: get("uri")?,
            response: get("response")?.to_ascii_lowercase(),
            algorithm,
            opaque: get("opaque"),
            qop: get("qop"),
            nc: get("nc"),
            cnonce: get("cnonce"),
        })
    }

    /// The digest's own `qop`; None if what is shown does not fit together.
    pub(crate) fn covers<'a>(&'a self, body: &'a [u8]) -> Option<Qop<'a>> {
        let Some(qop) = &self.qop else { return Some(Qop::None) };
        let (nc, cnonce) = (self.nc.as_deref()?, self.cnonce.as_deref()?);
        count(nc)?;
        if qop.eq_ignore_ascii_case("auth") {
            Some(Qop::Auth { nc, cnonce })
        } else if qop.eq_ignore_ascii_case("auth-int") {
            Some(Qop::AuthInt { nc, cnonce, body })
        } else {
            None
        }
    }

    pub(crate) fn write(&self) -> String {
        let mut out = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{}\"",
            self.user, self.realm, self.nonce, self.uri, self.response
        );
        if let Some(algorithm) = self.algorithm {
            let _ = write!(out, ", algorithm={}", algorithm.name());
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(out, ", opaque=\"{opaque}\"");
        }
        if let (Some(qop), Some(nc), Some(cnonce)) = (&self.qop, &self.nc, &self.cnonce) {
            let _ = write!(out, ", qop={qop}, cnonce=\"{cnonce}\", nc={nc}");
        }
        out
    }
}

/// A nonce count: exactly eight hexadecimal digits (RFC 7616 section 3.4), never 0.
pub(crate) fn count(nc: &str) -> Option<u32> {
    if nc.len() != 8 || !nc.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(nc, 16).ok().filter(|count| *count > 0)
}

/// What follows `Digest `; None if another scheme, or nothing, is there.
fn scheme(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([',', ' ', '\t']);
    let (name, rest) = text.split_once([' ', '\t'])?;
    name.eq_ignore_ascii_case("Digest").then_some(rest)
}

/// `name=value` and `name="value"`, up to where another challenge begins. What stands between
/// quotes is kept as it is written, escapes and all: both ends hash it so (RFC 2617, `unq`).
fn params(mut text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        text = text.trim_start_matches([',', ' ', '\t']);
        let Some((name, rest)) = text.split_once('=') else { return (found, "") };
        let name = name.trim();
        if name.contains([' ', '\t']) {
            return (found, text); // the next challenge's scheme
        }
        let rest = rest.trim_start();
        let (value, left) = match rest.strip_prefix('"') {
            Some(quoted) => match closing(quoted) {
                Some(end) => (&quoted[..end], &quoted[end + 1..]),
                None => return (Vec::new(), ""),
            },
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim(), &rest[end..])
            }
        };
        // A quote outside quotes would end ours where we repeat the value; an escape would eat it.
        if !rest.starts_with('"') && value.contains(['"', '\\']) {
            return (Vec::new(), "");
        }
        if found.len() == PARAMS_MAX {
            return (Vec::new(), "");
        }
        found.push((name.to_ascii_lowercase(), value.to_owned()));
        text = left;
    }
}

/// Where the quote ends that is open.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "digest_test.rs"]
mod tests;
