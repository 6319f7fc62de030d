//! What one listener is sent: forwarded packets of one source, or a mix of its own. Everything
//! that shapes the sound is owned here and shared with no other listener.

use crate::codec::Encoder;
use crate::guard::SourceClock;
use crate::leg::rtp::{Outgoing, Sender};
use crate::mix::{Arrivals, Strand, UNITY};
use crate::rtp::rtcp;
use smallvec::SmallVec;
use undertone_core::id::{LegId, SeatId};
use undertone_core::plan::{Listener, Source};
use undertone_core::time::Mono;
use undertone_sdp::{Codec, Media};

use super::forward::Forwarding;
use super::heard::Heard;
use super::row::Row;
use super::{BridgeEvent, Lane, Out};

/// What may be asked of a source by one who listens to it: nothing that depends on listeners.
pub(crate) struct SourceInfo<'a> {
    pub(crate) clock: &'a SourceClock,
    pub(crate) path: &'a Arrivals,
    pub(crate) media: &'a Media,
    pub(crate) codec: Codec,
    /// Counts what was negotiated on the source's leg.
    pub(crate) agreed: u32,
}

pub(crate) trait Sources {
    fn get(&self, seat: SeatId) -> Option<SourceInfo<'_>>;
}

/// The sending side of the listener's leg.
pub(crate) struct Line<'a> {
    pub(crate) leg: LegId,
    pub(crate) sender: &'a mut Sender,
    pub(crate) rtcp: &'a mut rtcp::Session,
    pub(crate) media: &'a Media,
    pub(crate) out: &'a mut dyn Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Idle,
    Forward(SeatId),
    Mix,
}

/// A mix that goes on from what was forwarded waits until its source has that sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) source: Source,
    pub(crate) until: Mono,
}

pub(crate) struct Outlet {
    pub(crate) listener: Listener,
    pub(crate) row: Row,
    pub(crate) way: Way,
    pub(crate) strands: Vec<Strand>,
    pub(crate) forwarding: Forwarding,
    pub(crate) entry: Option<Entry>,
    /// The mix has had one source since then.
    pub(crate) alone_since: Option<Mono>,
    /// A packet came that cannot be forwarded to this listener.
    pub(crate) unfit_at: Option<Mono>,
    pub(crate) encoder: Option<Encoder>,
    /// The next mixed packet follows the last packet sent, sample on sample.
    pub(crate) follows: bool,
    /// Silence is being sent for want of anything else.
    pub(crate) filling: bool,
    /// When forwarding came back after that, and what the line read.
    pub(crate) resumed: Option<(Mono, u32)>,
    /// Of the first tick, for a leg to which nothing has gone yet.
    pub(crate) since: Option<Mono>,
    pub(crate) tail: Vec<i32>,
    pub(crate) sum: Vec<i32>,
    pub(crate) pcm: Vec<i16>,
    pub(crate) payload: Vec<u8>,
    /// Whose sound is in `pcm`.
    pub(crate) within: SmallVec<[Source; 8]>,
    pub(crate) event: Option<(u32, u32)>,
    pub(crate) heard: Heard,
    pub(crate) alarms: u64,
    alarmed: Option<(Source, Mono)>,
}

impl Outlet {
    pub(crate) fn new(listener: Listener) -> Self {
        Self {
            listener,
            row: Row::default(),
            way: Way::Idle,
            strands: Vec::new(),
            forwarding: Forwarding::default(),
            entry: None,
            alone_since: None,
            unfit_at: None,
            encoder: None,
            follows: false,
            filling: false,
            resumed: None,
            since: None,
            tail: Vec::new(),
            sum: Vec::new(),
            pcm: Vec::new(),
            payload: Vec::new(),
            within: SmallVec::new(),
            event: None,
            heard: Heard::default(),
            alarms: 0,
            alarmed: None,
        }
    }

    /// Arranges for the edges that are open now. Sends nothing; without a change of the row it
    /// changes nothing.
    pub(crate) fn arrange(&mut self, now: Mono, rate: u32, sources: &dyn Sources) {
        self.drop_strands(rate);
        let taps = matches!(self.listener, Listener::Tap(_));
        let alone = self.row.alone();
        let many = self.row.sounding().next().is_some();
        let next = match (self.way, alone) {
            _ if !many => Way::Idle,
            (Way::Mix, _) => Way::Mix,
            (_, Some(Source::Seat(seat))) if !taps && self.unfit_at.is_none() => Way::Forward(seat),
            _ => Way::Mix,
        };
        match alone {
            Some(_) if next == Way::Mix => self.alone_since = self.alone_since.or(Some(now)),
            _ => self.alone_since = None,
        }
        if next != self.way {
            self.move_to(now, next, sources);
        }
        self.grow_strands(sources);
    }

