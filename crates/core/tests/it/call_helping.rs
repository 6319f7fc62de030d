//! The raised hand, prompts and replies: who may, who is told, and what a silent listener does not
//! change.

use crate::call_world::*;
use undertone_core::audit::{AuditEntry, Outcome};
use undertone_core::call::{Assist, AssistAct, Effect, Input, LegEnd, Reply, RequestId, Writing};
use undertone_core::id::MessageId;
use undertone_core::refusal::Reason;
use undertone_core::view::*;

impl World {
    fn assist(&mut self, who: &str, act: AssistAct) -> RequestId {
        let (request, by) = (self.request(), actor(who, &self.dir));
        self.feed(Input::Assist(Box::new(Assist { request, by, act })));
        request
    }

    fn raise(&mut self, reason: Option<HelpReason>) -> RequestId {
        self.assist("ana", AssistAct::Raise { reason, told: 2 })
    }

    fn prompt(&mut self, who: &str, n: u64, text: &str) -> RequestId {
        let id = MessageId::parse("m1").unwrap();
        self.assist(who, AssistAct::Prompt { supervision: sup(n), id, text: text.into() })
    }

    fn reply_to(&mut self, who: &str, n: u64) -> RequestId {
        let (id, word) = (MessageId::parse("m2").unwrap(), ReplyWord::Done);
        self.assist(who, AssistAct::Answer { supervision: sup(n), id, word })
    }

    fn no(&self, request: RequestId) -> Reason {
        let told = &self.replies[&request];
        assert_eq!(told.len(), 1, "answered once");
        told[0].as_ref().unwrap_err().reasons[0]
    }

    fn rows(&self, what: &str) -> Vec<Outcome> {
        self.rows.values().filter(|r| r.what == what).map(|r| r.outcome.clone()).collect()
    }
}

#[test]
fn of_two_outcomes_told_in_any_order_the_later_said_counts() {
    let mut world = World::talking();
    let of = |version: u64| undertone_core::outcome::Outcome {
        csat: Some(version as u8),
        version,
        ..Default::default()
    };
    for version in [2, 1, 3] {
        world.feed(Input::OutcomeKept(Box::new(of(version))));
        let shown = world.view().outcome.map(|outcome| outcome.csat);
        assert_eq!(shown, Some(Some(if version == 1 { 2 } else { version as u8 })));
    }
    let told = world.view().timeline.iter().filter(|moment| moment.what == "outcome").count();
    assert_eq!(told, 2);
}

#[test]
fn a_raised_hand_is_seen_and_ends_when_a_supervisor_is_heard() {
    let mut world = World::talking();
    let asked = world.raise(None);
    assert!(matches!(world.replies[&asked][0], Ok(Reply::Call(_))));
    let help = world.view().help.expect("a raised hand");
    assert_eq!((help.number, help.person, help.reason), (1, person("ana"), None));
    assert_eq!(help.told, 2);
    world.assist("ana", AssistAct::Reason { reason: Some(HelpReason::AngryCustomer) });
    world.join(1, "mia", Mode::Whisper);
    let help = world.view().help.expect("still raised");
    assert_eq!(help.reason, Some(HelpReason::AngryCustomer));
    assert_eq!(help.coming, Some((person("mia"), "mia".into())), "she is connecting");
    world.run_ms(1_000);
    assert_eq!(world.supervision(1).mode, Mode::Whisper);
    assert_eq!(world.view().help, None);
    let what: Vec<_> = world.view().timeline.iter().map(|moment| moment.what).collect();
    assert!(what.contains(&"help_requested") && what.contains(&"help_came"), "{what:?}");
    assert_eq!(world.rows("help.ask"), [Outcome::Allowed]);
    // Who was there already is no answer to the next one.
    world.raise(None);
    let help = world.view().help.expect("another hand");
    assert_eq!((help.number, help.coming), (2, None));
}

#[test]
fn a_silent_listener_does_not_lower_the_hand_and_may_say_that_they_come() {
    let mut world = World::talking();
    world.raise(Some(HelpReason::Policy));
    world.join(1, "mia", Mode::Listen);
    world.run_ms(1_000);
    let help = world.view().help.expect("still raised");
    assert_eq!(help.coming, None, "the agent would know of her");
    let wrong = world.assist("mia", AssistAct::Coming { number: 7 });
    assert_eq!(world.no(wrong), Reason::NoSuchHelp);
    world.assist("mia", AssistAct::Coming { number: 1 });
    assert_eq!(world.view().help.unwrap().coming, Some((person("mia"), "mia".into())));
    world.switch(1, "mia", Mode::Whisper);
    world.run_ms(1_000);
    assert_eq!(world.view().help, None, "now she is heard");
}

