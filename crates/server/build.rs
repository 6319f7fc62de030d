//! Lists the rendered speech of `assets/speech` so that the binary holds it, and has it built anew
//! when the pages of `web/dist` are others. Runs no program: `scripts/build` builds the pages.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    // Asked for when it runs: a build folder that several checkouts share keeps the program.
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let speech = Path::new(&manifest).join("../../assets/speech");
    println!("cargo:rerun-if-changed={}", speech.display());
    let pages = Path::new(&manifest).join("../../web/dist/index.html");
    // A file that is not there would make every build begin anew.
    if pages.exists() {
        println!("cargo:rerun-if-changed={}", pages.display());
    }
    let rendered = speech.join("rendered");
    let mut files: Vec<_> = fs::read_dir(&rendered)
        .unwrap_or_else(|e| panic!("{}: {e}", rendered.display()))
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "wav"))
        .collect();
    files.sort();
    let mut table = String::from("&[\n");
    for path in &files {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let _ = writeln!(table, "    ({stem:?}, include_bytes!({:?})),", path.display());
    }
    table.push_str("]\n");
    let out = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("speech.rs");
    fs::write(&out, table).unwrap_or_else(|e| panic!("{}: {e}", out.display()));
}
