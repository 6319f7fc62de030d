//! A 3xx: whoever is called instead sits by whose telephone it is, and what was counted for the
//! seat is given back; in person, one is called on one's own telephones alone.

use crate::call_world::*;
use undertone_core::call::*;
use undertone_core::id::SeatId;
use undertone_core::plan::Source;
use undertone_core::refusal::Reason;
use undertone_core::view::*;

/// A call that rings at Ana's phone.
fn ringing() -> World {
    let mut world = World::inbound();
    world.habits.answers = false;
    world.feed(Input::LegRinging { seat: AGENT });
    world
}

fn at(world: &World, seat: SeatId) -> PartyView {
    world.view().parties.into_iter().find(|party| party.seat == seat).expect("a party")
}

fn answers(world: &mut World, seat: SeatId) {
    world.feed(Input::LegAnswered { seat });
    world.run_ms(100);
}

#[test]
fn who_answers_outside_is_no_agent_and_has_none_of_an_agents_rights() {
    let mut world = ringing();
    world.sends_on(AGENT, "ana", &["nobody", "mobile", "bo"]);
    assert!(matches!(world.called_at[&AGENT], DialTarget::Trunk(_)));
    assert_eq!(world.counted, [AGENT].into());
    answers(&mut world, AGENT);
    let mobile = at(&world, AGENT);
    assert_eq!((mobile.role, mobile.person, mobile.net), (Role::Customer, None, Net::External));
    assert!(world.hears(CUSTOMER, AGENT) && world.hears(AGENT, CUSTOMER));
    assert!(world.busy.is_empty() && world.written().contains(&"call.redirect".into()));
    let whisper = world.join(1, "mia", Mode::Whisper);
    assert_eq!(world.refused(whisper), [Reason::AgentGone]);
    let refer = world.refer(AGENT, "bo");
    assert_eq!(world.told(refer), [Said::Refused(403)], "it has no telephone of ours");
    assert_eq!(world.view().direction, Direction::Inbound);
    world.leg_ends(AGENT, LegEnd::HungUp);
    assert!(world.counted.is_empty());
}

#[test]
fn a_colleague_who_answers_instead_is_the_agent() {
    let mut world = ringing();
    world.sends_on(AGENT, "ana", &["bo"]);
    answers(&mut world, AGENT);
    assert_eq!(
        (at(&world, AGENT).role, at(&world, AGENT).person),
        (Role::Agent, Some(person("bo")))
    );
    assert_eq!(world.busy, [person("bo")].into());
    world.habits.answers = true;
    world.join(1, "mia", Mode::Whisper);
    world.run_ms(800);
    assert!(world.hears(AGENT, world.seat(1)) && !world.hears(CUSTOMER, world.seat(1)));
    let mut world = ringing();
    world.sends_on(AGENT, "ana", &["rita"]);
    answers(&mut world, AGENT);
    assert_eq!(at(&world, AGENT).role, Role::Customer, "the telephone in the lobby is nobody's");
}

#[test]
fn an_internal_call_that_is_sent_outside_has_a_customer() {
    let mut world = World::internal();
    world.habits.answers = false;
    world.sends_on(AGENT, "ana", &["mobile"]);
    assert_eq!(world.view().direction, Direction::Outbound);
    answers(&mut world, AGENT);
    world.habits.answers = true;
    world.join(1, "mia", Mode::Whisper);
    world.run_ms(800);
    let mia = world.seat(1);
    assert!(world.hears(CUSTOMER, mia) && !world.hears(AGENT, mia), "bo, who called, is the agent");
}

