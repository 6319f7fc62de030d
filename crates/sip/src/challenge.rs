//! The one place that answers a far end's challenge to a request of ours (RFC 3261 section 22.2,
//! RFC 8760). The INVITE that begins a call, every request in its dialog, and REGISTER and OPTIONS
//! outside of one ask here.
//!
//! Answered is only the peer and the realm that the credentials are for, and at most twice for one
//! request: once, and once more if the nonce was stale or somebody else on the way asks too.

use std::net::SocketAddr;

use rsipstack::sip::{Header, Request, Response};

use crate::credentials::Credentials;
use crate::digest::{self, Algorithm, Challenge, Qop, Question, Shown, challenges, hex};

/// Answers to challenges that one request of ours may carry, one after the other.
const TRIES_MAX: u8 = 2;
/// How the source of a challenge travels with it. Ours alone: our reading writes it, and removes
/// one that comes from outside.
const SOURCE: &str = "Undertone-Source";

/// Notes where a challenge came from.
pub(crate) fn came_from(response: &mut Response, source: SocketAddr) {
    response.headers.retain(|h| !h.name().eq_ignore_ascii_case(SOURCE));
    response.headers.push(Header::Other(SOURCE.into(), source.to_string()));
}

fn source(response: &Response) -> Option<SocketAddr> {
    let noted = response.headers.iter().find(|h| h.name() == SOURCE)?;
    noted.value().parse().ok()
}

/// What to add to the same request, sent once more under the next CSeq, in the place of a header
/// of the same kind; None makes the challenge its final answer. `tries` counts the answers that
/// were sent before.
pub(crate) fn again(
    sent: &Request,
    challenge: &Response,
    with: Option<&Credentials>,
    tries: u8,
) -> Option<Header> {
    let with = with?;
    let proxy = match challenge.status_code.code() {
        401 => false,
        407 => true,
        _ => return None,
    };
    if tries >= TRIES_MAX || !with.is_peer(source(challenge)?.ip()) {
        return None;
    }
    let best = best(challenge, proxy, with)?;
    let answered = sent.headers.iter().any(|header| match header {
        Header::Authorization(_) => !proxy,
        Header::ProxyAuthorization(_) => proxy,
        _ => false,
    });
    // The same question again: the password is wrong, unless the nonce was only too old.
    if tries > 0 && answered && !best.stale {
        return None;
    }
    let header = answer(sent, &best, proxy, with)?;
    with.remember(best, proxy);
    Some(header)
}

/// The next answer to the challenge that was answered last, for who refreshes what it has: spares
/// a round. Only for where the credentials may be shown anyway.
pub(crate) fn ahead(sent: &Request, to: SocketAddr, with: &Credentials) -> Option<Header> {
    let (challenge, proxy) = with.last().filter(|_| with.is_peer(to.ip()))?;
    answer(sent, &challenge, proxy, with)
}

/// Of several challenges the strongest that we speak, for our realm.
fn best(response: &Response, proxy: bool, with: &Credentials) -> Option<Challenge> {
    let all = response.headers.iter().filter_map(|header| match header {
        Header::WwwAuthenticate(h) if !proxy => Some(challenges(h.value())),
        Header::ProxyAuthenticate(h) if proxy => Some(challenges(h.value())),
        _ => None,
    });
    let spoken = |c: &Challenge| {
        let covered = c.qop.is_empty() || c.offers("auth") || c.offers("auth-int");
        c.algorithm.is_some() && covered && clean(c)
    };
    let mut fit: Vec<Challenge> = all.flatten().filter(spoken).collect();
    fit.sort_by_key(|c| c.algorithm != Some(Algorithm::Sha256));
    fit.into_iter().find(|c| with.is_realm(&c.realm))
}

/// What we repeat must not end our quotes or our line.
fn clean(challenge: &Challenge) -> bool {
    let texts = [Some(&challenge.realm), Some(&challenge.nonce), challenge.opaque.as_ref()];
    texts.into_iter().flatten().all(|t| t.len() <= 512 && !t.chars().any(char::is_control))
}

fn answer(
    sent: &Request,
    challenge: &Challenge,
    proxy: bool,
    with: &Credentials,
) -> Option<Header> {
    let algorithm = challenge.algorithm?;
    let (method, uri) = (sent.method.to_string(), sent.uri.to_string());
    let nc = format!("{:08x}", with.count(&challenge.nonce));
    let cnonce = hex(&rand::random::<[u8; 8]>());
    let (name, qop) = if challenge.qop.is_empty() {
        (None, Qop::None)
    } else if challenge.offers("auth") {
        (Some("auth"), Qop::Auth { nc: &nc, cnonce: &cnonce })
    } else {
        let body = &sent.body;
        (Some("auth-int"), Qop::AuthInt { nc: &nc, cnonce: &cnonce, body })
    };
    let question = Question { method: &method, uri: &uri, nonce: &challenge.nonce, qop };
    let ha1 = with.ha1(algorithm, &challenge.realm);
    let shown = Shown {
        user: with.user().to_owned(),
        realm: challenge.realm.clone(),
        nonce: challenge.nonce.clone(),
        response: digest::response(algorithm, &ha1, &question),
        uri,
        algorithm: Some(algorithm),
        opaque: challenge.opaque.clone(),
        qop: name.map(str::to_owned),
        nc: name.map(|_| nc.clone()),
        cnonce: name.map(|_| cnonce.clone()),
    };
    let value = shown.write();
    Some(match proxy {
        true => Header::ProxyAuthorization(value.into()),
        false => Header::Authorization(value.into()),
    })
}

/// Puts a header in the place of those of its kind.
pub(crate) fn put(request: &mut Request, header: Header) {
    request.headers.unique_push(header);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "challenge_test.rs"]
mod tests;
