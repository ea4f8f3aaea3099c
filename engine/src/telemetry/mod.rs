//! Metrics of each thread, written by it, read by other programs through `d_tm_*` and logged at SIGUSR1.
//!
//! The paths below the root `ID: <number of the engine>`:
//!
//! | path | kind | what |
//! |---|---|---|
//! | `started_at` | timestamp | when the engine started |
//! | `startup` | duration | how long starting took |
//! | `pid` | gauge | its process |
//! | `rank` | gauge | its rank, once it has one |
//! | `io/<counter>/tgt_<n>` | counter | those of [`Counters`] on target n |
//! | `io/ops/update/latency/tgt_<n>`, `io/ops/fetch/latency/tgt_<n>` | gauge with statistics | time of the last request in the engine, µs; a distribution below it |
//! | `io/ops/update/active/tgt_<n>`, `io/ops/fetch/active/tgt_<n>` | gauge | requests in progress |
//! | `service/<counter>` | counter | those of the service thread |
//!
//! Cost of a request: two readings of the clock and eight words written, no lock.

mod segment;

use daos_common::telemetry::{Metric, Stats, kind};
use segment::{Description, Segment};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Room for what isn't of a target.
const BASE_BYTES: usize = 64 << 10;
/// Room per target: counters, and two distributions of [`LATENCY_BUCKETS`].
const TARGET_BYTES: usize = 64 << 10;
/// Buckets of a distribution of latencies: the first up to 15 µs, each next one twice as wide.
const LATENCY_BUCKETS: usize = 20;
const LATENCY_WIDTH_US: u32 = 16;

/// The metrics of an engine.
#[derive(Debug)]
pub struct Telemetry {
    segment: Arc<Segment>,
    started: Instant,
}

/// A metric in the segment.
#[derive(Debug)]
struct Place {
    metric: *mut Metric,
    /// Keeps the memory.
    _segment: Arc<Segment>,
}

// SAFETY: what changes in a metric is atomic.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl Place {
    fn word(&self, at: usize) -> &AtomicU64 {
        // SAFETY: a metric of the segment, which is kept; its words are atomic.
        unsafe { &(*self.metric).data[at] }
    }

    fn stats(&self) -> Option<&Stats> {
        // SAFETY: NULL or statistics of the segment, set before the metric was handed out.
        unsafe { (*self.metric).stats.as_ref() }
    }

    /// Counts a value in the statistics and the distribution. The thread that owns the metric does.
    fn sample(&self, value: u64) {
        let Some(stats) = self.stats() else { return };
        let add = |word: &AtomicU64, amount: u64| {
            let sum = word.load(Ordering::Relaxed).wrapping_add(amount);
            word.store(sum, Ordering::Relaxed);
            sum
        };
        let squares = f64::from_bits(stats.sum_of_squares.load(Ordering::Relaxed)) + (value as f64).powi(2);
        stats.sum_of_squares.store(squares.to_bits(), Ordering::Relaxed);
        add(&stats.sum, value);
        let first = add(&stats.samples, 1) == 1;
        if first || value < stats.min.load(Ordering::Relaxed) {
            stats.min.store(value, Ordering::Relaxed);
        }
        if value > stats.max.load(Ordering::Relaxed) {
            stats.max.store(value, Ordering::Relaxed);
        }
        // SAFETY: NULL or a distribution of the segment, whole before the first value.
        unsafe {
            let Some(histogram) = (*self.metric).histogram.as_ref() else { return };
            for at in 0..histogram.count.max(0) as usize {
                let bucket = &*histogram.buckets.add(at);
                if value <= bucket.max {
                    let counter = (*bucket.node).metric.load(Ordering::Relaxed);
                    add(&(*counter).data[0], 1);
                    return;
                }
            }
        }
    }
}

/// A number that grows.
#[derive(Debug)]
pub struct Counter(Place);

/// A number that is set.
#[derive(Debug)]
pub struct Gauge(Place);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: u64) {
        self.0.word(0).store(value, Ordering::Relaxed);
    }
}

/// Requests of one kind: how many are in progress, and how long each took.
#[derive(Debug)]
pub struct Requests {
    active: Place,
    latency: Place,
}

/// A request in progress; its time is recorded when this drops.
#[derive(Debug)]
pub struct InProgress<'a> {
    requests: &'a Requests,
    since: Instant,
}

impl Requests {
    /// A request begins.
    pub fn begin(&self) -> InProgress<'_> {
        self.active.word(0).fetch_add(1, Ordering::Relaxed);
        InProgress { requests: self, since: Instant::now() }
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        let took_us = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.requests.active.word(0).fetch_sub(1, Ordering::Relaxed);
        self.requests.latency.word(0).store(took_us, Ordering::Relaxed);
        self.requests.latency.sample(took_us);
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // Threads that don't end in time keep the memory.
        self.segment.end();
    }
}

