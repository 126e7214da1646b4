//! Build automation: `cargo xtask <command>`.
#![forbid(unsafe_code)]

mod api;
mod build_worker;
mod deploy;
mod dev;
mod dist;
mod fuzz;
mod needs;
mod package;
mod release;
mod run;
mod size;
mod steps;
mod symbolize;
mod test;
mod tmux;

use lexopt::prelude::*;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const HELP: &str = "\
Build automation of chatcode.

Usage: cargo xtask <command> [options]

Commands:
  dev [--port N]             build all and run it here; prints one URL, Ctrl-C ends it
                             (port: 8787, or the next free one)
  test [--only STEP]… [--gateway FILE | --gateway-target TRIPLE]
                             everything that must pass, from formatting to the browser; a step may
                             be one suite of tests. The gateway's suites run with the release for
                             this machine, a file, or the release of a target, emulated by qemu
                             where need be (then only the suites of sessions)
  build-worker [--release]   the control plane as cp-worker/build/{index.js, index_bg.wasm}
  deploy [--env staging] [--dry-run]
                             build the control plane for Cloudflare and deploy it there
                             (docs/self-host.md)
  mock-cp [--port N] [--script FILE]
                             a control plane in the terminal, to talk to one gateway by hand
  fuzz [TARGET] [--seconds N]
                             look for inputs that break a parser (60 s each), with cargo-fuzz and
                             a nightly compiler
  bench [options]            the release gateway against the budgets of the design, floors of
                             the same run, and the last run; `bench --help` tells more
  dist [options]             the gateway as it is released, for every target; `--help` tells more
  size [options]             what its crates and sections weigh, against budget and last release
  symbolize [options]        the lines of a fatal signal's addresses in a gateway's log
  package [options]          .deb and Homebrew formula from what `dist` built
  release [options]          all of a release, signed; `--dry-run` tries it with a throw-away key

`cargo xtask test --only help` lists the steps and suites. The integration tests of the gateway run again with
every tmux that CHATCODE_TMUX_BINARIES names, separated by colons.
";

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<()> {
    let mut arguments = lexopt::Parser::from_env();
    match arguments.next()? {
        None | Some(Long("help") | Short('h')) => {
            print!("{HELP}");
            Ok(())
        }
        Some(Value(command)) => match command.string()?.as_str() {
            "dev" => dev(arguments),
            "test" => test(arguments),
            "build-worker" => build_worker(arguments),
            "deploy" => deploy::deploy(&arguments.raw_args()?.collect::<Vec<_>>()),
            "mock-cp" => tool("mock-cp", &[], &arguments.raw_args()?.collect::<Vec<_>>()),
            "fuzz" => fuzz(arguments),
            "bench" => bench(arguments),
            "dist" => dist::command(arguments),
            "size" => size::command(arguments),
            "symbolize" => symbolize::command(arguments),
            "package" => package::command(arguments),
            "release" => release::command(arguments),
            other => Err(format!("no command {other}; see cargo xtask --help").into()),
        },
        Some(other) => Err(other.unexpected().into()),
    }
}

fn dev(mut arguments: lexopt::Parser) -> Result<()> {
    let mut port = dev::PORT;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => port = arguments.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    dev::dev(port)
}

fn test(mut arguments: lexopt::Parser) -> Result<()> {
    let (mut only, mut gateway) = (Vec::new(), test::Wanted::default());
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("only") => only.push(arguments.value()?.string()?),
            Long("gateway") => gateway = test::Wanted::File(arguments.value()?.into()),
            Long("gateway-target") => {
                gateway = test::Wanted::target(&arguments.value()?.string()?)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    test::test(&only, gateway)
}

fn fuzz(mut arguments: lexopt::Parser) -> Result<()> {
    let (mut target, mut seconds) = (None, fuzz::SECONDS);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("seconds") => seconds = arguments.value()?.parse()?,
            Value(name) if target.is_none() => target = Some(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    fuzz::fuzz(target.as_deref(), seconds)
}

fn build_worker(mut arguments: lexopt::Parser) -> Result<()> {
    let mut release = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("release") => release = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let build = build_worker::build(release)?;
    println!("{}", build.display());
    Ok(())
}

fn bench(mut arguments: lexopt::Parser) -> Result<()> {
    let root = run::root()?;
    let arguments: Vec<_> = arguments.raw_args()?.collect();
    let is_help = arguments.iter().any(|argument| argument == "--help" || argument == "-h");
    let gateway = match std::env::var_os("CHATCODE_GATEWAY_BIN") {
        Some(theirs) => theirs,
        None if is_help => OsString::new(),
        None => dist::native(&root)?.binary.into_os_string(),
    };
    // The measuring side must not be the slow one, so it is built with optimisation too.
    let environment = [("CHATCODE_GATEWAY_BIN", gateway)];
    tool("bench", &environment, &arguments)
}

/// Runs a program of the `integration` crate, which knows a gateway's other side.
fn tool(name: &str, environment: &[(&str, OsString)], arguments: &[OsString]) -> Result<()> {
    let root = run::root()?;
    let mut command = run::cargo(&root);
    command.args(["run", "--quiet", "--package", "integration", "--bin", name]);
    if name == "bench" {
        command.args(["--profile", "tools"]);
    }
    command.arg("--").args(arguments);
    command.envs(environment.iter().map(|(name, value)| (*name, value)));
    run::run(&mut command)
}

/// A command in the repository's root folder.
fn at_root(program: &str) -> Result<Command> {
    let mut command = Command::new(program);
    command.current_dir(run::root()?);
    Ok(command)
}
