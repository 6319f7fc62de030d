//! Browsers' phones: one leg a person, for as long as one is signed in. It waits in a bridge of its
//! own (its foyer), sends and hears nothing there, and is lent to one call at a time.
//!
//! ```text
//!   open ──▶ foyer ◀──comes home── lent to a call's seat
//!              └──────borrow──────────▶┘        (in both: connecting, up, lost, by the engine)
//! ```
//!
//! An offer of the same connection is an ICE restart; one of another is a reload, and the same leg
//! goes on by it, wherever it is. Knows no mode, and not who may supervise.

use super::House;
use super::browser_news::{Look, News};
use super::offers::Offers;
use super::task::Message;
use crate::clock;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use undertone_core::call::{LegEnd, LegFailure};
use undertone_core::id::{BridgeId, CallId, LegId, PersonId, SeatId, SessionId};
use undertone_core::refusal::{Reason, Refusal};
use undertone_engine::{BrowserRefused, DetachedLeg, Engine, Greet, Greeted};
use undertone_media::leg::webrtc::{Answered, Secret, WebError};
use undertone_sdp::{Codec, Media};

/// Of the one leg in a foyer.
pub(super) const FOYER_SEAT: SeatId = SeatId(0);
/// A leg that is on its way home from another call may be asked for meanwhile.
const HOME_WITHIN: Duration = Duration::from_secs(2);

/// A page that is open checks its connection each 2.5 s (Chromium) or sends audio.
const DESERTED_MS: u64 = 3_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    Connecting,
    Up,
    Lost,
}

/// The seat that has a leg.
#[derive(Clone, Debug)]
pub(super) struct Loan {
    pub(super) call: CallId,
    pub(super) bridge: BridgeId,
    pub(super) seat: SeatId,
    pub(super) to: mpsc::Sender<Message>,
    pub(super) look: Look,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) connection: Connection,
    home: bool,
}

pub(super) struct Phone {
    leg: LegId,
    /// The page that holds it.
    tab: String,
    /// By which that page asked last; the phone ends with it. None: by a key.
    session: Option<SessionId>,
    foyer: BridgeId,
    pub(super) media: Media,
    send_codec: Codec,
    pub(super) loan: Option<Loan>,
    /// What the call that has it has not heard yet.
    pub(super) news: News,
    pub(super) seen: watch::Sender<Seen>,
}

impl Phone {
    pub(super) fn place(&self) -> (BridgeId, SeatId) {
        self.loan.as_ref().map_or((self.foyer, FOYER_SEAT), |loan| (loan.bridge, loan.seat))
    }

    fn is_held_by(&mut self, asked: &PhoneAsked) {
        self.tab.clone_from(&asked.tab);
        self.session.clone_from(&asked.session);
    }

    fn is_lent_to(&self, call: &CallId, seat: SeatId) -> bool {
        self.loan.as_ref().is_some_and(|loan| loan.call == *call && loan.seat == seat)
    }

    /// Another offer was agreed: the engine and the call are to know.
    fn agrees(&mut self, engine: &Engine, media: Media) {
        let (bridge, seat) = self.place();
        let directed = |media: &Media| (media.sends, media.receives);
        let turned = directed(&self.media) != directed(&media);
        let media = in_codec(media, Some(self.send_codec));
        if self.media == media {
            return;
        }
        self.media = media;
        if let Some((_, codec)) = self.media.codecs.first() {
            self.send_codec = *codec;
        }
        let agreed = if self.loan.is_some() { self.media.clone() } else { idle(&self.media) };
        engine.reconfigure(bridge, seat, agreed);
        if turned {
            self.tell_direction();
        }
    }

