//! Instructions of fixed work in the gateway's core, counted by valgrind: no noise of a machine.

use crate::Effort;
use crate::data::KINDS;
use crate::report::Report;
use integration::tempdir::TempDir;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Bytes of each kind of output, also in a quick run: the counts are compared to 0.1 %.
const BYTES: usize = 1 << 20;

/// Work that is done on every kind.
const WORK: [(&str, &str); 3] = [
    ("parse", "control mode parser"),
    ("track", "escape tracker"),
    ("stream", "parser, tracker, stream, frames"),
];

/// All work on all kinds, and snapshots.
pub fn all(report: &mut Report, _: Effort) {
    if !runs("valgrind") {
        return report.skip("instructions", "valgrind is missing (Debian package valgrind)");
    }
    let core = match build() {
        Ok(core) => core,
        Err(wrong) => return report.skip("instructions", wrong),
    };
    let home = TempDir::new();
    let file = home.join("output");
    for kind in &KINDS {
        let content = kind.sized(BYTES);
        std::fs::write(&file, &content).expect("written");
        let nothing = count(&core, "read", &file);
        for (work, what) in WORK {
            let each = (count(&core, work, &file) - nothing) / content.len() as f64;
            let what = format!("{what}, {}", kind.what);
            report.add(format!("instructions.{work}.{}", kind.key), &what, each, "/byte");
        }
    }
    std::fs::write(&file, KINDS[1].sized(BYTES / 8)).expect("written");
    let nothing = count(&core, "read", &file);
    let each = (count(&core, "snapshot", &file) - nothing) / 1e6;
    report.add("instructions.snapshot", "a snapshot of 1,000 lines", each, "M");
}

fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The program that does the work, built as a release is.
fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--quiet", "--release", "--package", "integration", "--example"];
    let built = Command::new(cargo)
        .args(arguments)
        .arg("bench-core")
        .current_dir(integration::repository())
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("bench-core does not build".to_owned());
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR");
    let target = folder.map_or_else(|| integration::repository().join("target"), PathBuf::from);
    Ok(target.join("release/examples/bench-core"))
}

/// Instructions of one run.
fn count(core: &Path, work: &str, file: &Path) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(core)
        .arg(work)
        .arg(file)
        .output()
        .expect("valgrind runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{work}: {told}");
    let line = told.lines().find_map(|line| line.split_once("Collected : "));
    let number = line.and_then(|(_, number)| number.trim().parse().ok());
    number.unwrap_or_else(|| panic!("valgrind says no count: {told}"))
}
