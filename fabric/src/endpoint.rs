//! The endpoint: calls and answers, matched by id, over a [`Transport`].
//!
//! Sending tries at once; what the provider refuses for lack of room or connection waits in its peer's queue, in
//! order, and is tried again each turn. Peers that refuse connections are found by [`Core::tend_peers`] and their
//! calls fail with UNREACH; a peer that is silent about a call for [`PROBE_AFTER`] is probed, so that the death of a
//! peer that owes an answer is noticed too.

use crate::buffer::{BUFFER_BYTES, Buffer};
use crate::calls::{Call, Calls};
use crate::face::{Access, Answer, Exposed, FabricConfig, Incoming, Reply, Request, Statistics};
use crate::message::Message;
use crate::ofi::OfiTransport;
use crate::peer::{Peer, PeerEntry, Waiting};
use crate::rma::{AtEnd, Direction, Pulled, Rma, RmaTable};
use crate::transport::{Event, Post, Reach, Transport};
use crate::wire::{self, HEADER_BYTES, Header, MAX_MESSAGE_BYTES, MessageKind};
use daos_common::wire::VERSION;
use daos_common::wire::object::BulkDesc;
use daos_common::{Der, Error, Result};
use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::os::fd::RawFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A peer that owes an answer and has been silent for this long is probed, and again after as long.
const PROBE_AFTER: Duration = Duration::from_millis(500);
/// After this long without getting anything out to a peer, its address is checked.
const CHECK_AFTER: Duration = Duration::from_millis(20);
/// How often a stuck peer's address is checked again.
const CHECK_EVERY: Duration = Duration::from_millis(250);
/// How often sending to a stuck peer is tried.
const RETRY_EVERY: Duration = Duration::from_millis(1);
/// How long nothing may get out to a peer before it counts as unreachable, whatever its address says.
const STUCK_LIMIT: Duration = Duration::from_secs(30);
/// How long a message to be pulled stays available.
const PULL_LIMIT: Duration = Duration::from_secs(120);
/// With more buffers than this in use, received messages are copied out so that few small ones don't pin much memory.
const COPY_OUT_ABOVE: usize = 1024;

/// A message too long for a buffer, until its receiver has read it.
struct Offered {
    // Closed before the bytes go.
    _registration: Box<dyn Any>,
    _content: Box<[u8]>,
    until: Instant,
}

/// One endpoint: sends and receives requests, moves memory. Cheap to clone; not `Send`.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) core: Rc<Core>,
}

/// The state of an endpoint.
pub(crate) struct Core {
    // Offers are registrations of the transport.
    offers: RefCell<HashMap<u64, Offered>>,
    next_offer: RefCell<u64>,
    pub(crate) calls: RefCell<Calls>,
    pub(crate) rma: RefCell<RmaTable>,
    incoming: RefCell<VecDeque<Queued>>,
    acceptors: RefCell<Vec<Waker>>,
    // Ordered, so that what is done for each peer is done in the same order in every run.
    peers: RefCell<BTreeMap<Vec<u8>, Rc<PeerEntry>>>,
    stuck: RefCell<Vec<Rc<PeerEntry>>>,
    events: RefCell<Vec<Event>>,
    pub(crate) statistics: RefCell<Statistics>,
    instance: u64,
    next_tending: RefCell<Instant>,
    pub(crate) transport: Box<dyn Transport>,
}

/// A request that nobody has accepted yet.
struct Queued {
    opcode: u16,
    id: u64,
    instance: u64,
    peer: Rc<PeerEntry>,
    message: Message,
}

impl Endpoint {
    /// Opens an endpoint.
    ///
    /// # Errors
    /// `INVAL`: unknown provider or interface; `BUSY`: the port is taken; `NOMEM`; `HG`: libfabric cannot.
    pub fn open(config: &FabricConfig) -> Result<Endpoint> {
        Ok(Endpoint::over(Box::new(OfiTransport::open(config)?)))
    }

    pub(crate) fn over(transport: Box<dyn Transport>) -> Endpoint {
        let core = Core {
            offers: RefCell::default(),
            next_offer: RefCell::new(1),
            calls: RefCell::default(),
            rma: RefCell::default(),
            incoming: RefCell::default(),
            acceptors: RefCell::default(),
            peers: RefCell::default(),
            stuck: RefCell::default(),
            events: RefCell::default(),
            statistics: RefCell::default(),
            instance: crate::random_u64().max(1),
            next_tending: RefCell::new(transport.now()),
            transport,
        };
        Endpoint { core: Rc::new(core) }
    }