    #[cfg(test)]
    pub(super) fn for_tests(foyer: BridgeId) -> Self {
        use std::net::{Ipv4Addr, SocketAddr};
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let media = Media {
            addr: nowhere,
            rtcp: nowhere,
            rtcp_mux: true,
            sends: true,
            receives: true,
            codecs: vec![(0, Codec::Pcmu)],
            arriving: vec![(0, Codec::Pcmu)],
            events: Vec::new(),
            events_arriving: Vec::new(),
            comfort_noise: None,
            ptime_ms: 20,
            maxptime_ms: None,
            opus: undertone_sdp::OpusParams::default(),
        };
        Self {
            leg: LegId(1),
            tab: String::new(),
            session: None,
            foyer,
            media,
            send_codec: Codec::Pcmu,
            loan: None,
            news: News::default(),
            seen: watch::Sender::new(Seen { connection: Connection::Up, home: true }),
        }
    }
}

/// What a page is shown of its phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneSeen {
    pub leg: LegId,
    /// The page that has it.
    pub tab: String,
    pub connection: Connection,
    pub send_codec: Codec,
    pub call: Option<CallId>,
}

/// What a page asks for.
#[derive(Clone, Debug)]
pub struct PhoneAsked {
    pub offer: String,
    pub tab: String,
    /// By which the page is signed in.
    pub session: Option<SessionId>,
    /// Also if another page of the same person has it.
    pub here: bool,
    /// From where the page asks.
    pub peer: Option<IpAddr>,
}

/// A leg that was borrowed: out of its foyer, in no bridge.
pub struct Borrowed {
    pub(super) leg: DetachedLeg,
    pub(super) media: Media,
}

#[derive(Default)]
pub struct Browsers {
    phones: Mutex<HashMap<PersonId, Phone>>,
    /// One offer of a person at a time.
    asking: Mutex<HashMap<PersonId, Arc<tokio::sync::Mutex<()>>>>,
    offers: Offers,
}

impl std::fmt::Debug for Browsers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browsers")
    }
}

impl Browsers {
    pub(super) fn phones(&self) -> MutexGuard<'_, HashMap<PersonId, Phone>> {
        self.phones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn door(&self, person: &PersonId) -> Arc<tokio::sync::Mutex<()>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.entry(person.clone()).or_default().clone()
    }

    pub fn seen(&self, person: &PersonId) -> Option<PhoneSeen> {
        let phones = self.phones();
        let phone = phones.get(person)?;
        Some(PhoneSeen {
            leg: phone.leg,
            tab: phone.tab.clone(),
            connection: phone.seen.borrow().connection,
            send_codec: phone.send_codec,
            call: phone.loan.as_ref().map(|loan| loan.call.clone()),
        })
    }

    /// Marks it as that seat's, once it is up and at home; gives its foyer.
    async fn book(&self, person: &PersonId, loan: &Loan) -> Result<(BridgeId, Media), LegFailure> {
        let watched = self.phones().get(person).map(|phone| phone.seen.subscribe());
        let mut watched = watched.ok_or(LegFailure::Unreachable)?;
        let home = tokio::time::timeout(HOME_WITHIN, watched.wait_for(|seen| seen.home));
        if !home.await.is_ok_and(|seen| seen.is_ok()) {
            return Err(LegFailure::Busy);
        }
        // Bounded by core's deadline for the answer, and by the engine's for the connection.
        let settled = watched.wait_for(|seen| seen.connection != Connection::Connecting);
        let up = settled.await.is_ok_and(|seen| seen.connection == Connection::Up);
        let mut phones = self.phones();
        let phone = phones.get_mut(person).filter(|_| up).ok_or(LegFailure::Unreachable)?;
        if phone.loan.is_some() {
            return Err(LegFailure::Busy);
        }
        (phone.loan, phone.news) = (Some(loan.clone()), News::default());
        phone.seen.send_modify(|seen| seen.home = false);
        Ok((phone.foyer, phone.media.clone()))
    }

    pub(super) fn holder(&self, of: &Loan) -> Option<PersonId> {
        let phones = self.phones();
        let found = phones.iter().find(|(_, phone)| phone.is_lent_to(&of.call, of.seat));
        found.map(|(person, _)| person.clone())
    }

    /// It went from one seat to another without coming home.
    pub(super) fn relent(&self, person: &PersonId, from: &Loan, to: Loan) -> bool {
        let mut phones = self.phones();
        let phone = phones.get_mut(person).filter(|p| p.is_lent_to(&from.call, from.seat));
        let Some(phone) = phone else { return false };
        // What is so is told anew where it is attached.
        (phone.loan, phone.news) = (Some(to), News::default());
        true
    }

    /// The page is asked to send what the call has, if it can. What is agreed with it then, if it
    /// is lent to that seat.
    pub(super) fn speaks(
        &self,
        person: &PersonId,
        (call, seat): (&CallId, SeatId),
        codec: Option<Codec>,
    ) -> Option<Spoken> {
        let mut phones = self.phones();
        let phone = phones.get_mut(person).filter(|phone| phone.is_lent_to(call, seat))?;
        let media = in_codec(phone.media.clone(), codec);
        let first = media.codecs.first().map(|(_, codec)| *codec);
        let is_other = first.is_some_and(|first| first != phone.send_codec);
        phone.send_codec = first.unwrap_or(phone.send_codec);
        phone.media.clone_from(&media);
        Some(Spoken { media, is_other })
    }

    /// A call failed, and its bridge took what it had borrowed with it.
    pub(super) fn call_gone(&self, call: &CallId) {
        let lost = |phone: &Phone| phone.loan.as_ref().is_some_and(|loan| loan.call == *call);
        self.phones().retain(|_, phone| !lost(phone));
    }
}

