//! The client and the listener on tokio: daos_server and daos_agent.

use super::frame::{Assembler, DATAGRAM_MAX, datagrams};
use super::socket::{Received, accept_datagram, connect, errno_error, transfer_error};
use super::{
    Call, Listener, Method, Module, Peer, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX, Reply, body_of, decode_call,
    find_method, response_to,
};
use daos_common::{Der, Error, Result};
use prost::Message;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::future::Future;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::unix::AsyncFd;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections served at once; more wait in the socket's backlog.
const CONNECTIONS_MAX: usize = 1024;

/// Answers calls; as [`Handler`](super::Handler), without blocking the thread.
pub trait AsyncHandler: Send + Sync + 'static {
    /// The modules served; calls of others are answered UNKNOWN_MODULE without asking the handler.
    fn modules(&self) -> &[Module];

    /// Answers one call from `peer`. A method that is in the table but not served gets
    /// `Err(Status::UnknownMethod)`. Calls of one connection wait for each other.
    fn call(&self, peer: Peer, method: Method, body: Vec<u8>) -> impl Future<Output = Reply> + Send;
}

/// A connection to a dRPC listener. As [`Client`](super::Client); dropping a call in progress closes it.
#[derive(Debug)]
pub struct AsyncClient {
    path: PathBuf,
    socket: Option<AsyncFd<OwnedFd>>,
    sequence: i64,
}

impl AsyncClient {
    /// Connects to the socket at `path`; within a tokio runtime.
    ///
    /// # Errors
    /// As [`Client::connect`](super::Client::connect).
    pub fn connect(path: impl Into<PathBuf>) -> Result<AsyncClient> {
        let path = path.into();
        let socket = register(connect(&path)?)?;
        // Upstream's servers number from 1; only the match with the answer counts.
        Ok(AsyncClient { path, socket: Some(socket), sequence: 1 })
    }

    /// Where it is connected to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Calls `method` with an encoded `body` and returns the encoded body of the answer. Waits without limit: put a
    /// `tokio::time::timeout` around it.
    ///
    /// # Errors
    /// As [`Client::call`](super::Client::call), without TIMEDOUT.
    pub async fn call(&mut self, method: Method, body: Vec<u8>) -> Result<Vec<u8>> {
        let sequence = self.sequence;
        self.sequence += 1;
        let bytes = self.exchange(method, sequence, body).await.map_err(|error| self.place(error, method))?;
        body_of(&bytes, method, sequence)
    }

    /// Calls `method` with the message `request` and decodes the answer. The answer's own `status` is left to the
    /// caller.
    ///
    /// # Errors
    /// As [`AsyncClient::call`], and PROTO when the body of the answer isn't an encoded `R`.
    pub async fn call_message<R: Message + Default>(&mut self, method: Method, request: &impl Message) -> Result<R> {
        let body = self.call(method, request.encode_to_vec()).await?;
        R::decode(body.as_slice())
            .map_err(|error| Der::PROTO.err(format!("body of the dRPC answer to {method} cannot be decoded: {error}")))
    }

    async fn exchange(&mut self, method: Method, sequence: i64, body: Vec<u8>) -> Result<Vec<u8>> {
        // Taken out for the time of the exchange: a failure leaves the client closed, never out of step.
        let Some(socket) = self.socket.take() else {
            return Err(Der::UNREACH.err("closed after an earlier error"));
        };
        let call = Call { module: method.module() as i32, method: method as i32, sequence, body };
        send_message(&socket, &call.encode_to_vec()).await?;
        let Some(bytes) = receive_message(&socket, RESPONSE_BYTES_MAX).await? else {
            return Err(Der::UNREACH.err("the peer closed the connection without an answer"));
        };
        self.socket = Some(socket);
        Ok(bytes)
    }

    fn place(&self, error: Error, method: Method) -> Error {
        error.at(format!("dRPC call {method} to {}", self.path.display()))
    }
}

