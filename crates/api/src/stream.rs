//! The live sound of a call as an answer's body: a WAV whose length nobody knows yet.
//!
//! Ends cleanly with the call or the supervision, and with a broken connection when the reader
//! is two seconds behind.

use crate::commands::Supervised;
use crate::link::{Link, Peer};
use crate::problem::Problem;
use crate::request::accepts;
use crate::sound::LiveSound;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use std::io;
use std::sync::Arc;

const WAV: &[&str] =
    &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/*", "*/*"];
/// Head of the answer and framing of its chunks: counted against the sound, so that "took 60 ms"
/// errs to the late side.
const OVERHEAD_BYTES: u64 = 512;

/// 406 before anything is begun, if the reader takes no format that there is.
pub(crate) fn acceptable(headers: &HeaderMap) -> Result<(), Problem> {
    if accepts(headers, WAV) {
        return Ok(());
    }
    let detail = "A stream is sent as audio/wav; other formats (audio/ogg) are not there yet.";
    Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail))
}

/// 201 whose body is the sound.
pub(crate) fn answer(begun: Supervised, peer: Option<Peer>) -> Result<Response, Problem> {
    let Some(sound) = begun.sound else {
        tracing::error!(supervision = %begun.view.id, "a stream began without sound");
        return Err(Problem::internal());
    };
    let mut response = sounding(StatusCode::CREATED, sound, peer);
    let headers = response.headers_mut();
    let id = begun.view.id.as_str();
    if let Ok(value) = HeaderValue::from_str(&format!("/api/v1/supervisions/{id}")) {
        headers.insert(header::LOCATION, value);
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert("undertone-supervision", value);
    }
    Ok(response)
}

/// An answer whose body is this sound, until it ends.
pub(crate) fn sounding(status: StatusCode, sound: LiveSound, peer: Option<Peer>) -> Response {
    let link = peer.map(|peer| peer.link);
    if let Some(link) = link.clone() {
        sound.on_too_slow(move || link.cut());
    }
    let rate = sound.rate();
    let reading = Reading { sound, start: None, given_bytes: 0, link };
    let frames = futures::stream::unfold(Some(reading), next_chunk);
    let head = futures::stream::iter([Ok::<_, io::Error>(wav_header(rate))]);
    let body = Body::from_stream(futures::StreamExt::chain(head, frames));
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

struct Reading {
    sound: LiveSound,
    /// What the connection had sent when the sound began.
    start: Option<u64>,
    given_bytes: u64,
    link: Option<Arc<Link>>,
}

impl Reading {
    /// What the socket accepted of the sound so far; without a socket (a test that calls the
    /// router), what was asked for.
    fn took(&mut self) {
        let bytes = match &self.link {
            None => self.given_bytes,
            Some(link) => {
                let sent = link.sent_bytes();
                let start = *self.start.get_or_insert(sent);
                sent.saturating_sub(start + OVERHEAD_BYTES).min(self.given_bytes)
            }
        };
        let per_ms = u64::from(self.sound.rate()) * 2 / 1_000;
        self.sound.took((bytes / per_ms.max(1)) as u32);
    }
}

async fn next_chunk(reading: Option<Reading>) -> Option<(io::Result<Bytes>, Option<Reading>)> {
    let mut reading = reading?;
    reading.took();
    let Some(frame) = reading.sound.next().await else {
        if reading.sound.was_too_slow() {
            let error = io::Error::new(io::ErrorKind::TimedOut, "reader too slow");
            return Some((Err(error), None));
        }
        return None;
    };
    let mut bytes = Vec::with_capacity(frame.len() * 2);
    frame.iter().for_each(|sample| bytes.extend_from_slice(&sample.to_le_bytes()));
    reading.given_bytes += bytes.len() as u64;
    Some((Ok(bytes.into()), Some(reading)))
}

/// RIFF with both lengths at their largest, as players expect of a stream. 16-bit mono.
fn wav_header(rate: u32) -> Bytes {
    let mut out = Vec::with_capacity(44);
    out.extend_from_slice(b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&(rate * 2).to_le_bytes());
    out.extend_from_slice(b"\x02\0\x10\0data\xff\xff\xff\xff");
    out.into()
}
