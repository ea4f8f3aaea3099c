//! One libfabric endpoint as a [`Transport`].

use super::provider::{Info, choose};
use super::reach::ReachChecks;
use super::{Opened, address, rc_error};
use crate::buffer::{BUFFER_BYTES, Buffer, Context, Kind, Pool, Raw, Registrar};
use crate::transport::{Event, LocalMemory, Post, Reach, Route, Segment, Transport};
use crate::{Access, FabricConfig};
use daos_common::wire::object::BulkDesc;
use daos_common::{Der, Error, Result};
use libfabric_sys as lf;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::os::fd::RawFd;
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Instant;

/// Receives kept posted: a burst of this many messages needs no wait for a buffer.
const RECEIVES: usize = 128;
/// Completions taken per call.
const BATCH: usize = 32;

/// A domain and what registering memory in it takes. Shared by whatever holds a registration.
struct Domain {
    mr_mode: i32,
    key_mask: u64,
    next_key: Cell<u64>,
    // Closed in this order.
    domain: Opened<lf::fid_domain>,
    fabric: Opened<lf::fid_fabric>,
}

impl Domain {
    fn wants(&self, mode: i32) -> bool {
        self.mr_mode & mode != 0
    }

    /// Registers memory for `access`; with `endpoint`, bound to it where the provider wants that.
    fn register(
        self: &Rc<Domain>,
        memory: *const u8,
        len: usize,
        access: u64,
        endpoint: Option<*mut lf::fid_ep>,
    ) -> Result<Registration> {
        let key = self.next_key.get() & self.key_mask;
        self.next_key.set(self.next_key.get().wrapping_add(1));
        let mr = Opened::new("a memory region", |mr| {
            // SAFETY: the domain is open; the memory is the caller's to register.
            unsafe { lf::lf_mr_reg(self.domain.as_ptr(), memory.cast(), len, access, key, mr) }
        });
        let mr = mr.map_err(|error| error.at(format_args!("{len} bytes of memory")))?;
        if let (true, Some(ep)) = (self.wants(lf::LF_MR_ENDPOINT), endpoint) {
            // SAFETY: both objects are open; an endpoint starts with its fid.
            let rc = unsafe {
                match lf::lf_mr_bind(mr.as_ptr(), ep.cast()) {
                    0 => lf::lf_mr_enable(mr.as_ptr()),
                    rc => rc,
                }
            };
            if rc != 0 {
                return Err(rc_error(Der::HG, rc.into(), "memory region not bound to its endpoint"));
            }
        }
        Ok(Registration { mr, _domain: self.clone() })
    }
}

/// Registered memory; deregistered on drop.
struct Registration {
    mr: Opened<lf::fid_mr>,
    _domain: Rc<Domain>,
}

/// Registers message buffers where the provider wants local memory registered.
struct BufferRegistrar {
    domain: Rc<Domain>,
}

impl Registrar for BufferRegistrar {
    fn register(&self, memory: *mut u8, len: usize) -> Option<(Box<dyn Any>, *mut c_void)> {
        let registration = self.domain.register(memory, len, lf::LF_SEND | lf::LF_RECV, None).ok()?;
        // SAFETY: an open memory region.
        let desc = unsafe { lf::lf_mr_desc(registration.mr.as_ptr()) };
        Some((Box::new(registration), desc))
    }
}

/// See the module.
pub(crate) struct OfiTransport {
    uri: String,
    scheme: String,
    address: Vec<u8>,
    max_segment: usize,
    inject_bytes: usize,
    fds: Vec<RawFd>,
    needs_trywait: bool,
    reach: RefCell<ReachChecks>,
    /// Receives to post again, after a refusal for lack of room.
    missing_receives: Cell<usize>,
    // Closed in this order; the memory of operations goes last.
    ep: Opened<lf::fid_ep>,
    cq: Opened<lf::fid_cq>,
    av: Opened<lf::fid_av>,
    contexts: RefCell<RmaContexts>,
    pool: Rc<Pool>,
    domain: Rc<Domain>,
}