    /// `provider://host:port`, to give to peers.
    pub fn uri(&self) -> String {
        self.core.transport.uri().to_owned()
    }

    /// Resolves a peer's URI; cached.
    ///
    /// # Errors
    /// `INVAL`: not a URI of this provider; `UNREACH`.
    pub fn peer(&self, uri: &str) -> Result<Peer> {
        let address = self.core.transport.parse_uri(uri)?;
        Ok(Peer { entry: self.core.peer_at(&address)? })
    }

    /// Sends a request and waits for its reply. Dropping the future forgets the reply.
    ///
    /// # Errors
    /// The status the peer answered with its message; `TIMEDOUT`; `UNREACH`: the peer is gone; `OVERFLOW`: the message
    /// is longer than 256 MiB.
    pub fn call(&self, peer: &Peer, request: Request<'_>) -> impl Future<Output = Result<Reply>> + 'static {
        Call::new(self.core.clone(), self.core.start_call(&peer.entry, &request))
    }

    /// The next request, in order of arrival.
    pub fn accept(&self) -> impl Future<Output = Incoming> + 'static {
        Accept { core: self.core.clone() }
    }

    /// Opens `regions` of this process's memory to peers.
    ///
    /// # Errors
    /// `NOMEM`, `HG`: the provider cannot register the memory.
    ///
    /// # Safety
    /// The regions stay valid, and for `RemoteWrite` unaliased, until the `Exposed` is dropped.
    pub unsafe fn expose(&self, regions: &[(*mut u8, usize)], access: Access) -> Result<Exposed> {
        let mut descriptors = Vec::with_capacity(regions.len());
        let mut registrations = Vec::with_capacity(regions.len());
        for &(memory, len) in regions {
            if len == 0 {
                descriptors.push(BulkDesc { addr: 0, len: 0, key: 0 });
                continue;
            }
            // SAFETY: the caller's promise.
            let (descriptor, registration) = unsafe { self.core.transport.expose(memory, len, access) }?;
            descriptors.push(descriptor);
            registrations.push(registration);
        }
        Ok(Exposed { descriptors, _registrations: registrations, _core: self.core.clone() })
    }

    /// Reads `len` bytes of a peer's regions (as one byte string, from `offset`) to `local`.
    ///
    /// # Errors
    /// `INVAL`: outside the regions; `UNREACH`; `IO`.
    ///
    /// # Safety
    /// `local..local+len` stays valid and unaliased until the future completes; the future is not dropped before.
    pub unsafe fn rma_read(
        &self,
        peer: &Peer,
        remote: &[BulkDesc],
        offset: u64,
        local: *mut u8,
        len: usize,
    ) -> impl Future<Output = Result<()>> + 'static {
        // SAFETY: the caller's promise.
        let started = unsafe {
            let (memory, at_end) = ((local, len), AtEnd::Wake(None));
            self.core.start_rma(&peer.entry, remote, offset, memory, Direction::Read, at_end)
        };
        Rma::new(self.core.clone(), started)
    }

    /// Writes `len` bytes at `local` to a peer's regions.
    ///
    /// # Errors
    /// As `rma_read`.
    ///
    /// # Safety
    /// As `rma_read`, but `local` may be shared for reading.
    pub unsafe fn rma_write(
        &self,
        peer: &Peer,
        remote: &[BulkDesc],
        offset: u64,
        local: *const u8,
        len: usize,
    ) -> impl Future<Output = Result<()>> + 'static {
        // SAFETY: the caller's promise; a write only reads `local`.
        let started = unsafe {
            let (memory, at_end) = ((local.cast_mut(), len), AtEnd::Wake(None));
            self.core.start_rma(&peer.entry, remote, offset, memory, Direction::Write, at_end)
        };
        Rma::new(self.core.clone(), started)
    }

    /// What this endpoint has counted.
    pub fn statistics(&self) -> Statistics {
        *self.core.statistics.borrow()
    }

    /// Moves things on without blocking: completions, retries, timeouts. How much happened; 0 when idle. A
    /// [`crate::Runtime`] does this for its endpoint.
    pub fn progress(&self) -> usize {
        self.core.progress()
    }

    pub(crate) fn now(&self) -> Instant {
        self.core.now()
    }

    pub(crate) fn fds(&self) -> Vec<RawFd> {
        self.core.transport.fds()
    }

    pub(crate) fn must_be_polled(&self) -> bool {
        self.core.transport.must_be_polled()
    }

    pub(crate) fn may_sleep(&self) -> bool {
        self.core.transport.may_sleep()
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.core.next_deadline()
    }

    pub(crate) fn pass_time(&self, limit: Option<Instant>) -> bool {
        self.core.transport.pass_time(limit)
    }
}

