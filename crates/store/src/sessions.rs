//! Who is signed in to the pages. Of a cookie only its SHA-256 is kept: whoever reads the database
//! cannot sign in with what he finds. How long a session lasts is the caller's to say.

use crate::error::StoreError;
use crate::keys::base62;
use crate::text::{self, bad};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};
use undertone_core::id::{OrgId, PersonId, SessionId};
use undertone_core::time::Wall;

/// 27 digits of base 62 are 160.7 bits.
const TOKEN_DIGITS: usize = 27;
const CSRF_DIGITS: usize = 22;
const ID_DIGITS: usize = 12;
const ORIGIN_MAX_CHARS: usize = 64;
/// Open at once of one person; the one opened first makes room.
const OF_ONE_PERSON_MAX: i64 = 20;

#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub person: PersonId,
    /// What a page must send beside the cookie to change anything.
    pub csrf: String,
    /// The address that signed in.
    pub origin: String,
    pub opened_at: Wall,
    pub seen_at: Wall,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A session just opened. The token is nowhere else: it goes into the cookie.
pub struct NewSession {
    pub session: Session,
    pub token: String,
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSession").field("session", &self.session).finish_non_exhaustive()
    }
}

pub(crate) fn make(person: &PersonId, origin: &str, now: Wall) -> Result<NewSession, StoreError> {
    let id = SessionId::parse(&format!("ses_{}", base62(ID_DIGITS)?))
        .map_err(|e| bad("a session", e))?;
    let origin = origin.chars().take(ORIGIN_MAX_CHARS).collect();
    let csrf = base62(CSRF_DIGITS)?;
    let session =
        Session { id, person: person.clone(), csrf, origin, opened_at: now, seen_at: now };
    Ok(NewSession { session, token: base62(TOKEN_DIGITS)? })
}

/// What cannot be a token of ours is not even hashed.
fn token_hash(token: &str) -> Option<String> {
    let ours = token.len() == TOKEN_DIGITS && token.bytes().all(|b| b.is_ascii_alphanumeric());
    ours.then(|| text::hex(&Sha256::digest(token.as_bytes())))
}

pub(crate) async fn insert(
    conn: &mut AnyConnection,
    org: &OrgId,
    new: &NewSession,
) -> Result<(), StoreError> {
    let hash = token_hash(&new.token).ok_or_else(|| bad("a session", "its token"))?;
    let session = &new.session;
    sqlx::query(
        "INSERT INTO session (org_id, id, person_id, token_sha256, csrf, origin, opened_at_ms, \
         seen_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(org.as_str())
    .bind(session.id.as_str())
    .bind(session.person.as_str())
    .bind(hash)
    .bind(&session.csrf)
    .bind(&session.origin)
    .bind(session.opened_at.0)
    .bind(session.seen_at.0)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "DELETE FROM session WHERE org_id = $1 AND person_id = $2 AND id NOT IN (\
         SELECT id FROM session WHERE org_id = $1 AND person_id = $2 \
         ORDER BY opened_at_ms DESC, id LIMIT $3)",
    )
    .bind(org.as_str())
    .bind(session.person.as_str())
    .bind(OF_ONE_PERSON_MAX)
    .execute(conn)
    .await?;
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, person_id, csrf, origin, opened_at_ms, seen_at_ms FROM session ", $rest)
    };
}

pub(crate) async fn find(
    pool: &AnyPool,
    org: &OrgId,
    token: &str,
) -> Result<Option<Session>, StoreError> {
    let Some(hash) = token_hash(token) else { return Ok(None) };
    let row = sqlx::query(select!("WHERE token_sha256 = $1 AND org_id = $2"))
        .bind(hash)
        .bind(org.as_str())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn is_open(
    pool: &AnyPool,
    org: &OrgId,
    id: &SessionId,
) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM session WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(id.as_str())
        .fetch_optional(pool)
        .await?;
    Ok(row.is_some())
}

pub(crate) async fn list(pool: &AnyPool, org: &OrgId) -> Result<Vec<Session>, StoreError> {
    let rows = sqlx::query(select!("WHERE org_id = $1 ORDER BY opened_at_ms, id"))
        .bind(org.as_str())
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn seen(
    conn: &mut AnyConnection,
    org: &OrgId,
    id: &SessionId,
    now: Wall,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE session SET seen_at_ms = $1 WHERE org_id = $2 AND id = $3")
        .bind(now.0)
        .bind(org.as_str())
        .bind(id.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn close(
    conn: &mut AnyConnection,
    org: &OrgId,
    id: &SessionId,
) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM session WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(id.as_str())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// All of a person but for this one; gives how many there were.
pub(crate) async fn close_others(
    conn: &mut AnyConnection,
    org: &OrgId,
    person: &PersonId,
    but: Option<&SessionId>,
) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM session WHERE org_id = $1 AND person_id = $2 AND id <> $3")
        .bind(org.as_str())
        .bind(person.as_str())
        .bind(but.map_or("", SessionId::as_str))
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// Those not seen since, or opened before; gives how many there were.
pub(crate) async fn sweep(
    conn: &mut AnyConnection,
    org: &OrgId,
    seen_before: Wall,
    opened_before: Wall,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM session WHERE org_id = $1 AND (seen_at_ms < $2 OR opened_at_ms < $3)",
    )
    .bind(org.as_str())
    .bind(seen_before.0)
    .bind(opened_before.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

fn read(row: &AnyRow) -> Result<Session, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index);
    Ok(Session {
        id: SessionId::parse(&text(0)?).map_err(|e| bad("a session", e))?,
        person: PersonId::parse(&text(1)?).map_err(|e| bad("a session", e))?,
        csrf: text(2)?,
        origin: text(3)?,
        opened_at: Wall(row.try_get(4)?),
        seen_at: Wall(row.try_get(5)?),
    })
}
