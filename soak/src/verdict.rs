//! The closing table, and whether all of it is good.

use crate::books::Books;
use crate::figures::{OF_CALLS, Sample, Samples, Slope};
use crate::tally::{Tally, count};
use std::time::Duration;

/// Promise 27 counts from an hour on; before, caches still fill, and more is let pass.
const RSS_MIB_AN_HOUR: f64 = 1.0;
const RSS_MIB_AN_HOUR_EARLY: f64 = 4.0;
const WARM_ENOUGH: Duration = Duration::from_secs(4 * 3_600);
/// A slope is judged on no less than this; shorter runs judge what is left at rest.
const JUDGED_FROM: Duration = Duration::from_secs(600);
/// Connections of the database and of our own questions, opened when first needed.
const HANDLES_KEPT: f64 = 24.0;
const HANDLES_AN_HOUR: f64 = 10.0;

/// How the server's process ended, and what it logged as errors.
pub struct End {
    pub stopped: anyhow::Result<()>,
    pub errors: Vec<String>,
}

pub struct Verdict {
    lines: Vec<(String, String, bool)>,
    details: Vec<String>,
}

impl Verdict {
    pub fn of(
        tally: &Tally,
        samples: &Samples,
        idle: Sample,
        rested: Sample,
        books: Books,
        end: End,
    ) -> Verdict {
        let mut verdict = Verdict { lines: Vec::new(), details: Vec::new() };
        verdict.say("calls", tally.calls(), tally.calls() > 0);
        let kinds = [&tally.talked, &tally.abandoned, &tally.refused, &tally.to_nobody].map(count);
        let [talked, abandoned, refused, nobody] = kinds;
        let of = format!("{talked}, {abandoned}, {refused}, {nobody}");
        verdict.say("  talked, abandoned, refused, to nobody", of, true);
        verdict.say("  not begun: nobody free", count(&tally.not_begun), true);
        let acts = [&tally.supervisions, &tally.changes, &tally.overtaken].map(count);
        let [live, changes, overtaken] = acts;
        let of = format!("{live}, {changes}, {overtaken}");
        verdict.say("supervisions live, acts, overtaken acts", of, live > 0 || talked < 20);
        verdict.say("calls lost", count(&tally.lost), count(&tally.lost) == 0);
        let alarms = rested.of("privacy_alarms_total");
        verdict.say("privacy alarms", alarms, alarms == 0.0);
        // An ear that hears nothing finds no leak: it must have heard the whisper where it belongs.
        let [listened, whispered] = [&tally.listened, &tally.whispered].map(count);
        let of = format!("{listened}, {whispered}");
        let heard = listened > 0 && whispered > 0;
        verdict.say("windows at customers, of whisper at agents", of, heard || live < 20);
        for name in
            ["audit_rows_failed_total", "calls_failed_total", "media_bridges_panicked_total"]
        {
            verdict.say(name, rested.of(name), rested.of(name) == 0.0);
        }
        verdict.growth(samples);
        for name in OF_CALLS {
            verdict.say(&format!("left at rest: {name}"), rested.of(name), rested.of(name) == 0.0);
        }
        let kept = rested.handles - idle.handles;
        let of = format!("{} -> {}", idle.handles, rested.handles);
        verdict.say("handles idle -> at rest", of, kept <= HANDLES_KEPT);
        let of = format!("{:.1} -> {:.1}", idle.rss_mib, rested.rss_mib);
        verdict.say("rss idle -> at rest, MiB", of, true);
        let of = format!("{}, {}, {}", books.calls, books.supervisions, books.rows);
        verdict.say("on record: calls, supervisions, audit rows", of, books.calls > 0);
        verdict.say(
            "times and records that do not hold",
            books.wrong.len(),
            books.wrong.is_empty(),
        );
        verdict.say("audit chain", &books.chain, books.chain.starts_with("whole"));
        let End { stopped, errors } = end;
        let end = stopped.as_ref().map_or_else(|error| format!("{error:#}"), |_| "good".into());
        verdict.say("end of the server", end, stopped.is_ok());
        verdict.say("errors in its log", errors.len(), errors.is_empty());
        let (failed, why) = tally.failures();
        verdict.say("failures in all", failed, failed == 0);
        verdict.details.extend(why);
        verdict.details.extend(errors.into_iter().take(10));
        verdict.details.extend(books.wrong.into_iter().take(40));
        verdict
    }

    fn growth(&mut self, samples: &Samples) {
        let long = samples.length() >= JUDGED_FROM;
        let most = match samples.length() >= WARM_ENOUGH {
            true => RSS_MIB_AN_HOUR,
            false => RSS_MIB_AN_HOUR_EARLY,
        };
        let say = |slope: Slope| format!("{:+.2} ± {:.2}", slope.per_hour, slope.margin);
        let mut one = |name: &str, slope: Option<Slope>, most: f64| {
            let text = slope.map_or("too short to say".into(), say);
            // What is surely more than allowed is a leak; what may be noise is none.
            let good = slope.is_none_or(|slope| slope.per_hour - slope.margin <= most);
            self.say(&format!("{name} an hour, after warm-up"), text, good || !long);
        };
        one("rss, MiB", samples.slope(|s| s.rss_mib), most);
        one("handles", samples.slope(|s| s.handles), HANDLES_AN_HOUR);
        one("ports", samples.slope(|s| s.of("media_ports_in_use")), HANDLES_AN_HOUR);
        one("dialogs", samples.slope(|s| s.of("sip_dialogs")), HANDLES_AN_HOUR);
        one("threads", samples.slope(|s| s.threads), 1.0);
    }

    fn say(&mut self, name: &str, value: impl std::fmt::Display, good: bool) {
        self.lines.push((name.to_owned(), value.to_string(), good));
    }

    pub fn is_good(&self) -> bool {
        self.lines.iter().all(|(_, _, good)| *good)
    }

    #[allow(clippy::print_stdout)] // a command line's own output
    pub fn print(&self, samples: &Samples) {
        println!("\nsoak of {:.1} min", samples.length().as_secs_f64() / 60.0);
        for (name, value, good) in &self.lines {
            println!("  {name:<46} {value:<24} {}", if *good { "" } else { "BAD" });
        }
        for line in &self.details {
            println!("  ! {line}");
        }
        println!("{}", if self.is_good() { "PASSED" } else { "FAILED" });
    }
}
