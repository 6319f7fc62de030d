//! Notes of live calls: in and out of their rows, and when each boot was last known to live.

use crate::call_body;
use crate::error::StoreError;
use crate::journal::{Boot, LostCall};
use crate::text::{self, bad};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, AnyPool, Row};
use undertone_core::call::OpenCall;
use undertone_core::id::{CallId, OrgId};
use undertone_core::time::Wall;

/// The JSON of a note. What an older version left out has a default.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Body {
    at: i64,
    grows: call_body::Timing,
    call: call_body::Body,
}

pub(crate) async fn note(
    conn: &mut AnyConnection,
    boot: &Boot,
    call: &OpenCall,
) -> Result<(), sqlx::Error> {
    let body = Body {
        at: call.at.0,
        grows: call_body::write_timing(&call.grows),
        call: call_body::body(&call.record),
    };
    sqlx::query(
        "INSERT INTO open_call (org_id, id, node, epoch, body) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (org_id, id) DO UPDATE SET node = excluded.node, epoch = excluded.epoch, \
         body = excluded.body",
    )
    .bind(call.record.org.as_str())
    .bind(call.record.view.id.as_str())
    .bind(boot.node.as_str())
    .bind(boot.epoch as i64)
    .bind(text::json(&body))
    .execute(conn)
    .await?;
    Ok(())
}

/// False: there was no note of it.
pub(crate) async fn remove(
    conn: &mut AnyConnection,
    org: &OrgId,
    call: &CallId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("DELETE FROM open_call WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(call.as_str())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Earlier boots of the node need no row: whoever writes this has closed what they left.
pub(crate) async fn seen(
    conn: &mut AnyConnection,
    org: &OrgId,
    boot: &Boot,
    at: Wall,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM node_seen WHERE org_id = $1 AND node = $2 AND epoch < $3")
        .bind(org.as_str())
        .bind(boot.node.as_str())
        .bind(boot.epoch as i64)
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "INSERT INTO node_seen (org_id, node, epoch, at_ms) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (org_id, node, epoch) DO UPDATE SET at_ms = excluded.at_ms",
    )
    .bind(org.as_str())
    .bind(boot.node.as_str())
    .bind(boot.epoch as i64)
    .bind(at.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn lost(
    pool: &AnyPool,
    org: &OrgId,
    boot: &Boot,
) -> Result<Vec<LostCall>, StoreError> {
    let rows = sqlx::query(
        "SELECT c.id, c.body, COALESCE(s.at_ms, 0) FROM open_call c LEFT JOIN node_seen s \
         ON s.org_id = c.org_id AND s.node = c.node AND s.epoch = c.epoch \
         WHERE c.org_id = $1 AND c.node = $2 AND c.epoch < $3 ORDER BY c.id",
    )
    .bind(org.as_str())
    .bind(boot.node.as_str())
    .bind(boot.epoch as i64)
    .fetch_all(pool)
    .await?;
    let mut lost = Vec::with_capacity(rows.len());
    for row in rows {
        let id: String = row.try_get(0)?;
        match read(row.try_get(1)?) {
            Ok(call) => lost.push(LostCall { call, seen: Wall(row.try_get(2)?) }),
            // It stays where it is, for a version that can read it; it must not stop the start.
            Err(error) => tracing::error!(call = id, %error, "a lost call cannot be read"),
        }
    }
    Ok(lost)
}

pub(crate) async fn get(
    pool: &AnyPool,
    org: &OrgId,
    id: &CallId,
) -> Result<Option<OpenCall>, StoreError> {
    let row = sqlx::query("SELECT body FROM open_call WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(id.as_str())
        .fetch_optional(pool)
        .await?;
    row.map(|row| read(row.try_get(0)?)).transpose()
}

pub(crate) async fn last_epoch(pool: &AnyPool, org: &OrgId, node: &str) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "SELECT COALESCE(MAX(epoch), 0) FROM (SELECT epoch FROM node_seen WHERE org_id = $1 \
         AND node = $2 UNION SELECT epoch FROM open_call WHERE org_id = $1 AND node = $2) e",
    )
    .bind(org.as_str())
    .bind(node)
    .fetch_one(pool)
    .await?;
    Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
}

fn read(json: String) -> Result<OpenCall, StoreError> {
    let body: Body = serde_json::from_str(&json).map_err(|e| bad("a live call's note", e))?;
    Ok(OpenCall {
        at: Wall(body.at),
        record: call_body::record(body.call)?,
        grows: call_body::read_timing(&body.grows),
    })
}
