//! *Cancelled, nothing was heard*: of a raise that is given up the answer says whether the way to
//! the customer was ever open.

use crate::call_world::*;
use undertone_core::call::{Input, RequestId};
use undertone_core::plan::{EdgeRef, Listener, PlanVersion, Source};
use undertone_core::view::*;

impl World {
    fn raise_of(&self, request: RequestId) -> Option<(Mode, bool)> {
        self.granted(request).last_raise.map(|raise| (raise.mode, raise.heard))
    }

    fn guard_passed(&mut self, n: u64, version: PlanVersion) {
        let listener = Listener::Seat(CUSTOMER);
        let edge = EdgeRef { source: Source::Seat(self.seat(n)), listener };
        self.feed(Input::GuardPassed { edge, version });
    }
}

fn listening() -> World {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world
}

#[test]
fn a_raise_given_up_in_its_guard_was_not_heard_and_one_after_it_was() {
    let mut world = listening();
    world.switch(1, "mia", Mode::Barge);
    world.run_ms(100);
    assert_eq!(world.supervision(1).mode, Mode::Barge);
    let back = world.switch(1, "mia", Mode::Listen);
    world.run_ms(100);
    assert_eq!(world.raise_of(back), Some((Mode::Barge, false)));
    world.take_over(1, "mia", AgentAfter::Listening);
    world.run_ms(600);
    assert!(world.hears(CUSTOMER, world.seat(1)));
    let back = world.switch(1, "mia", Mode::Barge);
    world.run_ms(600);
    let barged = world.raise_of(back);
    assert_eq!(barged, Some((Mode::Takeover, true)), "barge is no raise out of a takeover");
}

#[test]
fn what_the_bridge_opened_in_the_instant_of_giving_up_was_heard() {
    let mut world = listening();
    world.habits.passes = false;
    world.switch(1, "mia", Mode::Barge);
    world.run_ms(240);
    let under = world.plan.version;
    let back = world.switch(1, "mia", Mode::Listen);
    assert!(world.plan.version > under, "it is closed already");
    // Said before the bridge had the plan that closes it.
    world.guard_passed(1, under);
    world.run_ms(100);
    assert_eq!(world.raise_of(back), Some((Mode::Barge, true)));
    // The next raise is another one, of which that tells nothing.
    world.switch(1, "mia", Mode::Barge);
    world.guard_passed(1, under);
    world.run_ms(100);
    let back = world.switch(1, "mia", Mode::Listen);
    world.run_ms(100);
    assert_eq!(world.raise_of(back), Some((Mode::Barge, false)));
}

#[test]
fn a_muted_barge_and_a_whisper_are_not_heard_and_an_unmuted_one_is() {
    let mut world = listening();
    let whisper = world.switch(1, "mia", Mode::Whisper);
    world.run_ms(600);
    assert_eq!(world.raise_of(whisper), None);
    world.change(1, "mia", |change| change.muted = Some(true));
    let barge = world.switch(1, "mia", Mode::Barge);
    world.run_ms(600);
    assert_eq!(world.raise_of(barge), Some((Mode::Barge, false)));
    world.change(1, "mia", |change| change.muted = Some(false));
    world.run_ms(600);
    let raise = world.supervision(1).last_raise.unwrap();
    assert!(raise.heard && world.hears(CUSTOMER, world.seat(1)));
}
