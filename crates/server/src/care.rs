//! Looking after the data: bring tables up to date, copy them out and back in, export the audit.
//! Owns files and folders; what is in them is the store's.

use crate::config::Config;
use crate::lock::DataLock;
use crate::serve::{open_store, org, store_config};
use anyhow::{Context, bail};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use undertone_store::{StoreConfig, Verified, backup, examine, private};

/// What a backup holds; of a SQLite store, all there is.
const FILES: [&str; 2] = ["journal.db", "undertone.db"];
/// The boot counter, part of every call's id.
const BOOT: &str = "boot";

/// Steps that were run.
pub async fn migrate(config: &Config) -> anyhow::Result<usize> {
    let missing = match &config.database_url {
        None if !config.data.join(FILES[0]).exists() => None,
        _ => Some(examine(&store_config(config), &org()?).await?.steps_missing),
    };
    open_store(config).await?.close().await;
    let health = examine(&store_config(config), &org()?).await?;
    if health.steps_missing > 0 {
        bail!("{} steps are still missing", health.steps_missing);
    }
    Ok(missing.unwrap_or(0))
}

fn sqlite_only(config: &Config) -> anyhow::Result<()> {
    match store_config(config) {
        StoreConfig::Sqlite { .. } => Ok(()),
        StoreConfig::Postgres { .. } => {
            bail!("the data is in PostgreSQL: use pg_dump and pg_restore")
        }
    }
}

/// A consistent copy, also of a running server, into a folder that is new or empty. The copy's
/// audit is verified before this says that it is done.
pub async fn copy_out(config: &Config, into: &Path) -> anyhow::Result<u64> {
    sqlite_only(config)?;
    let data = &config.data;
    for name in FILES {
        if !data.join(name).exists() {
            bail!("there is no {} to copy", data.join(name).display());
        }
    }
    private::folder(into)?;
    let mut there = std::fs::read_dir(into)?;
    if there.next().is_some() {
        bail!("{} is not empty: a backup goes into a new folder", into.display());
    }
    backup(&store_config(config), into).await?;
    if data.join(BOOT).exists() {
        copy(&data.join(BOOT), &into.join(BOOT))?;
    }
    File::open(into)?.sync_all().context("the backup's folder")?;
    verified(into).await
}

/// Puts a backup where a server will find it. A folder that holds data already is left alone.
pub async fn copy_in(config: &Config, from: &Path) -> anyhow::Result<u64> {
    sqlite_only(config)?;
    let data = &config.data;
    private::folder(data)?;
    let _lock = DataLock::take(data)?;
    for name in FILES {
        if !from.join(name).exists() {
            bail!("{} holds no {name}: it is no backup", from.display());
        }
        if data.join(name).exists() {
            bail!("{} is there already: move it away first", data.join(name).display());
        }
    }
    for name in FILES.iter().chain([&BOOT]).filter(|name| from.join(name).exists()) {
        copy(&from.join(name), &data.join(name))?;
    }
    File::open(data)?.sync_all().context("the data folder")?;
    verified(data).await
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    private::file(to)?;
    let mut file = File::create(to).with_context(|| format!("cannot write {}", to.display()))?;
    let copied = File::open(from).and_then(|mut from| std::io::copy(&mut from, &mut file));
    let copied = copied.and_then(|_| file.sync_all());
    copied.with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

/// The rows of the audit in this folder, if its chain is whole.
async fn verified(folder: &Path) -> anyhow::Result<u64> {
    let config = Config { data: PathBuf::from(folder), ..Config::default() };
    let store = open_store(&config).await?;
    let verified = store.verify().await;
    store.close().await;
    match verified? {
        Verified::Whole { rows, .. } => Ok(rows),
        Verified::Broken { seq, why } => bail!("the copy's audit is broken at row {seq}: {why}"),
    }
}

/// Every row, oldest first, one JSON object a line, as in `GET /audit`.
pub async fn export_audit(config: &Config, mut to: impl Write) -> anyhow::Result<()> {
    let store = open_store(config).await?;
    let mut last = 0;
    loop {
        let rows = store.audit_after(last).await?;
        let Some(newest) = rows.last().map(|row| row.seq) else { break };
        last = newest;
        for row in rows {
            let undertone_store::AuditRow { seq, prev_hash, hash, entry } = row;
            let row = undertone_api::AuditRow { seq, prev_hash, hash, entry };
            writeln!(to, "{}", undertone_api::audit_line(row)).context("cannot write the audit")?;
        }
    }
    to.flush().context("cannot write the audit")?;
    store.close().await;
    Ok(())
}
