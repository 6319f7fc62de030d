//! Looking after a database from outside a server: whether it can be reached and written, and a
//! copy of it while it is in use.

use crate::db::{Db, File};
use crate::error::StoreError;
use crate::private;
use crate::store::StoreConfig;
use sqlx::{AnyConnection, Connection, Executor, Row};
use std::path::Path;
use std::sync::Arc;
use undertone_core::id::OrgId;
use undertone_core::time::Wall;

/// What a look at a database found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Steps that `undertone migrate`, or the next start, will run.
    pub steps_missing: usize,
    /// Of the newest row of the audit.
    pub last_row_at: Option<Wall>,
}

/// Connects, writes and takes it back. Changes nothing, not even tables that are behind.
pub async fn examine(config: &StoreConfig, org: &OrgId) -> Result<Health, StoreError> {
    let mut health = Health { steps_missing: 0, last_row_at: None };
    for file in [File::Journal, File::Directory] {
        let db = Db::new(config, file)?;
        let mut conn = db.reach().await?;
        let failed = StoreError::query("writing to the database");
        let mut tx = conn.begin_with(db.begin()).await.map_err(failed)?;
        let failed = StoreError::query("writing to the database");
        tx.execute("CREATE TABLE doctor_was_here (org_id TEXT)").await.map_err(failed)?;
        tx.rollback().await.map_err(StoreError::query("taking back what was written"))?;
        let done = db.steps_done(&mut conn).await;
        health.steps_missing += db.steps() - done.min(db.steps());
        if file == File::Journal && done > 0 {
            health.last_row_at = last_row(&mut conn, org).await?;
        }
        let _ = conn.close().await;
    }
    Ok(health)
}

async fn last_row(conn: &mut AnyConnection, org: &OrgId) -> Result<Option<Wall>, StoreError> {
    let row = sqlx::query("SELECT at_ms FROM audit WHERE org_id = $1 ORDER BY seq DESC LIMIT 1")
        .bind(org.as_str())
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok(Wall(row.try_get(0)?))).transpose()
}

/// Copies the files of a SQLite store into a folder that has none yet, each as it stands at one
/// instant; a server may go on writing. Elsewhere than on SQLite it is refused.
pub async fn backup(config: &StoreConfig, into: &Path) -> Result<(), StoreError> {
    if !matches!(config, StoreConfig::Sqlite { .. }) {
        return Err(StoreError::Refused("this copies SQLite only; use pg_dump".into()));
    }
    for file in [File::Journal, File::Directory] {
        let to = into.join(file.on_disk());
        let unreadable = || StoreError::Refused(format!("{} is not a text", to.display()));
        let name = to.to_str().ok_or_else(unreadable)?.to_owned();
        // SQLite fills a file that is there and empty.
        private::file(&to)?;
        let mut conn = Db::new(config, file)?.reach().await?;
        let copied = sqlx::query("VACUUM INTO $1").bind(name).execute(&mut conn).await;
        copied.map_err(StoreError::query("copying the database"))?;
        let _ = conn.close().await;
        // The copy is a plain file to SQLite: that it survives a power cut is up to us.
        let kept = std::fs::File::open(&to).and_then(|file| file.sync_all());
        kept.map_err(|source| StoreError::Open {
            what: to.display().to_string(),
            source: Arc::new(source),
        })?;
    }
    Ok(())
}
