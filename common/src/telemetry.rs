//! The layout of a telemetry segment: shared memory in which an engine keeps its metrics and from which `libgurt`'s
//! `d_tm_*` functions read them. Pure: who makes and maps segments is elsewhere.
//!
//! A segment is System V shared memory with the key [`KEY_BASE`] + id, where id is the engine's number on its host. It
//! starts with a header; behind it lie nodes, metrics and strings in any order, 8 byte aligned. Pointers are addresses in
//! the writer's process: a reader adds (its own address of the segment - `base`).
//!
//! | offset | size | header field |
//! |---|---|---|
//! | 0 | 8 | [`MAGIC`], written last |
//! | 8 | 4 | [`VERSION`] |
//! | 12 | 4 | key |
//! | 16 | 8 | address of the header in the writer |
//! | 24 | 8 | bytes of the segment |
//! | 32 | 8 | bytes in use, from the header on |
//! | 40 | 8 | pointer to the root node |
//! | 48 | 4 | 1 when the writer has ended |
//! | 52 | 4 | process id of the writer |
//! | 56 | 8 | 0 |
//!
//! Nodes, metrics, statistics and histograms have the layouts of `gurt/telemetry_common.h`. The tree only grows: a node
//! is whole before the pointer to it is written. A value is one word, or words that are each written whole, and nobody
//! takes a node's lock: a reader may see the words of a statistic a moment apart.

use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

/// "DAOS-TM1", little endian.
pub const MAGIC: u64 = u64::from_le_bytes(*b"DAOS-TM1");
/// Version of this layout.
pub const VERSION: u32 = 1;
/// Key of the segment with id 0 (`D_TM_SHARED_MEMORY_KEY`).
pub const KEY_BASE: i32 = 0x1024_2048;
/// An engine whose id is taken by another system on the host tries the id this much higher.
pub const ID_STEP: u32 = 256;
/// How often it tries.
pub const ID_TRIES: u32 = 64;
/// Longest name of a node in bytes, with its NUL.
pub const NAME_MAX_BYTES: usize = 256;
/// Longest description in bytes, with its NUL.
pub const DESCRIPTION_MAX_BYTES: usize = 128;
/// Longest unit in bytes, with its NUL.
pub const UNITS_MAX_BYTES: usize = 32;

/// Node types: bits.
pub mod kind {
    /// A folder.
    pub const DIRECTORY: i32 = 0x001;
    /// A number that grows.
    pub const COUNTER: i32 = 0x002;
    /// Seconds since 1970.
    pub const TIMESTAMP: i32 = 0x004;
    /// A clock that was read.
    pub const TIMER_SNAPSHOT: i32 = 0x008;
    /// How long something took.
    pub const DURATION: i32 = 0x010;
    /// A number that rises and falls.
    pub const GAUGE: i32 = 0x020;
    /// A gauge with statistics of its values.
    pub const STATS_GAUGE: i32 = 0x040;
    /// With [`TIMER_SNAPSHOT`] or [`DURATION`]: the clock is that of the day.
    pub const CLOCK_REALTIME: i32 = 0x080;
    /// The processor time of the process.
    pub const CLOCK_PROCESS_CPUTIME: i32 = 0x100;
    /// The processor time of the thread.
    pub const CLOCK_THREAD_CPUTIME: i32 = 0x200;
    /// The root of another segment, whose key is the value.
    pub const LINK: i32 = 0x400;
    /// State of the process's heap.
    pub const MEMORY: i32 = 0x800;
}

/// Words of a `pthread_mutex_t`.
const LOCK_WORDS: usize = if cfg!(target_arch = "aarch64") { 6 } else { 5 };

/// The segment's header.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: AtomicU64,
    /// [`VERSION`].
    pub version: u32,
    /// The segment's key.
    pub key: i32,
    /// Address of the header in the writer.
    pub base: u64,
    /// Bytes of the segment.
    pub bytes: u64,
    /// Bytes in use.
    pub used: AtomicU64,
    /// The root node.
    pub root: AtomicPtr<Node>,
    /// 1 when the writer has ended.
    pub ended: AtomicU32,
    /// Process id of the writer.
    pub process: u32,
    /// 0.
    pub reserved: u64,
}

