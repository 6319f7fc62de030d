//! Random operation sequences on one call: the laws of call_laws.rs hold after every input, what
//! closes has closed in its own turn, and at the end nothing is left. Proptest prints the seed
//! and the shortest sequence that fails.

use crate::call_world::*;
use proptest::prelude::*;
use undertone_core::call::{
    Assist, AssistAct, Input, LegEnd, LegFailure, RequestId, RowId, TapEnd, TimerId,
};
use undertone_core::id::{DeviceId, MessageId, SeatId, TapId};
use undertone_core::plan::{EdgeRef, Listener, PlanVersion, Source};
use undertone_core::routing::Origin;
use undertone_core::view::*;

const WHO: [&str; 4] = ["mia", "noor", "olu", "pat"];
const MODES: [Mode; 4] = [Mode::Listen, Mode::Whisper, Mode::Barge, Mode::Takeover];
/// To whom is transferred and sent on.
const TO: [&str; 9] =
    ["bo", "rita", "ana", "mia", "nobody", "mobile", "ana-soft", "mia-soft", "noor"];
const EVERYBODY: [&str; 6] = ["ana", "bo", "mia", "noor", "olu", "pat"];
const KEYS: [char; 6] = ['*', '4', '5', '6', '7', '9'];
const AFTER: [AgentAfter; 4] =
    [AgentAfter::Removed, AgentAfter::Held, AgentAfter::Listening, AgentAfter::Stays];

