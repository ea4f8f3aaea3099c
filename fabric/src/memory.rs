//! A network in memory: several endpoints in one thread, with a clock of its own and seeded delays, loss and cuts.
//!
//! [`MemoryNetwork::open`] makes endpoints named `memory://name` that behave like any other. Time is virtual: it stands
//! still while anything runs, and jumps to the next delivery or timer when nothing does, so hours of timeouts pass in
//! no time. What happens depends on the seed alone, as long as the code above has no randomness of its own.
//!
//! | event | messages | remote memory access |
//! |---|---|---|
//! | delay | each message by a random time between the limits, so they overtake each other | both ways |
//! | loss | a share of messages vanishes | fails with UNREACH |
//! | [`MemoryNetwork::cut`] | vanish, both ways | fails with UNREACH |
//! | [`MemoryNetwork::crash`] | to it: refused, as by a dead process; from it: gone | fails with UNREACH |

use crate::buffer::{BUFFER_BYTES, Buffer, Pool};
use crate::transport::{Event, LocalMemory, Post, Reach, Route, Segment, Transport};
use crate::{Access, Endpoint, Runtime};
use daos_common::wire::object::BulkDesc;
use daos_common::{Der, Error, Result};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::os::fd::RawFd;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

const SCHEME: &str = "memory";

/// How a [`MemoryNetwork`] behaves.
#[derive(Clone, Debug)]
pub struct MemoryConfig {
    /// Everything random comes from this.
    pub seed: u64,
    /// Each message takes at least this long.
    pub delay_min: Duration,
    /// And at most this long.
    pub delay_max: Duration,
    /// Of a million messages, this many are lost.
    pub lost_per_million: u32,
}

impl Default for MemoryConfig {
    fn default() -> MemoryConfig {
        MemoryConfig {
            seed: 1,
            delay_min: Duration::from_micros(5),
            delay_max: Duration::from_micros(50),
            lost_per_million: 0,
        }
    }
}

/// A network. Cheap to clone; not `Send`.
#[derive(Clone)]
pub struct MemoryNetwork {
    net: Rc<Net>,
}

struct Net {
    config: MemoryConfig,
    base: Instant,
    clock: Cell<Duration>,
    random: Cell<u64>,
    sequence: Cell<u64>,
    nodes: RefCell<Vec<Node>>,
    /// Pairs of node numbers, the smaller first.
    cuts: RefCell<BTreeSet<(usize, usize)>>,
    regions: RefCell<BTreeMap<u64, Region>>,
}

struct Node {
    name: String,
    /// Opened and neither closed nor crashed.
    alive: bool,
    /// What is on its way to this node, by time and order.
    due: BTreeMap<(Duration, u64), Delivery>,
}

enum Delivery {
    Message(Vec<u8>),
    /// A transfer that this node started: done when it is due.
    Transfer {
        peer: usize,
        write: bool,
        local: *mut u8,
        len: usize,
        addr: u64,
        key: u64,
        token: u64,
        lost: bool,
    },
}

struct Region {
    node: usize,
    memory: *mut u8,
    len: usize,
    access: Access,
}

impl MemoryNetwork {
    /// An empty network.
    pub fn new(config: MemoryConfig) -> MemoryNetwork {
        let random = Cell::new(config.seed);
        let net = Net {
            config,
            base: Instant::now(),
            clock: Cell::default(),
            random,
            sequence: Cell::new(0),
            nodes: RefCell::default(),
            cuts: RefCell::default(),
            regions: RefCell::default(),
        };
        MemoryNetwork { net: Rc::new(net) }
    }

