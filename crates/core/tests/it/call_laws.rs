//! What must hold after every input, whatever it was: judged from effects and views alone, by a
//! shadow of the call that shares no code with it.

use crate::call_world::{AGENT, CUSTOMER, Said, World};
use std::collections::BTreeSet;
use undertone_core::audit::AuditEntry;
use undertone_core::id::{SeatId, SupervisionId};
use undertone_core::plan::{Edge, Listener, Opens, Source};
use undertone_core::view::{CallState, Hearer, Mode, Role, SupervisionState, SupervisionView};

pub(crate) fn hold(world: &World) {
    plan_obeys_its_second_opinion(world);
    before_the_answer_sound_goes_to_the_caller_alone(world);
    nobody_hears_or_is_heard_without_a_committed_row(world);
    modes_are_heard_as_their_names_say(world);
    answers_are_given_once(world);
    refers_are_told_their_end_once(world);
    spans_touch(world);
    customer_hears_someone_or_treatment(world);
    nobody_waits_for_nothing(world);
    one_takeover_at_most(world);
    who_talks_as_an_agent_is_busy(world);
    what_counts_is_somebodys(world);
    what_is_written_of_hearing_is_what_the_plan_lets_through(world);
    if world.call.is_over() {
        nothing_is_left(world);
    }
}

fn fail(world: &World, what: &str) -> ! {
    panic!("{what}\nplan {:#?}\n{}", world.plan, world.log.join("\n"))
}

fn plan_obeys_its_second_opinion(world: &World) {
    let never = &world.plan.never;
    let hit = |e: &&Edge| never.get(&e.listener).is_some_and(|never| never.contains(&e.source));
    if let Some(edge) = world.plan.edges.iter().find(hit) {
        fail(world, &format!("never: {edge:?}"));
    }
}

/// Voices that are open at once are in the account, guarded ones may be, and nothing else is.
fn what_is_written_of_hearing_is_what_the_plan_lets_through(world: &World) {
    let view = world.view();
    let last = view.heard.last().map(|now| now.ears.clone()).unwrap_or_default();
    let written = |to: SeatId, from: SeatId| {
        let own = last.iter().find(|ear| ear.who == Hearer::Seat(to));
        own.is_some_and(|ear| ear.hears.contains(&from))
    };
    let mut named = BTreeSet::new();
    for edge in world.plan.edges.iter().filter(|edge| edge.audio) {
        let (Source::Seat(from), Listener::Seat(to)) = (edge.source, edge.listener) else {
            continue;
        };
        named.insert((to, from));
        if edge.opens == Opens::AtOnce && !written(to, from) {
            fail(world, &format!("heard, and not written: {edge:?}"));
        }
    }
    for ear in &last {
        let Hearer::Seat(to) = ear.who else { continue };
        if ear.hears.iter().any(|from| !named.contains(&(to, *from))) {
            fail(world, &format!("written, and not heard: {ear:?}"));
        }
    }
    if view.heard.windows(2).any(|two| two[0].ears == two[1].ears || two[0].at > two[1].at) {
        fail(world, "an account that says the same twice, or goes back");
    }
}

/// A voice of a leg, or to one, that is not up.
fn before_the_answer_sound_goes_to_the_caller_alone(world: &World) {
    for edge in &world.plan.edges {
        let (Source::Seat(from), Listener::Seat(to)) = (edge.source, edge.listener) else {
            continue;
        };
        if connected(world, from) && connected(world, to) {
            continue;
        }
        let ringing = world.view().state == CallState::Ringing;
        if !ringing || (to, from) != (CUSTOMER, AGENT) || edge.events {
            fail(world, &format!("before the answer: {edge:?}"));
        }
    }
}

/// A committed and allowed row about this supervision that names one of these modes.
fn committed(world: &World, id: &SupervisionId, what: &[&str], modes: &[&str]) -> bool {
    let fits = |entry: &&AuditEntry| {
        let named = ["mode", "to"].iter().filter_map(|name| entry.detail.get(*name));
        let fits = modes.is_empty() || named.into_iter().any(|m| modes.contains(&m.as_str()));
        entry.supervision.as_ref() == Some(id) && what.contains(&entry.what.as_str()) && fits
    };
    let rows = world.rows.iter().filter(|(row, _)| world.committed.contains(row));
    rows.map(|(_, entry)| entry).any(|entry| fits(&entry))
}

