//! Takeover, hand-back, and what becomes of the customer when the owner is gone.

use crate::call_world::*;
use undertone_core::call::{Input, LegEnd};
use undertone_core::id::SeatId;
use undertone_core::plan::{Listener, Source};
use undertone_core::refusal::Reason;
use undertone_core::view::*;

fn taken(after: AgentAfter) -> (World, SeatId) {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    let request = world.take_over(1, "mia", after);
    world.run_ms(400);
    assert_eq!(world.granted(request).mode, Mode::Takeover);
    let seat = world.seat(1);
    assert!(world.hears(CUSTOMER, seat));
    (world, seat)
}

fn agent_is_here(world: &World) -> bool {
    world.view().parties.iter().any(|party| party.seat == AGENT && party.connected)
}

fn named(world: &World, listener: SeatId, source: SeatId) -> bool {
    let (listener, source) = (Listener::Seat(listener), Source::Seat(source));
    world.plan.edges.iter().any(|e| e.listener == listener && e.source == source)
}

#[test]
fn the_agent_is_heard_until_the_new_owner_is() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.take_over(1, "mia", AgentAfter::Removed);
    world.run_ms(100);
    assert!(named(&world, CUSTOMER, AGENT) && agent_is_here(&world), "the guard runs");
    let edge = world
        .plan
        .edges
        .iter()
        .find(|e| e.source == Source::Seat(AGENT) && e.listener == Listener::Seat(CUSTOMER));
    assert!(edge.is_some_and(|edge| edge.until.is_some()));
    world.run_ms(300);
    assert!(!agent_is_here(&world) && world.hears(CUSTOMER, world.seat(1)));
}

#[test]
fn out_of_barge_the_agent_is_removed_in_the_turn_of_the_commit() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Barge);
    world.run_ms(1_000);
    world.take_over(1, "mia", AgentAfter::Removed);
    world.run_ms(3);
    assert!(!agent_is_here(&world) && world.hears(CUSTOMER, world.seat(1)));
}

#[test]
fn agent_after_says_what_becomes_of_the_agent() {
    let (world, mia) = taken(AgentAfter::Removed);
    assert!(!agent_is_here(&world) && !world.legs.contains(&AGENT) && world.legs.contains(&mia));
    let (world, _) = taken(AgentAfter::Held);
    assert!(agent_is_here(&world) && world.hears_music(AGENT) && !named(&world, CUSTOMER, AGENT));
    let (world, mia) = taken(AgentAfter::Listening);
    assert!(world.hears(AGENT, CUSTOMER) && world.hears(AGENT, mia));
    assert!(!named(&world, CUSTOMER, AGENT) && !named(&world, mia, AGENT));
    let (world, _) = taken(AgentAfter::Stays);
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
}

#[test]
fn esc_in_the_guard_cancels_and_the_customer_heard_nothing() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.take_over(1, "mia", AgentAfter::Removed);
    world.run_ms(100);
    let esc = world.switch(1, "mia", Mode::Listen);
    let mia = world.seat(1);
    assert!(!named(&world, CUSTOMER, mia) && world.hears(CUSTOMER, AGENT), "at once");
    world.run_ms(1_000);
    assert_eq!(world.granted(esc).mode, Mode::Listen);
    assert!(agent_is_here(&world));
}

#[test]
fn handing_back_keeps_the_owner_heard_until_the_agent_is() {
    let (mut world, mia) = taken(AgentAfter::Held);
    let request = world.act(1, "mia", AgentAction::HandBack);
    world.run_ms(100);
    assert!(world.hears(CUSTOMER, mia) && world.answer(request).is_none());
    world.run_ms(300);
    assert_eq!(world.granted(request).mode, Mode::Listen);
    assert!(world.hears(CUSTOMER, AGENT) && !named(&world, CUSTOMER, mia));
}

