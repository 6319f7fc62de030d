//! Named stories of one call, each with real inputs in virtual time.

use crate::call_world::*;
use undertone_core::call::{Input, LegEnd};
use undertone_core::id::SeatId;
use undertone_core::plan::Source;
use undertone_core::refusal::Reason;
use undertone_core::view::*;

fn mode_spans(world: &World, n: u64) -> Vec<Mode> {
    world.supervision(n).spans.iter().map(|span| span.mode).collect()
}

#[test]
fn a_call_rings_is_answered_and_ends_with_nothing_left() {
    let mut world = World::inbound();
    world.run_ms(15);
    assert_eq!(world.view().state, CallState::Ringing);
    world.run_ms(85);
    assert_eq!(world.view().state, CallState::Talking);
    assert_eq!(world.view().direction, Direction::Inbound);
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
    world.leg_ends(CUSTOMER, LegEnd::HungUp);
    assert!(world.call.is_over() && world.record.is_some());
}

#[test]
fn a_greeting_is_not_guarded() {
    let world = World::talking();
    assert!(world.hears(CUSTOMER, AGENT), "at once, not after 250 ms");
}

#[test]
fn a_listener_is_answered_when_audio_is_proven() {
    let mut world = World::talking();
    let request = world.join(1, "mia", Mode::Listen);
    world.run_ms(70);
    assert!(world.answer(request).is_none(), "its phone answered, nothing was proven");
    world.run_ms(60);
    let view = world.granted(request);
    assert_eq!((view.state, view.mode), (SupervisionState::Live, Mode::Listen));
    let seat = world.seat(1);
    assert!(world.hears(seat, CUSTOMER) && world.hears(seat, AGENT));
    assert!(!world.hears(AGENT, seat) && !world.hears(CUSTOMER, seat));
}

#[test]
fn a_barge_opens_in_listen_and_is_answered_in_barge() {
    let mut world = World::talking();
    let request = world.join(1, "mia", Mode::Barge);
    world.run_ms(400);
    let view = world.granted(request);
    assert_eq!((view.mode, view.guard_ms), (Mode::Barge, 250));
    assert_eq!(mode_spans(&world, 1), [Mode::Listen, Mode::Barge]);
    world.run_ms(300);
    assert!(world.hears(CUSTOMER, world.seat(1)) && world.hears(AGENT, world.seat(1)));
    assert!(world.hears(world.seat(1), CUSTOMER));
}

#[test]
fn who_heard_whom_is_written_from_instant_to_instant_and_not_before_the_guard_has_run() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Barge);
    world.run_ms(1_000);
    let mia = world.seat(1);
    world.switch(1, "mia", Mode::Whisper);
    world.run_ms(100);
    world.leg_ends(CUSTOMER, LegEnd::HungUp);
    let view = world.record.as_ref().expect("it has ended").view.clone();
    let hears = |listener| {
        let of = |now: &HeardView| {
            let ear = now.ears.iter().find(|ear| ear.who == Hearer::Seat(listener));
            ear.map(|ear| ear.hears.clone()).unwrap_or_default()
        };
        let mut changes: Vec<_> = view.heard.iter().map(|now| (now.at, of(now))).collect();
        changes.dedup_by(|later, earlier| later.1 == earlier.1);
        changes
    };
    let who =
        |changes: Vec<(_, Vec<SeatId>)>| changes.into_iter().map(|one| one.1).collect::<Vec<_>>();
    assert_eq!(who(hears(AGENT)), [vec![CUSTOMER], vec![CUSTOMER, mia], vec![]]);
    let customer = hears(CUSTOMER);
    assert_eq!(
        who(customer.clone()),
        [vec![AGENT], vec![AGENT, mia], vec![AGENT], vec![]],
        "of the whisper the customer heard nothing"
    );
    let guard = customer[1].0.0 - hears(AGENT)[1].0.0;
    assert_eq!(guard, 250, "the customer heard Mia when the guard had run, the agent at once");
    assert_eq!(who(hears(mia)), [vec![], vec![CUSTOMER, AGENT], vec![]]);
    let told: Vec<_> = view.timeline.iter().filter(|entry| entry.what == "agent_told").collect();
    assert_eq!(told.len(), 1, "a tone, and not again within ten seconds");
}

