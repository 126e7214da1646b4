//! musl: the object that starts a program, and the archives that it is linked with.

use super::targets::{Linker, Target};
use super::tools::Tools;
use crate::Result;
use crate::run::run;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What starts a static program, wherever it is put.
const START: &str = "rcrt1.o";

/// What zig links such a program with, in the linker's order.
const OF_ZIG: [&str; 5] = [START, "libunwind.a", "libc.a", "libzigc.a", "libcompiler_rt.a"];

/// The objects for a target; rustc asks for further archives in the folder of the first one.
///
/// # Errors
/// When they are missing or cannot be made.
pub fn objects(tools: &Tools, target: &Target) -> Result<Vec<PathBuf>> {
    match target.linker {
        Linker::Lld => of_rustup(tools, target),
        Linker::LldWithZig => of_zig(tools, target),
        Linker::Zig => Ok(Vec::new()),
    }
}

fn of_rustup(tools: &Tools, target: &Target) -> Result<Vec<PathBuf>> {
    let library = tools.sysroot.join("lib/rustlib").join(target.triple).join("lib");
    let start = library.join("self-contained").join(START);
    if start.is_file() {
        return Ok(vec![start]);
    }
    let (triple, start) = (target.triple, start.display());
    Err(format!("no {start}: `rustup target remove {triple}`, and try again").into())
}

/// Compiled once, which takes some minutes.
fn of_zig(tools: &Tools, target: &Target) -> Result<Vec<PathBuf>> {
    let folder = tools.folder.join(format!("musl-{}", target.triple));
    let objects: Vec<PathBuf> = OF_ZIG.iter().map(|name| folder.join(name)).collect();
    let mark = folder.join("made-by.txt");
    let made_by = format!("{} {}", tools.zig.display(), target.zig.join(" "));
    if fs::read_to_string(&mark).is_ok_and(|before| before == made_by) {
        return Ok(objects);
    }
    println!("  compiling musl for {}", target.triple);
    fs::create_dir_all(&folder)?;
    let told = link_something(tools, target, &folder)?;
    for (name, object) in OF_ZIG.iter().zip(&objects) {
        let found = find(&told, name).ok_or_else(|| format!("zig links without {name}: {told}"))?;
        // Its lines are of this machine's folders, and of no use to ours.
        run(tools.objcopy().arg("--strip-debug").arg(found).arg(object))?;
    }
    fs::write(mark, made_by)?;
    Ok(objects)
}

/// Has zig link an empty program; gives its linker's command line.
fn link_something(tools: &Tools, target: &Target, folder: &Path) -> Result<String> {
    let source = folder.join("empty.c");
    fs::write(&source, "int main(void) { return 0; }\n")?;
    let mut zig = Command::new(&tools.zig);
    zig.arg("cc").args(target.zig).args(["-Oz", "-static", "-pie", "-lunwind", "-o"]);
    zig.arg(folder.join("empty")).arg(source);
    zig.env("ZIG_GLOBAL_CACHE_DIR", tools.cache()).env("ZIG_LOCAL_CACHE_DIR", tools.cache());
    let output = zig.env("ZIG_VERBOSE_LINK", "1").output().map_err(|e| format!("zig: {e}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("zig cannot compile musl for {}: {told}", target.triple).into());
    }
    let line = told.lines().rev().find(|line| line.trim_start().starts_with("ld.lld "));
    Ok(line.ok_or("zig does not tell how it links")?.to_owned())
}

/// The path of this name on a command line.
fn find<'line>(line: &'line str, name: &str) -> Option<&'line str> {
    line.split_whitespace().find(|word| Path::new(word).file_name().is_some_and(|n| n == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_by_its_whole_name() {
        let line = "ld.lld -o out /c/o/1/rcrt1.o /c/o/2/libzigc.a /c/o/3/libc.a -lx";
        assert_eq!(find(line, "libc.a"), Some("/c/o/3/libc.a"));
        assert_eq!(find(line, "rcrt1.o"), Some("/c/o/1/rcrt1.o"));
        assert_eq!(find(line, "libunwind.a"), None);
    }
}
