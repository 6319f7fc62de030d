//! Keys that a supervisor presses: at a telephone they switch modes, in a page they are the
//! customer's alone.

use crate::call_world::*;
use undertone_core::call::Input;
use undertone_core::id::DeviceId;
use undertone_core::view::*;

fn taken_over(leg: LegKind) -> World {
    let mut world = World::talking();
    world.join_with(1, "mia", Mode::Takeover, leg, &[], Some(AgentAfter::Held));
    world.run_ms(1_000);
    assert_eq!(world.supervision(1).mode, Mode::Takeover);
    world
}

fn press(world: &mut World, keys: &str) {
    let seat = world.seat(1);
    for digit in keys.chars() {
        world.feed(Input::Digit { seat, digit });
        world.run_ms(200);
    }
    world.run_ms(1_000);
}

#[test]
fn a_star_form_at_a_telephone_hands_back_and_the_same_keys_in_a_page_do_not() {
    let device = DeviceId::parse("mia-phone").unwrap();
    let mut world = taken_over(LegKind::Sip { device });
    press(&mut world, "*7");
    assert_eq!(world.supervision(1).mode, Mode::Listen);
    let mut world = taken_over(LegKind::Phone);
    press(&mut world, "*7*4*5");
    assert_eq!(world.supervision(1).mode, Mode::Takeover);
    let mia = world.seat(1);
    assert!(world.hears(CUSTOMER, mia) && world.hears(mia, CUSTOMER));
}
