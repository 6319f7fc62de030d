//! Whether a typed PIN is its person's: the stored hash asked, the guesses counted. How many there
//! may be is core's (`pin`); a PIN is in no log and in no row.

use crate::clock;
use crate::hashing;
use std::sync::{Mutex, MutexGuard, PoisonError};
use undertone_core::id::PersonId;
use undertone_core::pin::{Guesses, Pin};
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing::Origin;
use undertone_store::{Store, StoreError};

#[derive(Debug, Default)]
pub struct Pins {
    guesses: Mutex<Guesses>,
}

impl Pins {
    fn guesses(&self) -> MutexGuard<'_, Guesses> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before anybody is asked: the hash to compare with, if there is one and it may be tried.
    pub(super) async fn asked_of(
        &self,
        store: &Store,
        person: &PersonId,
        from: &Origin,
    ) -> Result<String, Refusal> {
        let stored = store.pin(person).await.map_err(unavailable)?;
        let hash = stored.ok_or_else(|| Refusal::because(Reason::PinNotSet))?;
        match self.guesses().is_locked(clock::now().mono, person, from) {
            true => Err(Refusal::because(Reason::PinLocked)),
            false => Ok(hash),
        }
    }

    /// None: what was typed is nobody's PIN; it counts as wrong without being compared.
    pub(super) async fn try_one(
        &self,
        hash: &str,
        typed: Option<Pin>,
        person: &PersonId,
        from: &Origin,
    ) -> Result<(), Refusal> {
        if !self.guesses().try_one(clock::now().mono, person, from) {
            return Err(Refusal::because(Reason::PinLocked));
        }
        let right = match typed {
            Some(pin) => hashing::verify(hash.to_owned(), pin.digits().to_owned()).await,
            None => false,
        };
        if !right {
            return Err(Refusal::because(Reason::PinWrong));
        }
        self.guesses().right(person, from);
        Ok(())
    }
}

fn unavailable(error: StoreError) -> Refusal {
    tracing::error!(%error, "a PIN cannot be looked up");
    Refusal::with(Reason::AuditUnavailable, "the database does not answer")
}
