//! Parts what was linked into the binary that people get and the file that only `symbolize` reads.

use super::tools::Tools;
use crate::Result;
use crate::run::run;
use std::path::Path;

/// Writes `binary` without and `debug` with only the symbols and lines of `linked`. Both have its
/// build id.
///
/// # Errors
/// When LLVM's objcopy fails.
pub fn split(tools: &Tools, linked: &Path, binary: &Path, debug: &Path) -> Result<()> {
    run(tools.objcopy().arg("--only-keep-debug").arg(linked).arg(debug))?;
    run(tools.objcopy().args(["--strip-all", "--remove-section=.comment"]).arg(linked).arg(binary))
}
