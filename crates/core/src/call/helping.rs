//! Without a sound: an agent's raised hand, a supervisor's prompt, the agent's reply. Each is said
//! to who is meant, and written whole; none opens an edge.
//!
//! ```text
//!  no hand ──raise──▶ raised ──a supervisor says so, or is joining──▶ somebody is coming ──┐
//!     ▲                  └─────────────── withdrawn, agent gone, supervisor there ◀────────┘
//! ```
//!
//! While nobody is coming it is said again, more loudly, after 30 s and after 60 s.
//!
//! A listener of whom the agent is not told changes nothing here: a hand that went down by itself
//! would tell of them.

use super::Call;
use super::effect::{Effect, Reply, Writing, Written};
use super::input::{Assist, AssistAct, RequestId};
use super::turn::{Due, Turn};
use crate::access::{Actor, Right};
use crate::audit::{Outcome, Who};
use crate::id::{MessageId, PersonId, SupervisionId};
use crate::policy::Notice;
use crate::refusal::{Reason, Refusal};
use crate::seen;
use crate::supervision::Supervision;
use crate::view::{HelpReason, HelpView, Mode, ReplyWord, Role};

/// A prompt is read at a glance, by somebody who talks.
const PROMPT_MAX_CHARS: usize = 200;
/// So long nobody comes before a hand is said again, and so often it is.
const URGED_AFTER_MS: u64 = 30_000;
const URGED_MAX: u8 = 2;

impl HelpReason {
    pub const fn code(self) -> &'static str {
        match self {
            HelpReason::Policy => "policy",
            HelpReason::AngryCustomer => "angry_customer",
            HelpReason::WantsSupervisor => "wants_supervisor",
            HelpReason::Technical => "technical",
            HelpReason::Safety => "safety",
        }
    }
}

impl ReplyWord {
    pub const fn code(self) -> &'static str {
        match self {
            ReplyWord::Done => "done",
            ReplyWord::SayAgain => "say_again",
            ReplyWord::Cannot => "cannot",
            ReplyWord::TakeIt => "take_it",
        }
    }
}

impl AssistAct {
    pub(super) const fn what(&self) -> &'static str {
        match self {
            AssistAct::Raise { .. } => "help.ask",
            AssistAct::Reason { .. } => "help.reason",
            AssistAct::Withdraw => "help.withdraw",
            AssistAct::Coming { .. } => "help.coming",
            AssistAct::Prompt { .. } => "supervision.prompt",
            AssistAct::Answer { .. } => "supervision.reply",
            AssistAct::Mark { .. } => "supervision.mark",
        }
    }

    pub(super) fn about(&self) -> Option<&SupervisionId> {
        match self {
            AssistAct::Prompt { supervision, .. }
            | AssistAct::Answer { supervision, .. }
            | AssistAct::Mark { supervision, .. } => Some(supervision),
            _ => None,
        }
    }
}

impl Call {
    pub(super) fn assist(&mut self, turn: &mut Turn, assist: Assist) {
        let Assist { request, by, act } = assist;
        let (what, about) = (act.what(), act.about().cloned());
        let done = match act {
            AssistAct::Raise { reason, told } => self.raise(turn, &by, reason, told),
            AssistAct::Reason { reason } => self.give_reason(turn, &by, reason),
            AssistAct::Withdraw => self.withdraw(turn, &by),
            AssistAct::Coming { number } => self.coming(turn, &by, number),
            AssistAct::Prompt { supervision, id, text } => {
                return self.prompt(turn, &by, &supervision, id, text, request);
            }
            AssistAct::Answer { supervision, id, word } => {
                return self.reply_to(turn, &by, &supervision, id, word, request);
            }
            AssistAct::Mark { supervision, kind, text } => {
                return self.mark(turn, &by, &supervision, kind, text, request);
            }
        };
        match done {
            Ok(detail) => {
                let details = vec![("reason", detail.to_owned())];
                self.write(turn, (&by).into(), what, about.as_ref(), Outcome::Allowed, details);
                let answer = self.answer(turn.now, None);
                turn.reply([request], answer);
            }
            Err(refusal) => self.refuse(turn, &by, what, about.as_ref(), Some(request), refusal),
        }
    }

