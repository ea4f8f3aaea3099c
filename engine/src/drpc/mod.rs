//! dRPC: what daos_server asks of the engine ([`listener`], [`mgmt`]), and what the engine asks of daos_server
//! ([`client`], [`notify`]).

pub mod client;
pub mod listener;
pub mod mgmt;
pub mod notify;
mod pool_create;
mod pool_view;
mod pools;