    fn move_to(&mut self, now: Mono, next: Way, sources: &dyn Sources) {
        let before = std::mem::replace(&mut self.way, next);
        self.entry = None;
        if next != Way::Mix {
            self.forwarding.leave();
            self.encoder = None;
            return;
        }
        self.follows = false;
        if let Some(encoder) = &mut self.encoder {
            encoder.reset();
        }
        let Way::Forward(seat) = before else { return };
        let source = Source::Seat(seat);
        let last = self.forwarding.last;
        let goes_on = self.row.of(source).filter(|e| e.sounds());
        let (Some(edge), Some((epoch, seq))) = (goes_on, last) else { return };
        let mut strand = Strand::new(source, UNITY, edge.gain());
        let Some(info) = sources.get(seat).filter(|info| info.clock.epoch() == epoch) else {
            return;
        };
        strand.begin(&info);
        strand.floor = seq + 1;
        let wait = strand.playout.as_ref().map_or(0, |p| u64::from(p.jitter.target_ms()));
        self.strands.retain(|s| s.source != source);
        self.strands.push(strand);
        // One packet and one tick beyond the depth: then the source has paused, and others sound.
        self.entry = Some(Entry { source, until: now.plus_ms(wait + 45) });
        self.follows = true;
        self.forwarding.leave();
    }

    fn drop_strands(&mut self, rate: u32) {
        let (row, way, tail) = (&self.row, self.way, &mut self.tail);
        self.strands.retain_mut(|strand| {
            let keep = row.of(strand.source).is_some_and(|e| e.edge.audio && e.lives());
            if !keep && way == Way::Mix {
                strand.fade_out(rate, tail);
            }
            keep
        });
    }

    /// Each source of a mix has a strand, and so has each that waits for its guard.
    fn grow_strands(&mut self, sources: &dyn Sources) {
        for e in &self.row.edges {
            let source = e.edge.source;
            let wanted = e.waits() || (self.way == Way::Mix && e.sounds());
            if !wanted {
                continue;
            }
            if let Some(strand) = self.strands.iter_mut().find(|s| s.source == source) {
                strand.set_gain(e.gain());
                if strand.playout.is_some() || !matches!(source, Source::Seat(_)) {
                    continue;
                }
            }
            let mut strand = Strand::new(source, 0, e.gain());
            if let Source::Seat(seat) = source {
                let Some(info) = sources.get(seat) else { continue };
                strand.begin(&info);
            }
            self.strands.retain(|s| s.source != source);
            self.strands.push(strand);
        }
        // The order of the plan, not of joining: a sum is the same, but so is what is looked at.
        self.strands.sort_by_key(|s| s.source);
    }

    pub(crate) fn is_mixing(&self) -> bool {
        self.way == Way::Mix
    }

    pub(crate) fn levels(&self, now: Mono) -> Vec<(Source, f32)> {
        let sounding = |s: &&Strand| self.row.of(s.source).is_some_and(|e| e.sounds());
        if self.way == Way::Mix {
            let strands = self.strands.iter().filter(sounding);
            return strands
                .filter_map(|s| s.meter.as_ref().map(|(_, m)| (s.source, m.level_dbfs())))
                .collect();
        }
        self.heard.levels(now)
    }

    pub(crate) fn strand(&mut self, source: Source) -> Option<&mut Strand> {
        self.strands.iter_mut().find(|s| s.source == source)
    }

    /// Invariant 3: whatever made the packet, its sources are tested against what this listener
    /// must never hear. True: it may go out.
    pub(crate) fn may_hear(
        &mut self,
        now: Mono,
        sources: impl Iterator<Item = Source>,
        out: &mut dyn Out,
    ) -> bool {
        let mut clean = true;
        for source in sources {
            if !self.row.never.contains(&source) {
                continue;
            }
            clean = false;
            self.alarms += 1;
            let told = self.alarmed.is_some_and(|(s, at)| s == source && now.since(at) < 1_000_000);
            if !told {
                self.alarmed = Some((source, now));
                out.event(BridgeEvent::PrivacyAlarm { listener: self.listener, source });
            }
        }
        clean
    }

    /// To the wire. False: the number was taken, nothing was sent.
    pub(crate) fn put(now: Mono, clock: u32, line: &mut Line<'_>, packet: Outgoing<'_>) -> bool {
        if !line.media.sends || !line.sender.send(now, clock, packet) {
            return false;
        }
        line.rtcp.sent(now, packet.ts, packet.payload.len());
        line.out.packet(line.leg, Lane::Rtp, line.sender.sent_bytes());
        true
    }
}
