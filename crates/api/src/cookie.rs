//! The session's cookie, and the two checks that a page of another site cannot pass: the CSRF
//! header and the Origin. A request with an API key needs neither: no browser sends one by itself.

use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};

/// Under HTTPS: a browser takes it only with Secure, Path=/ and no Domain (RFC 6265bis 4.1.3.2).
const NAME_HTTPS: &str = "__Host-undertone";
const NAME: &str = "undertone";
/// Half a year.
const DEVICE_S: u32 = 180 * 86_400;
pub(crate) const CSRF_HEADER: &str = "x-undertone-csrf";

fn name(https: bool) -> &'static str {
    if https { NAME_HTTPS } else { NAME }
}

fn device_name(https: bool) -> &'static str {
    if https { "__Host-undertone-device" } else { "undertone-device" }
}

/// The session's token, if exactly one cookie of that name came.
pub(crate) fn token(headers: &HeaderMap, https: bool) -> Option<&str> {
    only(headers, name(https))
}

/// What says that somebody has signed in on this browser before.
pub(crate) fn device(headers: &HeaderMap, https: bool) -> Option<&str> {
    only(headers, device_name(https))
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut ours = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let first = ours.next()?;
    // Two of one name: one of them was planted by a neighbour of the domain.
    ours.next().is_none().then_some(first)
}

pub(crate) fn set(token: &str, https: bool) -> Option<HeaderValue> {
    written(&format!("{}={token}", name(https)), https)
}

/// Outlives sessions: it is what tells a browser that is known from one that is not.
pub(crate) fn set_device(token: &str, https: bool) -> Option<HeaderValue> {
    written(&format!("{}={token}; Max-Age={DEVICE_S}", device_name(https)), https)
}

pub(crate) fn unset(https: bool) -> Option<HeaderValue> {
    written(&format!("{}=; Max-Age=0", name(https)), https)
}

fn written(pair: &str, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{pair}; HttpOnly; SameSite=Strict; Path=/{secure}")).ok()
}

/// Whether a request that a cookie signs in may change something.
pub(crate) fn may_change(method: &Method, headers: &HeaderMap, csrf: &str, https: bool) -> bool {
    if matches!(*method, Method::GET | Method::HEAD) {
        return true;
    }
    let sent = headers.get(CSRF_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    same(sent, csrf.as_bytes()) && own_origin(headers, https)
}

/// As long for a guess that begins right as for any other.
pub fn same_secret(a: &str, b: &str) -> bool {
    same(a.as_bytes(), b.as_bytes())
}

fn same(a: &[u8], b: &[u8]) -> bool {
    let differing = a.iter().zip(b).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && !b.is_empty() && differing == 0
}

/// Whether Origin, if it is there, names the host and port that were asked; under HTTPS a page
/// that came without it is a stranger's, who stands in between.
pub(crate) fn own_origin(headers: &HeaderMap, https: bool) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok());
    let (Some(origin), Some(ours)) = (origin, host) else { return false };
    let scheme = origin.scheme_str();
    let fits = scheme == Some("https") || (scheme == Some("http") && !https);
    fits && origin.authority().is_some_and(|theirs| theirs.as_str().eq_ignore_ascii_case(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in all {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn one_cookie_of_our_name_is_the_session_and_two_are_none() {
        let one = headers(&[("cookie", "a=b; undertone=tok; c=d")]);
        assert_eq!(token(&one, false), Some("tok"));
        assert_eq!(token(&one, true), None);
        let host = headers(&[("cookie", "undertone=planted; __Host-undertone=tok")]);
        assert_eq!(token(&host, true), Some("tok"));
        for twice in [
            headers(&[("cookie", "undertone=a; undertone=b")]),
            headers(&[("cookie", "undertone=a"), ("cookie", "undertone=b")]),
        ] {
            assert_eq!(token(&twice, false), None);
        }
    }

    #[test]
    fn a_change_needs_the_word_of_the_page_and_no_foreign_origin() {
        let may =
            |all: &[(&'static str, &str)]| may_change(&Method::POST, &headers(all), "word", false);
        let (host, word) = (("host", "ut.example:8080"), (CSRF_HEADER, "word"));
        assert!(may(&[host, word]));
        assert!(may(&[host, word, ("origin", "http://UT.example:8080")]));
        assert!(!may(&[host]));
        assert!(!may(&[host, (CSRF_HEADER, "wor")]));
        assert!(!may(&[host, (CSRF_HEADER, "words")]));
        for origin in ["http://evil.example", "http://ut.example:8081", "null", "x\u{7f}"] {
            let Ok(value) = HeaderValue::from_str(origin) else { continue };
            let mut all = headers(&[host, word]);
            all.insert("origin", value);
            assert!(!may_change(&Method::DELETE, &all, "word", false), "{origin}");
        }
        assert!(!may_change(&Method::POST, &headers(&[host, (CSRF_HEADER, "")]), "", false));
        assert!(may_change(&Method::GET, &headers(&[host]), "word", false));
        let from = |origin| headers(&[host, word, ("origin", origin)]);
        let https = |origin| may_change(&Method::PUT, &from(origin), "word", true);
        assert!(https("https://ut.example:8080") && !https("http://ut.example:8080"));
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
        let plain = set("tok", false).unwrap();
        assert_eq!(plain, "undertone=tok; HttpOnly; SameSite=Strict; Path=/");
        let https = set("tok", true).unwrap();
        assert!(https.to_str().unwrap().starts_with("__Host-undertone=tok; "));
        assert!(https.to_str().unwrap().ends_with("; Path=/; Secure"));
        let device = set_device("dev", true).unwrap();
        let device = device.to_str().unwrap();
        assert!(device.starts_with("__Host-undertone-device=dev; Max-Age=15552000; HttpOnly; "));
        assert!(unset(true).unwrap().to_str().unwrap().contains("Max-Age=0"));
    }
}
