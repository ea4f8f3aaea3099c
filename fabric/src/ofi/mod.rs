//! The fabric over libfabric: choice of the provider, endpoint, memory registration.
//!
//! Everything of one endpoint (fabric, domain, address vector, completion queue) is its own and used by one thread at
//! a time, so providers are asked for no locking (`FI_THREAD_DOMAIN`) and no threads (`FI_PROGRESS_MANUAL`).

mod address;
mod handles;
mod provider;
mod reach;
mod transport;

pub(crate) use handles::{Opened, rc_error};
pub(crate) use transport::OfiTransport;
