//! One database, whichever engine it is: how it is reached, opened and brought up to date.
//!
//! The only file that knows which engine it speaks to; all queries elsewhere are in the subset
//! that both understand.

use crate::error::StoreError;
use crate::store::StoreConfig;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Executor, Row};
use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Once};
use std::time::Duration;

const READERS: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum File {
    Journal,
    Directory,
}

impl File {
    fn name(self) -> &'static str {
        match self {
            File::Journal => "journal",
            File::Directory => "directory",
        }
    }
    /// Its file in a SQLite store's folder.
    pub(crate) fn on_disk(self) -> &'static str {
        match self {
            File::Journal => "journal.db",
            File::Directory => "undertone.db",
        }
    }
    fn scripts(self) -> &'static [&'static str] {
        match self {
            File::Journal => &[
                include_str!("../migrations/journal_1.sql"),
                include_str!("../migrations/journal_2.sql"),
                include_str!("../migrations/journal_3.sql"),
                include_str!("../migrations/journal_4.sql"),
            ],
            File::Directory => &[
                include_str!("../migrations/directory_1.sql"),
                include_str!("../migrations/directory_2.sql"),
                include_str!("../migrations/directory_3.sql"),
                include_str!("../migrations/directory_4.sql"),
                include_str!("../migrations/directory_5.sql"),
                include_str!("../migrations/directory_6.sql"),
                include_str!("../migrations/directory_7.sql"),
            ],
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Db {
    file: File,
    options: Arc<AnyConnectOptions>,
    sqlite: bool,
    /// What errors call it; without the password of a URL.
    label: String,
}

impl Db {
    pub(crate) fn new(config: &StoreConfig, file: File) -> Result<Db, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let (url, label, sqlite) = match config {
            StoreConfig::Sqlite { dir } => {
                let path = dir.join(file.on_disk());
                (sqlite_url(&path), path.display().to_string(), true)
            }
            StoreConfig::Postgres { url } => (url.clone(), "the PostgreSQL database".into(), false),
        };
        let options = AnyConnectOptions::from_str(&url)
            .map_err(|e| open_error(&label, e))?
            .disable_statement_logging();
        Ok(Db { file, options: Arc::new(options), sqlite, label })
    }

    /// The same with an error that says what could not be reached.
    pub(crate) async fn reach(&self) -> Result<AnyConnection, StoreError> {
        self.connect().await.map_err(|e| open_error(&self.label, e))
    }

    pub(crate) fn steps(&self) -> usize {
        self.file.scripts().len()
    }

    /// Steps that ran; 0 where there is no table of them.
    pub(crate) async fn steps_done(&self, conn: &mut AnyConnection) -> usize {
        let row = sqlx::query("SELECT COALESCE(MAX(step), 0) FROM migration WHERE part = $1")
            .bind(self.file.name())
            .fetch_one(conn)
            .await;
        let step = row.and_then(|row| row.try_get::<i64, _>(0)).unwrap_or(0);
        usize::try_from(step).unwrap_or(0)
    }

    pub(crate) async fn connect(&self) -> Result<AnyConnection, sqlx::Error> {
        let mut conn = self.options.connect().await?;
        conn.execute(self.on_connect()).await?;
        Ok(conn)
    }

    fn on_connect(&self) -> &'static str {
        match (self.sqlite, self.file) {
            (false, _) => "SELECT 1",
            // FULL: what is answered as committed survives a power cut.
            (true, File::Journal) => {
                "PRAGMA busy_timeout = 500; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"
            }
            (true, File::Directory) => {
                "PRAGMA busy_timeout = 500; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"
            }
        }
    }

    /// Starts a transaction that will write, so that SQLite takes its lock now and not half-way.
    pub(crate) const fn begin(&self) -> &'static str {
        if self.sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" }
    }

    pub(crate) fn readers(&self) -> AnyPool {
        let sqlite = self.sqlite;
        AnyPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(move |conn, _| {
                Box::pin(async move {
                    if sqlite {
                        conn.execute("PRAGMA busy_timeout = 500; PRAGMA query_only = ON").await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with((*self.options).clone())
    }

    /// Runs what has not run yet, one transaction a step; two processes that start together
    /// wait for each other.
    pub(crate) async fn migrate(&self) -> Result<(), StoreError> {
        let mut conn = self.connect().await.map_err(|e| open_error(&self.label, e))?;
        let failed =
            |e: sqlx::Error| StoreError::Migrate { what: self.label.clone(), source: Arc::new(e) };
        self.migrate_steps(&mut conn).await.map_err(failed)?;
        conn.close().await.map_err(failed)
    }

    async fn migrate_steps(&self, conn: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let mut tries = 0;
        let mut tx = loop {
            match conn.begin_with(self.begin()).await {
                Ok(tx) => break tx,
                Err(e) if is_busy(&e) && tries < 20 => tries += 1, // 10 s in all
                Err(e) => return Err(e),
            }
        };
        if !self.sqlite {
            // An arbitrary constant of ours; held until the transaction ends.
            tx.execute("SELECT pg_advisory_xact_lock(3719246011)").await?;
        }
        tx.execute(
            "CREATE TABLE IF NOT EXISTS migration (org_id TEXT NOT NULL, part TEXT NOT NULL, \
             step BIGINT NOT NULL, PRIMARY KEY (part, step))",
        )
        .await?;
        let row = sqlx::query("SELECT COALESCE(MAX(step), 0) FROM migration WHERE part = $1")
            .bind(self.file.name())
            .fetch_one(&mut *tx)
            .await?;
        let done = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
        for (index, script) in self.file.scripts().iter().enumerate().skip(done) {
            sqlx::raw_sql(*script).execute(&mut *tx).await?;
            sqlx::query("INSERT INTO migration (org_id, part, step) VALUES ('', $1, $2)")
                .bind(self.file.name())
                .bind(index as i64 + 1)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await
    }
}

fn open_error(label: &str, source: sqlx::Error) -> StoreError {
    StoreError::Open { what: label.to_owned(), source: Arc::new(source) }
}

/// Another connection holds the lock: SQLITE_BUSY (5) with its extended codes.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code().map(|c| c.into_owned()));
    code.and_then(|c| c.parse::<u32>().ok()).is_some_and(|c| c & 0xff == 5)
}

/// A path may hold any byte; a URL may not.
fn sqlite_url(path: &Path) -> String {
    let mut url = String::from("sqlite://");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                url.push(*byte as char);
            }
            other => {
                let _ = write!(url, "%{other:02X}");
            }
        }
    }
    url.push_str("?mode=rwc");
    url
}
