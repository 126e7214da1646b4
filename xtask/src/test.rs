//! `test`: everything that must pass, in one command, with a table of times.

use crate::run::{self, run};
use crate::steps::Steps;
use crate::tmux::{self, Tmux};
use crate::{Result, at_root, build_worker, deploy, dev, needs};
use std::path::Path;

/// What the control plane is compiled for.
const WASM: &str = "wasm32-unknown-unknown";

/// Integration tests in the order in which they run: fast ones first.
const INTEGRATION: &[&str] = &[
    "fuzz",
    "simulation",
    "sessions",
    "files",
    "splits",
    "link",
    "local",
    "ssh_keys",
    "command_line",
    "doctor",
    "health",
    "memory_guard",
    "service",
    "recovery",
    "update",
    "flow",
    "signals",
    "bytes",
    "traps",
    "agents",
    "memory_scope",
    "storms",
    "fidelity",
];

/// Those of them that a gateway and a tmux can pass or fail: they run again with every other tmux.
const OF_TMUX: &[&str] = &[
    "sessions", "files", "splits", "local", "recovery", "flow", "signals", "bytes", "traps",
    "fidelity",
];

/// With the real control plane, and most with real browsers.
const END_TO_END: &[&str] = &[
    "services",
    "docs",
    "accounts",
    "servers",
    "cloud",
    "attention",
    "far_away",
    "browser",
    "terminal",
    "accessibility",
];

type Step = fn(&Path) -> Result<()>;

/// Each step with its name for `--only`.
const STEPS: &[(&str, Step)] = &[
    ("fmt", formatting),
    ("clippy", clippy),
    ("clippy-wasm", clippy_wasm),
    ("unit", unit_tests),
    ("protocol-types", protocol_types),
    ("web-unit", web_unit_tests),
    ("workflows", workflows),
    ("build", build),
    ("deploy-dry-run", deploy_dry_run),
    ("integration", integration),
    ("control-plane", control_plane),
    ("e2e", end_to_end),
];

/// Runs all steps, or those named in `only`.
///
/// # Errors
/// When something needed is missing, a step is unknown or a step failed.
pub fn test(only: &[String]) -> Result<()> {
    let known = STEPS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    if let Some(unknown) = only.iter().find(|name| !STEPS.iter().any(|(step, _)| step == name)) {
        return Err(format!("no step {unknown}; the steps are {known}").into());
    }
    let root = run::root()?;
    let mut steps = Steps::default();
    steps.need("check what is needed", || {
        needs::node(&root)?;
        needs::programs(needs::TO_TEST)
    })?;
    for (name, step) in STEPS {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            steps.check(name, || step(&root));
        }
    }
    steps.finish()
}

fn formatting(root: &Path) -> Result<()> {
    run(run::cargo(root).args(["fmt", "--all", "--check"]))
}

fn clippy(root: &Path) -> Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    run(run::cargo(root).args(arguments))
}

fn clippy_wasm(root: &Path) -> Result<()> {
    build_worker::ensure_target()?;
    let arguments = ["clippy", "--package", "cp-worker", "--target", WASM, "--quiet", "--"];
    run(run::cargo(root).args(arguments).args(["-D", "warnings"]))
}

fn unit_tests(root: &Path) -> Result<()> {
    let mut command = run::cargo(root);
    command.args(["test", "--quiet", "--workspace", "--exclude", "integration"]);
    run(&mut command)?;
    run(run::cargo(root).args(["test", "--quiet", "--package", "integration", "--lib"]))
}

fn protocol_types(_: &Path) -> Result<()> {
    run(at_root("node")?.args(["cp-worker/web/scripts/generate-protocol.mjs", "--check"]))
}

fn web_unit_tests(_: &Path) -> Result<()> {
    run(at_root("npm")?.args(["run", "--silent", "test", "--workspace", "web"]))
}

/// What runs at a host of this repository, and the order in which a release is copied.
fn workflows(_: &Path) -> Result<()> {
    run(at_root("node")?.args(["--test", ".github/check.test.mjs"]))
}

fn build(root: &Path) -> Result<()> {
    run(run::cargo(root).args(["build", "--quiet", "--package", "chatcode-gateway"]))?;
    build_worker::build(false)?;
    dev::build_web(root)
}

/// What would be uploaded, to both environments.
fn deploy_dry_run(_: &Path) -> Result<()> {
    deploy::upload(&["--dry-run".into()])?;
    deploy::upload(&["--dry-run".into(), "--env".into(), "staging".into()])
}

fn integration(root: &Path) -> Result<()> {
    let other = tmux::named()?;
    let runs = std::iter::once((tmux::in_path()?, INTEGRATION))
        .chain(other.into_iter().map(|tmux| (tmux, OF_TMUX)));
    let mut failed = Vec::new();
    for (tmux, subjects) in runs {
        println!("  with {tmux}");
        for subject in subjects {
            if integration_test(root, subject, &tmux).is_err() {
                failed.push(format!("{subject} with {}", tmux.version));
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

fn end_to_end(root: &Path) -> Result<()> {
    let tmux = tmux::in_path()?;
    END_TO_END.iter().try_for_each(|subject| integration_test(root, subject, &tmux))
}

fn integration_test(root: &Path, subject: &str, tmux: &Tmux) -> Result<()> {
    let mut command = run::cargo(root);
    command.args(["test", "--package", "integration", "--test", subject]);
    command.env("CHATCODE_TMUX", &tmux.path);
    match subject {
        // Programs are waited for most of the time.
        "fidelity" => command.args(["--", "--test-threads", "4"]),
        // The clock is what they look at.
        "storms" | "far_away" => command.args(["--", "--test-threads", "1"]),
        _ => &mut command,
    };
    let gateway = run::target(root).join("debug/chatcode-gateway");
    if gateway.is_file() {
        command.env("CHATCODE_GATEWAY_BIN", gateway);
    }
    run(&mut command)
}

fn control_plane(_: &Path) -> Result<()> {
    run(at_root("npm")?.args(["run", "--silent", "test", "--workspace", "cp-worker"]))
}
