//! The parts of the `daos` tool that need no system: the command tree, reading of arguments, and how results look.
//!
//! The binary (`main.rs`) does the commands, over the C ABI by way of `daos-api`.
#![forbid(unsafe_code)]

pub mod cli;
pub mod options;
pub mod view;