#[test]
fn a_coached_agent_alone_hears_the_beep_and_not_again_within_ten_seconds() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Whisper);
    world.run_ms(300);
    let tone =
        |world: &World| world.sources.iter().filter(|s| matches!(s, Source::Tone(_))).count();
    assert_eq!(tone(&world), 1);
    world.switch(1, "mia", Mode::Listen);
    world.run_ms(2_000);
    world.switch(1, "mia", Mode::Whisper);
    world.run_ms(9_000);
    assert_eq!(tone(&world), 1);
    world.switch(1, "mia", Mode::Listen);
    world.switch(1, "mia", Mode::Whisper);
    world.run_ms(100);
    assert_eq!(tone(&world), 2);
    let beeped = world.plan.edges.iter().filter(|e| matches!(e.source, Source::Tone(_)));
    assert!(beeped.into_iter().all(|e| e.listener == undertone_core::plan::Listener::Seat(AGENT)));
}

#[test]
fn a_blocked_journal_refuses_what_opens_and_delays_nothing_that_closes() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Barge);
    world.join(2, "noor", Mode::Listen);
    world.run_ms(1_000);
    world.habits.commits = false;
    let raise = world.switch(2, "noor", Mode::Barge);
    let join = world.join(3, "olu", Mode::Listen);
    let mia = world.seat(1);
    let lowered = world.switch(1, "mia", Mode::Whisper);
    assert!(!world.plan.edges.iter().any(|e| e.source == Source::Seat(mia)
        && e.listener == undertone_core::plan::Listener::Seat(CUSTOMER)));
    let muted = world.change(2, "noor", |change| change.muted = Some(true));
    world.run_ms(20);
    assert!(world.answer(muted).is_some_and(|answer| answer.is_ok()), "answered without its row");
    let left = world.leave(1, "mia");
    assert!(!world.plan.edges.iter().any(|e| e.source == Source::Seat(mia)));
    world.hold("mia");
    world.run_ms(20);
    world.granted(left);
    assert_eq!(world.granted(lowered).mode, Mode::Whisper);
    assert!(world.hears_music(CUSTOMER) && !world.hears(CUSTOMER, AGENT));
    world.run_ms(1_900 - 40);
    assert!(world.answer(raise).is_none());
    world.run_ms(200);
    assert_eq!(world.refused(raise), [Reason::AuditUnavailable]);
    assert_eq!(world.refused(join), [Reason::AuditUnavailable]);
    assert_eq!(world.supervision(2).mode, Mode::Listen);
    assert_eq!(world.supervision(3).state, SupervisionState::Failed);
    for what in ["supervision.leave", "supervision.ended", "call.hold", "!supervision.failed"] {
        assert!(world.written().iter().any(|row| row == what), "{what}: {:?}", world.written());
    }
}

#[test]
fn of_two_changes_the_later_wins_and_the_earlier_is_superseded() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    let first = world.switch(1, "mia", Mode::Barge);
    let second = world.switch(1, "mia", Mode::Whisper);
    world.run_ms(300);
    assert_eq!(world.refused(first), [Reason::Superseded]);
    assert_eq!(world.granted(second).mode, Mode::Whisper);
    assert_eq!(mode_spans(&world, 1), [Mode::Listen, Mode::Whisper]);
}

#[test]
fn an_old_version_is_refused_and_disturbs_nothing() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    let version = world.supervision(1).version;
    let good = world.switch(1, "mia", Mode::Whisper);
    let old = world.change(1, "mia", |change| {
        change.mode = Some(Mode::Barge);
        change.if_version = Some(version + 7);
    });
    world.run_ms(300);
    assert_eq!(world.refused(old), [Reason::VersionMismatch]);
    assert_eq!(world.granted(good).mode, Mode::Whisper);
}

