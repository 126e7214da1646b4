//! Real agents for the tests: pinned versions from npm, installed once into the target folder.

use crate::gateway::Gateway;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An agent as npm has it.
#[derive(Clone, Copy, Debug)]
pub struct Agent {
    /// Its package.
    pub package: &'static str,
    /// The version that the tests know.
    pub version: &'static str,
    /// The program that it installs.
    pub program: &'static str,
}

impl Agent {
    /// The path of its program; installs it when it is not there yet.
    ///
    /// # Errors
    /// Why it cannot be had, on one line.
    pub fn find(&self) -> Result<PathBuf, String> {
        let folder = folder().join(format!("{}-{}", self.program, self.version));
        let program = folder.join("node_modules/.bin").join(self.program);
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        // Tests of several processes may want it at once; the lock ends with the file.
        let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
        lock.lock().map_err(|error| error.to_string())?;
        let complete = folder.join("complete");
        if !complete.is_file() {
            self.install(&folder)?;
            starts(&program)?;
            File::create(complete).map_err(|error| error.to_string())?;
        }
        Ok(program)
    }

    fn install(&self, folder: &Path) -> Result<(), String> {
        let installed = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error"])
            .arg("--prefix")
            .arg(folder)
            .arg(format!("{}@{}", self.package, self.version))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("npm: {error}"))?;
        if installed.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&installed.stderr).into_owned();
        Err(format!("npm install: {}", said.lines().next().unwrap_or("no word")))
    }
}

/// A program for another architecture or without its optional half says so here.
fn starts(program: &Path) -> Result<(), String> {
    let mut command = Command::new(program);
    command.arg("--version").env("HOME", folder()).stdin(Stdio::null());
    let said = command.output().map_err(|error| format!("{}: {error}", program.display()))?;
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    let why = || format!("--version: {}", text.lines().next().unwrap_or("no word"));
    said.status.success().then_some(()).ok_or_else(why)
}

/// npm's cache for what tests install themselves, kept from run to run.
pub fn npm_cache() -> PathBuf {
    folder().join("npm-cache")
}

/// Where agents are kept from run to run.
fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| crate::repository().join("target"), PathBuf::from).join("agents")
}

/// What the runner of the tests needs to reach npm's registry.
const WAY_TO_NPM: &[&str] =
    &["NODE_EXTRA_CA_CERTS", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy"];

/// npm's words when there is no network.
pub const NO_NETWORK: &[&str] = &["ENOTFOUND", "EAI_AGAIN", "ENETUNREACH", "ECONNREFUSED"];

/// Makes the gateway's login shells find what is in `path`, and npm its registry.
pub fn reach_npm(gateway: &mut Gateway, path: &str) {
    let profile = format!("PATH={path}\nexport PATH\n");
    std::fs::write(gateway.home.join(".profile"), profile).expect("a profile");
    for name in WAY_TO_NPM {
        if let Ok(value) = std::env::var(name) {
            gateway.set(name, &value);
        }
    }
}

/// Gives the gateway's npm a cache that outlives the test.
pub fn share_npm_cache(gateway: &Gateway) {
    let cache = npm_cache();
    std::fs::create_dir_all(&cache).expect("a cache");
    let npmrc = format!("cache={}\nprefer-offline=true\nfetch-retries=1\n", cache.display());
    std::fs::write(gateway.home.join(".npmrc"), npmrc).expect("settings of npm");
}
