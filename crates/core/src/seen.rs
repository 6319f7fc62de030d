//! What of a live call somebody may see. Who sees the wallboard sees all of it; an agent sees the
//! own call, and of its supervisors only those of whom policy or the supervisor has them told
//! (R160: a silent listener leaves no trace on the agent's screen).

use crate::access::{Actor, Right};
use crate::id::{PersonId, SeatId};
use crate::outcome::Outcome;
use crate::plan::PlanVersion;
use crate::policy::{Notice, Policy};
use crate::view::{AgentView, CallState, CallView, Mode, Role, SupervisionView, TimingView};
use std::collections::BTreeSet;

/// The call as this person may see it, and whom of it they may not; None: nothing of it.
pub fn call(view: &CallView, who: &Actor, policy: &Policy) -> Option<(CallView, BTreeSet<SeatId>)> {
    if who.may(Right::SeeWallboard) {
        return Some((view.clone(), BTreeSet::new()));
    }
    is_agent_of(view, who).then(|| as_agent(view, who, policy))
}

/// The call as an answer shows it to who may do something to it, though perhaps see nothing else.
pub fn answer(view: &CallView, who: &Actor, policy: &Policy) -> (CallView, BTreeSet<SeatId>) {
    match who.may(Right::SeeWallboard) {
        true => (view.clone(), BTreeSet::new()),
        false => as_agent(view, who, policy),
    }
}

/// On the call, or being rung for it.
fn is_agent_of(view: &CallView, who: &Actor) -> bool {
    let rings = view.state == CallState::Ringing;
    view.parties.iter().any(|party| {
        let own = party.role == Role::Agent && party.person.as_ref() == Some(&who.person);
        own && (party.connected || rings)
    })
}

/// Whether this person could come when help is asked for.
pub fn supervises(who: &Actor) -> bool {
    let modes = [Mode::Listen, Mode::Whisper, Mode::Barge, Mode::Takeover];
    modes.into_iter().any(|mode| who.may(Right::for_mode(mode)))
}

/// Whether this person may see that state of somebody.
pub fn agent(view: &AgentView, who: &Actor) -> bool {
    who.may(Right::SeeWallboard) || view.person == who.person
}

/// Who said it last is told to who sees the wallboard: it may be somebody of whom the agent is not
/// told.
pub fn outcome_of(outcome: &Outcome, who: &Actor) -> Outcome {
    let mut seen = outcome.clone();
    let own = |by: &(PersonId, String)| by.0 == who.person;
    if !(who.may(Right::SeeWallboard) || seen.by.as_ref().is_some_and(own)) {
        seen.by = None;
    }
    seen
}

fn as_agent(view: &CallView, who: &Actor, policy: &Policy) -> (CallView, BTreeSet<SeatId>) {
    let mut seen = view.clone();
    seen.supervisions.retain(|supervision| is_told(supervision, policy));
    seen.supervisions.iter_mut().for_each(|one| as_told(one, policy));
    let shown: BTreeSet<_> = seen.supervisions.iter().filter_map(|s| s.seat).collect();
    let (parties, hidden): (Vec<_>, Vec<_>) = std::mem::take(&mut seen.parties)
        .into_iter()
        .partition(|party| party.role != Role::Supervisor || shown.contains(&party.seat));
    seen.parties = parties;
    if let Some(outcome) = &mut seen.outcome {
        *outcome = outcome_of(outcome, who);
    }
    // All four would tell of those who are not shown.
    seen.timeline.clear();
    seen.heard.clear();
    seen.plan = PlanVersion::default();
    let TimingView { duration_ms, queue_ms, ring_ms, talk_ms, hold_ms, other_ms, .. } = view.timing;
    seen.timing = TimingView {
        duration_ms,
        queue_ms,
        ring_ms,
        talk_ms,
        hold_ms,
        other_ms,
        ..TimingView::default()
    };
    (seen, hidden.into_iter().map(|party| party.seat).collect())
}

