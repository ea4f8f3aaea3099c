//! daos_agent: the daemon on every client machine. It tells applications where the system is and which fabric
//! interface to use, vouches for who they are, and closes the pool connections of those that died.
//!
//! | file | idea |
//! |---|---|
//! | `cli` | the command line |
//! | `config` | daos_agent.yml |
//! | `service` | the dRPC calls of libdaos |
//! | `attach` | attach information: asked of the management service, cached |
//! | `fabric` | fabric interfaces of this machine and the choice among them |
//! | `credential` | credentials from the caller's user and group |
//! | `monitor` | which process holds which pool connection |
//! | `daemon` | start, signals, stop |
//!
//! It trusts nothing that a caller says about itself: process, user and group come from the kernel.
#![forbid(unsafe_code)]

mod attach;
mod cli;
mod config;
mod credential;
mod daemon;
mod fabric;
mod monitor;
mod service;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
