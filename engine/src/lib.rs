//! `daos_engine`: the process that stores. Targets, each a thread with its own fabric context, store and share of every
//! pool; one service thread for pools, containers and management; dRPC to daos_server.
//!
//! | thread | does |
//! |---|---|
//! | `main` | starts the others, waits for signals and ends |
//! | `service` | [`service`]: context 0; [`pool`] services; calls of daos_server |
//! | `target-<i>` | [`target`]: context 1 + i; [`object`] requests, transactions ([`dtx`]) |
//! | `drpc-listen` | [`drpc::listener`]: the socket that daos_server calls |
//! | `drpc-call-<i>` | [`drpc::client`]: calls to daos_server |
//! | `watch` | [`watch`]: signals, and the parent's end |
//!
//! Threads share nothing on the data path; they talk by posted jobs ([`mailbox`]). A panic in any of them ends the
//! process: half an engine is worse than none, and recovery is the same as after a kill.
//!
//! It never calls the client library, and does no placement: a shard comes to the target that the client computed.

pub mod budget;
pub mod cli;
pub mod clock;
pub mod drpc;
pub mod dtx;
pub mod engine;
pub mod environment;
mod faults;
pub mod logging;
pub mod mailbox;
pub mod object;
pub mod pool;
pub mod service;
pub mod storage;
pub mod target;
pub mod telemetry;
pub mod tier;
pub mod watch;
