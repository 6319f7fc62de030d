//! The audit as it is read: pages, and the walk along the whole chain.

use crate::error::StoreError;
use crate::journal::{AuditFilter, AuditPage, AuditRow, Verified, page_rows};
use crate::text::{self, bad};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};
use undertone_core::audit::{self, AuditEntry, GENESIS, Outcome, Who};
use undertone_core::id::{BadId, OrgId};
use undertone_core::time::Wall;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT org_id, seq, prev_hash, hash, at_ms, person_id, key_id, channel, origin, ",
            "what, call_id, supervision_id, outcome, reasons, detail FROM audit ",
            "WHERE org_id = $1 ",
            $rest
        )
    };
}

/// Rows that the walk reads at a time.
const WALK_ROWS: i64 = 1_000;

pub(crate) async fn page(
    pool: &AnyPool,
    org: &OrgId,
    filter: AuditFilter,
) -> Result<AuditPage, StoreError> {
    // Three forms, so that each uses its index; a parameter that a form has no use for is ''.
    let sql = match (&filter.call, &filter.person) {
        (Some(_), _) => select!(
            "AND call_id = $2 AND ($3 = '' OR person_id = $3) AND at_ms >= $4 AND at_ms < $5 \
             AND seq < $6 ORDER BY seq DESC LIMIT $7"
        ),
        (None, Some(_)) => select!(
            "AND $2 = '' AND person_id = $3 AND at_ms >= $4 AND at_ms < $5 \
             AND seq < $6 ORDER BY seq DESC LIMIT $7"
        ),
        (None, None) => select!(
            "AND $2 = '' AND $3 = '' AND at_ms >= $4 AND at_ms < $5 \
             AND seq < $6 ORDER BY seq DESC LIMIT $7"
        ),
    };
    let limit = page_rows(filter.limit);
    let before = filter.before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX);
    let rows = sqlx::query(sql)
        .bind(org.as_str())
        .bind(filter.call.as_ref().map_or("", |id| id.as_str()))
        .bind(filter.person.as_ref().map_or("", |id| id.as_str()))
        .bind(filter.from.map_or(i64::MIN, |at| at.0))
        .bind(filter.to.map_or(i64::MAX, |at| at.0))
        .bind(before)
        .bind(limit + 1)
        .fetch_all(pool)
        .await?;
    let more = rows.len() as i64 > limit;
    let rows = rows.iter().take(limit as usize);
    let items = rows.map(read).collect::<Result<Vec<_>, _>>()?;
    let next = items.last().map(|row| row.seq).filter(|_| more);
    Ok(AuditPage { items, next })
}

/// The rows after this one, oldest first, at most a walk's step of them.
pub(crate) async fn after(
    pool: &AnyPool,
    org: &OrgId,
    seq: u64,
) -> Result<Vec<AuditRow>, StoreError> {
    let rows = sqlx::query(select!("AND seq > $2 ORDER BY seq LIMIT $3"))
        .bind(org.as_str())
        .bind(seq as i64)
        .bind(WALK_ROWS)
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// Walks the chain from its first row: every row in its place, every hash as computed.
pub(crate) async fn verify(pool: &AnyPool, org: &OrgId) -> Result<Verified, StoreError> {
    let (mut seq, mut head) = (0u64, GENESIS);
    loop {
        let rows = sqlx::query(select!("AND seq > $2 ORDER BY seq LIMIT $3"))
            .bind(org.as_str())
            .bind(seq as i64)
            .bind(WALK_ROWS)
            .fetch_all(pool)
            .await?;
        if rows.is_empty() {
            return Ok(Verified::Whole { rows: seq, head });
        }
        for row in &rows {
            let broken = |why: &str| Ok(Verified::Broken { seq: seq + 1, why: why.to_owned() });
            let row = match read(row) {
                Ok(row) => row,
                Err(error) => return broken(&error.to_string()),
            };
            if row.seq != seq + 1 {
                return broken("the row is missing");
            }
            if row.prev_hash != head {
                return broken("it does not name the row before it");
            }
            if audit::hash(&head, &row.entry.canonical()) != row.hash {
                return broken("its content is not what was hashed");
            }
            (seq, head) = (row.seq, row.hash);
        }
    }
}

fn read(row: &AnyRow) -> Result<AuditRow, StoreError> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let hash = |name: &str| text::unhex(&text(name)?).ok_or_else(|| bad("an audit row", name));
    let list = |name: &str| -> Result<Vec<String>, StoreError> {
        serde_json::from_str(&text(name)?).map_err(|e| bad("an audit row", e))
    };
    let outcome = match text("outcome")?.as_str() {
        "allowed" => Outcome::Allowed,
        "refused" => Outcome::Refused(list("reasons")?),
        other => return Err(bad("an audit row", format!("unknown outcome {other:?}"))),
    };
    let channel = text("channel")?;
    let entry = AuditEntry {
        org: id(text("org_id")?, OrgId::parse)?.ok_or_else(|| bad("an audit row", "org"))?,
        at: Wall(row.try_get("at_ms")?),
        who: Who {
            person: id(text("person_id")?, undertone_core::id::PersonId::parse)?,
            key: id(text("key_id")?, undertone_core::id::KeyId::parse)?,
            channel: match channel.as_str() {
                "" => None,
                word => Some(text::channel_of(word)?),
            },
            origin: text("origin")?,
        },
        what: text("what")?,
        call: id(text("call_id")?, undertone_core::id::CallId::parse)?,
        supervision: id(text("supervision_id")?, undertone_core::id::SupervisionId::parse)?,
        outcome,
        detail: serde_json::from_str(&text("detail")?).map_err(|e| bad("an audit row", e))?,
    };
    let seq = row.try_get::<i64, _>("seq")? as u64;
    Ok(AuditRow { seq, prev_hash: hash("prev_hash")?, hash: hash("hash")?, entry })
}

fn id<T>(text: String, parse: impl Fn(&str) -> Result<T, BadId>) -> Result<Option<T>, StoreError> {
    if text.is_empty() {
        return Ok(None);
    }
    parse(&text).map(Some).map_err(|e| bad("an id", e))
}
