//! What one does with a call, and what is known of it. The dialog itself is in `dialog.rs`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use undertone_core::id::{SeatId, TapId};
use undertone_core::plan::{Edge, HearingPlan, Listener, Opens, PlanVersion, Source as PlanSource};
use undertone_media::bridge::Sound;
use undertone_media::events::event_of;
use undertone_sdp::{Codec, Direction, Media};
use undertone_sip::{Address, Replaces};

use crate::error::CallError;
use crate::recording::Recording;
use crate::studio::OpenBridge;
use crate::tone::Tone;

/// The one leg of a phone's bridge.
pub(crate) const LINE: SeatId = SeatId(0);
const TONE: PlanSource = PlanSource::Tone(0);
pub(crate) const PLAYED: PlanSource = PlanSource::Prompt(0);
/// What a phone's bridge mixes is told at this rate.
const TONE_RATE: u32 = 8_000;
const DIGIT_MS: u16 = 120;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallState {
    Calling,
    /// The far end answered with this provisional code.
    Ringing(u16),
    Up,
    Ended(CallEnd),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// We hung up, or gave up.
    Us,
    FarEnd,
    /// It never came to be.
    Failed {
        code: u16,
        reason: String,
    },
    /// The far end no longer answers.
    Lost,
    /// What the far end answered could not be taken, or our media failed.
    Media,
    Shutdown,
}

/// What is known of a call at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub state: CallState,
    /// As agreed: false while one side holds.
    pub sends: bool,
    pub receives: bool,
    /// What we send with.
    pub codec: Option<Codec>,
    /// Digits that came as telephone events, in their order.
    pub digits: String,
    /// Sounds given to `play` that have ended.
    pub played: usize,
    /// What became of a `refer`, as NOTIFY said it: each code, and whether it was the last word.
    pub referred: Vec<(u16, bool)>,
}

impl Status {
    fn new(state: CallState) -> Self {
        let (digits, referred) = (String::new(), Vec::new());
        Self { state, sends: false, receives: false, codec: None, digits, played: 0, referred }
    }

    pub fn is_up(&self) -> bool {
        self.state == CallState::Up
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.state, CallState::Ended(_))
    }
}

/// What is asked of the dialog's task.
pub(crate) enum Ask {
    Direction { wanted: Direction, done: oneshot::Sender<Result<(), CallError>> },
    Refer { to: String, replaces: Option<Replaces>, done: oneshot::Sender<Result<(), CallError>> },
    Info { digits: String, done: oneshot::Sender<Result<(), CallError>> },
    Answer,
    Reject(u16),
    HangUp,
}

/// The call's sound and status, shared by its handles and its task.
pub(crate) struct Shared {
    pub(crate) bridge: OpenBridge,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) peer: Address,
    tone: Tone,
    plan: Mutex<PlanState>,
}

#[derive(Default)]
struct PlanState {
    version: u64,
    taps: BTreeSet<TapId>,
    tap_next: u32,
    muted: bool,
}

impl Shared {
    pub(crate) fn new(bridge: OpenBridge, peer: Address) -> Self {
        let status = watch::Sender::new(Status::new(CallState::Calling));
        Self { bridge, status, peer, tone: Tone::new(None), plan: Mutex::default() }
    }

    pub(crate) fn set_state(&self, state: CallState) {
        self.status.send_if_modified(|status| {
            let moves = !status.has_ended() && status.state != state;
            if moves {
                status.state = state;
            }
            moves
        });
    }

    pub(crate) fn agreed(&self, media: &Media) {
        self.status.send_modify(|status| {
            status.sends = media.sends;
            status.receives = media.receives;
            status.codec = media.codecs.first().map(|(_, codec)| *codec);
        });
    }

