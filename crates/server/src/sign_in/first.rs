//! The way in where nobody can sign in yet: a link that is printed at the start and works once.

use super::{hashed, unavailable};
use crate::clock;
use crate::switchboard::Switchboard;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use undertone_api::{FirstPerson, SignInRefused};
use undertone_core::access::Right;
use undertone_core::directory::Person;
use undertone_core::id::PersonId;
use undertone_store::Login;

/// The snapshot of the directory is looked at three times a second; this is generous.
const SEEN_WITHIN: Duration = Duration::from_secs(3);
const NAME_MAX: usize = 100;

/// The token of the link, until it was used.
#[derive(Clone, Default)]
pub struct FirstLink(Arc<Mutex<Option<String>>>);

impl FirstLink {
    /// None where somebody can sign in already.
    pub fn of(token: Option<String>) -> FirstLink {
        FirstLink(Arc::new(Mutex::new(token)))
    }

    fn token(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_open(&self) -> bool {
        self.token().is_some()
    }

    /// Makes the administrator. The link is used up when this has worked; of two at once one wins.
    pub(super) async fn make(
        &self,
        board: &Switchboard,
        what: FirstPerson,
    ) -> Result<Login, SignInRefused> {
        let FirstPerson { token, login, name, password } = what;
        let id = PersonId::parse(&login.to_lowercase());
        let id = id.map_err(|_| SignInRefused::Unfit("The login is letters, digits and . _ -"))?;
        if name.trim().is_empty() || name.chars().count() > NAME_MAX {
            return Err(SignInRefused::Unfit("The name has 1 to 100 characters."));
        }
        // Before the hash: whoever has no link must not make us work.
        let taken = self.take(&token).ok_or(SignInRefused::NoSuchLink)?;
        // Somebody was let in by hand meanwhile: the link has had its day.
        if board.house().store.has_logins().await.map_err(unavailable)? {
            return Err(SignInRefused::NoSuchLink);
        }
        let made = match hashed(password).await {
            Ok(hash) => self.write(board, id, login, name, hash).await,
            Err(why) => Err(why),
        };
        if made.is_err() {
            *self.token() = Some(taken);
        }
        made
    }

    fn take(&self, token: &str) -> Option<String> {
        let mut open = self.token();
        let same = open.as_ref().is_some_and(|known| undertone_api::same_secret(known, token));
        if same { open.take() } else { None }
    }

    async fn write(
        &self,
        board: &Switchboard,
        id: PersonId,
        login: String,
        name: String,
        password: String,
    ) -> Result<Login, SignInRefused> {
        let rights = Right::ALL.iter().copied().collect();
        let person = Person { id: id.clone(), name, extension: None, rights };
        let store = &board.house().store;
        store.add_person(person).await.map_err(unavailable)?;
        let changed_at = clock::now().wall;
        let login = Login { person: id.clone(), name: login, password, changed_at };
        if let Err(error) = store.put_login(login.clone(), None).await {
            // Or the same name could not be chosen again.
            let _ = store.remove_person(&id).await;
            return Err(unavailable(error));
        }
        let mut directory = board.house().directory.clone();
        let seen = directory.wait_for(|dir| dir.person(&id).is_some());
        // Signed in by the next request at the latest.
        let _ = tokio::time::timeout(SEEN_WITHIN, seen).await;
        Ok(login)
    }
}
