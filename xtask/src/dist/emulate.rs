//! Runs programs of other processors, in a corner of its own of this machine's kernel.
//!
//! The gateway starts itself again as a child, so it is not enough to start qemu: the kernel must know
//! what to do with such a program. `binfmt_misc` says so. Since Linux 6.7 each user namespace may have
//! its own; a registration of the machine itself is used where there is one, and none is ever made.

use super::targets::Target;
use crate::run::output;
use crate::{Result, needs};
use std::path::Path;
use std::process::Command;

/// Where the kernel is told of foreign programs.
const TABLE: &str = "/proc/sys/fs/binfmt_misc";

/// Mounts the namespace's own table, adds a line to it, and goes on as what the rest says.
const SCRIPT: &str = "mount -t binfmt_misc none \"$0\" && printf %s \"$1\" >\"$0/register\" && shift \
                      && exec \"$@\"";

/// A command to which a program of `target` is added, with arguments, and which runs it. Whatever that
/// program starts can be of that processor or of this one.
///
/// # Errors
/// What is missing, and what to do.
pub fn launcher(target: &Target) -> Result<Command> {
    let (Some(qemu), false) = (target.qemu, target.is_native()) else {
        return Ok(Command::new("env"));
    };
    let mut command = Command::new("unshare");
    if Path::new(TABLE).join(qemu.trim_end_matches("-static")).exists() {
        command = Command::new("env");
    } else {
        needs::programs(&[(qemu, "qemu-user-static"), ("unshare", "util-linux")])?;
        let interpreter = output(Command::new("sh").args(["-c", "command -v \"$0\"", qemu]))
            .ok_or_else(|| format!("{qemu} is not where programs are looked for"))?;
        command.args(["--user", "--map-root-user", "--mount", "--", "sh", "-c", SCRIPT, TABLE]);
        command.arg(line(target, &interpreter));
        possible()?;
    }
    if let Some(processor) = target.processor {
        command.env("QEMU_CPU", processor);
    }
    Ok(command)
}

/// Whether a namespace of ours gets a table of its own.
fn possible() -> Result<()> {
    let script = "mount -t binfmt_misc none \"$0\"";
    let mut trial = Command::new("unshare");
    trial.args(["--user", "--map-root-user", "--mount", "--", "sh", "-c", script, TABLE]);
    let outcome = trial.output().map_err(|error| format!("unshare: {error}"))?;
    if outcome.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&outcome.stderr);
    Err(format!(
        "programs of other processors cannot be run here: {}. It takes Linux 6.7 and user namespaces, \
         or qemu-user-static registered with this machine (Debian: systemctl restart systemd-binfmt)",
        why.trim()
    )
    .into())
}

/// How the kernel knows the programs of a target: the first 20 bytes of ELF files, where `.` is any
/// byte, and a program or shared object is both. F: qemu is opened now, whatever root comes later.
fn line(target: &Target, interpreter: &str) -> String {
    let (class, machine) = match target.triple.split('-').next() {
        Some("x86_64") => ("02", "3e"),
        Some("aarch64") => ("02", "b7"),
        _ => ("01", "28"),
    };
    let bytes =
        |text: &str| -> String { text.split(' ').map(|byte| format!("\\x{byte}")).collect() };
    let magic =
        bytes(&format!("7f 45 4c 46 {class} 01 01 00 00 00 00 00 00 00 00 00 02 00 {machine} 00"));
    let mask = bytes("ff ff ff ff ff ff ff 00 ff ff ff ff ff ff ff ff fe ff ff ff");
    format!(":chatcode:M::{magic}:{mask}:{interpreter}:F")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::targets::TARGETS;

    #[test]
    fn a_line_has_as_many_bytes_of_magic_as_of_mask() {
        for target in TARGETS.iter().filter(|target| !target.is_apple()) {
            let line = line(target, "/usr/bin/qemu");
            let parts: Vec<&str> = line.split(':').collect();
            let [_, _, "M", "", magic, mask, "/usr/bin/qemu", "F"] = parts.as_slice() else {
                panic!("{line}")
            };
            assert_eq!((magic.len(), mask.len()), (80, 80), "{line}");
        }
    }
}
