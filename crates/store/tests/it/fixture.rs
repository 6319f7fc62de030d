//! A fresh, empty store on one of the engines, and rows to put into it.

use crate::postgres;
use std::collections::BTreeMap;
use tempfile::TempDir;
use undertone_core::audit::{AuditEntry, Outcome, Who};
use undertone_core::id::{CallId, KeyId, OrgId, PersonId, SupervisionId};
use undertone_core::time::Wall;
use undertone_core::view::Channel;
use undertone_store::{Store, StoreConfig};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

pub(crate) struct Fresh {
    pub(crate) config: StoreConfig,
    _dir: TempDir,
}

impl Fresh {
    pub(crate) async fn on(engine: Engine) -> Fresh {
        let dir = tempfile::tempdir().unwrap();
        let config = match engine {
            // A folder whose name a URL would stumble over.
            Engine::Sqlite => StoreConfig::Sqlite { dir: dir.path().join("a b?c#d%20é") },
            Engine::Postgres => StoreConfig::Postgres { url: postgres::shared().database().await },
        };
        Fresh { config, _dir: dir }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(self.config.clone(), org()).await.unwrap()
    }

    /// The journal by another way than the store, for looking and for doing harm.
    pub(crate) async fn raw(&self) -> sqlx::AnyConnection {
        use sqlx::Connection;
        sqlx::any::install_default_drivers();
        let url = match &self.config {
            StoreConfig::Postgres { url } => url.clone(),
            StoreConfig::Sqlite { dir } => {
                let path = dir.join("journal.db").display().to_string();
                let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
                format!("sqlite://{}", path.replace(' ', "%20").replace('é', "%C3%A9"))
            }
        };
        sqlx::AnyConnection::connect(&url).await.unwrap()
    }
}

/// One body, a test on each engine.
macro_rules! on_both {
    ($(async fn $name:ident($engine:ident: Engine) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            async fn on($engine: $crate::fixture::Engine) $body
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on($crate::fixture::Engine::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on($crate::fixture::Engine::Postgres).await;
            }
        }
    )*};
}
pub(crate) use on_both;

pub(crate) fn org() -> OrgId {
    OrgId::parse("org").unwrap()
}
pub(crate) fn person(id: &str) -> PersonId {
    PersonId::parse(id).unwrap()
}
pub(crate) fn call(id: &str) -> CallId {
    CallId::parse(id).unwrap()
}

/// A row with something in every column.
pub(crate) fn entry(n: u64) -> AuditEntry {
    AuditEntry {
        org: org(),
        at: Wall(1_700_000_000_000 + n as i64),
        who: Who {
            person: Some(person(&format!("p{}", n % 3))),
            key: Some(KeyId::parse("key_1").unwrap()),
            channel: Some(Channel::Api),
            origin: "127.0.0.1:5 'quoted' \"too\" é".into(),
        },
        what: "supervision.join".into(),
        call: Some(call(&format!("eu.n1.1.c{}", n % 2))),
        supervision: Some(SupervisionId::parse("s1").unwrap()),
        outcome: match n % 2 {
            0 => Outcome::Allowed,
            _ => Outcome::Refused(vec!["not_allowed".into(), "own_call".into()]),
        },
        detail: BTreeMap::from([("n".into(), n.to_string()), ("mode".into(), "listen".into())]),
    }
}
