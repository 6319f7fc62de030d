//! People, devices, trunks and routes as a provisioning file states them: the whole, applied in
//! one transaction. What is in no file any more is removed, and with a person the keys go.

use crate::accounts::{self, Account};
use crate::error::StoreError;
use crate::keys::{rights_of, rights_text};
use crate::pins::{self, PinHash};
use crate::text::{self, bad};
use crate::{labels, logins, routes, trunks};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};
use std::collections::BTreeMap;
use undertone_core::access::Right;
use undertone_core::contact::Contact;
use undertone_core::directory::{Device, Directory, Facts, Person};
use undertone_core::id::{DeviceId, OrgId, PersonId};
use undertone_core::trunk::{DestinationCap, Emergency, Outbound, OwnNumber, Route, Trunk};

/// The state to be reached. Applied again and again, it leads to the same end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provision {
    pub people: Vec<Person>,
    pub devices: Vec<Device>,
    pub accounts: Vec<Account>,
    pub pins: Vec<PinHash>,
    pub trunks: Vec<Trunk>,
    pub numbers: Vec<OwnNumber>,
    pub routes: Vec<Route>,
    pub outbound: Vec<Outbound>,
    pub caps: Vec<DestinationCap>,
    pub emergency: Emergency,
}

/// What changed; all zero the second time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub people_written: u64,
    pub devices_written: u64,
    pub trunks_written: u64,
    pub people_removed: u64,
    pub devices_removed: u64,
    pub accounts_changed: u64,
    pub pins_changed: u64,
    pub trunks_removed: u64,
    /// Of numbers, routes, permissions, caps and emergency numbers: lists that are other ones now.
    pub lists_written: u64,
}

pub(crate) async fn apply(
    conn: &mut AnyConnection,
    org: &OrgId,
    what: &Provision,
) -> Result<Applied, StoreError> {
    let before = read(&mut *conn, org).await?;
    let people: BTreeMap<_, _> = what.people.iter().map(|p| (&p.id, p)).collect();
    let devices: BTreeMap<_, _> = what.devices.iter().map(|d| (&d.id, d)).collect();
    let accounts_changed = accounts::apply(&mut *conn, org, &what.accounts).await?;
    let pins_changed = pins::apply(&mut *conn, org, &what.pins).await?;
    let mut applied = Applied { accounts_changed, pins_changed, ..Applied::default() };
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
    for (id, person) in before.people.iter().filter(|(id, _)| !people.contains_key(id)) {
        // Made by hand, and perhaps the last who could let anybody in: a file does not lock them
        // out (`undertone user remove` does).
        let administers = person.rights.contains(&Right::Admin);
        if administers && logins::has(&mut *conn, org, id).await? {
            continue;
        }
        remove_person(&mut *conn, org, id).await?;
        applied.people_removed += 1;
    }
    apply_trunks(&mut *conn, org, what, &before, &mut applied).await?;
    apply_lists(conn, org, what, &before, &mut applied).await?;
    Ok(applied)
}

/// With all that they could prove themselves by.
pub(crate) async fn remove_person(
    conn: &mut AnyConnection,
    org: &OrgId,
    id: &PersonId,
) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM api_key WHERE org_id = $1 AND person_id = $2",
        "DELETE FROM session WHERE org_id = $1 AND person_id = $2",
        "DELETE FROM login WHERE org_id = $1 AND person_id = $2",
        "DELETE FROM pin WHERE org_id = $1 AND person_id = $2",
        "DELETE FROM person WHERE org_id = $1 AND id = $2",
    ] {
        remove(&mut *conn, sql, org, id.as_str()).await?;
    }
    Ok(())
}

async fn apply_trunks(
    conn: &mut AnyConnection,
    org: &OrgId,
    what: &Provision,
    before: &Facts,
    applied: &mut Applied,
) -> Result<(), StoreError> {
    let wanted: BTreeMap<_, _> = what.trunks.iter().map(|t| (&t.id, t)).collect();
    for (id, trunk) in &wanted {
        if before.trunks.get(*id) != Some(*trunk) {
            trunks::write(&mut *conn, org, trunk).await?;
            applied.trunks_written += 1;
        }
    }
    for id in before.trunks.keys().filter(|id| !wanted.contains_key(id)) {
        trunks::remove(&mut *conn, org, id).await?;
        applied.trunks_removed += 1;
    }
    Ok(())
}

