//! The task of one call: SIP events and what its phone asks, into offers, answers and media.
//!
//! ```text
//! place    -> Calling -> Ringing -> Up -> Ended
//! answer   ----------------------> Up -> Ended    (Up when the ACK has come)
//! announce ------------> Ringing -> Up -> Ended   (sound before the answer)
//! ```

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use undertone_engine::{Ports, Rank};
use undertone_media::bridge::{BridgeEvent, LegConfig};
use undertone_media::events::digit_of;
use undertone_sdp::{Capabilities, Direction, LocalAddr, Media, Session};
use undertone_sip::{
    Address, DialogEvent, DialogHandle, EndCause, Incoming, Outgoing, Replaces, Sip, SipError,
    Transport,
};

use crate::call::{Ask, CallEnd, CallState, LINE, PLAYED, PhoneCall, Shared};
use crate::endpoint::LineConfig;
use crate::error::{CallError, PhoneError};
use crate::studio::PhoneEngine;

const ASKS_MAX: usize = 16;
/// After a hang-up, the far end's word is waited for at most this long.
const GOODBYE_MAX: Duration = Duration::from_secs(40);

type Reinvite = Pin<Box<dyn Future<Output = Result<String, SipError>> + Send>>;

struct OpenOffer {
    answer: Reinvite,
    wanted: Direction,
    done: oneshot::Sender<Result<(), CallError>>,
}

struct Task {
    shared: Arc<Shared>,
    session: Session,
    dialog: DialogHandle,
    /// Bound and offered, until the leg takes them.
    ports: Option<Ports>,
    open: Option<OpenOffer>,
    /// Told in a 183, and to be told again in the 200.
    announced: Option<String>,
}

/// Starts a call out.
pub(crate) fn place(
    sip: &Sip,
    engine: &PhoneEngine,
    line: &LineConfig,
    to: &str,
    transport: Option<Transport>,
    replaces: Option<Replaces>,
) -> Result<PhoneCall, PhoneError> {
    let ports = engine.engine().reserve(Rank::First)?;
    let (bridge, media_events) = engine.open()?;
    let mut session = session(&ports, line);
    let offer = session.offer(Direction::SendRecv);
    let (dialog, events) = sip.call(Outgoing {
        to_uri: to.into(),
        transport,
        from_user: line.user.clone(),
        from_name: line.name.clone(),
        offer,
        credentials: line.credentials(),
        replaces,
        ..Outgoing::default()
    });
    let peer = Address { uri: to.into(), ..Address::default() };
    let shared = Arc::new(Shared::new(bridge, peer));
    let task = Task { shared, session, dialog, ports: Some(ports), open: None, announced: None };
    Ok(task.start(events, media_events))
}

/// Answers a call that came in.
pub(crate) fn answer(
    call: Incoming,
    engine: &PhoneEngine,
    line: &LineConfig,
) -> Result<PhoneCall, PhoneError> {
    let (task, answer, arrived) = take(call, engine, line)?;
    task.dialog.answer(answer);
    Ok(task.start(arrived.0, arrived.1))
}

/// Is heard before the answer: 183 with a description. A caller who offered nothing hears nothing.
pub(crate) fn announce(
    call: Incoming,
    engine: &PhoneEngine,
    line: &LineConfig,
) -> Result<PhoneCall, PhoneError> {
    let (mut task, answer, arrived) = take(call, engine, line)?;
    task.dialog.progress(183, Some(answer.clone()));
    task.shared.set_state(CallState::Ringing(183));
    task.announced = Some(answer);
    Ok(task.start(arrived.0, arrived.1))
}

type Events = (mpsc::Receiver<DialogEvent>, mpsc::Receiver<BridgeEvent>);

/// Media and a description for a call that came in; a refusal if there can be none.
fn take(
    call: Incoming,
    engine: &PhoneEngine,
    line: &LineConfig,
) -> Result<(Task, String, Events), PhoneError> {
    let dialog = call.dialog.clone();
    let refuse = |error: PhoneError, code| {
        dialog.reject(code, None);
        error
    };
    let ports = engine.engine().reserve(Rank::First).map_err(|e| refuse(e.into(), 503))?;
    let (bridge, media_events) = engine.open().map_err(|e| refuse(e.into(), 503))?;
    let mut session = session(&ports, line);
    let (answer, media) = match &call.offer {
        Some(offer) => {
            let agreed = session.answer(offer);
            let agreed = agreed.map_err(|e| refuse(PhoneError::Offer(e), 488))?;
            (agreed.0, Some(agreed.1))
        }
        // No offer came: ours is in the 200, the answer in the ACK (RFC 3261 section 13.2.1).
        None => (session.offer(Direction::SendRecv), None),
    };
    let shared = Arc::new(Shared::new(bridge, call.from));
    let (ports, dialog) = (Some(ports), call.dialog);
    let mut task = Task { shared, session, dialog, ports, open: None, announced: None };
    if let Some(media) = media {
        task.take_media(media);
    }
    Ok((task, answer, (call.events, media_events)))
}

