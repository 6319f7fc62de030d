//! `Idempotency-Key`: the same asking, sent again within ten minutes, gets the same answer and
//! does nothing twice. Bounded; per API key, so that nobody sees another's answers.

use crate::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const KEPT: Duration = Duration::from_secs(600);
const MAX_KEPT: usize = 10_000;
const MAX_KEY_BYTES: usize = 128;
const HEADER: &str = "idempotency-key";

/// An answer that can be given again.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, Body::from(self.body)).into_response()
    }
}

/// Who asked, for what, under which key.
type Name = (String, String, String);

struct Entry {
    since: Instant,
    asked: [u8; 32],
    /// None while the first asking runs.
    answer: Option<Answer>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<Name, Entry>,
    /// By age; a name may be here though its entry is gone.
    order: VecDeque<(Instant, Name)>,
}

#[derive(Clone, Default)]
pub(crate) struct Idempotency(Arc<Mutex<Kept>>);

/// What to do with this asking.
pub(crate) enum Asked {
    Do(Option<Ticket>),
    Repeat(Answer),
}

/// The right to answer for a name. Dropped without an answer, the name is free again.
pub(crate) struct Ticket {
    kept: Idempotency,
    name: Name,
    answered: bool,
}

impl Idempotency {
    pub(crate) fn asked(
        &self,
        headers: &HeaderMap,
        who: &str,
        what: &str,
        body: &[u8],
    ) -> Result<Asked, Problem> {
        let Some(key) = headers.get(HEADER) else { return Ok(Asked::Do(None)) };
        let key = key.to_str().unwrap_or_default().trim();
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            let detail = "Idempotency-Key takes 1 to 128 visible ASCII characters.";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_header", detail));
        }
        let name: Name = (who.to_owned(), what.to_owned(), key.to_owned());
        let asked: [u8; 32] = Sha256::digest(body).into();
        let now = Instant::now();
        let mut kept = self.lock();
        kept.forget_old(now);
        if let Some(entry) = kept.entries.get(&name) {
            return entry.repeat(asked).map(Asked::Repeat);
        }
        if kept.entries.len() >= MAX_KEPT {
            let detail = "Too many Idempotency-Keys in the last ten minutes.";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail));
        }
        kept.entries.insert(name.clone(), Entry { since: now, asked, answer: None });
        kept.order.push_back((now, name.clone()));
        Ok(Asked::Do(Some(Ticket { kept: self.clone(), name, answered: false })))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn forget_old(&mut self, now: Instant) {
        while let Some((since, name)) = self.order.front() {
            if now.duration_since(*since) < KEPT {
                break;
            }
            // One that still runs keeps its name until it ends.
            if self.entries.get(name).is_some_and(|e| e.since == *since && e.answer.is_some()) {
                self.entries.remove(name);
            }
            self.order.pop_front();
        }
    }
}

impl Entry {
    fn repeat(&self, asked: [u8; 32]) -> Result<Answer, Problem> {
        if self.asked != asked {
            let detail = "This Idempotency-Key was used for another request.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, "idempotency_key_reused", detail));
        }
        let Some(mut answer) = self.answer.clone() else {
            let detail = "The first request with this Idempotency-Key is still running.";
            return Err(Problem::new(StatusCode::CONFLICT, "idempotency_in_progress", detail));
        };
        answer.headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        Ok(answer)
    }
}

impl Ticket {
    /// Keeps an answer that did something; one that did nothing may be asked for again.
    pub(crate) fn answer(mut self, answer: &Answer) {
        if answer.status.is_success()
            && let Some(entry) = self.kept.lock().entries.get_mut(&self.name)
        {
            entry.answer = Some(answer.clone());
            self.answered = true;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.answered {
            self.kept.lock().entries.remove(&self.name);
        }
    }
}