#[test]
fn only_the_calls_own_agent_raises_and_lowers_a_hand() {
    let mut world = World::talking();
    for who in ["bo", "mia"] {
        let request = world.assist(who, AssistAct::Raise { reason: None, told: 0 });
        assert_eq!(world.no(request), Reason::NotAllowed);
    }
    let none = world.assist("ana", AssistAct::Withdraw);
    assert_eq!(world.no(none), Reason::NoSuchHelp);
    world.raise(None);
    let other = world.assist("bo", AssistAct::Withdraw);
    assert_eq!(world.no(other), Reason::NotAllowed);
    let agent = world.assist("bo", AssistAct::Coming { number: 1 });
    assert_eq!(world.no(agent), Reason::NotAllowed, "no supervisor comes");
    let again = world.raise(None);
    assert!(world.replies[&again][0].is_ok(), "a second press is no mistake");
    assert_eq!(world.view().help.unwrap().number, 1, "and no second hand");
    world.assist("ana", AssistAct::Withdraw);
    assert_eq!(world.view().help, None);
    assert_eq!(world.rows("help.ask").len(), 4, "refusals are written too");
}

#[test]
fn the_hand_goes_down_with_the_agent() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Barge);
    world.run_ms(1_000);
    world.raise(None);
    world.feed(Input::LegEnded { seat: AGENT, cause: LegEnd::HungUp });
    assert!(!world.call.is_over(), "she keeps the call");
    assert_eq!(world.view().help, None);
}

#[test]
fn a_prompt_goes_to_the_agent_by_the_right_to_whisper_and_is_written_whole() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    let early = world.prompt("mia", 1, "too early");
    assert_eq!(world.no(early), Reason::NotInMode);
    world.run_ms(1_000);
    let sent = world.prompt("mia", 1, "Verify the account first");
    assert!(matches!(world.replies[&sent][0], Ok(Reply::Done)));
    let Effect::Say(written) = world.outbox.last().expect("a prompt") else { panic!("no prompt") };
    assert_eq!((&written.to, &written.from), (&vec![person("ana")], &person("mia")));
    assert_eq!(written.what, Writing::Prompt("Verify the account first".into()));
    let text = |row: &AuditEntry| row.detail.get("text").cloned();
    let whole: Vec<_> = world.rows.values().filter_map(text).collect();
    assert_eq!(whole, ["Verify the account first"]);
    let (long, told) = ("x".repeat(201), world.outbox.len());
    for text in [long.as_str(), "", "  ", "two\nlines"] {
        let request = world.prompt("mia", 1, text);
        assert_eq!(world.no(request), Reason::BadRequest, "{text:?}");
    }
    let other = world.prompt("bo", 1, "not mine");
    assert_eq!(world.no(other), Reason::NotAllowed);
    assert_eq!(world.outbox.len(), told, "what is refused is told to nobody");
}

#[test]
fn an_agent_answers_whom_they_know_of_and_no_silent_listener() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.join(2, "noor", Mode::Whisper);
    world.run_ms(1_000);
    let unknown = world.reply_to("ana", 1);
    assert_eq!(world.no(unknown), Reason::NoSuchSupervision, "as of one that is not there");
    let none = world.reply_to("ana", 9);
    assert_eq!(world.no(none), Reason::NoSuchSupervision);
    let known = world.reply_to("ana", 2);
    assert!(world.replies[&known][0].is_ok());
    let Effect::Say(written) = world.outbox.last().expect("a reply") else { panic!("no reply") };
    assert_eq!(
        (&written.to, &written.what),
        (&vec![person("noor")], &Writing::Reply(ReplyWord::Done))
    );
    world.prompt("mia", 1, "ask for the number");
    let now = world.reply_to("ana", 1);
    assert!(world.replies[&now][0].is_ok(), "she wrote, so she is known");
    let stranger = world.reply_to("bo", 2);
    assert_eq!(world.no(stranger), Reason::NotAllowed);
}

#[test]
fn a_hand_to_which_nobody_comes_is_said_again_twice() {
    let mut world = World::talking();
    world.raise(None);
    let urged = |world: &World| world.view().help.expect("a raised hand").urged;
    world.run_ms(29_900);
    assert_eq!(urged(&world), 0);
    world.run_ms(200);
    assert_eq!(urged(&world), 1);
    world.run_ms(30_000);
    assert_eq!(urged(&world), 2);
    world.run_ms(300_000);
    assert_eq!((urged(&world), world.rows("help.urged").len()), (2, 2));
}

#[test]
fn a_hand_is_not_said_again_once_somebody_is_coming_or_it_is_another() {
    let mut world = World::talking();
    world.raise(None);
    world.assist("mia", AssistAct::Coming { number: 1 });
    world.run_ms(90_000);
    assert_eq!(world.view().help.expect("a raised hand").urged, 0);
    world.assist("ana", AssistAct::Withdraw);
    world.run_ms(25_000);
    world.raise(None);
    world.run_ms(10_000);
    assert_eq!(world.view().help.expect("another").urged, 0, "its own time runs");
    world.run_ms(21_000);
    assert_eq!(world.view().help.expect("another").urged, 1);
}
