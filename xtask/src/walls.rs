//! Who may import whom. The table of `docs/ARCHITECTURE.md`; any other edge is a finding.

use crate::{Finding, Tree};

/// Crate, ours that it may name, and outside crates that it must not name.
const WALLS: &[(&str, &[&str], &[&str])] = &[
    ("core", &[], &["tokio", "rand", "tracing", "sqlx", "mio", "async-trait", "futures"]),
    ("sdp", &[], &["tokio", "mio", "socket2"]),
    ("sip", &["sdp", "core"], &["sqlx", "axum"]),
    ("media", &["sdp", "core"], &["tokio", "rsipstack", "sqlx", "axum", "mio"]),
    ("engine", &["media", "core", "sdp"], &["rsipstack", "sqlx", "axum"]),
    ("store", &["core"], &["axum", "rsipstack"]),
    ("api", &["core"], &["sqlx", "rsipstack"]),
    ("phone", &["sdp", "sip", "media", "engine", "core"], &["sqlx", "axum"]),
    (
        "server",
        &["core", "sdp", "sip", "media", "engine", "store", "api", "phone"],
        &["rsipstack", "sqlx"],
    ),
    ("testkit", &["core", "sdp", "media", "engine", "phone"], &["sqlx", "axum"]),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for manifest in tree.manifests() {
        let Some(krate) = manifest.krate() else { continue };
        let Some((_, ours, banned)) = WALLS.iter().find(|(name, ..)| *name == krate) else {
            found.push(Finding {
                place: manifest.path.clone(),
                what: "a crate that the table of walls does not name".into(),
            });
            continue;
        };
        let table: toml::Table = match manifest.text.parse() {
            Ok(table) => table,
            Err(e) => {
                found.push(Finding { place: manifest.path.clone(), what: e.to_string() });
                continue;
            }
        };
        for name in names(&table, "dependencies") {
            let ours_named = name.strip_prefix("undertone-");
            let allowed = ours_named.is_none_or(|n| ours.contains(&n));
            if !allowed || banned.contains(&name.as_str()) {
                found.push(Finding {
                    place: manifest.path.clone(),
                    what: format!("{krate} must not depend on {name}"),
                });
            }
        }
        // A server's test may name everything; any other crate's, testkit beside its own walls.
        for name in names(&table, "dev-dependencies") {
            let Some(n) = name.strip_prefix("undertone-") else { continue };
            if krate != "server" && n != "testkit" && !ours.contains(&n) {
                found.push(Finding {
                    place: manifest.path.clone(),
                    what: format!("tests of {krate} may name testkit, not {name}"),
                });
            }
        }
    }
    found
}

fn names(table: &toml::Table, key: &str) -> Vec<String> {
    table.get(key).and_then(|t| t.as_table()).map_or(Vec::new(), |t| t.keys().cloned().collect())
}
