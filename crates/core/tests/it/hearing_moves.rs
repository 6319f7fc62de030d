//! Plans one after another: guards, `until`, and what a customer hears at every instant, on random
//! moves against a shadow of the call and a model of the bridge that obeys the plans.

use crate::hearing_cast::{in_room, part, put, seat, whisper};
use crate::hearing_oracle::word;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use undertone_core::hearing::{Before, HearingPolicy, hearing};
use undertone_core::id::SeatId;
use undertone_core::plan::{Edge, EdgeRef, HearingPlan, Listener, Opens, PlanVersion, Source};
use undertone_core::seat::{Mark, Part, Room, Seat, Sounds};
use undertone_core::view::{Mode, Role};

fn edge(from: u32, to: u32) -> EdgeRef {
    EdgeRef { source: Source::Seat(SeatId(from)), listener: Listener::Seat(SeatId(to)) }
}

/// The rules of the bridge (`plan.rs`): a guard starts when an edge appears, an edge closes in
/// the tick in which the one named by its `until` opens, or from the start if that is open.
#[derive(Default)]
struct Bridge {
    plan: HearingPlan,
    /// Edges in force; true once open.
    open: BTreeMap<EdgeRef, bool>,
}

impl Bridge {
    fn apply(&mut self, plan: &HearingPlan) {
        let was = std::mem::take(&mut self.open);
        for e in &plan.edges {
            let open = e.opens == Opens::AtOnce || was.get(&e.name()) == Some(&true);
            self.open.insert(e.name(), open);
        }
        self.plan = plan.clone();
    }
    fn audible(&self, e: &Edge) -> bool {
        self.open[&e.name()] && e.until.is_none_or(|u| self.open.get(&u) != Some(&true))
    }
    fn heard_by(&self, to: SeatId) -> BTreeSet<Source> {
        let row = self.plan.edges.iter().filter(|e| e.listener == Listener::Seat(to));
        row.filter(|e| self.audible(e)).map(|e| e.source).collect()
    }
}

/// The call, its bridge, and what the tests remember on their own.
struct Shadow {
    seats: Vec<Seat>,
    before: Before,
    version: u64,
    bridge: Bridge,
    ever_live: BTreeSet<SeatId>,
    /// Voices of the last plan, and whether each was marked.
    marked: BTreeMap<EdgeRef, bool>,
}

impl Shadow {
    fn new(mut seats: Vec<Seat>) -> Self {
        seats.sort_by_key(|s| s.id);
        let (before, bridge) = (Before::default(), Bridge::default());
        let (ever_live, marked) = (BTreeSet::new(), BTreeMap::new());
        let mut shadow = Self { seats, before, version: 0, bridge, ever_live, marked };
        shadow.step();
        shadow
    }

    fn at(&mut self, id: u32) -> &mut Seat {
        self.seats.iter_mut().find(|s| s.id == SeatId(id)).expect("a seat of the test")
    }

    fn seat(&self, id: SeatId) -> &Seat {
        self.seats.iter().find(|s| s.id == id).expect("a seat of the test")
    }

    fn heard_by(&self, to: u32) -> Vec<Source> {
        self.bridge.heard_by(SeatId(to)).into_iter().collect()
    }

    fn events(&self, from: u32, to: u32) -> bool {
        self.bridge.plan.edges.iter().any(|e| e.name() == edge(from, to) && e.events)
    }

    /// A new plan from the seats as they are, sent to the bridge.
    fn step(&mut self) {
        self.version += 1;
        let (sounds, policy) = (Sounds::default(), HearingPolicy::default());
        let version = PlanVersion(self.version);
        let plan = hearing(&self.seats, &[], &sounds, &policy, &self.before, version);
        let again = hearing(&self.seats, &[], &sounds, &policy, &self.before, version);
        assert_eq!(plan, again, "equal questions, equal answers");
        self.laws(&plan);
        self.before.follow(&self.seats, &plan);
        self.bridge.apply(&plan);
        self.someone_is_heard();
    }

    /// The bridge opens a guarded edge; the call learns of it only in `learn`.
    fn run_out(&mut self, guarded: EdgeRef) {
        self.bridge.open.insert(guarded, true);
        self.someone_is_heard();
        self.nobody_beside_a_successor();
    }

    fn learn(&mut self, guarded: EdgeRef) {
        assert!(self.before.guard_passed(guarded, PlanVersion(self.version)));
        assert!(!self.before.guard_passed(guarded, PlanVersion(self.version)), "passed twice");
        self.step();
    }

