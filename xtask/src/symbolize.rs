//! `symbolize`.

use crate::Result;

/// `cargo xtask symbolize`.
///
/// # Errors
/// Always, yet.
pub fn command(_arguments: lexopt::Parser) -> Result<()> {
    Err("not built yet".into())
}
