//! The targets of a release, and what their binaries may weigh.

use std::path::{Path, PathBuf};

/// One target of a release.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// As rustc has it.
    pub triple: &'static str,
    /// As zig's C compiler has it, which is used for all of them.
    pub zig: &'static [&'static str],
    /// What puts it together.
    pub linker: Linker,
    /// Most bytes of the stripped binary.
    pub budget: u64,
    /// The program that runs it on another processor, where there is one.
    pub qemu: Option<&'static str>,
    /// The processor that qemu is then to be, where its own choice can more than the oldest that the
    /// target is for.
    pub processor: Option<&'static str>,
    /// What Debian calls the architecture, where it has it.
    pub debian: Option<&'static str>,
}

/// What puts a binary together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linker {
    /// rustc's own, with the objects of musl that rustup brings.
    Lld,
    /// rustc's own, with objects of musl that zig compiles: rustup's make no position-independent
    /// programs for these processors.
    LldWithZig,
    /// zig's, driven by cargo-zigbuild, which knows macOS without its SDK.
    Zig,
}

/// All of them. Budgets of the first three are the design's; ARMv6 has no
/// Thumb-2, so its instructions are wider and it gets 100 KB more than ARMv7.
pub const TARGETS: [Target; 6] = [
    Target {
        triple: "x86_64-unknown-linux-musl",
        zig: &["-target", "x86_64-linux-musl"],
        linker: Linker::Lld,
        budget: 1_300_000,
        qemu: Some("qemu-x86_64-static"),
        processor: None,
        debian: Some("amd64"),
    },
    Target {
        triple: "aarch64-unknown-linux-musl",
        zig: &["-target", "aarch64-linux-musl"],
        linker: Linker::Lld,
        budget: 1_150_000,
        qemu: Some("qemu-aarch64-static"),
        processor: None,
        debian: Some("arm64"),
    },
    Target {
        triple: "armv7-unknown-linux-musleabihf",
        zig: &["-target", "arm-linux-musleabihf", "-mcpu=generic+v7a+vfp3d16+thumb2-neon"],
        linker: Linker::LldWithZig,
        budget: 950_000,
        qemu: Some("qemu-arm-static"),
        processor: Some("cortex-a7"),
        debian: None,
    },
    Target {
        triple: "arm-unknown-linux-musleabihf",
        zig: &["-target", "arm-linux-musleabihf", "-mcpu=arm1176jzf_s"],
        linker: Linker::LldWithZig,
        budget: 1_050_000,
        qemu: Some("qemu-arm-static"),
        processor: Some("arm1176"),
        // Raspberry Pi OS has its ARMv6 under the name that is Debian's for ARMv7: this runs on both.
        debian: Some("armhf"),
    },
    Target {
        triple: "x86_64-apple-darwin",
        zig: &["-target", "x86_64-macos"],
        linker: Linker::Zig,
        budget: 1_300_000,
        qemu: None,
        processor: None,
        debian: None,
    },
    Target {
        triple: "aarch64-apple-darwin",
        zig: &["-target", "aarch64-macos"],
        linker: Linker::Zig,
        budget: 1_300_000,
        qemu: None,
        processor: None,
        debian: None,
    },
];

impl Target {
    /// Its stripped binary in a folder that `dist` has filled.
    pub fn binary_in(&self, folder: &Path) -> PathBuf {
        folder.join(format!("chatcode-gateway-{}", self.triple))
    }

    /// The symbols and lines of that binary.
    pub fn debug_in(&self, folder: &Path) -> PathBuf {
        self.binary_in(folder).with_added_extension("debug")
    }

    /// Whether it is for macOS.
    pub fn is_apple(&self) -> bool {
        self.triple.ends_with("-apple-darwin")
    }

    /// Whether this machine's processor and system run its programs.
    pub fn is_native(&self) -> bool {
        let (processor, system) = self.triple.split_once('-').unwrap_or_default();
        let of_system = match std::env::consts::OS {
            "macos" => "apple-darwin",
            other => &format!("unknown-{other}-musl"),
        };
        processor == std::env::consts::ARCH && system == of_system
    }
}

/// The target of machines as this one.
///
/// # Errors
/// When nothing is released for them.
pub fn native() -> crate::Result<&'static Target> {
    let own = TARGETS.iter().find(|target| target.is_native());
    Ok(own.ok_or("nothing is released for machines as this one")?)
}

/// The target of a triple.
///
/// # Errors
/// When nothing is released for it.
pub fn named(triple: &str) -> crate::Result<&'static Target> {
    TARGETS.iter().find(|target| target.triple == triple).ok_or_else(|| {
        let known = TARGETS.map(|target| target.triple).join(", ");
        format!("nothing is released for {triple}; the targets are {known}").into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_one_target_is_this_machine() {
        assert!(TARGETS.iter().filter(|target| target.is_native()).count() <= 1);
    }

    #[test]
    fn a_target_is_found_by_its_whole_name() {
        for target in &TARGETS {
            assert_eq!(named(target.triple).expect("known"), target);
        }
        let error = named("x86_64-unknown-linux").expect_err("no such target").to_string();
        assert!(error.contains("aarch64-apple-darwin"), "{error}");
    }
}
