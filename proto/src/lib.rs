//! The management protocol: protobuf messages of every package, the gRPC services (feature `grpc`), and dRPC, the
//! local call protocol over Unix sockets between library and agent and between engine and server ([`drpc`]).
//!
//! Used by server, agent, dmg, engine and the client library. The `.proto` files stand in `proto/`, with upstream's
//! packages, names and numbers; a Rust module carries each package. Generated names follow prost: `drpcListenerSock`
//! is `drpc_listener_sock`, enum `CIC_NONE` is `CheckInconsistClass::CicNone`, `ACLResp` is `AclResp`.
//!
//! Beside the protocol stand the things that all its users do alike: reaching a control plane ([`control`]), reading
//! configuration files strictly ([`yaml`], feature `config`), names of users and groups ([`users`]).
#![deny(unsafe_code)] // fences: `users`; SO_PEERCRED in `drpc::socket`; registration in `drpc::aio`

#[cfg(feature = "grpc")]
pub mod control;
pub mod drpc;
pub mod users;
#[cfg(feature = "config")]
pub mod yaml;

/// Generated code; its packages are re-exported below.
#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::undocumented_unsafe_blocks, rustdoc::all)]
mod packages {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use packages::{auth, chk, ctl, hello, mgmt, shared, srv};
pub use prost;
pub use prost::Message;
#[cfg(feature = "grpc")]
pub use tonic;
