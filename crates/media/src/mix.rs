//! One source as one listener hears it: jitter buffer, decoder, concealment, resampler and gain of
//! its own, shared with no other listener. That is what makes an output depend on its own row
//! alone: a decoder that began when somebody else joined is in another state than one that began
//! with this listener's mix.

use crate::bridge::outlet::SourceInfo;
use crate::conceal::Concealer;
use crate::meter::Meter;
use crate::playout::Playout;
use crate::resample::Resampler;
use crate::sound::Player;
use undertone_core::plan::Source;
use undertone_core::time::Mono;
use undertone_sdp::Media;

/// Edges ramp this long; Q15 gain.
const RAMP_MS: u32 = 10;
/// Frames kept for the fade: three of the longest pitch periods.
const PAST_FRAMES: usize = 3;
pub(crate) const UNITY: i32 = 1 << 15;

/// Arrivals of the last 2 s and some, from which a new strand learns how uneven the path is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals {
    ring: Vec<(u16, u32, Mono)>,
    at: usize,
}

impl Arrivals {
    const KEPT: usize = 128;

    pub(crate) fn push(&mut self, seq: u16, ts: u32, now: Mono) {
        if self.ring.len() < Self::KEPT {
            self.ring.push((seq, ts, now));
        } else {
            self.ring[self.at] = (seq, ts, now);
        }
        self.at = (self.at + 1) % Self::KEPT;
    }
    pub(crate) fn clear(&mut self) {
        self.at = 0;
        self.ring.clear();
    }
    fn in_order(&self) -> impl Iterator<Item = &(u16, u32, Mono)> {
        let split = if self.ring.len() < Self::KEPT { 0 } else { self.at };
        self.ring[split..].iter().chain(&self.ring[..split])
    }
}

/// Hundredths of a decibel to Q15; at most +12 dB.
pub(crate) fn gain_q15(cdb: i16) -> i32 {
    if cdb == 0 {
        return UNITY;
    }
    (10f64.powf(f64::from(cdb.min(1_200)) / 2_000.0) * f64::from(UNITY)).round() as i32
}

fn agree(playout: &mut Playout, media: &Media) {
    let mut codecs = media.arriving.clone();
    codecs.extend_from_slice(&media.codecs);
    playout.set_codecs(&codecs, media.comfort_noise);
}

pub(crate) struct Strand {
    pub(crate) source: Source,
    pub(crate) playout: Option<Playout>,
    /// The source's restart that the playout belongs to.
    pub(crate) epoch: u32,
    agreed: u32,
    /// Packets before this were forwarded already.
    pub(crate) floor: i64,
    /// Timestamp after the last sample played.
    pub(crate) end_ts: Option<u32>,
    resampler: Option<(u32, u32, Resampler)>,
    native: Vec<i16>,
    pcm: Vec<i16>,
    past: Vec<i16>,
    gain: i32,
    target: i32,
    pub(crate) meter: Option<(u32, Meter)>,
    sounding: bool,
}

impl Strand {
    pub(crate) fn new(source: Source, gain: i32, target: i32) -> Self {
        Self {
            source,
            playout: None,
            epoch: 0,
            agreed: 0,
            floor: i64::MIN,
            end_ts: None,
            resampler: None,
            native: Vec::new(),
            pcm: Vec::new(),
            past: Vec::new(),
            gain,
            target,
            meter: None,
            sounding: false,
        }
    }

    /// Begins from nothing but what is known of the path.
    pub(crate) fn begin(&mut self, source: &SourceInfo<'_>) {
        let Ok(mut playout) = Playout::new(source.codec) else { return };
        agree(&mut playout, source.media);
        for (seq, ts, at) in source.path.in_order() {
            playout.insert(*at, *seq, *ts, 0, &[]);
        }
        playout.jitter.clear();
        self.playout = Some(playout);
        (self.epoch, self.agreed) = (source.clock.epoch(), source.agreed);
        self.resampler = None;
        self.end_ts = None;
    }

