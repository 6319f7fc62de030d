//! The house is tidy, and the rules can be broken.

use xtask::{Tree, tidy};

#[test]
fn the_house_rules_hold() {
    let tree = Tree::read(&Tree::root()).expect("the tree can be read");
    assert!(tree.sources().len() > 20, "the tree was not found");
    let findings: Vec<String> = tidy(&tree).iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

fn found(files: &[(&str, &str)]) -> Vec<String> {
    tidy(&Tree::of(files)).iter().map(ToString::to_string).collect()
}

#[test]
fn a_forbidden_import_is_found() {
    let manifest = "[dependencies]\nundertone-sip.workspace = true\ntokio = \"1\"\n";
    let hits = found(&[("crates/media/Cargo.toml", manifest)]);
    assert_eq!(
        hits,
        [
            "crates/media/Cargo.toml: media must not depend on tokio",
            "crates/media/Cargo.toml: media must not depend on undertone-sip"
        ]
    );
}

#[test]
fn a_role_in_media_is_found_but_not_in_a_comment() {
    let text = "//! Head.\n// Role:: in a comment\nfn f() { let _ = Role::Customer; }\n";
    let hits = found(&[("crates/media/src/mix.rs", text)]);
    assert_eq!(hits, ["crates/media/src/mix.rs:3: `Role::`: media knows no role"]);
}

#[test]
fn a_decision_in_the_server_is_found() {
    let text = "//! Head.\nfn f(m: Mode) -> u8 { match m { Mode::Whisper => 1, _ => 2 } }\n";
    assert_eq!(found(&[("crates/server/src/cli.rs", text)]).len(), 1);
}

#[test]
fn a_long_function_a_long_file_and_an_empty_name_are_found() {
    let body = "    let x = 1;\n".repeat(70);
    let text = format!("//! Head.\nfn f() {{\n{body}}}\n");
    assert_eq!(found(&[("crates/core/src/a.rs", &text)]).len(), 1);
    let long = format!("//! Head.\n{}", "\n".repeat(800));
    assert_eq!(found(&[("crates/core/src/a.rs", &long)]).len(), 1);
    assert_eq!(found(&[("crates/core/src/call_helper.rs", "//! Head.\n")]).len(), 1);
    assert_eq!(found(&[("crates/core/src/a.rs", "fn f() {}\n")]).len(), 1);
}