#[test]
fn an_agent_who_leaves_while_the_call_is_handed_back_leaves_it_with_its_owner() {
    for out in [None, Some(Mode::Whisper)] {
        let (mut world, mia) = taken(AgentAfter::Held);
        let request = match out {
            None => world.act(1, "mia", AgentAction::HandBack),
            Some(mode) => world.switch(1, "mia", mode),
        };
        world.run_ms(100);
        assert!(world.answer(request).is_none(), "the agent is not heard yet");
        world.leg_ends(AGENT, LegEnd::HungUp);
        world.run_ms(1_000);
        assert_eq!(world.refused(request), [Reason::AgentGone]);
        assert_eq!(world.supervision(1).mode, Mode::Takeover);
        assert!(world.hears(CUSTOMER, mia) && world.hears(mia, CUSTOMER));
        assert!(!world.call.is_over());
    }
}

#[test]
fn a_hold_by_an_agent_who_is_being_replaced_outlasts_them() {
    // Noor has the right to control calls, and Ana's call by a transfer.
    let mut world = World::talking();
    world.refer(AGENT, "noor");
    world.run_ms(100);
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.take_over(1, "mia", AgentAfter::Removed);
    world.run_ms(100);
    let mia = world.seat(1);
    let held = world.hold("noor");
    world.run_ms(1_000);
    assert!(world.answer(held).is_some_and(|answer| answer.is_ok()), "noor may");
    assert!(!world.hears(CUSTOMER, mia), "held, and hears a voice");
    assert!(world.hears_music(CUSTOMER));
}

#[test]
fn a_change_to_barge_out_of_takeover_is_a_hand_back_into_barge() {
    let (mut world, mia) = taken(AgentAfter::Listening);
    let request = world.switch(1, "mia", Mode::Barge);
    world.run_ms(400);
    assert_eq!(world.granted(request).mode, Mode::Barge);
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(CUSTOMER, mia));
}

#[test]
fn out_of_takeover_without_an_agent_is_refused_as_agent_gone() {
    let (mut world, _) = taken(AgentAfter::Removed);
    let request = world.switch(1, "mia", Mode::Whisper);
    assert_eq!(world.refused(request), [Reason::AgentGone]);
    let request = world.act(1, "mia", AgentAction::HandBack);
    assert_eq!(world.refused(request), [Reason::AgentGone]);
}

#[test]
fn a_takeover_without_a_customer_is_refused() {
    let mut world = World::internal();
    world.run_ms(100);
    let request = world.join(1, "mia", Mode::Takeover);
    assert_eq!(world.refused(request), [Reason::NoCustomer]);
}

#[test]
fn a_lost_owner_leaves_treatment_and_then_the_held_agent_takes_the_call_back() {
    let (mut world, mia) = taken(AgentAfter::Held);
    world.leg_ends(mia, LegEnd::Lost);
    assert!(world.hears_music(CUSTOMER) && !world.call.is_over());
    world.run_ms(19_900);
    assert!(world.hears_music(CUSTOMER));
    world.run_ms(500);
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
    assert_eq!(world.supervision(1).end_reason.as_deref(), Some("leg_lost"));
    assert!(!world.call.is_over());
}

#[test]
fn a_lost_owner_without_an_agent_leaves_an_announcement_and_the_end() {
    let (mut world, mia) = taken(AgentAfter::Removed);
    world.leg_ends(mia, LegEnd::Lost);
    assert!(world.hears_music(CUSTOMER));
    world.run_ms(20_100);
    let prompts = world.plan.edges.iter().filter(|e| matches!(e.source, Source::Prompt(_)));
    assert_eq!(prompts.count(), 1);
    assert!(!world.call.is_over());
    world.run_ms(8_100);
    assert!(world.call.is_over());
}

#[test]
fn a_lost_owner_comes_back_through_the_guard() {
    let (mut world, mia) = taken(AgentAfter::Held);
    world.leg_ends(mia, LegEnd::Lost);
    world.run_ms(5_000);
    let other = world.join(2, "noor", Mode::Takeover);
    assert_eq!(world.refused(other), [Reason::TakeoverTaken]);
    let request = world.join_with(
        3,
        "mia",
        Mode::Takeover,
        LegKind::Sip { device: undertone_core::id::DeviceId::parse("mia-phone").unwrap() },
        &[],
        Some(AgentAfter::Held),
    );
    world.run_ms(600);
    assert_eq!(world.granted(request).mode, Mode::Takeover);
    assert_eq!(world.supervision(1).end_reason.as_deref(), Some("came_back"));
    assert!(world.hears(CUSTOMER, world.seat(3)) && !named(&world, CUSTOMER, AGENT));
    world.run_ms(30_000);
    assert!(world.hears(CUSTOMER, world.seat(3)) && world.hears_music(AGENT));
}

