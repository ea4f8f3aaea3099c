//! Telemetry: reading the metrics of another process from its shared segment (`gurt/telemetry_consumer.h`). The layout is
//! in `daos_common::telemetry`.
//!
//! A context maps one segment, and those that links in it name. What another process wrote is not trusted: every
//! pointer is checked to lie in the segment that it came from, strings to end in it, and the tree to be no deeper than
//! [`DEPTH_MAX`]. Contexts that callers hand in are looked up among the open ones.

mod compute;
mod print;
mod read;
mod tree;

use daos_common::telemetry::{Header, KEY_BASE, MAGIC, Metric, NAME_MAX_BYTES, Node, VERSION, key, kind};
use daos_export::export;
use daos_sys::{D_TM_VERSION, d_tm_context, d_tm_metric_t, d_tm_node_t, key_t};
use libc::{c_char, c_int, c_void};
use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// Levels that listings follow: a tree of ours has five.
const DEPTH_MAX: usize = 64;

const _: () = {
    assert!(size_of::<Node>() == size_of::<d_tm_node_t>());
    assert!(size_of::<Metric>() == size_of::<d_tm_metric_t>());
    assert!(std::mem::offset_of!(Node, metric) == std::mem::offset_of!(d_tm_node_t, dtn_metric));
    assert!(std::mem::offset_of!(Node, readable) == std::mem::offset_of!(d_tm_node_t, dtn_readable));
};

/// A mapped segment.
#[derive(Debug)]
struct Region {
    at: usize,
    bytes: usize,
    key: i32,
    writable: bool,
}

impl Region {
    /// Maps the segment with this key; `None` when there is none, it may not be read, or it isn't one of this layout.
    fn open(key: i32) -> Option<Region> {
        // SAFETY: plain system calls.
        let (at, bytes, writable) = unsafe {
            let id = libc::shmget(key, 0, 0);
            let mut state: libc::shmid_ds = std::mem::zeroed();
            if id < 0 || libc::shmctl(id, libc::IPC_STAT, &mut state) != 0 {
                return None;
            }
            let (mut at, mut writable) = (libc::shmat(id, ptr::null(), 0), true);
            if at as isize == -1 {
                (at, writable) = (libc::shmat(id, ptr::null(), libc::SHM_RDONLY), false);
            }
            if at as isize == -1 {
                return None;
            }
            (at as usize, state.shm_segsz, writable)
        };
        let region = Region { at, bytes, key, writable };
        let header = region.header()?;
        let ours = header.magic.load(Ordering::Acquire) == MAGIC && header.version == VERSION && header.key == key;
        ours.then_some(region)
    }

    fn header(&self) -> Option<&Header> {
        // SAFETY: mapped memory that is large enough; its changing words are atomic.
        (self.bytes >= size_of::<Header>()).then(|| unsafe { &*(self.at as *const Header) })
    }

    fn ended(&self) -> bool {
        self.header().is_none_or(|header| header.ended.load(Ordering::Acquire) != 0)
    }

    /// Whether `count` items of a type lie at this address of ours.
    fn holds<T>(&self, at: usize, count: usize) -> bool {
        let Some(offset) = at.checked_sub(self.at) else { return false };
        let Some(bytes) = size_of::<T>().checked_mul(count) else { return false };
        at.is_multiple_of(align_of::<T>()) && bytes <= self.bytes && offset <= self.bytes - bytes
    }

    /// An address of the writer's as one of ours; `None` for NULL and for what lies outside.
    fn convert<T>(&self, writers: *const T, count: usize) -> Option<*mut T> {
        if writers.is_null() {
            return None;
        }
        let base = usize::try_from(self.header()?.base).ok()?;
        let at = (writers as usize).checked_sub(base)?.checked_add(self.at)?;
        (at > self.at && self.holds::<T>(at, count)).then_some(at as *mut T)
    }

