//! Who a call says it is from, beside From: P-Asserted-Identity and Privacy (RFC 3325, RFC 3323),
//! Diversion (RFC 5806), Identity (RFC 8224). Read and written as they are: whose word is believed
//! is the server's to decide, by whom the call came from.

use rsipstack::sip::{Header, Request};

use crate::contact::values;

/// Values that are carried of one kind, and how long one may be: a PASSporT is the longest.
const VALUES_MAX: usize = 8;
const VALUE_MAX_BYTES: usize = 4_096;

/// Header values, each as it stands on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// P-Asserted-Identity: `"Name" <sip:…>` or `<tel:…>`.
    pub asserted: Vec<String>,
    pub privacy: Option<String>,
    /// The last diversion first.
    pub diversion: Vec<String>,
    /// Signed statements about the caller.
    pub identity: Vec<String>,
}

impl Identity {
    /// The URIs of P-Asserted-Identity, without what stands around them. A value that cannot be
    /// taken apart is left out.
    pub fn asserted_uris(&self) -> impl Iterator<Item = &str> {
        self.asserted.iter().filter_map(|value| uri(value))
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

pub(crate) fn read(request: &Request) -> Identity {
    let mut found = Identity::default();
    for header in request.headers.iter() {
        match header {
            Header::PAssertedIdentity(h) => keep(&mut found.asserted, &values(h.value())),
            Header::Diversion(h) => keep(&mut found.diversion, &values(h.value())),
            // Its value holds commas of its own kind, never two of it.
            Header::Identity(h) => keep(&mut found.identity, &[h.value().trim()]),
            Header::Privacy(h) if carried(h.value()) => {
                found.privacy = Some(h.value().trim().to_owned());
            }
            _ => {}
        }
    }
    found
}

/// Of a name-addr or an addr-spec (RFC 3261 section 25.1). A display name in quotes may hold what
/// looks like a URI, and is never one.
fn uri(value: &str) -> Option<&str> {
    let mut rest = value.trim();
    if let Some(quoted) = rest.strip_prefix('"') {
        let (mut escaped, mut end) = (false, None);
        for (at, c) in quoted.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    end = Some(at + 1);
                    break;
                }
                _ => {}
            }
        }
        rest = quoted.get(end?..)?.trim_start();
        // After a quoted name only brackets may follow.
        return rest.strip_prefix('<')?.split_once('>').map(|(uri, _)| uri);
    }
    match rest.split_once('<') {
        Some((name, _)) if name.contains(['"', '>', ':']) => None,
        Some((_, rest)) => rest.split_once('>').map(|(uri, _)| uri),
        None => Some(rest),
    }
}

fn keep(kept: &mut Vec<String>, values: &[&str]) {
    for value in values {
        if kept.len() < VALUES_MAX && carried(value) {
            kept.push((*value).to_owned());
        }
    }
}

/// One line of text, of a length that a datagram can hold.
fn carried(value: &str) -> bool {
    !value.is_empty() && value.len() <= VALUE_MAX_BYTES && !value.chars().any(char::is_control)
}

pub(crate) fn write(identity: &Identity) -> Vec<Header> {
    let mut headers = Vec::new();
    let all = |list: &'_ [String]| -> Vec<String> {
        list.iter().filter(|value| carried(value)).take(VALUES_MAX).cloned().collect()
    };
    headers
        .extend(all(&identity.asserted).into_iter().map(|v| Header::PAssertedIdentity(v.into())));
    headers.extend(
        identity.privacy.iter().filter(|v| carried(v)).map(|v| Header::Privacy(v.clone().into())),
    );
    headers.extend(all(&identity.diversion).into_iter().map(|v| Header::Diversion(v.into())));
    headers.extend(all(&identity.identity).into_iter().map(|v| Header::Identity(v.into())));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_of_an_assertion_is_what_stands_in_its_brackets_whatever_the_name_says() {
        for (value, expected) in [
            ("<sip:2001@pbx>", Some("sip:2001@pbx")),
            ("sip:2001@pbx", Some("sip:2001@pbx")),
            ("tel:+4570002001", Some("tel:+4570002001")),
            ("Mia <sip:2001@pbx>;x=y", Some("sip:2001@pbx")),
            ("\"Mia\" <tel:+45-7000>", Some("tel:+45-7000")),
            ("\"<sip:9@x>\" <sip:2001@pbx>", Some("sip:2001@pbx")),
            ("\"a\\\"<sip:9@x>\" <sip:2001@pbx>", Some("sip:2001@pbx")),
            ("\"Mia <sip:9@x>", None),
            ("\"Mia\" sip:9@x", None),
            ("sip:9@x <sip:2001@pbx>", None),
            ("<sip:2001@pbx", None),
        ] {
            assert_eq!(uri(value), expected, "{value}");
        }
    }

    #[test]
    fn what_could_begin_another_header_is_not_written() {
        let identity = Identity {
            asserted: vec!["<sip:a@b>\r\nX: y".into(), "<sip:a@b>".into()],
            privacy: Some("id\n".into()),
            ..Identity::default()
        };
        let written: Vec<_> = write(&identity).iter().map(ToString::to_string).collect();
        assert_eq!(written, ["P-Asserted-Identity: <sip:a@b>"]);
    }
}
