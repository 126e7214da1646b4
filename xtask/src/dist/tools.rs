//! What builds a release beside the pinned Rust: zig and cargo-zigbuild, private to the repository.

use super::targets::{Linker, Target};
use crate::run::{output, run};
use crate::{Result, needs};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What pip installs, with the digest of each wheel that there is for a machine that builds: of Linux
/// on x86_64 and aarch64, of macOS on both.
const REQUIREMENTS: &str = "\
ziglang==0.17.0 \
 --hash=sha256:97079827064a7492cce5541ceb438ae8003ce1e54e399676da2d62fb7a5dc08b \
 --hash=sha256:d2804f94f54f7fcf8169f4b212a619ad688a4e2e6592e976f0cf2e58e2cd8af3 \
 --hash=sha256:87274af689c4128051b26c80f6f676757e0a81c2fdc137fd8b5679e928e4bc4f \
 --hash=sha256:4d910f0e363ddb60a6b8ddb55235617797a8ccbcb6c5c7132a949d9f833eea42
cargo-zigbuild==0.24.0 \
 --hash=sha256:484412e39e4c6039474535ce97ee75a22bab22d58233056f8ec8a8f9034bb957 \
 --hash=sha256:6942e4320f7b05d8fb29e0a8ce5670bcbb3d254275100b85b5b7c86552f9a744 \
 --hash=sha256:b576e8b95ff199eedee0e57afcdbaff7579744916261483280d350b9a35711fd
";

/// Name and version of each of [`REQUIREMENTS`].
pub fn versions() -> Vec<(String, String)> {
    let first = REQUIREMENTS.lines().filter_map(|line| line.split(' ').next());
    let pairs = first.filter_map(|word| word.split_once("=="));
    pairs.map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
}

/// The compilers, linkers and what splits symbols off.
#[derive(Clone, Debug)]
pub struct Tools {
    /// Ours: the private environment, wrappers, zig's cache.
    pub folder: PathBuf,
    /// zig itself.
    pub zig: PathBuf,
    /// cargo with zig as the linker.
    pub zigbuild: PathBuf,
    /// The pinned toolchain.
    pub sysroot: PathBuf,
    objcopy: PathBuf,
}

impl Tools {
    /// The tools, installed where they are not there yet.
    ///
    /// # Errors
    /// What could not be had, and what to do.
    pub fn ready(root: &Path) -> Result<Self> {
        let folder = crate::run::target(root).join("dist-tools");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let packages = environment(&folder)?;
        let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root))
            .ok_or("rustc --print sysroot failed: install Rust with rustup")?;
        let sysroot = PathBuf::from(sysroot);
        component(root, &sysroot.join("lib/rustlib/src/rust/library/Cargo.lock"), "rust-src")?;
        Ok(Self {
            zig: packages.join("ziglang/zig"),
            zigbuild: folder.join("venv/bin/cargo-zigbuild"),
            objcopy: objcopy(&sysroot)?,
            sysroot,
            folder,
        })
    }

    /// The part of the pinned toolchain that a target needs from rustup.
    ///
    /// # Errors
    /// When rustup cannot install it.
    pub fn target(&self, root: &Path, target: &Target) -> Result<()> {
        let library = self.sysroot.join("lib/rustlib").join(target.triple);
        if target.linker != Linker::Lld || library.is_dir() {
            return Ok(());
        }
        println!("  adding the objects of musl for {}", target.triple);
        // Unlike `rustup update` and `rustup toolchain install`, this never renews rustup itself.
        run(Command::new("rustup").args(["target", "add", target.triple]).current_dir(root))
    }

    /// A C compiler and an archiver for a target: zig's. cc names targets in its own way, so its
    /// names are taken out.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn c_compiler(&self, target: &Target) -> Result<(PathBuf, PathBuf)> {
        let zig = self.zig.display();
        let compiler = format!(
            "#!/bin/sh\nfor word do\n  shift\n  case $word in --target=*) ;; *) set -- \"$@\" \
             \"$word\" ;; esac\ndone\nexec '{zig}' cc {} \"$@\"\n",
            target.zig.join(" ")
        );
        let archiver = format!("#!/bin/sh\nexec '{zig}' ar \"$@\"\n");
        Ok((
            program(&self.folder.join(format!("cc-{}", target.triple)), &compiler)?,
            program(&self.folder.join("ar"), &archiver)?,
        ))
    }

    /// Where zig keeps what it compiled of its own.
    pub fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// LLVM's objcopy, as the toolchain has it for its own use. It finds its library only when told.
    pub fn objcopy(&self) -> Command {
        let mut command = Command::new(&self.objcopy);
        let library = self.sysroot.join("lib");
        command.env("LD_LIBRARY_PATH", &library).env("DYLD_LIBRARY_PATH", &library);
        command
    }
}

/// The private environment of Python with what `REQUIREMENTS` names; gives its folder of packages.
fn environment(folder: &Path) -> Result<PathBuf> {
    let (venv, mark) = (folder.join("venv"), folder.join("installed.txt"));
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == REQUIREMENTS) {
        return packages(&venv);
    }
    needs::programs(needs::TO_RELEASE)?;
    if output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_none() {
        needs::packages(&["python3-venv"])?;
    }
    println!("  installing zig and cargo-zigbuild into {} (about 100 MB)", venv.display());
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS)?;
    let pip = venv.join("bin/pip");
    run(Command::new(pip)
        .args(["--quiet", "--disable-pip-version-check", "install", "--no-deps"])
        .args(["--only-binary=:all:", "--require-hashes", "--requirement"])
        .arg(&requirements))
    .map_err(|error| format!("{error}; zig and cargo-zigbuild come from PyPI: is it reachable?"))?;
    fs::write(mark, REQUIREMENTS)?;
    packages(&venv)
}

/// Where an environment keeps its packages: `lib/pythonX.Y/site-packages`.
fn packages(venv: &Path) -> Result<PathBuf> {
    let library = venv.join("lib");
    let folders = fs::read_dir(&library).map_err(|e| format!("{}: {e}", library.display()))?;
    let found = folders.flatten().map(|entry| entry.path().join("site-packages"));
    let mut found = found.filter(|folder| folder.join("ziglang/zig").is_file());
    found.next().ok_or_else(|| {
        let folder = venv.parent().unwrap_or(venv);
        format!(
            "no ziglang/zig in {}; delete {} and try again",
            library.display(),
            folder.display()
        )
        .into()
    })
}

/// Makes sure of a component of the pinned toolchain by a file that it has.
fn component(root: &Path, file: &Path, name: &str) -> Result<()> {
    if file.is_file() {
        return Ok(());
    }
    println!("  adding {name} to the pinned toolchain");
    run(Command::new("rustup").args(["component", "add", name]).current_dir(root))
}

fn objcopy(sysroot: &Path) -> Result<PathBuf> {
    let version = output(Command::new(sysroot.join("bin/rustc")).arg("-vV"));
    let version = version.ok_or("rustc -vV failed")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let objcopy = sysroot.join("lib/rustlib").join(host).join("bin/rust-objcopy");
    if objcopy.is_file() { Ok(objcopy) } else { Err(format!("no {}", objcopy.display()).into()) }
}

/// Writes a program of our own, unless it is there already: what builds knows it by its time.
fn program(path: &Path, text: &str) -> Result<PathBuf> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(path.to_owned());
    }
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(path.to_owned())
}
