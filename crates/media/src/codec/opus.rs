//! Opus as we speak it: 48 kHz mono, 20 ms, in-band FEC on, DTX off. Owns libopus state; the far
//! end's wishes come as `OpusParams`.

use super::{CodecError, MAX_PACKET_MS};
use undertone_sdp::OpusParams;

const RATE: u32 = 48_000;
const FRAME: usize = 960;
/// No packet of ours is longer: one frame is at most 1275 bytes (RFC 6716 section 3.4).
const MAX_BYTES: usize = 1_275;
const MAX_SAMPLES: usize = RATE as usize * MAX_PACKET_MS / 1000;
/// What libopus may conceal or recover at once; multiples of 2.5 ms only.
const STEP: usize = 120;
const DEFAULT_BITRATE: i32 = 32_000;
/// libopus writes no FEC at an expected loss of 0.
const DEFAULT_LOSS_PERCENT: i32 = 5;
/// A third of the CPU of 10 for a difference few hear in speech.
const COMPLEXITY: i32 = 5;

pub(super) fn samples(payload: &[u8]) -> Option<usize> {
    // RFC 6716 section 3.1: a packet has at least its TOC byte. libopus takes an empty one for
    // "lost", which is not what came from the network.
    if payload.is_empty() {
        return None;
    }
    opus::packet::get_nb_samples(payload, RATE).ok().filter(|n| *n <= MAX_SAMPLES)
}

pub(super) struct Decoder(opus::Decoder);

impl Decoder {
    pub(super) fn new() -> Result<Self, CodecError> {
        opus::Decoder::new(RATE, opus::Channels::Mono).map(Self).map_err(refused)
    }

    pub(super) fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError> {
        let length = samples(payload).ok_or(CodecError::BadPayload(payload.len()))?;
        self.fill(payload, length, false, out).map_err(refused)
    }

    pub(super) fn decode_fec(&mut self, next: &[u8], wanted: usize, out: &mut Vec<i16>) -> bool {
        // libopus conceals what the packet's copy does not reach, so any multiple of STEP may be
        // asked for.
        let fits = wanted > 0 && wanted <= MAX_SAMPLES && wanted.is_multiple_of(STEP);
        fits && samples(next).is_some() && self.fill(next, wanted, true, out).is_ok()
    }

    pub(super) fn lost(&mut self, wanted: usize, out: &mut Vec<i16>) -> bool {
        let fits = wanted > 0 && wanted <= MAX_SAMPLES && wanted.is_multiple_of(STEP);
        fits && self.fill(&[], wanted, false, out).is_ok()
    }

    pub(super) fn reset(&mut self) {
        // Fails only on a null state, which `new` refuses.
        let _ = self.0.reset_state();
    }

    fn fill(
        &mut self,
        payload: &[u8],
        length: usize,
        fec: bool,
        out: &mut Vec<i16>,
    ) -> opus::Result<()> {
        let start = out.len();
        out.resize(start + length, 0);
        let written = self.0.decode(payload, &mut out[start..], fec);
        out.truncate(start + written.as_ref().map_or(0, |n| *n));
        written.map(|_| ())
    }
}

pub(super) struct Encoder(opus::Encoder);

impl Encoder {
    pub(super) fn new(params: &OpusParams) -> Result<Self, CodecError> {
        let mut inner = opus::Encoder::new(RATE, opus::Channels::Mono, opus::Application::Voip)
            .map_err(refused)?;
        configure(&mut inner, params).map_err(refused)?;
        Ok(Self(inner))
    }

    pub(super) fn encode(&mut self, pcm: &[i16], out: &mut Vec<u8>) -> Result<(), CodecError> {
        if pcm.len() != FRAME {
            return Err(CodecError::BadFrame(pcm.len()));
        }
        let start = out.len();
        out.resize(start + MAX_BYTES, 0);
        let written = self.0.encode(pcm, &mut out[start..]);
        out.truncate(start + written.as_ref().map_or(0, |n| *n));
        written.map(|_| ()).map_err(refused)
    }

    pub(super) fn set_expected_loss(&mut self, percent: u8) {
        let percent = i32::from(percent).clamp(DEFAULT_LOSS_PERCENT, 50);
        let _ = self.0.set_packet_loss_perc(percent);
    }

    pub(super) fn reset(&mut self) {
        // Clears the signal's history; bitrate, FEC and the rest stay as configured.
        let _ = self.0.reset_state();
    }
}

fn configure(inner: &mut opus::Encoder, params: &OpusParams) -> opus::Result<()> {
    let bitrate = params.max_average_bitrate.map_or(DEFAULT_BITRATE, |b| {
        i32::try_from(b).unwrap_or(DEFAULT_BITRATE).clamp(6_000, DEFAULT_BITRATE)
    });
    inner.set_bitrate(opus::Bitrate::Bits(bitrate))?;
    inner.set_vbr(!params.cbr)?;
    inner.set_max_bandwidth(widest(params.max_playback_rate))?;
    inner.set_signal(opus::Signal::Voice)?;
    inner.set_complexity(COMPLEXITY)?;
    // RFC 7587 section 6.1: FEC may be sent whatever the far end's useinbandfec says; it costs a
    // deaf receiver nothing but bits.
    inner.set_inband_fec(true)?;
    inner.set_packet_loss_perc(DEFAULT_LOSS_PERCENT)?;
    // A customer's leg is never silent on the wire, so nothing is saved by DTX.
    inner.set_dtx(false)
}

fn widest(max_playback_rate: u32) -> opus::Bandwidth {
    match max_playback_rate {
        0..=8_000 => opus::Bandwidth::Narrowband,
        8_001..=12_000 => opus::Bandwidth::Mediumband,
        12_001..=16_000 => opus::Bandwidth::Wideband,
        16_001..=24_000 => opus::Bandwidth::Superwideband,
        _ => opus::Bandwidth::Fullband,
    }
}

fn refused(error: opus::Error) -> CodecError {
    CodecError::Opus(error.description())
}