/// A node of the tree (`struct d_tm_node_t`).
#[repr(C)]
#[derive(Debug)]
pub struct Node {
    /// First child.
    pub child: AtomicPtr<Node>,
    /// Next child of the same parent.
    pub sibling: AtomicPtr<Node>,
    /// Name: a C string.
    pub name: *mut u8,
    /// [`kind`].
    pub kind: i32,
    /// Key of the segment that the node lies in.
    pub key: i32,
    /// A lock that nobody takes.
    pub lock: [u64; LOCK_WORDS],
    /// The value; NULL in folders.
    pub metric: AtomicPtr<Metric>,
    /// Whether the lock is used: no.
    pub protect: bool,
    /// Whether the value may be read.
    pub readable: bool,
}

/// A value (`struct d_tm_metric_t`). What the words mean depends on the node's kind: one number; two times of
/// (seconds, nanoseconds), the value and the start; four numbers.
#[repr(C)]
#[derive(Debug)]
pub struct Metric {
    /// The words.
    pub data: [AtomicU64; 4],
    /// Statistics of the values, or NULL.
    pub stats: *mut Stats,
    /// Their distribution, or NULL.
    pub histogram: *mut Histogram,
    /// What it is: a C string, or NULL.
    pub description: *mut u8,
    /// Unit of the value: a C string, or NULL.
    pub units: *mut u8,
}

/// Statistics (`struct d_tm_stats_t`). Mean and deviation are made by the reader.
#[repr(C)]
#[derive(Debug)]
pub struct Stats {
    /// Least value.
    pub min: AtomicU64,
    /// Greatest value.
    pub max: AtomicU64,
    /// Sum of the values.
    pub sum: AtomicU64,
    /// A double.
    pub std_dev: AtomicU64,
    /// A double.
    pub mean: AtomicU64,
    /// Sum of the squares: the bits of a double.
    pub sum_of_squares: AtomicU64,
    /// Number of values.
    pub samples: AtomicU64,
}

/// A distribution (`struct d_tm_histogram_t`).
#[repr(C)]
#[derive(Debug)]
pub struct Histogram {
    /// The buckets.
    pub buckets: *mut Bucket,
    /// Whether widths are powers of two.
    pub fast: bool,
    /// Number of buckets.
    pub count: i32,
    /// Width of the first bucket.
    pub initial_width: i32,
    /// How much wider each bucket is than the one before.
    pub multiplier: i32,
}

/// A bucket (`struct d_tm_bucket_t`).
#[repr(C)]
#[derive(Debug)]
pub struct Bucket {
    /// Least value.
    pub min: u64,
    /// Greatest value.
    pub max: u64,
    /// The counter of values.
    pub node: *mut Node,
}

/// The key of a segment.
pub const fn key(id: i32) -> i32 {
    KEY_BASE.wrapping_add(id)
}

/// The bounds of a histogram's buckets: the first has `initial_width` values from 0, each further one is `multiplier`
/// times as wide, the last one is open. At least 2 buckets.
pub fn bounds(count: usize, initial_width: u32, multiplier: u32) -> Vec<(u64, u64)> {
    let (width, multiplier) = (u64::from(initial_width.max(1)), u64::from(multiplier.max(1)));
    let mut bounds = Vec::with_capacity(count);
    let (mut min, mut max) = (0, width - 1);
    for at in 0..count.max(2) {
        bounds.push((min, max));
        min = max.saturating_add(1);
        max = match (at + 2 >= count, multiplier) {
            (true, _) => u64::MAX,
            (false, 1) => max.saturating_add(width),
            (false, _) => min.saturating_mul(multiplier) - 1,
        };
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the layouts are those of the public header, and buckets meet without gap, up to the last value.
    #[test]
    fn layouts_and_bounds() {
        assert_eq!((size_of::<Header>(), size_of::<Metric>(), size_of::<Stats>()), (64, 64, 56));
        if cfg!(target_arch = "x86_64") {
            assert_eq!(size_of::<Node>(), 88);
        }
        assert_eq!(bounds(4, 8, 2), [(0, 7), (8, 15), (16, 31), (32, u64::MAX)]);
        assert_eq!(bounds(3, 10, 1), [(0, 9), (10, 19), (20, u64::MAX)]);
        assert_eq!(bounds(2, 1, 1), [(0, 0), (1, u64::MAX)]);
    }
}
