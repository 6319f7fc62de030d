//! The six vectors of `metrics.md` 5a, through real inputs; times in whole seconds after the
//! answer. Virtual steps (rows, proofs, guards) cost milliseconds, so that each act is begun early
//! enough and each sum is compared within 400 ms.

use crate::call_world::*;
use undertone_core::call::{Input, LegEnd};
use undertone_core::seat::Room;
use undertone_core::time::Mono;
use undertone_core::times::{Holding, Times};
use undertone_core::view::*;

const SLACK_MS: u64 = 400;

struct Clock {
    world: World,
    zero_us: u64,
}

impl Clock {
    fn start() -> Self {
        let world = World::talking();
        let answered = world.view().answered_at.unwrap();
        Self { zero_us: answered.0 as u64 * 1_000, world }
    }

    fn at(&mut self, second: u64) -> &mut World {
        let until = self.zero_us + second * 1_000_000;
        self.world.run_ms((until - self.world.now_us) / 1_000);
        &mut self.world
    }

    fn end(&mut self, second: u64) -> TimingView {
        self.at(second).leg_ends(CUSTOMER, LegEnd::HungUp);
        let record = self.world.record.clone().expect("a record");
        let t = record.view.timing;
        assert_eq!(
            t.duration_ms,
            t.queue_ms + t.ring_ms + t.talk_ms + t.hold_ms + t.other_ms,
            "the duration identity: {t:?}"
        );
        assert!(t.other_ms <= 2, "nothing here is unexplained: {t:?}");
        near("duration", t.duration_ms - t.ring_ms, second);
        t
    }
}

#[track_caller]
fn near(what: &str, ms: u64, seconds: u64) {
    assert!(ms.abs_diff(seconds * 1_000) <= SLACK_MS, "{what}: {ms} ms, not {seconds} s");
}

#[test]
fn vector_1_a_whisper_adds_nothing_to_talk() {
    let mut clock = Clock::start();
    clock.at(59).join(1, "mia", Mode::Listen);
    clock.at(60).switch(1, "mia", Mode::Whisper);
    clock.at(120).leave(1, "mia");
    let t = clock.end(300);
    near("talk", t.talk_ms, 300);
    near("whisper", t.whisper_ms, 60);
    near("listen", t.listen_ms, 1);
    assert_eq!((t.hold_ms, t.barge_ms), (0, 0));
}

#[test]
fn vector_2_barge_is_talk_also_while_the_agent_is_held() {
    let mut clock = Clock::start();
    clock.at(199).join(1, "mia", Mode::Listen);
    clock.at(200).switch(1, "mia", Mode::Barge);
    clock.at(250).act(1, "mia", AgentAction::Hold);
    let t = clock.end(300);
    near("talk", t.talk_ms, 300);
    near("barge", t.barge_ms, 100);
    assert_eq!(t.hold_ms, 0);
}

#[test]
fn vector_3_a_whisper_while_the_customer_is_held_is_hold() {
    let mut clock = Clock::start();
    clock.at(100).hold("ana");
    clock.at(109).join(1, "mia", Mode::Listen);
    clock.at(110).switch(1, "mia", Mode::Whisper);
    clock.at(140).leave(1, "mia");
    clock.at(160).resume("ana");
    let t = clock.end(300);
    near("talk", t.talk_ms, 240);
    near("hold", t.hold_ms, 60);
    near("whisper", t.whisper_ms, 30);
}

#[test]
fn vector_4_a_takeover_shares_the_talk() {
    let mut clock = Clock::start();
    clock.at(199).join(1, "mia", Mode::Listen);
    clock.at(200).take_over(1, "mia", AgentAfter::Removed);
    let t = clock.end(400);
    near("talk", t.talk_ms, 400);
    near("takeover", t.takeover_ms, 200);
    assert_eq!(t.hold_ms, 0);
}

#[test]
fn vector_5_two_barges_are_a_union() {
    let mut clock = Clock::start();
    clock.at(99).join(1, "mia", Mode::Listen);
    clock.at(100).switch(1, "mia", Mode::Barge);
    clock.at(149).join(2, "noor", Mode::Listen);
    clock.at(150).switch(2, "noor", Mode::Barge);
    clock.at(200).leave(1, "mia");
    clock.at(250).leave(2, "noor");
    let t = clock.end(300);
    near("barge", t.barge_ms, 150);
    near("talk", t.talk_ms, 300);
}

#[test]
fn vector_6_a_customer_waits_for_a_consult_until_a_supervisor_barges() {
    let mut clock = Clock::start();
    clock.at(100).feed(Input::Moved { seat: AGENT, room: Room(1) });
    assert!(clock.world.hears_music(CUSTOMER));
    clock.at(149).join(1, "mia", Mode::Listen);
    clock.at(150).switch(1, "mia", Mode::Barge);
    clock.at(200).leave(1, "mia");
    clock.at(200).feed(Input::Moved { seat: AGENT, room: Room::MAIN });
    let t = clock.end(300);
    near("hold", t.hold_ms, 50);
    near("talk", t.talk_ms, 250);
}

#[test]
fn shares_of_the_talk_are_kept_apart() {
    let agent = Holding { agent_talks: true, ..Holding::default() };
    let owner = Holding { takeover: true, ..Holding::default() };
    let mut times = Times::start(Mono(0), agent);
    times.turn(Mono::from_ms(200_000), owner);
    times.end(Mono::from_ms(400_000));
    times.turn(Mono::from_ms(900_000), agent);
    let sums = times.sums_at(Mono::from_ms(950_000));
    assert_eq!(sums.talk_us, 400_000_000);
    assert_eq!(sums.agent_share_us, 200_000_000);
    assert_eq!(sums.supervisor_share_us, 200_000_000);
    assert_eq!(sums.duration_us, 400_000_000, "nothing counts after the end");
}

#[test]
fn a_whisper_is_never_talk() {
    let alone = Holding { whisper: true, consulting: true, ..Holding::default() };
    let sums = Times::start(Mono(0), alone).sums_at(Mono(9));
    assert_eq!((sums.talk_us, sums.whisper_us, sums.hold_us), (0, 9, 9));
}

#[test]
fn every_microsecond_is_queue_ring_talk_hold_or_other() {
    let flags = |n: u32| Holding {
        queued: n & 1 != 0,
        ringing: n & 2 != 0,
        agent_talks: n & 4 != 0,
        barge: n & 8 != 0,
        takeover: n & 16 != 0,
        held: n & 32 != 0,
        consulting: n & 64 != 0,
        ..Holding::default()
    };
    for n in 0..128 {
        // Queued and ringing end where talking begins; the call never says both.
        if n & 3 == 3 || (n & 3 != 0 && n >> 2 != 0) {
            continue;
        }
        let times = Times::start(Mono(0), flags(n));
        let s = times.sums_at(Mono(1));
        assert_eq!(s.queue_us + s.ring_us + s.talk_us + s.hold_us + s.other_us, 1, "{n:b}");
    }
}

#[test]
fn a_clock_that_goes_back_counts_nothing_twice() {
    let mut times = Times::start(Mono(1_000), Holding { ringing: true, ..Holding::default() });
    times.turn(Mono(500), Holding { agent_talks: true, ..Holding::default() });
    assert_eq!(times.sums_at(Mono(2_000)).duration_us, 1_000);
}
