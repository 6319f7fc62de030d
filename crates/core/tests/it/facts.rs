//! Rights, numbers, the floor, and the audit's chain: the small tables beside the call.

use crate::call_world::{actor, directory, person};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use undertone_core::access::Right;
use undertone_core::audit::{AuditEntry, GENESIS, Outcome, Who, hash};
use undertone_core::floor::{Floor, FloorEffect, FloorInput};
use undertone_core::id::{CallId, OrgId};
use undertone_core::policy::Policy;
use undertone_core::time::{Mono, Now, Wall};
use undertone_core::view::{AgentState, Channel, Mode};

#[test]
fn nothing_is_allowed_that_was_not_granted() {
    let dir = directory();
    let nobody = actor("ana", &dir);
    assert!(Right::ALL.iter().all(|right| !nobody.may(*right)));
    let mut mia = actor("mia", &dir);
    assert!(Right::ALL.iter().all(|right| mia.may(*right)));
    mia.channel = Channel::Dtmf;
    mia.rights = BTreeSet::from([Right::Listen]);
    assert!(!mia.may(Right::Listen), "the keypad is a right of its own");
    mia.rights.insert(Right::Keypad);
    assert!(mia.may(Right::Listen) && !mia.may(Right::Whisper));
}

#[test]
fn every_right_has_a_name_of_its_own() {
    let codes: BTreeSet<_> = Right::ALL.iter().map(|right| right.code()).collect();
    assert_eq!(codes.len(), Right::ALL.len());
    assert!(Right::ALL.iter().all(|right| Right::parse(right.code()) == Some(*right)));
    assert_eq!(Right::parse("Listen"), None);
}

#[test]
fn the_open_preset_tells_the_agent_of_all_but_listening() {
    let policy = Policy::open();
    assert!(!policy.notice(Mode::Listen).has_tone());
    for mode in [Mode::Whisper, Mode::Barge, Mode::Takeover] {
        assert!(policy.notice(mode).has_tone());
    }
    assert!(policy.as_stored().iter().any(|(name, _)| *name == "on_agent_leaves"));
}

#[test]
fn the_floor_goes_from_call_to_wrap_up_to_available() {
    let dir = directory();
    let at = |ms: i64| Now { mono: Mono::from_ms(ms as u64), wall: Wall(ms) };
    let mut floor = Floor::new(at(0), &dir);
    let (ana, call) = (person("ana"), CallId::parse("c1").unwrap());
    let state = |floor: &Floor| floor.view_of(&person("ana"), &dir).unwrap();
    assert_eq!(state(&floor).state, AgentState::Available);
    floor.handle(at(5), FloorInput::Busy { person: ana.clone(), call: call.clone() }, &dir);
    assert_eq!((state(&floor).state, state(&floor).since), (AgentState::OnCall, Wall(5)));
    assert_eq!(state(&floor).call, Some(call.clone()));
    floor.handle(
        at(6),
        FloorInput::Away { person: ana.clone(), away: true, reason: Some("lunch".into()) },
        &dir,
    );
    assert_eq!(state(&floor).state, AgentState::OnCall);
    let free = FloorInput::Free { person: ana.clone(), call: call.clone() };
    let effects = floor.handle(at(9), free.clone(), &dir);
    let Some(FloorEffect::StartWrapUp { round, .. }) = effects.first().cloned() else {
        panic!("{effects:?}");
    };
    assert_eq!(state(&floor).state, AgentState::WrapUp);
    floor.handle(at(10), FloorInput::WrapUpOver { person: ana.clone(), round: round + 1 }, &dir);
    assert_eq!(state(&floor).state, AgentState::WrapUp, "another round's deadline");
    floor.handle(at(11), FloorInput::WrapUpOver { person: ana.clone(), round }, &dir);
    assert_eq!(state(&floor).state, AgentState::NotAvailable);
    floor.handle(at(12), FloorInput::Away { person: ana, away: false, reason: None }, &dir);
    assert_eq!(state(&floor).state, AgentState::Available);
    let effects = floor.handle(at(13), free, &dir);
    assert!(effects.iter().all(|e| !matches!(e, FloorEffect::StartWrapUp { .. })));
}

