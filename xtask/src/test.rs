//! `test`: everything that must pass, in one command, with a table of times.

mod gateway;

pub use gateway::Wanted;

use crate::run::{self, run};
use crate::steps::Steps;
use crate::tmux::{self, Tmux};
use crate::{Result, at_root, build_worker, deploy, dev, dist, needs};
use gateway::Gateway;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the control plane is compiled for.
const WASM: &str = "wasm32-unknown-unknown";

/// Integration tests in the order in which they run: fast ones first, then those of [`PATIENT`].
const INTEGRATION: &[&str] = &[
    "fuzz",
    "simulation",
    "released",
    "sessions",
    "files",
    "splits",
    "local",
    "ssh_keys",
    "command_line",
    "doctor",
    "memory_guard",
    "installer",
    "recovery",
    "flow",
    "signals",
    "bytes",
    "fatal",
    "traps",
    "memory_scope",
    "storms",
    "fidelity",
    "link",
    "health",
    "service",
    "update",
    "agents",
];

/// Those of all suites that wait for clocks, disks and the network most of the time. Those of a step
/// run at once.
const PATIENT: &[&str] =
    &["link", "health", "service", "update", "agents", "docs", "lifecycle", "cloud"];

/// Those of them that a gateway and a tmux can pass or fail: they run again with every other tmux.
const OF_TMUX: &[&str] = &[
    "sessions", "files", "splits", "local", "recovery", "flow", "signals", "bytes", "traps",
    "fidelity",
];

/// Those that a gateway for another processor runs too, in an emulator: what sessions do, and what a
/// fatal signal leaves. Where time matters an emulator tells nothing.
const EMULATED: &[&str] =
    &["released", "sessions", "splits", "recovery", "signals", "bytes", "fatal"];

/// With the real control plane, and most with real browsers, in the same order.
const END_TO_END: &[&str] = &[
    "services",
    "accounts",
    "servers",
    "attention",
    "far_away",
    "browser",
    "terminal",
    "accessibility",
    "docs",
    "lifecycle",
    "cloud",
];

/// What is to be done.
struct Plan {
    root: PathBuf,
    only: Vec<String>,
    gateway: Wanted,
}

impl Plan {
    /// Whether a step or one of its suites is wanted.
    fn has(&self, step: &str) -> bool {
        self.only.is_empty() || self.names(step) || suites(step).iter().any(|it| self.names(it))
    }

    fn names(&self, name: &str) -> bool {
        self.only.iter().any(|wanted| wanted == name)
    }

    /// The suites of a step that are wanted.
    fn suites<'s>(&self, step: &str, all: &'s [&'s str]) -> impl Iterator<Item = &'s &'s str> {
        let whole = self.only.is_empty() || self.names(step);
        all.iter().filter(move |suite| whole || self.names(suite))
    }
}

/// The suites that a step consists of.
fn suites(step: &str) -> &'static [&'static str] {
    match step {
        "integration" => INTEGRATION,
        "e2e" => END_TO_END,
        _ => &[],
    }
}

type Step = fn(&Plan) -> Result<()>;

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
    ("dist", dist_own),
    ("integration", integration),
    ("control-plane", control_plane),
    ("e2e", end_to_end),
];

/// Runs all steps, or the steps and suites named in `only`, with a gateway.
///
/// # Errors
/// When something needed is missing, a step is unknown or a step failed.
pub fn test(only: &[String], gateway: Wanted) -> Result<()> {
    let steps = || STEPS.iter().map(|(name, _)| *name);
    let all: Vec<&str> = steps().flat_map(|step| [&[step], suites(step)].concat()).collect();
    if let Some(unknown) = only.iter().find(|name| !all.contains(&name.as_str())) {
        let [steps, suites] = [steps().collect::<Vec<_>>(), [INTEGRATION, END_TO_END].concat()];
        let [steps, suites] = [steps.join(", "), suites.join(", ")];
        return Err(format!("no step {unknown}; the steps are {steps}; the suites {suites}").into());
    }
    let mut only = only.to_vec();
    if only.is_empty() && gateway.is_emulated() {
        only = EMULATED.iter().map(|suite| (*suite).to_owned()).collect();
    }
    let plan = Plan { root: run::root()?, only, gateway };
    let mut steps = Steps::default();
    steps.need("check what is needed", || {
        needs::node(&plan.root)?;
        needs::programs(needs::TO_TEST)
    })?;
    for (name, step) in STEPS {
        if plan.has(name) {
            steps.check(name, || step(&plan));
        }
    }
    steps.finish()
}

