//! A caller who is answered and is on no call: told a word, asked for a PIN, then hung up or let go
//! on into a call, with the sound that they have. What is said and asked, others decide.

use super::legs::Leg;
use super::tapping::Arrived;
use super::task::Message;
use super::{House, Switchboard, sound};
use crate::clock;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;
use undertone_core::codes::DigitWay;
use undertone_core::id::{BridgeId, SeatId};
use undertone_core::notice::{Spoken, spoken_source, told_alone};
use undertone_core::pin::{Pin, Typing};
use undertone_sip::DialogEvent;

const SEAT: SeatId = SeatId(1);
/// Before a word, so that its beginning is not lost while the phone opens its ear; and after.
const REST: Duration = Duration::from_millis(400);
/// To the first digit, after the word has ended; from one to the next.
const FIRST_DIGIT: Duration = Duration::from_secs(10);
const NEXT_DIGIT: Duration = Duration::from_secs(5);
/// One PIN, whatever is pressed.
const TYPING_MAX: Duration = Duration::from_secs(60);
/// Digits of one caller that wait to be heard; a thumb is slower.
const REPORTS_MAX: usize = 64;
/// Callers at once who are on no call.
pub(super) const ALONE_MAX: usize = 100;

/// The bridge, as long as it is needed.
struct Room {
    house: Arc<House>,
    bridge: BridgeId,
    _place: OwnedSemaphorePermit,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.house.register.unlisten(self.bridge);
        self.house.engine.close(self.bridge);
    }
}

pub(super) struct Alone {
    room: Room,
    leg: Leg,
    events: mpsc::Receiver<DialogEvent>,
    reports: mpsc::Receiver<Message>,
    /// Typed before it was asked for.
    early: VecDeque<char>,
}

/// What comes next from a caller.
enum Next {
    Confirmed,
    Digit(char),
    Late,
    Gone,
}

pub(super) enum Typed {
    /// None: it is no PIN at all.
    Pin(Option<Pin>),
    Nothing,
    Gone,
}

impl Alone {
    /// Answers, and waits until that is confirmed: then the caller is where they say they are.
    /// None: they have gone, or there is no room.
    pub(super) async fn answer(board: &Switchboard, arrived: Arrived) -> Option<Self> {
        let (leg, events) = *arrived;
        let house = board.house.clone();
        let Ok(place) = house.alone.clone().try_acquire_owned() else {
            leg.refuse(503);
            return None;
        };
        let bridge = house.ids.bridge();
        if let Err(error) = house.engine.open(bridge, rand::random()) {
            tracing::warn!(%error, "a caller cannot be told anything");
            leg.refuse(503);
            return None;
        }
        let room = Room { house, bridge, _place: place };
        let (to, reports) = mpsc::channel(REPORTS_MAX);
        room.house.register.listen(bridge, to);
        let mut confirmed = leg.is_up();
        let leg = leg.answer_alone(&room.house.engine, bridge, SEAT)?;
        let early = VecDeque::new();
        let mut alone = Self { room, leg, events, reports, early };
        // A dialog whose ACK does not come ends by itself (64·T1), and says so.
        while !confirmed {
            match alone.next(None).await {
                Next::Confirmed => confirmed = true,
                Next::Digit(digit) => alone.keep(digit),
                Next::Late => {}
                Next::Gone => {
                    alone.hang_up();
                    return None;
                }
            }
        }
        alone.room.house.engine.apply(bridge, Arc::new(told_alone(SEAT)));
        Some(alone)
    }

    /// Says it to its end; false: the caller went before.
    pub(super) async fn say(&mut self, word: Spoken) -> bool {
        if !self.rest(REST).await {
            return false;
        }
        let length = self.play(word);
        self.rest(length + REST).await
    }

    fn keep(&mut self, digit: char) {
        if self.early.len() < REPORTS_MAX {
            self.early.push_back(digit);
        }
    }

    /// So long; what is pressed meanwhile is for the next question. False: the caller went before.
    async fn rest(&mut self, length: Duration) -> bool {
        let until = Instant::now() + length;
        loop {
            match self.next(Some(until)).await {
                Next::Late => return true,
                Next::Gone => return false,
                Next::Digit(digit) => self.keep(digit),
                Next::Confirmed => {}
            }
        }
    }

