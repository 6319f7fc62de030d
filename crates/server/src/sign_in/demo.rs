//! The demo's people who can sign in: passwords made anew at each start, told to this machine only.

use super::hashed;
use crate::clock;
use anyhow::Context;
use undertone_api::DemoSignIn;
use undertone_core::id::PersonId;
use undertone_store::{Login, Store, secret};

const PASSWORD_DIGITS: usize = 12;

/// A person of the cast, and what the page says of the role.
pub struct DemoRole {
    pub login: &'static str,
    pub role: &'static str,
    pub name: &'static str,
    pub about: &'static str,
}

pub const ROLES: [DemoRole; 3] = [
    DemoRole {
        login: "mia",
        role: "supervisor",
        name: "Mia Wong",
        about: "sees every call, listens, whispers, barges in, takes over",
    },
    DemoRole {
        login: "ana",
        role: "agent",
        name: "Ana Ruiz",
        about: "is on a call, and is coached",
    },
    DemoRole { login: "ada", role: "administrator", name: "Ada Admin", about: "may do everything" },
];

pub struct DemoPeople(Vec<DemoSignIn>);

impl DemoPeople {
    /// Gives each of the roles a password of this start.
    pub async fn prepare(store: &Store) -> anyhow::Result<DemoPeople> {
        let mut all = Vec::new();
        for DemoRole { login, role, name, about } in ROLES {
            let password = secret(PASSWORD_DIGITS)?;
            let hash = hashed(password.clone()).await;
            let hash = hash.map_err(|why| anyhow::anyhow!("{why:?}")).context(login)?;
            let person = PersonId::parse(login)?;
            let changed_at = clock::now().wall;
            let entry = Login { person, name: login.into(), password: hash, changed_at };
            store.put_login(entry, None).await?;
            let (login, name) = (login.into(), name.into());
            all.push(DemoSignIn { login, password, role, name, about });
        }
        Ok(DemoPeople(all))
    }

    pub fn sign_ins(&self) -> Vec<DemoSignIn> {
        self.0.clone()
    }
}
