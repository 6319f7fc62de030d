//! What people sign in with: a name, and the hash of a password. Knows no password and no way to
//! hash one: the text that it keeps means something to the server only.

use crate::error::StoreError;
use crate::text::bad;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};
use undertone_core::id::{OrgId, PersonId};
use undertone_core::time::Wall;

#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub person: PersonId,
    /// In small letters: names that differ in case only are one.
    pub name: String,
    /// A PHC string.
    pub password: String,
    pub changed_at: Wall,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("person", &self.person).finish_non_exhaustive()
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT person_id, name, password, changed_at_ms FROM login ", $rest)
    };
}

/// By the name typed in, in any case.
pub(crate) async fn find(
    pool: &AnyPool,
    org: &OrgId,
    name: &str,
) -> Result<Option<Login>, StoreError> {
    let sql = select!("WHERE org_id = $1 AND name = $2");
    one(pool, org, sql, &name.to_lowercase()).await
}

pub(crate) async fn of_person(
    pool: &AnyPool,
    org: &OrgId,
    person: &PersonId,
) -> Result<Option<Login>, StoreError> {
    one(pool, org, select!("WHERE org_id = $1 AND person_id = $2"), person.as_str()).await
}

async fn one(
    pool: &AnyPool,
    org: &OrgId,
    sql: &'static str,
    value: &str,
) -> Result<Option<Login>, StoreError> {
    let row = sqlx::query(sql).bind(org.as_str()).bind(value).fetch_optional(pool).await?;
    row.as_ref().map(read).transpose()
}

/// Whether anybody can sign in at all.
pub(crate) async fn any(pool: &AnyPool, org: &OrgId) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM login WHERE org_id = $1 LIMIT 1")
        .bind(org.as_str())
        .fetch_optional(pool)
        .await?;
    Ok(row.is_some())
}

pub(crate) async fn has(
    conn: &mut AnyConnection,
    org: &OrgId,
    person: &PersonId,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("SELECT 1 FROM login WHERE org_id = $1 AND person_id = $2")
        .bind(org.as_str())
        .bind(person.as_str())
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// False: there is no such person. A name that somebody else has is refused.
pub(crate) async fn put(
    conn: &mut AnyConnection,
    org: &OrgId,
    login: &Login,
) -> Result<bool, StoreError> {
    let name = login.name.to_lowercase();
    let sql = "SELECT person_id FROM login WHERE org_id = $1 AND name = $2 AND person_id <> $3";
    let taken = sqlx::query(sql)
        .bind(org.as_str())
        .bind(&name)
        .bind(login.person.as_str())
        .fetch_optional(&mut *conn)
        .await?;
    if taken.is_some() {
        return Err(StoreError::Refused(format!("somebody else signs in as {name}")));
    }
    let done = sqlx::query(
        "INSERT INTO login (org_id, person_id, name, password, changed_at_ms) \
         SELECT $1, p.id, $2, $3, $4 FROM person p WHERE p.org_id = $1 AND p.id = $5 \
         ON CONFLICT (org_id, person_id) DO UPDATE SET name = excluded.name, \
         password = excluded.password, changed_at_ms = excluded.changed_at_ms",
    )
    .bind(org.as_str())
    .bind(&name)
    .bind(&login.password)
    .bind(login.changed_at.0)
    .bind(login.person.as_str())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: &AnyRow) -> Result<Login, StoreError> {
    let person: String = row.try_get(0)?;
    Ok(Login {
        person: PersonId::parse(&person).map_err(|e| bad("a login", e))?,
        name: row.try_get(1)?,
        password: row.try_get(2)?,
        changed_at: Wall(row.try_get(3)?),
    })
}