/// Serves `handler` on `listener` until `stop` is ready; then cuts the connections off, calls in progress included,
/// and removes the socket file.
///
/// # Errors
/// IO when the runtime refuses the socket.
pub async fn serve<H: AsyncHandler>(listener: Listener, handler: Arc<H>, stop: impl Future<Output = ()>) -> Result<()> {
    let listener = register(listener)?;
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        let connection = tokio::select! {
            () = &mut stop => break,
            connection = accept(&listener) => connection,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Some(connection) = connection else { continue };
        let handler = Arc::clone(&handler);
        connections.spawn(async move {
            let _permit = permit;
            serve_connection(connection, &*handler).await;
        });
    }
    connections.shutdown().await;
    Ok(())
}

async fn accept(listener: &AsyncFd<Listener>) -> Option<AsyncFd<OwnedFd>> {
    let mut ready = listener.readable().await.ok()?;
    match ready.try_io(|listener| listener.get_ref().accept().map_err(Into::into)) {
        Ok(Ok(connection)) => register(connection).ok(),
        Ok(Err(_)) => {
            // The peer gave up, or descriptors ran out: wait a little so that the latter doesn't spin.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            None
        }
        Err(_would_block) => None,
    }
}

async fn serve_connection<H: AsyncHandler>(connection: AsyncFd<OwnedFd>, handler: &H) {
    let Ok(peer) = Peer::of(connection.get_ref().as_fd()) else { return };
    // A peer that breaks the framing is cut off: there is no way back into step.
    while let Ok(Some(bytes)) = receive_message(&connection, REQUEST_BYTES_MAX).await {
        let response = match decode_call(&bytes) {
            Err(response) => response,
            Ok(mut call) => {
                let reply = match find_method(&call, handler.modules()) {
                    Ok(method) => handler.call(peer, method, std::mem::take(&mut call.body)).await,
                    Err(status) => Err(status),
                };
                response_to(&call, reply)
            }
        };
        if send_message(&connection, &response.encode_to_vec()).await.is_err() {
            return;
        }
    }
}

/// Makes a socket non-blocking and hands it to the runtime.
#[allow(unsafe_code)]
fn register<T: Owner>(socket: T) -> Result<AsyncFd<T>> {
    rustix::io::ioctl_fionbio(&socket, true).map_err(|error| errno_error(error).at("dRPC socket"))?;
    // SAFETY: an `Owner` owns its descriptor, keeps it open until it is dropped and never replaces it; `AsyncFd`
    // deregisters before it drops the owner.
    unsafe { AsyncFd::register(socket) }.map_err(|error| Error::from(std::io::Error::from(error)).at("dRPC socket"))
}

/// A type with one descriptor of its own for all of its life.
trait Owner: AsFd + AsRawFd {}
impl Owner for OwnedFd {}
impl Owner for Listener {}

async fn send_message(socket: &AsyncFd<OwnedFd>, message: &[u8]) -> Result<()> {
    for datagram in datagrams(message)? {
        loop {
            let mut ready = socket.writable().await.map_err(|error| Error::from(error).at("dRPC socket"))?;
            match send(socket, &datagram, SendFlags::NOSIGNAL) {
                Ok(_) => break, // SEQPACKET sends a datagram whole or not at all.
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(transfer_error(error, "sending")),
            }
        }
    }
    Ok(())
}

async fn receive_message(socket: &AsyncFd<OwnedFd>, limit: usize) -> Result<Option<Vec<u8>>> {
    let mut assembler = Assembler::new(limit);
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        let mut ready = socket.readable().await.map_err(|error| Error::from(error).at("dRPC socket"))?;
        let length = match recv(socket, buffer.as_mut_slice(), RecvFlags::TRUNC) {
            Ok((_, length)) => length,
            Err(Errno::AGAIN) => {
                ready.clear_ready();
                continue;
            }
            Err(Errno::INTR) => continue,
            Err(error) => return Err(transfer_error(error, "receiving")),
        };
        match accept_datagram(&mut assembler, &buffer, length)? {
            Received::Message(message) => return Ok(Some(message)),
            Received::Part => {}
            Received::Closed => return Ok(None),
        }
    }
}
