//! `dist`: the gateway as it is released, for every target.
#![allow(dead_code, reason = "the shape of what is to come")]

pub mod targets;

use crate::{Result, run};
use std::path::{Path, PathBuf};
use targets::Target;

/// What a release is built as.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The version that it says; without it the package's.
    pub version: Option<String>,
    /// Minisign public key that its updates are signed with, as the second line of a `.pub` file;
    /// without it the binary takes no updates.
    pub update_key: Option<String>,
}

/// What was built for a target.
#[derive(Debug)]
pub struct Built {
    /// For which.
    pub target: &'static Target,
    /// The stripped binary, named `chatcode-gateway-TRIPLE`.
    pub binary: PathBuf,
    /// Its symbols and lines, named `chatcode-gateway-TRIPLE.debug`.
    pub debug: PathBuf,
}

/// Where releases are laid out.
pub fn folder(root: &Path) -> PathBuf {
    run::target(root).join("dist")
}

/// `cargo xtask dist [--target TRIPLE]… [--out DIR] [--check-reproducible]`.
///
/// # Errors
/// What could not be built, or is not as it must be.
pub fn command(_arguments: lexopt::Parser) -> Result<()> {
    Err("not built yet".into())
}

/// Builds one target into `out`, and checks what came out.
///
/// # Errors
/// As [`command`].
pub fn build(_target: &'static Target, _options: &Options, _out: &Path) -> Result<Built> {
    Err("not built yet".into())
}
