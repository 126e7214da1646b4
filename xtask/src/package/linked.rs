//! Notices and licences of the crates that are linked into the gateway.

use crate::Result;
use crate::run::{self, output};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

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
    let mut cargo = run::cargo(root);
    cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", triple]);
    let metadata = output(&mut cargo).ok_or("cargo metadata failed")?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in linked(&metadata)? {
        let text = |name: &str| package[name].as_str().unwrap_or_default();
        let licence = text("license");
        if licence.is_empty() {
            return Err(format!("crate {} has no licence", text("name")).into());
        }
        let line = format!("{} {}: {licence}", text("name"), text("version"));
        let folder = Path::new(text("manifest_path")).parent().unwrap_or(root);
        let texts = texts(folder)?;
        let texts = if texts.is_empty() { "As named.\n".to_owned() } else { texts };
        by_text.entry(texts).or_default().push(line);
    }
    let mut out = String::from(NO_CRATES);
    for (text, crates) in by_text {
        write!(out, "\n{}\n{}\n\n{text}", "=".repeat(72), crates.join("\n"))?;
    }
    Ok(out)
}

/// The crates that others made: not what runs while compiling, and not our own.
fn linked(metadata: &Value) -> Result<Vec<&Value>> {
    let list = |value: &'static str, of: &'static str| {
        let array = metadata[value].as_array().or_else(|| metadata[value][of].as_array());
        array.ok_or_else(|| format!("cargo metadata has no {value}"))
    };
    let packages: BTreeMap<&str, &Value> =
        list("packages", "")?.iter().filter_map(|it| Some((it["id"].as_str()?, it))).collect();
    let nodes: BTreeMap<&str, &Value> =
        list("resolve", "nodes")?.iter().filter_map(|it| Some((it["id"].as_str()?, it))).collect();
    let start = packages.iter().find(|(_, it)| it["name"] == super::NAME);
    let mut to_do = vec![*start.ok_or("cargo does not know the gateway")?.0];
    let mut found: BTreeMap<&str, &Value> = BTreeMap::new();
    while let Some(id) = to_do.pop() {
        let Some(package) = packages.get(id).filter(|it| !is_macro(it)) else { continue };
        if found.insert(id, package).is_none() {
            let needs = nodes.get(id).and_then(|node| node["deps"].as_array());
            let of_run = needs.into_iter().flatten().filter(|need| is_normal(need));
            to_do.extend(of_run.filter_map(|need| need["pkg"].as_str()));
        }
    }
    Ok(found.into_values().filter(|package| !package["source"].is_null()).collect())
}

fn is_macro(package: &Value) -> bool {
    package["targets"].as_array().into_iter().flatten().any(|it| it["kind"][0] == "proc-macro")
}

/// Neither for building nor for testing.
fn is_normal(need: &Value) -> bool {
    need["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null())
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
