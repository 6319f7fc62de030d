//! What devices prove themselves with, and where they have registered. Hashes and addresses are
//! texts here: what they mean is the SIP side's.

use crate::error::StoreError;
use crate::text::bad;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};
use std::collections::BTreeMap;
use undertone_core::id::OrgId;
use undertone_core::time::Wall;

/// A user with the hashes of user, realm and password; never the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    /// Hexadecimal; None: this algorithm cannot be used.
    pub ha1_md5: Option<String>,
    pub ha1_sha256: Option<String>,
    /// Which algorithms a challenge offers: `md5`, `sha-256`, `both`.
    pub offers: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("name", &self.name).finish_non_exhaustive()
    }
}

/// One place at which an account has registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBinding {
    pub account: String,
    pub contact: String,
    pub q_thousandths: u16,
    pub path: Vec<String>,
    pub target: String,
    pub transport: String,
    pub expires_at: Wall,
    pub call_id: String,
    pub cseq: u32,
    pub instance: String,
}

/// The accounts to be reached; gives how many were written or removed.
pub(crate) async fn apply(
    conn: &mut AnyConnection,
    org: &OrgId,
    wanted: &[Account],
) -> Result<u64, StoreError> {
    let sql = "SELECT name, ha1_md5, ha1_sha256, offers FROM account WHERE org_id = $1";
    let rows = sqlx::query(sql).bind(org.as_str()).fetch_all(&mut *conn).await?;
    let before = rows.iter().map(read_account).collect::<Result<Vec<_>, _>>()?;
    let before: BTreeMap<&str, &Account> = before.iter().map(|a| (a.name.as_str(), a)).collect();
    let wanted: BTreeMap<&str, &Account> = wanted.iter().map(|a| (a.name.as_str(), a)).collect();
    let mut changed = 0;
    for account in wanted.values().filter(|a| before.get(a.name.as_str()) != Some(*a)) {
        write_account(&mut *conn, org, account).await?;
        changed += 1;
    }
    for name in before.keys().filter(|name| !wanted.contains_key(*name)) {
        // Who is no account any more is not called at its old places.
        for sql in [
            "DELETE FROM binding WHERE org_id = $1 AND account = $2",
            "DELETE FROM account WHERE org_id = $1 AND name = $2",
        ] {
            sqlx::query(sql).bind(org.as_str()).bind(*name).execute(&mut *conn).await?;
        }
        changed += 1;
    }
    Ok(changed)
}

async fn write_account(
    conn: &mut AnyConnection,
    org: &OrgId,
    account: &Account,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO account (org_id, name, ha1_md5, ha1_sha256, offers) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org_id, name) DO UPDATE SET \
         ha1_md5 = excluded.ha1_md5, ha1_sha256 = excluded.ha1_sha256, offers = excluded.offers",
    )
    .bind(org.as_str())
    .bind(account.name.as_str())
    .bind(account.ha1_md5.as_deref().unwrap_or(""))
    .bind(account.ha1_sha256.as_deref().unwrap_or(""))
    .bind(account.offers.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn accounts(pool: &AnyPool, org: &OrgId) -> Result<Vec<Account>, StoreError> {
    let sql = "SELECT name, ha1_md5, ha1_sha256, offers FROM account WHERE org_id = $1 \
               ORDER BY name";
    let rows = sqlx::query(sql).bind(org.as_str()).fetch_all(pool).await?;
    rows.iter().map(read_account).collect()
}

fn read_account(row: &AnyRow) -> Result<Account, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index);
    Ok(Account {
        name: text(0)?,
        ha1_md5: Some(text(1)?).filter(|hash| !hash.is_empty()),
        ha1_sha256: Some(text(2)?).filter(|hash| !hash.is_empty()),
        offers: text(3)?,
    })
}

/// Puts these in the place of all that an account had.
pub(crate) async fn bind(
    conn: &mut AnyConnection,
    org: &OrgId,
    account: &str,
    bindings: &[StoredBinding],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM binding WHERE org_id = $1 AND account = $2")
        .bind(org.as_str())
        .bind(account)
        .execute(&mut *conn)
        .await?;
    for binding in bindings {
        sqlx::query(
            "INSERT INTO binding (org_id, account, contact, q_thousandths, path, target, \
             transport, expires_at_ms, sip_call_id, cseq, instance) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(org.as_str())
        .bind(account)
        .bind(binding.contact.as_str())
        .bind(i64::from(binding.q_thousandths))
        // A header value holds no line break.
        .bind(binding.path.join("\n"))
        .bind(binding.target.as_str())
        .bind(binding.transport.as_str())
        .bind(binding.expires_at.0)
        .bind(binding.call_id.as_str())
        .bind(i64::from(binding.cseq))
        .bind(binding.instance.as_str())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

pub(crate) async fn bindings(
    pool: &AnyPool,
    org: &OrgId,
    now: Wall,
) -> Result<Vec<StoredBinding>, StoreError> {
    let rows = sqlx::query(
        "SELECT account, contact, q_thousandths, path, target, transport, expires_at_ms, \
         sip_call_id, cseq, instance FROM binding WHERE org_id = $1 AND expires_at_ms > $2 \
         ORDER BY account, contact",
    )
    .bind(org.as_str())
    .bind(now.0)
    .fetch_all(pool)
    .await?;
    rows.iter().map(read_binding).collect()
}

fn read_binding(row: &AnyRow) -> Result<StoredBinding, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index);
    let number = |index: usize| row.try_get::<i64, _>(index);
    let path = text(3)?;
    Ok(StoredBinding {
        account: text(0)?,
        contact: text(1)?,
        q_thousandths: u16::try_from(number(2)?).map_err(|e| bad("a binding", e))?,
        path: path.split('\n').filter(|hop| !hop.is_empty()).map(str::to_owned).collect(),
        target: text(4)?,
        transport: text(5)?,
        expires_at: Wall(number(6)?),
        call_id: text(7)?,
        cseq: u32::try_from(number(8)?).map_err(|e| bad("a binding", e))?,
        instance: text(9)?,
    })
}
