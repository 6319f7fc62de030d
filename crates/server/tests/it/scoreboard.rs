//! Who heard which frequency, interval by interval: measured, compared with what the table of
//! `docs/HEARING.md` allows, and printed so that a person can read it.
#![allow(clippy::print_stdout)] // the measured matrix is what a proof shows

use crate::stage::{RATE, SOON, tone};
use std::fmt::Write as _;
use std::time::Duration;
use undertone_phone::Recording;
use undertone_testkit::spectrum::level;
use undertone_testkit::tone_ear::{bursts_found, listen, steady};

/// Tones are said at -10 dBFS; what is mixed is not made quieter.
const HEARD_DBFS: f64 = -16.0;
const SILENT_DBFS: f64 = -45.0;
/// Within an interval, and at others than the customer: products of G.711 where three loud tones
/// sound together come near -55. For the customer's whole recording the limit is -55.
const SAID_DBFS: f64 = -45.0;
/// Stands for hold music: its notes and partials are quieter than this, and below this frequency.
pub const MUSIC: f64 = 0.0;
const MUSIC_DBFS: f64 = -18.0;
const MUSIC_HZ: f64 = 2_100.0;
/// Of the newest sound, to see whether a change has come through.
const LOOK: usize = RATE as usize / 10;
const INTERVAL_MS: usize = 400;
/// Intervals in which a browser may leave gaps, one after the other, before one is whole.
const GAPPY_MAX: usize = 20;

/// A listener and what is in the whole recording that may never be there.
struct Ear {
    name: &'static str,
    heard: Recording,
    never: Vec<f64>,
}

/// A listener and what it is to hear now, by name.
pub type Hears<'a> = (&'static str, &'a [f64]);

impl Ear {
    /// While nothing changes, no burst in it would be missed; those that are, with their tone.
    fn misses(&self, pcm: &[i16]) -> Vec<(&'static str, usize)> {
        let missed = self.never.iter().map(|hz| {
            let (caught, injected) = bursts_found(pcm, RATE, *hz, RATE as usize / 50);
            (name_of(*hz), injected - caught)
        });
        missed.filter(|(_, missed)| *missed > 0).collect()
    }
}

#[derive(Default)]
pub struct Scoreboard {
    /// A browser on a machine with much to do leaves gaps in what it says, and the network's
    /// paths change under it: less than is to be heard is waited out. More never is.
    gaps_pass: bool,
    ears: Vec<Ear>,
    rows: Vec<(String, &'static str, Vec<f64>)>,
}

fn name_of(hz: f64) -> &'static str {
    tone::ALL.iter().find(|(_, f)| *f == hz).map_or("?", |(name, _)| name)
}

impl Scoreboard {
    pub fn with_a_browser() -> Self {
        Self { gaps_pass: true, ..Self::default() }
    }

    pub fn add(&mut self, name: &'static str, heard: &Recording, never: &[f64]) {
        self.ears.push(Ear { name, heard: heard.clone(), never: never.into() });
    }

    fn ear(&self, name: &str) -> &Ear {
        self.ears.iter().rfind(|ear| ear.name == name).expect("a listener of that name")
    }