fn formatting(Plan { root, .. }: &Plan) -> Result<()> {
    run(run::cargo(root).args(["fmt", "--all", "--check"]))
}

fn clippy(Plan { root, .. }: &Plan) -> Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    run(run::cargo(root).args(arguments))
}

fn clippy_wasm(Plan { root, .. }: &Plan) -> Result<()> {
    build_worker::ensure_target()?;
    let arguments = ["clippy", "--package", "cp-worker", "--target", WASM, "--quiet", "--"];
    run(run::cargo(root).args(arguments).args(["-D", "warnings"]))
}

/// Crates with tests beside their sources; those of `integration` are a step of their own.
const WITH_TESTS: &[&str] = &["protocol", "gateway", "cp-worker", "xtask", "fuzz/properties"];

/// What cargo is to build for a step. It is always the whole workspace of which parts are named,
/// because the choice of packages decides the features of what they share: with another choice all
/// of it is compiled once more.
fn of_workspace(root: &Path, command: &str) -> Command {
    let mut cargo = run::cargo(root);
    cargo.args([command, "--workspace"]);
    cargo
}

fn unit_tests(Plan { root, .. }: &Plan) -> Result<()> {
    let mut command = of_workspace(root, "test");
    command.args(["--quiet", "--lib", "--bin", "chatcode-gateway", "--bin", "xtask"]);
    for folder in WITH_TESTS {
        let Ok(entries) = std::fs::read_dir(root.join(folder).join("tests")) else { continue };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        for path in paths.filter(|path| path.extension().is_some_and(|end| end == "rs")) {
            command.arg("--test").arg(path.file_stem().unwrap_or_default());
        }
    }
    run(&mut command)?;
    run(of_workspace(root, "test").args(["--quiet", "--doc"]))
}

fn protocol_types(_: &Plan) -> Result<()> {
    run(at_root("node")?.args(["cp-worker/web/scripts/generate-protocol.mjs", "--check"]))
}

fn web_unit_tests(_: &Plan) -> Result<()> {
    run(at_root("npm")?.args(["run", "--silent", "test", "--workspace", "web"]))
}

/// What runs at a host of this repository, and the order in which a release is copied.
fn workflows(_: &Plan) -> Result<()> {
    run(at_root("node")?.args(["--test", ".github/check.test.mjs"]))
}

fn build(Plan { root, .. }: &Plan) -> Result<()> {
    Gateway::debug(root)?;
    build_worker::build(false)?;
    dev::build_web(root)
}

/// What would be uploaded, to both environments.
fn deploy_dry_run(_: &Plan) -> Result<()> {
    deploy::upload(&["--dry-run".into()])?;
    deploy::upload(&["--dry-run".into(), "--env".into(), "staging".into()])
}

/// The gateway as it is released for machines as this one, built and checked.
fn dist_own(Plan { root, .. }: &Plan) -> Result<()> {
    dist::own(root)
}

