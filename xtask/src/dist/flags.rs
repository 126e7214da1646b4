//! The flags that a release is compiled and linked with, and why: the one place to change them.

use super::targets::{Linker, Target};
use std::path::{Path, PathBuf};

/// Profile of the workspace's `Cargo.toml`.
pub const PROFILE: &str = "dist";

/// The standard library is compiled with the gateway, so that it too is made small and has no text of
/// panics. The pinned compiler is a stable one: `RUSTC_BOOTSTRAP=1` opens this to it.
pub const CARGO: &[&str] =
    &["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/// For rustc, whatever the target.
const RUSTC: &[&str] = &[
    // Opens the flags below.
    "-Zunstable-options",
    // A panic is one illegal instruction: no text, no formatting, no unwinding.
    "-Cpanic=immediate-abort",
    "-Cforce-unwind-tables=no",
    // Nobody is told the line of a panic; `symbolize` knows it from the address.
    "-Zlocation-detail=none",
    // Derived `Debug` says the variant and not what it holds: 21 KB. What people read is made by
    // `Display`; where rustls uses `Debug` for that, `gateway/src/link/tls.rs` looks inside.
    "-Zfmt-debug=shallow",
    // Instructions that functions have in common are one small function: 19 KB. No panic is moved.
    "-Cllvm-args=-enable-machine-outliner=always",
    // What is resolved at the start is read-only from then on.
    "-Crelro-level=full",
];

/// For the linker of ELF targets, as `ld.lld` reads them.
const ELF: &[&str] = &[
    // Functions with the same code are one function.
    "--icf=all",
    // Relative relocations as a bit map: 0.5 KB instead of 50.
    "--pack-dyn-relocs=relr",
    // Strings that end others are found in them.
    "-O2",
    // A digest of what was linked: binary and debug file know each other by it.
    "--build-id=sha1",
];

/// For the linker where rustc believes that the target has no static, position-independent programs.
const STATIC_PIE: &[&str] = &["-pie", "--no-dynamic-linker", "-ztext"];

/// For the C and assembler code of `ring`.
const C: &[&str] = &["-Os", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"];

/// For `ring` on 64-bit Linux. It has P-256 and Curve25519 twice: with 176 KB of tables for servers
/// with many handshakes a second, and without for small machines, where this is its default. Ours
/// has one handshake a connection, and pays half a millisecond for it. What TLS does after the
/// handshake is not touched.
const SMALL_CURVES: &str = "-DOPENSSL_SMALL";

/// What `ring` puts before its names of functions; it has the version, so that a new version is
/// noticed here.
const RING: &str = "ring_core_0_17_14__";

/// Functions that `ring` calls where it expects the tables, and those that take their place: they
/// have the same arguments and results, and are those of the processors without tables.
const IN_PLACE_OF: &[(&str, &str)] = &[
    ("p256_point_mul_base_vartime", "p256_point_mul_base"),
    ("x25519_scalar_mult_adx", "x25519_scalar_mult_generic_masked"),
];

/// Folders of this machine that a binary must not name, and what stands there instead.
pub type Renamed = [(String, &'static str)];

/// Everything for rustc; `objects` are those of zig, where the target needs them.
pub fn rustc(target: &Target, renamed: &Renamed, objects: &[PathBuf]) -> Vec<String> {
    let mut flags: Vec<String> = RUSTC.iter().map(|flag| (*flag).to_owned()).collect();
    if target.linker != Linker::Zig {
        flags.extend(["-Clinker=rust-lld".to_owned(), "-Clinker-flavor=gnu-lld".to_owned()]);
        flags.extend(ELF.iter().map(|flag| format!("-Clink-arg={flag}")));
    }
    if has_two_curves(target) {
        let names = IN_PLACE_OF.iter();
        let flag =
            |(from, to): &(&str, &str)| format!("-Clink-arg=--defsym={RING}{from}={RING}{to}");
        flags.extend(names.map(flag));
    }
    if target.linker == Linker::LldWithZig {
        flags.push("-Clink-self-contained=no".to_owned());
        flags.extend(STATIC_PIE.iter().map(|flag| format!("-Clink-arg={flag}")));
        flags.extend(objects.iter().map(|path| format!("-Clink-arg={}", path.display())));
        // Where `-lc` and `-lunwind` are looked for.
        let folder = objects.first().and_then(|path| path.parent()).unwrap_or(Path::new("."));
        flags.push(format!("-Lnative={}", folder.display()));
    }
    flags.extend(renamed.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")));
    flags
}

/// Whether `ring` has curves with tables for the target, and its linker can do without.
fn has_two_curves(target: &Target) -> bool {
    target.linker == Linker::Lld
}

/// Everything for the C compiler, in the form of `CFLAGS`.
pub fn c(target: &Target, renamed: &Renamed) -> String {
    let mut flags: Vec<String> = C.iter().map(|flag| (*flag).to_owned()).collect();
    if has_two_curves(target) {
        flags.push(SMALL_CURVES.to_owned());
    }
    flags.extend(renamed.iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}")));
    flags.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ring_are_those_of_the_version_that_is_locked() {
        let root = crate::run::root().expect("a root");
        let lock = std::fs::read_to_string(root.join("Cargo.lock")).expect("a lock file");
        let version = RING.trim_start_matches("ring_core_").trim_end_matches('_').replace('_', ".");
        assert!(lock.contains(&format!("name = \"ring\"\nversion = \"{version}\"\n")), "{version}");
    }

    #[test]
    fn curves_are_small_exactly_where_their_names_are_given_away() {
        let mut small = Vec::new();
        for target in &super::super::targets::TARGETS {
            let given = rustc(target, &[], &[]).iter().any(|flag| flag.contains("--defsym"));
            assert_eq!(c(target, &[]).contains(SMALL_CURVES), given, "{}", target.triple);
            small.extend(given.then_some(target.triple));
        }
        assert_eq!(small, ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"]);
    }
}
