//! Changing what the organisation calls things: a right, the store, a row of the audit. The new
//! words come back to every page by the directory, as everything that is stored does.

use crate::clock;
use crate::commands::{Desk, unavailable};
use undertone_core::access::{Actor, Right};
use undertone_core::audit::{AuditEntry, Outcome, Who};
use undertone_core::labels::Labels;
use undertone_core::refusal::Refusal;
use undertone_store::Class;

impl Desk {
    pub(crate) async fn call_things(&self, who: &Actor, what: Labels) -> Result<Labels, Refusal> {
        self.may(who, Right::Admin, "labels.change")?;
        let house = self.board().house();
        house.store.put_labels(&what).await.map_err(unavailable)?;
        let preset = ("preset".to_owned(), what.preset.code().to_owned());
        let words =
            what.words().map(|(term, word)| (format!("words.{}", term.code()), word.into()));
        let entry = AuditEntry {
            org: self.board().directory().org.clone(),
            at: clock::now().wall,
            who: Who::from(who),
            what: "labels.change".into(),
            call: None,
            supervision: None,
            outcome: Outcome::Allowed,
            detail: words.chain([preset]).collect(),
        };
        drop(house.store.append(entry, Class::Other));
        Ok(what)
    }
}
