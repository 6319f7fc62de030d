//! Somebody is on the call and not there: no sound comes from a browser, or its page is gone.

use crate::call_world::*;
use undertone_core::call::Input;
use undertone_core::id::SeatId;
use undertone_core::refusal::Reason;
use undertone_core::view::*;

/// Mia, by her browser and its page, in this mode.
fn by_page(mode: Mode, after: AgentAfter) -> (World, SeatId) {
    let mut world = World::talking();
    let request = world.join_with(1, "mia", mode, LegKind::Phone, &[], Some(after));
    world.run_ms(1_000);
    assert_eq!(world.granted(request).mode, mode);
    let seat = world.seat(1);
    (world, seat)
}

fn noted(world: &World, what: &str) -> usize {
    world.view().timeline.iter().filter(|entry| entry.what == what).count()
}

/// Quiet, unattended.
fn away(world: &World, seat: SeatId) -> (bool, bool) {
    let parties = world.view().parties;
    let party = parties.iter().find(|party| party.seat == seat).unwrap();
    (party.quiet, party.unattended)
}

fn page_goes(world: &mut World) {
    world.feed(Input::ControlLost { person: person("mia"), silent_ms: 0 });
}

fn page_is_back(world: &mut World) {
    world.feed(Input::ControlBack { person: person("mia") });
}

#[test]
fn a_silent_owner_leaves_treatment_at_once_and_is_heard_again_behind_the_guard() {
    let (mut world, mia) = by_page(Mode::Takeover, AgentAfter::Held);
    assert!(world.hears(CUSTOMER, mia));
    world.feed(Input::LegQuiet { seat: mia });
    assert!(world.hears_music(CUSTOMER) && !world.hears(CUSTOMER, mia));
    assert_eq!(away(&world, mia), (true, false), "her page is told");
    assert!(world.hears(mia, CUSTOMER), "who is not heard still hears");
    world.run_ms(3_000);
    world.feed(Input::LegHeard { seat: mia });
    assert!(world.hears_music(CUSTOMER), "until the guard has passed");
    world.run_ms(300);
    assert!(world.hears(CUSTOMER, mia) && !world.hears_music(CUSTOMER));
    assert_eq!((noted(&world, "sound_lost"), noted(&world, "sound_back")), (1, 1));
}

#[test]
fn the_time_without_the_owners_sound_is_hold_and_no_talk() {
    let (mut world, mia) = by_page(Mode::Takeover, AgentAfter::Removed);
    let before = world.view().timing;
    world.feed(Input::LegQuiet { seat: mia });
    world.run_ms(5_000);
    let after = world.view().timing;
    assert_eq!(after.talk_ms, before.talk_ms);
    assert_eq!(after.takeover_ms, before.takeover_ms);
    assert_eq!(after.hold_ms, before.hold_ms + 5_000);
}

#[test]
fn an_agent_whose_browser_is_silent_leaves_treatment() {
    let mut world = World::talking();
    world.feed(Input::LegQuiet { seat: AGENT });
    assert!(world.hears_music(CUSTOMER) && !world.call.is_over());
    world.feed(Input::LegHeard { seat: AGENT });
    world.run_ms(300);
    assert!(world.hears(CUSTOMER, AGENT) && !world.hears_music(CUSTOMER));
}

#[test]
fn beside_an_agent_who_talks_a_silent_supervisor_is_no_reason_for_music() {
    let (mut world, mia) = by_page(Mode::Barge, AgentAfter::Removed);
    let before = world.view().timing;
    world.feed(Input::LegQuiet { seat: mia });
    assert!(!world.hears(CUSTOMER, mia) && !world.hears(AGENT, mia));
    assert!(world.hears(CUSTOMER, AGENT) && !world.hears_music(CUSTOMER));
    world.run_ms(2_000);
    let after = world.view().timing;
    assert_eq!(after.talk_ms, before.talk_ms + 2_000);
    assert_eq!(after.barge_ms, before.barge_ms);
}