    /// Whoever is on this call as its agent.
    fn is_agent_here(&self, by: &Actor) -> bool {
        let seat = self.seat_of(by).and_then(|seat| self.parties.get(&seat));
        seat.is_some_and(|party| party.is(Role::Agent))
    }

    fn need_agent(&self, by: &Actor) -> Result<(), Refusal> {
        match self.is_agent_here(by) {
            true => Ok(()),
            false => Err(Refusal::because(Reason::NotAllowed)),
        }
    }

    /// Raised already is raised: a second press changes nothing but the reason.
    fn raise(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        reason: Option<HelpReason>,
        told: u32,
    ) -> Result<&'static str, Refusal> {
        self.need_agent(by)?;
        if self.help.is_some() {
            return self.give_reason(turn, by, reason);
        }
        self.last_help += 1;
        self.help_before = self.told_of(turn).map(|s| s.id.clone()).collect();
        self.help = Some(HelpView {
            number: self.last_help,
            person: by.person.clone(),
            name: by.name.clone(),
            reason,
            at: turn.now.wall,
            coming: None,
            told,
            urged: 0,
        });
        self.start_timer(turn, Due::Urge(self.last_help), URGED_AFTER_MS);
        let code = reason.map_or("", HelpReason::code);
        self.note(turn, "help_requested", by.name.clone(), code);
        Ok(code)
    }

    fn give_reason(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        reason: Option<HelpReason>,
    ) -> Result<&'static str, Refusal> {
        self.need_agent(by)?;
        let help = self.help.as_mut().ok_or_else(|| Refusal::because(Reason::NoSuchHelp))?;
        help.reason = reason.or(help.reason);
        turn.changed = true;
        Ok(help.reason.map_or("", HelpReason::code))
    }

    fn withdraw(&mut self, turn: &mut Turn, by: &Actor) -> Result<&'static str, Refusal> {
        self.need_agent(by)?;
        self.help.take().ok_or_else(|| Refusal::because(Reason::NoSuchHelp))?;
        self.note(turn, "help_withdrawn", by.name.clone(), "");
        Ok("")
    }

    fn coming(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        number: u32,
    ) -> Result<&'static str, Refusal> {
        if !seen::supervises(by) {
            return Err(Refusal::because(Reason::NotAllowed));
        }
        let help = self.help.as_mut().filter(|help| help.number == number);
        let help = help.ok_or_else(|| Refusal::because(Reason::NoSuchHelp))?;
        help.coming = Some((by.person.clone(), by.name.clone()));
        self.note(turn, "help_coming", by.name.clone(), "");
        Ok("")
    }

    /// Nobody has come to this hand in time, nor said that they do.
    pub(super) fn urge(&mut self, turn: &mut Turn, number: u32) {
        let Some(help) = self.help.as_mut().filter(|help| help.number == number) else { return };
        if help.coming.is_none() {
            help.urged += 1;
            let (name, times) = (help.name.clone(), help.urged.to_string());
            self.note(turn, "help_urged", name, times.clone());
            let details = vec![("times", times)];
            self.write(turn, Who::system(), "help.urged", None, Outcome::Allowed, details);
        }
        if self.help.as_ref().is_some_and(|help| help.urged < URGED_MAX) {
            self.start_timer(turn, Due::Urge(number), URGED_AFTER_MS);
        }
    }

    /// Supervisions that an agent sees, or will as soon as they are there.
    fn told_of<'a>(&'a self, turn: &Turn) -> impl Iterator<Item = &'a Supervision> + use<'a> {
        let policy = turn.dir.policy.clone();
        self.supervisions.values().filter(move |s| {
            let mode = if s.reached { s.now.mode } else { s.want.mode };
            !s.is_over() && (s.alert || policy.notice(mode) != Notice::None)
        })
    }

    /// At the end of each turn: help that came, or whose agent has gone, is asked for no more.
    pub(super) fn settle_help(&mut self, turn: &mut Turn) {
        let Some(help) = &self.help else { return };
        let person = help.person.clone();
        let mut parties = self.parties.values();
        if !parties.any(|party| party.is_up() && party.person.as_ref() == Some(&person)) {
            self.help = None;
            return self.note(turn, "help_ended", "", "");
        }
        let came: Vec<_> = self
            .told_of(turn)
            .filter(|s| !self.help_before.contains(&s.id))
            .map(|s| (s.reached && s.is_live(), s.by.person.clone(), s.by.name.clone()))
            .collect();
        if let Some((_, _, name)) = came.iter().find(|(there, ..)| *there) {
            self.help = None;
            self.note(turn, "help_came", name.clone(), "");
        } else if let (Some(help), Some((_, person, name))) = (&mut self.help, came.first()) {
            let coming = Some((person.clone(), name.clone()));
            turn.changed |= help.coming != coming;
            help.coming = coming;
        }
    }

    /// To the coached agent, or to every agent: a whisper in writing, and under its right.
    fn prompt(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        id: &SupervisionId,
        message: MessageId,
        text: String,
        request: RequestId,
    ) {
        let what = "supervision.prompt";
        let to = match self.judge_prompt(by, id, &text) {
            Ok(to) => to,
            Err(no) => return self.refuse(turn, by, what, Some(id), Some(request), no),
        };
        let details = vec![("text", text.clone())];
        self.write(turn, by.into(), what, Some(id), Outcome::Allowed, details);
        self.prompted.insert(id.clone());
        self.note(turn, "prompted", by.name.clone(), "");
        self.deliver(turn, by, id, to, (message, Writing::Prompt(text)), request);
    }

    fn judge_prompt(
        &self,
        by: &Actor,
        id: &SupervisionId,
        text: &str,
    ) -> Result<Vec<PersonId>, Refusal> {
        let supervision = self.mine(id, by)?;
        by.need(Right::Whisper).map_err(Refusal::because)?;
        let fits = (1..=PROMPT_MAX_CHARS).contains(&text.chars().count());
        if !fits || text.trim().is_empty() || text.chars().any(char::is_control) {
            let why = "`text` is 1 to 200 characters on one line";
            return Err(Refusal::with(Reason::BadRequest, why));
        }
        if !supervision.is_live() {
            return Err(Refusal::because(Reason::NotInMode));
        }
        let targets = &supervision.now.targets;
        let coached = supervision.now.mode == Mode::Whisper && !targets.is_empty();
        let agents = self.up(Role::Agent).filter(|p| !coached || targets.contains(&p.id()));
        let to: Vec<_> = agents.filter_map(|party| party.person.clone()).collect();
        if to.is_empty() { Err(Refusal::because(Reason::AgentGone)) } else { Ok(to) }
    }

    /// An agent answers only whom they know of: who has prompted, or of whom they are told.
    fn reply_to(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        id: &SupervisionId,
        message: MessageId,
        word: ReplyWord,
        request: RequestId,
    ) {
        let what = "supervision.reply";
        let known = self.told_of(turn).find(|s| s.id == *id).map(|s| s.by.person.clone());
        let prompted = self.supervisions.get(id).filter(|s| !s.is_over());
        let prompted = prompted.filter(|s| self.prompted.contains(&s.id));
        let to = known.or_else(|| prompted.map(|s| s.by.person.clone()));
        let judged = self
            .need_agent(by)
            .and_then(|()| to.ok_or_else(|| Refusal::because(Reason::NoSuchSupervision)));
        let to = match judged {
            Ok(to) => to,
            Err(no) => return self.refuse(turn, by, what, Some(id), Some(request), no),
        };
        let details = vec![("reply", word.code().to_owned())];
        self.write(turn, by.into(), what, Some(id), Outcome::Allowed, details);
        self.note(turn, "replied", by.name.clone(), word.code());
        self.deliver(turn, by, id, vec![to], (message, Writing::Reply(word)), request);
    }

    fn deliver(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        id: &SupervisionId,
        to: Vec<PersonId>,
        (message, what): (MessageId, Writing),
        request: RequestId,
    ) {
        turn.out.push(Effect::Say(Box::new(Written {
            id: message,
            call: self.id.clone(),
            supervision: id.clone(),
            to,
            from: by.person.clone(),
            from_name: by.name.clone(),
            at: turn.now.wall,
            what,
        })));
        turn.reply([request], Ok(Reply::Done));
    }
}