    /// The tone sounds from the first packet on, as silence until it is turned to a pitch.
    pub(crate) fn start_sound(&self) -> Result<(), CallError> {
        let sound = self.tone.sound(TONE_RATE);
        let engine = self.bridge.engine();
        engine.set_source(self.bridge.id, TONE, sound).map_err(CallError::Engine)?;
        self.change_plan(|_| ());
        Ok(())
    }

    /// On hold a phone's microphone is shut, whatever is played.
    pub(crate) fn mute(&self, muted: bool) {
        self.change_plan(|plan| plan.muted = muted);
    }

    fn change_plan(&self, change: impl FnOnce(&mut PlanState)) {
        let mut state = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        state.version += 1;
        // Applied under the lock: versions reach the bridge in their order.
        self.bridge.engine().apply(self.bridge.id, Arc::new(state.plan()));
    }
}

impl PlanState {
    fn plan(&self) -> HearingPlan {
        let edge = |source, listener| Edge {
            source,
            listener,
            audio: true,
            events: true,
            gain_cdb: 0,
            opens: Opens::AtOnce,
            until: None,
        };
        let mut edges: Vec<Edge> = Vec::new();
        if !self.muted {
            let said = [TONE, PLAYED];
            edges.extend(said.map(|source| edge(source, Listener::Seat(LINE))));
        }
        let heard = self.taps.iter();
        edges.extend(heard.map(|tap| edge(PlanSource::Seat(LINE), Listener::Tap(*tap))));
        edges.sort_by_key(|e| (e.listener, e.source));
        HearingPlan { version: PlanVersion(self.version), edges, ..HearingPlan::default() }
    }
}

/// One call of a phone. Cheap to clone; when the last handle is dropped the phone hangs up.
#[derive(Clone)]
pub struct PhoneCall {
    pub(crate) shared: Arc<Shared>,
    pub(crate) asks: mpsc::Sender<Ask>,
    pub(crate) call_id: Arc<str>,
    pub(crate) tag: Arc<str>,
}

impl PhoneCall {
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Our tag: with the Call-ID, what names this call's dialog at our end.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Who is at the other end, as the signalling says.
    pub fn peer(&self) -> &Address {
        &self.shared.peer
    }

    pub fn status(&self) -> Status {
        self.shared.status.borrow().clone()
    }