#[test]
fn a_supervisors_phone_sends_on_to_their_own_other_phone_alone() {
    for (to, why) in [("bo", "leg_not_own"), ("mobile", "outbound_denied"), ("mia", "leg_not_own")]
    {
        let mut world = World::talking();
        world.habits.answers = false;
        let asked = world.join(1, "mia", Mode::Listen);
        world.run_ms(50);
        let seat = world.seat(1);
        world.sends_on(seat, "mia", &[to]);
        assert_eq!(world.refused(asked), [Reason::LegRejected], "{to}");
        let row = world.rows.values().find(|row| row.what == "call.redirect").expect("a row");
        assert_eq!(row.outcome, undertone_core::audit::Outcome::Refused(vec![why.into()]), "{to}");
        assert!(!world.legs.contains(&seat) && world.counted.is_empty());
    }
    let mut world = World::talking();
    world.habits.answers = false;
    let asked = world.join(1, "mia", Mode::Listen);
    world.run_ms(50);
    let seat = world.seat(1);
    world.sends_on(seat, "mia", &["mia-soft"]);
    assert!(world.answer(asked).is_none() && world.legs.contains(&seat));
    answers(&mut world, seat);
    let LegKind::Sip { device } = world.granted(asked).leg else { panic!("a telephone") };
    assert_eq!(device.as_str(), "mia-soft-phone", "what is shown is what is heard with");
    assert!(world.hears(seat, CUSTOMER));
}

#[test]
fn whoever_a_call_is_placed_for_is_called_in_person() {
    let placed = || {
        let to_ana = World::phone_of("ana");
        let mut world = World::start(to_ana, World::phone_of("rita"));
        world.habits.answers = false;
        world
    };
    let mut world = placed();
    world.sends_on(CUSTOMER, "ana", &["bo"]);
    assert!(world.call.is_over() && !world.called_at.contains_key(&AGENT), "nobody else rings");
    let mut world = placed();
    world.sends_on(CUSTOMER, "ana", &["ana-soft"]);
    answers(&mut world, CUSTOMER);
    assert!(world.called_at.contains_key(&AGENT));
    assert_eq!(at(&world, CUSTOMER).person, Some(person("ana")));
}

#[test]
fn phones_that_name_each_other_or_too_many_end_the_call() {
    let mut world = ringing();
    world.sends_on(AGENT, "ana", &["bo"]);
    world.sends_on(AGENT, "bo", &["ana"]);
    assert!(world.call.is_over());
    let mut world = ringing();
    let mut last = "ana";
    for (n, next) in ["bo", "rita", "pat", "noor", "olu", "mia"].into_iter().enumerate() {
        assert!(!world.call.is_over(), "{n}");
        world.sends_on(AGENT, last, &[next]);
        last = next;
    }
    assert!(world.call.is_over(), "five times and no more");
}

#[test]
fn help_is_not_sent_elsewhere() {
    let mut to = World::outside();
    if let PartyLeg::ToDial(DialTarget::Trunk(outside)) = &mut to.leg {
        outside.emergency = true;
    }
    let mut world = World::start(NewParty { leg: PartyLeg::Arrived, ..World::phone_of("bo") }, to);
    world.sends_on(AGENT, "bo", &["rita"]);
    assert!(world.call.is_over() && world.written().contains(&"!call.redirect".into()));
}

#[test]
fn a_place_that_comes_too_late_is_given_back_unused() {
    let mut world = ringing();
    world.habits.places = false;
    world.sends_on(AGENT, "ana", &["mobile"]);
    assert_eq!(world.counted, [AGENT].into());
    world.leg_ends(CUSTOMER, LegEnd::HungUp);
    world.run_ms(100);
    assert!(world.call.is_over() && world.counted.is_empty() && world.unused == 1);
}

#[test]
fn the_new_party_of_a_transfer_may_send_on_and_a_whisper_finds_only_agents() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Whisper);
    world.run_ms(800);
    let mia = world.seat(1);
    world.habits.answers = false;
    world.refer(AGENT, "bo");
    let new = *world.called_at.last_key_value().unwrap().0;
    world.sends_on(new, "bo", &["mobile"]);
    answers(&mut world, new);
    world.run_ms(1_000);
    assert_eq!((at(&world, new).role, world.supervision(1).mode), (Role::Customer, Mode::Listen));
    assert!(!world.plan.edges.iter().any(|edge| edge.source == Source::Seat(mia)));
}