/// Waits for a request.
struct Accept {
    core: Rc<Core>,
}

impl Future for Accept {
    type Output = Incoming;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Incoming> {
        let Some(queued) = self.core.incoming.borrow_mut().pop_front() else {
            let mut acceptors = self.core.acceptors.borrow_mut();
            if !acceptors.iter().any(|waker| waker.will_wake(context.waker())) {
                acceptors.push(context.waker().clone());
            }
            return Poll::Pending;
        };
        let Queued { opcode, id, instance, peer, message } = queued;
        let answer = Answer { core: self.core.clone(), peer: Peer { entry: peer }, id, instance, answered: false };
        Poll::Ready(Incoming { opcode, message, answer })
    }
}

impl Core {
    pub(crate) fn now(&self) -> Instant {
        self.transport.now()
    }

    fn peer_at(&self, address: &[u8]) -> Result<Rc<PeerEntry>> {
        if let Some(entry) = self.peers.borrow().get(address) {
            return Ok(entry.clone());
        }
        let route = self.transport.route(address)?;
        let uri = self.transport.format_uri(address);
        let entry = Rc::new(PeerEntry::new(uri, address.to_vec(), route, self.now()));
        self.peers.borrow_mut().insert(address.to_vec(), entry.clone());
        Ok(entry)
    }

    fn start_call(self: &Rc<Core>, peer: &Rc<PeerEntry>, request: &Request<'_>) -> Result<u64> {
        let now = self.now();
        let deadline = now.checked_add(request.timeout).unwrap_or(now + Duration::from_secs(86_400));
        let id = self.calls.borrow_mut().start(peer, request.opcode, deadline);
        if peer.calls.get() == 1 {
            // Its silence counts from now.
            peer.heard_at.set(now);
        }
        let header = Header {
            kind: MessageKind::Request,
            protocol: VERSION,
            opcode: request.opcode,
            status: 0,
            pull: false,
            address_len: self.transport.address().len() as u8,
            id,
            from: self.instance,
            to: peer.instance.get(),
            body_len: 0,
            payload_len: 0,
        };
        let sent = self.build(header, &request.body, request.payload).map(|buffer| self.send(peer, buffer, id));
        if let Err(error) = sent {
            // The call's future finds the error; nobody can wait yet.
            self.calls.borrow_mut().finish(id, Err(error));
        }
        Ok(id)
    }

    pub(crate) fn send_reply(
        self: &Rc<Core>,
        peer: &Peer,
        id: u64,
        instance: u64,
        status: i32,
        body: &[u8],
        payload: &[&[u8]],
    ) {
        let header = Header { status, ..self.header(MessageKind::Reply, id, instance) };
        match self.build(header, body, payload) {
            Ok(buffer) => self.send(&peer.entry, buffer, 0),
            Err(error) if status == 0 => {
                // Say so instead; this reply is short.
                let text = daos_common::wire::ErrorBody { message: error.message().to_owned() };
                let text = daos_common::wire::encode(&text).unwrap_or_default();
                self.send_reply(peer, id, instance, error.rc(), &text, &[]);
            }
            Err(error) => tracing::warn!(%error, "reply not sent"),
        }
    }

    fn header(&self, kind: MessageKind, id: u64, to: u64) -> Header {
        Header {
            kind,
            protocol: VERSION,
            opcode: 0,
            status: 0,
            pull: false,
            address_len: 0,
            id,
            from: self.instance,
            to,
            body_len: 0,
            payload_len: 0,
        }
    }