    /// For who follows the call.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.shared.status.subscribe()
    }

    /// Waits for a status; None if it did not come in time.
    pub async fn wait_for(
        &self,
        within: Duration,
        test: impl FnMut(&Status) -> bool,
    ) -> Option<Status> {
        let mut status = self.shared.status.subscribe();
        let come = status.wait_for(test);
        tokio::time::timeout(within, come).await.ok()?.ok().map(|status| status.clone())
    }

    /// Waits until the call is up; the end, if that came first.
    pub async fn up(&self) -> Result<(), CallEnd> {
        let mut status = self.shared.status.subscribe();
        let settled = status.wait_for(|s| s.is_up() || s.has_ended()).await;
        match settled.map(|s| s.state.clone()) {
            Ok(CallState::Ended(end)) => Err(end),
            Ok(_) => Ok(()),
            Err(_) => Err(CallEnd::Shutdown),
        }
    }

    pub async fn ended(&self) -> CallEnd {
        let mut status = self.shared.status.subscribe();
        match status.wait_for(Status::has_ended).await.map(|s| s.state.clone()) {
            Ok(CallState::Ended(end)) => end,
            _ => CallEnd::Shutdown,
        }
    }

    /// Puts the far end on hold: `sendonly`, and nothing said.
    pub async fn hold(&self) -> Result<(), CallError> {
        self.direction(Direction::SendOnly).await
    }

    pub async fn resume(&self) -> Result<(), CallError> {
        self.direction(Direction::SendRecv).await
    }

    /// Offers anew with this direction.
    pub async fn direction(&self, wanted: Direction) -> Result<(), CallError> {
        let (done, answer) = oneshot::channel();
        let ask = Ask::Direction { wanted, done };
        self.asks.send(ask).await.map_err(|_| CallError::Ended)?;
        answer.await.unwrap_or(Err(CallError::Ended))
    }

    /// Asks the far end to call that address in our stead (RFC 3515) and, with `replaces`, to take
    /// the place of that dialog there. Ok says that it will try; `Status::referred` tells the rest.
    pub async fn refer(&self, to: &str, replaces: Option<Replaces>) -> Result<(), CallError> {
        let (done, answer) = oneshot::channel();
        let ask = Ask::Refer { to: to.to_owned(), replaces, done };
        self.asks.send(ask).await.map_err(|_| CallError::Ended)?;
        answer.await.unwrap_or(Err(CallError::Ended))
    }

    /// Presses these, one after the other, as telephone events (RFC 4733). The answer says that
    /// they are on their way: 120 ms and a gap each.
    pub async fn digits(&self, digits: &str) -> Result<(), CallError> {
        let events: Result<Vec<u8>, CallError> =
            digits.chars().map(|d| event_of(d).ok_or(CallError::NotADigit(d))).collect();
        let events = events?;
        if !self.shared.status.borrow().is_up() {
            return Err(CallError::NotUp);
        }
        let bridge = &self.shared.bridge;
        let pressed = bridge.engine().work(bridge.id, move |bridge| {
            events.iter().all(|event| bridge.press(LINE, *event, DIGIT_MS))
        });
        match pressed.await {
            Some(true) => Ok(()),
            Some(false) => Err(CallError::NoEvents),
            None => Err(CallError::Ended),
        }
    }

    /// Presses these as SIP INFO (`application/dtmf-relay`), each after the one before is answered.
    pub async fn info(&self, digits: &str) -> Result<(), CallError> {
        let (done, answer) = oneshot::channel();
        let ask = Ask::Info { digits: digits.to_owned(), done };
        self.asks.send(ask).await.map_err(|_| CallError::Ended)?;
        answer.await.unwrap_or(Err(CallError::Ended))
    }

    /// Sets what the phone says to this tone, at -10 dBFS; None is silence.
    pub fn tone(&self, hz: Option<f64>) {
        self.shared.tone.set(hz);
    }

    /// The knob itself, for a thread that turns it.
    pub fn tone_knob(&self) -> Tone {
        self.shared.tone.clone()
    }

    /// Says this, beside the tone, until it ends; it takes the place of what was played.
    pub fn play(&self, sound: Box<dyn Sound>) -> Result<(), CallError> {
        let bridge = &self.shared.bridge;
        bridge.engine().set_source(bridge.id, PLAYED, sound).map_err(CallError::Engine)
    }

    /// Records what is heard, at 8000, 16000 or 48000 samples a second.
    pub fn record(&self, rate: u32) -> Result<Recording, CallError> {
        let recording = Recording::new(rate);
        let bridge = &self.shared.bridge;
        let mut tap = TapId(0);
        {
            let mut plan = self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner);
            plan.tap_next += 1;
            tap.0 = plan.tap_next;
        }
        let opened = bridge.engine().open_tap(bridge.id, tap, rate, recording.sink());
        opened.map_err(CallError::Engine)?;
        self.shared.change_plan(|plan| {
            plan.taps.insert(tap);
        });
        Ok(recording)
    }

    /// Answers what was only announced (`Ringing::announce`).
    pub fn answer(&self) {
        self.ask(Ask::Answer);
    }

    /// Refuses it after all.
    pub fn reject(&self, code: u16) {
        self.ask(Ask::Reject(code));
    }

    /// Hangs up, or gives up; `ended` tells when it is done.
    pub fn hang_up(&self) {
        self.ask(Ask::HangUp);
    }

    fn ask(&self, ask: Ask) {
        // A full queue holds nothing that an end should wait for: then the drop does it.
        if self.asks.try_send(ask).is_err() {
            tracing::debug!(call_id = %self.call_id, "already ending");
        }
    }
}