/// Contexts of reads and writes, at stable addresses, recycled.
#[derive(Default)]
struct RmaContexts {
    free: Vec<NonNull<Context>>,
    all: Vec<NonNull<Context>>,
}

impl RmaContexts {
    fn take(&mut self, token: u64) -> NonNull<Context> {
        let mut context = self.free.pop().unwrap_or_else(|| {
            let context = NonNull::from(Box::leak(Box::new(Context::new(Kind::Rma))));
            self.all.push(context);
            context
        });
        // SAFETY: valid, and free: no operation uses it.
        unsafe { context.as_mut() }.token = token;
        context
    }
}

impl Drop for RmaContexts {
    fn drop(&mut self) {
        for context in self.all.drain(..) {
            // SAFETY: leaked in `take`; the endpoint is closed, so no operation uses it.
            drop(unsafe { Box::from_raw(context.as_ptr()) });
        }
    }
}

impl OfiTransport {
    /// Opens an endpoint and posts its receives.
    ///
    /// # Errors
    /// As [`crate::Endpoint::open`].
    pub(crate) fn open(config: &FabricConfig) -> Result<OfiTransport> {
        let info = choose(config)?;
        let provider = info.provider_name();
        let place = || {
            let source = source_address(&info).unwrap_or_else(|| "any address".into());
            format!("fabric endpoint {} on {source} (provider {provider})", config.provider)
        };
        let fabric = Opened::new("the fabric", |fabric| {
            // SAFETY: the attributes are libfabric's own.
            unsafe { lf::fi_fabric(info.get().fabric_attr, fabric, std::ptr::null_mut()) }
        })?;
        let domain = Opened::new("the domain", |domain| {
            // SAFETY: an open fabric, libfabric's own description.
            unsafe { lf::lf_domain(fabric.as_ptr(), info.as_ptr(), domain) }
        })
        .map_err(|error| error.at(place()))?;
        let key_bits = (info.domain().mr_key_size.min(8) * 8) as u32;
        let domain = Rc::new(Domain {
            mr_mode: info.domain().mr_mode,
            key_mask: if key_bits >= 64 { u64::MAX } else { (1u64 << key_bits) - 1 },
            // Keys begin anywhere, so that a key of a former process is not valid by chance.
            next_key: Cell::new(crate::random_u64()),
            domain,
            fabric,
        });
        let av = open_av(&domain)?;
        // libfabric 1.17's `net` never clears its wake-up signal; its descriptors are watched one by one instead.
        let by_pollfds = provider == "net";
        let wait_object = if by_pollfds { lf::LF_WAIT_POLLFD } else { lf::LF_WAIT_FD };
        // Some providers (shm) have no descriptor: they must be polled.
        let (cq, has_fds) = match open_cq(&domain, &info, wait_object) {
            Ok(cq) => (cq, true),
            Err(_) => (open_cq(&domain, &info, lf::LF_WAIT_NONE).map_err(|error| error.at(place()))?, false),
        };
        let ep = open_ep(&domain, &info, &cq, &av).map_err(|error| error.at(place()))?;
        let own = own_address(&ep)?;
        let fds = if has_fds { wait_fds(&cq, by_pollfds)? } else { Vec::new() };
        let registrar = domain
            .wants(lf::LF_MR_LOCAL)
            .then(|| Rc::new(BufferRegistrar { domain: domain.clone() }) as Rc<dyn Registrar>);
        let transport = OfiTransport {
            uri: address::format_uri(&config.provider, &own),
            scheme: config.provider.clone(),
            address: own,
            max_segment: info.endpoint().max_msg_size.max(1),
            inject_bytes: info.transmit().inject_size,
            fds,
            needs_trywait: has_fds && !by_pollfds,
            reach: RefCell::default(),
            missing_receives: Cell::new(RECEIVES.min(info.receive().size.max(1))),
            contexts: RefCell::default(),
            pool: Pool::new(registrar),
            ep,
            cq,
            av,
            domain,
        };
        transport.post_receives();
        tracing::debug!(uri = transport.uri, provider, mr_mode = transport.domain.mr_mode, "fabric endpoint open");
        Ok(transport)
    }

