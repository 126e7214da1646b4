//! Debian's package: a tree of files, made into an archive by `dpkg-deb`.

use super::commit::Commit;
use super::{NAME, Options, binary, changed, filled, linked, said};
use crate::Result;
use crate::dist::targets::Target;
use crate::run::run;
use flate2::{Compression, GzBuilder};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const CONTROL: &str = include_str!("../../../packaging/debian/control");
const COPYRIGHT: &str = include_str!("../../../packaging/debian/copyright");
const CHANGELOG: &str = include_str!("../../../packaging/debian/changelog");
const OVERRIDES: &str = include_str!("../../../packaging/debian/lintian-overrides");
const POSTINST: &str = include_str!("../../../packaging/debian/postinst");
const PRERM: &str = include_str!("../../../packaging/debian/prerm");
const UNIT: &str = include_str!("../../../deploy/chatcode-gateway.user.service");

/// What the unit of `service install --user` has for the package's own place and the usual settings.
/// A unit that a person has in their home goes before this one.
const UNIT_CHANGES: [(&str, &str); 4] = [
    ("Written by: chatcode-gateway service install", "Of the package chatcode-gateway"),
    ("systemctl edit chatcode-gateway", "systemctl --user edit chatcode-gateway"),
    ("\"/usr/local/bin/chatcode-gateway\"", "/usr/bin/chatcode-gateway"),
    (" --config \"/etc/chatcode/gateway.env\"", ""),
];

/// Where completions go, by the shell's name.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/chatcode-gateway"),
    ("zsh", "usr/share/zsh/vendor-completions/_chatcode-gateway"),
    ("fish", "usr/share/fish/vendor_completions.d/chatcode-gateway.fish"),
];

/// Modes of files that are read, and that are run.
const READ: u32 = 0o644;
const RUN: u32 = 0o755;

/// Makes the package of a target.
///
/// # Errors
/// What is missing, or what a step failed with.
pub fn make(
    root: &Path,
    options: &Options,
    commit: &Commit,
    target: &Target,
    version: &str,
) -> Result<PathBuf> {
    let architecture = target.debian.ok_or("Debian has no such architecture")?;
    let deb = options.dist.join(format!("{NAME}_{version}_{architecture}.deb"));
    let mut tree = Tree::new(options.dist.join(format!(".{NAME}_{architecture}")))?;
    let binary = std::fs::read(binary(options, target.triple)?)?;
    tree.add("usr/bin/chatcode-gateway", &binary, RUN)?;
    tree.add(
        "usr/lib/systemd/user/chatcode-gateway.service",
        changed(UNIT, &UNIT_CHANGES)?.as_bytes(),
        READ,
    )?;
    for (shell, path) in COMPLETIONS {
        tree.add(path, line(said(options, target, &["completions", shell])?).as_bytes(), READ)?;
    }
    let man = line(said(options, target, &["man"])?);
    tree.add("usr/share/man/man1/chatcode-gateway.1.gz", &gzip(man.as_bytes())?, READ)?;
    tree.add("usr/share/lintian/overrides/chatcode-gateway", OVERRIDES.as_bytes(), READ)?;
    documents(root, &mut tree, commit, target, version)?;
    let size = (tree.bytes / 1024).to_string();
    let control = filled(
        CONTROL,
        &[
            ("VERSION", version),
            ("ARCHITECTURE", architecture),
            ("MAINTAINER", &commit.maintainer),
            ("INSTALLED_SIZE", &size),
        ],
    )?;
    tree.add("DEBIAN/control", control.as_bytes(), READ)?;
    tree.add("DEBIAN/postinst", POSTINST.as_bytes(), RUN)?;
    tree.add("DEBIAN/prerm", PRERM.as_bytes(), RUN)?;
    let sums = sums(&tree)?;
    tree.add("DEBIAN/md5sums", sums.as_bytes(), READ)?;
    // One thread of a compressor that every Debian and Ubuntu can read gives the same bytes always.
    let mut command = Command::new("dpkg-deb");
    command.args(["--root-owner-group", "-Zxz", "-z9", "--threads-max=1", "--build"]);
    command.arg(&tree.folder).arg(&deb).env("SOURCE_DATE_EPOCH", &commit.seconds);
    command.stdout(std::process::Stdio::null());
    run(&mut command)?;
    std::fs::remove_dir_all(&tree.folder)?;
    Ok(deb)
}

/// What Debian wants to know of a program, in its own forms.
fn documents(
    root: &Path,
    tree: &mut Tree,
    commit: &Commit,
    target: &Target,
    version: &str,
) -> Result<()> {
    let mit = std::fs::read_to_string(root.join("LICENSE-MIT"))?;
    let owner = mit.lines().find_map(|line| line.strip_prefix("Copyright (c) "));
    let indented = |line: &str| match line {
        "" => " .".to_owned(),
        line => format!(" {line}"),
    };
    let terms: Vec<String> = mit.lines().skip(4).map(indented).collect();
    let owner = owner.ok_or("LICENSE-MIT names nobody")?;
    let copyright = filled(COPYRIGHT, &[("COPYRIGHT", owner), ("MIT", &terms.join("\n"))])?;
    let changelog = filled(
        CHANGELOG,
        &[("VERSION", version), ("MAINTAINER", &commit.maintainer), ("DATE", &commit.date)],
    )?;
    let news = std::fs::read(root.join("CHANGELOG.md"))?;
    let notices = linked::notices(root, target.triple)?;
    let place = |name: &str| format!("usr/share/doc/{NAME}/{name}");
    tree.add(&place("copyright"), copyright.as_bytes(), READ)?;
    tree.add(&place("changelog.gz"), &gzip(changelog.as_bytes())?, READ)?;
    tree.add(&place("NEWS.gz"), &gzip(&news)?, READ)?;
    tree.add(&place("linked.gz"), &gzip(notices.as_bytes())?, READ)
}

/// With the newline at its end, which is lost where output is read.
fn line(text: String) -> String {
    text + "\n"
}

/// As `gzip -9n` has it: without a name and a time.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    Ok(gzip.finish()?)
}

/// By `md5sum`: what dpkg compares is no secret, and needs no crate.
fn sums(tree: &Tree) -> Result<String> {
    let mut command = Command::new("md5sum");
    command.current_dir(&tree.folder).args(&tree.files);
    let sums = crate::run::output(&mut command).ok_or("md5sum failed: it is in coreutils")?;
    Ok(line(sums))
}

/// The files of a package, in a folder of their own.
struct Tree {
    folder: PathBuf,
    files: Vec<String>,
    bytes: u64,
}

impl Tree {
    fn new(folder: PathBuf) -> Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        folders(&folder)?;
        Ok(Self { folder, files: Vec::new(), bytes: 0 })
    }

    fn add(&mut self, path: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let place = self.folder.join(path);
        folders(place.parent().unwrap_or(&self.folder))?;
        std::fs::write(&place, bytes)?;
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode))?;
        if !path.starts_with("DEBIAN/") {
            self.files.push(path.to_owned());
            self.bytes += u64::try_from(bytes.len())?;
        }
        Ok(())
    }
}

/// Folders that everybody may enter, whatever the umask is.
fn folders(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    folders(path.parent().unwrap_or(Path::new("/")))?;
    std::fs::create_dir(path)?;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(RUN))?)
}
