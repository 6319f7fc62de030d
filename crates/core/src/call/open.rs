//! What is noted of a call while it lives, and what is made of the note when the process that
//! held the call is gone: an ended call with its last known time, nobody supervising it any more.
//!
//! Knows nothing of where a note is kept, and reads no clock: what ends a call here is told.

use super::Call;
use super::effect::CallRecord;
use crate::audit::{AuditEntry, Outcome, Who};
use crate::id::SupervisionId;
use crate::supervision::mode_code;
use crate::time::{Now, Wall};
use crate::view::{
    CallState, HeardView, Mode, SpanView, SupervisionState, SupervisionView, TimelineEntry,
    TimingView,
};
use std::collections::BTreeMap;

/// A live call at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCall {
    pub at: Wall,
    /// As it stood; not ended.
    pub record: CallRecord,
    /// By how many milliseconds each time grows in a second, as long as nothing happens.
    pub grows: TimingView,
}

impl Call {
    /// To be kept at once after every turn that changed something, so that whoever reads the
    /// latest note knows the state that still holds.
    pub fn noted(&self, now: Now) -> OpenCall {
        let (at, later) = (self.times.view(now.mono), self.times.view(now.mono.plus_ms(1_000)));
        let grows = each(&at, &later, |at, later| later.saturating_sub(at));
        OpenCall { at: now.wall, record: self.record(now), grows }
    }
}

impl OpenCall {
    /// The call as ended: all that ran went on until `seen`, when its process was last known to
    /// live, and ended there. Gives the rows that say so, and the record. No supervision of it is
    /// taken up again: a microphone that opens by itself would be a leak.
    pub fn closed(self, why: &str, seen: Wall, now: Wall) -> (Vec<AuditEntry>, CallRecord) {
        let OpenCall { at, mut record, grows } = self;
        let last = at.max(seen);
        let (org, call) = (record.org.clone(), record.view.id.clone());
        let row =
            |what: &str, about: Option<&SupervisionId>, outcome, mut detail: BTreeMap<_, _>| {
                detail.insert("why".to_owned(), why.to_owned());
                detail.insert("last_known_ms".to_owned(), last.0.to_string());
                AuditEntry {
                    org: org.clone(),
                    at: now,
                    who: Who::system(),
                    what: what.to_owned(),
                    call: Some(call.clone()),
                    supervision: about.cloned(),
                    outcome,
                    detail,
                }
            };
        let view = &mut record.view;
        let mut rows = Vec::new();
        for supervision in view.supervisions.iter_mut() {
            let (what, outcome) = match supervision.state {
                SupervisionState::Live => ("supervision.ended", Outcome::Allowed),
                SupervisionState::Connecting => {
                    ("supervision.failed", Outcome::Refused(vec![why.to_owned()]))
                }
                SupervisionState::Ended | SupervisionState::Failed => continue,
            };
            end_supervision(supervision, why, last);
            rows.push(row(what, Some(&supervision.id), outcome, lengths(supervision)));
        }
        rows.push(row("call.end", None, Outcome::Allowed, BTreeMap::new()));
        let ms = last.0.saturating_sub(at.0).max(0) as u64;
        view.timing = each(&view.timing, &grows, |so_far, grows| so_far + grows * ms / 1_000);
        view.state = CallState::Ended;
        view.ended_at = Some(last);
        view.end_reason = Some(why.to_owned());
        view.parties.iter_mut().for_each(|party| party.connected = false);
        let (what, who, detail) = ("ended", String::new(), why.to_owned());
        view.timeline.push(TimelineEntry { at: last, what, who, detail });
        view.heard.push(HeardView { at: last, ears: Vec::new() });
        (rows, record)
    }
}

fn end_supervision(supervision: &mut SupervisionView, why: &str, last: Wall) {
    supervision.state = match supervision.state {
        SupervisionState::Connecting => SupervisionState::Failed,
        _ => SupervisionState::Ended,
    };
    for span in supervision.spans.iter_mut().filter(|span| span.to.is_none()) {
        span.to = Some(last.max(span.from));
    }
    supervision.ended_at = Some(last);
    supervision.end_reason = Some(why.to_owned());
    supervision.version += 1;
}

/// How long each mode lasted, as in the row of any other end (R71).
fn lengths(supervision: &SupervisionView) -> BTreeMap<String, String> {
    let mut lengths = BTreeMap::new();
    for mode in [Mode::Listen, Mode::Whisper, Mode::Barge, Mode::Takeover] {
        let length = |span: &SpanView| span.to.map_or(0, |to| (to.0 - span.from.0).max(0));
        let spans = supervision.spans.iter().filter(|span| span.mode == mode);
        let ms: i64 = spans.map(length).sum();
        if ms > 0 {
            lengths.insert(format!("{}_ms", mode_code(mode)), ms.to_string());
        }
    }
    lengths.insert("last_mode".to_owned(), mode_code(supervision.mode).to_owned());
    lengths
}

fn each(a: &TimingView, b: &TimingView, f: impl Fn(u64, u64) -> u64) -> TimingView {
    TimingView {
        duration_ms: f(a.duration_ms, b.duration_ms),
        queue_ms: f(a.queue_ms, b.queue_ms),
        ring_ms: f(a.ring_ms, b.ring_ms),
        talk_ms: f(a.talk_ms, b.talk_ms),
        hold_ms: f(a.hold_ms, b.hold_ms),
        whisper_ms: f(a.whisper_ms, b.whisper_ms),
        listen_ms: f(a.listen_ms, b.listen_ms),
        barge_ms: f(a.barge_ms, b.barge_ms),
        takeover_ms: f(a.takeover_ms, b.takeover_ms),
        other_ms: f(a.other_ms, b.other_ms),
    }
}
