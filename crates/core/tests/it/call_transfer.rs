//! Blind transfer in virtual time: to a free and to a busy party, from either side, by phone and
//! by name; who hears whom at each step; and supervision that goes on through it.

use crate::call_world::*;
use undertone_core::call::{DialTarget, Input, LegEnd, LegFailure};
use undertone_core::id::SeatId;
use undertone_core::plan::{EdgeRef, Listener, Source};
use undertone_core::refusal::Reason;
use undertone_core::view::*;

/// The seat that a transfer of an unsupervised call calls.
const NEW: SeatId = SeatId(3);

fn party(world: &World, seat: SeatId) -> PartyView {
    world.view().parties.into_iter().find(|party| party.seat == seat).expect("a party")
}

fn is_here(world: &World, seat: SeatId) -> bool {
    world.view().parties.iter().any(|party| party.seat == seat && party.connected)
}

/// The seat that was called last.
fn called(world: &World) -> SeatId {
    *world.called_at.last_key_value().expect("somebody was called").0
}

fn answers(world: &mut World, seat: SeatId) {
    world.feed(Input::LegAnswered { seat });
}

fn fails(world: &mut World, seat: SeatId, why: LegFailure) {
    world.feed(Input::LegFailed { seat, why });
}

/// A talking call whose agent's phone has sent REFER, and whose new party rings.
fn in_flight(to: &str) -> (World, undertone_core::call::ReferId) {
    let mut world = World::talking();
    world.habits.answers = false;
    let refer = world.refer(AGENT, to);
    world.feed(Input::LegRinging { seat: NEW });
    (world, refer)
}

#[test]
fn an_agents_phone_transfers_the_customer_to_a_colleague() {
    let (mut world, refer) = in_flight("bo");
    assert!(world.hears_music(CUSTOMER) && !world.hears(CUSTOMER, AGENT), "while it rings");
    assert!(!world.hears(AGENT, CUSTOMER) && is_here(&world, AGENT));
    answers(&mut world, NEW);
    assert!(world.hears(CUSTOMER, NEW) && world.hears(NEW, CUSTOMER), "the greeting is whole");
    assert!(!is_here(&world, AGENT) && !world.legs.contains(&AGENT));
    assert_eq!(
        world.told(refer),
        [Said::Accepted, Said::Notified(180, false), Said::Notified(200, true)]
    );
    let bo = party(&world, NEW);
    assert_eq!((bo.role, bo.person), (Role::Agent, Some(person("bo"))));
    let written = world.written();
    assert!(written.contains(&"call.transfer".into()));
    assert!(written.contains(&"call.transferred".into()));
    world.leg_ends(NEW, LegEnd::HungUp);
    assert!(world.call.is_over());
}

#[test]
fn a_busy_colleague_leaves_the_call_with_who_transferred() {
    let (mut world, refer) = in_flight("bo");
    fails(&mut world, NEW, LegFailure::Busy);
    assert!(world.hears(CUSTOMER, AGENT) || world.hears_music(CUSTOMER), "the guard runs");
    assert_eq!(world.told(refer).last(), Some(&Said::Notified(486, true)));
    world.run_ms(400);
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
    assert!(!world.hears_music(CUSTOMER));
    assert!(world.written().contains(&"call.transfer_failed".into()));
    assert_eq!(world.view().parties.len(), 2, "of the one who was busy nothing is left");
}

#[test]
fn nobody_answers_within_thirty_seconds() {
    let (mut world, refer) = in_flight("bo");
    world.run_ms(29_900);
    assert_eq!(world.told(refer).len(), 2);
    world.run_ms(700);
    assert_eq!(world.told(refer).last(), Some(&Said::Notified(480, true)));
    assert!(world.hears(CUSTOMER, AGENT) && !world.legs.contains(&NEW));
}

#[test]
fn who_hung_up_is_called_back_when_the_colleague_is_busy() {
    let (mut world, _) = in_flight("bo");
    world.leg_ends(AGENT, LegEnd::HungUp);
    assert!(!world.call.is_over() && world.hears_music(CUSTOMER));
    fails(&mut world, NEW, LegFailure::Busy);
    let again = called(&world);
    assert_ne!(again, NEW);
    assert!(matches!(&world.called_at[&again], DialTarget::Device(d) if d.as_str() == "ana-phone"));
    assert!(world.hears_music(CUSTOMER));
    answers(&mut world, again);
    assert!(world.hears(CUSTOMER, again) && world.hears(again, CUSTOMER));
    assert_eq!(party(&world, again).person, Some(person("ana")));
}

