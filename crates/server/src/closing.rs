//! What is said of a call while it lives and after its end: what came of it, and of what use a
//! supervisor's help was. Core says who may.

use crate::clock;
use crate::commands::{Desk, unavailable};
use undertone_core::access::Actor;
use undertone_core::audit::{AuditEntry, Outcome as Row, Who};
use undertone_core::call::Input;
use undertone_core::feedback::{self, Useful};
use undertone_core::id::{CallId, SupervisionId};
use undertone_core::outcome::{self, Outcome, OutcomeSaid};
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::seen;
use undertone_core::view::CallView;
use undertone_store::{Class, SaidOutcome};

impl Desk {
    /// Kept before it is told: to the pages that show the call, then to who said it.
    pub(crate) async fn take_outcome(
        &self,
        who: &Actor,
        id: &CallId,
        said: OutcomeSaid,
    ) -> Result<Outcome, Refusal> {
        let what = "call.outcome";
        let refuse = |refusal| self.refused(who, what, Some(id), refusal);
        let (house, dir) = (self.board().house(), self.board().directory());
        let who = self.present(who).map_err(refuse)?;
        let view = self.live_or_ended(id).await?;
        outcome::judge(&view, &who, &said).map_err(refuse)?;
        let at = clock::now().wall;
        let row = AuditEntry {
            org: dir.org.clone(),
            at,
            who: Who::from(&who),
            what: what.into(),
            call: Some(id.clone()),
            supervision: None,
            outcome: Row::Allowed,
            detail: said.details(),
        };
        let by = (who.person.clone(), who.name.clone());
        let said = SaidOutcome { call: id.clone(), said, at, by };
        let kept = house.store.say_outcome(said, row).await.map_err(unavailable)?;
        let kept = kept.ok_or_else(|| Refusal::because(Reason::AuditUnavailable))?;
        if let Some(call) = house.register.call(id) {
            call.input(Input::OutcomeKept(Box::new(kept.clone()))).await;
        }
        Ok(seen::outcome_of(&kept, &who))
    }

    pub(crate) async fn take_feedback(
        &self,
        who: &Actor,
        id: &CallId,
        about: &SupervisionId,
        useful: Useful,
    ) -> Result<(), Refusal> {
        let what = "supervision.feedback";
        let (house, dir) = (self.board().house(), self.board().directory());
        let view = self.live_or_ended(id).await?;
        feedback::may_say(&view, about, who, &dir.policy)
            .map_err(|refusal| self.refused(who, what, Some(id), refusal))?;
        let entry = AuditEntry {
            org: dir.org.clone(),
            at: clock::now().wall,
            who: Who::from(who),
            what: what.into(),
            call: Some(id.clone()),
            supervision: Some(about.clone()),
            outcome: Row::Allowed,
            detail: [("useful".to_owned(), useful.code().to_owned())].into(),
        };
        house.store.append(entry, Class::Other).await.map_err(unavailable)?;
        Ok(())
    }

    /// Between its task's end and the commit of its record a call is neither: then the last note
    /// of it counts.
    async fn live_or_ended(&self, id: &CallId) -> Result<CallView, Refusal> {
        let house = self.board().house();
        if let Some(call) = house.register.call(id)
            && let Some(view) = call.view().await
        {
            return Ok(view);
        }
        if let Some(record) = house.store.call(id).await.map_err(unavailable)? {
            return Ok(record.view);
        }
        if let Some(open) = house.store.open_call(id).await.map_err(unavailable)? {
            return Ok(open.record.view);
        }
        let record = house.store.call(id).await.map_err(unavailable)?;
        record.map(|record| record.view).ok_or_else(|| Refusal::because(Reason::NoSuchCall))
    }
}