    fn post_receives(&self) {
        while self.missing_receives.get() > 0 {
            let mut buffer = self.pool.take();
            buffer.set_context(Kind::Receive, 0);
            let (memory, desc) = (buffer.space().as_mut_ptr(), buffer.desc());
            let raw = buffer.into_raw();
            // SAFETY: the buffer belongs to the operation until its completion gives it back.
            let rc = unsafe { lf::lf_recv(self.ep.as_ptr(), memory.cast(), BUFFER_BYTES, desc, raw.as_ptr().cast()) };
            if rc != 0 {
                // SAFETY: not posted, so still ours.
                drop(unsafe { Buffer::from_raw(raw, &self.pool) });
                if rc != -(lf::FI_EAGAIN as isize) {
                    tracing::warn!(error = super::handles::rc_text(rc as i64), "fabric receive not posted");
                }
                return;
            }
            self.missing_receives.set(self.missing_receives.get() - 1);
        }
    }

    /// Takes what a successful completion gives back.
    fn completed(&self, entry: &lf::fi_cq_msg_entry, events: &mut Vec<Event>) {
        let Some(context) = NonNull::new(entry.op_context.cast::<Context>()) else { return };
        // SAFETY: the context of an operation of ours, alive until this completion.
        match unsafe { context.as_ref() }.kind {
            Kind::Receive => {
                // SAFETY: the receive is over; its context is the start of the buffer.
                let mut buffer = unsafe { Buffer::from_raw(context.cast::<Raw>(), &self.pool) };
                buffer.set_len(entry.len);
                self.missing_receives.set(self.missing_receives.get() + 1);
                events.push(Event::Received(buffer));
            }
            // SAFETY: as above.
            Kind::Send => drop(unsafe { Buffer::from_raw(context.cast::<Raw>(), &self.pool) }),
            Kind::Rma => events.push(Event::RmaDone(self.free_context(context), Ok(()))),
        }
    }

    /// Takes the error at the head of the queue.
    fn read_error(&self, events: &mut Vec<Event>) {
        // SAFETY: plain data, for which zero is valid.
        let mut entry: lf::fi_cq_err_entry = unsafe { std::mem::zeroed() };
        // SAFETY: an open queue, a valid entry.
        let rc = unsafe { lf::lf_cq_readerr(self.cq.as_ptr(), &mut entry) };
        let Some(context) = NonNull::new(entry.op_context.cast::<Context>()).filter(|_| rc == 1) else { return };
        // Whatever breaks an operation over a connection shows as a cancelled or failed operation.
        let otherwise = match entry.err {
            libc::ECANCELED => Der::UNREACH,
            _ => Der::IO,
        };
        // SAFETY: as in `completed`.
        let (kind, token) = unsafe { (context.as_ref().kind, context.as_ref().token) };
        match kind {
            Kind::Receive => {
                // SAFETY: as in `completed`.
                drop(unsafe { Buffer::from_raw(context.cast::<Raw>(), &self.pool) });
                self.missing_receives.set(self.missing_receives.get() + 1);
            }
            Kind::Send => {
                // SAFETY: as in `completed`.
                drop(unsafe { Buffer::from_raw(context.cast::<Raw>(), &self.pool) });
                if token != 0 {
                    events.push(Event::SendFailed(token, rc_error(otherwise, entry.err.into(), "message not sent")));
                }
            }
            Kind::Rma => {
                let error = rc_error(otherwise, entry.err.into(), "remote memory access failed");
                events.push(Event::RmaDone(self.free_context(context), Err(error)));
            }
        }
    }

    fn free_context(&self, context: NonNull<Context>) -> u64 {
        self.contexts.borrow_mut().free.push(context);
        // SAFETY: its operation is over; nothing else refers to it.
        unsafe { context.as_ref() }.token
    }
}

