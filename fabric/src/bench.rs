//! What the fabric itself can do, and what the RPC layer makes of it: figures to hold others against.
//!
//! Each function opens two endpoints of the given provider, one on a thread of its own, and measures between them.
//! "Bare" means messages and transfers posted to libfabric directly, without headers, calls or executor; both sides
//! poll, and give the core away between polls as the runtime does.

use crate::ofi::OfiTransport;
use crate::transport::{Event, Post, Route, Segment, Transport};
use crate::{Access, Endpoint, FabricConfig, Request, Runtime};
use daos_common::wire::object::BulkDesc;
use daos_common::{Der, Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Rounds before measuring: connections come up, buffers are touched.
const WARM_UP: usize = 200;

/// Times of one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Latency {
    /// Arithmetic mean.
    pub mean: Duration,
    /// Half are faster.
    pub median: Duration,
    /// One in a hundred is slower.
    pub p99: Duration,
}

impl Latency {
    fn of(mut times: Vec<Duration>) -> Latency {
        times.sort_unstable();
        let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
        let mean = times.iter().sum::<Duration>() / times.len().max(1) as u32;
        Latency { mean, median: at(50), p99: at(99) }
    }
}

/// Round trip of a bare message of `request_bytes` answered by one of `reply_bytes`.
///
/// # Errors
/// As [`Endpoint::open`]; `INVAL`: longer than a message buffer (36 KiB).
pub fn bare_ping_pong(
    config: &FabricConfig,
    request_bytes: usize,
    reply_bytes: usize,
    rounds: usize,
) -> Result<Latency> {
    check_size(request_bytes.max(reply_bytes))?;
    let other = Other::start(config, move |side| {
        while let Some(message) = side.receive() {
            // The first message tells the sender's address.
            let to = match side.to {
                Some(to) => to,
                None => side.connect(&message)?,
            };
            side.send(to, reply_bytes.max(1))?;
        }
        Ok(())
    })?;
    let mut side = Side::open(config)?;
    let to = side.introduce(&other.uri)?;
    side.expect()?;
    let mut times = Vec::with_capacity(rounds);
    for round in 0..WARM_UP + rounds {
        let start = Instant::now();
        side.send(to, request_bytes.max(1))?;
        side.expect()?;
        if round >= WARM_UP {
            times.push(start.elapsed());
        }
    }
    Ok(Latency::of(times))
}

/// Bare messages of `bytes`, each answered, per second, with `depth` under way.
///
/// # Errors
/// As [`bare_ping_pong`].
pub fn bare_message_rate(config: &FabricConfig, bytes: usize, depth: usize, messages: usize) -> Result<f64> {
    check_size(bytes)?;
    let other = Other::start(config, move |side| {
        while let Some(message) = side.receive() {
            let to = match side.to {
                Some(to) => to,
                None => side.connect(&message)?,
            };
            side.send(to, 1)?;
        }
        Ok(())
    })?;
    let mut side = Side::open(config)?;
    let to = side.introduce(&other.uri)?;
    side.expect()?;
    let (mut sent, mut answered) = (0, 0);
    let start = Instant::now();
    while answered < messages {
        while sent < messages && sent - answered < depth {
            side.send(to, bytes.max(1))?;
            sent += 1;
        }
        side.expect()?;
        answered += 1;
    }
    Ok(messages as f64 / start.elapsed().as_secs_f64())
}

/// Which way bytes go in [`bare_rma_bandwidth`], seen from the side that asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RmaDirection {
    /// From the other side's memory.
    Read,
    /// To the other side's memory.
    Write,
}