    /// Puts a message together; a long one is offered to be pulled.
    fn build(&self, mut header: Header, body: &[u8], payload: &[&[u8]]) -> Result<Buffer> {
        let payload_len: usize = payload.iter().map(|part| part.len()).sum();
        let content = body.len() + payload_len;
        if content > MAX_MESSAGE_BYTES {
            let what = format!("a message of {content} bytes; the limit is {MAX_MESSAGE_BYTES}");
            return Err(Error::new(Der::OVERFLOW, what));
        }
        header.body_len = body.len() as u32;
        header.payload_len = payload_len as u32;
        let address = &self.transport.address()[..header.address_len as usize];
        let mut buffer = self.transport.buffer();
        if HEADER_BYTES + address.len() + content <= BUFFER_BYTES {
            buffer.append(&header.encode());
            buffer.append(address);
            buffer.append(body);
            for part in payload {
                buffer.append(part);
            }
            return Ok(buffer);
        }
        header.pull = true;
        let mut whole = Vec::new();
        whole
            .try_reserve_exact(content)
            .map_err(|_| Error::new(Der::NOMEM, format!("no memory for a message of {content} bytes")))?;
        whole.extend_from_slice(body);
        payload.iter().for_each(|part| whole.extend_from_slice(part));
        let (region, offer) = self.offer(whole.into_boxed_slice())?;
        buffer.append(&header.encode());
        buffer.append(address);
        buffer.append(&wire::encode_pull(&region, offer));
        Ok(buffer)
    }

    /// Keeps `content` for its receiver to read.
    fn offer(&self, mut content: Box<[u8]>) -> Result<(BulkDesc, u64)> {
        // SAFETY: the content stays where it is, untouched, until the registration is dropped with the offer.
        let (region, registration) =
            unsafe { self.transport.expose(content.as_mut_ptr(), content.len(), Access::RemoteRead) }?;
        let offer = {
            let mut next = self.next_offer.borrow_mut();
            *next += 1;
            *next
        };
        let until = self.now() + PULL_LIMIT;
        let offered = Offered { _registration: registration, _content: content, until };
        self.offers.borrow_mut().insert(offer, offered);
        Ok((region, offer))
    }

    /// Sends, or puts in line.
    fn send(self: &Rc<Core>, peer: &Rc<PeerEntry>, buffer: Buffer, token: u64) {
        if peer.is_stuck() {
            self.enqueue(peer, Waiting::Message(buffer, token));
            return;
        }
        match self.transport.send(peer.route, buffer, token) {
            Post::Posted => self.statistics.borrow_mut().sent += 1,
            Post::Again(buffer) => self.enqueue(peer, Waiting::Message(buffer, token)),
            Post::Failed(error) => self.send_failed(token, error.at(&peer.uri)),
        }
    }

    pub(crate) fn enqueue(&self, peer: &Rc<PeerEntry>, waiting: Waiting) {
        self.statistics.borrow_mut().delayed += 1;
        if !peer.is_stuck() {
            peer.stuck_since.set(Some(self.now()));
            peer.retry_at.set(None);
            peer.checked_at.set(None);
            self.stuck.borrow_mut().push(peer.clone());
        }
        peer.waiting.borrow_mut().push_back(waiting);
    }