/// A tone alone is heard, and the screen says what it was.
fn is_told(supervision: &SupervisionView, policy: &Policy) -> bool {
    let notice = policy.notice(supervision.mode);
    supervision.alert || notice != Notice::None
}

/// From when on the agent was told; what was before, and why the supervisor came, is not theirs.
/// Its version would count changes that they are not told of: theirs counts what they see.
fn as_told(supervision: &mut SupervisionView, policy: &Policy) {
    supervision.reason.clear();
    supervision.fell_because = None;
    supervision.last_raise = None;
    if !supervision.alert {
        supervision.spans.retain(|span| policy.notice(span.mode) != Notice::None);
        if let Some(first) = supervision.spans.first() {
            supervision.started_at = first.from;
        }
    }
    supervision.version = supervision.spans.len() as u64;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CallId, PersonId, SupervisionId};
    use crate::time::Wall;
    use crate::view::*;

    fn person(id: &str) -> PersonId {
        PersonId::parse(id).unwrap()
    }

    fn actor(id: &str, rights: &[Right]) -> Actor {
        Actor {
            person: person(id),
            name: id.into(),
            key: None,
            session: None,
            channel: Channel::Web,
            origin: "test".into(),
            rights: rights.iter().copied().collect(),
        }
    }

    fn party(seat: u32, role: Role, id: Option<&str>) -> PartyView {
        PartyView {
            seat: SeatId(seat),
            role,
            person: id.map(person),
            name: String::new(),
            number: String::new(),
            net: Net::Internal,
            held: false,
            muted: false,
            connected: true,
            listening_only: false,
            quiet: false,
            unattended: false,
        }
    }

    fn watched(seat: u32, mode: Mode, alert: bool) -> SupervisionView {
        SupervisionView {
            id: SupervisionId::parse(&format!("s{seat}")).unwrap(),
            call: CallId::parse("c").unwrap(),
            state: SupervisionState::Live,
            version: 1,
            supervisor: person("sue"),
            supervisor_name: "Sue".into(),
            seat: Some(SeatId(seat)),
            leg: LegKind::Phone,
            mode,
            targets: Vec::new(),
            muted: false,
            alert,
            follow: Follow::Call,
            extent: Extent::ThisCall,
            reason: String::new(),
            started_at: Wall(0),
            ended_at: None,
            spans: Vec::new(),
            end_reason: None,
            policy: Vec::new(),
            guard_ms: 0,
            fell_because: None,
            last_raise: None,
        }
    }

    fn view(supervisions: Vec<SupervisionView>) -> CallView {
        let mut parties = vec![party(1, Role::Customer, None), party(2, Role::Agent, Some("ana"))];
        parties.extend(
            supervisions
                .iter()
                .filter_map(|s| s.seat)
                .map(|seat| party(seat.0, Role::Supervisor, Some("sue"))),
        );
        CallView {
            id: CallId::parse("c").unwrap(),
            direction: Direction::Inbound,
            state: CallState::Talking,
            queue: None,
            campaign: None,
            started_at: Wall(0),
            answered_at: None,
            ended_at: None,
            end_reason: None,
            parties,
            supervisions,
            timing: TimingView { talk_ms: 9, listen_ms: 7, ..TimingView::default() },
            timeline: vec![TimelineEntry {
                at: Wall(1),
                what: "joined",
                who: "Sue".into(),
                detail: String::new(),
            }],
            heard: vec![HeardView { at: Wall(1), ears: Vec::new() }],
            plan: PlanVersion(1),
            help: None,
            outcome: None,
        }
    }

    #[test]
    fn who_sees_the_wallboard_sees_all_and_a_stranger_nothing() {
        let view = view(vec![watched(3, Mode::Listen, false)]);
        let policy = Policy::open();
        let (all, hidden) = call(&view, &actor("mia", &[Right::SeeWallboard]), &policy).unwrap();
        assert_eq!((all, hidden.len()), (view.clone(), 0));
        assert!(call(&view, &actor("bo", &[]), &policy).is_none());
    }

    #[test]
    fn a_silent_listener_leaves_no_trace_on_the_agents_screen() {
        let bare = view(Vec::new());
        let ana = actor("ana", &[]);
        let policy = Policy::open();
        let watched_one = view(vec![watched(3, Mode::Listen, false)]);
        let (seen, hidden) = call(&watched_one, &ana, &policy).unwrap();
        assert_eq!(hidden, BTreeSet::from([SeatId(3)]));
        let (without, _) = call(&bare, &ana, &policy).unwrap();
        assert_eq!(seen, without);
        assert_eq!((seen.timing.talk_ms, seen.timing.listen_ms), (9, 0));
    }

    #[test]
    fn who_heard_whom_is_not_the_agents_to_see() {
        let ear = |who| EarView { who, hears: vec![SeatId(1), SeatId(2)] };
        let stream = Hearer::Supervision(SupervisionId::parse("s9").unwrap());
        let mut listened = view(vec![watched(3, Mode::Listen, false)]);
        let ears = vec![ear(Hearer::Seat(SeatId(3))), ear(stream)];
        listened.heard = vec![HeardView { at: Wall(5), ears }];
        let policy = Policy::open();
        let (whole, _) = call(&listened, &actor("sue", &[Right::SeeWallboard]), &policy).unwrap();
        assert_eq!(whole.heard, listened.heard);
        let (seen, _) = call(&listened, &actor("ana", &[]), &policy).unwrap();
        assert_eq!(seen.heard, [], "it would tell of who listens");
        let (answered, _) = answer(&listened, &actor("ana", &[]), &policy);
        assert_eq!(answered.heard, []);
    }

    #[test]
    fn of_a_whisper_the_agent_sees_nothing_of_the_listening_before_it_nor_why() {
        let span =
            |mode, from, to: Option<i64>| SpanView { mode, from: Wall(from), to: to.map(Wall) };
        let mut one = watched(3, Mode::Whisper, false);
        one.reason = "complaints".into();
        one.spans = vec![span(Mode::Listen, 10, Some(60)), span(Mode::Whisper, 60, None)];
        one.started_at = Wall(10);
        one.version = 7;
        let policy = Policy::open();
        let (seen, _) = call(&view(vec![one.clone()]), &actor("ana", &[]), &policy).unwrap();
        let told = &seen.supervisions[0];
        assert_eq!((told.reason.as_str(), told.started_at), ("", Wall(60)));
        assert_eq!(told.spans, one.spans[1..]);
        assert_eq!(told.version, 1, "seven would tell that there was more");
        one.alert = true;
        let (seen, _) = call(&view(vec![one.clone()]), &actor("ana", &[]), &policy).unwrap();
        assert_eq!(seen.supervisions[0].spans, one.spans);
    }

    #[test]
    fn a_call_is_the_agents_while_it_rings_and_while_they_are_on_it() {
        let ana = actor("ana", &[]);
        let seen = |state, connected| {
            let mut view = view(Vec::new());
            (view.state, view.parties[1].connected) = (state, connected);
            call(&view, &ana, &Policy::open()).is_some()
        };
        assert!(seen(CallState::Ringing, false) && seen(CallState::Talking, true));
        assert!(!seen(CallState::Talking, false), "who was taken off it sees it no more");
    }

    #[test]
    fn of_whom_the_agent_is_told_the_agent_sees() {
        let ana = actor("ana", &[]);
        let policy = Policy::open();
        for (mode, alert, told) in [
            (Mode::Listen, false, policy.agent_notice[0] != Notice::None),
            (Mode::Listen, true, true),
            (Mode::Whisper, false, policy.agent_notice[1] != Notice::None),
            (Mode::Barge, false, policy.agent_notice[2] != Notice::None),
        ] {
            let (seen, hidden) = call(&view(vec![watched(3, mode, alert)]), &ana, &policy).unwrap();
            assert_eq!(seen.supervisions.len() == 1, told, "{mode:?} {alert}");
            assert_eq!(hidden.is_empty(), told, "{mode:?} {alert}");
        }
    }
}
