//! The times of one ended call, as `GET /calls/{id}` gives them, against each other and against its
//! spans (`metrics.md` 5a).

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Wall time in whole milliseconds beside sums of monotonic microseconds; and a clock that is
/// being disciplined meanwhile.
const ROUNDING_MS: i64 = 30;
/// Four parts, each rounded down.
const PARTS_MS: i64 = 4;

pub fn at_ms(text: &Value) -> Option<i64> {
    let at = OffsetDateTime::parse(text.as_str()?, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Everything about this call that does not hold.
pub fn broken(call: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            broken.push(what);
        }
    };
    let ms = |name: &str| call["timing"][name].as_i64().unwrap_or(i64::MIN / 4);
    let near = |a: i64, b: i64| (a - b).abs() <= ROUNDING_MS;
    let [duration, queue, ring] = ["duration_ms", "queue_ms", "ring_ms"].map(ms);
    let [talk, hold, other] = ["talk_ms", "hold_ms", "other_ms"].map(ms);
    must(call["state"] == "ended", format!("state {}", call["state"]));
    let sum = queue + ring + talk + hold + other;
    must(duration == sum, format!("duration {duration}, its parts {sum}"));
    must((0..=PARTS_MS).contains(&other), format!("{other} ms are not explained"));
    let (started, ended) = (at_ms(&call["started_at"]), at_ms(&call["ended_at"]));
    let (Some(started), Some(ended)) = (started, ended) else {
        return vec!["no start or no end".into()];
    };
    must(near(ended - started, duration), format!("{} by the wall, {duration}", ended - started));
    match at_ms(&call["answered_at"]) {
        Some(answered) => {
            let before = answered - started;
            must(near(before, queue + ring), format!("answered after {before}, {queue} + {ring}"));
        }
        None => must(talk == 0 && hold == 0, format!("never answered, {talk} + {hold}")),
    }
    for (mode, name) in [
        ("listen", "listen_ms"),
        ("whisper", "whisper_ms"),
        ("barge", "barge_ms"),
        ("takeover", "takeover_ms"),
    ] {
        let (union, spans) = union_of(call, &[mode]);
        let (told, slack) = (ms(name), ROUNDING_MS + 2 * spans);
        must((union - told).abs() <= slack, format!("{name} {told}, its spans {union}"));
    }
    // Whoever barges in is connected to the customer: that is talk, or hold of the customer.
    let (aloud, spans) = union_of(call, &["barge", "takeover"]);
    let slack = ROUNDING_MS + 2 * spans;
    must(aloud <= talk + hold + slack, format!("aloud {aloud}, talk {talk}, hold {hold}"));
    for supervision in call["supervisions"].as_array().into_iter().flatten() {
        broken.extend(broken_spans(supervision, started, ended));
    }
    broken
}

fn broken_spans(supervision: &Value, started: i64, ended: i64) -> Vec<String> {
    let mut broken = Vec::new();
    let id = &supervision["id"];
    if !["ended", "failed"].contains(&supervision["state"].as_str().unwrap_or_default()) {
        broken.push(format!("{id} is {} on an ended call", supervision["state"]));
    }
    let mut last = started;
    for span in supervision["spans"].as_array().into_iter().flatten() {
        match (at_ms(&span["from"]), at_ms(&span["to"])) {
            (Some(from), Some(to)) if last <= from && from <= to && to <= ended => last = to,
            _ => broken.push(format!("{id} has a span out of order: {span}")),
        }
    }
    broken
}

/// The length of the union of all spans in these modes, and how many there are.
fn union_of(call: &Value, modes: &[&str]) -> (i64, i64) {
    let supervisions = call["supervisions"].as_array().into_iter().flatten();
    let spans = supervisions.flat_map(|s| s["spans"].as_array().into_iter().flatten());
    let mut spans: Vec<(i64, i64)> = spans
        .filter(|span| span["mode"].as_str().is_some_and(|mode| modes.contains(&mode)))
        .filter_map(|span| Some((at_ms(&span["from"])?, at_ms(&span["to"])?)))
        .collect();
    spans.sort_unstable();
    let (mut length, mut reached) = (0, i64::MIN);
    for (from, to) in &spans {
        length += (to - (*from).max(reached)).max(0);
        reached = reached.max(*to);
    }
    (length, spans.len() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(s: i64) -> String {
        OffsetDateTime::from_unix_timestamp(s).unwrap().format(&Rfc3339).unwrap()
    }

    /// Vector 5 of `metrics.md`: two who barge in at once count once.
    fn two_barge() -> Value {
        let barge = |from, to| {
            let span = json!({ "mode": "barge", "from": at(from), "to": at(to) });
            json!({ "id": "s", "state": "ended", "spans": [span] })
        };
        json!({
            "state": "ended", "started_at": at(0), "answered_at": at(10), "ended_at": at(310),
            "timing": {
                "duration_ms": 310_000, "queue_ms": 0, "ring_ms": 10_000, "talk_ms": 300_000,
                "hold_ms": 0, "other_ms": 0, "listen_ms": 0, "whisper_ms": 0,
                "barge_ms": 150_000, "takeover_ms": 0
            },
            "supervisions": [barge(110, 210), barge(160, 260)],
        })
    }

    #[test]
    fn what_adds_up_is_left_alone() {
        assert_eq!(broken(&two_barge()), Vec::<String>::new());
    }

    #[test]
    fn each_identity_is_missed_when_it_does_not_hold() {
        for (path, wrong) in [
            ("/timing/talk_ms", json!(299_000)),
            ("/timing/other_ms", json!(900)),
            ("/timing/barge_ms", json!(200_000)),
            ("/timing/whisper_ms", json!(1_000)),
            ("/answered_at", json!(at(12))),
            ("/ended_at", json!(at(309))),
            ("/state", json!("talking")),
            ("/supervisions/0/state", json!("live")),
            ("/supervisions/0/spans/0/to", Value::Null),
        ] {
            let mut call = two_barge();
            *call.pointer_mut(path).unwrap() = wrong;
            assert!(!broken(&call).is_empty(), "{path}");
        }
    }
}