#[test]
fn a_call_that_nobody_takes_back_ends() {
    let (mut world, _) = in_flight("bo");
    world.leg_ends(AGENT, LegEnd::HungUp);
    fails(&mut world, NEW, LegFailure::Declined);
    let again = called(&world);
    fails(&mut world, again, LegFailure::Unreachable);
    assert!(world.call.is_over());
    assert_eq!(world.view().end_reason.as_deref(), Some("transfer_failed"));
}

#[test]
fn the_waiting_customer_hangs_up_and_the_ringing_stops() {
    let (mut world, refer) = in_flight("bo");
    world.leg_ends(CUSTOMER, LegEnd::HungUp);
    assert!(world.call.is_over() && world.legs.is_empty());
    assert_eq!(world.told(refer).last(), Some(&Said::Notified(487, true)));
}

#[test]
fn a_customers_phone_transfers_the_agent_to_another_customer() {
    let mut world = World::talking();
    let refer = world.refer(CUSTOMER, "rita");
    world.run_ms(10);
    assert!(!world.hears(AGENT, CUSTOMER) && world.hears_music(CUSTOMER));
    world.run_ms(15);
    assert_eq!(party(&world, NEW).role, Role::Customer, "by whose device it is");
    assert!(world.hears(AGENT, NEW) && world.hears_music(NEW), "the agent spoke before: a guard");
    world.run_ms(300);
    assert!(world.hears(NEW, AGENT) && !world.hears_music(NEW));
    assert!(!is_here(&world, CUSTOMER) && !world.call.is_over());
    assert_eq!(world.told(refer).last(), Some(&Said::Notified(200, true)));
}

#[test]
fn a_customer_may_pass_the_agent_on_to_another_agent() {
    let mut world = World::talking();
    world.refer(CUSTOMER, "bo");
    world.run_ms(400);
    assert!(world.hears(AGENT, NEW) && world.hears(NEW, AGENT) && !world.call.is_over());
    let before = world.view().timing;
    world.run_ms(1_000);
    assert_eq!(world.view().timing.talk_ms, before.talk_ms + 1_000, "two agents talk");
    world.leg_ends(AGENT, LegEnd::HungUp);
    assert!(world.call.is_over());
}

#[test]
fn by_name_the_customer_goes_and_the_answer_comes_when_it_is_in_force() {
    let mut world = World::talking();
    let request = world.transfer("mia", None, "bo");
    world.run_ms(15);
    assert!(world.answer(request).is_none() && world.hears_music(CUSTOMER));
    world.run_ms(10);
    assert!(matches!(world.answer(request), Some(Ok(_))));
    assert!(world.hears(CUSTOMER, NEW) && !is_here(&world, AGENT));
    let busy = world.transfer("bo", None, "ana");
    let seat = called(&world);
    fails(&mut world, seat, LegFailure::Busy);
    assert_eq!(world.refused(busy), [Reason::AgentBusy]);
    world.run_ms(400);
    assert!(world.hears(CUSTOMER, NEW) && world.hears(NEW, CUSTOMER));
}

#[test]
fn a_transfer_is_refused_with_its_reason_and_audited() {
    let mut world = World::talking();
    let olu = person("olu");
    world.dir.change(|facts| facts.people.get_mut(&olu).unwrap().rights.clear());
    let stranger = world.transfer("olu", None, "bo");
    assert_eq!(world.refused(stranger), [Reason::NotAllowed]);
    let lost = world.transfer("mia", None, "nobody");
    assert_eq!(world.refused(lost), [Reason::NoRoute]);
    let here = world.transfer("mia", None, "ana");
    assert_eq!(world.refused(here), [Reason::AlreadyAParty]);
    let nobody = world.transfer("mia", Some(SeatId(9)), "bo");
    assert_eq!(world.refused(nobody), [Reason::NoSuchParty]);
    let phone = world.refer(AGENT, "nobody");
    assert_eq!(world.told(phone), [Said::Refused(404)]);
    let refused = world.written().into_iter().filter(|row| row == "!call.transfer").count();
    assert_eq!(refused, 5);
    assert!(world.hears(CUSTOMER, AGENT));
}

