//! One call's task: hands what happens to core's `Call`, and starts what `Call` asks for. No
//! effect is awaited here; what takes time comes back as a message.

use super::House;
use super::browser_news::Look;
use super::browsers::Borrowed;
use super::dialling::Search;
use super::legs::Leg;
use super::moving::{Arrival, Guests, Moving};
use super::page_rings::{PageRings, PageSays};
use super::register::CallHandle;
use super::sound::Sounding;
use super::tapping::Lent;
use super::transferring::Refers;
use crate::clock;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use undertone_core::access::Actor;
use undertone_core::audit::AuditEntry;
use undertone_core::call::{
    Answer, Call, Effect, Input, LegEnd, LegFailure, Other, RequestId, RowId, TimerId,
};
use undertone_core::codes::DigitWay;
use undertone_core::id::{LegId, PersonId, SeatId, SupervisionId};
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::view::{Ability, CallView};
use undertone_sdp::Codec;
use undertone_sip::DialogEvent;
use undertone_store::Class;

/// What reaches a call's task.
pub enum Message {
    Input(Box<Input>),
    /// An input that is answered.
    Ask(Box<Input>, Waiting),
    Dialog {
        seat: SeatId,
        leg: LegId,
        event: DialogEvent,
    },
    /// An input that is answered, with a leg that called us (`Effect::Adopt`).
    Lend(Box<Input>, Waiting, Box<Lent>),
    /// A telephone event began.
    Digit {
        seat: SeatId,
        digit: char,
    },
    /// Nothing came from that seat for so long.
    Silent {
        seat: SeatId,
        for_ms: u64,
    },
    /// A browser's leg that was asked for.
    Browser {
        seat: SeatId,
        borrowed: Box<Result<Borrowed, LegFailure>>,
    },
    BrowserGone {
        seat: SeatId,
        cause: LegEnd,
    },
    /// There is something to know of a browser's leg, or was.
    BrowserNews,
    /// A page answers or declines what rings there.
    Page {
        person: PersonId,
        says: PageSays,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// That phone, at that seat when it was asked, no longer answers.
    Gone {
        seat: SeatId,
        leg: LegId,
    },
    /// Another call's legs.
    Guests(Box<Guests>),
    Arrival(Box<Arrival>),
    /// The phones that ring for a seat have had their time.
    TurnOver {
        seat: SeatId,
        due: Instant,
    },
    View(oneshot::Sender<CallView>),
    /// How this seat stands, for another call of its phone.
    Other(SeatId, oneshot::Sender<Other>),
    Abilities(Box<Actor>, oneshot::Sender<Vec<Ability>>),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message")
    }
}

/// Who waits for what becomes of a request; with `sound`, for the live sound of a stream too.
pub struct Waiting {
    pub request: RequestId,
    pub reply: oneshot::Sender<Answer>,
    pub sound: Option<(SupervisionId, oneshot::Sender<Sounding>)>,
}

pub(super) struct CallTask {
    pub(super) house: Arc<House>,
    pub(super) me: CallHandle,
    pub(super) call: Call,
    pub(super) legs: BTreeMap<SeatId, Leg>,
    /// Seats whose leg is a browser's, borrowed or asked for.
    pub(super) browser_seats: BTreeMap<SeatId, PersonId>,
    /// Something is to be known of them.
    pub(super) look: Look,
    /// What they were told last that the call speaks.
    pub(super) was_spoken: Option<Codec>,
    pub(super) pages: PageRings,
    /// Inputs that follow at once from what was just carried out.
    pub(super) next: VecDeque<Input>,
    /// Seats that are still looked for.
    pub(super) searches: BTreeMap<SeatId, Search>,
    pub(super) moving: Moving,
    /// REFERs whose end is not told yet.
    pub(super) refers: Refers,
    pub(super) sounds: HashMap<SupervisionId, oneshot::Sender<Sounding>>,
    /// Who steers here by a page, as far as it was looked whether there is one.
    steerers: BTreeSet<PersonId>,
    /// On loan until core adopts it in the same turn.
    lent: Option<Box<Lent>>,
    replies: HashMap<RequestId, oneshot::Sender<Answer>>,
    timers: BTreeMap<TimerId, Instant>,
}

impl CallTask {
    pub(super) fn new(house: Arc<House>, me: CallHandle, call: Call) -> Self {
        Self {
            house,
            me,
            call,
            legs: BTreeMap::new(),
            browser_seats: BTreeMap::new(),
            look: Look::default(),
            was_spoken: None,
            pages: PageRings::default(),
            next: VecDeque::new(),
            searches: BTreeMap::new(),
            moving: Moving::default(),
            refers: Refers::default(),
            sounds: HashMap::new(),
            steerers: BTreeSet::new(),
            lent: None,
            replies: HashMap::new(),
            timers: BTreeMap::new(),
        }
    }