/// Bytes per second of bare reads or writes of `bytes` each, `depth` under way, `count` in all.
///
/// # Errors
/// As [`Endpoint::open`]; `IO`.
pub fn bare_rma_bandwidth(
    config: &FabricConfig,
    direction: RmaDirection,
    bytes: usize,
    depth: usize,
    count: usize,
) -> Result<f64> {
    let other = Other::start(config, move |side| {
        let mut memory = vec![1u8; bytes * depth];
        let access = match direction {
            RmaDirection::Read => Access::RemoteRead,
            RmaDirection::Write => Access::RemoteWrite,
        };
        // SAFETY: `memory` outlives the registration, and is not touched meanwhile.
        let (region, registration) = unsafe { side.transport.expose(memory.as_mut_ptr(), memory.len(), access) }?;
        let Some(message) = side.receive() else { return Ok(()) };
        let to = side.connect(&message)?;
        side.send_bytes(to, &daos_common::wire::encode(&region)?)?;
        while side.receive().is_some() {}
        drop(registration);
        Ok(())
    })?;
    let mut side = Side::open(config)?;
    let to = side.introduce(&other.uri)?;
    let region: BulkDesc = daos_common::wire::decode(&side.expect()?)?;
    let mut local = vec![2u8; bytes * depth];
    let memory = side.transport.local(local.as_mut_ptr(), local.len())?;
    let (mut started, mut done) = (0, 0);
    let start = Instant::now();
    let mut events = Vec::new();
    while done < count {
        while started < count && started - done < depth {
            let at = (started % depth) * bytes;
            let segment = Segment {
                write: direction == RmaDirection::Write,
                // SAFETY: within `local`.
                local: unsafe { local.as_mut_ptr().add(at) },
                len: bytes,
                desc: memory.desc,
                remote_addr: region.addr + at as u64,
                key: region.key,
            };
            // SAFETY: `local` lives until all transfers are done; each slot is used by one at a time (slots finish
            // in order on a connection; a reader overwriting the same bytes again is harmless to the figure).
            match unsafe { side.transport.rma(to, &segment, 0) } {
                Post::Posted => started += 1,
                Post::Again(()) => break,
                Post::Failed(error) => return Err(error),
            }
        }
        if side.transport.poll(&mut events) == 0 {
            std::thread::yield_now();
        }
        for event in events.drain(..) {
            if let Event::RmaDone(_, result) = event {
                result?;
                done += 1;
            }
        }
    }
    Ok((count * bytes) as f64 / start.elapsed().as_secs_f64())
}

/// Round trip of a call through the RPC layer and the runtime: a payload of `request_bytes`, answered by one of
/// `reply_bytes`.
///
/// # Errors
/// As [`Endpoint::open`].
pub fn rpc_echo(config: &FabricConfig, request_bytes: usize, reply_bytes: usize, rounds: usize) -> Result<Latency> {
    let server = RpcServer::start(config, reply_bytes)?;
    let runtime = Runtime::new(Endpoint::open(config)?)?;
    let endpoint = runtime.endpoint().clone();
    let peer = endpoint.peer(&server.uri)?;
    let data = vec![7u8; request_bytes];
    let times = runtime.block_on(async {
        let mut times = Vec::with_capacity(rounds);
        for round in 0..WARM_UP + rounds {
            let start = Instant::now();
            endpoint.call(&peer, echo_request(&[&data])).await?;
            if round >= WARM_UP {
                times.push(start.elapsed());
            }
        }
        Ok::<_, Error>(times)
    })?;
    Ok(Latency::of(times))
}

