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
const ALIKE: f32 = 0.85;
/// So much less likeness is not heard.
const NO_WORSE: f32 = 0.000_2;
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
    let (mut coarse, mut fine) = ([0.0; NEEDS_MS * 12], [0.0; NEEDS_MS * 48]);
    let thinned = fill(&mut coarse, pcm.iter().step_by(stride).take((longest + fade) / stride));
    let lags = shortest / stride..longest / stride + 1;
    let mut best = search(thinned, lags, fade / stride);
    best.1 *= stride;
    if stride > 1 {
        let near = best.1.saturating_sub(stride).max(shortest)..(best.1 + stride).min(longest) + 1;
        best = search(fill(&mut fine, pcm.iter().take(longest + fade)), near, fade);
    }
    (best.0 >= ALIKE || force).then_some((best.1, fade))
}

fn fill<'a, 'b>(into: &'a mut [f32], from: impl Iterator<Item = &'b i16>) -> &'a [f32] {
    let mut n = 0;
    for (to, sample) in into.iter_mut().zip(from) {
        *to = f32::from(*sample);
        n += 1;
    }
    &into[..n]
}

/// The best of the lags by normalised correlation, over `length` samples.
fn search(pcm: &[f32], lags: std::ops::Range<usize>, length: usize) -> (f32, usize) {
    let mut best = (-1.0, 0);
    let front = &pcm[..length];
    let here = dot(front, front);
    for lag in lags {
        let behind = &pcm[lag..lag + length];
        let there = dot(behind, behind);
        let likeness = if here == 0.0 || there == 0.0 {
            if here == there { 1.0 } else { 0.0 }
        } else {
            dot(front, behind) / (here * there).sqrt()
        };
        // Of equals the longest: fewer seams for the same gain.
        if likeness > best.0 - NO_WORSE {
            best = (likeness.max(best.0), lag);
        }
    }
    best
}

/// Eight sums side by side, which the compiler turns into vector instructions: this runs some
/// eighty times a search, and searches were a fifth of a mix's cost.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (whole_a, rest_a) = a.as_chunks::<8>();
    let (whole_b, rest_b) = b.as_chunks::<8>();
    for (a, b) in whole_a.iter().zip(whole_b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
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
