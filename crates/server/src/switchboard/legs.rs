//! The SIP legs of one call: a dialog, its offer and answer, its media ports. What a phone does
//! becomes an input; what core asks for becomes a message to the phone.

mod apart;
mod early;

use super::House;
use super::dialling::Aim;
use super::exchange::Channel;
use super::task::{CallTask, Message};
use crate::clock;
use crate::trunks::transport;
use tokio::sync::{mpsc, watch};
use undertone_core::call::{Input, LegEnd, LegFailure};
use undertone_core::codes::{DigitWay, OneWay};
use undertone_core::id::{LegId, SeatId};
use undertone_core::time::Mono;
use undertone_engine::{DetachedLeg, EngineError, Ports, PortsExhausted, Rank};
use undertone_media::bridge::LegConfig;
use undertone_sdp::{Capabilities, Direction, Media, SdpError, Session};
use undertone_sip::{DialogEvent, DialogHandle, EndCause, Outgoing, ReofferToken, SipError};

/// One leg on its way up, or up.
pub(crate) struct Leg {
    pub(super) id: LegId,
    dialog: DialogHandle,
    session: Session,
    /// Until they go to the engine.
    ports: Option<Ports>,
    stage: Stage,
    /// Where its events go; changed when the leg moves to another call.
    place: Option<watch::Sender<Place>>,
    /// Hops that its call may still take, if it arrived.
    pub(super) hops: Option<u8>,
    /// By which way its digits come.
    digits: OneWay,
    /// Of the trunk that it came by, where no call holds it.
    pub(super) channel: Option<Channel>,
}

/// The task that has a leg, and its seat there.
pub(super) type Place = (mpsc::Sender<Message>, SeatId);

enum Stage {
    /// Undertone calls it; its answer to our offer is awaited.
    Offered,
    /// The same, and a trunk plays already: its media is in the bridge.
    Playing(Box<Media>),
    /// It called, with an offer that we can answer.
    Arrived {
        answer: String,
        media: Box<Media>,
    },
    /// The same, and it was told our answer in a 183: its media is in the bridge.
    Told {
        answer: String,
    },
    /// It called without an offer: ours goes with the 200, its answer comes with the ACK.
    ArrivedEmpty,
    AnsweredEmpty,
    Up,
    /// Up, and out of the bridge that it was in.
    OnTheWay(Box<DetachedLeg>),
}