#[test]
fn a_whisper_whose_target_leaves_falls_back_to_listen_never_to_barge() {
    let mut world = World::internal();
    world.run_ms(100);
    assert_eq!(world.view().direction, Direction::Internal);
    let unnamed = world.join(1, "mia", Mode::Whisper);
    assert_eq!(world.refused(unnamed), [Reason::TargetRequired]);
    let device = undertone_core::id::DeviceId::parse("mia-phone").unwrap();
    let leg = LegKind::Sip { device };
    let named = world.join_with(2, "mia", Mode::Whisper, leg, &[AGENT], None);
    world.run_ms(400);
    assert_eq!(world.granted(named).targets, [AGENT]);
    let seat = world.seat(2);
    assert!(world.hears(AGENT, seat) && !world.hears(SeatId(1), seat));
    world.leg_ends(AGENT, LegEnd::HungUp);
    assert!(world.call.is_over(), "an internal call ends with either");
    assert!(mode_spans(&world, 2).iter().all(|mode| *mode != Mode::Barge));
}

#[test]
fn a_target_that_holds_us_cannot_be_whispered_to() {
    let mut world = World::talking();
    world.agent_phone(true);
    let request = world.join(1, "mia", Mode::Whisper);
    assert_eq!(world.refused(request), [Reason::TargetNotReceiving]);
}

#[test]
fn one_may_whisper_to_an_agent_whose_customer_is_on_hold() {
    let mut world = World::talking();
    world.hold("ana");
    assert!(world.hears_music(CUSTOMER));
    let request = world.join(1, "mia", Mode::Whisper);
    world.run_ms(300);
    world.granted(request);
    assert!(world.hears(AGENT, world.seat(1)));
}

#[test]
fn a_barge_on_a_held_customer_opens_to_the_agent_now_and_to_the_customer_at_resume() {
    let mut world = World::talking();
    world.agent_phone(true);
    world.feed(Input::LegDirection { seat: AGENT, sends: true, receives: true });
    world.hold("ana");
    let abilities = world.call.abilities(world.now(), &actor("mia", &world.dir), &world.dir);
    assert!(abilities[2].allowed && abilities[2].reasons == [Reason::CustomerOnHold]);
    world.join(1, "mia", Mode::Barge);
    world.run_ms(700);
    let mia = world.seat(1);
    assert!(world.hears(AGENT, mia) && !world.hears(CUSTOMER, mia));
    world.resume("ana");
    world.run_ms(300);
    assert!(world.hears(CUSTOMER, mia) && world.hears(CUSTOMER, AGENT));
}

#[test]
fn two_parties_hold_and_each_takes_off_only_its_own_mark() {
    let mut world = World::talking();
    world.agent_phone(true);
    world.hold("mia");
    world.agent_phone(false);
    assert!(world.hears_music(CUSTOMER), "mia's mark is still there");
    world.resume("mia");
    world.run_ms(300);
    assert!(world.hears(CUSTOMER, AGENT) && !world.hears_music(CUSTOMER));
}

#[test]
fn a_customer_who_holds_us_changes_no_edge() {
    let mut world = World::talking();
    let edges = world.plan.edges.clone();
    world.feed(Input::LegDirection { seat: CUSTOMER, sends: true, receives: false });
    assert_eq!(world.plan.edges, edges);
}

#[test]
fn a_supervisor_who_holds_while_listening_changes_nothing_for_the_others() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    let seat = world.seat(1);
    world.feed(Input::LegDirection { seat, sends: false, receives: false });
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
}