    fn pass(&mut self, from: u32, to: u32) {
        self.run_out(edge(from, to));
        self.learn(edge(from, to));
    }

    /// What holds of every plan.
    fn laws(&mut self, plan: &HearingPlan) {
        let ordered = plan.edges.windows(2);
        let ordered = ordered.map(|w| (w[0].listener, w[0].source) < (w[1].listener, w[1].source));
        assert!(ordered.into_iter().all(|o| o), "not sorted, or a pair twice");
        let mut marked = BTreeMap::new();
        for e in &plan.edges {
            assert!(!plan.never[&e.listener].contains(&e.source), "heard and banned: {e:?}");
            let Listener::Seat(to) = e.listener else { continue };
            let customer = self.seat(to).role() == Role::Customer;
            if let Some(until) = e.until {
                assert!(customer, "until, but not toward a customer");
                assert!(plan.edges.iter().any(|o| o.name() == until), "until names no edge");
                assert!(until.listener == e.listener, "until another listener's edge");
            }
            let Source::Seat(from) = e.source else {
                assert_eq!(e.opens, Opens::AtOnce);
                continue;
            };
            let from = self.seat(from);
            let was_live = self.ever_live.contains(&from.id) || from.role() == Role::Supervisor;
            let due = *self.marked.get(&e.name()).unwrap_or(&(customer && was_live));
            assert_eq!(e.opens == Opens::AfterGuard, due, "guard of {e:?}");
            marked.insert(e.name(), due);
        }
        self.voices(plan);
        self.ever_live.extend(self.seats.iter().filter(|s| s.connected).map(|s| s.id));
        self.marked = marked;
    }

    /// The oracle's voices, save those that have given way.
    fn voices(&self, plan: &HearingPlan) {
        for (to, listener) in self.seats.iter().enumerate() {
            for (from, source) in self.seats.iter().enumerate() {
                let name = edge(source.id.0, listener.id.0);
                let named = plan.edges.iter().any(|e| e.name() == name);
                let word = word(&self.seats, to, from, true);
                let replaced = source.gives_way_to.is_some() && listener.role() == Role::Customer;
                let fits = if replaced { !named || word.voice } else { named == word.voice };
                assert!(fits, "{source:?} to {listener:?}: named {named}");
                if let Some(e) = plan.edges.iter().find(|e| e.name() == name && e.events) {
                    let ends = [source.role(), listener.role()];
                    let one_end = ends.iter().filter(|r| **r == Role::Customer).count() == 1;
                    assert!(e.audio && one_end, "digits beside a customer and a party");
                    let other = if ends[0] == Role::Customer { listener } else { source };
                    let owner =
                        matches!(&other.part, Part::Supervisor(s) if s.mode == Mode::Takeover);
                    assert!(owner || other.role() == Role::Agent, "digits of a coach");
                }
            }
        }
    }

    /// Invariant 8, at this very instant in the bridge.
    fn someone_is_heard(&self) {
        for c in self.seats.iter().filter(|s| s.role() == Role::Customer) {
            if c.connected && c.receives {
                assert!(!self.bridge.heard_by(c.id).is_empty(), "{} hears nothing", c.id);
            }
        }
    }

    /// Who gives way is not heard by a customer who hears the successor.
    fn nobody_beside_a_successor(&self) {
        for c in self.seats.iter().filter(|s| s.role() == Role::Customer) {
            let heard = self.bridge.heard_by(c.id);
            for s in self.seats.iter().filter(|s| heard.contains(&Source::Seat(s.id))) {
                let mutual = |to: SeatId| self.seat(to).gives_way_to.is_some();
                let Some(to) = s.gives_way_to.filter(|to| !mutual(*to)) else { continue };
                assert!(!heard.contains(&Source::Seat(to)), "{} beside {to}", s.id);
            }
        }
    }
}

const CUSTOMER: u32 = 1;
const AGENT: u32 = 2;
const COACH: u32 = 3;

fn voice(of: u32) -> Source {
    Source::Seat(SeatId(of))
}

fn talking(coach: &str) -> Shadow {
    let mut coach_seat = seat(COACH, coach);
    coach_seat.part = part(coach, &[AGENT], false);
    Shadow::new(vec![seat(CUSTOMER, "customer"), seat(AGENT, "agent"), coach_seat])
}