/// Why an arriving leg cannot be had, as a SIP code.
#[derive(Debug, thiserror::Error)]
pub(super) enum LegError {
    #[error("no media ports")]
    Ports(#[from] PortsExhausted),
    #[error("no description that we can answer")]
    Sdp(#[from] SdpError),
}

impl LegError {
    pub(super) fn code(&self) -> u16 {
        match self {
            LegError::Ports(PortsExhausted::Family) => 488,
            LegError::Ports(_) => 503,
            LegError::Sdp(_) => 488,
        }
    }
}

impl Leg {
    /// An arriving leg: ports are bound and the answer is ready before anybody rings.
    pub(super) fn arriving(
        house: &House,
        id: LegId,
        dialog: DialogHandle,
        offer: Option<&str>,
        from: std::net::IpAddr,
        rank: Rank,
    ) -> Result<Self, LegError> {
        let caps = Capabilities::default();
        let (ports, mut session) = house.sockets(Some(from), offer, caps, rank)?;
        let stage = match offer {
            Some(offer) => {
                let (answer, media) = session.answer(offer)?;
                Stage::Arrived { answer, media: Box::new(media) }
            }
            None => Stage::ArrivedEmpty,
        };
        Ok(Self::new(id, dialog, session, ports, stage))
    }

    fn new(id: LegId, dialog: DialogHandle, session: Session, ports: Ports, stage: Stage) -> Self {
        let (ports, digits) = (Some(ports), OneWay::default());
        let (place, hops, channel) = (None, None, None);
        Self { id, dialog, session, ports, stage, place, hops, digits, channel }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Up | Stage::OnTheWay(_))
    }

    /// Whether a digit that came this way is not one that came by the other.
    pub(super) fn digit_counts(&mut self, now: Mono, way: DigitWay) -> bool {
        self.digits.counts(now, way)
    }

    /// The codec that this leg will send with, once agreed or offered.
    pub(super) fn prefers(&self) -> Option<undertone_sdp::Codec> {
        let media = match &self.stage {
            Stage::Arrived { media, .. } => Some(&**media),
            _ => self.session.agreed(),
        };
        media.and_then(|m| m.codecs.first()).map(|(_, codec)| *codec)
    }

    pub(super) fn refuse(self, code: u16) {
        self.dialog.reject(code, None);
    }

    /// Answers a re-INVITE by ourselves. What was agreed, unless it asked for our offer.
    pub(super) fn answer_reoffer(
        &mut self,
        token: ReofferToken,
        sdp: Option<&str>,
    ) -> Option<Media> {
        let Some(sdp) = sdp else {
            let offer = self.session.offer(Direction::SendRecv);
            self.dialog.answer_reinvite(token, Ok(offer));
            return None;
        };
        match self.session.answer(sdp) {
            Ok((answer, media)) => {
                self.dialog.answer_reinvite(token, Ok(answer));
                Some(media)
            }
            Err(_) => {
                self.dialog.answer_reinvite(token, Err(488));
                None
            }
        }
    }

    pub(super) fn end(self) {
        self.dialog.bye();
    }

    pub(super) fn dialog(&self) -> &DialogHandle {
        &self.dialog
    }

    /// What it sends and takes, as agreed; None before that.
    pub(super) fn directions(&self) -> Option<(bool, bool)> {
        // Seen from us: it sends when we receive.
        self.session.agreed().map(|media| (media.receives, media.sends))
    }

    /// Brings its dialog's events to this place, in order, and wherever it moves from there.
    pub(super) fn follow(
        &mut self,
        to: mpsc::Sender<Message>,
        seat: SeatId,
        events: mpsc::Receiver<DialogEvent>,
    ) {
        let (place, known) = watch::channel((to, seat));
        self.place = Some(place);
        tokio::spawn(relay(known, self.id, events));
    }

    pub(super) fn moves_to(&self, place: Place) {
        if let Some(at) = &self.place {
            at.send_replace(place);
        }
    }

    pub(super) fn place(&self) -> Option<watch::Receiver<Place>> {
        self.place.as_ref().map(watch::Sender::subscribe)
    }
}

pub(super) fn failure(code: u16) -> LegFailure {
    match code {
        486 | 600 => LegFailure::Busy,
        603 | 403 => LegFailure::Declined,
        408 | 480 => LegFailure::NoAnswer,
        488 | 606 => LegFailure::NoCommonCodec,
        487 | 410 => LegFailure::Gone,
        300..=399 | 404 | 502 | 503 | 504 => LegFailure::Unreachable,
        _ => LegFailure::Other,
    }
}

fn ending(cause: EndCause) -> LegEnd {
    match cause {
        EndCause::FarEnd => LegEnd::HungUp,
        EndCause::Lost | EndCause::NoAck => LegEnd::Lost,
        EndCause::Us | EndCause::Shutdown => LegEnd::Released,
    }
}

impl CallTask {
    pub(super) fn arrived(
        &mut self,
        seat: SeatId,
        mut leg: Leg,
        events: mpsc::Receiver<DialogEvent>,
    ) {
        leg.follow(self.me.to.clone(), seat, events);
        self.legs.insert(seat, leg);
    }

