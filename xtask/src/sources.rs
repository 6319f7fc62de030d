//! The tree's Rust sources and manifests as text, and the rules on their size and their names.

use crate::Finding;
use std::io;
use std::path::{Path, PathBuf};

const LINES_AT_MOST: usize = 800;
const COLUMNS_AT_MOST: usize = 100;
const EMPTY_NAMES: &[&str] = &["manager", "helper", "utils", "util", "common", "misc"];

#[derive(Debug)]
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    /// The crate's folder name, if the file belongs to one.
    pub fn krate(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }
    /// Under `src/`, so part of what is shipped (its `#[cfg(test)]` modules aside).
    pub fn is_shipped(&self) -> bool {
        self.path.contains("/src/")
    }
    /// Lines with their numbers from 1, up to the first `#[cfg(test)]` item that opens a module.
    pub fn shipped_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]\nmod ").unwrap_or(self.text.len());
        self.text[..end].lines().enumerate().map(|(i, l)| (i + 1, l))
    }
}

#[derive(Debug)]
pub struct Tree {
    sources: Vec<Source>,
    manifests: Vec<Source>,
}

impl Tree {
    pub fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    /// A tree from memory, for the tests of the rules themselves.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree { sources: Vec::new(), manifests: Vec::new() };
        for (path, text) in files {
            tree.add(path.to_string(), text.to_string());
        }
        tree
    }

    pub fn read(root: &Path) -> io::Result<Tree> {
        let mut tree = Tree { sources: Vec::new(), manifests: Vec::new() };
        for folder in ["crates", "xtask", "fuzz"] {
            let path = root.join(folder);
            if path.is_dir() {
                tree.walk(root, &path)?;
            }
        }
        Ok(tree)
    }

    fn walk(&mut self, root: &Path, folder: &Path) -> io::Result<()> {
        let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(|e| e.path());
        for entry in entries {
            let path = entry.path();
            let skipped = [".git", "target", "node_modules", "corpus"];
            if skipped.iter().any(|s| entry.file_name() == *s) {
                continue;
            }
            if path.is_dir() {
                self.walk(root, &path)?;
            } else {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
                if name.ends_with(".rs") || name.ends_with("Cargo.toml") {
                    self.add(name.replace('\\', "/"), std::fs::read_to_string(&path)?);
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, path: String, text: String) {
        let list = if path.ends_with(".rs") { &mut self.sources } else { &mut self.manifests };
        list.push(Source { path, text });
    }

    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
    pub fn manifests(&self) -> &[Source] {
        &self.manifests
    }
}

pub(crate) fn check_size(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    if lines > LINES_AT_MOST {
        found.push(Finding {
            place: source.path.clone(),
            what: format!("{lines} lines; {LINES_AT_MOST} is the most: split it by what it owns"),
        });
    }
    for (i, line) in source.text.lines().enumerate() {
        if line.chars().count() > COLUMNS_AT_MOST {
            found.push(Finding {
                place: format!("{}:{}", source.path, i + 1),
                what: format!("longer than {COLUMNS_AT_MOST} columns"),
            });
        }
    }
    let stem = source.path.rsplit('/').next().unwrap_or("").trim_end_matches(".rs");
    if EMPTY_NAMES.iter().any(|n| stem.split('_').any(|part| part == *n)) {
        found.push(Finding {
            place: source.path.clone(),
            what: "a name that says nothing: name what it owns".into(),
        });
    }
    let headed = source.text.trim_start().starts_with("//!");
    if source.is_shipped() && !headed {
        found.push(Finding {
            place: source.path.clone(),
            what: "no `//!` head that says what it owns and what it refuses to know".into(),
        });
    }
    found
}
