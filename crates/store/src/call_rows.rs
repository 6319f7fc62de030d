//! Call records: in and out of their rows.

use crate::call_body;
use crate::error::StoreError;
use crate::journal::{CallFilter, CallPage};
use crate::outcome_rows::{self, outcome_columns, outcome_join};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};
use undertone_core::call::CallRecord;
use undertone_core::id::{CallId, OrgId, PersonId};
use undertone_core::time::Wall;

/// Written again, a record replaces itself: a commit whose answer was lost does no harm.
pub(crate) async fn insert(
    conn: &mut AnyConnection,
    record: &CallRecord,
) -> Result<(), sqlx::Error> {
    let (org, id) = (record.org.as_str(), record.view.id.as_str());
    let started = record.view.started_at.0;
    sqlx::query(
        "INSERT INTO call_record (org_id, id, started_at_ms, ended_at_ms, body) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org_id, id) DO UPDATE SET \
         started_at_ms = excluded.started_at_ms, ended_at_ms = excluded.ended_at_ms, \
         body = excluded.body",
    )
    .bind(org)
    .bind(id)
    .bind(started)
    .bind(record.view.ended_at.map_or(0, |at| at.0))
    .bind(call_body::write(record))
    .execute(&mut *conn)
    .await?;
    let agents = record.agents.iter().map(|person| (person, "agent"));
    let supervisors = record.supervisors.iter().map(|person| (person, "supervisor"));
    for (person, part) in agents.chain(supervisors) {
        sqlx::query(
            "INSERT INTO call_person (org_id, person_id, call_id, started_at_ms, part) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org_id, person_id, call_id) DO NOTHING",
        )
        .bind(org)
        .bind(person.as_str())
        .bind(id)
        .bind(started)
        .bind(part)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

pub(crate) async fn get(
    pool: &AnyPool,
    org: &OrgId,
    id: &CallId,
) -> Result<Option<CallRecord>, StoreError> {
    const ONE: &str = concat!(
        "SELECT c.body, ",
        outcome_columns!(),
        " FROM call_record c",
        outcome_join!(),
        "WHERE c.org_id = $1 AND c.id = $2"
    );
    let row = sqlx::query(ONE).bind(org.as_str()).bind(id.as_str()).fetch_optional(pool).await?;
    row.map(|row| read(&row, 1)).transpose()
}

/// Ended calls that began since then, on which one was an agent and the other supervised.
pub(crate) async fn heard(
    pool: &AnyPool,
    org: &OrgId,
    supervisor: &PersonId,
    agent: &PersonId,
    since: Wall,
) -> Result<u32, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM call_person s JOIN call_person a \
         ON a.org_id = s.org_id AND a.call_id = s.call_id \
         WHERE s.org_id = $1 AND s.person_id = $2 AND s.started_at_ms >= $3 \
         AND s.part <> 'agent' AND a.person_id = $4 AND a.part <> 'supervisor'",
    )
    .bind(org.as_str())
    .bind(supervisor.as_str())
    .bind(since.0)
    .bind(agent.as_str())
    .fetch_one(pool)
    .await?;
    Ok(u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX))
}

fn read(row: &AnyRow, outcome: usize) -> Result<CallRecord, StoreError> {
    let mut record = call_body::read(row.try_get(0)?)?;
    record.view.outcome = outcome_rows::read(row, outcome)?;
    Ok(record)
}

pub(crate) async fn list(
    pool: &AnyPool,
    org: &OrgId,
    filter: CallFilter,
) -> Result<CallPage, StoreError> {
    const ALL: &str = concat!(
        "SELECT c.body, c.started_at_ms, c.id, ",
        outcome_columns!(),
        " FROM call_record c",
        outcome_join!(),
        "WHERE c.org_id = $1 AND $2 = '' AND c.started_at_ms >= $3 AND c.started_at_ms < $4 \
        AND (c.started_at_ms < $5 OR (c.started_at_ms = $5 AND c.id < $6)) \
        ORDER BY c.started_at_ms DESC, c.id DESC LIMIT $7"
    );
    const OF_PERSON: &str = concat!(
        "SELECT c.body, c.started_at_ms, c.id, ",
        outcome_columns!(),
        " FROM call_person p \
        JOIN call_record c ON c.org_id = p.org_id AND c.id = p.call_id",
        outcome_join!(),
        "WHERE p.org_id = $1 AND p.person_id = $2 AND c.started_at_ms >= $3 \
        AND c.started_at_ms < $4 \
        AND (c.started_at_ms < $5 OR (c.started_at_ms = $5 AND c.id < $6)) \
        ORDER BY c.started_at_ms DESC, c.id DESC LIMIT $7"
    );
    let (before_ms, before_id) = match &filter.cursor {
        None => (i64::MAX, ""),
        Some(cursor) => cursor
            .split_once('~')
            .and_then(|(ms, id)| Some((ms.parse().ok()?, id)))
            .ok_or_else(|| StoreError::Refused("the cursor is not one of ours".into()))?,
    };
    let limit = super::journal::page_rows(filter.limit);
    let rows = sqlx::query(if filter.person.is_some() { OF_PERSON } else { ALL })
        .bind(org.as_str())
        .bind(filter.person.as_ref().map_or("", |id| id.as_str()))
        .bind(filter.from.map_or(i64::MIN, |at| at.0))
        .bind(filter.to.map_or(i64::MAX, |at| at.0))
        .bind(before_ms)
        .bind(before_id)
        .bind(limit + 1)
        .fetch_all(pool)
        .await?;
    let more = rows.len() as i64 > limit;
    let mut page = CallPage::default();
    for row in rows.into_iter().take(limit as usize) {
        page.items.push(read(&row, 3)?);
        let (at, id): (i64, String) = (row.try_get(1)?, row.try_get(2)?);
        page.next = more.then(|| format!("{at}~{id}"));
    }
    Ok(page)
}
