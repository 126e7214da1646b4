//! `package`.

use crate::Result;

/// `cargo xtask package`.
///
/// # Errors
/// Always, yet.
pub fn command(_arguments: lexopt::Parser) -> Result<()> {
    Err("not built yet".into())
}
