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
    let asked: Vec<_> = call.outbox.drain(..).collect();
    asked.into_iter().for_each(|effect| deliver(effect, &call, &mut consult));
    let given: Vec<_> = consult.outbox.drain(..).collect();
    given.into_iter().for_each(|effect| deliver(effect, &consult, &mut call));
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