impl Transport for OfiTransport {
    fn uri(&self) -> &str {
        &self.uri
    }

    fn address(&self) -> &[u8] {
        &self.address
    }

    fn parse_uri(&self, uri: &str) -> Result<Vec<u8>> {
        address::parse_uri(&self.scheme, uri)
    }

    fn format_uri(&self, address: &[u8]) -> String {
        address::format_uri(&self.scheme, address)
    }

    fn route(&self, address: &[u8]) -> Result<Route> {
        // Providers read as many bytes as their address format has.
        if address.len() != self.address.len() {
            let uri = self.format_uri(address);
            return Err(Error::new(Der::INVAL, format!("{uri}: not an address of the kind of {}", self.uri)));
        }
        let mut route = 0;
        // SAFETY: an open address vector; the address has the length of this provider's addresses.
        match unsafe { lf::lf_av_insert(self.av.as_ptr(), address.as_ptr().cast(), &mut route) } {
            1 => Ok(route),
            rc => Err(rc_error(Der::UNREACH, rc.into(), &format!("{} not accepted", self.format_uri(address)))),
        }
    }

    fn buffer(&self) -> Buffer {
        self.pool.take()
    }

    fn buffers_in_use(&self) -> usize {
        self.pool.in_use()
    }

    fn send(&self, route: Route, mut buffer: Buffer, token: u64) -> Post<Buffer> {
        let (memory, len) = (buffer.bytes().as_ptr(), buffer.bytes().len());
        if token == 0 && len <= self.inject_bytes {
            // SAFETY: the bytes are copied before the call returns.
            return match unsafe { lf::lf_inject(self.ep.as_ptr(), memory.cast(), len, route) } {
                0 => Post::Posted,
                rc if rc == -(lf::FI_EAGAIN as isize) => Post::Again(buffer),
                rc => Post::Failed(rc_error(Der::UNREACH, rc as i64, "message not sent")),
            };
        }
        buffer.set_context(Kind::Send, token);
        let desc = buffer.desc();
        let raw = buffer.into_raw();
        // SAFETY: the buffer belongs to the operation until its completion gives it back.
        let rc = unsafe { lf::lf_send(self.ep.as_ptr(), memory.cast(), len, desc, route, raw.as_ptr().cast()) };
        if rc == 0 {
            return Post::Posted;
        }
        // SAFETY: not posted, so still ours.
        let buffer = unsafe { Buffer::from_raw(raw, &self.pool) };
        match rc {
            rc if rc == -(lf::FI_EAGAIN as isize) => Post::Again(buffer),
            rc => Post::Failed(rc_error(Der::UNREACH, rc as i64, "message not sent")),
        }
    }

    fn local(&self, memory: *mut u8, len: usize) -> Result<LocalMemory> {
        if !self.domain.wants(lf::LF_MR_LOCAL) {
            return Ok(LocalMemory { desc: std::ptr::null_mut(), _registration: None });
        }
        let access = lf::LF_READ | lf::LF_WRITE;
        let registration = self.domain.register(memory, len, access, Some(self.ep.as_ptr()))?;
        // SAFETY: an open memory region.
        let desc = unsafe { lf::lf_mr_desc(registration.mr.as_ptr()) };
        Ok(LocalMemory { desc, _registration: Some(Box::new(registration)) })
    }

    unsafe fn rma(&self, route: Route, segment: &Segment, token: u64) -> Post<()> {
        let Segment { write, local, len, desc, remote_addr, key } = *segment;
        let context = self.contexts.borrow_mut().take(token);
        let (ep, op) = (self.ep.as_ptr(), context.as_ptr().cast());
        // SAFETY: the caller keeps the memory valid until the completion; the context lives as long as the endpoint.
        let rc = unsafe {
            match write {
                true => lf::lf_write(ep, local.cast(), len, desc, route, remote_addr, key, op),
                false => lf::lf_read(ep, local.cast(), len, desc, route, remote_addr, key, op),
            }
        };
        if rc == 0 {
            return Post::Posted;
        }
        self.free_context(context);
        match rc {
            rc if rc == -(lf::FI_EAGAIN as isize) => Post::Again(()),
            rc => Post::Failed(rc_error(Der::UNREACH, rc as i64, "remote memory access not started")),
        }
    }