#[test]
fn the_owner_hangs_up_and_hands_back_if_possible_else_the_call_ends() {
    let (mut world, mia) = taken(AgentAfter::Listening);
    world.leg_ends(mia, LegEnd::HungUp);
    world.run_ms(400);
    assert!(world.hears(CUSTOMER, AGENT) && !world.call.is_over());
    let (mut world, mia) = taken(AgentAfter::Removed);
    world.leg_ends(mia, LegEnd::HungUp);
    assert!(world.call.is_over());
}

#[test]
fn in_barge_the_agent_is_held_resumed_and_removed_and_the_customer_survives() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Barge);
    world.run_ms(1_000);
    let mia = world.seat(1);
    world.act(1, "mia", AgentAction::Hold);
    assert!(!named(&world, CUSTOMER, AGENT) && world.hears(CUSTOMER, mia));
    world.act(1, "mia", AgentAction::Resume);
    assert!(!named(&world, CUSTOMER, AGENT), "waits for its row");
    world.run_ms(400);
    assert!(world.hears(CUSTOMER, AGENT));
    let request = world.act(1, "mia", AgentAction::Remove);
    world.run_ms(100);
    assert_eq!(world.granted(request).mode, Mode::Takeover);
    assert!(!world.call.is_over() && world.hears(CUSTOMER, mia));
}

#[test]
fn an_agent_put_aside_cannot_hold_the_customer_from_the_phone() {
    let (mut world, mia) = taken(AgentAfter::Listening);
    world.agent_phone(true);
    assert!(world.hears(CUSTOMER, mia) && !world.hears_music(CUSTOMER));
}

#[test]
fn the_hold_of_a_replaced_agent_goes_with_the_takeover() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.hold("ana");
    world.take_over(1, "mia", AgentAfter::Removed);
    world.run_ms(500);
    assert!(world.hears(CUSTOMER, world.seat(1)) && !world.hears_music(CUSTOMER));
}

#[test]
fn rights_lost_end_a_takeover_and_the_agent_has_the_call_again() {
    let (mut world, _) = taken(AgentAfter::Held);
    world.dir.change(|facts| facts.people.get_mut(&person("mia")).unwrap().rights.clear());
    world.feed(Input::RightsLost { person: person("mia"), key: None });
    assert_eq!(world.supervision(1).end_reason.as_deref(), Some("rights_lost"));
    world.run_ms(400);
    assert!(world.hears(CUSTOMER, AGENT));
}

#[test]
fn a_takeover_that_is_never_heard_gives_the_call_back() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.habits.passes = false;
    world.take_over(1, "mia", AgentAfter::Removed);
    world.run_ms(9_000);
    assert!(agent_is_here(&world) && named(&world, CUSTOMER, AGENT));
    world.run_ms(2_000);
    assert_eq!(world.supervision(1).mode, Mode::Listen);
    assert!(agent_is_here(&world) && world.hears(CUSTOMER, AGENT));
}

#[test]
fn one_supervisor_does_not_undo_whom_another_put_aside() {
    let (mut world, mia) = taken(AgentAfter::Listening);
    world.join(2, "noor", Mode::Barge);
    world.run_ms(1_000);
    let noor = world.seat(2);
    world.act(2, "noor", AgentAction::Resume);
    world.run_ms(400);
    assert!(!named(&world, CUSTOMER, AGENT), "mia put her aside, and mia alone brings her back");
    world.switch(2, "noor", Mode::Listen);
    world.habits.forces = false;
    world.switch(2, "noor", Mode::Barge);
    world.run_ms(3_000);
    assert_eq!(world.supervision(2).mode, Mode::Listen, "a raise that the media never took");
    world.habits.forces = true;
    assert!(!named(&world, CUSTOMER, AGENT) && world.hears(CUSTOMER, mia));
    assert!(world.hears(AGENT, CUSTOMER) && !named(&world, CUSTOMER, noor));
    world.act(1, "mia", AgentAction::HandBack);
    world.run_ms(600);
    assert!(world.hears(CUSTOMER, AGENT));
}