    /// Opens `memory://name`; a name whose former endpoint was closed or crashed can be opened again.
    ///
    /// # Errors
    /// `BUSY`: the name is open; `INVAL`: it is empty or longer than 255 bytes.
    pub fn open(&self, name: &str) -> Result<Endpoint> {
        if name.is_empty() || name.len() > 255 {
            return Err(Error::new(Der::INVAL, format!("{name:?} cannot name an endpoint: 1 to 255 bytes")));
        }
        let mut nodes = self.net.nodes.borrow_mut();
        let node = match nodes.iter().position(|node| node.name == name) {
            Some(node) if nodes[node].alive => {
                return Err(Error::new(Der::BUSY, format!("{SCHEME}://{name} is open already")));
            }
            Some(node) => node,
            None => {
                nodes.push(Node { name: name.to_owned(), alive: false, due: BTreeMap::new() });
                nodes.len() - 1
            }
        };
        nodes[node].alive = true;
        nodes[node].due.clear();
        drop(nodes);
        let transport = MemoryTransport {
            net: self.net.clone(),
            node,
            uri: format!("{SCHEME}://{name}"),
            name: name.to_owned(),
            pool: Pool::new(None),
        };
        Ok(Endpoint::over(Box::new(transport)))
    }

    /// Lets nothing pass between two endpoints any more.
    ///
    /// # Errors
    /// `NONEXIST`: no such endpoint.
    pub fn cut(&self, a: &str, b: &str) -> Result<()> {
        let pair = self.pair(a, b)?;
        self.net.cuts.borrow_mut().insert(pair);
        Ok(())
    }

    /// Ends every cut.
    pub fn heal(&self) {
        self.net.cuts.borrow_mut().clear();
    }

    /// Ends an endpoint as a killed process ends. Its `Endpoint`, still in hand, hears and says nothing more.
    ///
    /// # Errors
    /// `NONEXIST`: no such endpoint.
    pub fn crash(&self, name: &str) -> Result<()> {
        let node = self.net.find(name)?;
        self.net.kill(node);
        Ok(())
    }

    /// Delivers bytes of any kind to an endpoint, as from nowhere.
    ///
    /// # Errors
    /// `NONEXIST`: no such endpoint.
    pub fn inject(&self, to: &str, bytes: &[u8]) -> Result<()> {
        let to = self.net.find(to)?;
        let bytes = bytes[..bytes.len().min(BUFFER_BYTES)].to_vec();
        self.net.schedule(to, Duration::ZERO, Delivery::Message(bytes));
        Ok(())
    }

    /// Virtual time that has passed.
    pub fn elapsed(&self) -> Duration {
        self.net.clock.get()
    }

    /// Turns the runtimes, in order, until `future` is ready; lets time pass when none has anything to do.
    ///
    /// # Errors
    /// `TIMEDOUT`: nothing is left that could happen, and the future is not ready.
    pub fn block_on<F: Future>(&self, runtimes: &[&Runtime], future: F) -> Result<F::Output> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            let happened: usize = runtimes.iter().map(|runtime| runtime.turn()).sum();
            if happened > 0 {
                continue;
            }
            let timer = runtimes.iter().filter_map(|runtime| runtime.next_time()).min();
            if !self.net.pass_time(timer) {
                return Err(Error::new(Der::TIMEDOUT, "everything waits and nothing is on its way"));
            }
        }
    }

    fn pair(&self, a: &str, b: &str) -> Result<(usize, usize)> {
        let (a, b) = (self.net.find(a)?, self.net.find(b)?);
        Ok((a.min(b), a.max(b)))
    }
}

impl Net {
    fn find(&self, name: &str) -> Result<usize> {
        let found = self.nodes.borrow().iter().position(|node| node.name == name);
        found.ok_or_else(|| Error::new(Der::NONEXIST, format!("no endpoint {SCHEME}://{name}")))
    }

    fn kill(&self, node: usize) {
        self.regions.borrow_mut().retain(|_, region| region.node != node);
        if let Some(node) = self.nodes.borrow_mut().get_mut(node) {
            node.alive = false;
            node.due.clear();
        }
    }

    fn is_alive(&self, node: usize) -> bool {
        self.nodes.borrow().get(node).is_some_and(|node| node.alive)
    }