#[test]
fn that_a_listener_sends_nothing_is_no_news() {
    let (mut world, mia) = by_page(Mode::Listen, AgentAfter::Removed);
    let plan = world.plan.clone();
    world.feed(Input::LegQuiet { seat: mia });
    assert_eq!((world.plan.version, noted(&world, "sound_lost")), (plan.version, 0));
    // Sound that is proven before a raise is sound.
    let request = world.switch(1, "mia", Mode::Whisper);
    world.run_ms(300);
    assert_eq!(world.granted(request).mode, Mode::Whisper);
    assert!(world.hears(AGENT, mia));
}

#[test]
fn ten_seconds_without_a_page_are_listen_and_thirty_the_end() {
    for mode in [Mode::Whisper, Mode::Barge] {
        let (mut world, mia) = by_page(mode, AgentAfter::Removed);
        page_goes(&mut world);
        world.run_ms(9_900);
        assert_eq!(world.supervision(1).mode, mode);
        world.run_ms(200);
        assert_eq!(world.supervision(1).mode, Mode::Listen);
        assert_eq!(world.supervision(1).fell_because.as_deref(), Some("control_lost"));
        assert!(!world.hears(AGENT, mia) && !world.hears(CUSTOMER, mia));
        world.run_ms(19_800);
        assert_eq!(world.supervision(1).state, SupervisionState::Live);
        world.run_ms(200);
        assert_eq!(world.supervision(1).end_reason.as_deref(), Some("control_lost"));
        assert!(!world.call.is_over() && world.hears(CUSTOMER, AGENT));
    }
}

#[test]
fn a_page_counts_as_gone_since_it_was_last_heard() {
    for (silent_ms, left_ms) in [(7_500, 2_500), (60_000, 0)] {
        let (mut world, mia) = by_page(Mode::Barge, AgentAfter::Removed);
        world.feed(Input::ControlLost { person: person("mia"), silent_ms });
        world.run_ms(left_ms.max(100) - 100);
        assert_eq!(world.hears(CUSTOMER, mia), left_ms > 0);
        world.run_ms(200);
        assert!(!world.hears(CUSTOMER, mia));
        world.run_ms(19_800);
        assert!(world.supervision(1).end_reason.is_none() || left_ms == 0);
        world.run_ms(300);
        assert_eq!(world.supervision(1).end_reason.as_deref(), Some("control_lost"));
    }
}

#[test]
fn a_page_that_is_back_in_time_changes_nothing() {
    let (mut world, mia) = by_page(Mode::Whisper, AgentAfter::Removed);
    page_goes(&mut world);
    world.run_ms(9_000);
    // A second page that goes is no longer wait.
    page_goes(&mut world);
    page_is_back(&mut world);
    world.run_ms(60_000);
    assert_eq!(world.supervision(1).mode, Mode::Whisper);
    assert!(world.hears(AGENT, mia));
}

#[test]
fn a_takeover_without_a_page_is_treatment_and_then_the_agents_call() {
    let (mut world, mia) = by_page(Mode::Takeover, AgentAfter::Held);
    page_goes(&mut world);
    world.run_ms(10_100);
    assert!(world.hears_music(CUSTOMER) && !world.hears(CUSTOMER, mia));
    assert_eq!(away(&world, mia), (false, true));
    page_is_back(&mut world);
    world.run_ms(300);
    assert!(world.hears(CUSTOMER, mia));
    page_goes(&mut world);
    world.run_ms(29_900);
    assert!(world.hears_music(CUSTOMER));
    world.run_ms(600);
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
    assert_eq!(world.supervision(1).end_reason.as_deref(), Some("control_lost"));
}

#[test]
fn a_takeover_without_a_page_or_an_agent_is_announced_and_ends() {
    let (mut world, _) = by_page(Mode::Takeover, AgentAfter::Removed);
    page_goes(&mut world);
    world.run_ms(30_100);
    assert_eq!(noted(&world, "takeover_lost"), 1);
    world.run_ms(10_000);
    assert!(world.call.is_over());
}

