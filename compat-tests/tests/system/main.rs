//! System tests: real daemons started by `daos_server dev`, real clients, from the staged programs and libraries.
//!
//! `make unit` sets DAOS_STAGE to the stage; without it the tests say so and fail.

mod api_crash;
mod bad_input;
mod fork;
mod harness;
mod histories;
mod kill;
mod models;
mod preload;
mod programs;
mod serial;
mod tools;
mod two_engines;
