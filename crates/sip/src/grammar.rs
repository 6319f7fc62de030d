//! RFC 3261 section 25 for what names somebody: request line, Via, and the headers that hold
//! addresses. Each is read whole and written again in its plainest form, so that the library
//! behind cannot read it another way (spaces at separators, `;` in a user part, `<` in a name).
//!
//! It knows one line at a time: no message, no transaction. Liberal where phones are known to be
//! (any letter in a display name), strict where two readings are possible (RFC 4475).

use std::net::Ipv6Addr;

/// Why a line is not what its header asks for; becomes the reason phrase of a 400.
pub(crate) type Wrong = &'static str;

/// Method, Request-URI and version of a request line: single spaces, nothing around them
/// (section 7.1). `None` where this is no request line at all.
pub(crate) fn request_line(line: &str) -> Option<Result<(&str, &str, &str), Wrong>> {
    let method = line.split([' ', '\t']).next().filter(|method| is_token(method))?;
    let version = line.trim_end().rsplit([' ', '\t']).next()?;
    if version.len() == line.trim_end().len() || !starts_with(version, "SIP/") {
        return None;
    }
    let mut words = line.split(' ');
    let (first, uri, last, more) = (words.next()?, words.next()?, words.next(), words.next());
    let whole = first == method && !uri.is_empty() && last == Some(version) && more.is_none();
    Some(if whole { Ok((method, uri, version)) } else { Err("Bad Request - Request Line") })
}

/// A Request-URI: no angle brackets, no headers (section 19.1.1).
pub(crate) fn target(uri: &str) -> Result<String, Wrong> {
    let (scheme, rest) = uri.split_once(':').ok_or("Bad Request - Request-URI")?;
    let odd = |b: u8| b.is_ascii_control() || b.is_ascii_whitespace() || b"<>\"".contains(&b);
    if !is_scheme(scheme) || uri.bytes().any(odd) {
        return Err("Bad Request - Request-URI");
    }
    if !is_sip(scheme) {
        return Ok(uri.to_owned());
    }
    let plain = sip_uri(scheme, rest)?;
    if plain.contains('?') { Err("Bad Request - Headers in Request-URI") } else { Ok(plain) }
}

/// From or To: one address, its parameters after it.
pub(crate) fn party(value: &str) -> Result<String, Wrong> {
    let (address, more) = address(value, true)?;
    if more.is_empty() { Ok(address) } else { Err("Bad Request - Address") }
}

/// Contact, Route or Record-Route: one address or several; of the names nothing is kept.
pub(crate) fn addresses(value: &str) -> Result<String, Wrong> {
    if value.trim() == "*" {
        return Ok("*".into());
    }
    let (mut out, mut rest) = (String::with_capacity(value.len()), value);
    loop {
        let (one, more) = address(rest, false)?;
        out.push_str(&one);
        let Some(next) = more.strip_prefix(',') else { return Ok(out) };
        out.push_str(", ");
        rest = next;
    }
}

/// Via: one value or several (section 20.42).
pub(crate) fn via(value: &str) -> Result<String, Wrong> {
    let (mut out, mut rest) = (String::with_capacity(value.len()), value);
    loop {
        let (end, more) = match outside_quotes(rest, |b| b == b',') {
            Some(comma) => (comma, Some(&rest[comma + 1..])),
            None => (rest.len(), None),
        };
        via_of_one(&rest[..end], &mut out)?;
        let Some(next) = more else { return Ok(out) };
        out.push_str(", ");
        rest = next;
    }
}

/// The value of a parameter of an address or a Via, past the address itself.
pub(crate) fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = value;
    while let Some(at) = outside_brackets(rest, |b| b == b';') {
        rest = &rest[at + 1..];
        let (have, more) = rest.split_once('=').unwrap_or((rest, ""));
        if have.trim().eq_ignore_ascii_case(name) {
            let end = outside_quotes(more, |b| b == b';' || b == b',').unwrap_or(more.len());
            return Some(more[..end].trim()).filter(|value| !value.is_empty());
        }
    }
    None
}

