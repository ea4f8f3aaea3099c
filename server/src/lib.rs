//! daos_server: reads daos_server.yml, formats storage, starts and watches the engines of this host, and serves the
//! control plane.
//!
//! | room | what lives there |
//! |---|---|
//! | [`config`] | daos_server.yml |
//! | [`storage`], [`superblock`] | storage before an engine runs on it |
//! | [`instance`], [`engine_process`] | one engine: started, joined, watched, restarted, stopped |
//! | [`system`] | the database of members and pools |
//! | [`mgmt`] | the management service (gRPC MgmtSvc) |
//! | [`ctl`] | what this host does on request (gRPC CtlSvc) |
//! | [`drpc`] | what the engines ask of their server (dRPC SRV and SEC) |
//! | [`server`] | all of it put together |
//! | [`dev`] | `daos_server dev`: a whole system on one machine |
//!
//! It never touches pool data; it knows the fabric only as addresses that engines report.
#![deny(unsafe_code)] // one fence: `sys`

pub mod cli;
pub mod commands;
pub mod config;
pub mod ctl;
pub mod dev;
pub mod drpc;
mod durable;
pub mod engine_process;
pub mod instance;
mod log;
pub mod mgmt;
pub mod server;
pub mod storage;
pub mod superblock;
pub mod sys;
pub mod system;
mod version;
