//! Where a release comes from: an in-toto statement with SLSA's provenance, about every file of it.
//!
//! It says nothing of the machine or the hour: two builds of one commit say the same.

use super::source::Source;
use super::sums::Sums;
use crate::Result;
use serde_json::{Map, Value, json};

/// Name of the file.
pub const FILE: &str = "provenance.json";

/// How a release is built, so that who reads it knows what the parameters mean: by
/// `cargo xtask release` of that commit.
const BUILD_TYPE: &str = "chatcode:/build/release/1";

/// Who built it, where no workflow says so.
const BY_HAND: &str = "chatcode:/build/by-hand";

/// What a build was asked for and had at hand.
pub struct Build<'a> {
    /// `x.y.z`.
    pub version: &'a str,
    /// Where the release will be.
    pub base_url: &'a str,
    /// The public key that is compiled in.
    pub update_key: &'a str,
    /// The commit.
    pub source: &'a Source,
    /// SHA-256 of `Cargo.lock`.
    pub lock: &'a str,
    /// The compiler, as `rustc -vV` says it.
    pub rust: &'a Rust,
    /// Other tools: name and version.
    pub tools: &'a [(String, String)],
    /// Flags of each target.
    pub flags: Map<String, Value>,
}

/// The pinned compiler.
#[derive(Debug, PartialEq, Eq)]
pub struct Rust {
    /// `x.y.z`.
    pub version: String,
    /// The commit that it was built from.
    pub commit: String,
}

impl Rust {
    /// Reads what `rustc -vV` says.
    ///
    /// # Errors
    /// When it does not say its version and commit.
    pub fn read(says: &str) -> Result<Self> {
        let part = |name: &str| {
            let found = says.lines().find_map(|line| line.strip_prefix(name));
            found.map(|found| found.trim().to_owned()).ok_or(format!("rustc -vV: no {name}"))
        };
        Ok(Self { version: part("release:")?, commit: part("commit-hash:")? })
    }
}

/// The statement's text, with a newline at its end; `subjects` are the files.
///
/// # Errors
/// Never, in practice: JSON can be written.
pub fn text(build: &Build<'_>, subjects: &Sums) -> Result<String> {
    let subjects: Vec<Value> = subjects
        .iter()
        .map(|(name, sum)| json!({ "name": name, "digest": { "sha256": sum } }))
        .collect();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "version": build.version,
                    "base_url": build.base_url,
                    "update_key": build.update_key,
                },
                "internalParameters": {
                    "committed_at": build.source.time,
                    "changed_since_commit": build.source.is_changed,
                    "targets": build.flags,
                },
                "resolvedDependencies": materials(build),
            },
            "runDetails": { "builder": { "id": builder() }, "metadata": metadata() },
        },
    });
    Ok(serde_json::to_string_pretty(&statement)? + "\n")
}

/// What went in.
fn materials(build: &Build<'_>) -> Vec<Value> {
    let commit = &build.source.commit;
    let mut source = json!({ "name": "source", "digest": { "gitCommit": commit } });
    if let Some(repository) = repository() {
        source["uri"] = json!(format!("git+{repository}@{commit}"));
    }
    let rust = build.rust;
    let mut materials = vec![
        source,
        json!({ "name": "Cargo.lock", "digest": { "sha256": build.lock } }),
        json!({
            "name": "rust",
            "uri": format!("git+https://github.com/rust-lang/rust@{}", rust.version),
            "digest": { "gitCommit": rust.commit },
        }),
    ];
    materials.extend(build.tools.iter().map(
        |(name, version)| json!({ "name": name, "uri": format!("pkg:pypi/{name}@{version}") }),
    ));
    materials
}

/// What a workflow is told of itself by the service that runs it.
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The public repository, in a workflow.
fn repository() -> Option<String> {
    Some(format!("{}/{}", told("GITHUB_SERVER_URL")?, told("GITHUB_REPOSITORY")?))
}

fn builder() -> String {
    match (told("GITHUB_SERVER_URL"), told("GITHUB_WORKFLOW_REF")) {
        (Some(server), Some(workflow)) => format!("{server}/{workflow}"),
        _ => BY_HAND.to_owned(),
    }
}

/// The run that built it, in a workflow.
fn metadata() -> Value {
    match (repository(), told("GITHUB_RUN_ID"), told("GITHUB_RUN_ATTEMPT")) {
        (Some(repository), Some(run), Some(attempt)) => {
            json!({ "invocationId": format!("{repository}/actions/runs/{run}/attempts/{attempt}") })
        }
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_named_and_nothing_of_the_machine() {
        let source = Source {
            commit: "c".repeat(40),
            time: "2026-01-02T03:04:05Z".to_owned(),
            is_changed: false,
        };
        let rust = Rust { version: "1.95.0".to_owned(), commit: "d".repeat(40) };
        let build = Build {
            version: "1.2.3",
            base_url: "https://example.com/r",
            update_key: "RWkey",
            source: &source,
            lock: &"e".repeat(64),
            rust: &rust,
            tools: &[("ziglang".to_owned(), "0.17.0".to_owned())],
            flags: Map::new(),
        };
        let subjects = Sums::from([("a".to_owned(), "0a".repeat(32))]);
        let made = text(&build, &subjects).expect("a statement");
        let read: Value = serde_json::from_str(&made).expect("JSON");
        assert_eq!(read["subject"][0]["digest"]["sha256"], "0a".repeat(32));
        let definition = &read["predicate"]["buildDefinition"];
        assert_eq!(definition["externalParameters"]["version"], "1.2.3");
        assert_eq!(definition["resolvedDependencies"][0]["digest"]["gitCommit"], source.commit);
        assert_eq!(definition["resolvedDependencies"][3]["uri"], "pkg:pypi/ziglang@0.17.0");
        assert!(!made.contains(env!("CARGO_MANIFEST_DIR")));
    }

    #[test]
    fn the_compiler_says_what_it_is() {
        let says = "rustc 1.95.0 (abc 2026-01-01)\nrelease: 1.95.0\ncommit-hash: abcdef\n";
        let rust = Rust::read(says).expect("read");
        assert_eq!(rust, Rust { version: "1.95.0".to_owned(), commit: "abcdef".to_owned() });
        assert!(Rust::read("release: 1.95.0\n").is_err());
    }
}
