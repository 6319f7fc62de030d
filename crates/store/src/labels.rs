//! What the organisation calls things on its pages. A word that this program does not know any
//! more, or not yet, is left out: labels never keep a server from starting.

use crate::error::StoreError;
use crate::store::Store;
use sqlx::{AnyConnection, Row};
use undertone_core::id::OrgId;
use undertone_core::labels::{Labels, Preset, Term};

impl Store {
    /// Puts these in the place of what there was.
    pub async fn put_labels(&self, labels: &Labels) -> Result<(), StoreError> {
        let org = self.org().clone();
        self.write("writing labels", async |conn| put(conn, &org, labels).await).await
    }
}

async fn put(conn: &mut AnyConnection, org: &OrgId, labels: &Labels) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO labels (org_id, preset) VALUES ($1, $2) \
         ON CONFLICT (org_id) DO UPDATE SET preset = excluded.preset",
    )
    .bind(org.as_str())
    .bind(labels.preset.code())
    .execute(&mut *conn)
    .await?;
    sqlx::query("DELETE FROM label_word WHERE org_id = $1")
        .bind(org.as_str())
        .execute(&mut *conn)
        .await?;
    for (term, word) in labels.words() {
        sqlx::query("INSERT INTO label_word (org_id, term, word) VALUES ($1, $2, $3)")
            .bind(org.as_str())
            .bind(term.code())
            .bind(word)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

pub(crate) async fn read(conn: &mut AnyConnection, org: &OrgId) -> Result<Labels, StoreError> {
    let preset = sqlx::query("SELECT preset FROM labels WHERE org_id = $1")
        .bind(org.as_str())
        .fetch_optional(&mut *conn)
        .await?;
    let preset: String = match preset {
        Some(row) => row.try_get(0)?,
        None => return Ok(Labels::default()),
    };
    let preset = Preset::parse(&preset).unwrap_or(Preset::Undertone);
    let rows = sqlx::query("SELECT term, word FROM label_word WHERE org_id = $1 ORDER BY term")
        .bind(org.as_str())
        .fetch_all(conn)
        .await?;
    let mut words: Vec<(String, String)> = Vec::new();
    for row in rows {
        let term: String = row.try_get(0)?;
        if Term::parse(&term).is_some() {
            words.push((term, row.try_get(1)?));
        }
    }
    let words = words.iter().map(|(term, word)| (term.as_str(), word.as_str()));
    Ok(Labels::parse(preset.code(), words).unwrap_or_default())
}
