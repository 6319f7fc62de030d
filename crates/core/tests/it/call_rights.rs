//! What was granted at sign-in and is no more when the call is asked: the facts of the instant
//! count, whether or not anybody has told the call that they changed.

use crate::call_world::{World, actor, person, sup};
use undertone_core::call::Input;
use undertone_core::id::KeyId;
use undertone_core::refusal::Reason;
use undertone_core::view::{Mode, SupervisionState};

fn revoke_mias_key(world: &mut World) {
    let key = KeyId::parse("key-mia").unwrap();
    world.dir.change(|facts| assert!(facts.revoked_keys.insert(key)));
}

#[test]
fn a_key_that_was_revoked_since_sign_in_begins_nothing() {
    let mut world = World::talking();
    revoke_mias_key(&mut world);
    let join = world.join(1, "mia", Mode::Listen);
    assert_eq!(world.refused(join), [Reason::NotAllowed]);
    let hold = world.hold("mia");
    assert_eq!(world.refused(hold), [Reason::NotAllowed]);
    let other = world.join(2, "noor", Mode::Listen);
    world.run_ms(300);
    assert_eq!(world.granted(other).state, SupervisionState::Live);
}

#[test]
fn a_right_that_was_taken_since_sign_in_raises_nothing() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    let before = actor("mia", &world.dir);
    world.dir.change(|facts| facts.people.get_mut(&person("mia")).unwrap().rights.clear());
    let raise = world.change(1, "mia", |change| {
        change.mode = Some(Mode::Barge);
        change.by = before;
    });
    assert_eq!(world.refused(raise), [Reason::NotAllowed]);
    assert_eq!(world.supervision(1).mode, Mode::Listen);
}

#[test]
fn a_key_that_is_revoked_while_its_row_is_written_raises_nothing() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    world.habits.commits = false;
    let raise = world.switch(1, "mia", Mode::Barge);
    let row = *world.rows.keys().last().unwrap();
    revoke_mias_key(&mut world);
    world.feed(Input::RowCommitted { row });
    assert_eq!(world.refused(raise), [Reason::NotAllowed]);
    assert_eq!(world.supervision(1).mode, Mode::Listen);
    assert_eq!(world.supervision(1).id, sup(1));
}

#[test]
fn who_has_lost_every_right_may_still_leave() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    revoke_mias_key(&mut world);
    world.leave(1, "mia");
    world.run_ms(100);
    assert_eq!(world.supervision(1).state, SupervisionState::Ended);
}