/// What a browser in a call speaks.
pub(super) struct Spoken {
    pub(super) media: Media,
    /// It spoke something else.
    pub(super) is_other: bool,
}

/// With this codec first, if it is agreed at all: what is sent, and asked for.
fn in_codec(mut media: Media, codec: Option<Codec>) -> Media {
    media.codecs.sort_by_key(|(_, agreed)| Some(*agreed) != codec);
    media
}

/// Neither sends nor hears: nothing is to be carried, and no silence filled.
fn idle(media: &Media) -> Media {
    Media { sends: false, receives: false, ..media.clone() }
}

fn secret() -> Secret {
    Secret(std::array::from_fn(|_| rand::random()))
}

fn refused(error: &WebError) -> Refusal {
    match error {
        WebError::NoCommonCodec => Refusal::because(Reason::NoCommonCodec),
        other => Refusal::with(Reason::BadRequest, other.to_string()),
    }
}

impl House {
    pub(super) fn browsers(&self) -> &Browsers {
        &self.register.browsers
    }

    pub fn phone(&self, person: &PersonId) -> Option<PhoneSeen> {
        self.browsers().seen(person)
    }

    /// Answers a page's offer: a new leg, or the one it has by a new connection or path.
    pub async fn open_phone(
        &self,
        person: &PersonId,
        asked: PhoneAsked,
    ) -> Result<(PhoneSeen, String), Refusal> {
        let door = self.browsers().door(person);
        let _alone = door.lock().await;
        let had = {
            let phones = self.browsers().phones();
            let phone = phones.get(person);
            let elsewhere = |phone: &Phone| {
                phone.tab != asked.tab && phone.seen.borrow().connection != Connection::Lost
            };
            let elsewhere = phone.is_some_and(elsewhere) && !asked.here;
            phone.map(|phone| (phone.place(), elsewhere.then_some(phone.loan.is_some())))
        };
        let had = match had {
            Some((place, Some(is_lent))) => {
                if is_lent || !self.is_deserted(place).await {
                    return Err(Refusal::because(Reason::PhoneElsewhere));
                }
                Some(place)
            }
            had => had.map(|(place, _)| place),
        };
        if !self.browsers().offers.may(person, clock::now().mono) {
            return Err(Refusal::because(Reason::TooManyOffers));
        }
        let sdp = match had {
            Some((bridge, seat)) => {
                let again = self.engine.reoffer(bridge, seat, &asked.offer, secret());
                match again.await.flatten() {
                    Some(Ok(answered)) => self.restarted(person, &asked, answered),
                    Some(Err(WebError::OtherBrowser)) => self.rewired(person, &asked)?,
                    Some(Err(error)) => return Err(refused(&error)),
                    // Its leg is nowhere: it ended, or is between two calls.
                    None if self.is_lent(person) => {
                        return Err(Refusal::because(Reason::LegRejected));
                    }
                    None => self.welcomed(person, &asked)?,
                }
            }
            None => self.welcomed(person, &asked)?,
        };
        // After the table has it: whoever ends sessions looks there after they are known as ended.
        if self.is_over(person, asked.session.as_ref()) {
            let phone = self.browsers().phones().remove(person);
            phone.into_iter().for_each(|phone| self.end_phone(phone, LegEnd::Lost));
            return Err(Refusal::because(Reason::SignedOut));
        }
        let seen = self.browsers().seen(person);
        Ok((seen.ok_or_else(|| Refusal::because(Reason::NoPhone))?, sdp))
    }