#[test]
fn of_two_transfers_that_cross_the_first_goes_on() {
    let (mut world, first) = in_flight("bo");
    let second = world.refer(CUSTOMER, "rita");
    assert_eq!(world.told(second), [Said::Refused(491)]);
    let third = world.transfer("mia", None, "pat");
    assert_eq!(world.refused(third), [Reason::TransferUnderWay]);
    answers(&mut world, NEW);
    assert_eq!(world.told(first).last(), Some(&Said::Notified(200, true)));
    assert!(world.hears(CUSTOMER, NEW));
}

#[test]
fn a_phone_that_held_before_it_transferred_holds_again_when_it_fails() {
    let mut world = World::talking();
    world.agent_phone(true);
    world.habits.answers = false;
    world.refer(AGENT, "bo");
    assert!(!party(&world, CUSTOMER).held && world.hears_music(CUSTOMER));
    fails(&mut world, NEW, LegFailure::Busy);
    assert!(party(&world, CUSTOMER).held && world.hears_music(CUSTOMER));
    world.agent_phone(false);
    world.run_ms(400);
    assert!(world.hears(CUSTOMER, AGENT) && !world.hears_music(CUSTOMER));
}

#[test]
fn time_in_flight_is_neither_talk_nor_hold() {
    let (mut world, _) = in_flight("bo");
    let before = world.view().timing;
    world.run_ms(5_000);
    let after = world.view().timing;
    assert_eq!(after.other_ms, before.other_ms + 5_000);
    assert_eq!((after.talk_ms, after.hold_ms), (before.talk_ms, before.hold_ms));
    answers(&mut world, NEW);
    world.run_ms(1_000);
    assert_eq!(world.view().timing.talk_ms, before.talk_ms + 1_000);
}

/// A talking call, supervised; then a REFER by the agent's phone to Bo, who rings.
fn supervised(mode: Mode) -> (World, SeatId, SeatId) {
    let mut world = World::talking();
    world.join(1, "mia", mode);
    world.run_ms(800);
    let mia = world.seat(1);
    world.habits.answers = false;
    world.refer(AGENT, "bo");
    let new = called(&world);
    (world, mia, new)
}

#[test]
fn a_listener_stays_with_the_call() {
    let (mut world, mia, new) = supervised(Mode::Listen);
    assert!(world.hears(mia, CUSTOMER) && !world.hears(mia, AGENT));
    answers(&mut world, new);
    assert!(world.hears(mia, CUSTOMER) && world.hears(mia, new));
    assert_eq!(world.supervision(1).state, SupervisionState::Live);
}

#[test]
fn a_whisper_falls_back_to_listen_and_is_for_the_new_agent_once_a_row_says_so() {
    let (mut world, mia, new) = supervised(Mode::Whisper);
    assert!(!world.hears(AGENT, mia) && !world.hears(CUSTOMER, mia), "nobody hears it in flight");
    world.habits.commits = false;
    answers(&mut world, new);
    assert_eq!(world.supervision(1).mode, Mode::Listen);
    assert!(!world.hears(new, mia));
    let row = *world.rows.keys().next_back().unwrap();
    let row =
        world.rows.iter().rfind(|(_, e)| e.detail.contains_key("targets")).map_or(row, |(r, _)| *r);
    world.feed(Input::RowCommitted { row });
    let now = world.supervision(1);
    assert_eq!((now.mode, now.targets), (Mode::Whisper, vec![new]));
    assert!(world.hears(new, mia) && !world.hears(CUSTOMER, mia));
}

#[test]
fn who_went_back_to_listen_in_flight_does_not_whisper_again_by_itself() {
    let (mut world, mia, new) = supervised(Mode::Whisper);
    world.switch(1, "mia", Mode::Listen);
    answers(&mut world, new);
    world.run_ms(500);
    assert_eq!(world.supervision(1).mode, Mode::Listen);
    assert!(!world.hears(new, mia));
}

#[test]
fn no_new_whisper_reaches_an_agent_who_waits_for_the_end_of_a_transfer() {
    let (mut world, _, _) = supervised(Mode::Listen);
    let asked = world.switch(1, "mia", Mode::Whisper);
    assert_eq!(world.refused(asked), [Reason::TargetNotReceiving]);
}

