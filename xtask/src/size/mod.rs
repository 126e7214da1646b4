//! `size`.

use crate::Result;

/// `cargo xtask size`.
///
/// # Errors
/// Always, yet.
pub fn command(_arguments: lexopt::Parser) -> Result<()> {
    Err("not built yet".into())
}
