//! dRPC: calls between processes of one machine over a Unix socket of type SOCK_SEQPACKET.
//!
//! | listener | socket | mode | modules |
//! |---|---|---|---|
//! | daos_agent | `<runtime_dir>/daos_agent.sock` | 0666 | [`Module::SecAgent`], [`Module::Mgmt`] (client part) |
//! | daos_server | `<socket_dir>/daos_server.sock` | 0600 | [`Module::Srv`], [`Module::Sec`] |
//! | daos_engine | `<socket_dir>/daos_engine_<pid>.sock` | 0600 | [`Module::Mgmt`] (engine part) |
//!
//! A call is a protobuf [`Call`], an answer a [`Response`]; each travels as one message in chunks ([`frame`]). A
//! connection carries calls one after the other; the answers come in order. There are two layers of error: the
//! status of the [`Response`] says whether the call was dispatched, and the message in its body usually has a
//! `status` of its own: 0 or a negative DER_ code. [`Client`] turns the first into an [`Error`](daos_common::Error)
//! and leaves the second to the caller.
//!
//! The identity of a caller is what the kernel says of its socket ([`Peer`]); nothing in a payload is trusted.

#[cfg(feature = "async-drpc")]
pub mod aio;
mod client;
pub mod frame;
mod method;
mod server;
mod socket;

#[cfg(test)]
mod tests;

pub use crate::packages::drpc::{Call, Response, Status};
#[cfg(feature = "async-drpc")]
pub use aio::{AsyncClient, AsyncHandler, serve};
pub use client::Client;
pub use method::{Method, Module};
pub use server::{Handler, Server};
pub use socket::{Listener, Peer};

use daos_common::{Der, Error, Result};
use prost::Message;

/// File name of the agent's socket in its runtime directory.
pub const AGENT_SOCKET: &str = "daos_agent.sock";
/// File name of the server's socket in its socket directory.
pub const SERVER_SOCKET: &str = "daos_server.sock";
/// Largest request that a listener accepts, in bytes: room for a group map of half a million ranks.
pub const REQUEST_BYTES_MAX: usize = 64 << 20;
/// Largest answer that a client accepts, in bytes.
pub const RESPONSE_BYTES_MAX: usize = 256 << 20;

/// What a handler makes of a call: the encoded body of the answer, or the transport status that says why there is
/// none. A failure of the operation itself is a body whose own `status` field is a negative DER_ code.
pub type Reply = std::result::Result<Vec<u8>, Status>;

/// Decodes the body of a call.
///
/// # Errors
/// [`Status::FailedUnmarshalPayload`] when `body` isn't an encoded `M`.
pub fn decode_body<M: Message + Default>(body: &[u8]) -> std::result::Result<M, Status> {
    M::decode(body).map_err(|_| Status::FailedUnmarshalPayload)
}

/// Decodes a request; `Err` carries the answer that a listener sends for undecodable bytes.
fn decode_call(bytes: &[u8]) -> std::result::Result<Call, Response> {
    Call::decode(bytes).map_err(|_| Response {
        sequence: -1,
        status: Status::FailedUnmarshalCall as i32,
        body: Vec::new(),
    })
}

/// Finds the method of a call among the `served` modules.
fn find_method(call: &Call, served: &[Module]) -> std::result::Result<Method, Status> {
    match Module::from_number(call.module) {
        Some(module) if served.contains(&module) => {
            Method::from_numbers(module, call.method).ok_or(Status::UnknownMethod)
        }
        _ => Err(Status::UnknownModule),
    }
}

fn response_to(call: &Call, reply: Reply) -> Response {
    let (status, body) = match reply {
        Ok(body) => (Status::Success, body),
        Err(status) => (status, Vec::new()),
    };
    Response { sequence: call.sequence, status: status as i32, body }
}

/// Takes the body out of the answer to call number `sequence` of `method`.
fn body_of(bytes: &[u8], method: Method, sequence: i64) -> Result<Vec<u8>> {
    let response = Response::decode(bytes)
        .map_err(|error| Der::PROTO.err(format!("dRPC answer to {method} cannot be decoded: {error}")))?;
    match response.status() {
        Status::Success if response.sequence == sequence => Ok(response.body),
        Status::Success => {
            let got = response.sequence;
            Err(Der::PROTO.err(format!("dRPC answer to {method} has sequence {got}, expected {sequence}")))
        }
        status => Err(status_error(status, method)),
    }
}

fn status_error(status: Status, method: Method) -> Error {
    let (code, what) = match status {
        Status::UnknownModule => (Der::NOSYS, "the listener does not serve this module"),
        Status::UnknownMethod => (Der::NOSYS, "the listener does not serve this method"),
        Status::FailedUnmarshalCall => (Der::PROTO, "the listener could not decode the call"),
        Status::FailedUnmarshalPayload => (Der::PROTO, "the listener could not decode the call's body"),
        Status::FailedMarshal => (Der::PROTO, "the listener could not encode its answer"),
        Status::Success | Status::Submitted | Status::Failure => (Der::MISC, "the listener failed"),
    };
    code.err(format!("dRPC call {method}: {what} ({})", status.as_str_name()))
}
