//! The values of metrics.

use super::compute::standard_deviation;
use super::{Found, context};
use crate::alloc;
use crate::der;
use daos_common::Der;
use daos_common::telemetry::{Bucket, DESCRIPTION_MAX_BYTES, Histogram, Metric, Node, Stats, UNITS_MAX_BYTES, kind};
use daos_export::export;
use daos_sys::{d_tm_bucket_t, d_tm_context, d_tm_histogram_t, d_tm_node_t, d_tm_stats_t, timespec};
use libc::{c_char, c_int, time_t};
use std::ptr;
use std::sync::atomic::Ordering;

const WITH_STATISTICS: i32 = kind::STATS_GAUGE | kind::DURATION;

/// Does something with the metric of a caller's node, whose kind has one of the bits of `wanted` (`exact`: is it).
fn with_metric<R>(
    ctx: *mut d_tm_context,
    node: *mut d_tm_node_t,
    fits: impl FnOnce(i32) -> bool,
    action: impl FnOnce(Found<'_>, &Metric) -> Result<R, Der>,
) -> Result<R, Der> {
    if node.is_null() {
        return Err(Der::INVAL);
    }
    let context = context(ctx).ok_or(Der::INVAL)?;
    let outcome = context.with_node(node, |node| {
        if !fits(node.kind()) {
            return Err(Der::OP_NOT_PERMITTED);
        }
        if !node.node.readable {
            return Err(Der::AGAIN);
        }
        action(node, node.metric().ok_or(Der::METRIC_NOT_FOUND)?)
    });
    outcome.unwrap_or(Err(Der::METRIC_NOT_FOUND))
}

fn word(metric: &Metric, at: usize) -> u64 {
    metric.data[at].load(Ordering::Relaxed)
}

/// Statistics with mean and deviation; `None` when the metric has none.
fn statistics(node: Found<'_>, metric: &Metric) -> Option<d_tm_stats_t> {
    // SAFETY: the bytes lie in the segment; every word is atomic.
    let stats: &Stats = node.region.convert(metric.stats, 1).map(|at| unsafe { &*at })?;
    let samples = stats.samples.load(Ordering::Relaxed);
    let sum = stats.sum.load(Ordering::Relaxed);
    let sum_of_squares = f64::from_bits(stats.sum_of_squares.load(Ordering::Relaxed));
    let mean = if samples == 0 { 0.0 } else { sum as f64 / samples as f64 };
    Some(d_tm_stats_t {
        dtm_min: stats.min.load(Ordering::Relaxed),
        dtm_max: stats.max.load(Ordering::Relaxed),
        dtm_sum: sum,
        std_dev: standard_deviation(sum_of_squares, samples, mean),
        mean,
        sum_of_squares,
        sample_size: samples,
    })
}

fn histogram(node: Found<'_>, metric: &Metric) -> Result<Histogram, Der> {
    let at = node.region.convert(metric.histogram, 1).ok_or(Der::METRIC_NOT_FOUND)?;
    // SAFETY: the bytes lie in the segment; plain numbers and a pointer that is checked before use.
    Ok(unsafe { at.read() })
}

/// The first time of a metric.
fn time(metric: &Metric) -> timespec {
    timespec { tv_sec: word(metric, 0) as _, tv_nsec: word(metric, 1) as _ }
}

/// The four words of a description of memory.
pub(super) fn memory(ctx: *mut d_tm_context, node: *mut d_tm_node_t) -> Result<[u64; 4], Der> {
    with_metric(ctx, node, |found| found == kind::MEMORY, |_, metric| Ok([0, 1, 2, 3].map(|at| word(metric, at))))
}

/// Sets values, statistics and distribution to 0.
pub(super) fn reset(ctx: *mut d_tm_context, node: *mut d_tm_node_t) {
    let zero = |node: Found<'_>, metric: &Metric| {
        metric.data.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        if let Some(at) = node.region.convert(metric.stats, 1) {
            // SAFETY: the bytes lie in the segment; every word is atomic.
            let stats: &Stats = unsafe { &*at };
            let Stats { min, max, sum, std_dev, mean, sum_of_squares, samples } = stats;
            for word in [min, max, sum, std_dev, mean, sum_of_squares, samples] {
                word.store(0, Ordering::Relaxed);
            }
        }
        let Ok(histogram) = histogram(node, metric) else { return };
        let count = usize::try_from(histogram.count).unwrap_or(0);
        let Some(buckets) = node.region.convert::<Bucket>(histogram.buckets, count) else { return };
        for at in 0..count {
            // SAFETY: inside the segment.
            let bucket = unsafe { buckets.add(at).read() };
            if let Some(metric) = node.region.node(bucket.node).and_then(Found::metric) {
                metric.data.iter().for_each(|word| word.store(0, Ordering::Relaxed));
            }
        }
    };
    let Some(context) = context(ctx) else { return };
    context.with_node(node, |node| {
        if let (Some(metric), true) = (node.metric(), node.region.writable) {
            zero(node, metric);
        }
    });
}