    /// Says it, and takes what is typed before, meanwhile and after; the first digit cuts the word
    /// short.
    pub(super) async fn ask(&mut self, word: Spoken) -> Typed {
        let began = Instant::now();
        let mut until = began + self.play(word) + FIRST_DIGIT;
        let mut typing = Typing::default();
        loop {
            let next = match self.early.pop_front() {
                Some(digit) => Next::Digit(digit),
                None => self.next(Some(until.min(began + TYPING_MAX))).await,
            };
            match next {
                Next::Confirmed => {}
                Next::Gone => return Typed::Gone,
                Next::Late if typing.is_empty() => return Typed::Nothing,
                Next::Late => return Typed::Pin(typing.done()),
                Next::Digit(digit) => {
                    self.hush();
                    match typing.press(digit) {
                        true if typing.is_empty() => return Typed::Nothing,
                        true => return Typed::Pin(typing.done()),
                        false => {}
                    }
                    until = Instant::now() + NEXT_DIGIT;
                }
            }
        }
    }

    /// How long it lasts.
    fn play(&self, word: Spoken) -> Duration {
        let (speech, length) = sound::spoken(word);
        let engine = &self.room.house.engine;
        if let Err(error) = engine.set_source(self.room.bridge, spoken_source(SEAT), speech) {
            tracing::warn!(%error, "a word is not spoken");
        }
        length
    }

    fn hush(&self) {
        let engine = &self.room.house.engine;
        // A bridge that is gone is silent as well.
        let _ = engine.set_source(self.room.bridge, spoken_source(SEAT), sound::nothing());
    }

    async fn next(&mut self, until: Option<Instant>) -> Next {
        let late = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(late);
        loop {
            let digit = tokio::select! {
                biased;
                event = self.events.recv() => match event {
                    None => return Next::Gone,
                    Some(event) => match self.on(event) {
                        Some(next) => return next,
                        None => continue,
                    },
                },
                // The sender is in the register as long as this lives.
                Some(report) = self.reports.recv() => match report {
                    Message::Digit { digit, .. } => (digit, DigitWay::Event),
                    _ => continue,
                },
                () = &mut late => return Next::Late,
            };
            if self.leg.digit_counts(clock::now().mono, digit.1) {
                return Next::Digit(digit.0);
            }
        }
    }

    fn on(&mut self, event: DialogEvent) -> Option<Next> {
        let (engine, bridge) = (&self.room.house.engine, self.room.bridge);
        match event {
            DialogEvent::Confirmed { sdp } => {
                let up = self.leg.confirmed_alone(engine, bridge, SEAT, sdp.as_deref());
                Some(if up { Next::Confirmed } else { Next::Gone })
            }
            DialogEvent::Info { content_type, body } => {
                let digit = super::legs::digit_of(&content_type, &body)?;
                let counts = self.leg.digit_counts(clock::now().mono, DigitWay::Info);
                counts.then_some(Next::Digit(digit))
            }
            DialogEvent::Reoffer { token, sdp, source } => {
                engine.trust(bridge, SEAT, source.ip());
                if let Some(media) = self.leg.answer_reoffer(token, sdp.as_deref()) {
                    engine.reconfigure(bridge, SEAT, media);
                }
                None
            }
            DialogEvent::Failed { .. } | DialogEvent::Ended { .. } => Some(Next::Gone),
            DialogEvent::Progress { .. }
            | DialogEvent::Answered { .. }
            | DialogEvent::Redirected { .. }
            | DialogEvent::Notified { .. } => None,
            DialogEvent::Refer { token, .. } => {
                self.leg.dialog().refuse_refer(token, 603);
                None
            }
        }
    }

    /// Out of here, as a leg that is up and of no bridge. None: its media has gone.
    pub(super) async fn let_go(mut self) -> Option<Arrived> {
        let media = self.room.house.engine.detach(self.room.bridge, SEAT).await.flatten();
        match media {
            Some(media) => self.leg.takes_along(media),
            None => {
                self.leg.end();
                return None;
            }
        }
        Some(Box::new((self.leg, self.events)))
    }

    pub(super) fn hang_up(self) {
        self.leg.end();
    }
}
