//! Notices and licences of the crates that are linked into the gateway.

use crate::Result;
use crate::release::tree;
use crate::run::{self, output};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What cargo does not know of, and yet is in the binary.
const NO_CRATES: &str = "\
The standard library of Rust: MIT OR Apache-2.0, copyright The Rust Project Developers.
musl: MIT, copyright Rich Felker and others; on macOS it is not in the binary.
";

/// A text for each licence, below the crates that it is for.
///
/// # Errors
/// When cargo does not tell, or a crate has no licence.
pub fn notices(root: &Path, triple: &str) -> Result<String> {
    let (tree, linked) = tree::of(root, triple)?;
    let folders = folders(root, triple)?;
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for id in linked {
        let (name, version) = &id;
        let of = tree.crates.get(&id).filter(|found| !found.is_own);
        // Our own are what the whole package is.
        let Some(licence) = of.map(|found| &found.licence) else { continue };
        let folder = folders.get(&id).filter(|_| !licence.is_empty());
        let folder = folder.ok_or_else(|| format!("crate {name} {version} has no licence"))?;
        let texts = texts(folder)?;
        let texts = if texts.is_empty() { "As named.\n".to_owned() } else { texts };
        by_text.entry(texts).or_default().push(format!("{name} {version}: {licence}"));
    }
    let mut out = String::from(NO_CRATES);
    for (text, crates) in by_text {
        write!(out, "\n{}\n{}\n\n{text}", "=".repeat(72), crates.join("\n"))?;
    }
    Ok(out)
}

/// Where cargo keeps the sources of each crate.
fn folders(root: &Path, triple: &str) -> Result<BTreeMap<tree::Id, PathBuf>> {
    let mut cargo = run::cargo(root);
    cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", triple]);
    let metadata = output(&mut cargo).ok_or("cargo metadata failed")?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata has no packages")?;
    let read = |package: &Value| {
        let text = |name: &str| package[name].as_str().map(str::to_owned);
        let manifest = PathBuf::from(text("manifest_path")?);
        Some(((text("name")?, text("version")?), manifest.parent()?.to_owned()))
    };
    Ok(packages.iter().filter_map(read).collect())
}

/// The licences in a crate's folder. Who offers MIT or Apache offers the shorter one.
fn texts(folder: &Path) -> Result<String> {
    let entries = std::fs::read_dir(folder)?.flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| ["LICENSE", "COPYING", "NOTICE"].iter().any(|it| name.starts_with(it)))
        .filter(|name| folder.join(name).is_file())
        .collect();
    names.sort();
    if names.iter().any(|name| name.contains("MIT")) {
        names.retain(|name| !name.to_uppercase().contains("APACHE"));
    }
    let read = |name: &String| std::fs::read_to_string(folder.join(name));
    let texts = names.iter().map(read).collect::<std::io::Result<Vec<_>>>()?;
    Ok(texts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_named_and_what_runs_before_is_not() {
        let root = run::root().expect("the repository");
        let notices = notices(&root, "x86_64-unknown-linux-musl").expect("notices");
        for linked in ["\nring 0.17", "\nrustls 0.23", "BoringSSL", "\nsubtle "] {
            assert!(notices.contains(linked), "{linked}");
        }
        for not in ["\nsyn ", "\nproc-macro2 ", "\nprotocol ", "\ncc "] {
            assert!(!notices.contains(not), "{not}");
        }
    }
}