    pub(super) fn expect(&mut self, waiting: Waiting) {
        self.replies.insert(waiting.request, waiting.reply);
        if let Some((supervision, sound)) = waiting.sound {
            self.sounds.insert(supervision, sound);
        }
    }

    pub(super) async fn run(mut self, first: Vec<Effect>, mut inbox: mpsc::Receiver<Message>) {
        self.carry_out_all(first);
        while !self.call.is_over() {
            let due = self.timers.iter().min_by_key(|(_, at)| **at).map(|(t, at)| (*t, *at));
            let message = match due {
                None => inbox.recv().await,
                Some((timer, at)) => match tokio::time::timeout_at(at, inbox.recv()).await {
                    Ok(message) => message,
                    Err(_) => {
                        self.timers.remove(&timer);
                        Some(Message::Input(Box::new(Input::Deadline { timer })))
                    }
                },
            };
            // The register and this task hold senders, so the inbox does not run dry.
            let Some(message) = message else { return };
            self.take(message);
        }
        self.refuse_the_rest(&mut inbox);
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Input(input) => self.input(*input),
            Message::Ask(input, waiting) => {
                self.expect(waiting);
                self.input(*input);
            }
            Message::Lend(input, waiting, lent) => {
                self.expect(waiting);
                self.lent = Some(lent);
                self.input(*input);
                if let Some(lent) = self.lent.take() {
                    let _ = lent.back.send(lent.leg);
                }
            }
            Message::Dialog { seat, leg, event } => self.on_dialog(seat, leg, event),
            Message::Digit { seat, digit } => self.pressed(seat, digit, DigitWay::Event),
            Message::Silent { seat, for_ms } => self.on_silence(seat, for_ms),
            Message::Gone { seat, leg } => self.on_gone(seat, leg),
            Message::TurnOver { seat, due } => self.turn_over(seat, due),
            Message::Browser { seat, borrowed } => self.browser_came(seat, *borrowed),
            Message::BrowserGone { seat, cause } => self.browser_gone(seat, cause),
            // It is looked at after each message.
            Message::BrowserNews => {}
            Message::Page { person, says, reply } => self.page_said(&person, says, reply),
            Message::Guests(guests) => self.guests_came(*guests),
            Message::Arrival(arrival) => self.arrival_came(*arrival),
            Message::View(reply) => {
                let _ = reply.send(self.call.view(clock::now()));
            }
            Message::Other(seat, reply) => {
                let _ = reply.send(self.call.other(clock::now(), seat));
            }
            Message::Abilities(who, reply) => {
                let dir = self.house.directory.borrow().clone();
                let _ = reply.send(self.call.abilities(clock::now(), &who, &dir));
            }
        }
        self.look_at_browsers();
        while let Some(input) = self.next.pop_front() {
            self.input(input);
        }
        self.browsers_follow();
        self.look_for_pages();
    }

    /// A page that went before its person came here, or that never was, is told of by nobody else.
    fn look_for_pages(&mut self) {
        let now = self.call.steerers();
        for person in now.difference(&self.steerers).cloned().collect::<Vec<_>>() {
            if !self.house.pages.has(&person) {
                self.input(Input::ControlLost { person, silent_ms: 0 });
            }
        }
        self.steerers = now;
    }

    fn input(&mut self, input: Input) {
        let dir = self.house.directory.borrow().clone();
        let effects = self.call.handle(clock::now(), input, &dir);
        self.carry_out_turn(effects);
    }

    fn carry_out_all(&mut self, effects: Vec<Effect>) {
        self.carry_out_turn(effects);
        while let Some(input) = self.next.pop_front() {
            self.input(input);
        }
    }

    pub(super) fn carry_out(&mut self, effect: Effect) {
        let bridge = self.me.bridge;
        match effect {
            Effect::Place(wish) => {
                let dir = self.house.directory.borrow().clone();
                let (seat, now) = (wish.seat, clock::now().mono);
                let found = self.house.exchange.traffic().find(now, &self.me.id, &wish, &dir);
                self.next.push_back(Input::Placed { seat, found });
            }
            Effect::GiveBack { seat, unused } => {
                self.house.exchange.traffic().give_back(&self.me.id, seat, unused);
            }
            Effect::Dial { seat, to, from_number, from_name } => {
                self.dial(seat, &to, from_number, from_name);
            }
            Effect::Adopt { seat, supervision } => self.adopt(seat, &supervision),
            Effect::RingLeg { seat } => self.ring(seat),
            Effect::EarlyLeg { seat } => self.tell_early(seat),
            Effect::AnswerLeg { seat } => self.answer(seat),
            Effect::RejectLeg { seat, code } => self.reject(seat, code),
            Effect::HangUpLeg { seat, .. } => self.hang_up(seat),
            Effect::AcceptRefer { seat, refer } => self.accept_refer(seat, refer),
            Effect::RefuseRefer { seat, refer, code } => self.refuse_refer(seat, refer, code),
            Effect::NotifyRefer { seat, refer, code, last } => {
                self.notify_refer(seat, refer, code, last);
            }
            Effect::ReplaceLeg { seat, arrival } => self.replace_leg(seat, arrival),
            Effect::RefuseArrival { arrival, code } => self.refuse_arrival(arrival, code),
            Effect::AskToGiveUp { call, leaving } => self.ask_to_give_up(call, leaving),
            Effect::HandOver(given) => self.hand_over(*given),
            Effect::TakeLeg { seat, guest } => self.take_leg(seat, guest),
            Effect::DropGuest { guest } => self.drop_guest(guest),
            Effect::WriteRow { row, entry, gates } => self.write_row(row, *entry, gates),
            Effect::Say(written) => drop(self.house.written.send(Arc::new(*written))),
            Effect::ApplyPlan(plan) => self.house.engine.apply(bridge, plan),
            Effect::StartSource { source, sound } => self.start_source(source, sound),
            Effect::OpenTap { tap, supervision } => self.open_tap(tap, supervision),
            Effect::CloseTap { tap, .. } => self.house.engine.close_tap(bridge, tap),
            Effect::ProveAudio { seat, incoming } => {
                if self.house.engine.prove(bridge, seat, incoming).is_err() {
                    self.next.push_back(Input::MediaFailed { seat });
                }
            }
            Effect::Reply { request, result } => {
                if let Some(reply) = self.replies.remove(&request) {
                    let _ = reply.send(result);
                }
            }
            Effect::StartTimer { timer, after_ms } => {
                self.timers.insert(timer, Instant::now() + Duration::from_millis(after_ms));
            }
            Effect::StopTimer { timer } => {
                self.timers.remove(&timer);
            }
            Effect::Changed => self.house.dirty.call(&self.me.id),
            Effect::AgentBusy { person } => {
                self.house.floor.busy(person, self.me.id.clone());
            }
            Effect::AgentFree { person } => {
                self.house.floor.free(person, self.me.id.clone());
            }
            Effect::Ended(record) => {
                self.house.dirty.call(&self.me.id);
                self.record(Vec::new(), *record);
            }
        }
    }

    /// Rows enter the journal's queue here, in the order of the call; only their end is awaited,
    /// elsewhere.
    fn write_row(&self, row: RowId, entry: AuditEntry, gates: bool) {
        let class = if gates { Class::Supervision } else { Class::Other };
        let committed = self.house.store.append(entry, class);
        let (house, me) = (self.house.clone(), self.me.clone());
        tokio::spawn(async move {
            let input = match committed.await {
                Ok(_) => Input::RowCommitted { row },
                Err(error) => {
                    house.counts.rows_failed.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(call = %me.id, %error, "an audit row was not written");
                    Input::RowFailed { row }
                }
            };
            me.input(input).await;
        });
    }

    fn adopt(&mut self, seat: SeatId, supervision: &SupervisionId) {
        let Some(lent) = self.lent.take_if(|lent| lent.supervision == *supervision) else { return };
        let (leg, events) = *lent.leg;
        self.arrived(seat, leg, events);
    }

    /// Whoever asked between the last effect and the end of this task is refused by core, which
    /// has that written too.
    fn refuse_the_rest(mut self, inbox: &mut mpsc::Receiver<Message>) {
        inbox.close();
        while let Ok(message) = inbox.try_recv() {
            match message {
                message @ (Message::Ask(..) | Message::Lend(..)) => self.take(message),
                other => self.turn_away(other),
            }
        }
        for (_, reply) in self.replies.drain() {
            let _ = reply.send(Err(Refusal::because(Reason::CallEnded)));
        }
        let searched: Vec<_> = self.searches.keys().copied().collect();
        searched.into_iter().for_each(|seat| self.stop_search(seat));
        self.return_browsers();
        for (_, leg) in std::mem::take(&mut self.legs) {
            leg.end();
        }
    }
}