fn set(shadow: &mut Shadow, kind: &str) {
    shadow.at(COACH).part = part(kind, &[AGENT], false);
}

#[test]
fn at_takeover_the_customer_changes_from_one_voice_to_the_other_in_one_tick() {
    for before in ["listen", "whisper"] {
        let mut call = talking(before);
        set(&mut call, "takeover");
        call.at(AGENT).gives_way_to = Some(SeatId(COACH));
        call.step();
        assert_eq!(call.heard_by(CUSTOMER), [voice(AGENT)]);
        assert!(call.events(AGENT, CUSTOMER) && call.events(CUSTOMER, AGENT));
        assert!(call.events(COACH, CUSTOMER) && !call.events(CUSTOMER, COACH));
        call.run_out(edge(COACH, CUSTOMER));
        assert_eq!(call.heard_by(CUSTOMER), [voice(COACH)]);
        call.learn(edge(COACH, CUSTOMER));
        assert_eq!(call.heard_by(CUSTOMER), [voice(COACH)]);
        assert!(call.events(COACH, CUSTOMER) && call.events(CUSTOMER, COACH));
        assert!(!call.events(AGENT, CUSTOMER) && !call.events(CUSTOMER, AGENT));
    }
}

#[test]
fn at_hand_back_the_supervisor_is_heard_until_the_agent_is() {
    let mut call = talking("takeover");
    call.at(AGENT).held_by.insert(Mark::Seat(SeatId(COACH)));
    call.step();
    call.pass(COACH, CUSTOMER);
    call.at(AGENT).held_by.clear();
    call.at(COACH).gives_way_to = Some(SeatId(AGENT));
    call.step();
    assert_eq!(call.heard_by(CUSTOMER), [voice(COACH)]);
    assert!(call.events(CUSTOMER, COACH) && !call.events(CUSTOMER, AGENT));
    call.run_out(edge(AGENT, CUSTOMER));
    assert_eq!(call.heard_by(CUSTOMER), [voice(AGENT)]);
    call.learn(edge(AGENT, CUSTOMER));
    assert!(call.events(CUSTOMER, AGENT) && !call.events(CUSTOMER, COACH));
    call.at(COACH).gives_way_to = None;
    set(&mut call, "listen");
    call.step();
    assert_eq!(call.heard_by(CUSTOMER), [voice(AGENT)]);
    assert!(call.bridge.plan.never[&Listener::Seat(SeatId(CUSTOMER))].contains(&voice(COACH)));
}

#[test]
fn going_back_in_the_guard_was_heard_by_nobody() {
    let mut call = talking("whisper");
    set(&mut call, "barge");
    call.step();
    assert_eq!(call.before.guards().collect::<Vec<_>>(), [edge(COACH, CUSTOMER)]);
    set(&mut call, "whisper");
    call.step();
    assert_eq!(call.heard_by(CUSTOMER), [voice(AGENT)]);
    // The report of that guard comes late, after a second try began a guard of its own.
    let late = PlanVersion(call.version - 1);
    assert!(!call.before.guard_passed(edge(COACH, CUSTOMER), late));
    set(&mut call, "barge");
    call.step();
    assert!(!call.before.guard_passed(edge(COACH, CUSTOMER), late));
    call.pass(COACH, CUSTOMER);
    assert_eq!(call.heard_by(CUSTOMER), [voice(AGENT), voice(COACH)]);
}

#[test]
fn a_first_answer_is_not_clipped_and_every_return_to_a_customer_is_guarded() {
    let mut call = talking("listen");
    assert!(call.before.guards().next().is_none());
    let away: [fn(&mut Seat); 5] = [
        |s| s.held_by = [Mark::Api].into(),
        |s| s.muted_by = [Mark::Api].into(),
        |s| s.room = Room(1),
        |s| s.listening_by = [Mark::Api].into(),
        |s| s.connected = false,
    ];
    for leave in away {
        let whole = call.at(AGENT).clone();
        leave(call.at(AGENT));
        call.step();
        assert_eq!(call.heard_by(CUSTOMER), [Source::Music(0)]);
        *call.at(AGENT) = whole;
        call.step();
        assert_eq!(call.heard_by(CUSTOMER), [Source::Music(0)], "music until the guard is out");
        call.run_out(edge(AGENT, CUSTOMER));
        assert_eq!(call.heard_by(CUSTOMER), [voice(AGENT)]);
        call.learn(edge(AGENT, CUSTOMER));
    }
}