    /// Whether what asked for a phone has ended while it was being opened.
    fn is_over(&self, person: &PersonId, session: Option<&SessionId>) -> bool {
        let gone = self.directory.borrow().person(person).is_none();
        gone || session.is_some_and(|session| !self.sessions.is_open(session))
    }

    /// Whether nothing comes any more from the page that has it, neither audio nor a check: it
    /// was closed a moment ago, and who opens another page has not two.
    async fn is_deserted(&self, (bridge, seat): (BridgeId, SeatId)) -> bool {
        let silent = || self.engine.silent_ms(bridge, seat);
        let Some(first) = silent().await.flatten() else { return true };
        let left = DESERTED_MS.saturating_sub(first);
        tokio::time::sleep(Duration::from_millis(left)).await;
        silent().await.flatten().is_none_or(|ms| ms >= DESERTED_MS)
    }

    fn is_lent(&self, person: &PersonId) -> bool {
        self.browsers().phones().get(person).is_some_and(|phone| phone.loan.is_some())
    }

    fn greet(
        &self,
        leg: LegId,
        asked: &PhoneAsked,
        prefer: Option<Codec>,
    ) -> Result<Greeted, Refusal> {
        let own = self.engine.web_ip().ok_or_else(|| Refusal::because(Reason::Overloaded))?;
        let told = asked.peer.map_or(own, |peer| self.told.address(own, peer));
        let (offer, seed) = (asked.offer.as_str(), rand::random());
        let greet = Greet { offer, leg, seed, secret: secret(), prefer, told };
        self.engine.greet(greet).map_err(|error| match error {
            BrowserRefused::Offer(error) => refused(&error),
            BrowserRefused::Full(_) | BrowserRefused::NotHere => {
                Refusal::with(Reason::Overloaded, error.to_string())
            }
        })
    }

    /// A first connection.
    fn welcomed(&self, person: &PersonId, asked: &PhoneAsked) -> Result<String, Refusal> {
        self.close_phone(person);
        let leg = self.ids.leg();
        let Greeted { answer, media, leg: detached, thread } = self.greet(leg, asked, None)?;
        let foyer = self.ids.bridge();
        let overloaded = |_| Refusal::because(Reason::Overloaded);
        self.engine.open_on(foyer, rand::random(), thread).map_err(overloaded)?;
        let send_codec = media.codecs.first().map_or(Codec::Opus, |(_, codec)| *codec);
        let seen = Seen { connection: Connection::Connecting, home: true };
        let phone = Phone {
            leg,
            tab: asked.tab.clone(),
            session: asked.session.clone(),
            foyer,
            media: media.clone(),
            send_codec,
            loan: None,
            news: News::default(),
            seen: watch::Sender::new(seen),
        };
        // In the table before the engine can say anything of it.
        self.browsers().phones().insert(person.clone(), phone);
        if let Err(error) = self.engine.attach_leg(foyer, FOYER_SEAT, detached) {
            self.close_phone(person);
            return Err(Refusal::with(Reason::Overloaded, error.to_string()));
        }
        self.engine.reconfigure(foyer, FOYER_SEAT, idle(&media));
        Ok(answer)
    }