    fn max_segment(&self) -> usize {
        self.max_segment
    }

    // SAFETY: the contract of the trait.
    unsafe fn expose(&self, memory: *mut u8, len: usize, access: Access) -> Result<(BulkDesc, Box<dyn Any>)> {
        let access = match access {
            Access::RemoteRead => lf::LF_REMOTE_READ,
            Access::RemoteWrite => lf::LF_REMOTE_WRITE,
        };
        let registration = self.domain.register(memory, len, access, Some(self.ep.as_ptr()))?;
        // SAFETY: an open memory region.
        let key = unsafe { lf::lf_mr_key(registration.mr.as_ptr()) };
        let addr = if self.domain.wants(lf::LF_MR_VIRT_ADDR) { memory as u64 } else { 0 };
        Ok((BulkDesc { addr, len: len as u64, key }, Box::new(registration)))
    }

    fn poll(&self, events: &mut Vec<Event>) -> usize {
        let mut ended = 0;
        let mut entries = [lf::fi_cq_msg_entry { op_context: std::ptr::null_mut(), flags: 0, len: 0 }; BATCH];
        // A bound on one turn: tasks get their share between floods.
        for _ in 0..8 {
            // SAFETY: an open queue whose entries have this format, and room for `BATCH` of them.
            let got = unsafe { lf::lf_cq_read(self.cq.as_ptr(), entries.as_mut_ptr().cast(), BATCH) };
            match got {
                got if got > 0 => {
                    ended += got as usize;
                    for entry in &entries[..got as usize] {
                        self.completed(entry, events);
                    }
                    self.post_receives();
                    if (got as usize) < BATCH {
                        break;
                    }
                }
                got if got == -(lf::FI_EAVAIL as isize) => {
                    ended += 1;
                    self.read_error(events);
                    self.post_receives();
                }
                _ => {
                    if self.missing_receives.get() > 0 {
                        self.post_receives();
                    }
                    break;
                }
            }
        }
        ended
    }

    fn fds(&self) -> Vec<RawFd> {
        self.fds.clone()
    }

    fn must_be_polled(&self) -> bool {
        self.fds.is_empty()
    }

    fn may_sleep(&self) -> bool {
        if !self.needs_trywait {
            return true;
        }
        // SAFETY: an open fabric and queue.
        unsafe { lf::lf_trywait(self.domain.fabric.as_ptr(), self.cq.fid()) == 0 }
    }

