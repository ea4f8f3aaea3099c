//! The memory that metrics live in: a shared segment that `d_tm_*` readers map, or private memory where there is none.
//!
//! Metrics are added while the engine starts and never go; the layout is in [`daos_common::telemetry`]. The segment of a
//! writer that was killed is removed by the next engine with its id. Two systems on one host have engines with the same
//! number: the later one takes the next free id, [`ID_STEP`] higher, and says so.

use daos_common::telemetry::{
    Bucket, DESCRIPTION_MAX_BYTES, Header, Histogram, ID_STEP, ID_TRIES, MAGIC, Metric, NAME_MAX_BYTES, Node, Stats,
    UNITS_MAX_BYTES, VERSION, bounds, key, kind,
};
use daos_common::{Der, Result};
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

/// Where the bytes come from.
#[derive(Debug)]
enum Memory {
    Shared { id: i32 },
    Private { layout: Layout },
}

/// A tree of metrics in memory of its own.
#[derive(Debug)]
pub struct Segment {
    at: *mut u8,
    bytes: usize,
    memory: Memory,
    /// Held while the tree grows.
    growing: Mutex<()>,
}

// SAFETY: the tree grows under the lock; all else that changes is atomic.
unsafe impl Send for Segment {}
// SAFETY: as above.
unsafe impl Sync for Segment {}

/// What a new metric is.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// Bits of [`kind`].
    pub kind: i32,
    /// What it counts.
    pub text: &'a str,
    /// Unit, or empty.
    pub units: &'a str,
}

impl Segment {
    /// A shared segment for the engine with this number, of at most `bytes`; the number in its key is also given.
    ///
    /// # Errors
    /// `NO_SHMEM`: the kernel gives none, or every id is taken.
    pub fn shared(instance: u32, bytes: usize) -> Result<(Segment, u32)> {
        for id in (0..ID_TRIES).map(|step| instance.wrapping_add(step * ID_STEP)) {
            let key = key(id as i32);
            match create(key, bytes) {
                Ok((at, shared)) => {
                    let segment = Segment { at, bytes, memory: Memory::Shared { id: shared }, growing: Mutex::new(()) };
                    segment.prepare(key, &format!("ID: {id}"));
                    return Ok((segment, id));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Der::NO_SHMEM.err(format!("no shared memory for metrics: {error}"))),
            }
        }
        Err(Der::NO_SHMEM.err(format!("no shared memory for metrics: {ID_TRIES} ids from {instance} on are taken")))
    }

    /// A segment that nobody else sees.
    pub fn private(bytes: usize) -> Segment {
        let layout = Layout::from_size_align(bytes.max(size_of::<Header>()), 64).expect("a size that exists");
        // SAFETY: the size isn't 0.
        let at = unsafe { alloc_zeroed(layout) };
        if at.is_null() {
            handle_alloc_error(layout);
        }
        let segment = Segment { at, bytes: layout.size(), memory: Memory::Private { layout }, growing: Mutex::new(()) };
        segment.prepare(0, "private");
        segment
    }

    fn header(&self) -> &Header {
        // SAFETY: every segment starts with a header; its plain words are written by `prepare` only.
        unsafe { &*self.at.cast() }
    }

    /// Writes header and root node.
    fn prepare(&self, key: i32, name: &str) {
        let header: *mut Header = self.at.cast();
        // SAFETY: fresh zeroed memory that nobody reads before the magic number is there.
        unsafe {
            (*header).version = VERSION;
            (*header).key = key;
            (*header).base = self.at as u64;
            (*header).bytes = self.bytes as u64;
            (*header).process = std::process::id();
            (*header).used.store(size_of::<Header>() as u64, Ordering::Relaxed);
        }
        if let Some(root) = self.node(name, kind::DIRECTORY) {
            self.header().root.store(root, Ordering::Release);
        }
        self.header().magic.store(MAGIC, Ordering::Release);
    }

    /// Zeroed room; `None` when the segment is full.
    fn room<T>(&self, count: usize) -> Option<*mut T> {
        let bytes = (size_of::<T>() * count).next_multiple_of(8) as u64;
        let at = self.header().used.load(Ordering::Relaxed);
        if at + bytes > self.bytes as u64 {
            return None;
        }
        self.header().used.store(at + bytes, Ordering::Relaxed);
        // SAFETY: inside the segment, and handed out once (the caller holds the lock, or is `prepare`).
        Some(unsafe { self.at.add(at as usize) }.cast())
    }