    /// The source's leg was negotiated anew.
    pub(crate) fn follow(&mut self, media: &Media, agreed: u32) {
        if std::mem::replace(&mut self.agreed, agreed) != agreed
            && let Some(playout) = &mut self.playout
        {
            agree(playout, media);
        }
    }

    pub(crate) fn set_gain(&mut self, target: i32) {
        self.target = target;
    }

    pub(crate) fn is_steady_at_unity(&self) -> bool {
        self.gain == UNITY && self.target == UNITY
    }

    /// Makes this tick's 20 ms at `rate`. False: there is nothing of the source in it.
    pub(crate) fn pull(&mut self, now: Mono, rate: u32, player: Option<&mut Player>) -> bool {
        self.sounding = false;
        let from = match (&mut self.playout, player) {
            (Some(playout), _) => {
                let info = playout.frame(now, &mut self.native);
                self.end_ts = info.end_ts.or(self.end_ts);
                if info.oldest_ts.is_none() {
                    return false;
                }
                playout.rate()
            }
            (None, Some(player)) => {
                let from = player.rate();
                let Some(frame) = player.frame() else { return false };
                self.native.clear();
                self.native.extend_from_slice(frame);
                from
            }
            (None, None) => return false,
        };
        self.pcm.clear();
        if from == rate {
            self.pcm.extend_from_slice(&self.native);
        } else {
            let fits = matches!(self.resampler, Some((f, t, _)) if (f, t) == (from, rate));
            if !fits {
                self.resampler = Some((from, rate, Resampler::new(from, rate)));
            }
            if let Some((_, _, resampler)) = &mut self.resampler {
                resampler.process(&self.native, &mut self.pcm);
            }
        }
        self.pcm.resize(rate as usize / 50, 0);
        self.sounding = true;
        true
    }

    /// What was pulled, at its gain, into the sum. False: there was nothing.
    pub(crate) fn add(&mut self, rate: u32, sum: &mut [i32]) -> bool {
        if !self.sounding {
            return false;
        }
        if self.gain == UNITY && self.target == UNITY {
            sum.iter_mut().zip(&self.pcm).for_each(|(s, p)| *s += i32::from(*p));
        } else {
            let step = (UNITY / (rate * RAMP_MS / 1_000) as i32).max(1);
            for (s, p) in sum.iter_mut().zip(&mut self.pcm) {
                self.gain += (self.target - self.gain).clamp(-step, step);
                *p = ((i64::from(*p) * i64::from(self.gain)) >> 15).clamp(-32_768, 32_767) as i16;
                *s += i32::from(*p);
            }
        }
        self.remember();
        match &mut self.meter {
            Some((at, meter)) if *at == rate => meter.push(&self.pcm),
            _ => {
                let mut meter = Meter::new(rate);
                meter.push(&self.pcm);
                self.meter = Some((rate, meter));
            }
        }
        true
    }

    /// An edge that closes ends without a click: 10 ms made up, fading, from what this listener
    /// has heard already. Nothing said after the closing is in it.
    pub(crate) fn fade_out(&mut self, rate: u32, tail: &mut Vec<i32>) {
        let n = (rate * RAMP_MS / 1_000) as usize;
        if !self.sounding || self.past.len() != rate as usize / 50 * PAST_FRAMES {
            return;
        }
        let mut concealer = Concealer::new(rate);
        concealer.good(&mut self.past);
        self.pcm.clear();
        self.pcm.resize(n, 0);
        concealer.lost(&mut self.pcm);
        tail.resize(tail.len().max(n), 0);
        for (i, sample) in self.pcm.iter().enumerate() {
            tail[i] += i32::from(*sample) * (n - i) as i32 / (n + 1) as i32;
        }
    }

    /// Keeps the last 60 ms as they were heard, for the fade at the end.
    fn remember(&mut self) {
        let n = self.pcm.len();
        if self.past.len() != n * PAST_FRAMES {
            self.past.clear();
            self.past.resize(n * PAST_FRAMES, 0);
        }
        self.past.copy_within(n.., 0);
        let at = n * (PAST_FRAMES - 1);
        self.past[at..].copy_from_slice(&self.pcm);
    }
}