impl Telemetry {
    /// Metrics of the engine with this number on its host; where there is no shared memory, private ones.
    pub fn new(instance: u32, targets: u32) -> Telemetry {
        let bytes = BASE_BYTES + TARGET_BYTES * targets as usize;
        let segment = match Segment::shared(instance, bytes) {
            Ok((segment, id)) => {
                if id != instance {
                    tracing::warn!(
                        "metrics: id {instance} is another engine's on this host; d_tm_open({id}) opens ours"
                    );
                }
                segment
            }
            Err(error) => {
                tracing::warn!("{error}; the metrics of this engine can't be read by other programs");
                Segment::private(bytes)
            }
        };
        let telemetry = Telemetry { segment: Arc::new(segment), started: Instant::now() };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_at = telemetry.place("started_at", kind::TIMESTAMP, "Timestamp of last engine startup", "");
        started_at.word(0).store(now.as_secs(), Ordering::Relaxed);
        telemetry.gauge("pid", "Process id of the engine").set(u64::from(std::process::id()));
        telemetry
    }

    fn place(&self, path: &str, kind: i32, text: &str, units: &str) -> Place {
        let what = Description { kind, text, units };
        if let Some(metric) = self.segment.add(path, what) {
            return Place { metric, _segment: self.segment.clone() };
        }
        // The segment is full: the metric is still counted, and logged.
        tracing::warn!("metrics: no room for {path}");
        let alone = Arc::new(Segment::private(4096));
        let metric = alone.add("alone", what).expect("an empty segment has room for one metric");
        Place { metric, _segment: alone }
    }

    fn gauge(&self, path: &str, text: &str) -> Gauge {
        Gauge(self.place(path, kind::GAUGE, text, ""))
    }

    /// The gauge of the engine's rank.
    pub fn rank(&self) -> Gauge {
        self.gauge("rank", "Rank ID of this engine")
    }

    /// Counters of a thread: of the target with this number, or of the service.
    pub fn counters(&self, target: Option<u32>) -> Counters {
        Counters::new(|name, text| {
            let path = match target {
                Some(number) => format!("io/{name}/tgt_{number}"),
                None => format!("service/{name}"),
            };
            Counter(self.place(&path, kind::COUNTER, text, if name.starts_with("bytes") { "bytes" } else { "ops" }))
        })
    }

    /// Requests of a kind (`update`, `fetch`) on a target.
    pub fn requests(&self, operation: &str, target: u32) -> Requests {
        let text = format!("number of active {operation} requests");
        let active = self.place(&format!("io/ops/{operation}/active/tgt_{target}"), kind::GAUGE, &text, "ops");
        let path = format!("io/ops/{operation}/latency/tgt_{target}");
        let text = format!("{operation} latency in the engine");
        let latency = self.place(&path, kind::STATS_GAUGE, &text, "us");
        if self.segment.add_histogram(latency.metric, &path, LATENCY_BUCKETS, LATENCY_WIDTH_US, "us").is_none() {
            tracing::warn!("metrics: no room for the distribution of {path}");
        }
        Requests { active, latency }
    }

    /// The engine serves: records how long that took.
    pub fn serving(&self) {
        let place = self.place("startup", kind::DURATION | kind::CLOCK_REALTIME, "Time the engine took to start", "us");
        let took: Duration = self.started.elapsed();
        place.word(0).store(took.as_secs(), Ordering::Relaxed);
        place.word(1).store(u64::from(took.subsec_nanos()), Ordering::Relaxed);
        place.sample(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
}

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// Counters of one thread. Relaxed: a reader may see them a moment apart.
        #[derive(Debug)]
        pub struct Counters { $($(#[doc = $doc])* pub $name: Counter,)* }

        impl Counters {
            fn new(mut make: impl FnMut(&str, &str) -> Counter) -> Counters {
                Counters { $($name: make(stringify!($name), concat!($($doc),*).trim()),)* }
            }
        }

        impl fmt::Display for Counters {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut space = "";
                $(
                    write!(f, "{space}{}={}", stringify!($name), self.$name.0.word(0).load(Ordering::Relaxed))?;
                    space = " ";
                )*
                let _ = space;
                Ok(())
            }
        }
    };
}

counters! {
    /// Updates that were committed.
    updates,
    /// Fetches that were answered.
    fetches,
    /// Punches that were committed.
    punches,
    /// Lists and key queries that were answered.
    lists,
    /// Service requests that were answered (context 0).
    service_requests,
    /// Bytes written by clients.
    bytes_written,
    /// Bytes read by clients.
    bytes_read,
    /// Bytes of them that went through the data tier.
    bytes_blob,
    /// Requests answered with an error.
    errors,
    /// Requests that could not be understood: unknown operation or malformed body.
    malformed,
    /// Updates, punches and commits recognised as resends.
    resends,
    /// Transactions that were committed by this target.
    committed,
    /// Parts of transactions that were prepared for other leaders.
    prepared,
}

/// Adds to a counter.
pub fn add(counter: &Counter, amount: u64) {
    counter.0.word(0).fetch_add(amount, Ordering::Relaxed);
}
