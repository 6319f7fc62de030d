//! `undertone doctor`: one line for everything that calls lean on, with what to do about it. It
//! looks from outside, so it works beside a running server and without one. Repairs nothing.

mod machine;
mod network;
mod sockets;

pub(crate) use machine::{clock, disk_free};

use crate::clock;
use crate::config::Config;
use crate::lock::{self, Holder};
use crate::serve::{org, store_config};
use std::fmt;
use std::time::Duration;

const DATABASE_WITHIN: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grade {
    Good,
    /// Works, and somebody may want to know.
    Note,
    Broken,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Finding {
    grade: Grade,
    what: String,
    /// What to do; none where all is well.
    remedy: Option<String>,
}

impl Finding {
    fn good(what: impl Into<String>) -> Self {
        Self { grade: Grade::Good, what: what.into(), remedy: None }
    }
    fn note(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Note, what: what.into(), remedy: Some(remedy.into()) }
    }
    fn broken(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Broken, what: what.into(), remedy: Some(remedy.into()) }
    }
    pub fn is_broken(&self) -> bool {
        self.grade == Grade::Broken
    }

    /// What was found without its name, and what to do about it.
    pub(crate) fn said(&self) -> (Grade, String) {
        let what = self.what.split_once(": ").map_or(self.what.as_str(), |(_, what)| what);
        let text = match &self.remedy {
            Some(remedy) => format!("{what}: {remedy}"),
            None => what.to_owned(),
        };
        (self.grade, text)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = match self.grade {
            Grade::Good => "good  ",
            Grade::Note => "note  ",
            Grade::Broken => "BROKEN",
        };
        write!(f, "{grade}  {}", self.what)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, " -> {remedy}"))
    }
}

/// Looks at everything; a configuration that cannot be read is the only finding.
pub async fn examine(config: anyhow::Result<Config>) -> Vec<Finding> {
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            let what = format!("configuration: {error:#}");
            return vec![Finding::broken(what, "correct it; `undertone config example` shows all")];
        }
    };
    let holder = lock::holder(&config.data);
    let data = config.data.display();
    let mut findings = vec![match holder {
        Holder::Nobody => Finding::good(format!("server: none runs on {data}")),
        Holder::Somebody(pid) => {
            let pid = pid.map_or(String::new(), |pid| format!(" as process {pid}"));
            Finding::good(format!("server: runs on {data}{pid}"))
        }
    }];
    findings.extend(network::look(&config, holder).await);
    findings.extend(machine::look(&config, holder));
    findings.extend(database(&config).await);
    findings.push(certificate(&config));
    findings
}

fn certificate(config: &Config) -> Finding {
    const SOON_S: i64 = 14 * 86_400;
    let Some(https) = config.https_wanted() else {
        return Finding::good("certificate: none; plain HTTP on loopback or behind a proxy");
    };
    if let Some(acme) = https.acme {
        return Finding::good(format!("certificate: by ACME, for {}", acme.names.join(", ")));
    }
    let (Some(chain), Some(key)) = (https.certificate, https.key) else {
        let what = "certificate: one of our own, which browsers warn of";
        return Finding::note(what, "set [https] (`undertone config example`)");
    };
    let left = match crate::https::valid_until(&chain, &key) {
        Ok(until) => until - clock::now().wall.0 / 1_000,
        Err(error) => {
            let what = format!("certificate: {error:#}");
            return Finding::broken(what, "both as PEM, readable for this user");
        }
    };
    let what = format!("certificate: {} days left", left / 86_400);
    match left {
        ..0 => Finding::broken("certificate: it has ended", "renew it"),
        0..SOON_S => Finding::note(what, "renew it"),
        _ => Finding::good(what),
    }
}

async fn database(config: &Config) -> Vec<Finding> {
    let name = match &config.database_url {
        Some(_) => "database: PostgreSQL".to_owned(),
        None => format!("database: SQLite in {}", config.data.display()),
    };
    if config.database_url.is_none() && !config.data.join("journal.db").exists() {
        let fresh = format!("{name}: not there yet; the first start makes it");
        return vec![Finding::good(fresh)];
    }
    let Ok(org) = org() else { return Vec::new() };
    let store = store_config(config);
    let looked = tokio::time::timeout(DATABASE_WITHIN, undertone_store::examine(&store, &org));
    let health = match looked.await {
        Ok(Ok(health)) => health,
        Ok(Err(error)) => {
            let error = anyhow::Error::from(error);
            let what = format!("{name}: {error:#}");
            return vec![Finding::broken(what, "make it reachable and writable for this user")];
        }
        Err(_) => {
            let what = format!("{name}: no answer in {} s", DATABASE_WITHIN.as_secs());
            return vec![Finding::broken(what, "see what holds it, or whether it runs")];
        }
    };
    let mut findings = vec![match health.steps_missing {
        0 => Finding::good(format!("{name}: reachable, writable, up to date")),
        n => Finding::note(
            format!("{name}: reachable, writable, {n} steps behind"),
            "`undertone migrate`, or the next start, runs them",
        ),
    }];
    findings.push(machine::clock(health.last_row_at));
    findings
}