#[test]
fn what_began_without_a_page_goes_on_without_one() {
    for by_desk_phone in [true, false] {
        let mut world = World::talking();
        match by_desk_phone {
            true => world.join(1, "mia", Mode::Whisper),
            false => world.join_by_key(1, "mia", Mode::Whisper),
        };
        stays_without_a_page(world);
    }
}

fn stays_without_a_page(mut world: World) {
    world.run_ms(1_000);
    page_goes(&mut world);
    world.run_ms(60_000);
    assert_eq!(world.supervision(1).mode, Mode::Whisper);
}

/// Listens, is heard to be heard, and takes the call over; the guard has not passed.
fn taking_over(after: AgentAfter) -> (World, SeatId) {
    let (mut world, mia) = by_page(Mode::Listen, AgentAfter::Removed);
    world.take_over(1, "mia", after);
    world.run_ms(100);
    assert_eq!(world.supervision(1).mode, Mode::Takeover);
    assert!(world.hears(CUSTOMER, AGENT) && !world.hears(CUSTOMER, mia), "the guard runs");
    (world, mia)
}

#[test]
fn an_agent_gives_way_to_nobody_who_falls_silent_in_the_guard() {
    for after in [AgentAfter::Removed, AgentAfter::Held, AgentAfter::Listening] {
        let (mut world, mia) = taking_over(after);
        world.feed(Input::LegQuiet { seat: mia });
        world.run_ms(9_500);
        assert!(world.hears(CUSTOMER, AGENT) && !world.hears_music(CUSTOMER), "{after:?}");
        world.run_ms(1_000);
        assert_eq!(world.supervision(1).mode, Mode::Listen);
        assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER), "{after:?}");
    }
}

#[test]
fn who_is_heard_again_in_time_takes_over_and_the_agent_goes_then() {
    let (mut world, mia) = taking_over(AgentAfter::Held);
    world.feed(Input::LegQuiet { seat: mia });
    world.run_ms(5_000);
    world.feed(Input::LegHeard { seat: mia });
    assert!(world.hears(CUSTOMER, AGENT), "until the guard has passed");
    world.run_ms(300);
    assert!(world.hears(CUSTOMER, mia) && !world.hears(CUSTOMER, AGENT));
    assert_eq!(world.supervision(1).mode, Mode::Takeover);
}

#[test]
fn who_falls_silent_before_the_row_is_committed_takes_nobody_away() {
    let (mut world, mia) = by_page(Mode::Listen, AgentAfter::Removed);
    world.take_over(1, "mia", AgentAfter::Removed);
    assert_eq!(world.supervision(1).mode, Mode::Listen, "the row is not there yet");
    world.feed(Input::LegQuiet { seat: mia });
    world.run_ms(5_000);
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
    world.run_ms(6_000);
    assert_eq!(world.supervision(1).mode, Mode::Listen);
    assert!(world.hears(CUSTOMER, AGENT));
}

#[test]
fn a_call_is_not_handed_back_to_an_agent_who_is_silent() {
    let (mut world, mia) = by_page(Mode::Takeover, AgentAfter::Held);
    world.feed(Input::LegQuiet { seat: AGENT });
    let request = world.switch(1, "mia", Mode::Listen);
    world.run_ms(9_500);
    assert!(world.hears(CUSTOMER, mia) && !world.hears_music(CUSTOMER));
    world.run_ms(1_000);
    assert_eq!(world.refused(request), [Reason::AudioNotProven]);
    assert_eq!(world.supervision(1).mode, Mode::Takeover);
    assert!(world.hears(CUSTOMER, mia));
    // And goes to one who is heard meanwhile.
    let request = world.switch(1, "mia", Mode::Listen);
    world.run_ms(2_000);
    world.feed(Input::LegHeard { seat: AGENT });
    world.run_ms(300);
    assert_eq!(world.granted(request).mode, Mode::Listen);
    assert!(world.hears(CUSTOMER, AGENT) && !world.hears(CUSTOMER, mia));
}