    fn send_failed(&self, token: u64, error: Error) {
        if token == 0 {
            tracing::debug!(%error, "message not sent");
            return;
        }
        let waker = self.calls.borrow_mut().finish(token, Err(error));
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn progress(self: &Rc<Core>) -> usize {
        let mut events = self.events.take();
        let mut happened = self.transport.poll(&mut events);
        for event in events.drain(..) {
            match event {
                Event::Received(buffer) => self.received(buffer),
                Event::SendFailed(token, error) => self.send_failed(token, error),
                Event::RmaDone(token, result) => self.segment_done(token as usize, result),
            }
        }
        self.events.replace(events);
        if !self.stuck.borrow().is_empty() {
            happened += self.retry_stuck(happened > 0);
        }
        if self.next_deadline().is_some_and(|deadline| deadline <= self.now()) {
            happened += self.tend();
        }
        happened
    }

    /// When `progress` has something to do even if nothing arrives.
    fn next_deadline(&self) -> Option<Instant> {
        let (sweep, waiting) = {
            let calls = self.calls.borrow();
            (calls.next_sweep(), calls.waiting())
        };
        let tend = *self.next_tending.borrow();
        let stuck = !self.stuck.borrow().is_empty();
        let busy = waiting > 0 || stuck || !self.offers.borrow().is_empty();
        let retry = stuck.then(|| self.now() + RETRY_EVERY);
        [sweep, busy.then_some(tend), retry].into_iter().flatten().min()
    }

    fn received(self: &Rc<Core>, buffer: Buffer) {
        let Some(header) = Header::decode(buffer.bytes()) else {
            self.statistics.borrow_mut().malformed += 1;
            tracing::debug!(bytes = buffer.bytes().len(), "malformed message dropped");
            return;
        };
        self.statistics.borrow_mut().received += 1;
        let sender = match self.sender_of(&header, buffer.bytes()) {
            Ok(sender) => sender,
            Err(counted) => {
                let mut statistics = self.statistics.borrow_mut();
                match counted {
                    Dropped::Malformed => statistics.malformed += 1,
                    Dropped::Stale => statistics.stale += 1,
                }
                return;
            }
        };
        sender.heard_at.set(self.now());
        if header.pull {
            self.start_pull(sender, header, buffer);
            return;
        }
        let start = header.content_start();
        let (body, payload) = (header.body_len as usize, header.payload_len as usize);
        let message = if self.transport.buffers_in_use() > COPY_OUT_ABOVE {
            Message::owned(buffer.bytes()[start..].to_vec(), body)
        } else {
            Message::pooled(buffer, start, body, payload)
        };
        self.deliver(sender, header, message);
    }

    /// Who sent a message, if it is for us to act on.
    fn sender_of(self: &Rc<Core>, header: &Header, message: &[u8]) -> Result<Rc<PeerEntry>, Dropped> {
        match header.kind {
            MessageKind::Reply => {
                if header.to != self.instance {
                    return Err(Dropped::Stale);
                }
                let peer = self.calls.borrow_mut().waits_for(header.id, header.from).ok_or(Dropped::Stale)?;
                peer.instance.set(header.from);
                Ok(peer)
            }
            _ => self.addressed(header, message),
        }
    }

    /// The peer whose address is in a message. A new instance at a known address ends the calls to the former one.
    fn addressed(self: &Rc<Core>, header: &Header, message: &[u8]) -> Result<Rc<PeerEntry>, Dropped> {
        let address = message.get(HEADER_BYTES..header.content_start()).ok_or(Dropped::Malformed)?;
        if address.is_empty() {
            return Err(Dropped::Malformed);
        }
        let peer = self.peer_at(address).map_err(|_| Dropped::Malformed)?;
        let known = peer.instance.replace(header.from);
        if known != 0 && known != header.from {
            self.peer_gone(&peer, "it was restarted");
        }
        if header.to != 0 && header.to != self.instance && header.kind != MessageKind::Alive {
            // Meant for a former holder of this address: tell who is here now.
            self.send_bare(&peer, MessageKind::Alive, 0);
            return Err(Dropped::Stale);
        }
        Ok(peer)
    }

    /// Sends a message without content, with our address.
    fn send_bare(self: &Rc<Core>, peer: &Rc<PeerEntry>, kind: MessageKind, id: u64) {
        let header =
            Header { address_len: self.transport.address().len() as u8, ..self.header(kind, id, peer.instance.get()) };
        if let Ok(buffer) = self.build(header, &[], &[]) {
            self.send(peer, buffer, 0);
        }
    }

    fn deliver(self: &Rc<Core>, sender: Rc<PeerEntry>, header: Header, message: Message) {
        match header.kind {
            MessageKind::Reply => {
                let result = match header.status {
                    0 => Ok(Reply { message }),
                    status => Err(reply_error(status, &message, &sender.uri)),
                };
                let waker = self.calls.borrow_mut().finish(header.id, result);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            MessageKind::Request if header.protocol != VERSION => {
                let what = format!(
                    "{} speaks version {VERSION} of the protocol, the request is of version {}",
                    self.transport.uri(),
                    header.protocol
                );
                let error = Error::new(Der::PROTO, what);
                let peer = Peer { entry: sender };
                Answer { core: self.clone(), peer, id: header.id, instance: header.from, answered: false }.fail(&error);
            }
            MessageKind::Request => {
                let (opcode, id, instance) = (header.opcode, header.id, header.from);
                self.incoming.borrow_mut().push_back(Queued { opcode, id, instance, peer: sender, message });
                // All of them: one that is dropped while woken must not keep the request from the others.
                let acceptors = self.acceptors.take();
                acceptors.into_iter().for_each(Waker::wake);
            }
            MessageKind::Probe => self.send_bare(&sender, MessageKind::Alive, header.id),
            MessageKind::Release => drop(self.offers.borrow_mut().remove(&header.id)),
            MessageKind::Alive => {}
        }
    }

    /// Begins to read a message that was too long for a buffer.
    fn start_pull(self: &Rc<Core>, sender: Rc<PeerEntry>, header: Header, buffer: Buffer) {
        let content = buffer.bytes().get(header.content_start()..).unwrap_or_default();
        let (region, release) = match wire::decode_pull(content) {
            Some((region, release)) if region.len == header.content_len() as u64 => (region, release),
            _ => {
                self.statistics.borrow_mut().malformed += 1;
                return;
            }
        };
        drop(buffer);
        let mut content = Vec::new();
        if content.try_reserve_exact(header.content_len()).is_err() {
            tracing::warn!(bytes = header.content_len(), peer = sender.uri, "no memory for a message; dropped");
            return;
        }
        content.resize(header.content_len(), 0u8);
        let memory = (content.as_mut_ptr(), content.len());
        let (kind, id) = (header.kind, header.id);
        let at_end = AtEnd::Deliver(Box::new(Pulled { header, content, release }));
        // SAFETY: the vector's memory stays in place, untouched, in the operation until its end.
        let started = unsafe { self.start_rma(&sender, &[region], 0, memory, Direction::Read, at_end) };
        if let Err(error) = started {
            tracing::debug!(%error, "long message not read");
            if kind == MessageKind::Reply {
                self.send_failed(id, error);
            }
        }
    }

    /// A long message was read.
    pub(crate) fn pulled(self: &Rc<Core>, sender: Rc<PeerEntry>, pulled: Pulled, error: Option<Error>) {
        let Pulled { header, content, release } = pulled;
        if let Some(error) = error {
            tracing::debug!(%error, "long message not read");
            if header.kind == MessageKind::Reply {
                self.send_failed(header.id, error);
            }
            return;
        }
        let from = Header {
            address_len: self.transport.address().len() as u8,
            ..self.header(MessageKind::Release, release, header.from)
        };
        if let Ok(buffer) = self.build(from, &[], &[]) {
            self.send(&sender, buffer, 0);
        }
        let body = header.body_len as usize;
        self.deliver(sender, header, Message::owned(content, body));
    }

    /// Tries again what waits, whatever its time when there is new `room`; how much went out.
    fn retry_stuck(self: &Rc<Core>, room: bool) -> usize {
        let now = self.now();
        let mut went_out = 0;
        let stuck = self.stuck.take();
        let mut still = Vec::with_capacity(stuck.len());
        for peer in stuck {
            if room || peer.retry_at.get().is_none_or(|at| at <= now) {
                let some = self.retry_peer(&peer);
                went_out += some;
                if some > 0 {
                    peer.stuck_since.set(Some(now));
                    peer.checked_at.set(None);
                }
                // A connection that comes up is awaited eagerly, one that doesn't with patience.
                let since = peer.stuck_since.get().unwrap_or(now);
                let eager = now.saturating_duration_since(since) < 2 * RETRY_EVERY;
                peer.retry_at.set(if eager { None } else { Some(now + RETRY_EVERY) });
            }
            if peer.is_stuck() {
                still.push(peer);
            } else {
                peer.stuck_since.set(None);
            }
        }
        // Sending may have made others stuck in the meantime.
        self.stuck.borrow_mut().append(&mut still);
        went_out
    }

    fn retry_peer(self: &Rc<Core>, peer: &Rc<PeerEntry>) -> usize {
        let mut went_out = 0;
        loop {
            // The queue keeps its head while it is tried, so that the peer counts as stuck.
            let Some(head) = peer.waiting.borrow_mut().front_mut().map(std::mem::take) else { return went_out };
            let again = match head {
                Waiting::Message(buffer, token) => match self.transport.send(peer.route, buffer, token) {
                    Post::Posted => {
                        self.statistics.borrow_mut().sent += 1;
                        None
                    }
                    Post::Again(buffer) => Some(Waiting::Message(buffer, token)),
                    Post::Failed(error) => {
                        self.send_failed(token, error.at(&peer.uri));
                        None
                    }
                },
                Waiting::Rma(index) => (!self.post_segments_now(index)).then_some(Waiting::Rma(index)),
                Waiting::Nothing => None,
            };
            let mut waiting = peer.waiting.borrow_mut();
            match (again, waiting.front_mut()) {
                (Some(head), Some(front)) => {
                    *front = head;
                    return went_out;
                }
                (Some(head), None) => {
                    waiting.push_front(head);
                    return went_out;
                }
                (None, _) => {
                    waiting.pop_front();
                    went_out += 1;
                }
            }
        }
    }

    /// Timeouts, probes, checks of stuck peers.
    fn tend(self: &Rc<Core>) -> usize {
        let now = self.now();
        let late = self.calls.borrow_mut().sweep(now);
        let mut happened = late.len();
        late.into_iter().for_each(Waker::wake);
        if *self.next_tending.borrow() <= now {
            happened += self.tend_peers(now);
            self.offers.borrow_mut().retain(|_, offered| offered.until > now);
            *self.next_tending.borrow_mut() = now + CHECK_AFTER;
        }
        happened
    }

    /// Checks stuck peers and probes silent ones; how many were given up.
    fn tend_peers(self: &Rc<Core>, now: Instant) -> usize {
        let mut gone = 0;
        let stuck: Vec<Rc<PeerEntry>> = self.stuck.borrow().clone();
        for peer in stuck {
            let Some(since) = peer.stuck_since.get() else { continue };
            let stuck_for = now.saturating_duration_since(since);
            if stuck_for >= STUCK_LIMIT {
                self.peer_gone(&peer, "nothing can be sent to it");
                gone += 1;
                continue;
            }
            let due = peer.checked_at.get().is_none_or(|at| now.saturating_duration_since(at) >= CHECK_EVERY);
            if stuck_for < CHECK_AFTER || !due {
                continue;
            }
            match self.transport.reach(&peer.address) {
                Reach::Refused => {
                    self.peer_gone(&peer, "it refuses connections");
                    gone += 1;
                }
                Reach::Listening => peer.checked_at.set(Some(now)),
                Reach::Unknown => {}
            }
        }
        if self.calls.borrow().waiting() == 0 {
            return gone;
        }
        let silent: Vec<Rc<PeerEntry>> = (self.peers.borrow().values())
            .filter(|peer| peer.calls.get() > 0 && !peer.is_stuck())
            .filter(|peer| now.saturating_duration_since(peer.heard_at.get().max(peer.probed_at.get())) >= PROBE_AFTER)
            .cloned()
            .collect();
        for peer in silent {
            peer.probed_at.set(now);
            self.send_bare(&peer, MessageKind::Probe, 0);
        }
        gone
    }

    /// Fails all that waits for a peer.
    fn peer_gone(self: &Rc<Core>, peer: &Rc<PeerEntry>, why: &str) {
        let error = Error::new(Der::UNREACH, format!("{} cannot be reached: {why}", peer.uri));
        let waiting = peer.waiting.take();
        for waiting in waiting {
            match waiting {
                Waiting::Message(_, token) => self.send_failed(token, error.clone()),
                Waiting::Rma(index) => self.fail_rma(index, &error),
                Waiting::Nothing => {}
            }
        }
        peer.stuck_since.set(None);
        self.stuck.borrow_mut().retain(|other| !Rc::ptr_eq(other, peer));
        let wakers = self.calls.borrow_mut().fail_peer(peer, &error);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Why a message is dropped.
enum Dropped {
    Malformed,
    Stale,
}

/// The error in a failed reply.
fn reply_error(status: i32, message: &Message, uri: &str) -> Error {
    let code = Der::from_number(status).unwrap_or(Der::MISC);
    match daos_common::wire::decode::<daos_common::wire::ErrorBody>(message.body()) {
        Ok(body) => Error::new(code, body.message),
        Err(_) => Error::new(code, format!("{uri} answered {status}")),
    }
}
