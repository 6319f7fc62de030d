//! The Contact values of a REGISTER as text: URI, q, expires, instance; and whether two URIs mean
//! one place. Total: whatever is written there, the outcome is values or none. Binds nothing.

use std::net::{IpAddr, SocketAddr};

const VALUE_MAX_BYTES: usize = 512;

/// One Contact value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) uri: String,
    pub(crate) q_thousandths: u16,
    pub(crate) expires: Option<u32>,
    /// `+sip.instance` and `reg-id`, if both are there: together they name one flow of one phone,
    /// whatever its URI is (RFC 5626 section 6).
    pub(crate) instance: String,
}

/// `Some(None)` is `*`; None is what cannot be bound.
pub(crate) fn read_all(headers: &[String]) -> Option<Option<Vec<Given>>> {
    let mut given = Vec::new();
    let values: Vec<&str> = headers.iter().flat_map(|header| values(header)).collect();
    if values.contains(&"*") {
        return (values.len() == 1).then_some(None);
    }
    for value in values {
        given.push(read(value)?);
    }
    Some(Some(given))
}

/// Splits at the commas that stand in no quotes and no brackets.
pub(crate) fn values(header: &str) -> Vec<&str> {
    split(header, ',')
}

fn split(text: &str, at: char) -> Vec<&str> {
    let (mut quoted, mut escaped, mut depth, mut start) = (false, false, 0_u32, 0);
    let mut found = Vec::new();
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => depth += 1,
            '>' if !quoted => depth = depth.saturating_sub(1),
            c if c == at && !quoted && depth == 0 => {
                found.push(text[start..index].trim());
                start = index + c.len_utf8();
            }
            _ => {}
        }
    }
    found.push(text[start..].trim());
    found.retain(|part| !part.is_empty());
    found
}

fn read(value: &str) -> Option<Given> {
    if value.len() > VALUE_MAX_BYTES {
        return None;
    }
    let parts = split(value, ';');
    let head = *parts.first()?;
    // Without brackets what follows the first `;` belongs to the header (section 20.10).
    let uri = match head.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>')?,
        None => head,
    };
    let clean = uri.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&b));
    if !clean || !uri.get(..4)?.eq_ignore_ascii_case("sip:") || place(uri).1.is_empty() {
        return None;
    }
    let (mut q, mut expires, mut instance, mut reg_id) = (1_000, None, None, None);
    for part in &parts[1..] {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => q = thousandths(value)?,
            // What is no number counts as nothing said (section 10.3, step 7).
            "expires" => expires = seconds(value),
            "+sip.instance" => instance = Some(value),
            "reg-id" => reg_id = value.parse::<u32>().ok(),
            _ => {}
        }
    }
    let instance = match (instance, reg_id) {
        (Some(urn), Some(id)) => format!("+sip.instance={urn};reg-id={id}"),
        _ => String::new(),
    };
    Some(Given { uri: uri.to_owned(), q_thousandths: q, expires, instance })
}

/// A count of seconds; more than we can hold is the most that we can.
pub(crate) fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

/// `0`, `0.5`, `1.000` (section 25.1, qvalue).
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{part:0<3}").parse().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1_000),
        _ => None,
    }
}

/// User as written, host and port in small letters, the transport.
fn place(uri: &str) -> (&str, String, String) {
    let scheme = uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sip:"));
    let rest = if scheme { &uri[4..] } else { uri };
    let rest = rest.split('?').next().unwrap_or(rest);
    let (user, host) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (host, params) = host.split_once(';').unwrap_or((host, ""));
    let transport = params.split(';').find_map(|param| {
        let (name, value) = param.split_once('=')?;
        name.eq_ignore_ascii_case("transport").then(|| value.to_ascii_lowercase())
    });
    (user, host.to_ascii_lowercase(), transport.unwrap_or_else(|| "udp".into()))
}

/// RFC 3261 section 19.1.4, as far as it tells two contacts of one phone apart.
pub(crate) fn same(a: &str, b: &str) -> bool {
    place(a) == place(b)
}

/// Host and port, where the host is an address.
pub(crate) fn address(uri: &str) -> Option<SocketAddr> {
    let (_, host, _) = place(uri);
    if let Ok(whole) = host.parse::<SocketAddr>() {
        return Some(whole);
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 5060))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn one(value: &str) -> Option<Given> {
        read_all(&[value.to_owned()])?.and_then(|mut all| all.pop())
    }

    #[test]
    fn values_are_read_with_and_without_brackets() {
        let read =
            one("\"A, B\" <sip:ana@192.0.2.1:5062;transport=tcp>;q=0.25;expires=90").unwrap();
        assert_eq!(read.uri, "sip:ana@192.0.2.1:5062;transport=tcp");
        assert_eq!((read.q_thousandths, read.expires), (250, Some(90)));
        let bare = one("sip:ana@192.0.2.1;expires=never;q=1.0").unwrap();
        assert_eq!((bare.uri.as_str(), bare.expires), ("sip:ana@192.0.2.1", None));
        let urn = "<sip:a@b>;+sip.instance=\"<urn:uuid:1>\";reg-id=1";
        assert_eq!(one(urn).unwrap().instance, "+sip.instance=\"<urn:uuid:1>\";reg-id=1");
        assert_eq!(one("<sip:a@b>;+sip.instance=\"<urn:uuid:1>\"").unwrap().instance, "");
    }

    #[test]
    fn several_values_share_a_header_and_a_star_stands_alone() {
        let two = read_all(&["<sip:a@b>;q=1,<sip:c@d>".into()]).unwrap().unwrap();
        assert_eq!(two.len(), 2);
        assert_eq!(read_all(&["*".into()]), Some(None));
        assert_eq!(read_all(&["*, <sip:a@b>".into()]), None);
        assert_eq!(read_all(&["*".into(), "*".into()]), None);
    }

    #[test]
    fn what_cannot_be_called_cannot_be_bound() {
        for bad in [
            "<sip:a@b",
            "<http://x>",
            "<sip:>",
            "<sip:a@b c>",
            "<sips:a@b>",
            "<sip:a@b>;q=2",
            "<sip:a@b>;q=0.1234",
            "é",
        ] {
            assert_eq!(one(bad), None, "{bad}");
        }
        assert_eq!(one(&format!("<sip:{}@b>", "a".repeat(600))), None);
    }

    #[test]
    fn one_place_is_one_place_however_it_is_written() {
        assert!(same("sip:ana@PHONE.example", "sip:ana@phone.example;transport=UDP"));
        assert!(same("sip:ana@h;ob", "sip:ana@h"));
        assert!(!same("sip:ana@h", "sip:Ana@h") && !same("sip:ana@h:5060", "sip:ana@h:5061"));
        assert!(!same("sip:ana@h", "sip:ana@h;transport=tcp"));
        assert_eq!(address("sip:a@[::1]:5070").unwrap().to_string(), "[::1]:5070");
        assert_eq!(address("sip:a@phone.example"), None);
    }

    #[test]
    fn seconds_are_digits_alone() {
        assert_eq!(seconds(" 60 "), Some(60));
        assert_eq!(seconds("99999999999"), Some(u32::MAX));
        assert_eq!((seconds("-1"), seconds(""), seconds("1e3")), (None, None, None));
    }
}
