//! `deploy`: the control plane to Cloudflare, built for it.

use crate::run::{self, run};
use crate::{Result, at_root, build_worker, dev, needs};
use std::ffi::OsString;

/// Builds the release worker and the web app, and deploys them; `arguments` are those of
/// `cp-worker/deploy.mjs`.
///
/// # Errors
/// What is missing, or what a step failed with.
pub fn deploy(arguments: &[OsString]) -> Result<()> {
    let root = run::root()?;
    needs::node(&root)?;
    build_worker::build(true)?;
    dev::build_web(&root)?;
    upload(arguments)
}

/// Deploys what is built.
///
/// # Errors
/// When a step failed; it has said why.
pub fn upload(arguments: &[OsString]) -> Result<()> {
    run(at_root("node")?.arg("cp-worker/deploy.mjs").args(arguments))
}