    /// Calls one address: ports, an offer, a dialog whose events come here.
    pub(super) fn call_aim(
        &mut self,
        seat: SeatId,
        aim: &Aim,
        for_help: bool,
    ) -> Result<Leg, LegFailure> {
        let mut caps = Capabilities::default();
        // What the other end speaks comes first, so that packets can pass untouched.
        if let Some(first) = self.legs.values().find_map(Leg::prefers) {
            caps.codecs.retain(|codec| *codec != first);
            caps.codecs.insert(0, first);
        }
        let peer = aim.to_addr.map(|addr| addr.ip());
        let rank = match self.call.can_spare(seat) {
            _ if for_help => Rank::Always,
            true => Rank::Second,
            false => Rank::First,
        };
        let (ports, mut session) = self.house.sockets(peer, None, caps, rank).map_err(|error| {
            tracing::warn!(call = %self.me.id, seat = %seat, %error, "a leg has no media ports");
            LegFailure::PortsExhausted
        })?;
        let offer = session.offer(Direction::SendRecv);
        let outgoing = Outgoing {
            to_uri: aim.to_uri.clone(),
            to_addr: aim.to_addr,
            from_user: aim.from_user.clone(),
            from_name: aim.from_name.clone(),
            offer,
            transport: match &aim.bound {
                Some(bound) => Some(bound.transport),
                None => aim.by.as_ref().map(|(_, place)| transport(place.wire)),
            },
            flow: aim.bound.as_ref().and_then(|bound| bound.flow),
            route: aim.bound.as_ref().map(|bound| bound.path.clone()).unwrap_or_default(),
            credentials: aim.credentials.clone(),
            identity: aim.identity.clone(),
            for_help,
            // Who passes a call on takes one hop of it (RFC 3261 section 16.6).
            max_forwards: self
                .legs
                .values()
                .find_map(|leg| leg.hops)
                .map(|hops| hops.saturating_sub(1)),
            ..Outgoing::default()
        };
        let (dialog, events) = self.house.sip.call(outgoing);
        let id = self.house.ids.leg();
        let mut leg = Leg::new(id, dialog, session, ports, Stage::Offered);
        leg.follow(self.me.to.clone(), seat, events);
        Ok(leg)
    }

    pub(super) fn ring(&self, seat: SeatId) {
        if let Some(leg) = self.legs.get(&seat) {
            leg.dialog.ring();
        }
    }

    pub(super) fn answer(&mut self, seat: SeatId) {
        let Some(leg) = self.legs.get_mut(&seat) else { return };
        match std::mem::replace(&mut leg.stage, Stage::Up) {
            Stage::Arrived { answer, media } => {
                leg.dialog.answer(answer);
                self.attach(seat, *media);
            }
            Stage::Told { answer } => {
                leg.dialog.answer(answer);
                self.in_the_bridge(seat);
            }
            Stage::ArrivedEmpty => {
                leg.stage = Stage::AnsweredEmpty;
                let offer = leg.session.offer(Direction::SendRecv);
                leg.dialog.answer(offer);
            }
            // Answered before it came here.
            Stage::OnTheWay(media) => {
                let agreed = leg.directions().unwrap_or((true, true));
                let attached = self.house.engine.attach_leg(self.me.bridge, seat, *media);
                self.attached(seat, attached, agreed);
            }
            other => leg.stage = other,
        }
    }

    pub(super) fn reject(&mut self, seat: SeatId, code: u16) {
        if let Some(leg) = self.legs.remove(&seat) {
            if leg.is_early() {
                self.unplug(seat);
            }
            leg.dialog.reject(code, None);
        }
    }

    pub(super) fn hang_up(&mut self, seat: SeatId) {
        self.stop_search(seat);
        if self.return_browser(seat) {
            return;
        }
        if let Some(leg) = self.legs.remove(&seat) {
            self.unplug(seat);
            leg.end();
        }
    }

    pub(super) fn unplug(&self, seat: SeatId) {
        // The leg comes back when it is lent on; here it is let go, with its ports.
        drop(self.house.engine.detach(self.me.bridge, seat));
    }

    /// The leg's media goes into the bridge; then core may count it as answered.
    fn attach(&mut self, seat: SeatId, media: Media) {
        let agreed = (media.receives, media.sends);
        if let Some(attached) = self.plug(seat, media) {
            self.attached(seat, attached, agreed);
        }
    }

    /// None for a leg whose media is there already.
    fn plug(&mut self, seat: SeatId, media: Media) -> Option<Result<(), EngineError>> {
        let leg = self.legs.get_mut(&seat)?;
        let ports = leg.ports.take()?;
        let config = LegConfig { id: leg.id, media, seed: rand::random() };
        Some(self.house.engine.attach(self.me.bridge, seat, config, ports))
    }

