//! Makes PCM a little shorter or longer without changing its pitch (WSOLA: one similar stretch is
//! cut out or said twice, with a crossfade). Knows no packets; when to do it is the jitter's.

/// How much both need at the front of `pcm`, in milliseconds.
pub const NEEDS_MS: usize = 20;

/// Of 10 ms: between the longest and the shortest stretch that is cut out or repeated.
const LONGEST: usize = 125;
const SHORTEST: usize = 25;
/// Length of the crossfade, in the same unit.
const FADE: usize = 75;
/// How alike two places must be. Voiced speech and tones pass; a change of sound does not.
const ALIKE: f64 = 0.85;
/// So much less likeness is not heard.
const NO_WORSE: f64 = 0.000_2;
/// Below this mean square (-50 dBFS) a seam is not heard.
const SILENT: i64 = 5_369;

/// Removes 2.5 to 12.5 ms from the front part of `pcm`. Returns samples removed; 0 where no two
/// places are alike enough, unless `force`.
#[must_use]
pub fn shrink(pcm: &mut Vec<i16>, rate: u32, force: bool) -> usize {
    let Some((lag, fade)) = place(pcm, rate, force) else { return 0 };
    for i in 0..fade {
        pcm[lag + i] = mix(pcm[i], pcm[lag + i], i, fade);
    }
    pcm.drain(..lag);
    lag
}

/// Adds 2.5 to 12.5 ms to the front part of `pcm`. Returns samples added.
#[must_use]
pub fn grow(pcm: &mut Vec<i16>, rate: u32, force: bool) -> usize {
    let Some((lag, fade)) = place(pcm, rate, force) else { return 0 };
    let old = pcm.len();
    pcm.resize(old + lag, 0);
    pcm.copy_within(..old, lag);
    // The copy begins at `lag`; what stood there is now `lag` further on, not yet overwritten.
    for i in 0..fade {
        pcm[lag + i] = mix(pcm[2 * lag + i], pcm[lag + i], i, fade);
    }
    lag
}

fn mix(from: i16, to: i16, i: usize, length: usize) -> i16 {
    let (i, length) = (i as i32, length as i32);
    ((i32::from(from) * (length - i) + i32::from(to) * i) / length) as i16
}

/// The shift at which the signal is most like itself, and the length of the crossfade.
fn place(pcm: &[i16], rate: u32, force: bool) -> Option<(usize, usize)> {
    let unit = |tenths: usize| rate as usize * tenths / 10_000;
    let (shortest, longest, fade) = (unit(SHORTEST), unit(LONGEST), unit(FADE));
    if pcm.len() < longest + fade {
        return None;
    }
    let energy: i64 = pcm[..longest + fade].iter().map(|s| i64::from(*s).pow(2)).sum();
    if energy / ((longest + fade) as i64) < SILENT {
        return Some((longest, fade));
    }
    let stride = (rate as usize / 8_000).clamp(1, 4);
    let mut best = search(pcm, (shortest..=longest).step_by(stride), fade, stride);
    if stride > 1 {
        let near = best.1.saturating_sub(stride).max(shortest)..=(best.1 + stride).min(longest);
        best = search(pcm, near, fade, 1);
    }
    (best.0 >= ALIKE || force).then_some((best.1, fade))
}

fn search(
    pcm: &[i16],
    lags: impl Iterator<Item = usize>,
    fade: usize,
    stride: usize,
) -> (f64, usize) {
    let mut best = (-1.0, 0);
    for lag in lags {
        let likeness = likeness(pcm, lag, fade, stride);
        // Of equals the longest: fewer seams for the same gain.
        if likeness > best.0 - NO_WORSE {
            best = (likeness.max(best.0), lag);
        }
    }
    best
}

fn likeness(pcm: &[i16], lag: usize, length: usize, stride: usize) -> f64 {
    let (mut cross, mut here, mut there) = (0i64, 0i64, 0i64);
    for i in (0..length).step_by(stride) {
        let (a, b) = (i64::from(pcm[i]), i64::from(pcm[lag + i]));
        cross += a * b;
        here += a * a;
        there += b * b;
    }
    if here == 0 || there == 0 {
        return if here == there { 1.0 } else { 0.0 };
    }
    cross as f64 / ((here as f64) * (there as f64)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tones::Sine;

    #[test]
    fn length_changes_by_what_is_said_and_the_ends_stay() {
        for rate in [8_000u32, 16_000, 48_000] {
            let mut tone = vec![0; rate as usize / 25];
            Sine::new(rate, 440.0, -10.0).fill(&mut tone);
            let (mut short, mut long) = (tone.clone(), tone.clone());
            let removed = shrink(&mut short, rate, false);
            let added = grow(&mut long, rate, false);
            assert!(removed >= rate as usize / 400 && added == removed, "{rate}: {removed}");
            assert_eq!((short.len(), long.len()), (tone.len() - removed, tone.len() + added));
            assert_eq!((short[0], long[..20].to_vec()), (tone[0], tone[..20].to_vec()));
            assert_eq!(short.last(), tone.last());
            assert_eq!(long.last(), tone.last());
        }
    }

    #[test]
    fn what_is_not_alike_is_left_alone_unless_forced() {
        let mut noise = vec![0i16; 320];
        crate::noise::ComfortNoise::new(3).fill(20, &mut noise);
        assert_eq!(shrink(&mut noise.clone(), 8_000, false), 0);
        assert_eq!(grow(&mut noise.clone(), 8_000, false), 0);
        assert!(shrink(&mut noise, 8_000, true) > 0);
        assert_eq!(shrink(&mut vec![0; 159], 8_000, true), 0, "too short to find a place");
    }
}
