//! Every seat set of up to four legs, and of up to three with the legs' directions, against the
//! oracle and against `never`.
//!
//! Reductions, and why they lose nothing:
//! - Order and ids: sets that differ by a renaming of seats are tried once
//!   (`renaming_the_seats_renames_the_plan` in `hearing_moves.rs`).
//! - Two rooms: rooms are compared for sameness only. A leg that is away, a private supervisor
//!   and every union of held, muted and listening only are tried on pairs (`flags_combine`).
//! - One policy value a set, two in three with whispers shared: `flags_combine` tries both.
//!
//! All of it runs in `make test`: some 11 million sets, about 12 s on one core.

use crate::hearing_cast::{KINDS, STATES, in_room, part, put, seat};
use crate::hearing_oracle::{treated, word};
use undertone_core::hearing::{Before, HearingPolicy, hearing};
use undertone_core::id::{SeatId, TapId};
use undertone_core::plan::{HearingPlan, Listener, Opens, PlanVersion, Source};
use undertone_core::seat::{Early, Mark, Part, Room, Seat, Sounds, TapRow, TapSeat};
use undertone_core::view::Mode;

/// A class of seat without targets: kind, state and room.
fn classes(id: u32) -> Vec<Seat> {
    let mut all = Vec::new();
    for kind in KINDS {
        for state in STATES {
            for room in [0, 1] {
                all.push(in_room(put(seat(id, kind), state), room));
            }
        }
    }
    all
}

fn whispers(seat: &Seat) -> bool {
    matches!(&seat.part, Part::Supervisor(s) if s.mode == Mode::Whisper)
}

/// Calls `try_one` with every set of `legs` seats, ids 0 up.
fn each_set(legs: usize, try_one: &mut dyn FnMut(&[Seat])) {
    let classes: Vec<Vec<Seat>> = (0..legs as u32).map(classes).collect();
    let mut pick = vec![0usize; legs];
    loop {
        let mut seats: Vec<Seat> =
            pick.iter().enumerate().map(|(i, c)| classes[i][*c].clone()).collect();
        each_target(&mut seats, 0, try_one);
        // The next multiset: picks never fall.
        let Some(at) = (0..legs).rev().find(|i| pick[*i] + 1 < classes[0].len()) else { return };
        let next = pick[at] + 1;
        pick[at..].fill(next);
    }
}

fn each_target(seats: &mut Vec<Seat>, from: usize, try_one: &mut dyn FnMut(&[Seat])) {
    let Some(at) = (from..seats.len()).find(|i| whispers(&seats[*i])) else {
        return try_one(seats);
    };
    for mask in 0u32..1 << seats.len() {
        let named: Vec<u32> = (0..seats.len() as u32).filter(|t| mask & (1 << t) != 0).collect();
        if !named.contains(&(at as u32)) {
            seats[at].part = part("whisper", &named, false);
            each_target(seats, at + 1, try_one);
        }
    }
}

fn plan(seats: &[Seat], shared: bool) -> HearingPlan {
    let policy = HearingPolicy { supervisors_hear_each_other: shared };
    hearing(seats, &[], &Sounds::default(), &policy, &Before::default(), PlanVersion(1))
}

/// Bit `to * 4 + from` for each voice that the plan names. Ids are positions here.
fn voices(plan: &HearingPlan) -> u64 {
    let mut bits = 0;
    for edge in &plan.edges {
        if let (Source::Seat(from), Listener::Seat(to)) = (edge.source, edge.listener) {
            bits |= 1 << (to.0 * 4 + from.0);
        }
    }
    bits
}