    /// Waits until each hears what is to be heard and no other tone, then for a while longer, and
    /// sees that in that while it stayed so: nothing more, not for 20 ms; nothing less.
    pub async fn interval(&mut self, what: &str, expected: &[Hears<'_>]) {
        for (name, hears) in expected {
            let settled = |pcm: &[i16]| is_so(pcm, hears);
            let heard = &self.ear(name).heard;
            if heard.until(LOOK, SOON, settled).await.is_none() {
                let end = heard.position();
                let levels = levels(&heard.between(end.saturating_sub(LOOK), end));
                self.print();
                panic!("{what}: the {name} does not hear just {hears:?} but {levels:?}");
            }
        }
        let starts: Vec<usize> =
            expected.iter().map(|(name, _)| self.ear(name).heard.position()).collect();
        for ((name, hears), from) in expected.iter().zip(starts) {
            let pcm = self.whole_interval(what, name, hears, from).await;
            self.rows.push((what.into(), *name, levels(&pcm)));
        }
    }

    /// The first interval from there on in which all that is to be heard is heard throughout, so
    /// steadily that at the customer no burst of what may never be there would be missed.
    async fn whole_interval(
        &self,
        what: &str,
        name: &str,
        hears: &[f64],
        mut from: usize,
    ) -> Vec<i16> {
        let heard = self.ear(name).heard.clone();
        for left in (0..=if self.gaps_pass { GAPPY_MAX } else { 0 }).rev() {
            let to = from + INTERVAL_MS * RATE as usize / 1_000;
            let missing = to.saturating_sub(heard.position());
            assert!(heard.more(missing, SOON).await, "{what}: nothing more comes to the {name}");
            let pcm = heard.between(from, to);
            nothing_else(what, name, hears, &pcm);
            let missed = if name == "customer" { self.ear(name).misses(&pcm) } else { Vec::new() };
            if is_so(&pcm, hears) && missed.is_empty() {
                return pcm;
            }
            let hears = levels(&pcm);
            assert!(left > 0, "{what}: the {name} hears {hears:.0?}; bursts missed: {missed:?}");
            from = to;
        }
        unreachable!("the last interval is whole, or the test has failed")
    }

    /// Waits until this is what it has heard for a whole interval: where something else may come
    /// first that is soon over (concealment fading is as quiet as music for a moment).
    pub async fn comes(&self, what: &str, name: &str, hears: &[f64], within: Duration) {
        let heard = &self.ear(name).heard;
        let whole = INTERVAL_MS * RATE as usize / 1_000;
        let pieces = |pcm: &[i16]| pcm.chunks(LOOK).all(|piece| is_so(piece, hears));
        if heard.until(whole, within, pieces).await.is_none() {
            let end = heard.position();
            let levels = levels(&heard.between(end.saturating_sub(whole), end));
            panic!("{what}: {hears:?} does not come to the {name}, who hears {levels:.0?}");
        }
    }

    /// The whole of every recording holds nothing that its listener may never hear; and the ear
    /// is not deaf: it finds the bursts put into the customer's very recording, but for one that
    /// falls together with the edge of a loud tone. (Others hear loud tones right beside, which
    /// mask some: those are printed only.)
    pub fn whole_recordings(&self) {
        let mut faults = Vec::new();
        for ear in &self.ears {
            let pcm = ear.heard.samples();
            let seconds = pcm.len() as f64 / f64::from(RATE);
            for hz in &ear.never {
                let mut found = listen(&pcm, RATE, *hz);
                if ear.name != "customer" {
                    found.hits.retain(|hit| hit.dbfs > SAID_DBFS);
                }
                let (caught, injected) = bursts_found(&pcm, RATE, *hz, RATE as usize / 25);
                let (name, label, hits) = (ear.name, name_of(*hz), &found.hits);
                println!(
                    "{name:>11} {seconds:5.1} s, {label:>8} {hz} Hz: {} hits in {} windows, peak \
                     {:6.1} dBFS; bursts found {caught}/{injected}",
                    hits.len(),
                    found.windows,
                    found.peak_dbfs,
                );
                if !hits.is_empty() {
                    let at: Vec<_> = hits.iter().map(|h| (h.at_sample / 8, h.dbfs)).collect();
                    faults.push(format!("the {name} heard {label} at (ms, dBFS) {at:.1?}"));
                }
                if name == "customer" && injected - caught > (injected / 50).max(2) {
                    faults.push(format!("bursts of {label}: {caught} of {injected} found"));
                }
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }

    /// The measured matrix: median level of each tone at each listener.
    pub fn print(&self) {
        let mut text = format!("{:<34}{:<11}", "interval", "listener");
        for (name, _) in tone::ALL {
            let _ = write!(text, "{name:>8}");
        }
        for (what, listener, levels) in &self.rows {
            let _ = write!(text, "\n{what:<34}{listener:<11}");
            for level in levels {
                if *level < -70.0 {
                    text += "       .";
                } else {
                    let _ = write!(text, "{level:>8.0}");
                }
            }
        }
        println!("{text}");
    }
}

/// No tone but these, not for 20 ms.
fn nothing_else(what: &str, name: &str, hears: &[f64], pcm: &[i16]) {
    let music = |hz: f64| hears.contains(&MUSIC) && hz < MUSIC_HZ;
    for (label, hz) in tone::ALL {
        if !hears.contains(&hz) && !music(hz) {
            let mut hits = listen(pcm, RATE, hz).hits;
            hits.retain(|hit| hit.dbfs > SAID_DBFS);
            assert!(hits.is_empty(), "{what}: the {name} heard {label}: {hits:.0?}");
        }
    }
}

fn levels(pcm: &[i16]) -> Vec<f64> {
    tone::ALL.iter().map(|(_, hz)| steady(pcm, RATE, *hz)).collect()
}

/// Whether just these tones are steadily there.
fn is_so(pcm: &[i16], hears: &[f64]) -> bool {
    let music = hears.contains(&MUSIC);
    let is_so = |hz: f64| match steady(pcm, RATE, hz) {
        loud if hears.contains(&hz) => loud > HEARD_DBFS,
        quiet if music && hz < MUSIC_HZ => quiet < MUSIC_DBFS,
        quiet => quiet < SILENT_DBFS,
    };
    tone::ALL.iter().all(|(_, hz)| is_so(*hz)) && (!music || level(pcm) > SILENT_DBFS)
}
