//! The blocking client: libdaos calling the agent, the engine calling its server.

use super::socket::{connect, errno_error, receive_message, send_message};
use super::{Call, Method, RESPONSE_BYTES_MAX, body_of};
use daos_common::{Der, Error, Result};
use prost::Message;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A connection to a dRPC listener, for one thread. After an error of the transport it is closed and every further
/// call fails: connect anew.
#[derive(Debug)]
pub struct Client {
    path: PathBuf,
    socket: Option<OwnedFd>,
    sequence: i64,
}

impl Client {
    /// Connects to the socket at `path`.
    ///
    /// # Errors
    /// - NONEXIST: there is no such socket
    /// - UNREACH: no process listens on it
    /// - NO_PERM: its permissions refuse this user
    /// - EXCEEDS_PATH_LEN: the path doesn't fit a socket address
    pub fn connect(path: impl Into<PathBuf>) -> Result<Client> {
        let path = path.into();
        let socket = connect(&path)?;
        Ok(Client { path, socket: Some(socket), sequence: 0 })
    }

    /// Where it is connected to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bounds each wait for the peer within later calls; `None` (how it starts) waits until the peer answers or dies.
    ///
    /// # Errors
    /// INVAL for a timeout of zero.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        let Some(socket) = &self.socket else { return Ok(()) };
        for direction in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(socket, direction, timeout)
                .map_err(|error| errno_error(error).at(format!("dRPC timeout of {}", self.path.display())))?;
        }
        Ok(())
    }

    /// Calls `method` with an encoded `body` and returns the encoded body of the answer.
    ///
    /// # Errors
    /// - UNREACH: the peer closed the connection
    /// - TIMEDOUT: the time of [`Client::set_timeout`] passed
    /// - NOSYS: the peer doesn't serve the method
    /// - PROTO, TRUNC, MISMATCH, OVERFLOW: the peer broke the protocol, or could not decode the call
    /// - MISC: the peer's handler failed without saying how
    pub fn call(&mut self, method: Method, body: Vec<u8>) -> Result<Vec<u8>> {
        let sequence = self.sequence;
        self.sequence += 1;
        let bytes = self.exchange(method, sequence, body).map_err(|error| self.place(error, method))?;
        body_of(&bytes, method, sequence)
    }

    /// Calls `method` with the message `request` and decodes the answer. The answer's own `status` is left to the
    /// caller.
    ///
    /// # Errors
    /// As [`Client::call`], and PROTO when the body of the answer isn't an encoded `R`.
    pub fn call_message<R: Message + Default>(&mut self, method: Method, request: &impl Message) -> Result<R> {
        let body = self.call(method, request.encode_to_vec())?;
        R::decode(body.as_slice())
            .map_err(|error| Der::PROTO.err(format!("body of the dRPC answer to {method} cannot be decoded: {error}")))
    }

    fn exchange(&mut self, method: Method, sequence: i64, body: Vec<u8>) -> Result<Vec<u8>> {
        // Taken out for the time of the exchange: a failure leaves the client closed, never out of step.
        let Some(socket) = self.socket.take() else {
            return Err(Der::UNREACH.err("closed after an earlier error"));
        };
        let call = Call { module: method.module() as i32, method: method as i32, sequence, body };
        send_message(&socket, &call.encode_to_vec())?;
        let Some(bytes) = receive_message(&socket, RESPONSE_BYTES_MAX)? else {
            return Err(Der::UNREACH.err("the peer closed the connection without an answer"));
        };
        self.socket = Some(socket);
        Ok(bytes)
    }

    fn place(&self, error: Error, method: Method) -> Error {
        error.at(format!("dRPC call {method} to {}", self.path.display()))
    }
}
