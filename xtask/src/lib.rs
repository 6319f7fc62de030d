//! The house rules of `docs/ARCHITECTURE.md`, as checks that a test runs.
//!
//! Reads the tree as text; knows nothing of what the code does.

mod functions;
mod sources;
mod walls;
mod words;

pub use sources::{Source, Tree};

/// One broken rule: where, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub place: String,
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Every broken rule in the tree, sorted by place.
pub fn tidy(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(walls::check(tree));
    findings.extend(words::check(tree));
    for source in tree.sources() {
        findings.extend(functions::check(source));
        findings.extend(sources::check_size(source));
    }
    findings.sort();
    findings
}