/// A copy on the C heap of a string in the segment, NULL when it has none.
fn copy(node: Found<'_>, text: *const u8, limit: usize) -> Result<*mut c_char, Der> {
    let Some(text) = node.region.text(text, limit) else { return Ok(ptr::null_mut()) };
    let copy = alloc::c_string(&String::from_utf8_lossy(&text[..text.len() - 1]));
    if copy.is_null() { Err(Der::NOMEM) } else { Ok(copy) }
}

/// Stores a result, or answers why there is none.
///
/// # Safety
/// `place` may be written.
unsafe fn store<T>(place: *mut T, outcome: Result<T, Der>) -> c_int {
    match outcome {
        Ok(value) => {
            // SAFETY: as the caller says.
            unsafe { place.write(value) };
            0
        }
        Err(code) => der(code),
    }
}

/// Stores a value and, where there is room for them, statistics.
///
/// # Safety
/// `place` may be written, `stats` is NULL or may be.
unsafe fn store_both<T>(
    place: *mut T,
    stats: *mut d_tm_stats_t,
    outcome: Result<(T, Option<d_tm_stats_t>), Der>,
) -> c_int {
    let outcome = outcome.map(|(value, found)| {
        if let (Some(found), false) = (found, stats.is_null()) {
            // SAFETY: as the caller says.
            unsafe { stats.write(found) };
        }
        value
    });
    // SAFETY: as the caller says.
    unsafe { store(place, outcome) }
}

/// The counter of a node in the caller's own memory.
///
/// # Safety
/// NULL or a node whose pointers are the caller's own.
unsafe fn own_counter(node: *mut d_tm_node_t) -> Result<u64, Der> {
    // SAFETY: as the caller says; the layouts are the same.
    unsafe {
        let node = node.cast::<Node>().as_ref().ok_or(Der::INVAL)?;
        let metric = node.metric.load(Ordering::Acquire).as_ref().ok_or(Der::INVAL)?;
        if node.kind != kind::COUNTER {
            return Err(Der::OP_NOT_PERMITTED);
        }
        if node.readable { Ok(word(metric, 0)) } else { Err(Der::AGAIN) }
    }
}

