//! Raised hands, prompts, replies, marks, and who is away, from the API to the call's
//! task and the floor. Core says who may.

use crate::clock;
use crate::commands::{Desk, unavailable};
use crate::switchboard::supervision_in;
use undertone_api::{Hand, HeardAgent, HeardBefore, Sent};
use undertone_core::access::Actor;
use undertone_core::audit::{AuditEntry, Outcome, Who};
use undertone_core::call::{Assist, AssistAct, Input, MarkKind, Reply};
use undertone_core::id::{CallId, MessageId, SupervisionId};
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::time::Wall;
use undertone_core::view::{AgentView, HelpView};
use undertone_store::{Class, secret};

/// Enough that nobody meets one by chance.
const MESSAGE_DIGITS: usize = 16;
/// "This week".
const LATELY_MS: i64 = 7 * 24 * 3_600 * 1_000;

impl Desk {
    pub(crate) async fn act_on_hand(
        &self,
        who: &Actor,
        call: &CallId,
        what: Hand,
    ) -> Result<Option<HelpView>, Refusal> {
        let call = self.board().find(call)?;
        let act = match what {
            Hand::Raise { reason } => {
                let told = self.board().house().dirty.supervisors();
                AssistAct::Raise { reason, told }
            }
            Hand::Reason { reason } => AssistAct::Reason { reason },
            Hand::Withdraw => AssistAct::Withdraw,
            Hand::Coming { number } => AssistAct::Coming { number },
        };
        let by = who.clone();
        let assist = |request| Input::Assist(Box::new(Assist { request, by, act }));
        match call.ask(self.board(), assist).await? {
            Reply::Call(view) => Ok(view.help),
            Reply::Supervision(_) | Reply::Done => Ok(None),
        }
    }

    pub(crate) async fn write_to(
        &self,
        who: &Actor,
        supervision: &SupervisionId,
        act: impl FnOnce(SupervisionId, MessageId) -> AssistAct,
    ) -> Result<Sent, Refusal> {
        let call = self.supervised(supervision)?;
        let id = secret(MESSAGE_DIGITS).ok().and_then(|digits| MessageId::parse(&digits).ok());
        let id = id.ok_or_else(|| Refusal::because(Reason::Overloaded))?;
        let (by, act) = (who.clone(), act(supervision.clone(), id.clone()));
        let assist = |request| Input::Assist(Box::new(Assist { request, by, act }));
        call.ask(self.board(), assist).await?;
        Ok(Sent { id, at: clock::now().wall })
    }

    pub(crate) async fn write_down(
        &self,
        who: &Actor,
        id: &SupervisionId,
        kind: MarkKind,
        text: String,
    ) -> Result<Wall, Refusal> {
        let call = self.supervised(id)?;
        let (by, act) = (who.clone(), AssistAct::Mark { supervision: id.clone(), kind, text });
        let assist = |request| Input::Assist(Box::new(Assist { request, by, act }));
        call.ask(self.board(), assist).await?;
        Ok(clock::now().wall)
    }

    /// The call itself is counted at its end only, so here it is added.
    pub(crate) async fn heard_lately(
        &self,
        who: &Actor,
        id: &SupervisionId,
    ) -> Result<HeardBefore, Refusal> {
        let gone = || Refusal::because(Reason::NoSuchSupervision);
        let view = self.supervised(id)?.view().await.ok_or_else(gone)?;
        let own = supervision_in(&view, id)?;
        if own.supervisor != who.person {
            let no = Refusal::because(Reason::NotAllowed);
            return Err(self.refused(who, "supervision.heard_before", Some(&view.id), no));
        }
        let since = Wall(clock::now().wall.0 - LATELY_MS);
        let mut agents: Vec<HeardAgent> = Vec::new();
        for party in view.agents() {
            let Some(person) = party.person.clone() else { continue };
            if agents.iter().any(|agent| agent.person == person) {
                continue;
            }
            let store = &self.board().house().store;
            let before = store.heard(&who.person, &person, since).await.map_err(unavailable)?;
            agents.push(HeardAgent { person, name: party.name.clone(), calls: before + 1 });
        }
        Ok(HeardBefore { since, agents })
    }

    /// One's own state only.
    pub(crate) async fn go_away(
        &self,
        who: &Actor,
        away: bool,
        reason: Option<String>,
    ) -> Result<AgentView, Refusal> {
        let what = "agent.state";
        let state = if away { "not_available" } else { "available" };
        let shown = reason.clone().unwrap_or_default();
        let floor = &self.board().house().floor;
        let Some(view) = floor.away(who.person.clone(), away, reason).await else {
            return Err(self.refused(who, what, None, Refusal::because(Reason::NoSuchAgent)));
        };
        let entry = AuditEntry {
            org: self.board().directory().org.clone(),
            at: clock::now().wall,
            who: Who::from(who),
            what: what.into(),
            call: None,
            supervision: None,
            outcome: Outcome::Allowed,
            detail: [("state".to_owned(), state.to_owned()), ("reason".to_owned(), shown)].into(),
        };
        drop(self.board().house().store.append(entry, Class::Other));
        Ok(view)
    }
}
