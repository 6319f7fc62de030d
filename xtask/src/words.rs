//! Words that a crate's shipped code must not hold, because holding them means that it decides or
//! does what is not its own.

use crate::{Finding, Source, Tree};

struct Ban {
    crates: &'static [&'static str],
    word: &'static str,
    why: &'static str,
}

const EVERY_CRATE: &[&str] =
    &["core", "sdp", "sip", "media", "engine", "store", "api", "phone", "server", "testkit"];

const BANS: &[Ban] = &[
    Ban { crates: &["core", "media", "sdp"], word: "Instant::now", why: "time is an argument" },
    Ban { crates: &["core", "media", "sdp"], word: "SystemTime", why: "time is an argument" },
    Ban { crates: &["core", "sdp"], word: "UdpSocket", why: "no IO here" },
    Ban { crates: &["core", "sdp", "media"], word: "std::fs", why: "no IO here" },
    Ban { crates: &["core", "sdp", "media"], word: "async fn", why: "no async here" },
    Ban {
        crates: &["media", "engine"],
        word: "core::view",
        why: "media knows no role and no mode",
    },
    Ban { crates: &["media", "engine"], word: "core::call", why: "media obeys a plan only" },
    Ban { crates: &["media", "engine"], word: "core::hearing", why: "media obeys a plan only" },
    Ban { crates: &["media", "engine"], word: "Role::", why: "media knows no role" },
    Ban { crates: &["media", "engine"], word: "Mode::", why: "media knows no mode" },
    Ban { crates: &["server"], word: "Mode::Listen =>", why: "a decision: it belongs to core" },
    Ban { crates: &["server"], word: "Mode::Whisper =>", why: "a decision: it belongs to core" },
    Ban { crates: &["server"], word: "Mode::Barge =>", why: "a decision: it belongs to core" },
    Ban { crates: &["server"], word: "Mode::Takeover =>", why: "a decision: it belongs to core" },
    Ban { crates: &["server"], word: "== Mode::", why: "a decision: it belongs to core" },
    Ban { crates: &["server"], word: "== Role::", why: "a decision: it belongs to core" },
    Ban { crates: &["server"], word: "Role::Customer =>", why: "a decision: it belongs to core" },
    Ban { crates: &["server"], word: "Role::Agent =>", why: "a decision: it belongs to core" },
    Ban { crates: &["server"], word: "Role::Supervisor =>", why: "a decision: it belongs to core" },
    Ban { crates: EVERY_CRATE, word: "todo!(", why: "left open" },
    Ban { crates: EVERY_CRATE, word: "unimplemented!(", why: "left open" },
    Ban { crates: EVERY_CRATE, word: "TODO", why: "left open" },
    Ban { crates: EVERY_CRATE, word: "FIXME", why: "left open" },
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in tree.sources() {
        let Some(krate) = source.krate() else { continue };
        if !source.is_shipped() {
            continue;
        }
        for ban in BANS.iter().filter(|b| b.crates.contains(&krate)) {
            found.extend(hits(source, ban.word, ban.why));
        }
        if krate != "engine" {
            found.extend(hits(source, "unsafe {", "only engine may hold unsafe code"));
        }
    }
    found
}

fn hits(source: &Source, word: &str, why: &str) -> Vec<Finding> {
    source
        .shipped_lines()
        .filter(|(_, line)| !line.trim_start().starts_with("//") && line.contains(word))
        .map(|(n, _)| Finding {
            place: format!("{}:{n}", source.path),
            what: format!("`{word}`: {why}"),
        })
        .collect()
}