fn via_of_one(value: &str, out: &mut String) -> Result<(), Wrong> {
    let mut parts = value.splitn(3, '/');
    let (name, version, rest) =
        (parts.next(), parts.next(), parts.next().ok_or("Bad Request - Via")?);
    let rest = rest.trim_start();
    let Some((transport, rest)) = rest.split_once([' ', '\t']) else {
        return Err("Bad Request - Via");
    };
    let ours = name.is_some_and(|n| n.trim().eq_ignore_ascii_case("SIP"));
    if !ours || version.map(str::trim) != Some("2.0") || !is_token(transport) {
        return Err("Bad Request - Via");
    }
    let (sent_by, parameters) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
    // Spaces are allowed around the colon alone.
    let joined: Vec<&str> = sent_by.trim().split(':').map(str::trim).collect();
    let sent_by = joined.join(":");
    host_port(&sent_by).ok_or("Bad Request - Via")?;
    out.push_str("SIP/2.0/");
    out.push_str(transport);
    out.push(' ');
    out.push_str(&sent_by);
    let from = out.len();
    let rest = write_parameters(parameters, out).map_err(|_| "Bad Request - Via")?;
    // A branch that is nothing but the magic cookie names no transaction (RFC 4475, 3.2.1).
    if !rest.is_empty() || parameter(&out[from..], "branch") == Some("z9hG4bK") {
        return Err("Bad Request - Via");
    }
    Ok(())
}

/// One name-addr or addr-spec with its parameters, written plainly; then what follows.
fn address(value: &str, named: bool) -> Result<(String, &str), Wrong> {
    let value = value.trim_start();
    let mut out = String::with_capacity(value.len());
    let after = if let Some(quoted) = value.strip_prefix('"') {
        let end = closing(quoted).ok_or("Bad Request - Unterminated Quote")?;
        let rest = quoted[end + 1..].trim_start();
        if named {
            write_name(&quoted[..end], &mut out);
        }
        rest.strip_prefix('<').ok_or("Bad Request - Address")?
    } else if let Some((name, rest)) = unquoted_name(value) {
        if named && !name.is_empty() {
            // Outside quotes a backslash is a character like any other; inside it would escape.
            write_name(&name.replace('\\', r"\\"), &mut out);
        }
        rest
    } else {
        return bare_address(value);
    };
    let close = after.find('>').ok_or("Bad Request - Address")?;
    out.push('<');
    out.push_str(&uri(&after[..close])?);
    out.push('>');
    let rest = write_parameters(after[close + 1..].trim_start(), &mut out)?;
    Ok((out, rest))
}

/// What is before `<` and after it, if nothing there separates anything else.
fn unquoted_name(value: &str) -> Option<(&str, &str)> {
    let at = value.find(['<', ';', ',', '"'])?;
    let rest = value[at..].strip_prefix('<')?;
    Some((value[..at].trim(), rest))
}

/// An address without brackets: what follows `;` belongs to the header, and neither `?` nor `,`
/// may be in it (section 20.10).
fn bare_address(value: &str) -> Result<(String, &str), Wrong> {
    let host = value.find('@').map_or(0, |at| at + 1);
    let end = value[host..].find([';', ',']).map_or(value.len(), |at| host + at);
    let plain = uri(value[..end].trim_end())?;
    if plain.contains('?') {
        return Err("Bad Request - Address");
    }
    let mut out = format!("<{plain}>");
    let rest = write_parameters(&value[end..], &mut out)?;
    Ok((out, rest))
}

/// `;name=value` again and again, until the end or a comma. Nothing between two semicolons, or
/// after the last, is an error (RFC 4475, 3.1.2.1).
fn write_parameters<'a>(mut rest: &'a str, out: &mut String) -> Result<&'a str, Wrong> {
    while let Some(next) = rest.strip_prefix(';') {
        let end = outside_quotes(next, |b| b == b';' || b == b',').unwrap_or(next.len());
        let (name, value) = match next[..end].split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (next[..end].trim(), None),
        };
        let quoted = value.is_some_and(|v| v.starts_with('"'));
        let spaced = |text: &str| text.contains([' ', '\t']);
        if name.is_empty() || spaced(name) || !quoted && value.is_some_and(spaced) {
            return Err("Bad Request - Parameter");
        }
        out.push(';');
        out.push_str(name);
        if let Some(value) = value {
            out.push('=');
            out.push_str(value);
        }
        rest = next[end..].trim_start();
    }
    match rest.trim() {
        "" => Ok(""),
        list if list.starts_with(',') => Ok(list),
        _ => Err("Bad Request - Address"),
    }
}