#[test]
fn a_whisper_is_never_heard_by_a_customer_who_comes() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Whisper);
    world.run_ms(800);
    let mia = world.seat(1);
    world.refer(AGENT, "rita");
    let rita = called(&world);
    world.run_ms(1_000);
    assert!(world.hears(CUSTOMER, rita) && world.hears(rita, CUSTOMER), "two customers talk");
    assert!(!world.hears(rita, mia) && !world.hears(CUSTOMER, mia) && world.hears(mia, rita));
    assert_eq!(world.supervision(1).mode, Mode::Listen);
}

#[test]
fn in_flight_a_customer_who_waits_hears_who_barges_and_then_both() {
    let (mut world, mia, new) = supervised(Mode::Barge);
    assert!(world.hears(CUSTOMER, mia) && !world.hears_music(CUSTOMER) && !world.hears(AGENT, mia));
    answers(&mut world, new);
    assert!(world.hears(CUSTOMER, mia) && world.hears(CUSTOMER, new) && world.hears(new, mia));
    let beep = EdgeRef { source: Source::Tone(new.0), listener: Listener::Seat(new) };
    assert!(world.plan.edges.iter().any(|edge| edge.name() == beep), "and is told so");
}

#[test]
fn a_barge_opens_to_a_new_customer_after_the_guard_alone() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Barge);
    world.run_ms(800);
    let mia = world.seat(1);
    world.refer(CUSTOMER, "rita");
    let rita = called(&world);
    world.run_ms(30);
    assert!(is_here(&world, rita) && !world.hears(rita, mia) && world.hears_music(rita));
    world.run_ms(300);
    assert!(world.hears(rita, mia) && world.hears(rita, AGENT));
}

#[test]
fn who_barges_keeps_the_customer_when_nobody_else_comes() {
    let (mut world, mia, new) = supervised(Mode::Barge);
    world.leg_ends(AGENT, LegEnd::HungUp);
    fails(&mut world, new, LegFailure::Busy);
    assert!(!world.call.is_over() && world.hears(CUSTOMER, mia));
    assert_eq!(world.supervision(1).mode, Mode::Takeover);
}

#[test]
fn a_takeover_in_flight_stops_the_transfer() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.habits.answers = false;
    let refer = world.refer(AGENT, "bo");
    let new = called(&world);
    world.take_over(1, "mia", AgentAfter::Held);
    world.run_ms(600);
    assert_eq!(world.told(refer).last(), Some(&Said::Notified(487, true)));
    assert!(!world.legs.contains(&new) && world.hears(CUSTOMER, world.seat(1)));
    assert!(party(&world, AGENT).held);
}

#[test]
fn the_owner_of_a_takeover_passes_the_customer_on_and_listens() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.take_over(1, "mia", AgentAfter::Listening);
    world.run_ms(500);
    let mia = world.seat(1);
    world.habits.answers = false;
    let refer = world.refer(mia, "bo");
    let new = called(&world);
    assert!(world.hears(CUSTOMER, mia), "the customer is not left alone meanwhile");
    answers(&mut world, new);
    assert!(world.hears(CUSTOMER, new) && !world.hears(CUSTOMER, mia) && world.hears(mia, new));
    assert_eq!(world.supervision(1).mode, Mode::Listen);
    assert!(!is_here(&world, AGENT));
    assert_eq!(world.told(refer).last(), Some(&Said::Notified(200, true)));
}

#[test]
fn a_supervisor_who_listens_cannot_transfer_by_telephone() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    let refer = world.refer(world.seat(1), "bo");
    assert_eq!(world.told(refer), [Said::Refused(403)]);
}

#[test]
fn who_follows_the_agent_leaves_with_the_agent_and_is_told_why() {
    let mut world = World::talking();
    world.follows = Follow::Agent;
    world.join(1, "mia", Mode::Whisper);
    world.run_ms(800);
    world.refer(AGENT, "bo");
    world.run_ms(200);
    let ended = world.supervision(1);
    assert_eq!(ended.state, SupervisionState::Ended);
    assert_eq!(ended.end_reason.as_deref(), Some("agent_transferred"));
    assert!(!world.call.is_over());
}

