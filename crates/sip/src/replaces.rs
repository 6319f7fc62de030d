//! Reads and writes what names somebody's dialog: the Replaces header (RFC 3891), alone or within
//! the URI of a Refer-To (RFC 3515, RFC 5589). Text in, types out; it knows no dialog.

use crate::types::Replaces;
use crate::wire::unescape;

/// None if it is not one: exactly one Call-ID, one to-tag and one from-tag.
pub(crate) fn parse(value: &str) -> Option<Replaces> {
    let mut parts = value.split(';').map(str::trim);
    let call_id = parts.next().filter(|id| !id.is_empty() && !id.contains(','))?.to_owned();
    let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let slot = match name.trim().to_ascii_lowercase().as_str() {
            "to-tag" => &mut to_tag,
            "from-tag" => &mut from_tag,
            "early-only" => {
                early_only = true;
                continue;
            }
            _ => continue,
        };
        if slot.replace(value.trim().to_owned()).is_some() || value.trim().is_empty() {
            return None;
        }
    }
    Some(Replaces { call_id, to_tag: to_tag?, from_tag: from_tag?, early_only })
}

pub(crate) fn write(replaces: &Replaces) -> String {
    let early = if replaces.early_only { ";early-only" } else { "" };
    let Replaces { call_id, to_tag, from_tag, .. } = replaces;
    format!("{call_id};to-tag={to_tag};from-tag={from_tag}{early}")
}

/// The URI of a Refer-To, apart from the headers in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReferTo {
    pub(crate) uri: String,
    pub(crate) replaces: Option<Replaces>,
}

/// None where it is no SIP URI to be called. Of the headers that the far end would have us send,
/// Replaces is the only one that we take.
pub(crate) fn parse_refer_to(value: &str) -> Option<ReferTo> {
    let value = value.trim();
    let uri = match value.find('<') {
        Some(start) => value[start + 1..].split_once('>')?.0,
        // Without brackets, parameters and headers belong to the header, not to the URI.
        None => value.split([';', '?']).next()?,
    };
    let (uri, headers) = uri.split_once('?').unwrap_or((uri, ""));
    let scheme = uri.split(':').next()?.to_ascii_lowercase();
    let clean = uri.bytes().all(|b| b.is_ascii_graphic() && !b"<>\",".contains(&b));
    let mut params = uri.split(';').skip(1);
    let other_method = params.any(|param| {
        let (name, value) = param.split_once('=').unwrap_or((param, ""));
        name.eq_ignore_ascii_case("method") && !value.eq_ignore_ascii_case("INVITE")
    });
    if !["sip", "sips"].contains(&scheme.as_str()) || !clean || other_method || uri.len() > 512 {
        return None;
    }
    let mut found = headers.split('&').filter_map(|header| header.split_once('='));
    let replaces = found.find(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
    let replaces = match replaces {
        Some((_, value)) => Some(parse(&unescape(value))?),
        None => None,
    };
    Some(ReferTo { uri: uri.to_owned(), replaces })
}

/// The Refer-To of a REFER of ours.
pub(crate) fn write_refer_to(uri: &str, replaces: Option<&Replaces>) -> String {
    let Some(replaces) = replaces else { return format!("<{uri}>") };
    let mut escaped = String::new();
    for byte in write(replaces).bytes() {
        // What RFC 3261 section 25.1 lets stand in a URI's header: unreserved.
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("<{uri}?Replaces={escaped}>")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn some() -> Replaces {
        Replaces {
            call_id: "98asjd8@test.invalid".into(),
            to_tag: "12345".into(),
            from_tag: "67890".into(),
            early_only: false,
        }
    }

    #[test]
    fn replaces_is_read_as_rfc_3891_writes_it() {
        let text = "98asjd8@test.invalid\r\n ;from-tag=67890;to-tag=12345";
        assert_eq!(parse(&text.replace("\r\n", "")), Some(some()));
        let early = Replaces { early_only: true, ..some() };
        assert_eq!(parse(&write(&early)), Some(early));
        for bad in
            ["", "id", "id;to-tag=1", "id;to-tag=1;to-tag=2;from-tag=3", "id;to-tag=;from-tag=1"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_refer_to_gives_its_uri_and_the_dialog_to_replace() {
        let plain = parse_refer_to("\"B\" <sip:200@host:5070;transport=tcp>").unwrap();
        assert_eq!(plain.uri, "sip:200@host:5070;transport=tcp");
        assert_eq!(plain.replaces, None);
        let written = write_refer_to("sip:200@host", Some(&some()));
        assert!(written.contains("%3Bto-tag%3D12345"), "{written}");
        let read = parse_refer_to(&written).unwrap();
        assert_eq!((read.uri.as_str(), read.replaces), ("sip:200@host", Some(some())));
        assert_eq!(parse_refer_to("sip:200@host;x=y").unwrap().uri, "sip:200@host");
        for bad in ["<mailto:a@b>", "<sip:a@b;method=BYE>", "<sip:a@b?Replaces=x>", "<sip:a b@c>"] {
            assert_eq!(parse_refer_to(bad), None, "{bad}");
        }
    }
}