    fn is_cut(&self, a: usize, b: usize) -> bool {
        self.cuts.borrow().contains(&(a.min(b), a.max(b)))
    }

    /// splitmix64.
    fn next_random(&self) -> u64 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn random_delay(&self) -> Duration {
        let spread = self.config.delay_max.saturating_sub(self.config.delay_min).as_nanos() as u64;
        self.config.delay_min + Duration::from_nanos(self.next_random() % (spread + 1))
    }

    fn is_lost(&self) -> bool {
        self.config.lost_per_million > 0 && self.next_random() % 1_000_000 < u64::from(self.config.lost_per_million)
    }

    fn schedule(&self, node: usize, delay: Duration, delivery: Delivery) {
        self.sequence.set(self.sequence.get() + 1);
        let key = (self.clock.get() + delay, self.sequence.get());
        if let Some(node) = self.nodes.borrow_mut().get_mut(node).filter(|node| node.alive) {
            node.due.insert(key, delivery);
        }
    }

    fn take_due(&self, node: usize) -> Option<Delivery> {
        let mut nodes = self.nodes.borrow_mut();
        let first = nodes.get_mut(node)?.due.first_entry()?;
        (first.key().0 <= self.clock.get()).then(|| first.remove())
    }

    /// Lets time pass to the next delivery or `limit`, whichever is first; `false` when there is neither.
    fn pass_time(&self, limit: Option<Instant>) -> bool {
        let delivery = self.nodes.borrow().iter().filter_map(|node| node.due.keys().next().map(|key| key.0)).min();
        let limit = limit.map(|at| at.saturating_duration_since(self.base));
        match [delivery, limit].into_iter().flatten().min() {
            Some(at) => {
                self.clock.set(self.clock.get().max(at));
                true
            }
            None => false,
        }
    }

    /// Does a transfer that is due.
    fn transfer(&self, from: usize, delivery: &Delivery) -> Result<()> {
        let Delivery::Transfer { peer, write, local, len, addr, key, lost, .. } = *delivery else { return Ok(()) };
        if lost || !self.is_alive(peer) || self.is_cut(from, peer) {
            return Err(Error::new(Der::UNREACH, "remote memory access failed: the peer is out of reach"));
        }
        let regions = self.regions.borrow();
        let wanted = if write { Access::RemoteWrite } else { Access::RemoteRead };
        let region = regions.get(&key).filter(|region| region.node == peer && region.access == wanted);
        let end = addr.checked_add(len as u64);
        match region {
            Some(region) if end.is_some_and(|end| end <= region.len as u64) => {
                // SAFETY: within an exposed region, valid until it is closed, and local memory that its owner keeps
                // until the transfer is done; all in this thread. `copy` allows for overlap.
                unsafe {
                    let remote = region.memory.add(addr as usize);
                    if write {
                        std::ptr::copy(local, remote, len);
                    } else {
                        std::ptr::copy(remote, local, len);
                    }
                }
                Ok(())
            }
            _ => Err(Error::new(Der::IO, "remote memory access failed: the region is not open for it")),
        }
    }
}

struct MemoryTransport {
    net: Rc<Net>,
    node: usize,
    uri: String,
    name: String,
    pool: Rc<Pool>,
}

/// Closes a region on drop.
struct OpenRegion {
    net: Rc<Net>,
    key: u64,
}

impl Drop for OpenRegion {
    fn drop(&mut self) {
        self.net.regions.borrow_mut().remove(&self.key);
    }
}

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        self.net.kill(self.node);
    }
}

impl Transport for MemoryTransport {
    fn uri(&self) -> &str {
        &self.uri
    }

    fn address(&self) -> &[u8] {
        self.name.as_bytes()
    }

