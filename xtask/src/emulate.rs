//! Running programs of another processor as if they were this one's: qemu's emulator of one program,
//! known to the kernel in a namespace of its own, so that nothing on this machine changes.

use crate::dist::targets::Target;
use crate::run::output;
use crate::{Result, needs, run};
use std::path::PathBuf;
use std::process::Command;

/// Where the kernel is told who runs which files.
const REGISTRY: &str = "/proc/sys/fs/binfmt_misc";

/// An emulator that the kernel can be told of.
#[derive(Debug)]
pub struct Emulator {
    /// One line for [`REGISTRY`].
    rule: String,
    /// The processor that it is to be, where it has a choice.
    processor: Option<&'static str>,
}

impl Emulator {
    /// That of a target's programs.
    ///
    /// # Errors
    /// When qemu cannot be had, or the kernel does not allow a registry of one's own.
    pub fn of(target: &'static Target) -> Result<Self> {
        let name =
            target.qemu.ok_or_else(|| format!("qemu has no emulator of {}", target.triple))?;
        needs::programs(&[(name, "qemu-user-static"), ("unshare", "util-linux")])?;
        let emulator = Self { rule: rule(target, &path_of(name)?), processor: target.processor };
        let works = output(&mut emulator.around(Command::new("true").arg("")));
        if works.is_none() {
            return Err(format!(
                "cannot register {name} in a namespace: Linux 6.7 or newer with user namespaces and \
                 {REGISTRY} is needed"
            )
            .into());
        }
        Ok(emulator)
    }

    /// The same command where the emulator is known.
    pub fn around(&self, command: &Command) -> Command {
        let mut around = Command::new("unshare");
        around.args(["--user", "--map-root-user", "--mount", "--", "sh", "-ec"]);
        around.arg(format!(
            "mount -t binfmt_misc none {REGISTRY}; printf %s \"$1\" > {REGISTRY}/register; shift; \
             exec \"$@\""
        ));
        around.args(["sh", &self.rule]).arg(command.get_program()).args(command.get_args());
        run::placed_as(command, &mut around);
        if let Some(processor) = self.processor {
            around.env("QEMU_CPU", processor);
        }
        around
    }
}

fn path_of(name: &str) -> Result<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name));
    Ok(found.into_iter().find(|path| path.is_file()).ok_or_else(|| format!("no {name} in PATH"))?)
}

/// Which files: executables by the header of their format, of which the fields that do not matter are
/// masked out. `F` opens the emulator now, wherever the program runs later.
fn rule(target: &Target, emulator: &std::path::Path) -> String {
    let (bits, machine) = match target.triple.split('-').next() {
        Some("x86_64") => (2, 0x3e),
        Some("aarch64") => (2, 0xb7),
        _ => (1, 0x28),
    };
    let escaped =
        |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("\\x{b:02x}")).collect() };
    let mut magic = *b"\x7fELF\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00";
    (magic[4], magic[18]) = (bits, machine);
    let mut mask = [0xff; 20];
    // The system's number, and the last bit of the kind: at a fixed address or not.
    (mask[7], mask[16]) = (0x00, 0xfe);
    let name = emulator.file_name().unwrap_or_default().display();
    format!(":{name}:M::{}:{}:{}:F", escaped(&magic), escaped(&mask), emulator.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::targets::named;

    #[test]
    fn a_rule_is_as_the_kernel_reads_it() {
        let target = named("aarch64-unknown-linux-musl").expect("a target");
        let rule = rule(target, std::path::Path::new("/usr/bin/qemu-aarch64-static"));
        let parts: Vec<&str> = rule.split(':').collect();
        assert_eq!(parts.len(), 8, "{rule}");
        assert!(
            parts[4].starts_with("\\x7f\\x45\\x4c\\x46\\x02") && parts[4].ends_with("\\xb7\\x00")
        );
        assert_eq!(parts[4].len(), parts[5].len());
    }
}
