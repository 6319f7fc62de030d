//! Replaces: a leg that takes another's seat, and two calls that become one, supervisors included.

use crate::call_world::*;
use undertone_core::call::*;
use undertone_core::id::{DeviceId, SeatId};
use undertone_core::refusal::Reason;
use undertone_core::view::*;

/// Ana's seat on the call in which she called somebody.
const CALLED_BY: SeatId = Call::CALLER;
const THERE: SeatId = Call::CALLEE;

/// Carries what one call asks of the other until neither asks for more.
fn carry(one: &mut World, other: &mut World) {
    loop {
        let asked: Vec<_> = one.outbox.drain(..).collect();
        let told: Vec<_> = other.outbox.drain(..).collect();
        if asked.is_empty() && told.is_empty() {
            return;
        }
        asked.into_iter().for_each(|effect| deliver(effect, one, other));
        told.into_iter().for_each(|effect| deliver(effect, other, one));
    }
}

/// Once there and once back; what the call that goes on then does stays to be looked at.
fn carry_keeping(one: &mut World, other: &mut World) {
    let asked: Vec<_> = one.outbox.drain(..).collect();
    asked.into_iter().for_each(|effect| deliver(effect, one, other));
    let given: Vec<_> = other.outbox.drain(..).collect();
    given.into_iter().for_each(|effect| deliver(effect, other, one));
}

fn deliver(effect: Effect, from: &World, to: &mut World) {
    match effect {
        Effect::AskToGiveUp { call, leaving } => {
            assert_eq!(&call, to.call.id());
            to.feed(Input::GiveUpTo { into: from.call.id().clone(), leaving });
        }
        Effect::HandOver(given) => {
            assert_eq!(&given.into, to.call.id());
            // The token is the asker's; a guest's REFER goes on under its new seat.
            if let Some((_, refer)) = &given.merged.refer {
                to.refers.insert(*refer, (CALLED_BY, vec![Said::Accepted]));
            }
            to.feed(Input::Merged(Box::new(given.merged)));
        }
        _ => {}
    }
}

fn here(world: &World, name: &str) -> Vec<SeatId> {
    let parties = world.view().parties.into_iter();
    parties.filter(|p| p.connected && p.name == name).map(|p| p.seat).collect()
}

#[test]
fn a_phone_joins_its_two_calls_and_the_customers_goes_on() {
    let (mut call, mut consult) = (World::talking(), World::consulting("eu.n1.1.b", "bo"));
    call.agent_phone(true);
    let refer = call.refer_to_join(AGENT, CALLED_BY, &consult);
    assert!(call.hears_music(CUSTOMER), "until the others are here");
    carry(&mut call, &mut consult);
    assert!(consult.call.is_over() && consult.legs.is_empty());
    assert_eq!(consult.view().end_reason.as_deref(), Some("merged_into"));
    let bo = here(&call, "bo")[0];
    assert!(here(&call, "ana").is_empty() && !call.legs.contains(&AGENT));
    assert!(call.hears(bo, CUSTOMER) && call.hears_music(CUSTOMER), "what bo said was in private");
    call.run_ms(300);
    assert!(call.hears(CUSTOMER, bo) && !call.hears_music(CUSTOMER));
    assert_eq!(call.told(refer), [Said::Accepted, Said::Notified(200, true)]);
    call.leg_ends(bo, LegEnd::HungUp);
    assert!(call.call.is_over());
}

#[test]
fn asked_from_the_consult_the_customers_call_goes_on_all_the_same() {
    let (mut call, mut consult) = (World::talking(), World::consulting("eu.n1.1.b", "bo"));
    let refer = consult.refer_to_join(CALLED_BY, AGENT, &call);
    assert!(consult.call.is_over());
    carry(&mut call, &mut consult);
    call.run_ms(300);
    let bo = here(&call, "bo")[0];
    assert!(call.hears(CUSTOMER, bo) && here(&call, "ana").is_empty());
    assert_eq!(call.told(refer).last(), Some(&Said::Notified(200, true)));
}

#[test]
fn an_end_between_the_asking_and_the_giving_leaves_the_call_as_it_was() {
    let (mut call, mut consult) = (World::talking(), World::consulting("eu.n1.1.b", "bo"));
    let refer = call.refer_to_join(AGENT, CALLED_BY, &consult);
    consult.leg_ends(THERE, LegEnd::HungUp);
    carry(&mut call, &mut consult);
    assert!(call.hears(CUSTOMER, AGENT));
    call.run_ms(5_100);
    assert!(matches!(call.told(refer).last(), Some(Said::Notified(500.., true))));
    assert!(call.hears(CUSTOMER, AGENT) && call.hears(AGENT, CUSTOMER));
}