#[derive(Clone, Debug)]
enum Op {
    Join {
        who: usize,
        mode: usize,
        after: usize,
        stream: bool,
        /// By a browser, from its page.
        page: bool,
        early: bool,
        dialled: bool,
    },
    Key {
        who: usize,
        key: usize,
    },
    Mode {
        who: usize,
        mode: usize,
        after: usize,
    },
    Mute {
        who: usize,
        muted: bool,
    },
    Targets {
        who: usize,
        caller: bool,
    },
    Leave {
        who: usize,
    },
    Agent {
        who: usize,
        action: usize,
    },
    Hold {
        who: usize,
    },
    Resume {
        who: usize,
    },
    Phone {
        seat: u32,
        holds: bool,
    },
    LegEnds {
        seat: u32,
        cause: usize,
    },
    HangUp {
        seat: u32,
    },
    /// By the phone at this seat, or by name; the phone may hang up at once.
    Transfer {
        seat: u32,
        by: Option<usize>,
        to: usize,
        goes: bool,
    },
    /// A called leg is busy.
    Busy {
        seat: u32,
    },
    /// A called phone names others.
    SendOn {
        seat: u32,
        by: usize,
        to: usize,
    },
    Revoke {
        who: usize,
    },
    /// No sound comes from there, or again.
    Sound {
        seat: u32,
        is_quiet: bool,
    },
    /// Their last page goes, or one is back.
    Page {
        who: usize,
        is_there: bool,
    },
    /// The sessions of one, or of two.
    SignOut {
        who: usize,
        also: usize,
    },
    /// A hand, a prompt, a reply: by anybody, about anything.
    Assist {
        who: usize,
        act: usize,
        about: usize,
    },
    /// Which of the world's habits change: commits, forces, proves, answers, passes, places.
    Habit {
        which: usize,
        on: bool,
    },
    /// An end of an effect that nobody started, or that is long over.
    Stray {
        kind: usize,
        number: u64,
    },
    Run {
        ms: u64,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let who = || 0..4usize;
    prop_oneof![
        6 => (who(), who(), who(), prop::bool::weighted(0.2), 0..10usize)
            .prop_map(|(who, mode, after, stream, how)| {
                let (early, dialled, page) = (how < 2, (2..5).contains(&how), how > 7);
                Op::Join { who, mode, after, stream, page, early, dialled }
            }),
        4 => (who(), 0..KEYS.len()).prop_map(|(who, key)| Op::Key { who, key }),
        8 => (who(), who(), who()).prop_map(|(who, mode, after)| Op::Mode { who, mode, after }),
        2 => (who(), any::<bool>()).prop_map(|(who, muted)| Op::Mute { who, muted }),
        1 => (who(), any::<bool>()).prop_map(|(who, caller)| Op::Targets { who, caller }),
        2 => who().prop_map(|who| Op::Leave { who }),
        4 => (who(), who()).prop_map(|(who, action)| Op::Agent { who, action }),
        2 => (0..6usize).prop_map(|who| Op::Hold { who }),
        2 => (0..6usize).prop_map(|who| Op::Resume { who }),
        2 => (1..8u32, any::<bool>()).prop_map(|(seat, holds)| Op::Phone { seat, holds }),
        1 => (2..8u32, 0..3usize).prop_map(|(seat, cause)| Op::LegEnds { seat, cause }),
        1 => (2..8u32).prop_map(|seat| Op::HangUp { seat }),
        3 => (1..10u32, prop::option::of(0..6usize), 0..TO.len(), any::<bool>()).prop_map(
            |(seat, by, to, goes)| Op::Transfer { seat, by, to, goes }
        ),
        2 => (3..12u32).prop_map(|seat| Op::Busy { seat }),
        4 => (1..12u32, 0..6usize, 0..TO.len()).prop_map(|(seat, by, to)| {
            Op::SendOn { seat, by, to }
        }),
        1 => who().prop_map(|who| Op::Revoke { who }),
        2 => (1..8u32, any::<bool>()).prop_map(|(seat, is_quiet)| Op::Sound { seat, is_quiet }),
        2 => (who(), any::<bool>()).prop_map(|(who, is_there)| Op::Page { who, is_there }),
        1 => (who(), who()).prop_map(|(who, also)| Op::SignOut { who, also }),
        3 => (0..6usize, 0..6usize, who()).prop_map(|(who, act, about)| {
            Op::Assist { who, act, about }
        }),
        2 => (0..6usize, prop::bool::weighted(0.7)).prop_map(|(which, on)| {
            Op::Habit { which, on }
        }),
        3 => (0..20usize, 0..12u64).prop_map(|(kind, number)| Op::Stray { kind, number }),
        12 => prop_oneof![1..20u64, 20..400u64, 400..25_000u64].prop_map(|ms| Op::Run { ms }),
    ]
}

/// The latest supervision of this person that is not over.
fn of(world: &World, who: usize) -> Option<SupervisionView> {
    let theirs = world.view().supervisions.into_iter().filter(|s| {
        s.supervisor == person(WHO[who])
            && matches!(s.state, SupervisionState::Connecting | SupervisionState::Live)
    });
    theirs.last()
}

fn number(view: &SupervisionView) -> u64 {
    view.id.as_str()[1..].parse().unwrap()
}

fn speaks_to_anybody(world: &World, seat: Option<SeatId>) -> bool {
    world.plan.edges.iter().any(|e| seat.is_some_and(|seat| e.source == Source::Seat(seat)))
}

fn is_named_at_all(world: &World, seat: Option<SeatId>) -> bool {
    let hears = |e: &undertone_core::plan::Edge| {
        seat.is_some_and(|seat| e.listener == Listener::Seat(seat))
    };
    speaks_to_anybody(world, seat) || world.plan.edges.iter().any(hears)
}

fn apply(world: &mut World, op: Op, joined: &mut u64) {
    match op {
        Op::Join { who, mode, after, stream, page, early, dialled } => {
            *joined += 1;
            let device = DeviceId::parse(&format!("{}-phone", WHO[who])).unwrap();
            let leg = match (stream, page) {
                (true, _) => LegKind::Stream,
                (false, true) => LegKind::Phone,
                (false, false) => LegKind::Sip { device },
            };
            world.early = early;
            world.dialled = dialled;
            world.join_with(*joined, WHO[who], MODES[mode], leg, &[], Some(AFTER[after]));
        }
        Op::Key { who, key } => {
            if let Some(seat) = of(world, who).and_then(|view| view.seat) {
                world.feed(Input::Digit { seat, digit: KEYS[key] });
            }
        }
        Op::Mode { who, mode, after } => {
            let Some(view) = of(world, who) else { return };
            let request = world.change(number(&view), WHO[who], |change| {
                change.mode = Some(MODES[mode]);
                change.agent_after = Some(AFTER[after]);
            });
            let refused = matches!(world.answer(request), Some(Err(_)));
            let down = MODES[mode] == Mode::Listen && view.mode != Mode::Takeover;
            if down && !refused && speaks_to_anybody(world, view.seat) {
                panic!("back in listen, still heard\n{}", world.log.join("\n"));
            }
        }
        Op::Mute { who, muted } => {
            let Some(view) = of(world, who) else { return };
            let request =
                world.change(number(&view), WHO[who], |change| change.muted = Some(muted));
            let refused = matches!(world.answer(request), Some(Err(_)));
            if muted && !refused && speaks_to_anybody(world, view.seat) {
                panic!("muted, still heard\n{}", world.log.join("\n"));
            }
        }
        Op::Targets { who, caller } => {
            let Some(view) = of(world, who) else { return };
            let target = if caller { CUSTOMER } else { AGENT };
            world.change(number(&view), WHO[who], |change| change.targets = Some(vec![target]));
        }
        Op::Leave { who } => {
            let Some(view) = of(world, who) else { return };
            world.leave(number(&view), WHO[who]);
            assert!(!is_named_at_all(world, view.seat), "left, still in the plan");
        }
        Op::Agent { who, action } => {
            let actions = [
                AgentAction::Hold,
                AgentAction::Resume,
                AgentAction::Remove,
                AgentAction::HandBack,
            ];
            let Some(view) = of(world, who) else { return };
            world.act(number(&view), WHO[who], actions[action]);
        }
        other => apply_to_the_call(world, other),
    }
}

fn apply_to_the_call(world: &mut World, op: Op) {
    match op {
        Op::Hold { who } => {
            let request = world.hold(EVERYBODY[who]);
            let refused = matches!(world.answer(request), Some(Err(_)));
            // After a transfer the customer may be another one than at the start.
            let view = world.view();
            let held = view.parties.iter().find(|p| p.role == Role::Customer && p.connected);
            let held = held.map_or(CUSTOMER, |party| party.seat);
            let voice = |e: &undertone_core::plan::Edge| {
                e.listener == Listener::Seat(held) && matches!(e.source, Source::Seat(_))
            };
            if !refused && world.plan.edges.iter().any(voice) {
                panic!("held, and hears a voice\n{}", world.log.join("\n"));
            }
        }
        Op::Resume { who } => {
            world.resume(EVERYBODY[who]);
        }
        Op::Phone { seat, holds } => {
            let (sends, receives) = (!holds, !holds);
            world.feed(Input::LegDirection { seat: SeatId(seat), sends, receives });
        }
        Op::LegEnds { seat, cause } => {
            let causes = [LegEnd::HungUp, LegEnd::Lost, LegEnd::MediaTimeout];
            world.leg_ends(SeatId(seat), causes[cause]);
        }
        Op::HangUp { seat } => {
            let (by, seat) = (actor("mia", &world.dir), Some(SeatId(seat)));
            let request = Some(world.request());
            world.feed(Input::HangUp { by, seat, request });
        }
        other => apply_to_the_world(world, other),
    }
}

fn apply_to_the_world(world: &mut World, op: Op) {
    match op {
        Op::Transfer { seat, by, to, goes } => {
            let (to, seat) = (TO[to], SeatId(seat));
            if let Some(by) = by {
                let party = (seat.0 < 4).then_some(seat);
                world.transfer(EVERYBODY[by], party, to);
                return;
            }
            let refer = world.refer(seat, to);
            if goes && world.told(refer).first() == Some(&Said::Accepted) {
                world.leg_ends(seat, LegEnd::HungUp);
            }
        }
        Op::Busy { seat } => {
            let seat = SeatId(seat);
            let party = world.view().parties.into_iter().find(|party| party.seat == seat);
            if party.is_some_and(|party| !party.connected) && world.legs.contains(&seat) {
                world.feed(Input::LegFailed { seat, why: LegFailure::Busy });
            }
        }
        Op::SendOn { seat, by, to } => {
            let seat = SeatId(seat);
            let party = world.view().parties.into_iter().find(|party| party.seat == seat);
            let rings = party.is_some_and(|party| !party.connected)
                && world.legs.contains(&seat)
                && world.called_at.contains_key(&seat);
            if rings {
                let other = TO[(to + by) % TO.len()];
                world.sends_on(seat, EVERYBODY[by], &[TO[to], other]);
            }
        }
        Op::Revoke { who } => {
            let person = person(WHO[who]);
            let rights = world.dir.people[&person].rights.clone();
            let view = of(world, who);
            world.dir.change(|facts| facts.people.get_mut(&person).unwrap().rights.clear());
            world.feed(Input::RightsLost { person: person.clone(), key: None });
            assert!(!is_named_at_all(world, view.and_then(|v| v.seat)), "revoked, in the plan");
            world.dir.change(|facts| facts.people.get_mut(&person).unwrap().rights = rights);
        }
        Op::SignOut { who, also } => sign_out(world, &[WHO[who], WHO[also]]),
        Op::Assist { who, act, about } => assist(world, EVERYBODY[who], act, about),
        Op::Habit { which, on } => {
            let habits = &mut world.habits;
            let all = [
                &mut habits.commits,
                &mut habits.forces,
                &mut habits.proves,
                &mut habits.answers,
                &mut habits.passes,
                &mut habits.places,
            ];
            *all.into_iter().nth(which).unwrap() = on;
        }
        Op::Sound { .. } | Op::Page { .. } => apply_absence(world, op),
        Op::Stray { kind, number } => world.feed(stray(kind, number)),
        Op::Run { ms } => world.run_ms(ms),
        _ => {}
    }
}

fn apply_absence(world: &mut World, op: Op) {
    match op {
        Op::Sound { seat, is_quiet } => {
            let seat = SeatId(seat);
            world.feed(match is_quiet {
                true => Input::LegQuiet { seat },
                false => Input::LegHeard { seat },
            });
            if is_quiet && speaks_to_anybody(world, Some(seat)) {
                panic!("no sound comes, and is heard\n{}", world.log.join("\n"));
            }
        }
        Op::Page { who, is_there } => {
            let person = person(WHO[who]);
            world.feed(match is_there {
                true => Input::ControlBack { person },
                false => Input::ControlLost { person, silent_ms: 0 },
            });
        }
        _ => {}
    }
}

fn sign_out(world: &mut World, names: &[&str]) {
    let theirs = |s: &SupervisionView| names.iter().any(|name| s.supervisor == person(name));
    let begun: Vec<_> = world.view().supervisions.into_iter().filter(theirs).collect();
    let sessions = names.iter().map(|name| session(name)).collect();
    world.feed(Input::SignedOut { sessions });
    for view in begun {
        assert!(!is_named_at_all(world, view.seat), "signed out, still in the plan");
    }
}

/// Help moves no edge, whoever asks for it and of whatever.
fn assist(world: &mut World, who: &str, act: usize, about: usize) {
    let edges = world.plan.edges.clone();
    let (request, by) = (world.request(), actor(who, &world.dir));
    let id = MessageId::parse(&format!("m{}", request.0)).unwrap();
    let supervision = of(world, about).map_or(sup(99), |view| view.id);
    let number = world.view().help.map_or(1, |help| help.number);
    let act = match act {
        0 => AssistAct::Raise { reason: None, told: 1 },
        1 => AssistAct::Reason { reason: Some(HelpReason::Policy) },
        2 => AssistAct::Withdraw,
        3 => AssistAct::Coming { number },
        4 => AssistAct::Prompt { supervision, id, text: "offer callback".into() },
        _ => AssistAct::Answer { supervision, id, word: ReplyWord::Done },
    };
    world.feed(Input::Assist(Box::new(Assist { request, by, act })));
    assert_eq!(world.plan.edges, edges, "help moved an edge\n{}", world.log.join("\n"));
    assert!(world.answer(request).is_some(), "what is asked in writing is answered at once");
}

fn stray(kind: usize, n: u64) -> Input {
    let (seat, tap, row) = (SeatId(n as u32), TapId(n as u32), RowId(n + 1_000_000));
    let (source, listener) = (Source::Seat(seat), Listener::Seat(CUSTOMER));
    let edge = EdgeRef { source, listener };
    match kind {
        0 => Input::LegRinging { seat },
        1 => Input::LegAnswered { seat: SeatId(n as u32 + 100) },
        2 => Input::LegFailed { seat: SeatId(n as u32 + 100), why: LegFailure::Busy },
        3 => Input::RowCommitted { row },
        4 => Input::RowFailed { row },
        5 => Input::PlanInForce { version: PlanVersion(n * 1_000) },
        6 => Input::GuardPassed { edge, version: PlanVersion(0) },
        7 => Input::AudioProven { seat: SeatId(n as u32 + 100), incoming: true },
        8 => Input::TapLive { tap: TapId(n as u32 + 100) },
        9 => Input::TapEnded { tap, why: TapEnd::ReaderTooSlow },
        10 => Input::Deadline { timer: TimerId(n + 1_000_000) },
        11 => Input::Placed { seat: SeatId(n as u32 + 100), found: Ok(World::outside()) },
        12 => Input::LegRedirected {
            seat: SeatId(n as u32 + 100),
            by: Origin::Device(DeviceId::parse("ana-phone").unwrap()),
            to: vec!["bo".into()],
            why: LegFailure::Other,
        },
        13 => Input::Digit { seat, digit: '5' },
        // More than the others: they bear on the call's first 20 ms only.
        _ => Input::LegEarly { seat: SeatId(1 + kind as u32 % 2), is_on: n > 4 },
    }
}

/// The whole of one sequence; `internal` has two agents and no customer.
fn run(ops: Vec<Op>, internal: bool) {
    let mut world = if internal { World::internal() } else { World::inbound() };
    let mut joined = 0;
    for op in ops {
        apply(&mut world, op, &mut joined);
    }
    world.run_ms(60_000);
    let view = world.view();
    if !world.call.is_over() {
        assert!(
            world.asked.iter().all(|request| world.replies.contains_key(request)),
            "a minute later somebody still waits\n{}",
            world.log.join("\n")
        );
    }
    world.feed(Input::ShutDown);
    world.run_ms(120_000);
    let timing = world.view().timing;
    let named = timing.queue_ms + timing.ring_ms + timing.talk_ms + timing.hold_ms;
    assert_eq!(timing.duration_ms, named + timing.other_ms, "the duration identity");
    let _ = RequestId(0);
    assert!(view.supervisions.len() as u64 <= joined);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("UT_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_500),
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn laws_hold_on_random_sequences(ops in prop::collection::vec(op(), 1..60)) {
        run(ops, false);
    }

    #[test]
    fn laws_hold_between_two_agents(ops in prop::collection::vec(op(), 1..40)) {
        run(ops, true);
    }

    /// Invariant 2, in the plan: who only listens and whispers moves no edge of the others.
    #[test]
    fn listeners_and_whisperers_move_no_edge_of_the_others(
        ops in prop::collection::vec(op(), 1..60)
    ) {
        let mut world = World::talking();
        let ours = |world: &World| -> Vec<_> {
            let seat = |s: Source| matches!(s, Source::Seat(s) if s == AGENT || s == CUSTOMER);
            let to = |l| l == Listener::Seat(AGENT) || l == Listener::Seat(CUSTOMER);
            let edges = world.plan.edges.iter().filter(|e| seat(e.source) && to(e.listener));
            edges.copied().collect()
        };
        let before = ours(&world);
        let mut joined = 0;
        for op in ops {
            let op = match op {
                Op::Join { who, mode, after, stream, page, early, dialled } => {
                    Op::Join { who, mode: mode % 2, after, stream, page, early, dialled }
                }
                // A star, listen, whisper.
                Op::Key { who, key } => Op::Key { who, key: key % 3 },
                Op::Mode { who, mode, after } => Op::Mode { who, mode: mode % 2, after },
                Op::LegEnds { seat, cause } => Op::LegEnds { seat: seat + 1, cause },
                Op::HangUp { seat } => Op::HangUp { seat: seat + 1 },
                Op::Phone { seat, holds } => Op::Phone { seat: seat + 2, holds },
                Op::Sound { seat, is_quiet } => Op::Sound { seat: seat + 2, is_quiet },
                Op::Hold { .. } | Op::Resume { .. } | Op::Transfer { .. } => continue,
                op => op,
            };
            apply(&mut world, op, &mut joined);
            prop_assert_eq!(&ours(&world), &before);
            prop_assert!(!world.hears_music(CUSTOMER));
        }
    }
}