    fn reach(&self, address: &[u8]) -> Reach {
        self.reach.borrow_mut().check(address)
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

fn open_av(domain: &Domain) -> Result<Opened<lf::fid_av>> {
    // SAFETY: plain data, for which zero is valid.
    let mut attr: lf::fi_av_attr = unsafe { std::mem::zeroed() };
    attr.type_ = lf::LF_AV_TABLE as _;
    Opened::new("an address vector", |av| {
        // SAFETY: an open domain, valid attributes.
        unsafe { lf::lf_av_open(domain.domain.as_ptr(), &mut attr, av) }
    })
}

fn open_cq(domain: &Domain, info: &Info, wait_object: i32) -> Result<Opened<lf::fid_cq>> {
    // SAFETY: plain data, for which zero is valid.
    let mut attr: lf::fi_cq_attr = unsafe { std::mem::zeroed() };
    attr.format = lf::LF_CQ_FORMAT_MSG as _;
    attr.wait_obj = wait_object as _;
    attr.size = (info.transmit().size + info.receive().size).max(1024);
    Opened::new("a completion queue", |cq| {
        // SAFETY: an open domain, valid attributes.
        unsafe { lf::lf_cq_open(domain.domain.as_ptr(), &mut attr, cq) }
    })
}

fn open_ep(
    domain: &Domain,
    info: &Info,
    cq: &Opened<lf::fid_cq>,
    av: &Opened<lf::fid_av>,
) -> Result<Opened<lf::fid_ep>> {
    let ep = Opened::new("an endpoint", |ep| {
        // SAFETY: an open domain, libfabric's own description.
        unsafe { lf::lf_endpoint(domain.domain.as_ptr(), info.as_ptr(), ep) }
    })?;
    // SAFETY: all objects are open and of one domain.
    let rc = unsafe {
        match lf::lf_ep_bind(ep.as_ptr(), cq.fid(), lf::LF_TRANSMIT | lf::LF_RECV) {
            0 => match lf::lf_ep_bind(ep.as_ptr(), av.fid(), 0) {
                0 => lf::lf_enable(ep.as_ptr()),
                rc => rc,
            },
            rc => rc,
        }
    };
    match rc {
        0 => Ok(ep),
        rc => Err(rc_error(Der::HG, rc.into(), "libfabric could not enable the endpoint")),
    }
}

fn own_address(ep: &Opened<lf::fid_ep>) -> Result<Vec<u8>> {
    let mut bytes = vec![0u8; 255];
    let mut len = bytes.len();
    // SAFETY: an open endpoint, room for `len` bytes.
    let rc = unsafe { lf::lf_getname(ep.fid(), bytes.as_mut_ptr().cast(), &mut len) };
    if rc != 0 {
        return Err(rc_error(Der::HG, rc.into(), "address of the fabric endpoint"));
    }
    bytes.truncate(len);
    Ok(bytes)
}

/// Where the endpoint is to be, for messages.
fn source_address(info: &Info) -> Option<String> {
    let (address, len) = (info.get().src_addr.cast::<u8>(), info.get().src_addrlen);
    if address.is_null() {
        return None;
    }
    // SAFETY: libfabric gives the length of the address.
    let bytes = unsafe { std::slice::from_raw_parts(address, len) };
    address::socket_address(bytes).map(|socket| socket.to_string())
}

/// The descriptors to sleep on.
fn wait_fds(cq: &Opened<lf::fid_cq>, by_pollfds: bool) -> Result<Vec<RawFd>> {
    if !by_pollfds {
        let mut fd = -1;
        // SAFETY: an open queue, room for its descriptor.
        return match unsafe { lf::lf_cq_waitfd(cq.as_ptr(), &mut fd) } {
            0 => Ok(vec![fd]),
            rc => Err(rc_error(Der::HG, rc.into(), "descriptor of the completion queue")),
        };
    }
    // The queue adds to its list of descriptors only when it really waits, which a short time limit may prevent on a
    // busy machine.
    for timeout_ms in [1, 10, 100, 1000] {
        let mut entry = lf::fi_cq_msg_entry { op_context: std::ptr::null_mut(), flags: 0, len: 0 };
        let mut fds = [0 as RawFd; 16];
        // SAFETY: an open queue on which nothing can have completed yet, room for one entry and 16 descriptors.
        let rc = unsafe {
            lf::lf_cq_sread(cq.as_ptr(), (&raw mut entry).cast(), 1, timeout_ms);
            lf::lf_cq_waitfds(cq.as_ptr(), fds.as_mut_ptr(), fds.len())
        };
        if rc < 0 {
            return Err(rc_error(Der::HG, rc.into(), "descriptors of the completion queue"));
        }
        // The wake-up signal is a socket; it tells only of completions that this thread has made itself.
        let watched: Vec<RawFd> = fds[..rc as usize].iter().copied().filter(|&fd| !is_socket(fd)).collect();
        if !watched.is_empty() {
            return Ok(watched);
        }
    }
    Err(Error::new(Der::HG, "the completion queue has no descriptor to sleep on"))
}

fn is_socket(fd: RawFd) -> bool {
    // SAFETY: plain data, for which zero is valid; fstat fills it.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        libc::fstat(fd, &mut stat) == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFSOCK
    }
}
