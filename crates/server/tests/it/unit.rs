//! The systemd unit, judged by systemd itself where it is installed.

use std::process::Command;

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/undertone.service");
    let text = std::fs::read_to_string(unit).expect("the unit");
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("undertone.service");
    // The binary where this test has it: verify looks whether it is there.
    let here = text.replace("/usr/bin/undertone", env!("CARGO_BIN_EXE_undertone"));
    std::fs::write(&path, here).expect("written");
    let Ok(output) = Command::new("systemd-analyze").arg("verify").arg(&path).output() else {
        return; // no systemd here
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
    for line in ["Type=notify", "WatchdogSec=", "LimitNOFILE=", "DynamicUser=yes", "ExecReload="] {
        assert!(text.contains(line), "{line}");
    }
}