fn integration(plan: &Plan) -> Result<()> {
    let gateway = Gateway::ready(&plan.root, &plan.gateway)?;
    let other = tmux::named()?;
    let runs = std::iter::once((tmux::in_path()?, INTEGRATION))
        .chain(other.into_iter().map(|tmux| (tmux, OF_TMUX)));
    let mut failed = Vec::new();
    for (tmux, suites) in runs {
        println!("  with {tmux} and {gateway}");
        let suites: Vec<_> = plan.suites("integration", suites).copied().collect();
        let wrong = run_suites(&plan.root, &suites, &tmux, &gateway)?;
        failed.extend(wrong.iter().map(|suite| format!("{suite} with {}", tmux.version)));
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

fn end_to_end(plan: &Plan) -> Result<()> {
    let (tmux, gateway) = (tmux::in_path()?, Gateway::debug(&plan.root)?);
    let suites: Vec<_> = plan.suites("e2e", END_TO_END).copied().collect();
    let failed = run_suites(&plan.root, &suites, &tmux, &gateway)?;
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

/// Builds suites and runs them one after the other, then the [`PATIENT`] ones at once; the names of
/// those that fail.
fn run_suites(
    root: &Path,
    suites: &[&'static str],
    tmux: &Tmux,
    gateway: &Gateway,
) -> Result<Vec<&'static str>> {
    build_suites(root, suites)?;
    let (patient, others): (Vec<&str>, Vec<&str>) =
        suites.iter().partition(|suite| PATIENT.contains(suite));
    let mut failed = Vec::new();
    for suite in others {
        if run(&mut of_suite(root, suite, tmux, gateway)?).is_err() {
            failed.push(suite);
        }
    }
    let patient = patient.into_iter().map(|suite| (suite, of_suite(root, suite, tmux, gateway)));
    failed.extend(run_at_once(patient)?);
    Ok(failed)
}

/// Runs suites beside each other; the names of those that fail. What each prints comes in one piece.
fn run_at_once(
    suites: impl Iterator<Item = (&'static str, Result<Command>)>,
) -> Result<Vec<&'static str>> {
    let suites =
        suites.map(|(suite, command)| Ok((suite, command?))).collect::<Result<Vec<_>>>()?;
    Ok(std::thread::scope(|scope| {
        let running: Vec<_> = suites
            .into_iter()
            .map(|(suite, command)| (suite, scope.spawn(move || passes(command))))
            .collect();
        let failed = running.into_iter().filter_map(|(suite, passes)| {
            let passes = passes.join().unwrap_or(false);
            (!passes).then_some(suite)
        });
        failed.collect()
    }))
}

/// Whether a program succeeds, whose words are printed when it has ended.
fn passes(mut command: Command) -> bool {
    match command.output() {
        Ok(Output { status, stdout, stderr }) => {
            print!("{}", String::from_utf8_lossy(&[stderr, stdout].concat()));
            status.success()
        }
        Err(error) => {
            println!("{}: {error}", command.get_program().display());
            false
        }
    }
}

/// All at once, so that no processor waits for the linking of another suite.
fn build_suites(root: &Path, suites: &[&str]) -> Result<()> {
    let mut command = of_workspace(root, "test");
    command.args(["--quiet", "--no-run"]);
    for suite in suites {
        command.args(["--test", suite]);
    }
    run(&mut command)
}

/// What runs a suite.
fn of_suite(root: &Path, suite: &str, tmux: &Tmux, gateway: &Gateway) -> Result<Command> {
    let mut test = of_workspace(root, "test");
    test.args(["--test", suite]);
    test.env("CHATCODE_TMUX", &tmux.path);
    match suite {
        // Programs are waited for most of the time.
        "fidelity" => test.args(["--", "--test-threads", "6"]),
        // The clock is what they look at.
        "storms" | "far_away" => test.args(["--", "--test-threads", "1"]),
        _ => &mut test,
    };
    gateway.around(&test)
}

/// Where it lies, because `--workspace cp-worker` means the workspaces beneath that folder too.
fn control_plane(Plan { root, .. }: &Plan) -> Result<()> {
    let mut npm = at_root("npm")?;
    run(npm.args(["run", "--silent", "test"]).current_dir(root.join("cp-worker")))
}
