//! What somebody asks of a call that is over: refused like anything else, and written. By the call
//! itself as long as its task lives (`Call::after_the_end`), else by whoever finds it gone.

use super::input::{Assist, Input, RequestId, TransferBy};
use crate::access::Actor;
use crate::audit::{AuditEntry, Outcome};
use crate::id::{CallId, OrgId, SupervisionId};
use crate::refusal::{Reason, Refusal};
use crate::time::Wall;

pub(super) struct Wish<'a> {
    pub(super) by: &'a Actor,
    pub(super) what: &'static str,
    pub(super) about: Option<&'a SupervisionId>,
    pub(super) request: Option<RequestId>,
}

impl Input {
    /// None: no person asks, and nothing is to be refused.
    pub(super) fn wish(&self) -> Option<Wish<'_>> {
        let (by, what, about, request) = match self {
            Input::Join(join) => {
                (&join.by, "supervision.join", Some(&join.supervision), Some(join.request))
            }
            Input::Change(change) => {
                let about = Some(&change.supervision);
                (&change.by, "supervision.change", about, Some(change.request))
            }
            Input::Leave { request, supervision, by } => {
                (by, "supervision.leave", Some(supervision), *request)
            }
            Input::AgentAction { request, supervision, by, .. } => {
                (by, "supervision.agent", Some(supervision), Some(*request))
            }
            Input::Assist(assist) => {
                let Assist { request, by, act } = &**assist;
                (by, act.what(), act.about(), Some(*request))
            }
            Input::HangUp { by, request, .. } => (by, "call.hang_up", None, *request),
            Input::Hold { by, request, .. } => (by, "call.hold", None, *request),
            Input::Resume { by, request, .. } => (by, "call.resume", None, *request),
            Input::TransferAsked(asked) => match &asked.by {
                TransferBy::Desk { by, request, .. } => (by, "call.transfer", None, Some(*request)),
                TransferBy::Phone { .. } => return None,
            },
            _ => return None,
        };
        Some(Wish { by, what, about, request })
    }

    /// The row that refuses this where nobody is left to be asked.
    pub fn too_late(&self, org: &OrgId, call: &CallId, at: Wall) -> Option<AuditEntry> {
        let wish = self.wish()?;
        Some(AuditEntry {
            org: org.clone(),
            at,
            who: wish.by.into(),
            what: wish.what.into(),
            call: Some(call.clone()),
            supervision: wish.about.cloned(),
            outcome: Outcome::refused(&Refusal::because(Reason::CallEnded)),
            detail: [("detail".to_owned(), String::new())].into(),
        })
    }
}