#[test]
fn nobody_joins_a_call_of_somebody_else() {
    let (mut call, consult) = (World::talking(), World::consulting("eu.n1.1.b", "bo"));
    let refer = call.refer_to_join(AGENT, THERE, &consult);
    assert_eq!(call.told(refer), [Said::Refused(403)]);
    let refer = call.refer_to_join(CUSTOMER, CALLED_BY, &consult);
    assert_eq!(call.told(refer), [Said::Refused(403)]);
    assert_eq!(call.written().iter().filter(|row| *row == "!call.merge").count(), 2);
}

#[test]
fn supervisors_of_both_calls_are_on_the_one_that_goes_on() {
    let (mut call, mut consult) = (World::talking(), World::consulting("eu.n1.1.b", "bo"));
    call.join(1, "mia", Mode::Whisper);
    consult.join(2, "noor", Mode::Barge);
    call.run_ms(1_000);
    consult.run_ms(1_000);
    call.refer_to_join(AGENT, CALLED_BY, &consult);
    carry(&mut call, &mut consult);
    assert_eq!(consult.supervision(2).end_reason.as_deref(), Some("merged_into"));
    let noor = call.seat(2);
    let bo = here(&call, "bo")[0];
    assert!(!call.hears(noor, CUSTOMER), "not before the row is committed");
    call.run_ms(800);
    let now = call.supervision(2);
    assert_eq!((now.mode, now.state), (Mode::Listen, SupervisionState::Live));
    assert!(call.hears(noor, CUSTOMER) && call.hears(noor, bo) && !call.hears(CUSTOMER, noor));
    let mia = call.supervision(1);
    assert_eq!((mia.mode, mia.targets), (Mode::Whisper, vec![bo]));
    assert!(!call.hears(CUSTOMER, call.seat(1)));
}

#[test]
fn who_supervises_both_calls_keeps_the_supervision_of_the_one_that_goes_on() {
    let (mut call, mut consult) = (World::talking(), World::consulting("eu.n1.1.b", "bo"));
    call.join(1, "mia", Mode::Listen);
    consult.join(2, "mia", Mode::Listen);
    call.run_ms(1_000);
    consult.run_ms(1_000);
    call.refer_to_join(AGENT, CALLED_BY, &consult);
    carry_keeping(&mut call, &mut consult);
    assert!(call.outbox.iter().any(|effect| matches!(effect, Effect::DropGuest { .. })));
    assert!(call.written().contains(&"!supervision.join".into()), "and is told why");
    assert_eq!(call.supervision(1).state, SupervisionState::Live);
}

#[test]
fn the_same_persons_other_phone_takes_the_seat_and_no_edge_moves() {
    let mut world = World::talking();
    let edges = world.plan.edges.clone();
    let arrival = ArrivalId(1);
    let by = |name: &str| NewParty { leg: PartyLeg::Arrived, ..World::phone_of(name) };
    let asked = ReplaceAsked { seat: AGENT, arrival, by: by("bo") };
    world.feed(Input::ReplaceAsked(Box::new(asked)));
    let asked = ReplaceAsked { seat: AGENT, arrival, by: by("ana") };
    world.feed(Input::ReplaceAsked(Box::new(asked)));
    assert_eq!(
        world.outbox,
        [Effect::RefuseArrival { arrival, code: 603 }, Effect::ReplaceLeg { seat: AGENT, arrival },]
    );
    assert_eq!(world.plan.edges, edges);
    let written = world.written();
    assert!(written.contains(&"!call.replace".into()) && written.contains(&"call.replace".into()));
}

#[test]
fn a_customers_seat_is_taken_by_the_same_telephone_only() {
    let device = DeviceId::parse("rita-phone").unwrap();
    let rita = NewParty {
        device: Some(device),
        number: "rita".into(),
        name: "rita".into(),
        net: Net::External,
        leg: PartyLeg::Arrived,
    };
    let mut world = World::start(rita.clone(), World::phone_of("ana"));
    world.run_ms(100);
    let stranger = NewParty { device: None, ..rita.clone() };
    for by in [stranger, rita] {
        let asked = ReplaceAsked { seat: CUSTOMER, arrival: ArrivalId(7), by };
        world.feed(Input::ReplaceAsked(Box::new(asked)));
    }
    let refused = |e: &Effect| matches!(e, Effect::RefuseArrival { .. });
    assert!(refused(&world.outbox[0]) && !refused(&world.outbox[1]));
}

#[test]
fn a_merge_is_refused_while_a_transfer_is_under_way() {
    let (mut call, consult) = (World::talking(), World::consulting("eu.n1.1.b", "bo"));
    call.habits.answers = false;
    let first = call.transfer("mia", None, "pat");
    let refer = call.refer_to_join(AGENT, CALLED_BY, &consult);
    assert_eq!(call.told(refer), [Said::Refused(491)]);
    call.run_ms(31_000);
    assert_eq!(call.refused(first), [Reason::LegNoAnswer]);
}

/// A call that Mia has taken over; Ana, put aside, listens.
fn taken_over(id: &str) -> World {
    let mut world = World::talking_as(id);
    put_aside(&mut world);
    world
}

