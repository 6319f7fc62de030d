//! What an agent says of a supervisor's help when it is over: who may say it, and of what. It is
//! written in the audit and nowhere else; what is said last counts.
//!
//! Of a supervisor of whom the agent was never told there is nothing to say: an answer would tell.

use crate::access::Actor;
use crate::id::SupervisionId;
use crate::policy::{Notice, Policy};
use crate::refusal::{Reason, Refusal};
use crate::view::{CallView, Mode, Role, SupervisionState};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Useful {
    Yes,
    NotReally,
    TooMuch,
}

impl Useful {
    pub const fn code(self) -> &'static str {
        match self {
            Useful::Yes => "yes",
            Useful::NotReally => "not_really",
            Useful::TooMuch => "too_much",
        }
    }
}

/// An agent of this call, of a supervisor who spoke there, to the agent's knowledge, and is done.
pub fn may_say(
    view: &CallView,
    about: &SupervisionId,
    who: &Actor,
    policy: &Policy,
) -> Result<(), Refusal> {
    let mut parties = view.parties.iter();
    if !parties.any(|p| p.role == Role::Agent && p.person.as_ref() == Some(&who.person)) {
        return Err(Refusal::because(Reason::NotAllowed));
    }
    let told = |mode: Mode| policy.notice(mode) != Notice::None;
    let supervision = view.supervisions.iter().find(|one| {
        let over = matches!(one.state, SupervisionState::Ended);
        let mut spoke = one.spans.iter().filter(|span| span.mode != Mode::Listen);
        one.id == *about && over && spoke.any(|span| one.alert || told(span.mode))
    });
    supervision.map(|_| ()).ok_or_else(|| Refusal::because(Reason::NoSuchSupervision))
}