    fn node(&self, writers: *const Node) -> Option<Found<'_>> {
        // SAFETY: a node's bytes lie in the segment; its changing words are atomic, the others are written before the
        // pointer to it.
        self.convert(writers, 1).map(|at| Found { region: self, node: unsafe { &*at } })
    }

    fn root(&self) -> Option<Found<'_>> {
        self.node(self.header()?.root.load(Ordering::Acquire))
    }

    /// A string of the writer's, with its NUL; `None` when it doesn't end.
    fn text(&self, writers: *const u8, limit: usize) -> Option<&[u8]> {
        let at = self.convert(writers, 1)? as usize;
        let room = (self.bytes - (at - self.at)).min(limit);
        // SAFETY: inside the segment; strings don't change once they can be reached.
        let bytes = unsafe { std::slice::from_raw_parts(at as *const u8, room) };
        let end = bytes.iter().position(|byte| *byte == 0)?;
        Some(&bytes[..=end])
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: mapped by `open`; nobody of ours points into it any more.
        unsafe { libc::shmdt(self.at as *const c_void) };
    }
}

/// A node and the segment that it lies in.
#[derive(Clone, Copy, Debug)]
struct Found<'a> {
    region: &'a Region,
    node: &'a Node,
}

impl<'a> Found<'a> {
    /// As callers have it.
    fn pointer(self) -> *mut d_tm_node_t {
        ptr::from_ref(self.node).cast_mut().cast()
    }

    fn kind(self) -> i32 {
        self.node.kind
    }

    fn child(self) -> Option<Found<'a>> {
        self.region.node(self.node.child.load(Ordering::Acquire))
    }

    fn sibling(self) -> Option<Found<'a>> {
        self.region.node(self.node.sibling.load(Ordering::Acquire))
    }

    /// The children, no more than the segment can hold.
    fn children(self) -> impl Iterator<Item = Found<'a>> {
        std::iter::successors(self.child(), |node| node.sibling()).take(self.region.bytes / size_of::<Node>())
    }

    fn name(self) -> Option<&'a [u8]> {
        self.region.text(self.node.name, NAME_MAX_BYTES)
    }

    fn metric(self) -> Option<&'a Metric> {
        // SAFETY: the bytes of a metric lie in the segment; its values are atomic, its pointers are written before it can
        // be reached.
        self.region.convert(self.node.metric.load(Ordering::Acquire), 1).map(|at| unsafe { &*at })
    }
}

/// What `struct d_tm_context` stands for.
#[derive(Debug)]
struct Context {
    root: Region,
    /// Segments that links named; boxed, since nodes of them are in callers' hands.
    linked: Mutex<Vec<Arc<Region>>>,
}

/// The open contexts by address: what callers hand in is one of these, or refused.
static OPEN: Mutex<BTreeMap<usize, Arc<Context>>> = Mutex::new(BTreeMap::new());

fn context(pointer: *const d_tm_context) -> Option<Arc<Context>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).get(&(pointer as usize)).cloned()
}

