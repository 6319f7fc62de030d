//! Doors for the fuzz targets to what the API reads by hand; nothing else uses them. Each reads
//! whatever it is given to an end, and asserts what must hold of what it made of it.

use crate::request::{accepts, if_match, parse, respond_async};
use crate::router::token;
use crate::wire;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::IntoResponse as _;

/// Lines of `name: value`, as headers of a request.
pub fn headers(text: &str) {
    let mut headers = HeaderMap::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')).take(64) {
        let (name, value) = (name.parse::<HeaderName>(), value.trim().parse::<HeaderValue>());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    if let Ok(Some(version)) = if_match(&headers) {
        let mut ours = HeaderMap::new();
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
            ours.insert(header::IF_MATCH, tag);
        }
        assert!(matches!(if_match(&ours), Ok(Some(same)) if same == version), "{version}");
    }
    if let Some(token) = token(&headers) {
        let shown = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
        let ends = shown.is_some_and(|shown| shown.trim_ascii_end().ends_with(token.as_bytes()));
        assert!(ends && token.trim() == token, "a token that nobody showed");
    }
    let named = headers.contains_key("prefer");
    assert!(named || !respond_async(&headers), "a preference that nobody has");
    // What is accepted in one kind is accepted in more.
    let (one, two) = (["audio/wav"], ["audio/wav", "*/*"]);
    assert!(!accepts(&headers, &one) || accepts(&headers, &two), "{headers:?}");
}

/// An id or a time in a path or a query.
pub fn word(text: &str) {
    if let Ok(seat) = wire::seat_of(text) {
        assert_eq!(wire::party_id(seat), text, "one party has one id");
    }
    if let Ok(at) = wire::moment("from", text) {
        let written = wire::instant(at);
        let again = wire::moment("from", &written);
        assert!(matches!(again, Ok(same) if same == at), "{text:?} became {written:?}");
    }
}

/// A body: what is refused is refused with a status that says so.
pub fn body(bytes: &[u8]) {
    if let Err(problem) = parse::<wire::LegWire>(bytes) {
        assert!([400, 422].contains(&problem.into_response().status().as_u16()));
    }
}