/// Between the brackets: a scheme, and for ours a host that is one.
fn uri(text: &str) -> Result<String, Wrong> {
    let (scheme, rest) = text.split_once(':').ok_or("Bad Request - Address")?;
    let spaced = text.bytes().any(|b| b.is_ascii_whitespace() || b.is_ascii_control());
    // A bracket that closes would do so in what we write around it, too.
    if !is_scheme(scheme) || rest.is_empty() || spaced || text.contains(['<', '>', '"']) {
        return Err("Bad Request - Address");
    }
    if is_sip(scheme) { sip_uri(scheme, rest) } else { Ok(text.to_owned()) }
}

/// A sip or sips URI. In its user part `;` and `?` are ordinary characters (section 25.1,
/// user-unreserved), which the library does not know: they are written escaped.
fn sip_uri(scheme: &str, rest: &str) -> Result<String, Wrong> {
    let (user, host) = match rest.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, rest),
    };
    let end = host.find([';', '?']).unwrap_or(host.len());
    host_port(&host[..end]).ok_or("Bad Request - Host")?;
    let mut out = format!("{scheme}:");
    if let Some(user) = user {
        if user.is_empty() || user.contains('@') {
            return Err("Bad Request - User");
        }
        out.push_str(&user.replace(';', "%3B").replace('?', "%3F"));
        out.push('@');
    }
    out.push_str(host);
    Ok(out)
}

fn host_port(text: &str) -> Option<()> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        inside.parse::<Ipv6Addr>().ok()?;
        (inside, after.strip_prefix(':').or(after.is_empty().then_some("0"))?)
    } else {
        text.split_once(':').unwrap_or((text, "0"))
    };
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
    let good = !host.is_empty() && host.bytes().all(letter) && port.parse::<u16>().is_ok();
    good.then_some(())
}

/// A display name in quotes, its escapes kept. The library looks for the first `<` wherever it
/// is, and a control character is nothing to pass on (RFC 4475, 3.1.1.2 has both escaped).
fn write_name(name: &str, out: &mut String) {
    out.push('"');
    let mut escaped = false;
    for c in name.chars() {
        match c {
            '<' => out.push('('),
            '>' => out.push(')'),
            c if c.is_control() => {
                if escaped {
                    out.pop();
                }
            }
            c => out.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    out.push_str("\" ");
}

/// A header's value in its plainest form; as it is where nothing here knows its form.
pub(crate) fn plain(name: &str, value: &str) -> Result<String, Wrong> {
    match name {
        "Via" => via(value),
        "From" | "To" => party(value),
        "Contact" | "Route" | "Record-Route" => addresses(value),
        "CSeq" => Ok(value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")),
        _ => Ok(value.to_owned()),
    }
}

/// No control character but a tab, unless it is escaped in a quoted string (section 25.1,
/// quoted-pair).
pub(crate) fn is_text(value: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    value.bytes().all(|b| {
        let good = !b.is_ascii_control() || b == b'\t' || quoted && escaped;
        if b == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = b == b'\\' && quoted && !escaped;
        good
    })
}

/// Where the quoted string that has begun ends.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|b| {
        let ends = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        ends
    })
}

/// The first byte outside quotes for which this holds.
pub(crate) fn outside_quotes(text: &str, found: impl Fn(u8) -> bool) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().position(|b| {
        let here = !quoted && found(b);
        if b == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = b == b'\\' && quoted && !escaped;
        here
    })
}

/// The same, and outside `<…>`.
fn outside_brackets(text: &str, found: impl Fn(u8) -> bool) -> Option<usize> {
    let (mut at, mut rest) = (0, text);
    loop {
        let next = outside_quotes(rest, |b| b == b'<' || found(b))?;
        if !rest[next..].starts_with('<') {
            return Some(at + next);
        }
        let close = rest[next..].find('>')?;
        at += next + close + 1;
        rest = &text[at..];
    }
}

pub(crate) fn is_token(text: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(token)
}

fn is_scheme(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(letter)
}

fn is_sip(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips")
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "grammar_test.rs"]
mod tests;
