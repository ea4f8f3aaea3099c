//! daos_server: see the library of the same crate.
#![forbid(unsafe_code)]

use clap::Parser;
use daos_server::cli::Cli;

fn main() -> std::process::ExitCode {
    daos_server::commands::run(Cli::parse())
}