#[test]
fn who_follows_the_agent_stays_when_the_transfer_comes_back() {
    let mut world = World::talking();
    world.follows = Follow::Agent;
    world.join(1, "mia", Mode::Whisper);
    world.run_ms(800);
    let mia = world.seat(1);
    world.habits.answers = false;
    world.refer(AGENT, "bo");
    let seat = called(&world);
    fails(&mut world, seat, LegFailure::Busy);
    world.run_ms(400);
    assert_eq!(world.supervision(1).mode, Mode::Whisper);
    assert!(world.hears(AGENT, mia) && !world.hears(CUSTOMER, mia));
}

#[test]
fn one_does_not_supervise_oneself_after_a_transfer() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Barge);
    world.run_ms(800);
    world.refer(AGENT, "mia");
    world.run_ms(200);
    assert_eq!(world.supervision(1).end_reason.as_deref(), Some("own_call"));
    let new = world.view().parties.into_iter().rfind(|p| p.connected).unwrap();
    assert_eq!((new.role, new.person), (Role::Agent, Some(person("mia"))));
}

#[test]
fn rights_are_looked_at_again_when_the_new_agent_comes() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Barge);
    world.run_ms(800);
    world.habits.answers = false;
    world.refer(AGENT, "bo");
    let new = called(&world);
    let mia = person("mia");
    world.dir.change(|facts| facts.people.get_mut(&mia).unwrap().rights.clear());
    answers(&mut world, new);
    assert_eq!(world.supervision(1).end_reason.as_deref(), Some("rights_lost"));
}

#[test]
fn three_supervisors_go_on_through_a_transfer_each_in_their_mode() {
    let (mut world, [mia, noor, olu]) = World::attended();
    world.refer(AGENT, "bo");
    let new = called(&world);
    world.run_ms(1_000);
    assert!(world.hears(CUSTOMER, new) && world.hears(CUSTOMER, olu) && world.hears(new, olu));
    assert!(world.hears(new, noor) && !world.hears(CUSTOMER, noor) && world.hears(mia, noor));
    assert!(!world.hears(new, mia) && !world.hears(CUSTOMER, mia) && world.hears(mia, new));
    world.leg_ends(new, LegEnd::HungUp);
    assert_eq!(world.supervision(3).mode, Mode::Takeover, "she keeps the call");
}

#[test]
fn a_transfer_to_ones_own_other_phone_leaves_one_busy() {
    let mut world = World::talking();
    assert!(world.busy.contains(&person("ana")));
    world.refer(AGENT, "ana-soft");
    world.run_ms(400);
    assert!(!is_here(&world, AGENT) && world.hears(CUSTOMER, called(&world)));
    assert!(world.busy.contains(&person("ana")), "she talks on, by another telephone");
    world.leg_ends(called(&world), LegEnd::HungUp);
    assert!(world.busy.is_empty());
}

#[test]
fn a_refused_or_busy_transfer_leaves_nothing_counted() {
    let (mut world, _) = in_flight("mobile");
    assert_eq!(world.counted, [NEW].into());
    let crossing = world.refer(CUSTOMER, "mobile");
    assert_eq!(world.told(crossing), [Said::Refused(491)]);
    let olu = person("olu");
    world.dir.change(|facts| facts.people.get_mut(&olu).unwrap().rights.clear());
    for who in ["olu", "mia"] {
        let asked = world.transfer(who, None, "mobile");
        assert!(!world.refused(asked).is_empty());
    }
    assert_eq!((world.counted.len(), world.unused), (1, 0), "nothing was asked of the exchange");
    fails(&mut world, NEW, LegFailure::Busy);
    assert!(world.counted.is_empty(), "it is the seat's, and the seat is gone");
    world.run_ms(400);
    world.habits.answers = true;
    world.refer(AGENT, "mobile");
    world.run_ms(400);
    assert_eq!(world.counted.len(), 1);
    world.leg_ends(called(&world), LegEnd::HungUp);
    assert!(world.counted.is_empty());
}

#[test]
fn a_transfer_that_is_still_being_placed_counts_as_under_way_and_ends_with_the_call() {
    let mut world = World::talking();
    world.habits.places = false;
    let refer = world.refer(AGENT, "mobile");
    assert!(world.told(refer).is_empty() && world.hears(CUSTOMER, AGENT));
    let second = world.transfer("mia", None, "bo");
    assert_eq!(world.refused(second), [Reason::TransferUnderWay]);
    world.leg_ends(CUSTOMER, LegEnd::HungUp);
    assert_eq!(world.told(refer), [Said::Refused(481)]);
    world.run_ms(100);
    assert!(world.counted.is_empty());
}