    fn text(&self, text: &str, limit: usize) -> Option<*mut u8> {
        let mut length = text.len().min(limit - 1);
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        let room = self.room::<u8>(length + 1)?;
        // SAFETY: room of one byte more than the text, zeroed.
        unsafe { ptr::copy_nonoverlapping(text.as_ptr(), room, length) };
        Some(room)
    }

    fn node(&self, name: &str, kind: i32) -> Option<*mut Node> {
        let name = self.text(name, NAME_MAX_BYTES)?;
        let node = self.room::<Node>(1)?;
        // SAFETY: fresh room of a node's size and alignment (8) that nobody reads yet.
        unsafe {
            (*node).name = name;
            (*node).kind = kind;
            (*node).key = self.header().key;
        }
        Some(node)
    }

    /// The child with this name, made if it is new.
    fn child(&self, parent: *mut Node, name: &str) -> Option<*mut Node> {
        // SAFETY: nodes of this segment; the lock is held.
        unsafe {
            let mut link = &(*parent).child;
            loop {
                let node = link.load(Ordering::Acquire);
                if node.is_null() {
                    let fresh = self.node(name, kind::DIRECTORY)?;
                    link.store(fresh, Ordering::Release);
                    return Some(fresh);
                }
                if std::ffi::CStr::from_ptr((*node).name.cast()).to_bytes() == name.as_bytes() {
                    return Some(node);
                }
                link = &(*node).sibling;
            }
        }
    }

    /// Adds a metric, with the folders above it; `None` when the segment is full. One path is added once.
    pub fn add(&self, path: &str, what: Description<'_>) -> Option<*mut Metric> {
        let _growing = self.growing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let node = path
            .split('/')
            .try_fold(self.header().root.load(Ordering::Acquire), |parent, name| self.child(parent, name))?;
        let metric = self.room::<Metric>(1)?;
        // SAFETY: fresh room, and a node of this segment whose metric nobody has seen; the lock is held. Readers that
        // see the type before the metric find none.
        unsafe {
            (*metric).description = self.text(what.text, DESCRIPTION_MAX_BYTES)?;
            (*metric).units = self.text(what.units, UNITS_MAX_BYTES)?;
            if what.kind & (kind::STATS_GAUGE | kind::DURATION) != 0 {
                (*metric).stats = self.room::<Stats>(1)?;
            }
            (*node).kind = what.kind;
            (*node).readable = true;
            (*node).metric.store(metric, Ordering::Release);
        }
        Some(metric)
    }

    /// Gives a metric a distribution: `count` buckets, counters below the metric's own path.
    pub fn add_histogram(&self, metric: *mut Metric, path: &str, count: usize, width: u32, units: &str) -> Option<()> {
        const DOUBLING: u32 = 2;
        let bounds = bounds(count, width, DOUBLING);
        let (buckets, histogram) = {
            let _growing = self.growing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            (self.room::<Bucket>(bounds.len())?, self.room::<Histogram>(1)?)
        };
        for (at, (min, max)) in bounds.iter().enumerate() {
            let until = if *max == u64::MAX { "inf".to_owned() } else { max.to_string() };
            let text = format!("histogram bucket {at} [{min} .. {until}]");
            let path = format!("{path}/{min}_{until}_{units}");
            self.add(&path, Description { kind: kind::COUNTER, text: &text, units: "elements" })?;
            let node = self.find(&path)?;
            // SAFETY: room for that many buckets.
            unsafe { buckets.add(at).write(Bucket { min: *min, max: *max, node }) };
        }
        // SAFETY: fresh room, and a metric of this segment to which nothing is recorded yet.
        unsafe {
            histogram.write(Histogram {
                buckets,
                fast: width.is_power_of_two(),
                count: bounds.len() as i32,
                initial_width: width as i32,
                multiplier: DOUBLING as i32,
            });
            (&raw mut (*metric).histogram).write_volatile(histogram);
        }
        Some(())
    }

    fn find(&self, path: &str) -> Option<*mut Node> {
        let mut node = self.header().root.load(Ordering::Acquire);
        for name in path.split('/') {
            // SAFETY: nodes of this segment.
            unsafe {
                node = (*node).child.load(Ordering::Acquire);
                while !node.is_null() && std::ffi::CStr::from_ptr((*node).name.cast()).to_bytes() != name.as_bytes() {
                    node = (*node).sibling.load(Ordering::Acquire);
                }
            }
            if node.is_null() {
                return None;
            }
        }
        Some(node)
    }
}

