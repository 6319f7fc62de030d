//! Numbers of ours, routes, who may call out, caps and emergency numbers as rows. They are lists
//! in order: a changed list is written anew, whole.

use crate::error::StoreError;
use crate::text::{bad, words_of, words_text};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use undertone_core::directory::Facts;
use undertone_core::id::{DeviceId, OrgId, PersonId, TrunkId};
use undertone_core::number::{Number, Pattern};
use undertone_core::trunk::{
    Cap, Change, DestinationCap, Emergency, NumberTo, Outbound, OwnNumber, People, Route,
};

/// A row's columns by number, with what is wrong with them.
struct Columns<'a>(&'a AnyRow);

impl Columns<'_> {
    fn text(&self, index: usize) -> Result<String, StoreError> {
        Ok(self.0.try_get(index)?)
    }
    fn whole(&self, index: usize) -> Result<u32, StoreError> {
        let value: i64 = self.0.try_get(index)?;
        u32::try_from(value).map_err(|e| bad("a route", e))
    }
    fn pattern(&self, index: usize) -> Result<Pattern, StoreError> {
        Pattern::parse(&self.text(index)?).map_err(|e| bad("a route", e))
    }
    fn number(&self, index: usize) -> Result<Option<Number>, StoreError> {
        let text = Some(self.text(index)?).filter(|text| !text.is_empty());
        text.map(|text| Number::parse(&text)).transpose().map_err(|e| bad("a route", e))
    }
    fn strip(&self, index: usize) -> Result<u8, StoreError> {
        u8::try_from(self.whole(index)?).map_err(|e| bad("a route", e))
    }
    fn words<T, C: FromIterator<T>, E: ToString>(
        &self,
        index: usize,
        one: impl Fn(&str) -> Result<T, E>,
    ) -> Result<C, StoreError> {
        words_of(&self.text(index)?, one)
    }
    fn cap(&self, index: usize) -> Result<Cap, StoreError> {
        let (calls_max, calls_an_hour_max) = (self.whole(index)?, self.whole(index + 1)?);
        Ok(Cap { calls_max, calls_an_hour_max })
    }
}