fn session(ports: &Ports, line: &LineConfig) -> Session {
    let local =
        LocalAddr { ip: ports.rtp.ip(), rtp_port: ports.rtp.port(), rtcp_port: ports.rtcp.port() };
    let caps = Capabilities { codecs: line.codecs.clone(), ..Capabilities::default() };
    // RFC 8866 section 5.2: a number of its own; kept below 2^63 for peers that read it signed.
    Session::new(rand::random::<u64>() >> 1, local, caps)
}

impl Task {
    fn start(
        self,
        events: mpsc::Receiver<DialogEvent>,
        media: mpsc::Receiver<BridgeEvent>,
    ) -> PhoneCall {
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        let (shared, call_id) = (self.shared.clone(), self.dialog.call_id().into());
        let tag = self.dialog.local_tag().into();
        tokio::spawn(self.run(events, media, asked));
        PhoneCall { shared, asks, call_id, tag }
    }

    async fn run(
        mut self,
        mut events: mpsc::Receiver<DialogEvent>,
        mut media: mpsc::Receiver<BridgeEvent>,
        mut asked: mpsc::Receiver<Ask>,
    ) {
        let end = loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => if let Some(end) = self.on_event(event) { break end },
                    None => break CallEnd::Lost,
                },
                ask = asked.recv() => match ask {
                    Some(Ask::Direction { wanted, done }) => self.offer(wanted, done),
                    Some(Ask::Refer { to, replaces, done }) => self.refer(to, replaces, done),
                    Some(Ask::Info { digits, done }) => self.info(digits, done),
                    Some(Ask::Answer) => {
                        if let Some(answer) = self.announced.take() {
                            self.dialog.answer(answer);
                        }
                    }
                    Some(Ask::Reject(code)) => {
                        self.dialog.reject(code, None);
                        break CallEnd::Us;
                    }
                    Some(Ask::HangUp) | None => break self.hang_up(&mut events).await,
                },
                Some(event) = media.recv() => if let Some(end) = self.on_media(event) {
                    self.dialog.bye();
                    break end;
                },
                answer = answer_of(&mut self.open) => self.on_answer(answer),
            }
        };
        // First the ports, then the word that the call has ended: who waits for it may count.
        self.ports = None;
        self.shared.bridge.close();
        self.shared.set_state(CallState::Ended(end));
    }

    /// Says goodbye at once, and gives the far end its time to agree.
    async fn hang_up(&mut self, events: &mut mpsc::Receiver<DialogEvent>) -> CallEnd {
        self.dialog.bye();
        self.shared.bridge.close();
        let agreed = async {
            while let Some(event) = events.recv().await {
                if matches!(event, DialogEvent::Ended { .. } | DialogEvent::Failed { .. }) {
                    break;
                }
            }
        };
        if tokio::time::timeout(GOODBYE_MAX, agreed).await.is_err() {
            tracing::warn!(call_id = self.dialog.call_id(), "nobody answered the goodbye");
        }
        CallEnd::Us
    }

    /// The end, if the event is one.
    fn on_event(&mut self, event: DialogEvent) -> Option<CallEnd> {
        match event {
            DialogEvent::Progress { code, sdp } => {
                // Heard before the answer, which may describe another place.
                if let Some(media) = sdp.and_then(|sdp| self.session.foresee(&sdp).ok()) {
                    self.take_media(media);
                }
                self.shared.set_state(CallState::Ringing(code));
            }
            DialogEvent::Answered { sdp } => match self.session.accept(&sdp) {
                Ok(media) => {
                    self.take_media(media);
                    self.shared.set_state(CallState::Up);
                }
                Err(error) => {
                    tracing::warn!(%error, "the far end's answer cannot be taken");
                    self.dialog.bye();
                    return Some(CallEnd::Media);
                }
            },
            DialogEvent::Confirmed { sdp } => {
                if let Some(media) = sdp.and_then(|sdp| self.session.accept(&sdp).ok()) {
                    self.take_media(media);
                }
                self.shared.set_state(CallState::Up);
            }
            DialogEvent::Failed { code, reason } => {
                return Some(CallEnd::Failed { code, reason });
            }
            DialogEvent::Reoffer { token, sdp, .. } => {
                let answer = match sdp {
                    Some(offer) => self.session.answer(&offer).map(|(answer, media)| {
                        self.take_media(media);
                        answer
                    }),
                    None => Ok(self.session.offer(Direction::SendRecv)),
                };
                self.dialog.answer_reinvite(token, answer.map_err(|_| 488));
            }
            // Failed, with its code, follows.
            DialogEvent::Redirected { .. } => {}
            DialogEvent::Refer { token, .. } => self.dialog.refuse_refer(token, 603),
            DialogEvent::Notified { code, last } => {
                self.shared.status.send_modify(|status| status.referred.push((code, last)));
            }
            DialogEvent::Info { .. } => {}
            DialogEvent::Ended { cause } => return Some(end_of(cause)),
        }
        None
    }

    fn on_media(&mut self, event: BridgeEvent) -> Option<CallEnd> {
        match event {
            BridgeEvent::Digit { event, started: true, .. } => {
                if let Some(digit) = digit_of(event) {
                    self.shared.status.send_modify(|s| s.digits.push(digit));
                }
            }
            BridgeEvent::SourceEnded(source) if source == PLAYED => {
                self.shared.status.send_modify(|s| s.played += 1);
            }
            BridgeEvent::Panicked => return Some(CallEnd::Media),
            _ => {}
        }
        None
    }

    /// What was agreed holds from now on: the leg is made, or changed.
    fn take_media(&mut self, media: Media) {
        self.shared.agreed(&media);
        let bridge = &self.shared.bridge;
        let Some(ports) = self.ports.take() else {
            bridge.engine().reconfigure(bridge.id, LINE, media);
            return;
        };
        let config = LegConfig::new(bridge.leg, media, rand::random());
        let attached = bridge.engine().attach(bridge.id, LINE, config, ports);
        let started = attached.map_err(CallError::Engine).and_then(|()| self.shared.start_sound());
        if let Err(error) = started {
            tracing::warn!(%error, "a phone has no sound");
        }
    }

    fn offer(&mut self, wanted: Direction, done: oneshot::Sender<Result<(), CallError>>) {
        let refusal = match self.open {
            Some(_) => Some(CallError::Pending),
            None if !self.shared.status.borrow().is_up() => Some(CallError::NotUp),
            None => None,
        };
        if let Some(refusal) = refusal {
            let _ = done.send(Err(refusal));
            return;
        }
        // Who asks for hold is not heard from this moment on, whatever the answer will be.
        if wanted != Direction::SendRecv {
            self.shared.mute(true);
        }
        let sdp = self.session.offer(wanted);
        let dialog = self.dialog.clone();
        let answer: Reinvite = Box::pin(async move { dialog.reinvite(sdp).await });
        self.open = Some(OpenOffer { answer, wanted, done });
    }

    /// Answered by another task: the far end takes its time, and the call goes on meanwhile.
    fn refer(
        &self,
        to: String,
        replaces: Option<Replaces>,
        done: oneshot::Sender<Result<(), CallError>>,
    ) {
        let dialog = self.dialog.clone();
        tokio::spawn(async move {
            let answer = dialog.refer(&to, replaces).await;
            let _ = done.send(answer.map_err(CallError::from));
        });
    }

    /// Answered by another task, as a REFER is.
    fn info(&self, digits: String, done: oneshot::Sender<Result<(), CallError>>) {
        let dialog = self.dialog.clone();
        tokio::spawn(async move {
            let _ = done.send(dialog.info(&digits).await.map_err(CallError::from));
        });
    }

    fn on_answer(&mut self, answer: Result<String, SipError>) {
        let Some(OpenOffer { wanted, done, .. }) = self.open.take() else { return };
        let taken = match answer {
            Ok(sdp) => self.session.accept(&sdp).map_err(CallError::Answer),
            Err(error) => Err(error.into()),
        };
        let result = match taken {
            Ok(media) => {
                self.take_media(media);
                self.shared.mute(wanted != Direction::SendRecv);
                Ok(())
            }
            Err(error) => {
                // The call goes on as it was agreed before (RFC 3261 section 14.1).
                self.session.withdraw();
                let direction = self.session.agreed().map(Media::direction);
                self.shared.mute(direction.is_some_and(|d| !d.receives()));
                Err(error)
            }
        };
        let _ = done.send(result);
    }
}

/// The answer to the open offer; never, while none is open.
async fn answer_of(open: &mut Option<OpenOffer>) -> Result<String, SipError> {
    match open {
        Some(open) => open.answer.as_mut().await,
        None => std::future::pending().await,
    }
}

fn end_of(cause: EndCause) -> CallEnd {
    match cause {
        EndCause::FarEnd => CallEnd::FarEnd,
        EndCause::Us => CallEnd::Us,
        EndCause::Lost | EndCause::NoAck => CallEnd::Lost,
        EndCause::Shutdown => CallEnd::Shutdown,
    }
}