    /// The same connection on another path, or with other codecs.
    fn restarted(&self, person: &PersonId, asked: &PhoneAsked, answered: Answered) -> String {
        let mut phones = self.browsers().phones();
        if let Some(phone) = phones.get_mut(person) {
            phone.is_held_by(asked);
            phone.agrees(&self.engine, answered.media);
        }
        answered.sdp
    }

    /// Another connection of the same leg: the page was loaded again, or is another one.
    fn rewired(&self, person: &PersonId, asked: &PhoneAsked) -> Result<String, Refusal> {
        let seen = self.browsers().seen(person);
        let prefer = seen.as_ref().map(|seen| seen.send_codec);
        let leg = seen.map_or_else(|| self.ids.leg(), |seen| seen.leg);
        let Greeted { answer, media, leg: detached, .. } = self.greet(leg, asked, prefer)?;
        let mut phones = self.browsers().phones();
        let gone = || Refusal::because(Reason::NoPhone);
        let phone = phones.get_mut(person).ok_or_else(gone)?;
        let (bridge, seat) = phone.place();
        phone.seen.send_modify(|seen| seen.connection = Connection::Connecting);
        self.engine
            .rewire(bridge, seat, detached)
            .map_err(|error| Refusal::with(Reason::Overloaded, error.to_string()))?;
        phone.is_held_by(asked);
        phone.agrees(&self.engine, media);
        Ok(answer)
    }

    /// False: there was none.
    pub fn close_phone(&self, person: &PersonId) -> bool {
        let phone = self.browsers().phones().remove(person);
        phone.map(|phone| self.end_phone(phone, LegEnd::HungUp)).is_some()
    }

    /// Those that these sessions opened. Nobody hung up: a customer who has been taken over is not
    /// to be let go by this.
    pub(super) fn close_phones_of(&self, sessions: &BTreeSet<SessionId>) {
        let theirs = |phone: &Phone| phone.session.as_ref().is_some_and(|s| sessions.contains(s));
        let ended: Vec<_> = {
            let mut phones = self.browsers().phones();
            phones.extract_if(|_, phone| theirs(phone)).map(|(_, phone)| phone).collect()
        };
        ended.into_iter().for_each(|phone| self.end_phone(phone, LegEnd::Lost));
    }

    fn end_phone(&self, phone: Phone, cause: LegEnd) {
        match phone.loan {
            None => self.engine.close(phone.foyer),
            Some(loan) => {
                self.engine.close(phone.foyer);
                let message = Message::BrowserGone { seat: loan.seat, cause };
                tokio::spawn(async move { loan.to.send(message).await });
            }
        }
    }

    /// Takes the leg out of its foyer for that seat.
    pub(super) async fn borrow_phone(
        &self,
        person: &PersonId,
        loan: &Loan,
    ) -> Result<Borrowed, LegFailure> {
        let (foyer, media) = self.browsers().book(person, loan).await?;
        match self.engine.detach(foyer, FOYER_SEAT).await.flatten() {
            Some(leg) => Ok(Borrowed { leg, media }),
            None => {
                // Nothing of it is left.
                self.close_phone(person);
                Err(LegFailure::Gone)
            }
        }
    }

    /// The leg goes back into its foyer, or ends where the phone was closed meanwhile.
    pub(super) fn phone_comes_home(&self, person: &PersonId, from: &Loan, leg: DetachedLeg) {
        let mut phones = self.browsers().phones();
        let phone = phones.get_mut(person).filter(|p| p.is_lent_to(&from.call, from.seat));
        let Some(phone) = phone else { return };
        if self.engine.attach_leg(phone.foyer, FOYER_SEAT, leg).is_err() {
            self.engine.close(phone.foyer);
            phones.remove(person);
            return;
        }
        self.engine.reconfigure(phone.foyer, FOYER_SEAT, idle(&phone.media));
        (phone.loan, phone.news) = (None, News::default());
        phone.seen.send_modify(|seen| seen.home = true);
    }
}
