//! The `undertone` command: reads its arguments, runs one command, and says in one line what went
//! wrong. Does nothing itself.

#![forbid(unsafe_code)]

use clap::Parser;
use mimalloc::MiMalloc;
use std::process::ExitCode;
use undertone::cli::{Cli, run};

/// After 100,000 calls that were reset, glibc's heap keeps nine tenths of its peak; this one gives
/// it back (docs/OPERATING.md, Memory).
#[global_allocator]
static HEAP: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

#[allow(clippy::print_stderr)] // a command's own output
fn failed(error: &anyhow::Error) -> ExitCode {
    let steps: Vec<_> = error.chain().map(|e| e.to_string()).collect();
    eprintln!("undertone: {}", steps.join(": "));
    ExitCode::FAILURE
}
