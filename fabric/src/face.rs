//! Plain types of the face: what is configured, sent and received.

use crate::endpoint::Core;
use crate::message::Message;
use crate::peer::Peer;
use daos_common::wire::object::BulkDesc;
use daos_common::{Der, Error};
use std::any::Any;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

/// Which fabric to open.
#[derive(Clone, Debug, Default)]
pub struct FabricConfig {
    /// `ofi+tcp`, `ofi+verbs;ofi_rxm`, `ofi+shm`, ... ; see the crate's documentation for what `ofi+tcp` picks.
    pub provider: String,
    /// Network interface (`lo`, `eth0`); `None` lets the provider choose.
    pub interface: Option<String>,
    /// Fabric domain; `None` for the interface's.
    pub domain: Option<String>,
    /// Port to listen on; `None` for any.
    pub port: Option<u16>,
}

/// A request to send.
pub struct Request<'a> {
    /// Number of the operation (`daos_common::wire::Opcode`).
    pub opcode: u16,
    /// Encoded body.
    pub body: Vec<u8>,
    /// Raw bytes behind it, gathered in order; copied into the send buffer.
    pub payload: &'a [&'a [u8]],
    /// After this the call fails with TIMEDOUT.
    pub timeout: Duration,
}

/// A successful reply.
pub struct Reply {
    /// The body; decode it with `daos_common::wire::decode(reply.body())`.
    pub message: Message,
}

impl Reply {
    /// The encoded body.
    pub fn body(&self) -> &[u8] {
        self.message.body()
    }

    /// The bytes behind it.
    pub fn payload(&self) -> &[u8] {
        self.message.payload()
    }
}

/// A received request, to be answered exactly once; dropped unanswered it is answered CANCELED.
pub struct Incoming {
    /// Number of the operation.
    pub opcode: u16,
    /// Body and payload.
    pub message: Message,
    pub(crate) answer: Answer,
}

impl Incoming {
    /// The sender, as a peer for RMA.
    pub fn peer(&self) -> &Peer {
        &self.answer.peer
    }

    /// Answers with success.
    pub fn reply(mut self, body: &[u8], payload: &[&[u8]]) {
        self.answer.send(0, body, payload);
    }

    /// Answers with an error.
    pub fn fail(mut self, error: &Error) {
        self.answer.fail(error);
    }
}

/// Where an answer goes. Sends CANCELED on drop when nothing was answered.
pub(crate) struct Answer {
    pub(crate) core: Rc<Core>,
    pub(crate) peer: Peer,
    pub(crate) id: u64,
    pub(crate) instance: u64,
    pub(crate) answered: bool,
}

impl Answer {
    fn send(&mut self, status: i32, body: &[u8], payload: &[&[u8]]) {
        if !std::mem::replace(&mut self.answered, true) {
            self.core.send_reply(&self.peer, self.id, self.instance, status, body, payload);
        }
    }

    pub(crate) fn fail(&mut self, error: &Error) {
        let body = daos_common::wire::ErrorBody { message: error.message().to_owned() };
        // An error without its text is still an error.
        let body = daos_common::wire::encode(&body).unwrap_or_default();
        self.send(error.rc(), &body, &[]);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.answered {
            self.fail(&Error::new(Der::CANCELED, "the peer gave the request up without an answer"));
        }
    }
}

/// Access of an exposed region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Peers may read it (update).
    RemoteRead,
    /// Peers may write it (fetch).
    RemoteWrite,
}

/// Memory open to peers until dropped.
pub struct Exposed {
    pub(crate) descriptors: Vec<BulkDesc>,
    // Closed before the endpoint that it may be bound to.
    pub(crate) _registrations: Vec<Box<dyn Any>>,
    pub(crate) _core: Rc<Core>,
}

impl Exposed {
    /// What the peer needs to reach the regions, in their order.
    pub fn descriptors(&self) -> Vec<BulkDesc> {
        self.descriptors.clone()
    }
}

/// A source of completions beside the endpoint (io_uring), driven by the runtime.
pub trait Poller {
    /// Takes completions without blocking; how many it took.
    fn poll(&self) -> usize;
    /// Readable when `poll` would find something; `None`: must be polled.
    fn fd(&self) -> Option<RawFd>;
}

/// What an endpoint has counted since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Messages sent (accepted by the provider), of every kind.
    pub sent: u64,
    /// Messages received and understood, of every kind.
    pub received: u64,
    /// Messages dropped because they were malformed or of an unknown version.
    pub malformed: u64,
    /// Well-formed messages dropped because nobody waits for them any more, or they were meant for a former holder of
    /// this address.
    pub stale: u64,
    /// Messages and RMA operations that had to wait for room or a connection.
    pub delayed: u64,
    /// Bytes read and written by RMA that this endpoint started.
    pub rma_bytes: u64,
}