/// The whole plan of a call at rest against the oracle.
fn check(seats: &[Seat], shared: bool) -> HearingPlan {
    let plan = plan(seats, shared);
    let ordered =
        plan.edges.windows(2).all(|w| (w[0].listener, w[0].source) < (w[1].listener, w[1].source));
    assert!(ordered, "not sorted, or a pair twice: {plan:#?}");
    let mut due = 0;
    for to in 0..seats.len() {
        let listener = Listener::Seat(seats[to].id);
        let bans = &plan.never[&listener];
        let row: Vec<_> = plan.edges.iter().filter(|e| e.listener == listener).collect();
        for from in 0..seats.len() {
            let source = Source::Seat(seats[from].id);
            let word = word(seats, to, from, shared);
            let edge = row.iter().find(|e| e.source == source);
            let said = (edge.is_some_and(|e| e.audio), edge.is_some_and(|e| e.events));
            assert_eq!(said, (word.voice, word.digits), "{to} of {from} in {seats:#?}");
            assert_eq!(bans.contains(&source), word.banned, "never {to} of {from} in {seats:#?}");
            due += usize::from(word.voice);
        }
        // A supervisor's voice always comes to a customer through the guard, and music lasts
        // until it opens where nobody else is heard.
        let someone =
            row.iter().any(|e| matches!(e.source, Source::Seat(_)) && e.opens == Opens::AtOnce);
        let held_back = seats[to].part == Part::Customer && !row.is_empty() && !someone;
        let music = row.iter().find(|e| e.source == Source::Music(0)).map(|e| e.until.is_some());
        let treated = treated(seats, to, shared).then_some(false);
        assert_eq!(music, treated.or(held_back.then_some(true)), "music for {to}: {seats:#?}");
        due += usize::from(music.is_some());
        assert!(row.iter().all(|e| !bans.contains(&e.source)), "heard and banned: {plan:#?}");
    }
    assert_eq!(plan.edges.len(), due, "an edge that nobody ordered: {plan:#?}");
    plan
}

#[test]
fn no_set_of_up_to_four_legs_is_heard_otherwise_than_the_oracle_says() {
    let mut tried = 0u64;
    for legs in 1..=4 {
        each_set(legs, &mut |seats| {
            tried += 1;
            check(seats, !tried.is_multiple_of(3));
        });
    }
    println!("seat sets of one to four legs: {tried} tried");
    assert!(tried > 6_000_000, "only {tried}: some are missing");
}

#[test]
fn directions_of_legs_only_take_edges_away() {
    let mut tried = 0u64;
    for legs in 1..=3usize {
        each_set(legs, &mut |seats| {
            let whole = voices(&plan(seats, true));
            let mut masked = seats.to_vec();
            for directions in 0u32..1 << (2 * legs) {
                let mut mask = 0;
                for (i, seat) in masked.iter_mut().enumerate() {
                    seat.sends = directions & (1 << (2 * i)) == 0;
                    seat.receives = directions & (2 << (2 * i)) == 0;
                }
                for (to, from) in (0..legs).flat_map(|to| (0..legs).map(move |from| (to, from))) {
                    let passes = masked[to].receives && masked[from].sends;
                    mask |= u64::from(passes) << (to * 4 + from);
                }
                assert_eq!(voices(&check(&masked, true)), whole & mask, "{masked:#?}");
                tried += 1;
            }
        });
    }
    println!("seat sets of one to three legs with directions: {tried} tried");
    assert!(tried > 4_000_000, "only {tried}: some are missing");
}

/// One seat with every union of flags, every kind, and every target among the two.
fn every_seat(id: u32) -> Vec<Seat> {
    let mut all = Vec::new();
    for kind in KINDS {
        for flags in 0u32..256 {
            let on = |bit: u32| flags & (1 << bit) != 0;
            let masks: &[&[u32]] =
                if kind == "whisper" { &[&[], &[0], &[1], &[0, 1]] } else { &[&[]] };
            if on(7) && kind != "whisper" {
                continue; // private bears on whispers alone
            }
            for targets in masks {
                let mut seat = seat(id, kind);
                seat.part = part(kind, targets, on(7));
                if on(0) {
                    seat.held_by.insert(Mark::Api);
                }
                if on(1) {
                    seat.muted_by.insert(Mark::Api);
                }
                if on(2) {
                    seat.listening_by.insert(Mark::Api);
                }
                seat.connected = !on(3);
                seat.sends = !on(4);
                seat.receives = !on(5);
                seat.room = Room(u16::from(on(6)));
                all.push(seat);
            }
        }
    }
    all
}

