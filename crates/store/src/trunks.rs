//! Trunks as rows. Their passwords are nowhere here, only where to read them.

use crate::error::StoreError;
use crate::text::{bad, words_of, words_text};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use undertone_core::id::{OrgId, TrunkId};
use undertone_core::number::{Number, Pattern};
use undertone_core::trunk::{Login, Secret, Trunk};

const TRUNKS: &str = "SELECT id, name, places, sources, login_user, login_realm, login_secret, \
    login_register, login_expires_s, channels_max, ping_s, trusted, caller_number, vouches_for \
    FROM trunk WHERE org_id = $1";

pub(crate) async fn read(conn: &mut AnyConnection, org: &OrgId) -> Result<Vec<Trunk>, StoreError> {
    let rows = sqlx::query(TRUNKS).bind(org.as_str()).fetch_all(conn).await?;
    rows.iter().map(of_row).collect()
}

fn of_row(row: &AnyRow) -> Result<Trunk, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index);
    let whole = |index: usize| row.try_get::<i64, _>(index);
    let small = |index: usize| -> Result<u32, StoreError> {
        u32::try_from(whole(index)?).map_err(|e| bad("a trunk", e))
    };
    let user = text(4)?;
    let login = match user.is_empty() {
        true => None,
        false => Some(Login {
            user,
            realm: Some(text(5)?).filter(|realm| !realm.is_empty()),
            password: secret_of(&text(6)?)?,
            register: whole(7)? != 0,
            expires_s: small(8)?,
        }),
    };
    let caller = Some(text(12)?).filter(|number| !number.is_empty());
    Ok(Trunk {
        id: TrunkId::parse(&text(0)?).map_err(|e| bad("a trunk", e))?,
        name: text(1)?,
        places: words_of(&text(2)?, str::parse)?,
        sources: words_of(&text(3)?, |word| word.parse().map_err(|_| "not an address"))?,
        login,
        channels_max: u32::try_from(whole(9)?).ok(),
        ping_s: small(10)?,
        trusted: whole(11)? != 0,
        vouches_for: words_of(&text(13)?, Pattern::parse)?,
        caller_number: caller
            .map(|n| Number::parse(&n))
            .transpose()
            .map_err(|e| bad("a trunk", e))?,
    })
}

fn secret_text(secret: &Secret) -> String {
    match secret {
        Secret::Env(name) => format!("env:{name}"),
        Secret::File(path) => format!("file:{path}"),
    }
}

fn secret_of(text: &str) -> Result<Secret, StoreError> {
    match text.split_once(':') {
        Some(("env", name)) => Ok(Secret::Env(name.into())),
        Some(("file", path)) => Ok(Secret::File(path.into())),
        _ => Err(bad("a trunk", "a password is in env: or file:")),
    }
}

pub(crate) async fn write(
    conn: &mut AnyConnection,
    org: &OrgId,
    trunk: &Trunk,
) -> Result<(), sqlx::Error> {
    remove(&mut *conn, org, &trunk.id).await?;
    let login = trunk.login.as_ref();
    let text = |of: fn(&Login) -> String| login.map(of).unwrap_or_default();
    sqlx::query(
        "INSERT INTO trunk (org_id, id, name, places, sources, login_user, login_realm, \
         login_secret, login_register, login_expires_s, channels_max, ping_s, trusted, \
         caller_number, vouches_for) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(org.as_str())
    .bind(trunk.id.as_str())
    .bind(trunk.name.as_str())
    .bind(words_text(&trunk.places))
    .bind(words_text(&trunk.sources))
    .bind(text(|login| login.user.clone()))
    .bind(text(|login| login.realm.clone().unwrap_or_default()))
    .bind(text(|login| secret_text(&login.password)))
    .bind(i64::from(login.is_some_and(|login| login.register)))
    .bind(i64::from(login.map_or(0, |login| login.expires_s)))
    .bind(trunk.channels_max.map_or(-1, i64::from))
    .bind(i64::from(trunk.ping_s))
    .bind(i64::from(trunk.trusted))
    .bind(trunk.caller_number.as_ref().map_or("", Number::as_str))
    .bind(words_text(&trunk.vouches_for))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn remove(
    conn: &mut AnyConnection,
    org: &OrgId,
    id: &TrunkId,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query("DELETE FROM trunk WHERE org_id = $1 AND id = $2");
    query.bind(org.as_str()).bind(id.as_str()).execute(conn).await?;
    Ok(())
}
