//! The journal's one writer: takes all that waits, commits it in one transaction, then answers
//! every waiter.
//!
//! A database that is away or locked costs no row: the batch is tried again until it is in.
//! A commit whose answer was lost is recognised by its place and hash in the chain, so no row
//! is written twice.

use crate::db::Db;
use crate::error::StoreError;
use crate::queue::{Item, Queue, Waiting};
use crate::{call_rows, open_rows, outcome_rows, text};
use sqlx::{AnyConnection, Connection, Row};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use undertone_core::audit::{self, AuditEntry, GENESIS, Outcome};
use undertone_core::id::OrgId;

const RETRY_FIRST: Duration = Duration::from_millis(20);
const RETRY_MOST: Duration = Duration::from_millis(500);
/// A statement that hangs this long is given up with its connection, and tried on another.
const ATTEMPT: Duration = Duration::from_secs(15);

/// The end of the chain.
#[derive(Clone, Copy)]
struct Head {
    seq: u64,
    hash: [u8; 32],
}

/// What one attempt wrote, should its commit have been taken and only the answer be lost.
struct Attempt {
    head: Head,
    seqs: Vec<u64>,
}

pub(crate) async fn run(db: Db, org: OrgId, queue: Arc<Queue>) {
    let mut conn = None;
    while let Some(batch) = queue.take().await {
        let seqs = commit(&db, &org, &queue, &mut conn, &batch).await;
        queue.committed(batch.iter().filter(|waiting| waiting.waiter.is_some()).count());
        for (waiting, seq) in batch.into_iter().zip(seqs) {
            // Nobody waits: it is written all the same.
            let _ = waiting.waiter.map(|waiter| waiter.send(Ok(seq)));
        }
    }
    if let Some(conn) = conn {
        let _ = conn.close().await;
    }
}

