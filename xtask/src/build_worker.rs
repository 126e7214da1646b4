//! `build-worker`: compiles the control plane to wasm and bundles it for workerd.
//!
//! cargo (profile `worker`) → wasm-bindgen, used as a library so that Cargo.lock keeps its schema
//! equal to the crate's → wasm-opt (release only) → esbuild, which joins the generated glue with
//! `cp-worker/shim.js`. The result is `cp-worker/build/{index.js, index_bg.wasm}`.

use flate2::{Compression, write::GzEncoder};
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the worker is compiled for.
const TARGET: &str = "wasm32-unknown-unknown";

/// Budget for the release build, gzipped, in bytes: what is small starts sooner.
const GZIP_BUDGET: usize = 300 * 1024;

/// What nobody reads on a server's log: the source lines of panics, and the fields of values that are
/// printed for debugging. Without them the Worker is smaller.
const SMALL: &str = "-Zlocation-detail=none -Zfmt-debug=shallow";

/// The WebAssembly features that rustc's target enables and workerd has.
const WASM_FEATURES: &[&str] = &[
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-exception-handling",
];

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Builds the worker and returns the folder with `index.js` and `index_bg.wasm`.
///
/// `release` also shrinks the wasm and checks the size budget, which takes half a minute more.
///
/// # Errors
/// The step that failed, with its own output on stderr; or a release build over its budget.
pub fn build(release: bool) -> Result<PathBuf> {
    let root = workspace_root()?;
    ensure_target()?;
    let wasm = compile(&root)?;
    let build = root.join("cp-worker/build");
    let staged = root.join("target/worker-bundle");
    fresh_dir(&staged)?;
    bind(&wasm, &staged)?;
    if release {
        optimise(&root, &staged.join("index_bg.wasm"))?;
    }
    bundle(&root, &staged, release)?;
    publish(&staged, &build)?;
    if release {
        check_size(&build)?;
    }
    Ok(build)
}

fn workspace_root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest.parent().ok_or("xtask has no parent folder")?.to_owned())
}

/// Installs the wasm target when it is missing; a no-op that needs no network otherwise.
pub fn ensure_target() -> Result<()> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET);
    if library.is_dir() {
        return Ok(());
    }
    run(Command::new("rustup").args(["target", "add", TARGET]))
}

fn compile(root: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["build", "--quiet", "--lib", "--package", "cp-worker"]);
    cargo.args(["--profile", "worker", "--target", TARGET]);
    // The flags below are not stable, the compiler is a pinned one.
    cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", SMALL);
    run(&mut cargo)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    Ok(target.join(TARGET).join("worker/cp_worker.wasm"))
}

/// Generates the JavaScript glue. The reset function and the abort handler let the shim start a
/// fresh instance after a panic.
fn bind(wasm: &Path, out: &Path) -> Result<()> {
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name("index")
        .typescript(false)
        .reset_state_function(true)
        .force_enable_abort_handler(true);
    bindgen
        .module(true)
        .and_then(|module| module.generate(out))
        .map_err(|error| format!("wasm-bindgen on {}: {error:?}", wasm.display()).into())
}

fn optimise(root: &Path, wasm: &Path) -> Result<()> {
    run(Command::new("node")
        .arg(root.join("node_modules/.bin/wasm-opt"))
        .args(["--merge-similar-functions", "-Oz"])
        .args([wasm.as_os_str(), OsStr::new("-o"), wasm.as_os_str()])
        .args(WASM_FEATURES))
}

/// Joins glue and shim into one module that imports only the wasm file and workerd's own modules.
fn bundle(root: &Path, staged: &Path, release: bool) -> Result<()> {
    let entry = staged.join("shim.js");
    fs::copy(root.join("cp-worker/shim.js"), &entry)?;
    let index = staged.join("bundle.js");
    let mut outfile = std::ffi::OsString::from("--outfile=");
    outfile.push(&index);
    run(Command::new(root.join("node_modules/.bin/esbuild"))
        .args(["--log-level=warning", "--bundle", "--format=esm", "--external:./index_bg.wasm"])
        .args(release.then_some("--minify"))
        .args([OsStr::new("--external:cloudflare:*"), &outfile, entry.as_os_str()]))?;
    // In workerd the plain import of a wasm file yields a WebAssembly.Module, which is what the
    // glue's `import source` asks for in a syntax that workerd does not read.
    let code = fs::read_to_string(&index)?.replace("import source ", "import ");
    fs::write(&index, code)?;
    Ok(())
}

/// Puts the two files into place, each at once, so that a running reader never sees half a file.
fn publish(staged: &Path, build: &Path) -> Result<()> {
    fs::create_dir_all(build)?;
    for (from, to) in [("bundle.js", "index.js"), ("index_bg.wasm", "index_bg.wasm")] {
        let aside = build.join(format!("{to}.new"));
        fs::copy(staged.join(from), &aside)?;
        fs::rename(&aside, build.join(to))?;
    }
    Ok(())
}

fn check_size(build: &Path) -> Result<()> {
    let (mut raw, mut zipped) = (0, 0);
    for name in ["index.js", "index_bg.wasm"] {
        let bytes = fs::read(build.join(name))?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        raw += bytes.len();
        zipped += encoder.finish()?.len();
    }
    println!("worker: {raw} bytes, {zipped} gzipped, budget {GZIP_BUDGET}");
    if zipped > GZIP_BUDGET {
        return Err(format!("the worker is {zipped} bytes gzipped, over {GZIP_BUDGET}").into());
    }
    Ok(())
}

fn fresh_dir(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path)?;
    }
    fs::create_dir_all(path)?;
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

fn output(command: &mut Command) -> Result<String> {
    let out = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !out.status.success() {
        return Err(format!("{command:?}: {}", out.status).into());
    }
    Ok(String::from_utf8(out.stdout)?)
}
