//! Parts what was linked into the binary that people get and the file that only `symbolize` reads.

use super::targets::Target;
use super::tools::Tools;
use crate::Result;
use crate::run::run;
use std::path::Path;

/// Writes `binary` without and `debug` with only the symbols and lines of `linked`. Both have its
/// build id. For macOS `debug` is the whole program with names of functions: its linker leaves the
/// lines in the object files, with their places on this machine. objcopy signs anew what it writes.
///
/// # Errors
/// When LLVM's objcopy fails.
pub fn split(
    tools: &Tools,
    target: &Target,
    linked: &Path,
    binary: &Path,
    debug: &Path,
) -> Result<()> {
    let kept = if target.is_apple() { "--strip-debug" } else { "--only-keep-debug" };
    run(tools.objcopy().arg(kept).arg(linked).arg(debug))?;
    run(tools.objcopy().args(["--strip-all", "--remove-section=.comment"]).arg(linked).arg(binary))
}