impl Context {
    fn linked(&self) -> Vec<Arc<Region>> {
        self.linked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does something with a node of the caller's; `None` when it lies in no segment of the context.
    fn with_node<R>(&self, node: *const d_tm_node_t, action: impl FnOnce(Found<'_>) -> R) -> Option<R> {
        let at = node as usize;
        // SAFETY: the bytes of a node lie in a mapped segment (checked).
        let found = |region| Found { region, node: unsafe { &*node.cast::<Node>() } };
        if self.root.holds::<Node>(at, 1) {
            return Some(action(found(&self.root)));
        }
        let linked = self.linked();
        let region = linked.iter().find(|region| region.holds::<Node>(at, 1))?;
        Some(action(found(region)))
    }

    /// The segment with a key, mapped if it isn't yet, and again if its writer has ended.
    fn region(&self, key: i32) -> Option<Arc<Region>> {
        let mut linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = linked.iter().position(|region| region.key == key) {
            if !linked[at].ended() {
                return Some(linked[at].clone());
            }
            linked.remove(at);
        }
        let region = Arc::new(Region::open(key)?);
        linked.push(region.clone());
        Some(region)
    }

    /// The root that a link names; the node itself when it is none.
    fn follow(&self, node: Found<'_>) -> Option<*mut d_tm_node_t> {
        if node.kind() != kind::LINK {
            return Some(node.pointer());
        }
        let key = node.metric()?.data[0].load(Ordering::Acquire) as i32;
        if key == 0 {
            return None;
        }
        if key == self.root.key {
            return self.root.root().map(Found::pointer);
        }
        self.region(key)?.root().map(Found::pointer)
    }
}

export! { Der;
    fn d_tm_open(id: c_int) -> *mut d_tm_context {
        let Some(root) = Region::open(key(id)) else { return ptr::null_mut() };
        let context = Arc::new(Context { root, linked: Mutex::default() });
        let address = Arc::as_ptr(&context) as usize;
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).insert(address, context);
        address as *mut d_tm_context
    }

    fn d_tm_close(ctx: *mut *mut d_tm_context) {
        if ctx.is_null() {
            return;
        }
        // SAFETY: not NULL, the caller's.
        let pointer = unsafe { ctx.replace(ptr::null_mut()) };
        let closed = OPEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&(pointer as usize));
        drop(closed);
    }

    fn d_tm_gc_ctx(ctx: *mut d_tm_context) {
        if let Some(context) = context(ctx) {
            context.linked.lock().unwrap_or_else(PoisonError::into_inner).retain(|region| !region.ended());
        }
    }

    fn d_tm_conv_ptr(ctx: *mut d_tm_context, node: *mut d_tm_node_t, ptr: *mut c_void) -> *mut c_void {
        let convert = |context: Arc<Context>| context.with_node(node, |node| node.region.convert(ptr.cast::<u8>(), 1));
        context(ctx).and_then(convert).flatten().map_or(ptr::null_mut(), |at| at.cast())
    }

    fn d_tm_follow_link(ctx: *mut d_tm_context, link: *mut d_tm_node_t) -> *mut d_tm_node_t {
        let follow = |context: Arc<Context>| context.with_node(link, |node| context.follow(node));
        context(ctx).and_then(follow).flatten().unwrap_or(ptr::null_mut())
    }

    fn d_tm_get_root(ctx: *mut d_tm_context) -> *mut d_tm_node_t {
        context(ctx).and_then(|context| context.root.root().map(Found::pointer)).unwrap_or(ptr::null_mut())
    }

    fn d_tm_get_child(ctx: *mut d_tm_context, node: *mut d_tm_node_t) -> *mut d_tm_node_t {
        let child = |context: Arc<Context>| context.with_node(node, |node| node.child().map(Found::pointer));
        context(ctx).and_then(child).flatten().unwrap_or(ptr::null_mut())
    }

    fn d_tm_get_sibling(ctx: *mut d_tm_context, node: *mut d_tm_node_t) -> *mut d_tm_node_t {
        let sibling = |context: Arc<Context>| context.with_node(node, |node| node.sibling().map(Found::pointer));
        context(ctx).and_then(sibling).flatten().unwrap_or(ptr::null_mut())
    }

    fn d_tm_get_name(ctx: *mut d_tm_context, node: *mut d_tm_node_t) -> *mut c_char {
        let name = |context: Arc<Context>| {
            context.with_node(node, |node| node.name().map(|name| name.as_ptr().cast_mut().cast::<c_char>()))
        };
        context(ctx).and_then(name).flatten().unwrap_or(ptr::null_mut())
    }

    fn d_tm_get_srv_key(srv_idx: c_int) -> key_t {
        key(srv_idx)
    }

    fn d_tm_cli_pid_key(pid: c_int) -> key_t {
        // So that d_tm_open() with what this returns opens the segment whose key is the process id.
        pid.wrapping_sub(KEY_BASE)
    }

    fn d_tm_get_version() -> c_int {
        D_TM_VERSION as c_int
    }
}