#[test]
fn a_coach_still_reaches_an_agent_whose_customer_is_on_hold() {
    let mut call = talking("whisper");
    call.at(CUSTOMER).held_by.insert(Mark::Seat(SeatId(AGENT)));
    call.step();
    assert_eq!(call.heard_by(CUSTOMER), [Source::Music(0)]);
    assert_eq!(call.heard_by(AGENT), [voice(COACH)]);
    set(&mut call, "barge");
    call.step();
    assert_eq!(call.heard_by(AGENT), [voice(COACH)]);
    assert_eq!(call.heard_by(CUSTOMER), [Source::Music(0)]);
    assert!(call.at(CUSTOMER).forget_marks_of(SeatId(AGENT)));
    call.step();
    call.run_out(edge(COACH, CUSTOMER));
    assert!(call.heard_by(CUSTOMER).contains(&voice(COACH)));
}

#[test]
fn who_waits_for_a_consult_hears_treatment_while_nobody_is_heard() {
    let seats = vec![
        seat(CUSTOMER, "customer"),
        in_room(seat(AGENT, "agent"), 1),
        in_room(seat(4, "agent"), 1),
        seat(COACH, "listen"),
    ];
    let mut call = Shadow::new(seats);
    assert_eq!(call.heard_by(CUSTOMER), [Source::Music(0)]);
    assert_eq!(call.heard_by(AGENT), [voice(4)]);
    set(&mut call, "barge");
    call.step();
    call.pass(COACH, CUSTOMER);
    assert_eq!(call.heard_by(CUSTOMER), [voice(COACH)]);
    assert_eq!(call.heard_by(AGENT), [voice(4)]);
    call.at(4).room = Room::MAIN;
    call.step();
    assert!(call.before.guards().any(|g| g == edge(4, CUSTOMER)), "consult to conference");
    assert_eq!(call.heard_by(AGENT), [Source::Music(0)], "left alone in the consult's room");
}

#[test]
fn the_coaching_beep_is_heard_by_the_coached_agent_alone() {
    let seats = [
        seat(CUSTOMER, "customer"),
        seat(AGENT, "agent"),
        seat(4, "agent"),
        whisper(COACH, &[AGENT]),
        put(seat(5, "agent"), "held"),
    ];
    let beeps = [CUSTOMER, AGENT, COACH, 5].map(|s| (SeatId(s), s));
    let sounds = Sounds { music: 0, beeps: beeps.to_vec(), prompts: vec![] };
    let policy = HearingPolicy::default();
    let plan = hearing(&seats, &[], &sounds, &policy, &Before::default(), PlanVersion(1));
    let tones = plan.edges.iter().filter(|e| matches!(e.source, Source::Tone(_)));
    let tones: Vec<_> = tones.map(|e| (e.source, e.listener)).collect();
    assert_eq!(tones, [(Source::Tone(AGENT), Listener::Seat(SeatId(AGENT)))]);
    for (listener, bans) in &plan.never {
        for (_, tone) in &sounds.beeps {
            let own = tones.contains(&(Source::Tone(*tone), *listener));
            assert_ne!(bans.contains(&Source::Tone(*tone)), own, "{tone} at {listener:?}");
        }
    }
}

#[test]
fn an_announcement_stands_in_for_the_music_and_reaches_whom_it_is_for() {
    let held = put(seat(CUSTOMER, "customer"), "held");
    let seats = [held, seat(AGENT, "agent"), seat(COACH, "listen")];
    let prompts = vec![(SeatId(CUSTOMER), 7), (SeatId(AGENT), 7), (SeatId(AGENT), 7)];
    let sounds = Sounds { music: 3, beeps: vec![], prompts };
    let policy = HearingPolicy::default();
    let plan = hearing(&seats, &[], &sounds, &policy, &Before::default(), PlanVersion(1));
    let heard = |to: u32| {
        let row = plan.edges.iter().filter(move |e| e.listener == Listener::Seat(SeatId(to)));
        row.map(|e| e.source).collect::<Vec<_>>()
    };
    assert_eq!(heard(CUSTOMER), [Source::Prompt(7)]);
    assert_eq!(heard(AGENT), [Source::Prompt(7)]);
    assert!(plan.never[&Listener::Seat(SeatId(COACH))].contains(&Source::Prompt(7)));
}

/// One move: what, at which seat, and a free number.
fn moves() -> impl Strategy<Value = Vec<(u8, u32, u8)>> {
    prop::collection::vec((0u8..12, 1u32..=6, any::<u8>()), 1..60)
}

