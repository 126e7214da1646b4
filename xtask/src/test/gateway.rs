//! Which gateway the integration tests run with: the one that is released, unless told otherwise.

use crate::dist::targets::{self, Target};
use crate::dist::{self, Options, emulate};
use crate::{Result, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program with faults on purpose, built as the gateway is, for the test of what they leave.
const FAULTS: &str = "faults";

/// What was asked for.
#[derive(Debug, Default)]
pub enum Wanted {
    /// The release for this machine.
    #[default]
    Release,
    /// The release of a target, in an emulator where this machine has another processor.
    Target(&'static Target),
    /// Somebody's binary.
    File(PathBuf),
}

impl Wanted {
    /// A target by its triple.
    ///
    /// # Errors
    /// When there is none, or this machine has no way to run its programs.
    pub fn target(triple: &str) -> Result<Self> {
        let target = targets::named(triple)?;
        if !target.is_native() && target.qemu.is_none() {
            return Err(format!("programs for {triple} cannot be run on this machine").into());
        }
        Ok(Self::Target(target))
    }

    /// Whether only an emulator can run it.
    pub fn is_emulated(&self) -> bool {
        matches!(self, Self::Target(target) if !target.is_native())
    }
}

/// A gateway that is there, with what the tests need to know of it.
#[derive(Debug)]
pub struct Gateway {
    binary: PathBuf,
    faults: Option<PathBuf>,
    /// Of another processor.
    foreign: Option<&'static Target>,
}

impl Gateway {
    /// Builds or finds what was asked for.
    ///
    /// # Errors
    /// When it cannot be built, is not there, or cannot be run.
    pub fn ready(root: &Path, wanted: &Wanted) -> Result<Self> {
        let target: &'static Target = match wanted {
            Wanted::File(path) => return Self::file(std::path::absolute(path)?),
            Wanted::Target(target) => target,
            Wanted::Release => match targets::native() {
                Ok(target) => target,
                Err(_) => return Self::debug(root),
            },
        };
        let out = dist::folder(root);
        let binary = dist::build(target, &Options::default(), &out)?.binary;
        let faults = Some(dist::example(target, FAULTS, &out)?);
        let foreign = Some(target).filter(|target| !target.is_native());
        Ok(Self { binary, faults, foreign })
    }

    fn file(binary: PathBuf) -> Result<Self> {
        if !binary.is_file() {
            return Err(format!("there is no gateway at {}", binary.display()).into());
        }
        Ok(Self { binary, faults: None, foreign: None })
    }

    /// The one with debug assertions, which the browser's tests use.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn debug(root: &Path) -> Result<Self> {
        let binary = ["--quiet", "--bin", "chatcode-gateway"];
        run::run(super::of_workspace(root, "build").args(binary))?;
        Self::file(run::target(root).join("debug/chatcode-gateway"))
    }

    /// A test's command in the place where this gateway runs, which it tells by variables.
    ///
    /// # Errors
    /// When programs of its processor cannot be run here.
    pub fn around(&self, test: &Command) -> Result<Command> {
        let mut command = match self.foreign {
            Some(target) => emulate::launcher(target)?,
            None => Command::new("env"),
        };
        command.arg(test.get_program()).args(test.get_args());
        if let Some(folder) = test.get_current_dir() {
            command.current_dir(folder);
        }
        command.envs(test.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("CHATCODE_GATEWAY_BIN", &self.binary);
        if let Some(faults) = &self.faults {
            command.env("CHATCODE_FAULTS_BIN", faults);
        }
        Ok(command)
    }
}

impl std::fmt::Display for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let emulated = if self.foreign.is_some() { ", emulated" } else { "" };
        write!(f, "{}{emulated}", self.binary.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_native_or_emulated_or_refused() {
        assert!(targets::TARGETS.iter().filter(|target| target.is_native()).count() <= 1);
        let arm = Wanted::target("armv7-unknown-linux-musleabihf").expect("qemu runs it");
        assert_eq!(arm.is_emulated(), std::env::consts::ARCH != "armv7");
        assert!(Wanted::target("sparc-sun-solaris").is_err());
        let missing = Wanted::File("/nowhere/gateway".into());
        let error = Gateway::ready(Path::new("/"), &missing).expect_err("no file").to_string();
        assert!(error.contains("/nowhere/gateway"), "{error}");
    }
}