#[test]
fn what_comes_after_the_call_is_shown_under_it_and_wrapping_up_ends_when_one_says_so() {
    let dir = directory();
    let at = |ms: i64| Now { mono: Mono::from_ms(ms as u64), wall: Wall(ms) };
    let mut floor = Floor::new(at(0), &dir);
    let (ana, call) = (person("ana"), CallId::parse("c1").unwrap());
    let lunch = || Some("lunch".to_owned());
    let away = |away, reason| FloorInput::Away { person: person("ana"), away, reason };
    let shown = |floor: &Floor| {
        let view = floor.view_of(&person("ana"), &dir).unwrap();
        (view.state, view.reason, view.next_away)
    };
    let busy = FloorInput::Busy { person: ana.clone(), call: call.clone() };
    let free = FloorInput::Free { person: ana.clone(), call };
    floor.handle(at(1), busy.clone(), &dir);
    floor.handle(at(2), away(true, lunch()), &dir);
    assert_eq!(shown(&floor), (AgentState::OnCall, None, Some(lunch())));
    floor.handle(at(3), free.clone(), &dir);
    assert_eq!(shown(&floor), (AgentState::WrapUp, None, Some(lunch())), "after it, too");
    floor.handle(at(4), away(true, lunch()), &dir);
    assert_eq!(shown(&floor), (AgentState::NotAvailable, lunch(), None), "at once");
    floor.handle(at(5), busy, &dir);
    floor.handle(at(6), away(false, None), &dir);
    assert_eq!(shown(&floor), (AgentState::OnCall, None, None), "taken back");
    let effects = floor.handle(at(7), free, &dir);
    let Some(FloorEffect::StartWrapUp { round, .. }) = effects.first().cloned() else {
        panic!("{effects:?}");
    };
    assert_eq!(shown(&floor), (AgentState::WrapUp, None, None));
    floor.handle(at(8), away(false, None), &dir);
    assert_eq!(shown(&floor), (AgentState::Available, None, None), "ready before its time");
    let over = FloorInput::WrapUpOver { person: ana, round };
    floor.handle(at(9), over, &dir);
    assert_eq!(shown(&floor), (AgentState::Available, None, None));
}

#[test]
fn of_a_call_that_is_gone_everybody_is_free_whatever_else_they_are_on() {
    let dir = directory();
    let at = |ms: i64| Now { mono: Mono::from_ms(ms as u64), wall: Wall(ms) };
    let mut floor = Floor::new(at(0), &dir);
    let [first, second] = ["c1", "c2"].map(|id| CallId::parse(id).unwrap());
    for (who, call) in [("ana", &first), ("ana", &second), ("bo", &first)] {
        floor.handle(at(1), FloorInput::Busy { person: person(who), call: call.clone() }, &dir);
    }
    let effects = floor.handle(at(2), FloorInput::CallGone { call: first }, &dir);
    let wraps_up = |e: &&FloorEffect| matches!(e, FloorEffect::StartWrapUp { .. });
    assert_eq!(effects.iter().filter(wraps_up).count(), 1, "Bo alone: {effects:?}");
    assert_eq!(floor.calls_of(&person("ana")).collect::<Vec<_>>(), [&second]);
    assert_eq!(floor.calls_of(&person("bo")).count(), 0);
}

fn entry() -> impl Strategy<Value = AuditEntry> {
    let text = || prop::sample::select(vec!["", "a", "b", "a:1=b", "1:a=1:b\n", "x\ny", "æ"]);
    let details = prop::collection::btree_map(text(), text(), 0..3);
    (text(), text(), 0..3i64, prop::collection::vec(text(), 0..3), details).prop_map(
        |(origin, what, at, reasons, detail)| AuditEntry {
            org: OrgId::parse("org").unwrap(),
            at: Wall(at),
            who: Who { person: None, key: None, channel: None, origin: origin.into() },
            what: what.into(),
            call: None,
            supervision: None,
            outcome: match reasons.is_empty() {
                true => Outcome::Allowed,
                false => Outcome::Refused(reasons.iter().map(|r| r.to_string()).collect()),
            },
            detail: detail
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect::<BTreeMap<_, _>>(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_entries_have_the_same_bytes_only_if_they_are_the_same(a in entry(), b in entry()) {
        prop_assert_eq!(a == b, a.canonical() == b.canonical());
    }
}

#[test]
fn a_changed_or_moved_row_breaks_the_chain() {
    let first = hash(&GENESIS, b"one");
    let second = hash(&first, b"two");
    assert_eq!(second, hash(&hash(&GENESIS, b"one"), b"two"));
    assert_ne!(second, hash(&hash(&GENESIS, b"One"), b"two"));
    assert_ne!(hash(&GENESIS, b"two"), second);
    let hex: String = first.iter().map(|byte| format!("{byte:02x}")).collect();
    // (head -c 32 /dev/zero; printf one) | sha256sum
    assert_eq!(hex, "4e233ba6ac7032d3894ecea5974fd96176e564b024af45747eb46357af8d2401");
}