#[test]
fn the_agent_hangs_up_during_barge_and_the_supervisor_keeps_the_call() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Barge);
    world.run_ms(1_000);
    world.leg_ends(AGENT, LegEnd::HungUp);
    assert!(!world.call.is_over());
    assert_eq!(mode_spans(&world, 1), [Mode::Listen, Mode::Barge, Mode::Takeover]);
    assert!(world.hears(CUSTOMER, world.seat(1)), "without a break");
    assert!(world.written().iter().any(|row| row == "supervision.mode"));
    let gone = world.switch(1, "mia", Mode::Listen);
    assert_eq!(world.refused(gone), [Reason::AgentGone]);
    world.leave(1, "mia");
    assert!(world.call.is_over());
}

#[test]
fn the_agent_hangs_up_while_supervisors_only_listen_and_the_call_ends() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Whisper);
    world.run_ms(1_000);
    world.leg_ends(AGENT, LegEnd::HungUp);
    assert!(world.call.is_over());
    assert_eq!(world.supervision(1).end_reason.as_deref(), Some("call_ended"));
}

#[test]
fn three_supervisors_attend_and_one_takes_over() {
    let (mut world, [mia, noor, olu]) = World::attended();
    assert!(world.hears(AGENT, noor) && world.hears(mia, noor) && !world.hears(CUSTOMER, noor));
    assert!(world.hears(CUSTOMER, olu) && world.hears(mia, olu));
    world.take_over(3, "olu", AgentAfter::Listening);
    world.run_ms(300);
    let second = world.switch(2, "noor", Mode::Takeover);
    assert_eq!(world.refused(second), [Reason::TakeoverTaken]);
    let again = world.join(4, "mia", Mode::Listen);
    assert_eq!(world.refused(again), [Reason::AlreadySupervising]);
}

#[test]
fn success_is_said_when_the_plan_is_in_force_and_taken_back_when_it_never_is() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.habits.forces = false;
    let raise = world.switch(1, "mia", Mode::Barge);
    let seat = world.seat(1);
    world.run_ms(1_900);
    assert!(world.answer(raise).is_none());
    world.run_ms(200);
    assert_eq!(world.refused(raise), [Reason::MediaFailed]);
    assert_eq!(world.supervision(1).mode, Mode::Listen);
    assert!(!world.plan.edges.iter().any(|e| e.source == Source::Seat(seat)));
}

#[test]
fn every_step_of_a_join_has_a_deadline_and_a_name_and_leaves_nothing() {
    let mut world = World::talking();
    world.habits.answers = false;
    let rings = world.join(1, "mia", Mode::Barge);
    world.run_ms(39_900);
    assert!(world.answer(rings).is_none());
    world.run_ms(200);
    assert_eq!(world.refused(rings), [Reason::LegNoAnswer]);
    world.habits.answers = true;
    world.habits.proves = false;
    let silent = world.join(2, "mia", Mode::Listen);
    world.run_ms(3_100);
    assert_eq!(world.refused(silent), [Reason::AudioNotProven]);
    let leg = LegKind::Sip { device: undertone_core::id::DeviceId::parse("no-phone").unwrap() };
    let unknown = world.join_with(3, "mia", Mode::Listen, leg, &[], None);
    assert_eq!(world.refused(unknown), [Reason::LegNotOwn]);
    let raised = world.join_with(4, "mia", Mode::Whisper, LegKind::Stream, &[], None);
    assert_eq!(world.refused(raised), [Reason::LegListenOnly]);
    world.run_ms(5_000);
    assert_eq!(world.legs.iter().copied().collect::<Vec<_>>(), [CUSTOMER, AGENT]);
    assert!(world.timers.is_empty());
}

#[test]
fn an_owner_who_hands_back_may_still_put_the_customer_on_hold() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.take_over(1, "mia", AgentAfter::Held);
    world.run_ms(400);
    world.act(1, "mia", AgentAction::HandBack);
    world.run_ms(20);
    world.hold("mia");
    assert!(world.hears_music(CUSTOMER) && !world.hears(CUSTOMER, AGENT));
    world.run_ms(1_000);
    assert!(world.hears_music(CUSTOMER) && !world.hears(CUSTOMER, AGENT));
}
