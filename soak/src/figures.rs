//! The server's figures over time: a sample a second, a line a minute, and how fast each grows.

use crate::server::Server;
use crate::tally::{Tally, count};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Part of the load's time in which pools and caches fill; growth is judged after it.
const WARM_UP: f64 = 0.25;
/// Neighbouring samples say the same: they are judged in blocks of this many.
const BLOCK: usize = 10;

#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub rss_mib: f64,
    pub threads: f64,
    pub handles: f64,
    /// By their names in /metrics, without the prefix.
    pub figures: HashMap<String, f64>,
}

/// What must be 0 once no call is left.
pub const OF_CALLS: [&str; 7] = [
    "calls_live",
    "media_bridges",
    "media_legs",
    "media_taps",
    "media_ports_in_use",
    "sip_dialogs",
    "sip_transactions",
];

impl Sample {
    pub fn of(&self, name: &str) -> f64 {
        self.figures.get(name).copied().unwrap_or(f64::NAN)
    }

    pub fn is_at_rest(&self) -> bool {
        OF_CALLS.iter().all(|name| self.of(name) == 0.0)
    }
}

pub struct Samples {
    began: Instant,
    /// Seconds since the beginning, and what was seen.
    all: Vec<(f64, Sample)>,
    minutes: u64,
    frozen: bool,
}

/// A line through samples: units an hour, and how far off that may be (95 %).
#[derive(Clone, Copy, Debug)]
pub struct Slope {
    pub per_hour: f64,
    pub margin: f64,
}

impl Samples {
    pub fn new(began: Instant) -> Samples {
        Samples { began, all: Vec::new(), minutes: 0, frozen: false }
    }

    pub async fn take(&mut self, server: &Server) {
        if let Some(sample) = server.sample().await
            && !self.frozen
        {
            self.all.push((self.began.elapsed().as_secs_f64(), sample));
        }
    }

    /// The load is over: what comes now is its end.
    pub fn freeze(&mut self) {
        self.frozen = true;
    }

    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.all.last().map_or(0.0, |(at, _)| *at))
    }

    #[allow(clippy::print_stdout)] // a command line's own output
    pub fn maybe_print(&mut self, tally: &Tally) {
        let minutes = self.began.elapsed().as_secs() / 60;
        let Some((_, now)) = self.all.last().filter(|_| minutes > self.minutes) else { return };
        self.minutes = minutes;
        let (failed, _) = tally.failures();
        println!(
            "min {minutes:>3}  calls {:>6} (live {:>3})  supervisions {:>5}  changes {:>6}  \
             rss {:>6.1} MiB  handles {:>4}  ports {:>4}  dialogs {:>4}  threads {:>3}  \
             lost {}  alarms {}  failures {failed}",
            tally.calls(),
            now.of("calls_live"),
            count(&tally.supervisions),
            count(&tally.changes),
            now.rss_mib,
            now.handles,
            now.of("media_ports_in_use"),
            now.of("sip_dialogs"),
            now.threads,
            count(&tally.lost),
            now.of("privacy_alarms_total"),
        );
    }

    /// Growth of a figure after the warm-up that the number of live calls does not explain.
    pub fn slope(&self, of: impl Fn(&Sample) -> f64) -> Option<Slope> {
        let end = self.all.last()?.0;
        let warm: Vec<_> = self.all.iter().filter(|(at, _)| *at >= end * WARM_UP).collect();
        let mean = |block: &[&(f64, Sample)], f: &dyn Fn(&(f64, Sample)) -> f64| {
            block.iter().map(|s| f(s)).sum::<f64>() / block.len() as f64
        };
        let points: Vec<[f64; 3]> = warm
            .chunks_exact(BLOCK)
            .map(|block| {
                let hours = mean(block, &|(at, _)| at / 3_600.0);
                let live = mean(block, &|(_, s)| s.of("media_legs"));
                [hours, live, mean(block, &|(_, s)| of(s))]
            })
            .collect();
        fit(&points)
    }
}

/// Least squares of `z = a + b·x + c·y`: b, with 1.96 of its standard errors.
fn fit(points: &[[f64; 3]]) -> Option<Slope> {
    let n = points.len() as f64;
    if points.len() < 6 {
        return None;
    }
    let mean = |i: usize| points.iter().map(|p| p[i]).sum::<f64>() / n;
    let (mx, my, mz) = (mean(0), mean(1), mean(2));
    let sum = |f: &dyn Fn(f64, f64, f64) -> f64| {
        points.iter().map(|p| f(p[0] - mx, p[1] - my, p[2] - mz)).sum::<f64>()
    };
    let (xx, yy, xy) = (sum(&|x, _, _| x * x), sum(&|_, y, _| y * y), sum(&|x, y, _| x * y));
    let (xz, yz) = (sum(&|x, _, z| x * z), sum(&|_, y, z| y * z));
    // Where the load never changed, only time is left to explain anything.
    let (yy, xy, yz) = if yy < 1e-9 { (1.0, 0.0, 0.0) } else { (yy, xy, yz) };
    let det = xx * yy - xy * xy;
    if det <= 0.0 {
        return None;
    }
    let (b, c) = ((xz * yy - yz * xy) / det, (yz * xx - xz * xy) / det);
    let rest = sum(&|x, y, z| (z - b * x - c * y).powi(2)) / (n - 3.0);
    Some(Slope { per_hour: b, margin: 1.96 * (rest * yy / det).sqrt() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_from_load_and_from_noise() {
        let point = |n: usize, slope: f64| {
            let (hours, live) = (n as f64 / 360.0, ((n * 7919) % 23) as f64);
            let noise = ((n * 104_729) % 17) as f64 / 17.0 - 0.5;
            [hours, live, 80.0 + slope * hours + 0.3 * live + noise]
        };
        let flat: Vec<_> = (0..270).map(|n| point(n, 0.0)).collect();
        let flat = fit(&flat).unwrap();
        assert!(flat.per_hour.abs() <= 2.0 * flat.margin, "{flat:?}");
        let leaking: Vec<_> = (0..270).map(|n| point(n, 5.0)).collect();
        let leaking = fit(&leaking).unwrap();
        assert!((leaking.per_hour - 5.0).abs() < 0.5, "{leaking:?}");
        assert!(leaking.per_hour - leaking.margin > 4.0, "{leaking:?}");
    }

    #[test]
    fn too_little_says_nothing() {
        assert!(fit(&[[0.0, 1.0, 2.0]; 3]).is_none());
    }
}