fn toggle(marks: &mut BTreeSet<Mark>, mark: Mark) {
    if !marks.remove(&mark) {
        marks.insert(mark);
    }
}

fn play(call: &mut Shadow, (what, at, how): (u8, u32, u8)) {
    let other = SeatId(1 + u32::from(how) % 6);
    let modes = ["listen", "whisper", "barge", "takeover"];
    let seat = call.at(at);
    match what {
        0 => toggle(&mut seat.held_by, Mark::Seat(other)),
        1 => toggle(&mut seat.muted_by, Mark::Api),
        2 => seat.room = Room(u16::from(how) % 2),
        3 => toggle(&mut seat.listening_by, Mark::Seat(other)),
        4 => seat.connected ^= true,
        5 => seat.receives ^= true,
        6 => seat.sends ^= true,
        7 | 8 if seat.role() == Role::Supervisor => {
            seat.part = part(modes[usize::from(how) % 4], &[u32::from(how / 4) % 7], how > 200);
        }
        7 | 8 => seat.gives_way_to = (how % 3 > 0 && other != seat.id).then_some(other),
        _ => {
            let guards: Vec<_> = call.before.guards().collect();
            if let Some(guard) = guards.get(usize::from(how) % guards.len().max(1)) {
                call.run_out(*guard);
                if how % 2 == 0 {
                    // Another plan is made before the report arrives.
                    call.step();
                }
                return call.learn(*guard);
            }
        }
    }
    call.step();
}

fn six() -> Vec<Seat> {
    let kinds = ["customer", "agent", "agent", "takeover", "whisper", "customer"];
    (1u32..).zip(kinds).map(|(id, kind)| put(seat(id, kind), "free")).collect()
}

/// The plan of a call at rest, after its seats were renamed by `new` and turned about.
fn same_plan_renamed(call: &Shadow, new: &dyn Fn(SeatId) -> SeatId) {
    let rename = |old: &Seat| {
        let mut seat = old.clone();
        seat.id = new(old.id);
        seat.gives_way_to = old.gives_way_to.map(new);
        if let Part::Supervisor(sup) = &mut seat.part {
            sup.targets = sup.targets.iter().map(|t| new(*t)).collect();
        }
        seat
    };
    let ask = |seats: &[Seat]| {
        let (sounds, policy) = (Sounds::default(), HearingPolicy::default());
        hearing(seats, &[], &sounds, &policy, &Before::default(), PlanVersion(1))
    };
    let renamed: Vec<Seat> = call.seats.iter().rev().map(rename).collect();
    let (old, renamed) = (ask(&call.seats), ask(&renamed));
    let source = |s: Source| match s {
        Source::Seat(id) => Source::Seat(new(id)),
        other => other,
    };
    let listener = |l: Listener| match l {
        Listener::Seat(id) => Listener::Seat(new(id)),
        tap => tap,
    };
    // Music ends with the lowest of several guarded voices: by name, so which is not compared.
    let rest = |e: &Edge| (e.events, e.opens == Opens::AfterGuard, e.until.is_some());
    let mapped = old.edges.iter().map(|e| (listener(e.listener), source(e.source), rest(e)));
    let mut mapped: Vec<_> = mapped.collect();
    mapped.sort();
    let found = renamed.edges.iter().map(|e| (e.listener, e.source, rest(e)));
    assert_eq!(mapped, found.collect::<Vec<_>>());
    for (who, bans) in old.never {
        let bans: BTreeSet<_> = bans.into_iter().map(source).collect();
        assert_eq!(renamed.never[&listener(who)], bans);
    }
}

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn random_moves_keep_the_laws_of_guard_and_until(moves in moves(), away in any::<bool>()) {
        let mut seats = six();
        seats[2].connected = !away;
        let mut call = Shadow::new(seats);
        for one in moves {
            play(&mut call, one);
        }
    }

    #[test]
    fn renaming_the_seats_renames_the_plan(
        moves in moves(),
        order in Just([1u32, 2, 3, 4, 5, 6]).prop_shuffle(),
    ) {
        let mut call = Shadow::new(six());
        for one in moves.into_iter().filter(|m| m.0 < 9) {
            play(&mut call, one);
        }
        let at = |id: SeatId| (id.0 as usize).wrapping_sub(1);
        same_plan_renamed(&call, &|id| SeatId(order.get(at(id)).copied().unwrap_or(id.0)));
    }
}
