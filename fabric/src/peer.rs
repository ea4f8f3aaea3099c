//! Peers: who they are, how they are reached, and what waits to be sent to them.

use crate::buffer::Buffer;
use crate::transport::Route;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::time::Instant;

/// A peer's address, resolved. Cheap to clone; belongs to the endpoint that made it.
#[derive(Clone)]
pub struct Peer {
    pub(crate) entry: Rc<PeerEntry>,
}

impl Peer {
    /// The peer's URI.
    pub fn uri(&self) -> &str {
        &self.entry.uri
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({})", self.entry.uri)
    }
}

/// Something that waits for room or a connection.
#[derive(Default)]
pub(crate) enum Waiting {
    /// The place of what is being tried.
    #[default]
    Nothing,
    /// A message and the token of its failure.
    Message(Buffer, u64),
    /// A read or write that has more segments to post: its number.
    Rma(usize),
}

/// The state of one peer.
pub(crate) struct PeerEntry {
    pub(crate) uri: String,
    pub(crate) address: Vec<u8>,
    pub(crate) route: Route,
    /// Its instance as last heard; 0: not known.
    pub(crate) instance: Cell<u64>,
    /// In order; not empty exactly when the peer is in the endpoint's list of stuck peers.
    pub(crate) waiting: RefCell<VecDeque<Waiting>>,
    pub(crate) stuck_since: Cell<Option<Instant>>,
    pub(crate) retry_at: Cell<Option<Instant>>,
    pub(crate) checked_at: Cell<Option<Instant>>,
    /// Calls of ours that it has not answered.
    pub(crate) calls: Cell<u32>,
    pub(crate) heard_at: Cell<Instant>,
    pub(crate) probed_at: Cell<Instant>,
}

impl PeerEntry {
    pub(crate) fn new(uri: String, address: Vec<u8>, route: Route, now: Instant) -> PeerEntry {
        PeerEntry {
            uri,
            address,
            route,
            instance: Cell::new(0),
            waiting: RefCell::default(),
            stuck_since: Cell::new(None),
            retry_at: Cell::new(None),
            checked_at: Cell::new(None),
            calls: Cell::new(0),
            heard_at: Cell::new(now),
            probed_at: Cell::new(now),
        }
    }

    pub(crate) fn is_stuck(&self) -> bool {
        !self.waiting.borrow().is_empty()
    }
}