fn nobody_hears_or_is_heard_without_a_committed_row(world: &World) {
    for supervision in supervisions(world) {
        let Some(seat) = supervision.seat else { continue };
        let touches = |e: &&Edge| {
            e.source == Source::Seat(seat)
                || (e.listener == Listener::Seat(seat) && matches!(e.source, Source::Seat(_)))
        };
        let joined = committed(world, &supervision.id, &["supervision.join"], &[]);
        if !joined && world.plan.edges.iter().any(|edge| touches(&edge)) {
            fail(world, "supervised audio without a committed row");
        }
        let spoken = world.plan.edges.iter().find(|e| e.source == Source::Seat(seat));
        let raises = ["supervision.change", "supervision.hand_back"];
        let modes = ["whisper", "barge", "takeover"];
        if spoken.is_some() && !committed(world, &supervision.id, &raises, &modes) {
            fail(world, "a supervisor is heard without a committed raise");
        }
        let customers = customers(world);
        let to_customer = |e: &&Edge| {
            let Listener::Seat(listener) = e.listener else { return false };
            e.source == Source::Seat(seat) && customers.contains(&listener)
        };
        let loud = ["barge", "takeover"];
        let open = world.plan.edges.iter().any(|edge| to_customer(&edge));
        if open && !committed(world, &supervision.id, &raises, &loud) {
            fail(world, "the customer hears a supervisor without a committed raise");
        }
    }
}

fn modes_are_heard_as_their_names_say(world: &World) {
    let customers = customers(world);
    for supervision in supervisions(world) {
        let Some(seat) = supervision.seat else { continue };
        let gone =
            !matches!(supervision.state, SupervisionState::Connecting | SupervisionState::Live);
        for edge in world.plan.edges.iter().filter(|e| e.source == Source::Seat(seat)) {
            let Listener::Seat(listener) = edge.listener else { continue };
            let to_customer = customers.contains(&listener);
            let wrong = match supervision.mode {
                _ if gone || supervision.muted => true,
                Mode::Listen => true,
                Mode::Whisper => to_customer,
                Mode::Barge | Mode::Takeover => false,
            };
            if wrong {
                fail(world, &format!("{:?} in {:?} is heard: {edge:?}", seat, supervision.mode));
            }
        }
    }
}

fn answers_are_given_once(world: &World) {
    for (request, answers) in &world.replies {
        if answers.len() != 1 || !world.asked.contains(request) {
            fail(world, &format!("{request:?} was answered {} times", answers.len()));
        }
    }
}

/// 202 or a refusal, then news, then one last word.
fn refers_are_told_their_end_once(world: &World) {
    for (refer, (_, said)) in &world.refers {
        let fits = match said.split_first() {
            // Not before it is known where it leads.
            None => world.call.is_over() || world.places_now(),
            Some((Said::Refused(_), rest)) => rest.is_empty(),
            Some((Said::Accepted, rest)) => {
                let last = |said: &Said| matches!(said, Said::Notified(_, true));
                let first = rest.iter().position(last);
                let over = world.call.is_over();
                first.is_none_or(|at| at + 1 == rest.len()) && (!over || first.is_some())
            }
            Some(_) => false,
        };
        if !fits {
            fail(world, &format!("{refer:?} was told {said:?}"));
        }
    }
}

fn spans_touch(world: &World) {
    for supervision in supervisions(world) {
        let over = matches!(supervision.state, SupervisionState::Ended | SupervisionState::Failed);
        let spans = &supervision.spans;
        for pair in spans.windows(2) {
            if pair[0].to != Some(pair[1].from) || pair[0].mode == pair[1].mode {
                fail(world, &format!("spans: {spans:?}"));
            }
        }
        let open_end = spans.last().is_some_and(|span| span.to.is_none());
        if !spans.is_empty() && open_end == over {
            fail(world, &format!("the last span: {supervision:?}"));
        }
        let last = spans.last().map(|span| span.mode);
        if last.is_some_and(|mode| mode != supervision.mode) {
            fail(world, &format!("the last span is not the mode: {supervision:?}"));
        }
    }
}

