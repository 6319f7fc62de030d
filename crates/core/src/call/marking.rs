//! What a supervisor writes down of a call while they supervise it: a note, that it is to be
//! reviewed, a place to come back to. It stands in the call's timeline, which no agent is shown,
//! opens no edge and is told to nobody.

use super::Call;
use super::effect::Reply;
use super::input::{MarkKind, RequestId};
use super::turn::Turn;
use crate::access::Actor;
use crate::audit::Outcome;
use crate::id::SupervisionId;
use crate::refusal::{Reason, Refusal};

const TEXT_MAX_CHARS: usize = 500;
/// Of one supervision: the timeline keeps a thousand moments, and they are not all marks.
const MARKS_MAX: u32 = 100;

impl MarkKind {
    pub const fn code(self) -> &'static str {
        match self {
            MarkKind::Note => "note",
            MarkKind::Flag => "flag",
            MarkKind::Bookmark => "bookmark",
        }
    }

    const fn in_timeline(self) -> &'static str {
        match self {
            MarkKind::Note => "noted",
            MarkKind::Flag => "flagged",
            MarkKind::Bookmark => "bookmarked",
        }
    }
}

impl Call {
    pub(super) fn mark(
        &mut self,
        turn: &mut Turn,
        by: &Actor,
        id: &SupervisionId,
        kind: MarkKind,
        text: String,
        request: RequestId,
    ) {
        let what = "supervision.mark";
        if let Err(no) = self.judge_mark(by, id, kind, &text) {
            return self.refuse(turn, by, what, Some(id), Some(request), no);
        }
        if let Some(supervision) = self.supervisions.get_mut(id) {
            supervision.marks += 1;
        }
        let details = vec![("kind", kind.code().to_owned()), ("text", text.clone())];
        self.write(turn, by.into(), what, Some(id), Outcome::Allowed, details);
        self.note(turn, kind.in_timeline(), by.name.clone(), text);
        turn.reply([request], Ok(Reply::Done));
    }

    fn judge_mark(
        &self,
        by: &Actor,
        id: &SupervisionId,
        kind: MarkKind,
        text: &str,
    ) -> Result<(), Refusal> {
        let supervision = self.mine(id, by)?;
        let empty = text.trim().is_empty();
        let odd = |c: char| c.is_control() && c != '\n';
        if text.chars().count() > TEXT_MAX_CHARS || text.chars().any(odd) {
            let why = "Field `text` is wrong: at most 500 characters.";
            return Err(Refusal::with(Reason::BadRequest, why));
        }
        if empty && (kind == MarkKind::Note || !text.is_empty()) {
            return Err(Refusal::with(Reason::BadRequest, "Field `text` is wrong: it is empty."));
        }
        if supervision.marks >= MARKS_MAX {
            return Err(Refusal::because(Reason::TooManyMarks));
        }
        Ok(())
    }
}
