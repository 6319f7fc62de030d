//! The store's front for signing in: logins and sessions. A change of either is counted by the
//! directory's version, so that every process sees it; a session that was merely seen again is not.

use crate::error::StoreError;
use crate::logins::{self, Login};
use crate::provision;
use crate::sessions::{self, NewSession, Session};
use crate::store::Store;
use sqlx::AnyConnection;
use undertone_core::directory::Person;
use undertone_core::id::{PersonId, SessionId};
use undertone_core::time::Wall;

impl Store {
    /// By the name typed in, in any case.
    pub async fn login(&self, name: &str) -> Result<Option<Login>, StoreError> {
        logins::find(self.directory_pool(), self.org(), name).await
    }

    pub async fn login_of(&self, person: &PersonId) -> Result<Option<Login>, StoreError> {
        logins::of_person(self.directory_pool(), self.org(), person).await
    }

    /// Whether anybody can sign in at all.
    pub async fn has_logins(&self) -> Result<bool, StoreError> {
        logins::any(self.directory_pool(), self.org()).await
    }

    /// Adds one who is not there yet.
    pub async fn add_person(&self, person: Person) -> Result<(), StoreError> {
        let org = self.org().clone();
        let work =
            async |conn: &mut AnyConnection| provision::add_person(conn, &org, &person).await;
        match self.write("adding a person", work).await? {
            true => Ok(()),
            false => Err(StoreError::Refused(format!("there is a person {} already", person.id))),
        }
    }

    /// With their keys, sessions and login. False: there is no such person.
    pub async fn remove_person(&self, person: &PersonId) -> Result<bool, StoreError> {
        let org = self.org().clone();
        let there = self.directory().await?.people.contains_key(person);
        let work = async |conn: &mut AnyConnection| {
            Ok(provision::remove_person(conn, &org, person).await?)
        };
        self.write("removing a person", work).await?;
        Ok(there)
    }

    /// Writes how a person signs in; every session of theirs but this one ends.
    pub async fn put_login(&self, login: Login, but: Option<SessionId>) -> Result<(), StoreError> {
        let org = self.org().clone();
        let work = async |conn: &mut AnyConnection| {
            let there = logins::put(conn, &org, &login).await?;
            sessions::close_others(conn, &org, &login.person, but.as_ref()).await?;
            Ok(there)
        };
        match self.write("writing a login", work).await? {
            true => Ok(()),
            false => Err(StoreError::Refused(format!("there is no person {}", login.person))),
        }
    }

    pub async fn open_session(
        &self,
        person: &PersonId,
        origin: &str,
        now: Wall,
    ) -> Result<NewSession, StoreError> {
        let org = self.org().clone();
        let new = sessions::make(person, origin, now)?;
        let work = async |conn: &mut AnyConnection| sessions::insert(conn, &org, &new).await;
        self.write("opening a session", work).await?;
        Ok(new)
    }

    /// The session with this token, however old.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, StoreError> {
        sessions::find(self.directory_pool(), self.org(), token).await
    }

    pub async fn is_session(&self, id: &SessionId) -> Result<bool, StoreError> {
        sessions::is_open(self.directory_pool(), self.org(), id).await
    }

    pub async fn sessions(&self) -> Result<Vec<Session>, StoreError> {
        sessions::list(self.directory_pool(), self.org()).await
    }

    pub async fn session_seen(&self, id: &SessionId, now: Wall) -> Result<(), StoreError> {
        let org = self.org().clone();
        let work = async |conn: &mut AnyConnection| sessions::seen(conn, &org, id, now).await;
        self.transact("seeing a session", false, work).await
    }

    /// False: it was closed before.
    pub async fn close_session(&self, id: &SessionId) -> Result<bool, StoreError> {
        let org = self.org().clone();
        let work = async |conn: &mut AnyConnection| sessions::close(conn, &org, id).await;
        self.write("closing a session", work).await
    }

    /// Every session of a person; gives how many there were.
    pub async fn close_sessions(&self, person: &PersonId) -> Result<u64, StoreError> {
        let org = self.org().clone();
        let work =
            async |conn: &mut AnyConnection| sessions::close_others(conn, &org, person, None).await;
        self.write("closing sessions", work).await
    }

    /// Ends those not seen since the first time, or opened before the second.
    pub async fn sweep_sessions(
        &self,
        seen_before: Wall,
        opened_before: Wall,
    ) -> Result<u64, StoreError> {
        let org = self.org().clone();
        let work = async |conn: &mut AnyConnection| {
            let ended = sessions::sweep(conn, &org, seen_before, opened_before).await?;
            if ended > 0 {
                provision::count_up(conn, &org).await?;
            }
            Ok(ended)
        };
        self.transact("ending old sessions", false, work).await
    }
}