/// Edges that are named count: one whose guard runs has another beside it until it opens.
fn customer_hears_someone_or_treatment(world: &World) {
    let view = world.call.view(world.now());
    for party in view.parties.iter().filter(|p| p.role == Role::Customer && p.connected) {
        let to = Listener::Seat(party.seat);
        let sound = |e: &&Edge| e.listener == to && !matches!(e.source, Source::Tone(_));
        if !world.plan.edges.iter().any(|edge| sound(&edge)) {
            fail(world, "the customer hears nobody and no treatment");
        }
    }
}

/// A customer who is on the line is with somebody, or somebody is on the way, or a deadline runs:
/// treatment alone, with nothing that ends it, is a forgotten caller.
fn nobody_waits_for_nothing(world: &World) {
    let view = world.view();
    let waits = view.parties.iter().any(|p| p.role == Role::Customer && p.connected);
    if view.state != CallState::Talking || !waits || !world.timers.is_empty() {
        return;
    }
    let agent = view.parties.iter().any(|p| p.role == Role::Agent && p.connected);
    let two = view.parties.iter().filter(|p| p.role == Role::Customer).count() > 1;
    let speaks = |s: &SupervisionView| {
        s.state == SupervisionState::Live && matches!(s.mode, Mode::Barge | Mode::Takeover)
    };
    if !(agent || two || world.places_now() || view.supervisions.iter().any(speaks)) {
        fail(world, "the customer waits for nobody");
    }
}

fn one_takeover_at_most(world: &World) {
    let owns = |s: &&SupervisionView| {
        s.state == SupervisionState::Live && s.mode == Mode::Takeover && s.spans.len() > 1
    };
    let owners: BTreeSet<_> = supervisions(world)
        .iter()
        .filter(|s| owns(s) && s.seat.is_some_and(|seat| connected(world, seat)))
        .map(|s| s.id.clone())
        .collect();
    if owners.len() > 1 {
        fail(world, "two takeovers");
    }
}

fn connected(world: &World, seat: SeatId) -> bool {
    world.view().parties.iter().any(|party| party.seat == seat && party.connected)
}

/// As the floor is told: nobody who talks is free, and nobody who has left is busy.
fn who_talks_as_an_agent_is_busy(world: &World) {
    let view = world.call.view(world.now());
    let agents = view.parties.iter().filter(|p| p.role == Role::Agent && p.connected);
    let talking: BTreeSet<_> = agents.filter_map(|p| p.person.clone()).collect();
    if let Some(person) = talking.iter().find(|person| !world.busy.contains(person)) {
        fail(world, &format!("{person} talks, and the floor believes them free"));
    }
    if view.state == CallState::Talking && world.busy != talking {
        fail(world, &format!("busy are {:?}, and {talking:?} talk", world.busy));
    }
}

/// What the exchange counts for a seat is given back when the seat is let go.
fn what_counts_is_somebodys(world: &World) {
    let view = world.call.view(world.now());
    let here = |seat: &SeatId| view.parties.iter().any(|party| party.seat == *seat);
    let counted = || world.counted.iter();
    if let Some(seat) = counted().find(|seat| !world.places_now() && !here(seat)) {
        fail(world, &format!("something counts for {seat:?}, where nobody is"));
    }
}

fn nothing_is_left(world: &World) {
    let waiting = world.asked.iter().find(|request| !world.replies.contains_key(request));
    if let Some(request) = waiting {
        fail(world, &format!("{request:?} was never answered"));
    }
    if !(world.legs.is_empty() && world.taps.is_empty() && world.timers.is_empty()) {
        let (legs, taps, timers) = (&world.legs, &world.taps, &world.timers);
        fail(world, &format!("left: legs {legs:?} taps {taps:?} timers {timers:?}"));
    }
    if !world.counted.is_empty() && !world.places_now() {
        fail(world, &format!("still counted: {:?}", world.counted));
    }
    if !world.plan.edges.is_empty() || world.record.is_none() {
        fail(world, "an ended call has edges, or no record");
    }
}

fn supervisions(world: &World) -> Vec<SupervisionView> {
    world.view().supervisions
}

fn customers(world: &World) -> BTreeSet<SeatId> {
    let view = world.view();
    view.parties.iter().filter(|p| p.role == Role::Customer).map(|p| p.seat).collect()
}