impl Segment {
    /// The writer ends: nobody finds the segment any more, and who has it mapped is told. Metrics stay usable.
    pub fn end(&self) {
        if let Memory::Shared { id } = self.memory
            && self.header().ended.swap(1, Ordering::AcqRel) == 0
        {
            // SAFETY: a plain system call on a segment of this process's; who has it mapped keeps it.
            unsafe { libc::shmctl(id, libc::IPC_RMID, ptr::null_mut()) };
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.end();
        match self.memory {
            // SAFETY: attached at `at`; nothing points into it any more.
            Memory::Shared { .. } => _ = unsafe { libc::shmdt(self.at.cast()) },
            // SAFETY: allocated with this layout.
            Memory::Private { layout } => unsafe { dealloc(self.at, layout) },
        }
    }
}

/// Makes a segment; one that a writer which is gone left behind is replaced.
fn create(key: i32, bytes: usize) -> io::Result<(*mut u8, i32)> {
    let flags = libc::IPC_CREAT | libc::IPC_EXCL | 0o660;
    // SAFETY: plain system calls.
    unsafe {
        let mut id = libc::shmget(key, bytes, flags);
        if id < 0 && io::Error::last_os_error().kind() == io::ErrorKind::AlreadyExists && remove_orphan(key) {
            id = libc::shmget(key, bytes, flags);
        }
        if id < 0 {
            return Err(io::Error::last_os_error());
        }
        let at = libc::shmat(id, ptr::null(), 0);
        if at as isize == -1 {
            let error = io::Error::last_os_error();
            libc::shmctl(id, libc::IPC_RMID, ptr::null_mut());
            return Err(error);
        }
        Ok((at.cast(), id))
    }
}

/// Removes a segment of ours whose writer is gone; returns whether it did.
fn remove_orphan(key: i32) -> bool {
    // SAFETY: plain system calls; the header is looked at only if the segment is large enough for one.
    unsafe {
        let id = libc::shmget(key, 0, 0);
        let mut state: libc::shmid_ds = std::mem::zeroed();
        if id < 0 || libc::shmctl(id, libc::IPC_STAT, &mut state) != 0 || state.shm_segsz < size_of::<Header>() {
            return false;
        }
        let gone = libc::kill(state.shm_cpid, 0) != 0 && *libc::__errno_location() == libc::ESRCH;
        if !gone {
            return false;
        }
        let at = libc::shmat(id, ptr::null(), libc::SHM_RDONLY);
        if at as isize == -1 {
            return false;
        }
        let ours = (*at.cast::<Header>()).magic.load(Ordering::Acquire) == MAGIC;
        libc::shmdt(at);
        ours && libc::shmctl(id, libc::IPC_RMID, ptr::null_mut()) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An id that engines of a system don't use.
    fn odd_id() -> u32 {
        0x4000_0000 + (std::process::id() % 100_000) * 200
    }

    /// Aim: a path is found again, its folders are shared, and a full segment says so rather than writing behind its end.
    #[test]
    fn grows_until_full() {
        let segment = Segment::private(4096);
        let what = Description { kind: kind::COUNTER, text: "text", units: "B" };
        let mut added = 0;
        while segment.add(&format!("a/b/{added}"), what).is_some() {
            added += 1;
        }
        assert!((5..40).contains(&added), "{added}");
        let found = segment.find("a/b/0").unwrap();
        // SAFETY: a node of the segment.
        assert_eq!(unsafe { (*found).kind }, kind::COUNTER);
        assert!(segment.find("a/c").is_none() && segment.find("b").is_none());
    }

    /// Aim: buckets are counters below the metric, each with its bounds.
    #[test]
    fn histogram_has_counters() {
        let segment = Segment::private(64 << 10);
        let what = Description { kind: kind::STATS_GAUGE, text: "latency", units: "us" };
        let metric = segment.add("io/latency", what).unwrap();
        segment.add_histogram(metric, "io/latency", 3, 64, "us").unwrap();
        assert!(segment.find("io/latency/0_63_us").is_some() && segment.find("io/latency/128_inf_us").is_some());
        // SAFETY: a metric of the segment.
        let histogram = unsafe { &*(*metric).histogram };
        assert_eq!((histogram.count, histogram.initial_width, histogram.fast), (3, 64, true));
    }

    /// Aim: a second writer with the same number gets another id, and a segment is gone with its writer.
    #[test]
    fn shared_ids_are_free_again() {
        let (first, id) = Segment::shared(odd_id(), 8192).unwrap();
        let (second, other) = Segment::shared(odd_id(), 8192).unwrap();
        assert_eq!((id, other), (odd_id(), odd_id() + ID_STEP));
        drop(first);
        drop(second);
        // SAFETY: a plain system call.
        assert!(unsafe { libc::shmget(key(id as i32), 0, 0) } < 0);
    }
}