    fn attached(
        &mut self,
        seat: SeatId,
        attached: Result<(), EngineError>,
        (sends, receives): (bool, bool),
    ) {
        if let Err(error) = attached {
            tracing::warn!(call = %self.me.id, seat = %seat, %error, "a leg has no media");
            self.hang_up(seat);
            self.next.push_back(Input::LegFailed { seat, why: LegFailure::Other });
            return;
        }
        if let Some(leg) = self.legs.get(&seat) {
            self.house.register.note_dialog(&leg.dialog, self.me.id.clone(), seat);
        }
        self.next.push_back(Input::LegAnswered { seat });
        if !(sends && receives) {
            self.next.push_back(Input::LegDirection { seat, sends, receives });
        }
    }

    pub(super) fn on_dialog(&mut self, seat: SeatId, id: LegId, event: DialogEvent) {
        if self.searching(seat, id, &event) {
            return;
        }
        // News of a leg that has been let go, or replaced, is no news; that of one which went to
        // another call goes after it.
        if self.legs.get(&seat).is_none_or(|leg| leg.id != id) {
            return self.send_after(id, event);
        }
        match event {
            DialogEvent::Progress { code: 180..=199, sdp } => {
                if !sdp.is_some_and(|sdp| self.plays(seat, &sdp)) {
                    self.next.push_back(Input::LegRinging { seat });
                }
            }
            DialogEvent::Progress { .. } => {}
            DialogEvent::Answered { sdp } => self.answered(seat, &sdp),
            DialogEvent::Confirmed { sdp: Some(sdp) } => self.answered(seat, &sdp),
            DialogEvent::Confirmed { sdp: None } => {}
            DialogEvent::Reoffer { token, sdp, source } => {
                // A phone that changed networks: its packets come from there now.
                self.house.engine.trust(self.me.bridge, seat, source.ip());
                self.reoffered(seat, token, sdp.as_deref());
            }
            DialogEvent::Info { content_type, body } => {
                if let Some(digit) = digit_of(&content_type, &body) {
                    self.pressed(seat, digit, DigitWay::Info);
                }
            }
            DialogEvent::Failed { code, .. } => self.failed(seat, code),
            DialogEvent::Redirected { .. } | DialogEvent::Notified { .. } => {}
            DialogEvent::Refer { token, to, replaces, .. } => {
                self.referred(seat, token, to, replaces);
            }
            DialogEvent::Ended { cause } => {
                self.legs.remove(&seat);
                self.unplug(seat);
                self.next.push_back(Input::LegEnded { seat, cause: ending(cause) });
            }
        }
    }

    pub(super) fn pressed(&mut self, seat: SeatId, digit: char, way: DigitWay) {
        let now = clock::now().mono;
        if self.legs.get_mut(&seat).is_some_and(|leg| leg.digit_counts(now, way)) {
            self.next.push_back(Input::Digit { seat, digit });
        }
    }

    fn failed(&mut self, seat: SeatId, code: u16) {
        let Some(leg) = self.legs.remove(&seat) else { return };
        if leg.is_early() {
            self.unplug(seat);
        }
        let input = match leg.stage {
            Stage::Offered | Stage::Playing(_) => Input::LegFailed { seat, why: failure(code) },
            // It called and has given up: CANCEL.
            _ => Input::LegEnded { seat, cause: LegEnd::HungUp },
        };
        self.next.push_back(input);
    }

    /// The answer to our offer: with the 200 of a leg that we called, with the ACK of one that
    /// came without an offer, or after a re-INVITE without one.
    fn answered(&mut self, seat: SeatId, sdp: &str) {
        let Some(leg) = self.legs.get_mut(&seat) else { return };
        let media = match leg.session.accept(sdp) {
            Ok(media) => media,
            Err(_) if matches!(leg.stage, Stage::Up) => return,
            Err(_) => {
                self.hang_up(seat);
                let why = LegFailure::NoCommonCodec;
                self.next.push_back(Input::LegFailed { seat, why });
                return;
            }
        };
        match std::mem::replace(&mut leg.stage, Stage::Up) {
            Stage::Up => self.redirected(seat, media),
            Stage::Playing(was) => {
                if *was != media {
                    self.house.engine.reconfigure(self.me.bridge, seat, media);
                }
                self.in_the_bridge(seat);
            }
            _ => self.attach(seat, media),
        }
    }

