//! What is to be told to the call that has a browser's leg, and is never lost: it is kept with the
//! phone as what holds now, and the call's task fetches it. A message only says that there is
//! something; if the task's queue has no room for that, the task looks after the next message
//! that it takes, of which there are many then. Media threads report here: nothing waits.

use super::browsers::{Browsers, Connection, Phone};
use super::task::{CallTask, Message};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use undertone_core::call::{Input, LegEnd};
use undertone_core::id::{BridgeId, CallId, SeatId};
use undertone_media::bridge::BridgeEvent;

/// Of one leg, since its call looked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    lost: bool,
    quiet: Option<bool>,
    /// Whether it sends, whether it hears.
    direction: Option<(bool, bool)>,
}

/// Whether a call's task is to look at the news of its browsers.
#[derive(Clone, Debug, Default)]
pub(super) struct Look(Arc<AtomicBool>);

impl Look {
    fn ask(&self) {
        self.0.store(true, Ordering::Release);
    }
    fn is_asked(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Phone {
    /// Notes it for the call that has the leg, if one has.
    pub(super) fn tell(&mut self, change: impl FnOnce(&mut News)) {
        let Some(loan) = &self.loan else { return };
        change(&mut self.news);
        // Before the message: a queue that is full now has messages to be taken after this.
        loan.look.ask();
        let _ = loan.to.try_send(Message::BrowserNews);
    }

    /// Another offer was agreed: what its call may count on.
    pub(super) fn tell_direction(&mut self) {
        // Seen from us: it sends when we receive.
        let direction = (self.media.receives, self.media.sends);
        self.tell(|news| news.direction = Some(direction));
    }
}

impl Browsers {
    /// On a media thread: what the engine says of a browser's connection.
    pub(super) fn report(&self, bridge: BridgeId, event: &BridgeEvent) {
        let (BridgeEvent::LegConnected { seat }
        | BridgeEvent::LegLost { seat }
        | BridgeEvent::LegQuiet { seat }
        | BridgeEvent::LegHeard { seat }) = event
        else {
            return;
        };
        let mut phones = self.phones();
        let Some(phone) = phones.values_mut().find(|phone| phone.place() == (bridge, *seat)) else {
            return;
        };
        let now = match event {
            BridgeEvent::LegConnected { .. } => Connection::Up,
            BridgeEvent::LegLost { .. } => Connection::Lost,
            sound => {
                let is_quiet = matches!(sound, BridgeEvent::LegQuiet { .. });
                return phone.tell(|news| news.quiet = Some(is_quiet));
            }
        };
        phone.seen.send_modify(|seen| seen.connection = now);
        phone.tell(|news| news.lost = now == Connection::Lost);
    }

    /// What this call has not heard yet.
    fn news_of(&self, call: &CallId) -> Vec<(SeatId, News)> {
        let mut phones = self.phones();
        let theirs = phones.values_mut().filter_map(|phone| {
            let loan = phone.loan.as_ref().filter(|loan| loan.call == *call)?;
            Some((loan.seat, std::mem::take(&mut phone.news)))
        });
        theirs.filter(|(_, news)| *news != News::default()).collect()
    }
}

impl CallTask {
    /// After each message.
    pub(super) fn look_at_browsers(&mut self) {
        if !self.look.is_asked() {
            return;
        }
        for (seat, news) in self.house.browsers().news_of(&self.me.id) {
            let News { lost, quiet, direction } = news;
            if let Some((sends, receives)) = direction {
                self.next.push_back(Input::LegDirection { seat, sends, receives });
            }
            match quiet {
                Some(true) => self.next.push_back(Input::LegQuiet { seat }),
                Some(false) => self.next.push_back(Input::LegHeard { seat }),
                None => {}
            }
            if lost {
                self.browser_gone(seat, LegEnd::Lost);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::browsers::{FOYER_SEAT, Loan};
    use super::*;
    use tokio::sync::mpsc;
    use undertone_core::id::PersonId;

    const SEAT: SeatId = SeatId(3);
    const BRIDGE: BridgeId = BridgeId(9);

    fn call() -> CallId {
        CallId::parse("c1").expect("an id")
    }

    /// A browser that is lent to a call whose queue has room for one message.
    fn lent() -> (Browsers, Look, mpsc::Receiver<Message>) {
        let (to, inbox) = mpsc::channel(1);
        let look = Look::default();
        let loan = Loan { call: call(), bridge: BRIDGE, seat: SEAT, to, look: look.clone() };
        let browsers = Browsers::default();
        let mut phone = Phone::for_tests(BridgeId(1));
        phone.loan = Some(loan);
        browsers.phones().insert(PersonId::parse("mia").expect("an id"), phone);
        (browsers, look, inbox)
    }

    #[test]
    fn what_found_the_calls_queue_full_is_fetched_after_the_next_message() {
        let (browsers, look, mut inbox) = lent();
        browsers.report(BRIDGE, &BridgeEvent::LegHeard { seat: SEAT });
        // Its one place is taken by what was said first, and nobody has looked.
        browsers.report(BRIDGE, &BridgeEvent::LegQuiet { seat: SEAT });
        browsers.report(BRIDGE, &BridgeEvent::LegLost { seat: SEAT });
        assert!(inbox.try_recv().is_ok() && inbox.try_recv().is_err());
        assert!(look.is_asked());
        let all = News { lost: true, quiet: Some(true), direction: None };
        assert_eq!(browsers.news_of(&call()), [(SEAT, all)]);
        assert!(!look.is_asked() && browsers.news_of(&call()).is_empty(), "told once");
    }

    #[test]
    fn who_is_back_before_the_call_has_looked_was_never_away() {
        let (browsers, _, _inbox) = lent();
        browsers.report(BRIDGE, &BridgeEvent::LegLost { seat: SEAT });
        browsers.report(BRIDGE, &BridgeEvent::LegConnected { seat: SEAT });
        assert!(browsers.news_of(&call()).is_empty());
    }

    #[test]
    fn what_is_said_of_another_place_is_not_the_calls() {
        let (browsers, look, _inbox) = lent();
        browsers.report(BRIDGE, &BridgeEvent::LegLost { seat: SeatId(4) });
        browsers.report(BridgeId(1), &BridgeEvent::LegLost { seat: FOYER_SEAT });
        assert!(!look.is_asked() && browsers.news_of(&call()).is_empty());
    }
}