/// Reads one table in order.
async fn list<T>(
    conn: &mut AnyConnection,
    org: &OrgId,
    sql: &'static str,
    one: impl Fn(&Columns<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let rows = sqlx::query(sql).bind(org.as_str()).fetch_all(conn).await?;
    rows.iter().map(|row| one(&Columns(row))).collect()
}

/// Everything here into the facts.
pub(crate) async fn read(
    conn: &mut AnyConnection,
    org: &OrgId,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    facts.numbers = list(
        &mut *conn,
        org,
        "SELECT pattern, from_trunks, target_kind, target, strip FROM own_number \
         WHERE org_id = $1 ORDER BY position",
        own_number,
    )
    .await?;
    facts.routes = list(
        &mut *conn,
        org,
        "SELECT pattern, from_trunks, strip, prepend, trunks, transparent FROM route \
         WHERE org_id = $1 ORDER BY position",
        route,
    )
    .await?;
    facts.outbound = list(
        &mut *conn,
        org,
        "SELECT all_people, people, devices, trunks, patterns, calls_max, calls_an_hour_max \
         FROM outbound WHERE org_id = $1 ORDER BY position",
        outbound,
    )
    .await?;
    facts.caps = list(
        &mut *conn,
        org,
        "SELECT pattern, calls_max, calls_an_hour_max FROM destination_cap \
         WHERE org_id = $1 ORDER BY position",
        |row| Ok(DestinationCap { to: row.pattern(0)?, cap: row.cap(1)? }),
    )
    .await?;
    let emergency =
        list(conn, org, "SELECT numbers, trunks FROM emergency WHERE org_id = $1", |row| {
            let (numbers, trunks) = (row.words(0, Number::parse)?, row.words(1, TrunkId::parse)?);
            Ok(Emergency { numbers, trunks })
        })
        .await?;
    facts.emergency = emergency.into_iter().next().unwrap_or_default();
    Ok(())
}

fn own_number(row: &Columns<'_>) -> Result<OwnNumber, StoreError> {
    let target = row.text(3)?;
    let wrong = |e: undertone_core::id::BadId| bad("a number", e);
    let to = match row.text(2)?.as_str() {
        "device" => NumberTo::Device(DeviceId::parse(&target).map_err(wrong)?),
        "person" => NumberTo::Person(PersonId::parse(&target).map_err(wrong)?),
        "number" => NumberTo::Number(Number::parse(&target).map_err(|e| bad("a number", e))?),
        "changed" => NumberTo::Changed(Change { strip: row.strip(4)?, prepend: row.number(3)? }),
        other => return Err(bad("a number", format!("unknown target {other:?}"))),
    };
    Ok(OwnNumber { pattern: row.pattern(0)?, from: row.words(1, TrunkId::parse)?, to })
}

fn route(row: &Columns<'_>) -> Result<Route, StoreError> {
    Ok(Route {
        pattern: row.pattern(0)?,
        from: row.words(1, TrunkId::parse)?,
        change: Change { strip: row.strip(2)?, prepend: row.number(3)? },
        trunks: row.words(4, TrunkId::parse)?,
        transparent: row.whole(5)? != 0,
    })
}

fn outbound(row: &Columns<'_>) -> Result<Outbound, StoreError> {
    Ok(Outbound {
        people: match row.whole(0)? {
            0 => People::These(row.words(1, PersonId::parse)?),
            _ => People::All,
        },
        devices: row.words(2, DeviceId::parse)?,
        trunks: row.words(3, TrunkId::parse)?,
        to: row.words(4, Pattern::parse)?,
        cap: row.cap(5)?,
    })
}

/// A value of a column.
enum Cell {
    Text(String),
    Whole(i64),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}
impl From<u32> for Cell {
    fn from(value: u32) -> Self {
        Cell::Whole(i64::from(value))
    }
}

/// A list takes the place of what is stored.
async fn rewrite(
    conn: &mut AnyConnection,
    org: &OrgId,
    clear: &'static str,
    insert: &'static str,
    rows: Vec<Vec<Cell>>,
) -> Result<(), sqlx::Error> {
    sqlx::query(clear).bind(org.as_str()).execute(&mut *conn).await?;
    for (position, row) in rows.into_iter().enumerate() {
        let mut query = sqlx::query(insert).bind(org.as_str()).bind(position as i64);
        for cell in row {
            query = match cell {
                Cell::Text(text) => query.bind(text),
                Cell::Whole(value) => query.bind(value),
            };
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

pub(crate) async fn write_numbers(
    conn: &mut AnyConnection,
    org: &OrgId,
    numbers: &[OwnNumber],
) -> Result<(), sqlx::Error> {
    let row = |own: &OwnNumber| {
        let (kind, target, strip) = match &own.to {
            NumberTo::Device(id) => ("device", id.to_string(), 0),
            NumberTo::Person(id) => ("person", id.to_string(), 0),
            NumberTo::Number(number) => ("number", number.to_string(), 0),
            NumberTo::Changed(Change { strip, prepend }) => {
                ("changed", prepend_text(prepend.as_ref()), u32::from(*strip))
            }
        };
        let kind = kind.to_owned();
        vec![
            own.pattern.to_string().into(),
            words_text(&own.from).into(),
            kind.into(),
            target.into(),
            strip.into(),
        ]
    };
    rewrite(
        conn,
        org,
        "DELETE FROM own_number WHERE org_id = $1",
        "INSERT INTO own_number (org_id, position, pattern, from_trunks, target_kind, target, \
         strip) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        numbers.iter().map(row).collect(),
    )
    .await
}

fn prepend_text(prepend: Option<&Number>) -> String {
    prepend.map(Number::to_string).unwrap_or_default()
}

pub(crate) async fn write_routes(
    conn: &mut AnyConnection,
    org: &OrgId,
    routes: &[Route],
) -> Result<(), sqlx::Error> {
    let row = |route: &Route| {
        vec![
            route.pattern.to_string().into(),
            words_text(&route.from).into(),
            u32::from(route.change.strip).into(),
            prepend_text(route.change.prepend.as_ref()).into(),
            words_text(&route.trunks).into(),
            u32::from(route.transparent).into(),
        ]
    };
    rewrite(
        conn,
        org,
        "DELETE FROM route WHERE org_id = $1",
        "INSERT INTO route (org_id, position, pattern, from_trunks, strip, prepend, trunks, \
         transparent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        routes.iter().map(row).collect(),
    )
    .await
}

pub(crate) async fn write_outbound(
    conn: &mut AnyConnection,
    org: &OrgId,
    outbound: &[Outbound],
) -> Result<(), sqlx::Error> {
    let row = |entry: &Outbound| {
        let (all, people) = match &entry.people {
            People::All => (1, String::new()),
            People::These(people) => (0, words_text(people)),
        };
        vec![
            Cell::Whole(all),
            people.into(),
            words_text(&entry.devices).into(),
            words_text(&entry.trunks).into(),
            words_text(&entry.to).into(),
            entry.cap.calls_max.into(),
            entry.cap.calls_an_hour_max.into(),
        ]
    };
    rewrite(
        conn,
        org,
        "DELETE FROM outbound WHERE org_id = $1",
        "INSERT INTO outbound (org_id, position, all_people, people, devices, trunks, patterns, \
         calls_max, calls_an_hour_max) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        outbound.iter().map(row).collect(),
    )
    .await
}

pub(crate) async fn write_caps(
    conn: &mut AnyConnection,
    org: &OrgId,
    caps: &[DestinationCap],
) -> Result<(), sqlx::Error> {
    let row = |cap: &DestinationCap| {
        let Cap { calls_max, calls_an_hour_max } = cap.cap;
        vec![cap.to.to_string().into(), calls_max.into(), calls_an_hour_max.into()]
    };
    rewrite(
        conn,
        org,
        "DELETE FROM destination_cap WHERE org_id = $1",
        "INSERT INTO destination_cap (org_id, position, pattern, calls_max, calls_an_hour_max) \
         VALUES ($1, $2, $3, $4, $5)",
        caps.iter().map(row).collect(),
    )
    .await
}

pub(crate) async fn write_emergency(
    conn: &mut AnyConnection,
    org: &OrgId,
    emergency: &Emergency,
) -> Result<(), sqlx::Error> {
    let clear = sqlx::query("DELETE FROM emergency WHERE org_id = $1");
    clear.bind(org.as_str()).execute(&mut *conn).await?;
    sqlx::query("INSERT INTO emergency (org_id, numbers, trunks) VALUES ($1, $2, $3)")
        .bind(org.as_str())
        .bind(words_text(&emergency.numbers))
        .bind(words_text(&emergency.trunks))
        .execute(conn)
        .await?;
    Ok(())
}
