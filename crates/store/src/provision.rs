//! People and devices as a provisioning file states them: the whole, applied in one transaction.
//! Who is in no file any more is removed, and with a person the keys go.

use crate::error::StoreError;
use crate::keys::{rights_of, rights_text};
use crate::text::{self, bad};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};
use std::collections::BTreeMap;
use undertone_core::directory::{Device, Directory, Person};
use undertone_core::id::{DeviceId, OrgId, PersonId};

/// The state to be reached. Applied again and again, it leads to the same end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provision {
    pub people: Vec<Person>,
    pub devices: Vec<Device>,
}

/// What changed; all zero the second time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub people_written: u64,
    pub devices_written: u64,
    pub people_removed: u64,
    pub devices_removed: u64,
}

pub(crate) async fn apply(
    conn: &mut AnyConnection,
    org: &OrgId,
    what: &Provision,
) -> Result<Applied, StoreError> {
    let before = read(&mut *conn, org).await?;
    let people: BTreeMap<_, _> = what.people.iter().map(|p| (&p.id, p)).collect();
    let devices: BTreeMap<_, _> = what.devices.iter().map(|d| (&d.id, d)).collect();
    let mut applied = Applied::default();
    for (id, person) in &people {
        if before.people.get(*id) != Some(*person) {
            write_person(conn, org, person).await?;
            applied.people_written += 1;
        }
    }
    for (id, device) in &devices {
        if before.devices.get(*id) != Some(*device) {
            write_device(conn, org, device).await?;
            applied.devices_written += 1;
        }
    }
    for id in before.devices.keys().filter(|id| !devices.contains_key(id)) {
        remove(conn, "DELETE FROM device WHERE org_id = $1 AND id = $2", org, id.as_str()).await?;
        applied.devices_removed += 1;
    }
    for id in before.people.keys().filter(|id| !people.contains_key(id)) {
        let keys = "DELETE FROM api_key WHERE org_id = $1 AND person_id = $2";
        remove(conn, keys, org, id.as_str()).await?;
        remove(conn, "DELETE FROM person WHERE org_id = $1 AND id = $2", org, id.as_str()).await?;
        applied.people_removed += 1;
    }
    Ok(applied)
}

async fn write_person(
    conn: &mut AnyConnection,
    org: &OrgId,
    person: &Person,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO person (org_id, id, name, extension, rights) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (org_id, id) DO UPDATE SET name = excluded.name, \
         extension = excluded.extension, rights = excluded.rights",
    )
    .bind(org.as_str())
    .bind(person.id.as_str())
    .bind(person.name.as_str())
    .bind(person.extension.as_deref().unwrap_or(""))
    .bind(rights_text(&person.rights))
    .execute(conn)
    .await?;
    Ok(())
}

async fn write_device(
    conn: &mut AnyConnection,
    org: &OrgId,
    device: &Device,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO device (org_id, id, name, extension, owner_id, contact, net) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, id) DO UPDATE SET \
         name = excluded.name, extension = excluded.extension, owner_id = excluded.owner_id, \
         contact = excluded.contact, net = excluded.net",
    )
    .bind(org.as_str())
    .bind(device.id.as_str())
    .bind(device.name.as_str())
    .bind(device.extension.as_deref().unwrap_or(""))
    .bind(device.owner.as_ref().map_or("", |id| id.as_str()))
    .bind(device.contact.as_str())
    .bind(text::net(device.net))
    .execute(conn)
    .await?;
    Ok(())
}

async fn remove(
    conn: &mut AnyConnection,
    sql: &'static str,
    org: &OrgId,
    id: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(sql).bind(org.as_str()).bind(id).execute(conn).await?;
    Ok(())
}

const PEOPLE: &str = "SELECT id, name, extension, rights FROM person WHERE org_id = $1";
const DEVICES: &str =
    "SELECT id, name, extension, owner_id, contact, net FROM device WHERE org_id = $1";

pub(crate) async fn directory(pool: &AnyPool, org: &OrgId) -> Result<Directory, StoreError> {
    let mut conn = pool.acquire().await?;
    read(&mut conn, org).await
}

/// Counts up with every transaction that wrote; 0 before the first.
pub(crate) async fn version(pool: &AnyPool, org: &OrgId) -> Result<i64, StoreError> {
    let row = sqlx::query("SELECT version FROM directory_version WHERE org_id = $1")
        .bind(org.as_str())
        .fetch_optional(pool)
        .await?;
    Ok(row.map_or(Ok(0), |row| row.try_get(0))?)
}

/// Part of every transaction that writes people, devices or keys.
pub(crate) async fn count_up(conn: &mut AnyConnection, org: &OrgId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO directory_version (org_id, version) VALUES ($1, 1) \
         ON CONFLICT (org_id) DO UPDATE SET version = directory_version.version + 1",
    )
    .bind(org.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

async fn read(conn: &mut AnyConnection, org: &OrgId) -> Result<Directory, StoreError> {
    let people = sqlx::query(PEOPLE).bind(org.as_str()).fetch_all(&mut *conn).await?;
    let devices = sqlx::query(DEVICES).bind(org.as_str()).fetch_all(&mut *conn).await?;
    let mut directory = Directory::empty(org.clone());
    for row in &people {
        let person = read_person(row)?;
        directory.people.insert(person.id.clone(), person);
    }
    for row in &devices {
        let device = read_device(row)?;
        directory.devices.insert(device.id.clone(), device);
    }
    Ok(directory)
}

fn read_person(row: &AnyRow) -> Result<Person, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index);
    Ok(Person {
        id: PersonId::parse(&text(0)?).map_err(|e| bad("a person", e))?,
        name: text(1)?,
        extension: Some(text(2)?).filter(|extension| !extension.is_empty()),
        rights: rights_of(&text(3)?),
    })
}

fn read_device(row: &AnyRow) -> Result<Device, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index);
    let owner = Some(text(3)?).filter(|owner| !owner.is_empty());
    Ok(Device {
        id: DeviceId::parse(&text(0)?).map_err(|e| bad("a device", e))?,
        name: text(1)?,
        extension: Some(text(2)?).filter(|extension| !extension.is_empty()),
        owner: owner.map(|id| PersonId::parse(&id)).transpose().map_err(|e| bad("a device", e))?,
        contact: text(4)?,
        net: text::net_of(&text(5)?)?,
    })
}
