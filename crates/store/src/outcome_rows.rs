//! What came of calls: one row a call, replaced as more is said. Only the journal's one writer
//! writes it, so that to read, add and write again loses nothing.

use crate::error::StoreError;
use crate::text::bad;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};
use undertone_core::id::{CallId, OrgId, PersonId};
use undertone_core::outcome::{Outcome, OutcomeSaid};
use undertone_core::time::Wall;

/// What is said of a call, by whom and when.
#[derive(Clone, Debug)]
pub struct SaidOutcome {
    pub call: CallId,
    pub said: OutcomeSaid,
    pub at: Wall,
    pub by: (PersonId, String),
}

/// Of a call that is `c`; where there is none the version is 0.
macro_rules! outcome_columns {
    () => {
        "COALESCE(o.version, 0), COALESCE(o.csat, 0), COALESCE(o.resolved, -1), \
         COALESCE(o.reason, ''), COALESCE(o.disposition, ''), COALESCE(o.has_value, 0), \
         COALESCE(o.value_hundredths, 0), COALESCE(o.at_ms, 0), COALESCE(o.person_id, ''), \
         COALESCE(o.person_name, '')"
    };
}
macro_rules! outcome_join {
    () => {
        " LEFT JOIN call_outcome o ON o.org_id = c.org_id AND o.call_id = c.id "
    };
}
pub(crate) use {outcome_columns, outcome_join};

/// The columns of `outcome_columns` from this one on.
pub(crate) fn read(row: &AnyRow, first: usize) -> Result<Option<Outcome>, StoreError> {
    let number = |n: usize| row.try_get::<i64, _>(first + n);
    let text = |n: usize| row.try_get::<String, _>(first + n);
    let version = number(0)?;
    if version == 0 {
        return Ok(None);
    }
    let (csat, resolved) = (number(1)?, number(2)?);
    let said = |text: String| (!text.is_empty()).then_some(text);
    let value = (number(5)? != 0).then_some(number(6)?);
    let by = PersonId::parse(&text(8)?).map_err(|e| bad("an outcome", e))?;
    Ok(Some(Outcome {
        csat: u8::try_from(csat).ok().filter(|csat| *csat > 0),
        resolved: (resolved >= 0).then_some(resolved != 0),
        reason: said(text(3)?),
        disposition: said(text(4)?),
        value_hundredths: value,
        at: Wall(number(7)?),
        by: Some((by, text(9)?)),
        version: version.unsigned_abs(),
    }))
}

const ONE: &str = concat!(
    "SELECT ",
    outcome_columns!(),
    " FROM call_outcome o WHERE o.org_id = $1 AND o.call_id = $2"
);

pub(crate) async fn get(
    pool: &AnyPool,
    org: &OrgId,
    call: &CallId,
) -> Result<Option<Outcome>, StoreError> {
    let row = sqlx::query(ONE).bind(org.as_str()).bind(call.as_str()).fetch_optional(pool).await?;
    row.map_or(Ok(None), |row| read(&row, 0))
}

pub(crate) async fn say(
    conn: &mut AnyConnection,
    org: &OrgId,
    what: &SaidOutcome,
) -> Result<(), sqlx::Error> {
    let found = sqlx::query(ONE).bind(org.as_str()).bind(what.call.as_str());
    let before = match found.fetch_optional(&mut *conn).await? {
        Some(row) => read(&row, 0).map_err(|e| sqlx::Error::Decode(e.into()))?,
        None => None,
    };
    let now = before.unwrap_or_default().with(&what.said, what.at, what.by.clone());
    let (person, name) = &what.by;
    sqlx::query(
        "INSERT INTO call_outcome (org_id, call_id, csat, resolved, reason, disposition, \
         has_value, value_hundredths, at_ms, person_id, person_name, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (org_id, call_id) DO UPDATE SET csat = excluded.csat, \
         resolved = excluded.resolved, reason = excluded.reason, \
         disposition = excluded.disposition, has_value = excluded.has_value, \
         value_hundredths = excluded.value_hundredths, at_ms = excluded.at_ms, \
         person_id = excluded.person_id, person_name = excluded.person_name, \
         version = excluded.version",
    )
    .bind(org.as_str())
    .bind(what.call.as_str())
    .bind(i64::from(now.csat.unwrap_or(0)))
    .bind(now.resolved.map_or(-1, i64::from))
    .bind(now.reason.unwrap_or_default())
    .bind(now.disposition.unwrap_or_default())
    .bind(i64::from(now.value_hundredths.is_some()))
    .bind(now.value_hundredths.unwrap_or(0))
    .bind(now.at.0)
    .bind(person.as_str())
    .bind(name.replace('\0', "\u{fffd}"))
    .bind(now.version as i64)
    .execute(conn)
    .await?;
    Ok(())
}
