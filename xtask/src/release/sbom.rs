//! The bill of materials, CycloneDX 1.6: every crate of every target's binary, and what else is in it.

use super::binaries::Binary;
use super::source::Source;
use super::sums::{Sums, sha256};
use super::tree::{self, Crate, Id};
use crate::Result;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Name of the file.
pub const FILE: &str = "sbom.cdx.json";

/// The licence of what is ours.
const OWN_LICENCE: &str = "MIT OR Apache-2.0";

/// What rustc and the linker add to every Linux binary beside crates.
const MUSL: &str = "musl";

/// A crate, and where it is used.
struct Entry {
    found: Crate,
    /// Triples of the binaries that are built with it.
    targets: BTreeSet<&'static str>,
    /// Whether it is linked into one of them, or builds only.
    is_linked: bool,
}

/// The document's text, with a newline at its end.
///
/// # Errors
/// When cargo cannot say what a binary is made of.
pub fn text(
    root: &Path,
    version: &str,
    rust: &str,
    source: &Source,
    binaries: &[Binary],
    sums: &Sums,
) -> Result<String> {
    let checksums = checksums(&fs::read_to_string(root.join("Cargo.lock"))?)?;
    let (mut entries, mut edges) = (BTreeMap::<Id, Entry>::new(), BTreeMap::new());
    for binary in binaries {
        let triple = binary.target.triple;
        let (tree, linked) = tree::of(root, triple)?;
        for (id, found) in tree.crates {
            let is_linked = linked.contains(&id);
            let fresh = Entry { found, targets: BTreeSet::new(), is_linked: false };
            let entry = entries.entry(id).or_insert(fresh);
            entry.targets.insert(triple);
            entry.is_linked |= is_linked;
        }
        for (id, others) in tree.edges {
            // The gateway itself is another thing on each target.
            let from = if id.0 == GATEWAY { binary_ref(triple) } else { crate_ref(&id, &entries) };
            let others: Vec<_> = others.iter().map(|other| crate_ref(other, &entries)).collect();
            edges.entry(from).or_insert_with(BTreeSet::new).extend(others);
        }
        let runtime = edges.entry(binary_ref(triple)).or_default();
        runtime.insert(std_ref(rust));
        if triple.contains("-linux-musl") {
            runtime.insert(MUSL.to_owned());
        }
    }
    entries.retain(|(name, _), _| name != GATEWAY);
    let mut components: Vec<Value> =
        binaries.iter().map(|binary| application(binary, version, sums)).collect();
    components.extend(runtime(rust));
    components.extend(entries.iter().map(|(id, entry)| library(id, entry, &entries, &checksums)));
    let whole = format!("{GATEWAY}@{version}");
    let roots = binaries.iter().map(|binary| binary_ref(binary.target.triple)).collect();
    edges.insert(whole.clone(), roots);
    let dependencies: Vec<Value> =
        edges.iter().map(|(from, others)| json!({ "ref": from, "dependsOn": others })).collect();
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial(&format!("{} {version} {sums:?}", source.commit)),
        "version": 1,
        "metadata": {
            "timestamp": source.time,
            "lifecycles": [{ "phase": "build" }],
            "component": {
                "type": "application",
                "bom-ref": whole,
                "name": GATEWAY,
                "version": version,
                "licenses": [{ "expression": OWN_LICENCE }],
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// The package, and the program.
const GATEWAY: &str = "chatcode-gateway";

fn binary_ref(triple: &str) -> String {
    format!("{GATEWAY}-{triple}")
}

/// Our own crates are not those that a registry has by the same name.
fn crate_ref(id: &Id, entries: &BTreeMap<Id, Entry>) -> String {
    let (name, version) = id;
    match entries.get(id).is_some_and(|entry| entry.found.is_own) {
        true => format!("chatcode:{name}@{version}"),
        false => purl(id),
    }
}

fn purl((name, version): &Id) -> String {
    format!("pkg:cargo/{name}@{version}")
}

fn std_ref(rust: &str) -> String {
    format!("std@{rust}")
}

fn application(binary: &Binary, version: &str, sums: &Sums) -> Value {
    let name = binary_ref(binary.target.triple);
    let mut component = json!({
        "type": "application",
        "bom-ref": name,
        "name": name,
        "version": version,
        "licenses": [{ "expression": OWN_LICENCE }],
    });
    if let Some(sum) = sums.get(&name) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    component
}

/// The standard library, and the C library that is linked statically.
fn runtime(rust: &str) -> [Value; 2] {
    [
        json!({
            "type": "library", "bom-ref": std_ref(rust), "group": "rust-lang", "name": "std",
            "version": rust, "licenses": [{ "expression": "MIT OR Apache-2.0" }],
            "description": "Rust's standard library with the crates that it is made of",
        }),
        json!({
            "type": "library", "bom-ref": MUSL, "name": MUSL,
            "licenses": [{ "expression": "MIT" }],
            "description": "The C library of the Linux binaries, as Rust or zig brings it along",
        }),
    ]
}

fn library(
    id: &Id,
    entry: &Entry,
    entries: &BTreeMap<Id, Entry>,
    checksums: &BTreeMap<Id, String>,
) -> Value {
    let Entry { found, targets, is_linked } = entry;
    let used: Vec<Value> = targets
        .iter()
        .map(|triple| json!({ "name": "chatcode:target", "value": triple }))
        .collect();
    let mut component = json!({
        "type": "library",
        "bom-ref": crate_ref(id, entries),
        "name": id.0,
        "version": id.1,
        // What only builds is not in the binary.
        "scope": if *is_linked { "required" } else { "excluded" },
        "properties": used,
    });
    if !found.licence.is_empty() {
        component["licenses"] = json!([{ "expression": found.licence }]);
    }
    if !found.is_own {
        component["purl"] = json!(purl(id));
    }
    if !found.repository.is_empty() {
        component["externalReferences"] = json!([{ "type": "vcs", "url": found.repository }]);
    }
    if let Some(sum) = checksums.get(id) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    component
}

/// The SHA-256 of each crate's archive, from `Cargo.lock`.
fn checksums(lock: &str) -> Result<BTreeMap<Id, String>> {
    let lock: cargo_lock::Lockfile =
        lock.parse().map_err(|error| format!("Cargo.lock: {error}"))?;
    let sum = |package: cargo_lock::Package| {
        let id = (package.name.to_string(), package.version.to_string());
        Some((id, package.checksum?.to_string()))
    };
    Ok(lock.packages.into_iter().filter_map(sum).collect())
}

/// A number of this document that is the same each time: a UUID of version 8, made of a digest.
fn serial(of: &str) -> String {
    let digest = sha256(of.as_bytes());
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default().to_owned();
    let (a, b, c, d, e) = (part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32));
    format!("urn:uuid:{a}-{b}-8{c}-8{d}-{e}")
}