#[test]
fn flags_combine() {
    let (firsts, seconds) = (every_seat(0), every_seat(1));
    for first in firsts.iter().filter(|s| s.room == Room::MAIN) {
        for second in &seconds {
            let pair = [first.clone(), second.clone()];
            check(&pair, true);
            check(&pair, false);
        }
    }
}

/// Everybody may be early, and connected as well; a third looks on.
#[test]
fn before_the_answer_the_caller_hears_who_is_called_and_nobody_else_hears_anything() {
    let mut all = Vec::new();
    for kind in KINDS {
        for early in [None, Some(Early::Heard), Some(Early::Hears)] {
            for flags in 0u32..32 {
                let on = |bit: u32| flags & (1 << bit) != 0;
                let mut seat = seat(0, kind);
                (seat.connected, seat.early) = (on(0), early);
                (seat.sends, seat.receives) = (!on(1), !on(2));
                seat.room = Room(u16::from(on(3)));
                seat.muted_by.extend(on(4).then_some(Mark::Api));
                all.push(seat);
            }
        }
    }
    let as_seat = |id: u32, seat: &Seat| Seat { id: SeatId(id), ..seat.clone() };
    let thirds = [seat(2, "barge"), seat(2, "listen"), put(seat(2, "customer"), "waits")];
    let mut heard = 0;
    for first in all.iter().filter(|s| s.room == Room::MAIN) {
        for second in &all {
            for third in &thirds {
                let seats = [as_seat(0, first), as_seat(1, second), third.clone()];
                check(&seats, true);
                heard += usize::from(word(&seats, 0, 1, true).voice && !second.connected);
            }
        }
    }
    assert!(heard > 0, "no pair was early");
}

#[test]
fn a_track_holds_its_party_alone_and_no_coach() {
    let rows = [TapRow::Listen(Room::MAIN), TapRow::Track(SeatId(0)), TapRow::Whisper(SeatId(0))];
    for seat in every_seat(0) {
        for shared in [true, false] {
            let taps: Vec<TapSeat> =
                (0u32..).zip(rows).map(|(i, hears)| TapSeat { id: TapId(i), hears }).collect();
            let sounds =
                Sounds { music: 0, beeps: vec![(seat.id, 0)], prompts: vec![(seat.id, 0)] };
            let other = in_room(self::seat(7, "agent"), 5);
            let policy = HearingPolicy { supervisors_hear_each_other: shared };
            let seats = [seat.clone(), other];
            let plan = hearing(&seats, &taps, &sounds, &policy, &Before::default(), PlanVersion(1));
            let quiet = !seat.held_by.is_empty()
                || !seat.muted_by.is_empty()
                || !seat.listening_by.is_empty()
                || !seat.connected;
            let (mode, private) = match &seat.part {
                Part::Supervisor(s) => (Some(s.mode), s.private),
                _ => (None, false),
            };
            let aloud = !matches!(mode, Some(Mode::Listen | Mode::Whisper));
            let coach = mode == Some(Mode::Whisper);
            let live = seat.room == Room::MAIN && (aloud || coach && !private && shared);
            for (tap, due) in taps.iter().zip([live, aloud, coach]) {
                let to = Listener::Tap(tap.id);
                let heard: Vec<_> = plan.edges.iter().filter(|e| e.listener == to).collect();
                let sources: Vec<_> = heard.iter().map(|e| e.source).collect();
                let wanted =
                    if due && !quiet && seat.sends { vec![Source::Seat(seat.id)] } else { vec![] };
                assert_eq!(sources, wanted, "{tap:?} of {seat:?}");
                assert!(heard.iter().all(|e| !e.events && !plan.never[&to].contains(&e.source)));
                let may = matches!(tap.hears, TapRow::Listen(_))
                    && seat.room == Room::MAIN
                    && coach
                    && !private;
                let banned = quiet || !(due || may);
                assert_eq!(
                    plan.never[&to].contains(&Source::Seat(seat.id)),
                    banned,
                    "{tap:?} never {seat:?}"
                );
                assert!(plan.never[&to].contains(&Source::Tone(0)), "a beep in a track");
            }
        }
    }
}