export! { Der;
    fn d_tm_get_counter(ctx: *mut d_tm_context, val: *mut u64, node: *mut d_tm_node_t) -> c_int {
        if val.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: the place is the caller's; without a context the node is its own.
        unsafe {
            if ctx.is_null() {
                return store(val, own_counter(node));
            }
            store(val, with_metric(ctx, node, |found| found == kind::COUNTER, |_, metric| Ok(word(metric, 0))))
        }
    }

    fn d_tm_get_timestamp(ctx: *mut d_tm_context, val: *mut time_t, node: *mut d_tm_node_t) -> c_int {
        if val.is_null() {
            return der(Der::INVAL);
        }
        let read = |_: Found<'_>, metric: &Metric| Ok(word(metric, 0) as time_t);
        // SAFETY: the place is the caller's.
        unsafe { store(val, with_metric(ctx, node, |found| found == kind::TIMESTAMP, read)) }
    }

    fn d_tm_get_timer_snapshot(ctx: *mut d_tm_context, tms: *mut timespec, node: *mut d_tm_node_t) -> c_int {
        if tms.is_null() {
            return der(Der::INVAL);
        }
        let fits = |found: i32| found & kind::TIMER_SNAPSHOT != 0;
        // SAFETY: the place is the caller's.
        unsafe { store(tms, with_metric(ctx, node, fits, |_, metric| Ok(time(metric)))) }
    }

    fn d_tm_get_duration(
        ctx: *mut d_tm_context, tms: *mut timespec, stats: *mut d_tm_stats_t, node: *mut d_tm_node_t,
    ) -> c_int {
        if tms.is_null() {
            return der(Der::INVAL);
        }
        let read = |node: Found<'_>, metric: &Metric| Ok((time(metric), statistics(node, metric)));
        // SAFETY: the places are the caller's.
        unsafe { store_both(tms, stats, with_metric(ctx, node, |found| found & kind::DURATION != 0, read)) }
    }

    fn d_tm_get_gauge(
        ctx: *mut d_tm_context, val: *mut u64, stats: *mut d_tm_stats_t, node: *mut d_tm_node_t,
    ) -> c_int {
        if val.is_null() {
            return der(Der::INVAL);
        }
        let fits = |found: i32| found & (kind::GAUGE | kind::STATS_GAUGE) != 0;
        let read = |node: Found<'_>, metric: &Metric| Ok((word(metric, 0), statistics(node, metric)));
        // SAFETY: the places are the caller's.
        unsafe { store_both(val, stats, with_metric(ctx, node, fits, read)) }
    }

    fn d_tm_get_metadata(
        ctx: *mut d_tm_context, desc: *mut *mut c_char, units: *mut *mut c_char, node: *mut d_tm_node_t,
    ) -> c_int {
        if desc.is_null() && units.is_null() {
            return der(Der::INVAL);
        }
        let read = |node: Found<'_>, metric: &Metric| {
            // SAFETY: NULL or places of the caller's.
            unsafe {
                if let Some(desc) = desc.as_mut() {
                    *desc = copy(node, metric.description, DESCRIPTION_MAX_BYTES)?;
                }
                if let Some(units) = units.as_mut() {
                    *units = copy(node, metric.units, UNITS_MAX_BYTES)?;
                }
            }
            Ok(())
        };
        for place in [desc, units] {
            // SAFETY: NULL or a place of the caller's.
            if let Some(place) = unsafe { place.as_mut() } {
                *place = ptr::null_mut();
            }
        }
        with_metric(ctx, node, |found| found != kind::DIRECTORY, read).map_or_else(der, |()| 0)
    }

    fn d_tm_get_num_buckets(
        ctx: *mut d_tm_context, histogram: *mut d_tm_histogram_t, node: *mut d_tm_node_t,
    ) -> c_int {
        // SAFETY: NULL or a place of the caller's.
        let Some(place) = (unsafe { histogram.as_mut() }) else { return der(Der::INVAL) };
        let fits = |found: i32| found & WITH_STATISTICS != 0;
        match with_metric(ctx, node, fits, self::histogram) {
            Ok(found) => {
                place.dth_num_buckets = found.count;
                place.dth_initial_width = found.initial_width;
                place.dth_value_multiplier = found.multiplier;
                0
            }
            Err(code) => der(code),
        }
    }

    fn d_tm_get_bucket_range(
        ctx: *mut d_tm_context, bucket: *mut d_tm_bucket_t, bucket_id: c_int, node: *mut d_tm_node_t,
    ) -> c_int {
        let (Ok(number), false) = (usize::try_from(bucket_id), bucket.is_null()) else { return der(Der::INVAL) };
        let fits = |found: i32| found & WITH_STATISTICS != 0;
        let read = |node: Found<'_>, metric: &Metric| {
            let histogram = self::histogram(node, metric)?;
            let count = usize::try_from(histogram.count).unwrap_or(0);
            if number >= count {
                return Err(Der::INVAL);
            }
            let buckets = node.region.convert::<Bucket>(histogram.buckets, count).ok_or(Der::METRIC_NOT_FOUND)?;
            // SAFETY: inside the segment.
            let found = unsafe { buckets.add(number).read() };
            let counter = node.region.node(found.node).map_or(ptr::null_mut(), Found::pointer);
            Ok(d_tm_bucket_t { dtb_min: found.min, dtb_max: found.max, dtb_bucket: counter })
        };
        // SAFETY: the place is the caller's.
        unsafe { store(bucket, with_metric(ctx, node, fits, read)) }
    }
}
