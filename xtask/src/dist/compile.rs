//! Compiles the gateway for one target, with nothing of the caller's environment in the result.

use super::flags;
use super::musl;
use super::targets::{Linker, Target};
use super::tools::Tools;
use super::{MINIMUM_MACOS, Options};
use crate::{Result, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Variables of a caller that would change what is built.
const FORGOTTEN: &[&str] = &[
    "CC",
    "CFLAGS",
    "AR",
    "TARGET_CC",
    "TARGET_CFLAGS",
    "TARGET_AR",
    "RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "SDKROOT",
    "CHATCODE_VERSION",
    "CHATCODE_UPDATE_KEY",
];

/// What of the gateway's package is compiled.
#[derive(Clone, Copy, Debug)]
pub enum Product {
    /// The gateway.
    Gateway,
    /// A program of its `examples`, for a test that needs what a release does.
    Example(&'static str),
}

/// Compiles the sources at `root` in the folder `work`; gives the binary with all its symbols.
///
/// # Errors
/// When a tool is missing, or cargo fails: its own words are on stderr.
pub fn compile(
    root: &Path,
    tools: &Tools,
    target: &'static Target,
    options: &Options,
    product: Product,
    work: &Path,
) -> Result<PathBuf> {
    tools.target(root, target)?;
    let renamed = renamed(root, tools, work);
    let objects = musl::objects(tools, target)?;
    let mut cargo = match target.linker {
        Linker::Lld | Linker::LldWithZig => {
            let mut cargo = run::cargo(root);
            cargo.arg("build");
            cargo
        }
        Linker::Zig => {
            let mut cargo = Command::new(&tools.zigbuild);
            cargo.current_dir(root).arg("zigbuild");
            cargo
        }
    };
    for name in FORGOTTEN {
        cargo.env_remove(name);
    }
    cargo.args(["--quiet", "--locked", "--profile", flags::PROFILE, "--target", target.triple]);
    let (kind, name) = match product {
        Product::Gateway => ("--bin", "chatcode-gateway"),
        Product::Example(name) => ("--example", name),
    };
    cargo.args(["--package", "chatcode-gateway", kind, name]);
    cargo.args(flags::CARGO).arg("--target-dir").arg(work);
    cargo.env("RUSTC_BOOTSTRAP", "1");
    // Words are parted by this byte, so that a folder may have a blank in its name.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags::rustc(target, &renamed, &objects).join("\x1f"));
    c_compiler(&mut cargo, tools, target, &flags::c(target, &renamed))?;
    if let Some(version) = &options.version {
        cargo.env("CHATCODE_VERSION", version);
    }
    if let Some(key) = &options.update_key {
        cargo.env("CHATCODE_UPDATE_KEY", key);
    }
    run::run(&mut cargo)?;
    let folder = work.join(target.triple).join(flags::PROFILE);
    Ok(match product {
        Product::Gateway => folder.join(name),
        Product::Example(_) => folder.join("examples").join(name),
    })
}

/// Tells cc and cargo-zigbuild of zig.
fn c_compiler(cargo: &mut Command, tools: &Tools, target: &Target, flags: &str) -> Result<()> {
    let name = target.triple.replace('-', "_");
    if target.linker != Linker::Zig {
        let (compiler, archiver) = tools.c_compiler(target)?;
        cargo.env(format!("CC_{name}"), compiler).env(format!("AR_{name}"), archiver);
    }
    cargo.env(format!("CFLAGS_{name}"), flags).env("CC_SHELL_ESCAPED_FLAGS", "1");
    cargo.env("CARGO_ZIGBUILD_ZIG_PATH", &tools.zig);
    for variable in ["CARGO_ZIGBUILD_CACHE_DIR", "ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"] {
        cargo.env(variable, tools.cache());
    }
    if target.is_apple() {
        cargo.env("MACOSX_DEPLOYMENT_TARGET", MINIMUM_MACOS);
        // As for the C compiler: no lines.
        cargo.env("CARGO_PROFILE_DIST_DEBUG", "none");
    }
    Ok(())
}

/// Folders of this machine, outer ones first: of several that fit, rustc takes the last.
pub fn renamed(root: &Path, tools: &Tools, work: &Path) -> Vec<(String, &'static str)> {
    let folder = |path: &Path| path.to_string_lossy().into_owned();
    let mut renamed = Vec::new();
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cargo = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    renamed.push((folder(&cargo.join("registry/src")), "crates"));
    renamed.push((folder(&tools.sysroot), "rust"));
    renamed.push((folder(root), "chatcode"));
    renamed.push((folder(work), "target"));
    renamed.push((folder(&tools.folder), "tools"));
    renamed
}
