//! The crates that a target's gateway is built from, as cargo resolves them for it alone.

use crate::{Result, run};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Name and version.
pub type Id = (String, String);

/// What cargo knows of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// SPDX expression.
    pub licence: String,
    /// Where its source is kept; empty when it does not say.
    pub repository: String,
    /// Whether it is one of this repository's own.
    pub is_own: bool,
}

/// Crates and what they depend on.
#[derive(Debug, Default)]
pub struct Tree {
    /// All of them, the gateway too.
    pub crates: BTreeMap<Id, Crate>,
    /// Each with those that it names itself.
    pub edges: BTreeMap<Id, BTreeSet<Id>>,
}

/// What is linked into the gateway for `triple` or only builds it, and what of that is linked.
///
/// # Errors
/// When cargo cannot say.
pub fn of(root: &Path, triple: &str) -> Result<(Tree, BTreeSet<Id>)> {
    let all = read(&ask(root, triple, "normal,build")?)?;
    let linked = read(&ask(root, triple, "normal,no-proc-macro")?)?;
    Ok((all, linked.crates.into_keys().collect()))
}

/// `cargo metadata` would not do: it unites what all members of the workspace ask of a crate.
fn ask(root: &Path, triple: &str, edges: &str) -> Result<String> {
    let mut command = run::cargo(root);
    command.args(["tree", "--locked", "--package", "chatcode-gateway", "--target", triple]);
    command.args(["--prefix", "depth", "--format", "|{p}|{l}|{r}|", "--edges", edges]);
    let answer = command.output().map_err(|error| format!("cargo tree: {error}"))?;
    match answer.status.success() {
        true => Ok(String::from_utf8_lossy(&answer.stdout).into_owned()),
        false => Err(format!("cargo tree: {}", String::from_utf8_lossy(&answer.stderr)).into()),
    }
}

/// Reads lines of `DEPTH|NAME vVERSION [(proc-macro)] [(SOURCE)]|LICENCE|REPOSITORY|`. What a crate
/// depends on stands beneath its first line only.
fn read(text: &str) -> Result<Tree> {
    let mut tree = Tree::default();
    let mut above: Vec<Id> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (depth, id, found) = read_line(line).ok_or_else(|| format!("cargo tree: {line}"))?;
        above.truncate(depth);
        if let Some(parent) = above.last() {
            tree.edges.entry(parent.clone()).or_default().insert(id.clone());
        }
        tree.crates.insert(id.clone(), found);
        above.push(id);
    }
    Ok(tree)
}

fn read_line(line: &str) -> Option<(usize, Id, Crate)> {
    let mut fields = line.split('|');
    let mut next = || fields.next();
    let (depth, package, licence, repository) = (next()?, next()?, next()?, next()?);
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    let licence = licence.replace('/', " OR ");
    let is_own = package.contains(" (/");
    let found = Crate { licence, repository: repository.to_owned(), is_own };
    Some((depth.parse().ok()?, (name.to_owned(), version.to_owned()), found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, version: &str) -> Id {
        (name.to_owned(), version.to_owned())
    }

    #[test]
    fn a_tree_is_read() {
        let tree = read(
            "0|gateway v0.1.0 (/home/ada/x y/gateway)|MIT||\n\
             1|ring v0.17.14|Apache-2.0 AND ISC|https://example.com/ring|\n\
             2|cc v1.11.1|MIT/Apache-2.0||\n\
             1|derive v1.0.0 (proc-macro)|MIT||\n\
             2|cc v1.11.1|MIT/Apache-2.0|| (*)\n\
             1|cc v2.0.0|||\n",
        )
        .expect("read");
        let names: Vec<_> =
            tree.crates.keys().map(|(name, version)| (&**name, &**version)).collect();
        assert_eq!(
            names,
            [
                ("cc", "1.11.1"),
                ("cc", "2.0.0"),
                ("derive", "1.0.0"),
                ("gateway", "0.1.0"),
                ("ring", "0.17.14")
            ]
        );
        let of = |name, version| tree.edges.get(&id(name, version)).cloned().unwrap_or_default();
        assert_eq!(of("gateway", "0.1.0").len(), 3);
        assert_eq!(of("ring", "0.17.14"), [id("cc", "1.11.1")].into());
        assert_eq!(of("derive", "1.0.0"), [id("cc", "1.11.1")].into());
        let cc = tree.crates.get(&id("cc", "1.11.1")).expect("there");
        assert_eq!((cc.licence.as_str(), cc.is_own), ("MIT OR Apache-2.0", false));
        assert!(tree.crates.get(&id("gateway", "0.1.0")).expect("there").is_own);
        for wrong in ["x|a v1||", "1|a||", "1|a 1.0|||", "garbage"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_gateways_own_tree_differs_by_target() {
        let root = run::root().expect("the repository");
        let (linux, linked) = of(&root, "x86_64-unknown-linux-musl").expect("a tree");
        let (apple, _) = of(&root, "aarch64-apple-darwin").expect("a tree");
        let has = |tree: &Tree, name: &str| tree.crates.keys().any(|(found, _)| found == name);
        assert!(has(&linux, "linux-raw-sys") && !has(&apple, "linux-raw-sys"));
        assert!(has(&linux, "cc") && !linked.iter().any(|(name, _)| name == "cc"));
        assert!(linked.iter().any(|(name, _)| name == "ring"));
        assert!(!has(&linux, "jsonschema"), "what only tests use is not in it");
    }
}
