//! A call whose process is gone: closed from its last note, with its last known time.

use crate::call_world::*;
use undertone_core::audit::Outcome;
use undertone_core::time::Wall;
use undertone_core::view::*;

const NOW: Wall = Wall(1_000_000);

#[test]
fn what_ran_at_the_last_note_ran_on_until_the_last_known_time() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(2_000);
    world.switch(1, "mia", Mode::Barge);
    world.run_ms(1_000);
    let note = world.call.noted(world.now());
    world.run_ms(7_345);
    let alive = world.view();
    let (_, record) = note.closed("node_lost", world.now().wall, NOW);
    let timing = record.view.timing;
    assert_eq!(timing, alive.timing, "nothing happened in between");
    let named = timing.queue_ms + timing.ring_ms + timing.talk_ms + timing.hold_ms;
    assert_eq!(timing.duration_ms, named + timing.other_ms, "the duration identity");
    assert!(timing.barge_ms > 7_345);
    assert_eq!(record.view.ended_at, Some(world.now().wall));
    assert_eq!(record.view.state, CallState::Ended);
    assert_eq!(record.view.end_reason.as_deref(), Some("node_lost"));
}

#[test]
fn a_clock_that_was_set_back_ends_no_call_before_its_note() {
    let world = World::talking();
    let note = world.call.noted(world.now());
    let (_, record) = note.clone().closed("node_lost", Wall(-5), NOW);
    assert_eq!(record.view.ended_at, Some(note.at));
    assert_eq!(record.view.timing, note.record.view.timing);
}

#[test]
fn every_supervision_that_was_not_over_ends_once_with_a_row() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Whisper);
    world.run_ms(2_000);
    world.join(2, "noor", Mode::Listen);
    world.run_ms(2_000);
    world.leave(2, "noor");
    world.run_ms(500);
    world.habits.answers = false;
    world.join(3, "olu", Mode::Listen);
    world.run_ms(100);
    let note = world.call.noted(world.now());
    let (rows, record) = note.closed("node_lost", world.now().wall, NOW);
    let what: Vec<_> = rows.iter().map(|row| row.what.as_str()).collect();
    assert_eq!(what, ["supervision.ended", "supervision.failed", "call.end"]);
    assert!(rows.iter().all(|row| row.detail["why"] == "node_lost" && row.at == NOW));
    assert_eq!(rows[0].supervision, Some(sup(1)));
    assert_eq!(rows[1].outcome, Outcome::Refused(vec!["node_lost".into()]));
    let states: Vec<_> = record.view.supervisions.iter().map(|s| s.state).collect();
    let (ended, failed) = (SupervisionState::Ended, SupervisionState::Failed);
    assert_eq!(states, [ended, ended, failed]);
    let spans = record.view.supervisions.iter().flat_map(|s| &s.spans);
    assert!(spans.clone().count() >= 2 && spans.clone().all(|span| span.to.is_some()));
    assert!(record.view.parties.iter().all(|party| !party.connected));
    let left = &record.view.supervisions[1];
    assert_eq!(left.end_reason.as_deref(), Some("left"), "what was over stays as it was");
}
