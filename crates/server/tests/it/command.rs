//! The command line: bad input is one clear line and a non-zero exit.

use std::path::Path;
use std::process::{Command, Output};

fn undertone(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_undertone")).args(args).output().expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn the_example_configuration_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let example = undertone(&["config", "example"]);
    assert!(example.status.success());
    let file = write(dir.path(), "u.toml", &String::from_utf8_lossy(&example.stdout));
    assert!(undertone(&["config", "check", &file]).status.success());
}

#[test]
fn a_bad_configuration_is_one_line_that_names_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "u.toml", "drain_s = 1\nsip = \"nowhere\"\n");
    for args in [["config", "check", &file], ["serve", "--config", &file]] {
        let output = undertone(&args);
        assert!(!output.status.success());
        let said = said(&output);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("u.toml:2: "), "{said}");
    }
}

#[test]
fn provisioning_names_every_mistake_by_line_and_applies_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data").display().to_string();
    let bad = "[[person]]\nid = \"ana\"\nrights = [\"fly\"]\n";
    let file = write(dir.path(), "bad.toml", bad);
    let output = undertone(&["provision", &file, "--data", &data]);
    assert!(!output.status.success());
    let said = said(&output);
    assert!(said.contains("bad.toml:1: `name` is missing"), "{said}");
    assert!(said.contains("bad.toml:3: unknown right `fly`"), "{said}");
    let file = write(dir.path(), "good.toml", "[[person]]\nid = \"ana\"\nname = \"Ana\"\n");
    for expected in ["people: 1 written", "people: 0 written"] {
        let output = undertone(&["provision", &file, "--data", &data]);
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && out.contains(expected), "{out}");
    }
    let key = undertone(&["key", "add", "ana", "--rights", "listen,whisper", "--data", &data]);
    let out = String::from_utf8_lossy(&key.stdout).into_owned();
    assert!(out.contains("token ut_"), "{out}");
    let id = out.lines().find_map(|l| l.strip_prefix("key   ")).unwrap();
    assert!(undertone(&["key", "revoke", id, "--data", &data]).status.success());
    assert!(!undertone(&["key", "revoke", id, "--data", &data]).status.success());
    assert!(
        !undertone(&["key", "add", "nobody", "--rights", "listen", "--data", &data])
            .status
            .success()
    );
    assert!(undertone(&["audit", "verify", "--data", &data]).status.success());
}
