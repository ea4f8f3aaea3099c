//! Arithmetic of the writer's side: statistics and distributions of nodes in the caller's own memory, whose pointers are
//! its own; the names and numbers of clocks.

use daos_export::export;
use daos_sys::{
    D_TM_CLOCK_PROCESS_CPUTIME, D_TM_CLOCK_THREAD_CPUTIME, D_TM_COUNTER, d_tm_bucket_t, d_tm_metric_t, d_tm_node_t,
};
use libc::{c_char, c_int};

/// Standard deviation of a sample.
pub(super) fn standard_deviation(sum_of_squares: f64, samples: u64, mean: f64) -> f64 {
    let variance = sum_of_squares - samples as f64 * mean * mean;
    if variance <= 0.0 || samples < 2 {
        return 0.0;
    }
    (variance / (samples - 1) as f64).sqrt()
}

/// # Safety
/// NULL or a node of the caller's with pointers of its own.
unsafe fn metric_of<'a>(node: *mut d_tm_node_t) -> Option<&'a mut d_tm_metric_t> {
    // SAFETY: as the caller says.
    unsafe { node.as_ref().and_then(|node| node.dtn_metric.as_mut()) }
}

export! { Der;
    fn d_tm_compute_standard_dev(sum_of_squares: f64, sample_size: u64, mean: f64) -> f64 {
        standard_deviation(sum_of_squares, sample_size, mean)
    }

    fn d_tm_compute_stats(node: *mut d_tm_node_t, value: u64) {
        // SAFETY: NULL or a node of the caller's.
        let Some(stats) = (unsafe { metric_of(node).and_then(|metric| metric.dtm_stats.as_mut()) }) else { return };
        stats.sample_size = stats.sample_size.wrapping_add(1);
        stats.dtm_sum = stats.dtm_sum.wrapping_add(value);
        stats.sum_of_squares += (value as f64) * (value as f64);
        stats.dtm_max = stats.dtm_max.max(value);
        if stats.sample_size == 1 || value < stats.dtm_min {
            stats.dtm_min = value;
        }
    }

    fn d_tm_compute_histogram(node: *mut d_tm_node_t, value: u64) {
        // SAFETY: NULL or a node of the caller's, whose distribution has that many buckets.
        unsafe {
            let Some(histogram) = metric_of(node).and_then(|metric| metric.dtm_histogram.as_ref()) else { return };
            let count = usize::try_from(histogram.dth_num_buckets).unwrap_or(0);
            if histogram.dth_buckets.is_null() || count == 0 {
                return;
            }
            let buckets: &[d_tm_bucket_t] = std::slice::from_raw_parts(histogram.dth_buckets, count);
            let bucket = buckets.iter().find(|bucket| value <= bucket.dtb_max).unwrap_or(&buckets[count - 1]);
            let counter = bucket.dtb_bucket.as_ref().is_some_and(|counter| counter.dtn_type == D_TM_COUNTER as c_int);
            if let (true, Some(metric)) = (counter, metric_of(bucket.dtb_bucket)) {
                metric.dtm_data.value = metric.dtm_data.value.wrapping_add(1);
            }
        }
    }

    fn d_tm_clock_id(clk_id: c_int) -> c_int {
        match clk_id as u32 {
            D_TM_CLOCK_PROCESS_CPUTIME => libc::CLOCK_PROCESS_CPUTIME_ID,
            D_TM_CLOCK_THREAD_CPUTIME => libc::CLOCK_THREAD_CPUTIME_ID,
            _ => libc::CLOCK_REALTIME,
        }
    }

    fn d_tm_clock_string(clk_id: c_int) -> *mut c_char {
        let name = match clk_id as u32 {
            D_TM_CLOCK_PROCESS_CPUTIME => c"CLOCK_PROCESS_CPUTIME_ID",
            D_TM_CLOCK_THREAD_CPUTIME => c"CLOCK_THREAD_CPUTIME_ID",
            _ => c"CLOCK_REALTIME",
        };
        name.as_ptr().cast_mut()
    }
}