    fn parse_uri(&self, uri: &str) -> Result<Vec<u8>> {
        match uri.split_once("://") {
            Some((SCHEME, name)) if !name.is_empty() => Ok(name.as_bytes().to_vec()),
            _ => Err(Error::new(Der::INVAL, format!("{uri:?} is not a URI of the form {SCHEME}://name"))),
        }
    }

    fn format_uri(&self, address: &[u8]) -> String {
        format!("{SCHEME}://{}", String::from_utf8_lossy(address))
    }

    fn route(&self, address: &[u8]) -> Result<Route> {
        let name = std::str::from_utf8(address).unwrap_or_default();
        self.net.find(name).map(|node| node as Route).map_err(|error| Error::new(Der::UNREACH, error.message()))
    }

    fn buffer(&self) -> Buffer {
        self.pool.take()
    }

    fn buffers_in_use(&self) -> usize {
        self.pool.in_use()
    }

    fn send(&self, route: Route, buffer: Buffer, _token: u64) -> Post<Buffer> {
        let to = route as usize;
        if !self.net.is_alive(self.node) || !self.net.is_alive(to) {
            return Post::Again(buffer);
        }
        let delay = self.net.random_delay();
        if !self.net.is_lost() && !self.net.is_cut(self.node, to) {
            self.net.schedule(to, delay, Delivery::Message(buffer.bytes().to_vec()));
        }
        Post::Posted
    }

    fn local(&self, _memory: *mut u8, _len: usize) -> Result<LocalMemory> {
        Ok(LocalMemory { desc: std::ptr::null_mut(), _registration: None })
    }

    // SAFETY: the contract of the trait.
    unsafe fn rma(&self, route: Route, segment: &Segment, token: u64) -> Post<()> {
        let Segment { write, local, len, remote_addr: addr, key, .. } = *segment;
        if !self.net.is_alive(self.node) {
            return Post::Again(());
        }
        let delay = self.net.random_delay() + self.net.random_delay();
        let lost = self.net.is_lost();
        let transfer = Delivery::Transfer { peer: route as usize, write, local, len, addr, key, token, lost };
        self.net.schedule(self.node, delay, transfer);
        Post::Posted
    }

    fn max_segment(&self) -> usize {
        usize::MAX
    }

    // SAFETY: the contract of the trait.
    unsafe fn expose(&self, memory: *mut u8, len: usize, access: Access) -> Result<(BulkDesc, Box<dyn Any>)> {
        let key = self.net.next_random();
        self.net.regions.borrow_mut().insert(key, Region { node: self.node, memory, len, access });
        let region = OpenRegion { net: self.net.clone(), key };
        Ok((BulkDesc { addr: 0, len: len as u64, key }, Box::new(region)))
    }

    fn poll(&self, events: &mut Vec<Event>) -> usize {
        let mut ended = 0;
        while ended < 64 {
            let Some(delivery) = self.net.take_due(self.node) else { break };
            ended += 1;
            match &delivery {
                Delivery::Message(bytes) => {
                    let mut buffer = self.pool.take();
                    buffer.append(bytes);
                    events.push(Event::Received(buffer));
                }
                Delivery::Transfer { token, .. } => {
                    events.push(Event::RmaDone(*token, self.net.transfer(self.node, &delivery)));
                }
            }
        }
        ended
    }

    fn fds(&self) -> Vec<RawFd> {
        Vec::new()
    }

    fn may_sleep(&self) -> bool {
        true
    }

    fn reach(&self, address: &[u8]) -> Reach {
        match std::str::from_utf8(address).ok().and_then(|name| self.net.find(name).ok()) {
            Some(node) if self.net.is_cut(self.node, node) => Reach::Unknown,
            Some(node) if self.net.is_alive(node) => Reach::Listening,
            _ => Reach::Refused,
        }
    }

    fn now(&self) -> Instant {
        self.net.base + self.net.clock.get()
    }

    fn pass_time(&self, limit: Option<Instant>) -> bool {
        self.net.pass_time(limit)
    }
}
