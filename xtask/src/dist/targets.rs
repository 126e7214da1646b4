//! The targets of a release, and what their binaries may weigh.

/// One target of a release.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// As rustc has it.
    pub triple: &'static str,
    /// Most bytes of the stripped binary.
    pub budget: u64,
    /// The program that runs it on another processor, where there is one.
    pub qemu: Option<&'static str>,
    /// What Debian calls the architecture, where it has it.
    pub debian: Option<&'static str>,
}

/// All of them. Budgets of the first three are the design's; ARMv6 has that of ARMv7.
pub const TARGETS: [Target; 6] = [
    Target {
        triple: "x86_64-unknown-linux-musl",
        budget: 1_300_000,
        qemu: Some("qemu-x86_64-static"),
        debian: Some("amd64"),
    },
    Target {
        triple: "aarch64-unknown-linux-musl",
        budget: 1_150_000,
        qemu: Some("qemu-aarch64-static"),
        debian: Some("arm64"),
    },
    Target {
        triple: "armv7-unknown-linux-musleabihf",
        budget: 950_000,
        qemu: Some("qemu-arm-static"),
        debian: Some("armhf"),
    },
    Target {
        triple: "arm-unknown-linux-musleabihf",
        budget: 950_000,
        qemu: Some("qemu-arm-static"),
        debian: None,
    },
    Target { triple: "x86_64-apple-darwin", budget: 1_300_000, qemu: None, debian: None },
    Target { triple: "aarch64-apple-darwin", budget: 1_300_000, qemu: None, debian: None },
];
