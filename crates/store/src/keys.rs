//! API keys: shown once, kept only as SHA-256. A token is 160 random bits, so a plain hash is
//! enough: there is nothing to guess (passwords, which there are none of yet, want argon2).

use crate::error::StoreError;
use crate::text::{self, bad};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};
use std::collections::BTreeSet;
use undertone_core::access::Right;
use undertone_core::id::{KeyId, OrgId, PersonId};
use undertone_core::time::Wall;

const PREFIX: &str = "ut_";
/// 27 digits of base 62 are 160.7 bits.
const TOKEN_DIGITS: usize = 27;
const ID_DIGITS: usize = 12;
/// Longer is no token of ours: not even hashed.
const MAX_TOKEN_BYTES: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub id: KeyId,
    pub person: PersonId,
    pub rights: BTreeSet<Right>,
    pub created_at: Wall,
    pub revoked_at: Option<Wall>,
}

/// A key just made. The token is nowhere else: show it once.
pub struct NewKey {
    pub key: Key,
    pub token: String,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("key", &self.key).finish_non_exhaustive()
    }
}

pub(crate) fn make(
    person: &PersonId,
    rights: BTreeSet<Right>,
    now: Wall,
) -> Result<NewKey, StoreError> {
    let token = format!("{PREFIX}{}", base62(TOKEN_DIGITS)?);
    let id = KeyId::parse(&format!("key_{}", base62(ID_DIGITS)?)).map_err(|e| bad("a key", e))?;
    let key = Key { id, person: person.clone(), rights, created_at: now, revoked_at: None };
    Ok(NewKey { key, token })
}

/// Random digits and letters, 5.95 bits each: for what is told to one person once.
pub fn secret(digits: usize) -> Result<String, StoreError> {
    base62(digits)
}

pub(crate) fn base62(digits: usize) -> Result<String, StoreError> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = String::with_capacity(digits);
    let mut bytes = [0u8; 64];
    while out.len() < digits {
        OsRng.try_fill_bytes(&mut bytes).map_err(|e| bad("the system's randomness", e))?;
        // 248 is the last multiple of 62: what is above would favour the first digits.
        let even = bytes.iter().filter(|byte| **byte < 248);
        let wanted = digits - out.len();
        out.extend(even.take(wanted).map(|byte| DIGITS[usize::from(byte % 62)] as char));
    }
    Ok(out)
}

pub(crate) fn token_hash(token: &str) -> Option<String> {
    let ours = token.len() <= MAX_TOKEN_BYTES && token.starts_with(PREFIX);
    ours.then(|| text::hex(&Sha256::digest(token.as_bytes())))
}

pub(crate) fn rights_text(rights: &BTreeSet<Right>) -> String {
    rights.iter().map(|right| right.code()).collect::<Vec<_>>().join(",")
}

/// A right that this version does not know is not granted.
pub(crate) fn rights_of(text: &str) -> BTreeSet<Right> {
    text.split(',').filter_map(Right::parse).collect()
}

/// False: there is no such person.
pub(crate) async fn insert(
    conn: &mut AnyConnection,
    org: &OrgId,
    new: &NewKey,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO api_key (org_id, id, person_id, token_sha256, rights, created_at_ms, \
         revoked_at_ms) SELECT $1, $2, p.id, $3, $4, $5, 0 FROM person p \
         WHERE p.org_id = $1 AND p.id = $6",
    )
    .bind(org.as_str())
    .bind(new.key.id.as_str())
    .bind(text::hex(&Sha256::digest(new.token.as_bytes())))
    .bind(rights_text(&new.key.rights))
    .bind(new.key.created_at.0)
    .bind(new.key.person.as_str())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn revoke(
    conn: &mut AnyConnection,
    org: &OrgId,
    id: &KeyId,
    now: Wall,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE api_key SET revoked_at_ms = $1 WHERE org_id = $2 AND id = $3 \
         AND revoked_at_ms = 0",
    )
    .bind(now.0.max(1)) // 0 says: not revoked
    .bind(org.as_str())
    .bind(id.as_str())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn find(
    pool: &AnyPool,
    org: &OrgId,
    token: &str,
) -> Result<Option<Key>, StoreError> {
    let Some(hash) = token_hash(token) else { return Ok(None) };
    let row = sqlx::query(
        "SELECT id, person_id, rights, created_at_ms, revoked_at_ms FROM api_key \
         WHERE token_sha256 = $1 AND org_id = $2 AND revoked_at_ms = 0",
    )
    .bind(hash)
    .bind(org.as_str())
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn list(pool: &AnyPool, org: &OrgId) -> Result<Vec<Key>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, person_id, rights, created_at_ms, revoked_at_ms FROM api_key \
         WHERE org_id = $1 ORDER BY created_at_ms, id",
    )
    .bind(org.as_str())
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Key, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index);
    let revoked: i64 = row.try_get(4)?;
    Ok(Key {
        id: KeyId::parse(&text(0)?).map_err(|e| bad("a key", e))?,
        person: PersonId::parse(&text(1)?).map_err(|e| bad("a key", e))?,
        rights: rights_of(&text(2)?),
        created_at: Wall(row.try_get(3)?),
        revoked_at: (revoked != 0).then_some(Wall(revoked)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_160_bits_of_all_62_digits() {
        let mut seen = BTreeSet::new();
        for _ in 0..200 {
            let token = base62(TOKEN_DIGITS).expect("randomness");
            assert_eq!(token.len(), TOKEN_DIGITS);
            seen.extend(token.bytes());
        }
        assert_eq!(seen.len(), 62);
        assert!((TOKEN_DIGITS as f64) * 62f64.log2() >= 128.0);
    }

    #[test]
    fn what_cannot_be_a_token_is_not_looked_up() {
        assert_eq!(token_hash("password"), None);
        assert_eq!(token_hash(&format!("ut_{}", "x".repeat(200))), None);
        assert_eq!(token_hash("ut_x").map(|hash| hash.len()), Some(64));
    }
}