    /// A re-INVITE is answered by us and touches no other leg: hold belongs to a seat.
    fn reoffered(&mut self, seat: SeatId, token: ReofferToken, sdp: Option<&str>) {
        let leg = self.legs.get_mut(&seat);
        if let Some(media) = leg.and_then(|leg| leg.answer_reoffer(token, sdp)) {
            self.redirected(seat, media);
        }
    }

    fn redirected(&mut self, seat: SeatId, media: Media) {
        // Seen from us: it sends when we receive.
        let (sends, receives) = (media.receives, media.sends);
        self.house.engine.reconfigure(self.me.bridge, seat, media);
        self.next.push_back(Input::LegDirection { seat, sends, receives });
    }

    /// The phone is asked whether it is alive; one that does not say so has gone.
    pub(super) fn on_silence(&mut self, seat: SeatId, for_ms: u64) {
        let Some(leg) = self.legs.get(&seat) else { return };
        let (dialog, me, leg) = (leg.dialog.clone(), self.me.clone(), leg.id);
        tokio::spawn(async move {
            // Pending: it has not even confirmed its call, which has a limit of its own.
            let asked = dialog.options().await;
            if asked.is_err_and(|error| error != SipError::Pending) {
                tracing::info!(call = %me.id, seat = %seat, for_ms, "a silent phone is gone");
                let _ = me.to.send(Message::Gone { seat, leg }).await;
            }
        });
    }

    /// A phone that was asked did not answer. By now the seat may have another leg.
    pub(super) fn on_gone(&mut self, seat: SeatId, leg: LegId) {
        if self.legs.get(&seat).is_some_and(|now| now.id == leg) {
            self.next.push_back(Input::LegEnded { seat, cause: LegEnd::MediaTimeout });
        }
    }
}

/// A dialog's events as messages. A dialog that ends without a word counts as lost.
async fn relay(place: watch::Receiver<Place>, leg: LegId, mut events: mpsc::Receiver<DialogEvent>) {
    while let Some(event) = events.recv().await {
        let last = matches!(event, DialogEvent::Failed { .. } | DialogEvent::Ended { .. });
        deliver(place.clone(), leg, event).await;
        if last {
            return;
        }
    }
    deliver(place, leg, DialogEvent::Ended { cause: EndCause::Lost }).await;
}

/// To the task that has the leg. While it is between two calls the event waits for its next place.
pub(super) async fn deliver(mut place: watch::Receiver<Place>, leg: LegId, event: DialogEvent) {
    let (to, seat) = place.borrow_and_update().clone();
    let mut message = Message::Dialog { seat, leg, event };
    let mut sent = to.send(message).await;
    while let Err(mpsc::error::SendError(unsent)) = sent {
        let Message::Dialog { event, .. } = unsent else { return };
        // A leg that was let go has no next place.
        if place.changed().await.is_err() {
            return;
        }
        let (to, seat) = place.borrow_and_update().clone();
        message = Message::Dialog { seat, leg, event };
        sent = to.send(message).await;
    }
}

/// `application/dtmf-relay` (`Signal=5`) and `application/dtmf` (`5`), as phones send them.
pub(super) fn digit_of(content_type: &str, body: &str) -> Option<char> {
    let signal = match content_type.split(';').next()?.trim() {
        "application/dtmf-relay" => {
            let line = body.lines().find(|l| l.trim_start().starts_with("Signal"))?;
            line.split_once('=')?.1
        }
        "application/dtmf" => body,
        _ => return None,
    };
    signal.trim().chars().next().filter(|c| c.is_ascii_digit() || "*#ABCD".contains(*c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_both_kinds_of_info() {
        let relay = "application/dtmf-relay";
        assert_eq!(digit_of(relay, "Signal=5\r\nDuration=160\r\n"), Some('5'));
        assert_eq!(digit_of(relay, "Signal= *\r\n"), Some('*'));
        assert_eq!(digit_of("application/dtmf", "7"), Some('7'));
        assert_eq!(digit_of("application/dtmf", ""), None);
        assert_eq!(digit_of("text/plain", "7"), None);
    }

    #[test]
    fn every_code_has_a_reason() {
        assert_eq!(failure(486), LegFailure::Busy);
        assert_eq!(failure(408), LegFailure::NoAnswer);
        assert_eq!(failure(500), LegFailure::Other);
    }
}
