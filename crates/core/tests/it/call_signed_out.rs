//! A session of the pages ends: what it began ends with it, and no customer is left alone.

use crate::call_world::*;
use undertone_core::call::{Input, LegEnd};
use undertone_core::refusal::Reason;
use undertone_core::view::*;

fn sign_out(world: &mut World, name: &str) {
    world.feed(Input::SignedOut { sessions: [session(name)].into() });
}

fn taken(after: AgentAfter) -> World {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.take_over(1, "mia", after);
    world.run_ms(400);
    assert!(world.hears(CUSTOMER, world.seat(1)));
    world
}

fn ended_as(world: &World, n: u64) -> Option<String> {
    world.supervision(n).end_reason
}

fn why_of(world: &World, what: &str) -> Vec<String> {
    let rows = world.rows.values().filter(|row| row.what == what);
    rows.map(|row| row.detail["why"].clone()).collect()
}

#[test]
fn what_a_session_began_ends_with_it_and_nothing_else_does() {
    let (mut world, [mia, noor, olu]) = World::attended();
    sign_out(&mut world, "mia");
    assert_eq!(ended_as(&world, 1).as_deref(), Some("signed_out"));
    assert_eq!(why_of(&world, "supervision.ended"), ["signed_out"], "and its row says so");
    assert!(!world.hears(mia, CUSTOMER) && !world.legs.contains(&mia), "in that turn");
    world.run_ms(1_000);
    assert!(world.hears(AGENT, noor) && world.hears(CUSTOMER, olu));
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
    sign_out(&mut world, "mia");
    assert_eq!(why_of(&world, "supervision.ended").len(), 1, "once");
}

#[test]
fn after_a_takeover_the_agent_who_is_there_has_the_customer_again() {
    for after in [AgentAfter::Held, AgentAfter::Listening, AgentAfter::Stays] {
        let mut world = taken(after);
        sign_out(&mut world, "mia");
        assert_eq!(ended_as(&world, 1).as_deref(), Some("signed_out"));
        world.run_ms(400);
        assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER), "{after:?}");
        assert!(!world.call.is_over());
    }
}

#[test]
fn a_customer_who_has_nobody_else_hears_treatment_and_then_what_policy_says() {
    let mut world = taken(AgentAfter::Removed);
    sign_out(&mut world, "mia");
    assert!(world.hears_music(CUSTOMER) && !world.call.is_over());
    assert!(!world.legs.contains(&world.seat(1)), "the supervisor's telephone is let go");
    assert_eq!(why_of(&world, "supervision.lost"), ["signed_out"]);
    world.run_ms(19_900);
    assert!(world.hears_music(CUSTOMER));
    world.run_ms(500);
    assert_eq!(ended_as(&world, 1).as_deref(), Some("signed_out"));
    assert!(!world.call.is_over(), "the announcement is on");
    world.run_ms(8_100);
    assert!(world.call.is_over());
}

#[test]
fn who_signs_in_again_in_time_has_the_customer_back() {
    let mut world = taken(AgentAfter::Removed);
    sign_out(&mut world, "mia");
    world.run_ms(5_000);
    let again = world.join(2, "mia", Mode::Takeover);
    world.run_ms(600);
    assert_eq!(world.granted(again).mode, Mode::Takeover);
    assert_eq!(ended_as(&world, 1).as_deref(), Some("came_back"));
    assert!(world.hears(CUSTOMER, world.seat(2)));
}

#[test]
fn a_lost_owner_who_is_signed_out_keeps_no_agent_from_the_customer() {
    let mut world = taken(AgentAfter::Held);
    let mia = world.seat(1);
    world.leg_ends(mia, LegEnd::Lost);
    world.run_ms(2_000);
    assert!(world.hears_music(CUSTOMER));
    sign_out(&mut world, "mia");
    world.run_ms(400);
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
}

#[test]
fn a_takeover_that_is_not_heard_yet_leaves_the_customer_with_the_agent() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.take_over(1, "mia", AgentAfter::Removed);
    world.run_ms(100);
    sign_out(&mut world, "mia");
    assert!(world.hears(CUSTOMER, AGENT), "who never stopped");
    world.run_ms(1_000);
    assert!(world.hears(CUSTOMER, AGENT) && !world.call.is_over());
}

#[test]
fn a_supervision_on_its_way_is_refused_and_nothing_of_it_is_left() {
    let mut world = World::talking();
    world.nobody_answers();
    let asked = world.join(1, "mia", Mode::Whisper);
    let mia = world.seat(1);
    sign_out(&mut world, "mia");
    assert_eq!(world.refused(asked), [Reason::SignedOut]);
    assert!(!world.legs.contains(&mia));
    assert!(world.written().contains(&"!supervision.failed".to_owned()));
}

#[test]
fn what_was_asked_of_anothers_supervision_and_waits_for_its_row_is_given_up() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.habits.commits = false;
    let raise = world.switch(1, "olu", Mode::Barge); // as an administrator
    assert!(world.answer(raise).is_none());
    sign_out(&mut world, "olu");
    assert_eq!(world.refused(raise), [Reason::SignedOut]);
    world.run_ms(3_000);
    assert_eq!(world.supervision(1).mode, Mode::Listen);
    assert_eq!(ended_as(&world, 1), None);
}

#[test]
fn what_an_ended_session_asked_for_before_is_not_done_any_more() {
    let mut world = World::talking();
    world.dir.change(|facts| facts.ended_sessions = [session("mia")].into());
    let late = world.join(1, "mia", Mode::Listen);
    assert_eq!(world.refused(late), [Reason::NotAllowed]);
    let other = world.join(2, "noor", Mode::Listen);
    world.run_ms(300);
    assert_eq!(world.granted(other).mode, Mode::Listen);
}