/// Calls per second through the RPC layer, `depth` under way, each with a payload of `bytes`.
///
/// # Errors
/// As [`Endpoint::open`].
pub fn rpc_rate(config: &FabricConfig, bytes: usize, depth: usize, calls: usize) -> Result<f64> {
    let server = RpcServer::start(config, 0)?;
    let runtime = Runtime::new(Endpoint::open(config)?)?;
    let endpoint = runtime.endpoint().clone();
    let peer = endpoint.peer(&server.uri)?;
    runtime.block_on(endpoint.call(&peer, echo_request(&[])))?;
    let start = Instant::now();
    let tasks: Vec<_> = (0..depth)
        .map(|_| {
            let (endpoint, peer) = (endpoint.clone(), peer.clone());
            runtime.spawn(async move {
                let data = vec![7u8; bytes];
                for _ in 0..calls.div_ceil(depth) {
                    endpoint.call(&peer, echo_request(&[&data])).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await?;
        }
        Ok::<_, Error>(())
    })?;
    Ok((calls.div_ceil(depth) * depth) as f64 / start.elapsed().as_secs_f64())
}

fn echo_request<'a>(payload: &'a [&'a [u8]]) -> Request<'a> {
    let opcode = daos_common::wire::Opcode::Ping as u16;
    Request { opcode, body: Vec::new(), payload, timeout: Duration::from_secs(10) }
}

fn check_size(bytes: usize) -> Result<()> {
    match bytes <= crate::buffer::BUFFER_BYTES {
        true => Ok(()),
        false => Err(Error::new(Der::INVAL, format!("{bytes} bytes do not fit a message of 36 KiB"))),
    }
}

/// One side of a bare measurement.
struct Side {
    transport: OfiTransport,
    to: Option<Route>,
    arrived: std::collections::VecDeque<Vec<u8>>,
    count: usize,
    events: Vec<Event>,
    stop: Option<Arc<AtomicBool>>,
}

impl Side {
    fn open(config: &FabricConfig) -> Result<Side> {
        Ok(Side {
            transport: OfiTransport::open(config)?,
            to: None,
            arrived: Default::default(),
            count: 0,
            events: Vec::new(),
            stop: None,
        })
    }

    /// Sends our URI to the other side; the route to it.
    fn introduce(&mut self, uri: &str) -> Result<Route> {
        let to = self.transport.route(&self.transport.parse_uri(uri)?)?;
        self.to = Some(to);
        let own = self.transport.uri().to_owned();
        self.send_bytes(to, own.as_bytes())?;
        Ok(to)
    }

    /// The route to the side that introduced itself with `message`.
    fn connect(&mut self, message: &[u8]) -> Result<Route> {
        let uri = String::from_utf8_lossy(message);
        let to = self.transport.route(&self.transport.parse_uri(&uri)?)?;
        self.to = Some(to);
        Ok(to)
    }

    fn send(&mut self, to: Route, bytes: usize) -> Result<()> {
        let mut buffer = self.transport.buffer();
        buffer.set_len(bytes);
        self.post(to, buffer)
    }

    fn send_bytes(&mut self, to: Route, bytes: &[u8]) -> Result<()> {
        let mut buffer = self.transport.buffer();
        buffer.append(bytes);
        self.post(to, buffer)
    }

    fn post(&mut self, to: Route, mut buffer: crate::buffer::Buffer) -> Result<()> {
        loop {
            match self.transport.send(to, buffer, 1) {
                Post::Posted => return Ok(()),
                Post::Again(again) => buffer = again,
                Post::Failed(error) => return Err(error),
            }
            if !self.poll() {
                std::thread::yield_now();
            }
        }
    }

    fn poll(&mut self) -> bool {
        let ended = self.transport.poll(&mut self.events);
        for event in self.events.drain(..) {
            if let Event::Received(buffer) = event {
                self.count += 1;
                // Only an introduction's content matters; the data itself is not copied.
                let bytes = if buffer.bytes().len() <= 128 { buffer.bytes().to_vec() } else { Vec::new() };
                self.arrived.push_back(bytes);
            }
        }
        ended > 0
    }

    /// The next message; `None` when told to stop.
    fn receive(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(message) = self.arrived.pop_front() {
                return Some(message);
            }
            if !self.poll() {
                if self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                    return None;
                }
                std::thread::yield_now();
            }
        }
    }

    /// The next message, which has to come.
    fn expect(&mut self) -> Result<Vec<u8>> {
        let start = Instant::now();
        loop {
            if let Some(message) = self.arrived.pop_front() {
                return Ok(message);
            }
            if !self.poll() {
                if start.elapsed() > Duration::from_secs(10) {
                    return Err(Error::new(Der::TIMEDOUT, "the other side of the measurement is silent"));
                }
                std::thread::yield_now();
            }
        }
    }
}

/// The side on another thread, stopped and joined on drop.
struct Other {
    uri: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Other {
    fn start(config: &FabricConfig, serve: impl FnOnce(&mut Side) -> Result<()> + Send + 'static) -> Result<Other> {
        let (config, stop) = (config.clone(), Arc::new(AtomicBool::new(false)));
        let (send, receive) = mpsc::channel();
        let there = stop.clone();
        let thread = std::thread::spawn(move || match Side::open(&config) {
            Ok(mut side) => {
                side.stop = Some(there);
                let _ = send.send(Ok(side.transport.uri().to_owned()));
                serve(&mut side)
            }
            Err(error) => {
                let _ = send.send(Err(error));
                Ok(())
            }
        });
        let uri = receive.recv().map_err(|_| Error::new(Der::MISC, "the other side of the measurement ended"))??;
        Ok(Other { uri, stop, thread: Some(thread) })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Ok(Err(error))) = self.thread.take().map(JoinHandle::join) {
            tracing::warn!(%error, "the other side of the measurement failed");
        }
    }
}

/// An echo server of the RPC layer on another thread, stopped and joined on drop.
struct RpcServer {
    uri: String,
    stop: Arc<AtomicBool>,
    waker: crate::RemoteWaker,
    thread: Option<JoinHandle<()>>,
}

impl RpcServer {
    fn start(config: &FabricConfig, reply_bytes: usize) -> Result<RpcServer> {
        let (config, stop) = (config.clone(), Arc::new(AtomicBool::new(false)));
        let (send, receive) = mpsc::channel();
        let there = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = match Endpoint::open(&config).and_then(Runtime::new) {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = send.send(Err(error));
                    return;
                }
            };
            let _ = send.send(Ok((runtime.endpoint().uri(), runtime.remote_waker())));
            let endpoint = runtime.endpoint().clone();
            let answer = vec![9u8; reply_bytes];
            let serving = runtime.spawn(async move {
                loop {
                    endpoint.accept().await.reply(&[], &[&answer]);
                }
            });
            runtime.block_on(std::future::poll_fn(|_| match there.load(Ordering::SeqCst) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }));
            drop(serving);
        });
        let (uri, waker) =
            receive.recv().map_err(|_| Error::new(Der::MISC, "the other side of the measurement ended"))??;
        Ok(RpcServer { uri, stop, waker, thread: Some(thread) })
    }
}

impl Drop for RpcServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
