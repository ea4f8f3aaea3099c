//! `daos_server dev`
use crate::cli::DevArgs;
use daos_common::Result;
use std::process::ExitCode;
/// Runs it.
///
/// # Errors
/// Everything.
pub async fn run(_args: DevArgs, _debug: bool) -> Result<ExitCode> {
    Err(daos_common::Der::NOTSUPPORTED.err("`dev` is not available yet in this version"))
}
