//! Random numbers, back-off sequences, vectors of pointers, standard deviation.

use crate::alloc::{free, zeroed_array};
use crate::der;
use daos_common::Der;
use daos_export::export;
use daos_sys::{d_backoff_seq, d_vec_pointers};
use libc::{c_int, c_long, c_void};
use std::ptr;
use std::sync::Mutex;

/// The state of the 48-bit generator of the C library.
static RANDOM: Mutex<[u16; 3]> = Mutex::new([0x330e, 0, 0]);

/// 0 to 2^31-1.
pub(crate) fn random() -> c_long {
    let mut state = RANDOM.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    // SAFETY: an array of three.
    unsafe { libc::nrand48(state.as_mut_ptr()) }
}

/// The generator's state, held over a fork.
pub(crate) type Held = std::sync::MutexGuard<'static, [u16; 3]>;

/// Keeps other threads from the generator.
pub(crate) fn hold() -> Held {
    RANDOM.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

export! { Der;
    fn d_srand(seed: c_long) {
        let mut state = RANDOM.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // As srand48 does with a seed.
        *state = [0x330e, seed as u16, (seed >> 16) as u16];
    }

    fn d_rand() -> c_long {
        random()
    }

    fn d_randd() -> f64 {
        random() as f64 / (1u64 << 31) as f64
    }

    fn d_backoff_seq_init(seq: *mut d_backoff_seq, nzeros: u8, factor: u16, next: u32, max: u32) -> c_int {
        if seq.is_null() || factor == 0 || next == 0 || next > max {
            return der(Der::INVAL);
        }
        // SAFETY: not NULL, the caller's.
        unsafe {
            seq.write(d_backoff_seq {
                bos_flags: 0,
                bos_nzeros: nzeros,
                bos_factor: factor,
                bos_max: max,
                bos_next: next,
            });
        }
        0
    }

    fn d_backoff_seq_fini(seq: *mut d_backoff_seq) {
        let _ = seq;
    }

    fn d_backoff_seq_next(seq: *mut d_backoff_seq) -> u32 {
        // SAFETY: a sequence of the caller's.
        let Some(sequence) = (unsafe { seq.as_mut() }) else { return 0 };
        if sequence.bos_nzeros > 0 {
            sequence.bos_nzeros -= 1;
            return 0;
        }
        let this = sequence.bos_next;
        sequence.bos_next = this.saturating_mul(u32::from(sequence.bos_factor)).min(sequence.bos_max);
        (f64::from(this) * (random() as f64 / f64::from(i32::MAX))) as u32
    }

    fn d_vec_pointers_init(pointers: *mut d_vec_pointers, cap: u32) -> c_int {
        // SAFETY: NULL or the caller's.
        let Some(vector) = (unsafe { pointers.as_mut() }) else { return der(Der::INVAL) };
        let buffer: *mut *mut c_void = if cap == 0 { ptr::null_mut() } else { zeroed_array(cap as usize) };
        if cap > 0 && buffer.is_null() {
            return der(Der::NOMEM);
        }
        *vector = d_vec_pointers { p_buf: buffer, p_cap: cap, p_len: 0 };
        0
    }

    fn d_vec_pointers_fini(pointers: *mut d_vec_pointers) {
        // SAFETY: NULL or a vector of the caller's.
        if let Some(vector) = unsafe { pointers.as_mut() } {
            free(vector.p_buf);
            *vector = d_vec_pointers::default();
        }
    }

    fn d_vec_pointers_append(pointers: *mut d_vec_pointers, pointer: *mut c_void) -> c_int {
        // SAFETY: NULL or a vector of the caller's.
        let Some(vector) = (unsafe { pointers.as_mut() }) else { return der(Der::INVAL) };
        if vector.p_len >= vector.p_cap {
            let grown = vector.p_cap.saturating_mul(2).max(1);
            let buffer: *mut *mut c_void = zeroed_array(grown as usize);
            if buffer.is_null() {
                return der(Der::NOMEM);
            }
            if !vector.p_buf.is_null() {
                // SAFETY: both buffers have at least p_len pointers.
                unsafe { ptr::copy_nonoverlapping(vector.p_buf, buffer, vector.p_len as usize) };
            }
            free(vector.p_buf);
            vector.p_buf = buffer;
            vector.p_cap = grown;
        }
        // SAFETY: below the capacity.
        unsafe { vector.p_buf.add(vector.p_len as usize).write(pointer) };
        vector.p_len += 1;
        0
    }

    fn d_stand_div(array: *mut f64, nr: c_int) -> f64 {
        let count = usize::try_from(nr).unwrap_or(0);
        if array.is_null() || count == 0 {
            return 0.0;
        }
        // SAFETY: an array of the caller's.
        let values = unsafe { std::slice::from_raw_parts(array, count) };
        let mean = values.iter().sum::<f64>() / count as f64;
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count as f64).sqrt()
    }
}