/// Does not return before the batch is in.
async fn commit(
    db: &Db,
    org: &OrgId,
    queue: &Queue,
    conn: &mut Option<AnyConnection>,
    batch: &[Waiting],
) -> Vec<u64> {
    let mut attempted: Vec<Attempt> = Vec::new();
    let mut wait = RETRY_FIRST;
    let mut told = false;
    loop {
        let attempt = attempt(db, org, conn, batch, &mut attempted);
        let error = match tokio::time::timeout(ATTEMPT, attempt).await {
            Ok(Ok(seqs)) => {
                if told {
                    tracing::info!(rows = batch.len(), "the journal is writable again");
                }
                return seqs;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        *conn = None; // whatever state it is in, a new one starts clean
        queue.retries.fetch_add(1, Ordering::Relaxed);
        if !told {
            told = true;
            let waiting = queue.waiting();
            tracing::error!(error, waiting, "the journal cannot be written; its rows wait");
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(RETRY_MOST);
    }
}

async fn attempt(
    db: &Db,
    org: &OrgId,
    conn: &mut Option<AnyConnection>,
    batch: &[Waiting],
    attempted: &mut Vec<Attempt>,
) -> Result<Vec<u64>, sqlx::Error> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(db.connect().await?),
    };
    let mut tx = conn.begin_with(db.begin()).await?;
    for earlier in attempted.iter() {
        if is_in(&mut tx, org, earlier.head).await? {
            return Ok(earlier.seqs.clone());
        }
    }
    let before = head(&mut tx, org).await?;
    let mut head = before;
    let mut seqs = Vec::with_capacity(batch.len());
    for waiting in batch {
        seqs.push(write(&mut tx, org, &mut head, &waiting.item).await?);
    }
    if head.seq > before.seq {
        // What else there is replaces itself: written twice, it is written once.
        attempted.push(Attempt { head, seqs: seqs.clone() });
    }
    tx.commit().await?;
    Ok(seqs)
}

/// The sequence number of the (last) audit row that the item brought; 0 if none.
async fn write(
    conn: &mut AnyConnection,
    org: &OrgId,
    head: &mut Head,
    item: &Item,
) -> Result<u64, sqlx::Error> {
    match item {
        Item::Audit(entry) => {
            *head = insert(conn, *head, entry).await?;
            Ok(head.seq)
        }
        Item::End { rows, record, if_open } => {
            let was_open = open_rows::remove(conn, org, &record.view.id).await?;
            if *if_open && !was_open {
                return Ok(0);
            }
            for entry in rows {
                *head = insert(conn, *head, entry).await?;
            }
            call_rows::insert(conn, record).await?;
            Ok(if rows.is_empty() { 0 } else { head.seq })
        }
        Item::Outcome(said) => {
            outcome_rows::say(conn, org, &said.0).await?;
            *head = insert(conn, *head, &said.1).await?;
            Ok(head.seq)
        }
        Item::Note(boot, call) => open_rows::note(conn, boot, call).await.map(|()| 0),
        Item::Seen(boot, at) => open_rows::seen(conn, org, boot, *at).await.map(|()| 0),
        Item::Settle(_) => Ok(0),
    }
}

/// Whether an earlier attempt that ended in `last` was committed after all.
async fn is_in(conn: &mut AnyConnection, org: &OrgId, last: Head) -> Result<bool, sqlx::Error> {
    let found = sqlx::query("SELECT 1 FROM audit WHERE org_id = $1 AND seq = $2 AND hash = $3")
        .bind(org.as_str())
        .bind(last.seq as i64)
        .bind(text::hex(&last.hash))
        .fetch_optional(conn)
        .await?;
    Ok(found.is_some())
}

async fn head(conn: &mut AnyConnection, org: &OrgId) -> Result<Head, sqlx::Error> {
    let row =
        sqlx::query("SELECT seq, hash FROM audit WHERE org_id = $1 ORDER BY seq DESC LIMIT 1")
            .bind(org.as_str())
            .fetch_optional(conn)
            .await?;
    let Some(row) = row else { return Ok(Head { seq: 0, hash: GENESIS }) };
    let hash: String = row.try_get(1)?;
    let hash = text::unhex(&hash)
        .ok_or_else(|| sqlx::Error::Decode("the last row's hash is not 64 hex digits".into()))?;
    Ok(Head { seq: row.try_get::<i64, _>(0)? as u64, hash })
}

async fn insert(
    conn: &mut AnyConnection,
    head: Head,
    entry: &AuditEntry,
) -> Result<Head, sqlx::Error> {
    let seq = head.seq + 1;
    let hash = audit::hash(&head.hash, &entry.canonical());
    let (outcome, reasons) = match &entry.outcome {
        Outcome::Allowed => ("allowed", String::from("[]")),
        Outcome::Refused(reasons) => ("refused", text::json(reasons)),
    };
    sqlx::query(
        "INSERT INTO audit (org_id, seq, prev_hash, hash, at_ms, person_id, key_id, channel, \
         origin, what, call_id, supervision_id, outcome, reasons, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(entry.org.as_str())
    .bind(seq as i64)
    .bind(text::hex(&head.hash))
    .bind(text::hex(&hash))
    .bind(entry.at.0)
    .bind(entry.who.person.as_ref().map_or("", |id| id.as_str()))
    .bind(entry.who.key.as_ref().map_or("", |id| id.as_str()))
    .bind(entry.who.channel.map_or("", text::channel))
    .bind(entry.who.origin.as_str())
    .bind(entry.what.as_str())
    .bind(entry.call.as_ref().map_or("", |id| id.as_str()))
    .bind(entry.supervision.as_ref().map_or("", |id| id.as_str()))
    .bind(outcome)
    .bind(reasons)
    .bind(text::json(&entry.detail))
    .execute(conn)
    .await?;
    Ok(Head { seq, hash })
}

/// PostgreSQL takes no NUL in text, and a row that can never be written would block all behind
/// it; so such a character is replaced before the row is hashed.
pub(crate) fn cleaned(mut entry: AuditEntry) -> AuditEntry {
    let clean = |text: &mut String| {
        if text.contains('\0') {
            *text = text.replace('\0', "\u{fffd}");
        }
    };
    clean(&mut entry.who.origin);
    clean(&mut entry.what);
    if let Outcome::Refused(reasons) = &mut entry.outcome {
        reasons.iter_mut().for_each(clean);
    }
    if entry.detail.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        let detail = std::mem::take(&mut entry.detail);
        entry.detail = detail
            .into_iter()
            .map(|(mut name, mut value)| {
                clean(&mut name);
                clean(&mut value);
                (name, value)
            })
            .collect();
    }
    entry
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        StoreError::query("reading the database")(source)
    }
}
