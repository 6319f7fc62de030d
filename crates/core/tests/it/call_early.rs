//! Early media: what the called network plays before it answers is the caller's to hear, and only
//! the caller's.

use crate::call_world::*;
use undertone_core::call::{Input, LegFailure, NewParty, PartyLeg};
use undertone_core::id::SeatId;
use undertone_core::view::*;

/// Ana's own phone has dialled a number outside; nobody answers by itself.
fn dialling(caller: PartyLeg) -> World {
    let caller = NewParty { leg: caller, ..World::phone_of("ana") };
    let mut world = World::start(caller, World::outside());
    world.nobody_answers();
    world
}

fn plays(world: &mut World, is_on: bool) {
    world.feed(Input::LegEarly { seat: AGENT, is_on });
}

/// The caller sits where the customer of other tests does; the called, where the agent does.
fn hears_the_called_alone(world: &World) -> bool {
    world.plan.edges.len() == 1 && world.hears(CUSTOMER, AGENT)
}

#[test]
fn the_caller_hears_who_is_called_before_the_answer_and_nothing_goes_back() {
    let mut world = dialling(PartyLeg::Arrived);
    plays(&mut world, true);
    assert!(world.plan.edges.is_empty(), "not before the caller was told of it");
    world.run_ms(6);
    assert!(hears_the_called_alone(&world) && !world.plan.edges[0].events);
    assert_eq!(world.view().state, CallState::Ringing);
    assert!(world.view().timeline.iter().any(|entry| entry.what == "early_media"));
    world.habits.answers = true;
    world.feed(Input::LegAnswered { seat: AGENT });
    assert!(hears_the_called_alone(&world), "no gap while the caller is answered");
    world.run_ms(6);
    assert_eq!(world.view().state, CallState::Talking);
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
}

#[test]
fn a_call_that_we_place_needs_no_183() {
    let mut world = dialling(World::phone_of("ana").leg);
    world.feed(Input::LegAnswered { seat: CUSTOMER });
    plays(&mut world, true);
    assert!(hears_the_called_alone(&world));
}

#[test]
fn a_trunk_that_is_left_for_the_next_is_heard_no_more() {
    let mut world = dialling(PartyLeg::Arrived);
    plays(&mut world, true);
    world.run_ms(6);
    plays(&mut world, false);
    assert!(world.plan.edges.is_empty());
    plays(&mut world, true);
    assert!(hears_the_called_alone(&world), "the caller's leg is still there");
    world.feed(Input::LegFailed { seat: AGENT, why: LegFailure::Busy });
    assert!(world.call.is_over());
}

#[test]
fn a_supervisor_who_waits_for_the_answer_hears_nothing_of_it() {
    let mut world = dialling(PartyLeg::Arrived);
    plays(&mut world, true);
    world.run_ms(6);
    world.habits.answers = true;
    world.join(1, "mia", Mode::Listen);
    world.run_ms(200);
    assert!(hears_the_called_alone(&world));
}

#[test]
fn in_a_call_that_talks_it_is_no_news() {
    let mut world = World::talking();
    let before = world.plan.clone();
    for seat in 1..9 {
        world.feed(Input::LegEarly { seat: SeatId(seat), is_on: true });
    }
    assert_eq!(world.plan.edges, before.edges);
}
