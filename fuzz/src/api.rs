//! What the API reads by hand: headers, ids and times, a body.

use undertone_api::fuzzing;

/// The first byte says which.
pub fn api(data: &[u8]) {
    let Some((which, data)) = data.split_first() else { return };
    match (which % 3, std::str::from_utf8(data)) {
        (0, Ok(text)) => fuzzing::headers(text),
        (1, Ok(text)) => fuzzing::word(text),
        _ => fuzzing::body(data),
    }
}