async fn apply_lists(
    conn: &mut AnyConnection,
    org: &OrgId,
    what: &Provision,
    before: &Facts,
    applied: &mut Applied,
) -> Result<(), StoreError> {
    if what.numbers != before.numbers {
        routes::write_numbers(&mut *conn, org, &what.numbers).await?;
        applied.lists_written += 1;
    }
    if what.routes != before.routes {
        routes::write_routes(&mut *conn, org, &what.routes).await?;
        applied.lists_written += 1;
    }
    if what.outbound != before.outbound {
        routes::write_outbound(&mut *conn, org, &what.outbound).await?;
        applied.lists_written += 1;
    }
    if what.caps != before.caps {
        routes::write_caps(&mut *conn, org, &what.caps).await?;
        applied.lists_written += 1;
    }
    if what.emergency != before.emergency {
        routes::write_emergency(conn, org, &what.emergency).await?;
        applied.lists_written += 1;
    }
    Ok(())
}

/// False: the id is taken.
pub(crate) async fn add_person(
    conn: &mut AnyConnection,
    org: &OrgId,
    person: &Person,
) -> Result<bool, StoreError> {
    let there = sqlx::query("SELECT 1 FROM person WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(person.id.as_str())
        .fetch_optional(&mut *conn)
        .await?;
    if there.is_some() {
        return Ok(false);
    }
    write_person(conn, org, person).await?;
    Ok(true)
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
        "INSERT INTO device (org_id, id, name, extension, owner_id, contact, net, account) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (org_id, id) DO UPDATE SET \
         name = excluded.name, extension = excluded.extension, owner_id = excluded.owner_id, \
         contact = excluded.contact, net = excluded.net, account = excluded.account",
    )
    .bind(org.as_str())
    .bind(device.id.as_str())
    .bind(device.name.as_str())
    .bind(device.extension.as_deref().unwrap_or(""))
    .bind(device.owner.as_ref().map_or("", |id| id.as_str()))
    .bind(device.contact.as_ref().map(Contact::to_string).unwrap_or_default())
    .bind(text::net(device.net))
    .bind(device.account.as_deref().unwrap_or(""))
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
    "SELECT id, name, extension, owner_id, contact, net, account FROM device WHERE org_id = $1";

pub(crate) async fn directory(pool: &AnyPool, org: &OrgId) -> Result<Directory, StoreError> {
    let mut conn = pool.acquire().await?;
    Ok(Directory::new(read(&mut conn, org).await?))
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

async fn read(conn: &mut AnyConnection, org: &OrgId) -> Result<Facts, StoreError> {
    let people = sqlx::query(PEOPLE).bind(org.as_str()).fetch_all(&mut *conn).await?;
    let devices = sqlx::query(DEVICES).bind(org.as_str()).fetch_all(&mut *conn).await?;
    let mut facts = Facts::empty(org.clone());
    facts.labels = labels::read(&mut *conn, org).await?;
    for row in &people {
        let person = read_person(row)?;
        facts.people.insert(person.id.clone(), person);
    }
    for row in &devices {
        let device = read_device(row)?;
        facts.devices.insert(device.id.clone(), device);
    }
    for trunk in trunks::read(&mut *conn, org).await? {
        facts.trunks.insert(trunk.id.clone(), trunk);
    }
    routes::read(conn, org, &mut facts).await?;
    Ok(facts)
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
    let contact = Some(text(4)?).filter(|contact| !contact.is_empty());
    let wrong = |e| bad("a device", e);
    Ok(Device {
        id: DeviceId::parse(&text(0)?).map_err(|e| bad("a device", e))?,
        name: text(1)?,
        extension: Some(text(2)?).filter(|extension| !extension.is_empty()),
        owner: owner.map(|id| PersonId::parse(&id)).transpose().map_err(|e| bad("a device", e))?,
        contact: contact.map(|uri| Contact::parse(&uri)).transpose().map_err(wrong)?,
        account: Some(text(6)?).filter(|account| !account.is_empty()),
        net: text::net_of(&text(5)?)?,
    })
}
