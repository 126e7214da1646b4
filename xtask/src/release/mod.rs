//! `release`: all that people download, signed, in a folder that is served as it is.

mod binaries;
mod dry_run;
mod layout;
mod manifest;
mod provenance;
mod sbom;
mod signing;
mod source;
pub mod sums;
pub mod tree;
mod version;

use crate::dist::targets::{TARGETS, Target};
use crate::run::{self, output};
use crate::{Result, dist, package};
use binaries::Binary;
use layout::Staged;
use lexopt::prelude::*;
use provenance::Rust;
use semver::Version;
use serde_json::{Map, Value};
use signing::Key;
use source::Source;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const HELP: &str = "\
All of a release, signed, in a folder that is served as it is: what RELEASE_URL names.

Usage: cargo xtask release --version X.Y.Z --base-url URL --key FILE [options]
       cargo xtask release --dry-run [options]

  --version X.Y.Z   what the binaries must say that they are (in a dry run: the package's)
  --base-url URL    https address where the folder will be, without a slash at its end
  --key FILE        secret key of minisign's; its password is in CHATCODE_RELEASE_PASSWORD or
                    MINISIGN_PASSWORD, or it has none
  --dist DIR        release what lies there instead of building all of it for this key
  --out DIR         the folder (target/releases); releases that are there already stay
  --dry-run         do all of it with a throw-away key, for x86_64 Linux alone, in target/dry-run,
                    and install it on a clean machine, which takes root; what a release in earnest
                    would be refused for is said
  --all-targets     in a dry run too

The folder:
  manifest.json, .minisig           the newest release: version, minimum_version, and of each
                                    target url, size and sha256
  TRIPLE/manifest.json, .minisig    the same of one target: what gateways and install.sh read
  vX.Y.Z/                           binaries, debug files, packages, SHA256SUMS and its .minisig,
                                    sbom.cdx.json (CycloneDX), provenance.json (in-toto, SLSA), and
                                    the manifests once more: it can be served as the whole too

Upload vX.Y.Z first, then the folders of targets, then the root's manifest. Two runs of one commit
give the same files but for signatures.
";

/// What a release is made of.
#[derive(Clone)]
struct Plan {
    version: Version,
    base_url: String,
    key: Key,
    targets: Vec<&'static Target>,
    /// Where the binaries are; without one they are built.
    dist: Option<PathBuf>,
    out: PathBuf,
    source: Source,
    /// Whether nobody gets it: then what would be refused is only said.
    is_trial: bool,
}

/// What the command line says.
#[derive(Default)]
struct Words {
    version: Option<String>,
    base_url: Option<String>,
    key: Option<PathBuf>,
    dist: Option<PathBuf>,
    out: Option<PathBuf>,
    dry_run: bool,
    all_targets: bool,
}

/// `cargo xtask release`.
///
/// # Errors
/// What is refused, is missing, or failed.
pub fn command(mut arguments: lexopt::Parser) -> Result<()> {
    let mut words = Words::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            Long("version") => words.version = Some(arguments.value()?.string()?),
            Long("base-url") => words.base_url = Some(arguments.value()?.string()?),
            Long("key") => words.key = Some(arguments.value()?.into()),
            Long("dist") => words.dist = Some(std::path::absolute(arguments.value()?)?),
            Long("out") => words.out = Some(std::path::absolute(arguments.value()?)?),
            Long("dry-run") => words.dry_run = true,
            Long("all-targets") => words.all_targets = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let root = run::root()?;
    if words.dry_run {
        return dry_run::run(&root, words);
    }
    let plan = plan(&root, words)?;
    release(&root, &plan)
}

/// A release in earnest.
fn plan(root: &Path, words: Words) -> Result<Plan> {
    let given = |what: Option<String>, name: &str| {
        what.ok_or_else(|| format!("{name} is missing; see cargo xtask release --help"))
    };
    let out = words.out.unwrap_or_else(|| run::target(root).join("releases"));
    let version = version::read(&given(words.version, "--version")?)?;
    version::check(&version, layout::newest(&out)?.as_ref())?;
    let base_url = base_url(&given(words.base_url, "--base-url")?)?;
    let source = source::look(root)?;
    let key = words.key.ok_or("--key is missing; see cargo xtask release --help")?;
    let (key, dist) = (Key::read(&key)?, words.dist);
    let targets = TARGETS.iter().collect();
    let plan = Plan { version, base_url, key, targets, dist, out, source, is_trial: false };
    plan.refuse(uncommitted(&plan.source))?;
    Ok(plan)
}

impl Plan {
    /// Refuses a release in earnest for this reason, if there is one.
    fn refuse(&self, reason: Option<String>) -> Result<()> {
        match reason {
            Some(reason) if self.is_trial => {
                println!("  a release in earnest would be refused: {reason}");
                Ok(())
            }
            Some(reason) => Err(reason.into()),
            None => Ok(()),
        }
    }
}

fn uncommitted(source: &Source) -> Option<String> {
    let reason = "files here are not committed, and a release is made of a commit alone";
    source.is_changed.then(|| reason.to_owned())
}

/// An address that a manifest and a shell can hold, without the slash at its end.
fn base_url(text: &str) -> Result<String> {
    let url = text.trim_end_matches('/');
    let host = url.strip_prefix("https://").unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
    if host.is_empty() || host.starts_with('/') || !host.bytes().all(is_plain) {
        return Err(format!(
            "--base-url {text}: it is https://HOST/PATH, without user, query and fragment"
        )
        .into());
    }
    Ok(url.to_owned())
}

/// Makes the release.
fn release(root: &Path, plan: &Plan) -> Result<()> {
    let version = plan.version.to_string();
    let key = plan.key.public();
    let dist = match &plan.dist {
        Some(dist) => dist.clone(),
        None => build(root, plan, &version, &key)?,
    };
    let binaries = binaries::collect(&dist, plan.targets.iter().copied())?;
    plan.refuse(binaries::over_budget(&binaries)?)?;
    let silent = binaries::check(&binaries, &version, &key)?;
    if !silent.is_empty() {
        println!("  not run here, and so not asked for their version: {}", silent.join(", "));
    }
    let packages = packages(root, plan, &dist, &version)?;
    lay_out(root, plan, &binaries, &packages)?;
    println!("{}: release {version} of {}", plan.out.display(), plan.source.commit);
    println!("  signed for the key {key}");
    Ok(())
}

/// Fills the folder with what was built.
fn lay_out(root: &Path, plan: &Plan, binaries: &[Binary], packages: &[PathBuf]) -> Result<()> {
    let version = plan.version.to_string();
    let staged = Staged::new(&plan.out, &version)?;
    let files = binaries.iter().flat_map(|binary| [&binary.path, &binary.debug]);
    files.chain(packages).try_for_each(|file| staged.take(file))?;
    let (folder, rust) = (staged.folder().to_owned(), rust(root)?);
    let sums = sums::of_folder(&folder)?;
    let bill = sbom::text(root, &version, &rust.version, &plan.source, binaries, &sums)?;
    staged.write(sbom::FILE, &bill)?;
    let statement = provenance::Build {
        version: &version,
        base_url: &plan.base_url,
        update_key: &plan.key.public(),
        source: &plan.source,
        lock: &sums::sha256(&fs::read(root.join("Cargo.lock"))?),
        rust: &rust,
        tools: &dist::tool_versions(),
        flags: flags(&plan.targets),
    };
    let statement = provenance::text(&statement, &sums::of_folder(&folder)?)?;
    staged.write(provenance::FILE, &statement)?;
    let whole = manifest::Whole::new(&version, files_of(binaries, plan, &sums)?);
    staged.publish(&whole, &plan.key)
}

fn build(root: &Path, plan: &Plan, version: &str, key: &str) -> Result<PathBuf> {
    let options =
        dist::Options { version: Some(version.to_owned()), update_key: Some(key.to_owned()) };
    let out = dist::folder(root);
    plan.targets.iter().try_for_each(|target| dist::build(target, &options, &out).map(drop))?;
    Ok(out)
}

/// The packages of a release: all of them, or in a trial those that its targets allow.
fn packages(root: &Path, plan: &Plan, dist: &Path, version: &str) -> Result<Vec<PathBuf>> {
    let options = package::Options {
        dist: dist.to_owned(),
        version: Some(version.to_owned()),
        url: format!("{}/v{version}", plan.base_url),
        maintainer: None,
        check: true,
    };
    if plan.targets.len() == TARGETS.len() {
        return package::packages(root, &options);
    }
    let targets: Vec<&Target> =
        plan.targets.iter().copied().filter(|target| target.debian.is_some()).collect();
    package::debs(root, &options, &targets)
}

fn rust(root: &Path) -> Result<Rust> {
    let says = output(Command::new("rustc").arg("-vV").current_dir(root));
    Rust::read(&says.ok_or("rustc -vV failed: install Rust with rustup")?)
}

fn flags(targets: &[&'static Target]) -> Map<String, Value> {
    targets.iter().map(|target| (target.triple.to_owned(), dist::flags_of(target))).collect()
}

fn files_of(
    binaries: &[Binary],
    plan: &Plan,
    sums: &sums::Sums,
) -> Result<std::collections::BTreeMap<String, manifest::File>> {
    let file = |binary: &Binary| {
        let triple = binary.target.triple;
        let name = format!("chatcode-gateway-{triple}");
        let sha256 = sums.get(&name).ok_or_else(|| format!("{name} was not copied"))?.clone();
        let url = format!("{}/v{}/{name}", plan.base_url, plan.version);
        let size = binary.path.metadata()?.len();
        Ok((triple.to_owned(), manifest::File { url, size, sha256 }))
    };
    binaries.iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_https_and_plain() {
        for (text, wanted) in [
            ("https://example.com", "https://example.com"),
            ("https://example.com/releases//", "https://example.com/releases"),
            ("https://[::1]:8443/r", "https://[::1]:8443/r"),
        ] {
            assert_eq!(base_url(text).expect(text), wanted);
        }
        for wrong in [
            "",
            "https://",
            "https:///r",
            "http://example.com",
            "example.com",
            "file:///r",
            "https://a@example.com",
            "https://example.com/?q",
            "https://example.com/#f",
            "https://example.com/a b",
            "https://example.com/\"",
            "https://example.com/\u{e4}",
        ] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }

    /// A repository of one commit.
    fn repository(folder: &Path) {
        for arguments in [
            &["init", "-q"][..],
            &["-c", "user.name=x", "-c", "user.email=ada@example.com", "commit", "-q"],
        ] {
            let mut git = Command::new("git");
            git.current_dir(folder).args(arguments);
            if arguments.contains(&"commit") {
                git.args(["--allow-empty", "-m", "one"]);
            }
            assert!(git.status().expect("git runs").success(), "{arguments:?}");
        }
    }

    #[test]
    fn what_must_not_be_released_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, out) = (folder.path().join("root"), folder.path().join("out"));
        fs::create_dir_all(&root).expect("made");
        fs::create_dir_all(&out).expect("made");
        repository(&root);
        let key = folder.path().join("key");
        Key::throw_away(&key).expect("a key");
        let made = |change: &dyn Fn(&mut Words)| {
            let mut words = Words {
                version: Some("99.0.0".to_owned()),
                base_url: Some("https://example.com/r".to_owned()),
                key: Some(key.clone()),
                out: Some(out.clone()),
                ..Words::default()
            };
            change(&mut words);
            plan(&root, words).map(drop).map_err(|error| error.to_string())
        };
        let refused = |change: &dyn Fn(&mut Words)| made(change).expect_err("refused");
        assert_eq!(made(&|_| ()), Ok(()));
        assert!(refused(&|words| words.version = None).contains("--version"));
        assert!(refused(&|words| words.version = Some("1.2".to_owned())).contains("x.y.z"));
        assert!(refused(&|words| words.base_url = None).contains("--base-url"));
        assert!(refused(&|words| words.base_url = Some("http://h".to_owned())).contains("https"));
        assert!(refused(&|words| words.key = None).contains("--key"));
        assert!(refused(&|words| words.key = Some("/no/key".into())).contains("/no/key"));
        let there = manifest::Whole::new("99.0.0", [].into()).text().expect("a manifest");
        fs::write(out.join("manifest.json"), there).expect("written");
        assert!(refused(&|_| ()).contains("99.0.0 is released already"));
        assert!(refused(&|words| words.version = Some("9.9.9".to_owned())).contains("99.0.0"));
        assert_eq!(made(&|words| words.version = Some("99.0.1".to_owned())), Ok(()));
        fs::write(root.join("file"), "").expect("written");
        let said = refused(&|words| words.version = Some("99.0.1".to_owned()));
        assert!(said.contains("not committed"), "{said}");
    }

    #[test]
    fn two_runs_of_one_commit_differ_in_signatures_alone() {
        let root = run::root().expect("the repository");
        let folder = tempfile::tempdir().expect("a folder");
        let target = TARGETS.first().expect("a target");
        let name = format!("chatcode-gateway-{}", target.triple);
        for file in [name.clone(), format!("{name}.debug"), "it.deb".to_owned()] {
            fs::write(folder.path().join(&file), format!("this is {file}")).expect("written");
        }
        let made = ["one", "two"].map(|out| {
            let plan = Plan {
                version: Version::new(99, 1, 2),
                base_url: "https://example.com/r".to_owned(),
                key: Key::throw_away(&folder.path().join("key")).expect("a key"),
                targets: vec![target],
                dist: None,
                out: folder.path().join(out),
                source: source::look(&root).expect("a commit"),
                is_trial: true,
            };
            let binaries = binaries::collect(folder.path(), [target]).expect("there");
            lay_out(&root, &plan, &binaries, &[folder.path().join("it.deb")]).expect("laid out");
            plan.out
        });
        let [one, two] = made.each_ref().map(|out| layout::files(out).expect("files"));
        assert_eq!(one, two);
        let differing = dry_run::differing(&made[0], &made[1]).expect("read");
        assert!(differing.iter().all(|file| file.ends_with(".minisig")), "{differing:?}");
        let read = |file: &str| fs::read_to_string(made[0].join(file)).expect(file);
        let sums = read("v99.1.2/SHA256SUMS");
        for file in [name.as_str(), "it.deb", sbom::FILE, provenance::FILE] {
            let text = read(&format!("v99.1.2/{file}"));
            let line = format!("{}  {file}\n", sums::sha256(text.as_bytes()));
            assert!(sums.contains(&line), "{file}");
            let home = std::env::var("HOME").expect("a home");
            assert!(!text.contains(&*root.to_string_lossy()) && !text.contains(&home), "{file}");
        }
        let manifest: Value =
            serde_json::from_str(&read(&format!("{}/manifest.json", target.triple))).expect("JSON");
        assert_eq!(manifest["url"], format!("https://example.com/r/v99.1.2/{name}"));
        assert_eq!(manifest["sha256"], sums::sha256(format!("this is {name}").as_bytes()));
        let bill: Value = serde_json::from_str(&read("v99.1.2/sbom.cdx.json")).expect("JSON");
        let find = |name: &str| {
            let components = bill["components"].as_array().expect("components");
            components.iter().find(|component| component["name"] == name).cloned()
        };
        let ring = find("ring").expect("ring is linked");
        assert_eq!(ring["scope"], "required");
        assert_eq!(ring["licenses"][0]["expression"], "Apache-2.0 AND ISC");
        assert_eq!(ring["hashes"][0]["content"].as_str().map(str::len), Some(64));
        assert_eq!(find("cc").expect("cc builds ring")["scope"], "excluded");
        assert!(find("protocol").expect("ours").get("purl").is_none(), "not the registry's");
        assert!(find("serde_json").is_none(), "only tests use it");
    }
}
