//! The flags that a release is compiled and linked with, and why: the one place to change them.

use super::targets::{Linker, Target};
use std::borrow::Cow;
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

/// For the linker: static and yet at any address, which rustc believes to be possible on x86_64 alone.
const STATIC_PIE: &[&str] = &["-pie", "--no-dynamic-linker", "-ztext"];

/// For rustc, for ARMv7: Thumb-2, the shorter one of its two encodings. Every ARMv7 has it; of
/// ARMv6 no processor that Linux runs on.
const THUMB: &str = "-Ctarget-feature=+thumb-mode";

/// For the C and assembler code of `ring`.
const C: &[&str] = &["-Os", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"];

/// For the same, and for macOS: lines would stay in object files, whose places and times its linker
/// writes down and makes the build's name of.
const NO_LINES: &str = "-g0";

/// Folders of this machine that a binary must not name, and what stands there instead.
pub type Renamed = [(String, &'static str)];

/// Everything for rustc; `objects` are musl's, for ELF targets.
pub fn rustc(target: &Target, renamed: &Renamed, objects: &[PathBuf]) -> Vec<String> {
    let mut flags: Vec<String> = RUSTC.iter().map(|flag| (*flag).to_owned()).collect();
    if target.triple.starts_with("armv7") {
        flags.push(THUMB.to_owned());
    }
    if target.linker != Linker::Zig {
        flags.extend(["-Clinker=rust-lld".to_owned(), "-Clinker-flavor=gnu-lld".to_owned()]);
        flags.extend(ELF.iter().map(|flag| format!("-Clink-arg={flag}")));
        // rustc would put the object of programs at a fixed address first.
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

/// Everything for the C compiler, in the form of `CFLAGS` with `CC_SHELL_ESCAPED_FLAGS`.
pub fn c(target: &Target, renamed: &Renamed) -> String {
    let mut flags: Vec<String> = C.iter().map(|flag| (*flag).to_owned()).collect();
    if target.is_apple() {
        flags.push(NO_LINES.to_owned());
    }
    flags.extend(renamed.iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}")));
    flags.iter().map(|flag| word(flag)).collect::<Vec<_>>().join(" ")
}

/// One word of a shell.
fn word(text: &str) -> Cow<'_, str> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_=/.,:+".contains(letter);
    if text.chars().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_blanks_and_quotes_stay_one_word() {
        assert_eq!(word("-Os"), "-Os");
        assert_eq!(word("-fx=/a b=c"), "'-fx=/a b=c'");
        assert_eq!(word("ada's"), r"'ada'\''s'");
    }
}
