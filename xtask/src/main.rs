//! `cargo xtask tidy`: prints what breaks the house rules, and fails if anything does.
#![allow(clippy::print_stdout)] // a command line's own output

use std::process::ExitCode;
use xtask::{Tree, tidy};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => {}
        _ => {
            println!("usage: cargo run -p xtask -- tidy");
            return ExitCode::from(2);
        }
    }
    let tree = match Tree::read(&Tree::root()) {
        Ok(tree) => tree,
        Err(e) => {
            println!("cannot read the tree: {e}");
            return ExitCode::FAILURE;
        }
    };
    let findings = tidy(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    println!("{} files read, {} findings", tree.sources().len(), findings.len());
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
