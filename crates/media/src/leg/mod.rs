//! One media leg: what comes in on it, what it sends, and what its far end is to hear. `Send`,
//! and detachable: its SSRC, sequence and timestamps go with it. Knows no socket and no plan.

pub mod rtp;
#[cfg(feature = "webrtc")]
pub mod webrtc;

use crate::bridge::outlet::{Outlet, SourceInfo};
use crate::events::{EventReceiver, EventSender};
use crate::guard::SourceClock;
use crate::mix::Arrivals;
use crate::rtp::rtcp;
use rtp::{Sender, derive};
use undertone_core::id::LegId;
use undertone_core::plan::{Listener, Source};
use undertone_core::time::Mono;
use undertone_sdp::{Codec, Media};

#[derive(Clone, Debug)]
pub struct LegConfig {
    pub id: LegId,
    pub media: Media,
    /// SSRC, first sequence number and timestamp, and RTCP name come from this and the id alone.
    pub seed: u64,
}

impl LegConfig {
    pub fn new(id: LegId, media: Media, seed: u64) -> Self {
        Self { id, media, seed }
    }
}

/// Of one leg, for operators; depths are of what its listener hears mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegStats {
    pub sent: u64,
    pub received: u64,
    pub lost: u64,
    pub jitter_us: u32,
    pub rtt_us: Option<u32>,
    pub far_fraction_lost: u8,
    pub depth_ms: u32,
    pub target_ms: u32,
    /// Datagrams that were no RTP, or of a payload type that nobody negotiated.
    pub unusable: u64,
    /// Packets not sent because their number was taken.
    pub refused: u64,
    /// Packets made silent because of a source that the listener must never hear.
    pub alarms: u64,
    pub mixing: bool,
    pub last_in: Option<Mono>,
}

/// Audio to be proven: three packets out, and one in of late if that is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof {
    pub(crate) incoming: bool,
    pub(crate) from: u64,
}

pub struct Leg {
    id: LegId,
    pub(crate) media: Media,
    pub(crate) agreed: u32,
    pub(crate) sender: Sender,
    pub(crate) rtcp: rtcp::Session,
    pub(crate) clock: SourceClock,
    pub(crate) path: Arrivals,
    /// Of the packet that came last.
    pub(crate) codec: Codec,
    pub(crate) digits: EventReceiver,
    pub(crate) digit_at: Mono,
    pub(crate) keys: Option<EventSender>,
    pub(crate) last_in: Option<Mono>,
    pub(crate) silent_since: Mono,
    pub(crate) silent_told: u64,
    pub(crate) unusable: u64,
    pub(crate) proof: Option<Proof>,
    /// What it sends gets anywhere. Plain RTP always does; a browser must be connected.
    pub(crate) connected: bool,
    pub(crate) outlet: Option<Box<Outlet>>,
}

impl Leg {
    pub fn new(now: Mono, config: LegConfig) -> Self {
        let seed = derive(config.seed, config.id.0.wrapping_add(0x1000));
        let codec = config.media.codecs.first().map_or(Codec::Pcmu, |(_, codec)| *codec);
        let sender = Sender::new(seed, codec.rtp_clock());
        let rtcp = rtcp::Session::new(now, sender.ssrc(), codec.rtp_clock(), derive(seed, 4));
        Self {
            id: config.id,
            media: config.media,
            agreed: 0,
            sender,
            rtcp,
            clock: SourceClock::default(),
            path: Arrivals::default(),
            codec,
            digits: EventReceiver::new(),
            digit_at: now,
            keys: None,
            last_in: None,
            silent_since: now,
            silent_told: 0,
            unusable: 0,
            proof: None,
            connected: true,
            outlet: None,
        }
    }

    pub fn id(&self) -> LegId {
        self.id
    }
    pub fn ssrc(&self) -> u32 {
        self.sender.ssrc()
    }
    pub fn media(&self) -> &Media {
        &self.media
    }

    /// Its far end can be reached, or not for now: then nothing that it is sent proves audio.
    pub fn set_connected(&mut self, connected: bool) {
        if connected && !self.connected {
            // What was sent before went nowhere.
            if let Some(proof) = &mut self.proof {
                proof.from = self.sender.sent();
            }
        }
        self.connected = connected;
    }

    /// What the far end said of our stream where its reports are not read here.
    pub fn far_says(&mut self, fraction_lost: f32, rtt_us: Option<u32>) {
        self.rtcp.far_says((fraction_lost.clamp(0.0, 1.0) * 255.0) as u8, rtt_us);
    }

    /// Another offer was answered: codecs, payload types, direction. SSRC, sequence and timestamp
    /// line go on.
    pub fn reconfigure(&mut self, now: Mono, media: Media) {
        let clock = media.codecs.first().map_or(8_000, |(_, codec)| codec.rtp_clock());
        if self.media.codecs.first().map(|c| c.1.rtp_clock()) != Some(clock) {
            self.rtcp.set_clock(clock);
        }
        if !self.media.receives && media.receives {
            (self.silent_since, self.silent_told) = (now, 0);
        }
        self.media = media;
        self.agreed += 1;
        if let Some(outlet) = &mut self.outlet {
            outlet.encoder = None;
            outlet.forwarding.renumber();
        }
    }

    /// Begins in a bridge, with nothing of what was heard in another.
    pub(crate) fn enter(&mut self, now: Mono, listener: Listener, generation: u32) {
        self.clock = SourceClock::new(generation);
        self.path.clear();
        self.digits.reset();
        self.outlet = Some(Box::new(Outlet::new(listener)));
        (self.silent_since, self.silent_told, self.last_in) = (now, 0, None);
        self.proof = None;
    }

    pub(crate) fn info(&self) -> SourceInfo<'_> {
        let (clock, path, media) = (&self.clock, &self.path, &self.media);
        SourceInfo { clock, path, media, codec: self.codec, agreed: self.agreed }
    }

    pub(crate) fn rate(&self) -> u32 {
        self.media.codecs.first().map_or(8_000, |(_, codec)| codec.sample_rate())
    }

    pub(crate) fn key(&mut self, event: u8, ms: u16) -> bool {
        let Some(format) = self.media.events_at(self.sender.clock()) else { return false };
        let keys = self.keys.get_or_insert_with(|| EventSender::new(format.clock));
        keys.follow(format.clock);
        keys.press(event, ms)
    }

    pub fn stats(&self) -> LegStats {
        let rtcp = self.rtcp.stats();
        let outlet = self.outlet.as_deref();
        let playouts = outlet.into_iter().flat_map(|o| &o.strands);
        let jitters = playouts.filter_map(|s| s.playout.as_ref()).map(|p| &p.jitter);
        let depth = jitters.clone().map(|j| j.depth_ms()).max();
        LegStats {
            sent: self.sender.sent(),
            received: rtcp.received,
            lost: rtcp.lost,
            jitter_us: rtcp.jitter_us,
            rtt_us: rtcp.rtt_us,
            far_fraction_lost: rtcp.far_fraction_lost,
            depth_ms: depth.unwrap_or(0),
            target_ms: jitters.map(|j| j.target_ms()).max().unwrap_or(0),
            unusable: self.unusable,
            refused: self.sender.refused(),
            alarms: outlet.map_or(0, |o| o.alarms),
            mixing: outlet.is_some_and(|o| o.is_mixing()),
            last_in: self.last_in,
        }
    }

    pub(crate) fn levels(&self, now: Mono) -> Vec<(Source, f32)> {
        self.outlet.as_deref().map_or_else(Vec::new, |outlet| outlet.levels(now))
    }
}
