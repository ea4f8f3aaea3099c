//! dmg: administration of a DAOS system: storage, members, pools.
//!
//! | file | idea |
//! |---|---|
//! | `cli` | the command tree, and which commands are not available yet |
//! | `config` | daos_control.yml |
//! | `context` | calls to the management service and to each host |
//! | `size` | the ways to say how large a pool is |
//! | `cmd::*` | the commands, by group: request, text, JSON |
//!
//! Every command is one or a few gRPC calls; dmg keeps no state.
#![forbid(unsafe_code)]

mod cli;
mod cmd;
mod config;
mod context;
mod size;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