fn put_aside(world: &mut World) {
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.take_over(1, "mia", AgentAfter::Listening);
    world.run_ms(500);
    assert!(world.hears(CUSTOMER, world.seat(1)) && !world.hears(CUSTOMER, AGENT));
}

#[test]
fn an_agent_put_aside_hands_the_place_on_from_neither_call() {
    let (mut call, mut consult) =
        (taken_over("eu.n1.1.call"), World::consulting("eu.n1.1.b", "bo"));
    let refer = consult.refer_to_join(CALLED_BY, AGENT, &call);
    assert_eq!(consult.told(refer), [Said::Refused(403)]);
    let refer = call.refer_to_join(AGENT, CALLED_BY, &consult);
    assert_eq!(call.told(refer), [Said::Refused(403)]);
    assert!(!consult.call.is_over());
    // Both have a customer, and the one where Ana is not aside is the older.
    let mut older = World::talking_as("eu.n1.1.a");
    let refer = older.refer_to_join(AGENT, AGENT, &call);
    assert_eq!(older.told(refer), [Said::Refused(403)]);
    older.feed(Input::GiveUpTo { into: consult.call.id().clone(), leaving: vec![AGENT] });
    assert!(older.call.is_over(), "as asked by a phone that may");
    call.feed(Input::GiveUpTo { into: consult.call.id().clone(), leaving: vec![AGENT] });
    let given = call.outbox.iter().find_map(|effect| match effect {
        Effect::HandOver(given) => Some(given),
        _ => None,
    });
    assert!(given.is_some_and(|given| given.merged.guests.is_empty()) && !call.call.is_over());
}

#[test]
fn a_takeover_between_the_asking_and_the_giving_keeps_the_others_out() {
    for from_the_consult in [true, false] {
        let (mut call, mut consult) = (World::talking(), World::consulting("eu.n1.1.b", "bo"));
        call.join(1, "mia", Mode::Listen);
        call.run_ms(300);
        if from_the_consult {
            consult.refer_to_join(CALLED_BY, AGENT, &call);
        } else {
            call.refer_to_join(AGENT, CALLED_BY, &consult);
        }
        call.take_over(1, "mia", AgentAfter::Listening);
        call.run_ms(500);
        carry(&mut call, &mut consult);
        call.run_ms(400);
        assert!(here(&call, "bo").is_empty(), "from the consult: {from_the_consult}");
        assert!(call.hears(CUSTOMER, call.seat(1)) && !call.hears(CUSTOMER, AGENT));
        assert_eq!(call.supervision(1).mode, Mode::Takeover);
    }
}

#[test]
fn who_was_held_or_put_aside_is_so_in_the_call_that_goes_on() {
    let (mut older, mut call) = (World::talking_as("eu.n1.1.a"), World::talking());
    call.hold("mia");
    call.run_ms(100);
    older.refer_to_join(AGENT, AGENT, &call);
    carry(&mut older, &mut call);
    older.run_ms(400);
    let customers = here(&older, "a customer");
    let [first, second] = customers[..] else { panic!("{customers:?}") };
    assert!(older.hears_music(second) && !older.hears(first, second), "she is on hold still");
    // Rita's phone joins its calls: Ana, whom Mia put aside in the one that ends, stays aside.
    let rita = || NewParty { leg: PartyLeg::Arrived, ..World::phone_of("rita") };
    let mut older = World::start_as("eu.n1.1.a", rita(), World::phone_of("pat"));
    let mut call = World::start_as("eu.n1.1.b", rita(), World::phone_of("ana"));
    older.run_ms(100);
    call.run_ms(100);
    put_aside(&mut call);
    older.refer_to_join(CUSTOMER, CUSTOMER, &call);
    carry(&mut older, &mut call);
    older.run_ms(2_000);
    let (ana, pat) = (here(&older, "ana")[0], here(&older, "pat")[0]);
    assert_eq!(older.supervision(1).mode, Mode::Listen);
    assert!(!older.hears(pat, ana) && older.hears(ana, pat));
    older.leave(1, "mia");
    older.run_ms(400);
    assert!(older.hears(pat, ana), "the mark went with who had set it");
}

#[test]
fn who_follows_the_agent_does_not_follow_the_call_into_another() {
    let (mut call, mut consult) = (World::talking(), World::consulting("eu.n1.1.b", "bo"));
    consult.follows = Follow::Agent;
    consult.join(2, "noor", Mode::Listen);
    consult.run_ms(1_000);
    call.refer_to_join(AGENT, CALLED_BY, &consult);
    carry_keeping(&mut call, &mut consult);
    assert!(call.outbox.iter().any(|effect| matches!(effect, Effect::DropGuest { .. })));
    let no = call.rows.values().find(|row| row.what == "supervision.join").expect("a row");
    let why = undertone_core::audit::Outcome::Refused(vec!["agent_transferred".into()]);
    assert_eq!(no.outcome, why);
}
