//! People's PINs as rows: hashes, opaque here. How they are made and compared is not known.

use crate::error::StoreError;
use crate::text::bad;
use sqlx::{AnyConnection, AnyPool, Row};
use std::collections::BTreeMap;
use undertone_core::id::{OrgId, PersonId};

/// A person's, as text that says how it was made; never the PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct PinHash {
    pub person: PersonId,
    pub hash: String,
}

impl std::fmt::Debug for PinHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PinHash").field("person", &self.person).finish_non_exhaustive()
    }
}

/// The PINs to be reached; gives how many were written or removed.
pub(crate) async fn apply(
    conn: &mut AnyConnection,
    org: &OrgId,
    wanted: &[PinHash],
) -> Result<u64, StoreError> {
    let rows = sqlx::query(ALL).bind(org.as_str()).fetch_all(&mut *conn).await?;
    let before = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let before: BTreeMap<_, _> = before.iter().map(|pin| (&pin.person, pin)).collect();
    let wanted: BTreeMap<_, _> = wanted.iter().map(|pin| (&pin.person, pin)).collect();
    let mut changed = 0;
    for pin in wanted.values().filter(|pin| before.get(&pin.person) != Some(*pin)) {
        sqlx::query(
            "INSERT INTO pin (org_id, person_id, hash) VALUES ($1, $2, $3) \
             ON CONFLICT (org_id, person_id) DO UPDATE SET hash = excluded.hash",
        )
        .bind(org.as_str())
        .bind(pin.person.as_str())
        .bind(pin.hash.as_str())
        .execute(&mut *conn)
        .await?;
        changed += 1;
    }
    for person in before.keys().filter(|person| !wanted.contains_key(*person)) {
        sqlx::query("DELETE FROM pin WHERE org_id = $1 AND person_id = $2")
            .bind(org.as_str())
            .bind(person.as_str())
            .execute(&mut *conn)
            .await?;
        changed += 1;
    }
    Ok(changed)
}

const ALL: &str = "SELECT person_id, hash FROM pin WHERE org_id = $1 ORDER BY person_id";

pub(crate) async fn all(pool: &AnyPool, org: &OrgId) -> Result<Vec<PinHash>, StoreError> {
    let rows = sqlx::query(ALL).bind(org.as_str()).fetch_all(pool).await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn one(
    pool: &AnyPool,
    org: &OrgId,
    person: &PersonId,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT hash FROM pin WHERE org_id = $1 AND person_id = $2")
        .bind(org.as_str())
        .bind(person.as_str())
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn read(row: &sqlx::any::AnyRow) -> Result<PinHash, StoreError> {
    let person: String = row.try_get(0)?;
    let person = PersonId::parse(&person).map_err(|e| bad("a PIN", e))?;
    Ok(PinHash { person, hash: row.try_get(1)? })
}
