//! A release that nobody gets: made with a throw-away key, served here, installed in a clean root.

use super::{Plan, Words, layout, release, signing::Key, source, version};
use crate::dist::targets::TARGETS;
use crate::{Result, build_worker, dev, dist, needs, run, tool};
use std::fs;
use std::net::TcpListener;
use std::path::Path;

/// The target whose binary runs in the root.
const OWN: &str = "x86_64-unknown-linux-musl";

/// Makes and installs it.
///
/// # Errors
/// As a release; or when the line that people paste does not install what was made.
pub fn run(root: &Path, words: Words) -> Result<()> {
    if words.key.is_some() || words.base_url.is_some() {
        return Err(
            "a dry run has a key and an address of its own: leave --key and --base-url".into()
        );
    }
    needs::programs(needs::TO_TRY_A_RELEASE)?;
    let folder = run::target(root).join("dry-run");
    let out = words.out.unwrap_or_else(|| folder.join("releases"));
    // Each run begins with nothing, but for the key: for another one all would be compiled anew.
    layout::remove(&out)?;
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let key = Key::throw_away(&folder.join("key"))?;
    let version = words.version.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
    // What is offered stands in the manifests; the server listens where they say.
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let plan = Plan {
        version: version::read(&version)?,
        base_url: format!("https://127.0.0.1:{port}"),
        targets: TARGETS.iter().filter(|it| words.all_targets || it.triple == OWN).collect(),
        dist: words.dist,
        out,
        source: source::look(root)?,
        is_trial: true,
        key,
    };
    plan.refuse(super::uncommitted(&plan.source))?;
    release(root, &plan)?;
    again(root, &plan, &folder.join("again"))?;
    needs::node(root)?;
    build_worker::build(false)?;
    dev::build_web(root)?;
    let environment = [
        ("CHATCODE_RELEASES", plan.out.clone().into_os_string()),
        ("CHATCODE_RELEASE_PORT", port.to_string().into()),
        ("CHATCODE_RELEASE_KEY", plan.key.public().into()),
        ("CHATCODE_RELEASE_VERSION", version.into()),
    ];
    tool("try-release", &environment, &[])
}

/// Makes the release once more of the same binaries: nothing but signatures may be another one.
fn again(root: &Path, plan: &Plan, out: &Path) -> Result<()> {
    layout::remove(out)?;
    let dist = plan.dist.clone().unwrap_or_else(|| dist::folder(root));
    let second = Plan { dist: Some(dist), out: out.to_owned(), ..plan.clone() };
    release(root, &second)?;
    let differing = differing(&plan.out, &second.out)?;
    let wrong: Vec<_> = differing.iter().filter(|file| !file.ends_with(".minisig")).collect();
    if !wrong.is_empty() {
        return Err(format!("two runs of one commit differ in {wrong:?}").into());
    }
    let files = layout::files(&plan.out)?.len();
    println!("  made twice: {files} files, the same but for {} signatures", differing.len());
    Ok(())
}

/// The files that are not the same in two folders, or are in one of them alone.
pub fn differing(one: &Path, two: &Path) -> Result<Vec<String>> {
    let mut names = layout::files(one)?;
    names.extend(layout::files(two)?);
    names.sort();
    names.dedup();
    names.retain(|name| match (fs::read(one.join(name)), fs::read(two.join(name))) {
        (Ok(one), Ok(two)) => one != two,
        _ => true,
    });
    Ok(names)
}
