//! The logger's functions of the C ABI.

use super::masks::{self, EMERGENCY, ERROR, WARNING};
use super::{Facility, Group, Logger, PRIMASK, c_facility, caller, set_id_callback, text, with};
use crate::{der, environment};
use daos_common::Der;
use daos_export::export;
use daos_sys::{self as sys, d_dbug_t};
use libc::{c_char, c_int, c_uint};
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

unsafe extern "C" {
    fn vsnprintf(buffer: *mut c_char, size: usize, format: *const c_char, arguments: *mut sys::__va_list_tag) -> c_int;
}

/// Longest message.
const MESSAGE_MAX: usize = 4096;

export! { Der;
    fn d_vlog(flags: c_int, fmt: *const c_char, ap: *mut sys::__va_list_tag) {
        if flags == 0 || fmt.is_null() {
            return;
        }
        let mut buffer = [0u8; MESSAGE_MAX];
        // SAFETY: the calling thread's errno, which a message leaves as it is.
        let errno = unsafe { *libc::__errno_location() };
        // SAFETY: a buffer and its size; format and arguments are the caller's, who has checked them (format attribute).
        unsafe { vsnprintf(buffer.as_mut_ptr().cast(), buffer.len(), fmt, ap) };
        let message = CStr::from_bytes_until_nul(&buffer).map(CStr::to_string_lossy).unwrap_or_default();
        let caller = caller();
        with(|logger| logger.write(flags, &message, caller));
        // SAFETY: as above.
        unsafe { *libc::__errno_location() = errno };
    }

    fn d_log_init() -> c_int {
        let file = environment::text(c"D_LOG_FILE").unwrap_or_default();
        with(|logger| {
            let mask = if file.is_empty() { ERROR } else { WARNING };
            if let Err(code) = logger.initialise("DAOS", &file, sys::DLOG_FLV_DEFAULT as c_int, mask, EMERGENCY) {
                return der(code);
            }
            logger.take_environment();
            0
        })
    }

    fn d_log_init_adv(
        log_tag: *mut c_char,
        log_file: *mut c_char,
        flavor: c_uint,
        def_mask: d_dbug_t,
        err_mask: d_dbug_t,
        id_cb: sys::d_log_id_cb_t,
    ) -> c_int {
        // SAFETY: C strings or NULL.
        let (tag, file) = unsafe { (text(log_tag), text(log_file)) };
        set_id_callback(id_cb);
        let answer = with(|logger| logger.initialise(&tag, &file, flavor as c_int, def_mask as i32, err_mask as i32));
        answer.map_or_else(der, |()| 0)
    }

    fn d_log_fini() {
        with(|logger| {
            logger.users = logger.users.saturating_sub(1);
            if logger.users == 0 {
                logger.close();
            }
        });
    }

    fn d_log_open(
        tag: *mut c_char,
        maxfac_hint: c_int,
        default_mask: c_int,
        stderr_mask: c_int,
        logfile: *mut c_char,
        flags: c_int,
        id_cb: sys::d_log_id_cb_t,
    ) -> c_int {
        let masks_are_bad = (default_mask | stderr_mask) & !PRIMASK != 0;
        if tag.is_null() || maxfac_hint < 0 || masks_are_bad {
            return -1;
        }
        // SAFETY: C strings or NULL.
        let (tag, file) = unsafe { (text(tag), text(logfile)) };
        set_id_callback(id_cb);
        with(|logger| logger.open(&tag, default_mask, stderr_mask, &file, flags)).map_or(-1, |()| 0)
    }

    fn d_log_close() {
        with(Logger::close);
    }

    fn d_log_sync() {
        with(|logger| {
            if let Some(file) = &logger.file {
                file.sync();
            }
        });
    }

    fn d_log_rank_setup(rank: c_int) {
        with(|logger| {
            if let Some(file) = &mut logger.file {
                file.append_rank(rank);
            }
        });
    }

    fn d_log_allocfacility(aname: *const c_char, lname: *const c_char) -> c_int {
        // SAFETY: C strings or NULL.
        let (name, long_name) = unsafe { (text(aname), text(lname)) };
        with(|logger| logger.facility(&name, &long_name)).unwrap_or(-1)
    }

    fn d_log_setlogmask(facility: c_int, mask: c_int) -> c_int {
        with(|logger| {
            let before = usize::try_from(facility).ok().and_then(|index| logger.set_mask(index, mask));
            logger.forget_verdicts();
            before.unwrap_or(-1)
        })
    }

    fn d_log_setmasks(mstr: *const c_char, mlen: c_int) -> c_int {
        if mstr.is_null() {
            return -1;
        }
        // SAFETY: a C string, or that many characters.
        let masks = unsafe {
            let length = usize::try_from(mlen).map_or_else(|_| libc::strlen(mstr), |limit| libc::strnlen(mstr, limit));
            String::from_utf8_lossy(crate::hash_functions::bytes(mstr.cast(), length)).into_owned()
        };
        with(|logger| if logger.is_open() { logger.set_masks(&masks) } else { -1 })
    }

    fn d_log_getmasks(buf: *mut c_char, discard: c_int, len: c_int, unterm: c_int) -> c_int {
        let line = with(|logger| {
            let one = |(index, facility): (usize, &Facility)| {
                // SAFETY: an entry in use.
                let mask = unsafe { (*c_facility(index)).fac_mask };
                format!("{}={}", facility.long_name, masks::priority_name(mask).trim_end())
            };
            if !logger.is_open() {
                return String::new();
            }
            logger.facilities.iter().enumerate().map(one).collect::<Vec<_>>().join(",") + "\n"
        });
        if line.is_empty() {
            return 0;
        }
        let end = c_int::from(unterm == 0);
        let kept = line.as_bytes().get(discard.max(0) as usize..).unwrap_or_default();
        if buf.is_null() {
            return line.len() as c_int + end;
        }
        if len <= 0 {
            return 0;
        }
        let count = kept.len().min((len - end) as usize);
        // SAFETY: the caller's buffer has len bytes.
        unsafe {
            ptr::copy_nonoverlapping(kept.as_ptr(), buf.cast(), count);
            if end > 0 {
                buf.add(count).write(0);
            }
        }
        count as c_int + end
    }

    fn d_log_add_cache(cache: *mut c_int, nr: c_int) {
        if let (false, Ok(count)) = (cache.is_null(), usize::try_from(nr)) {
            with(|logger| logger.add_cache(cache, count));
        }
    }

    fn d_log_sync_mask() {
        with(Logger::take_environment);
    }

    fn d_log_sync_mask_ex(log_mask: *const c_char, dd_mask: *const c_char) {
        // SAFETY: C strings or NULL.
        let (masks, bits) = unsafe { (text(log_mask), text(dd_mask)) };
        with(|logger| {
            if !dd_mask.is_null() {
                logger.set_debug_bits(&bits);
            }
            if !log_mask.is_null() {
                logger.set_masks(&masks);
            }
        });
    }

    fn d_log_dbg_bit_alloc(dbgbit: *mut d_dbug_t, name: *mut c_char, lname: *mut c_char) -> c_int {
        if dbgbit.is_null() || name.is_null() {
            return -1;
        }
        // SAFETY: C strings or NULL.
        let (name, long_name) = unsafe { (text(name), text(lname)) };
        if with(|logger| logger.allocate_bit(dbgbit, &name, &long_name)) { 0 } else { -1 }
    }

    fn d_log_dbg_bit_dealloc(name: *mut c_char) -> c_int {
        // SAFETY: a C string or NULL.
        let name = unsafe { text(name) };
        with(|logger| {
            let Some(at) = logger.bits.iter().position(|bit| bit.name.eq_ignore_ascii_case(&name)) else { return -1 };
            let bit = logger.bits.remove(at);
            // SAFETY: the variable that was given when the bit was allocated.
            unsafe { AtomicU64::from_ptr(bit.variable as *mut u64) }.store(0, Ordering::Relaxed);
            logger.count_bits();
            0
        })
    }

    fn d_log_dbg_grp_alloc(dbgmask: d_dbug_t, grpname: *mut c_char, flags: u32) -> c_int {
        if grpname.is_null() || dbgmask == 0 {
            return -1;
        }
        // SAFETY: a C string.
        let name = unsafe { text(grpname) };
        with(|logger| {
            logger.groups.push(Group { name: name.clone(), mask: dbgmask });
            logger.count_bits();
            if flags & sys::D_LOG_SET_AS_DEFAULT != 0 {
                logger.set_debug_bits(&name);
            }
            0
        })
    }

    fn d_log_dbg_grp_dealloc(grpname: *mut c_char) -> c_int {
        // SAFETY: a C string or NULL.
        let name = unsafe { text(grpname) };
        with(|logger| {
            let before = logger.groups.len();
            logger.groups.retain(|group| !group.name.eq_ignore_ascii_case(&name));
            logger.count_bits();
            if logger.groups.len() < before { 0 } else { -1 }
        })
    }

    fn d_log_getdbgbit(dbgbit: *mut d_dbug_t, bitname: *mut c_char) -> c_int {
        if bitname.is_null() || dbgbit.is_null() {
            return 0;
        }
        // SAFETY: a C string.
        let name = unsafe { text(bitname) };
        let value = with(|logger| logger.bits.iter().find(|bit| bit.name.eq_ignore_ascii_case(&name)).map(|bit| bit.value));
        let Some(value) = value else { return -1 };
        // SAFETY: not NULL, the caller's.
        unsafe { dbgbit.write(value) };
        0
    }

    fn d_log_memory(ptr: *const u8, size: usize) {
        let caller = caller();
        let say = |text: &str| {
            with(|logger| {
                if logger.is_open() {
                    logger.write(EMERGENCY, text, caller);
                }
            });
        };
        // At once: reading the memory may be what ends the process.
        say(&format!("ptr={ptr:p}, size={size}"));
        if ptr.is_null() {
            return;
        }
        for row in (0..size).step_by(16) {
            let mut line = format!("{:p}:", ptr.wrapping_add(row));
            for at in row..size.min(row + 16) {
                // SAFETY: that many readable bytes of the caller's.
                line += &format!(" {:02x}", unsafe { ptr.add(at).read() });
            }
            say(&line);
        }
    }

    fn d_log_disable_logging() {
        with(|logger| {
            logger.disabled = true;
            if let Some(file) = logger.file.take() {
                file.abandon();
            }
        });
    }

    fn d_log_reset() {
        // After a fork: the child keeps the file, and its macros ask again.
        with(|logger| logger.forget_verdicts());
    }

    fn d_register_alt_assert(
        alt_assert: Option<unsafe extern "C" fn(c_int, *const c_char, *const c_char, c_int)>,
    ) -> c_int {
        if alt_assert.is_none() {
            return der(Der::INVAL);
        }
        // SAFETY: a word that the assertion macros read.
        unsafe { (&raw mut crate::stubs::d_alt_assert).cast::<usize>().write(alt_assert.map_or(0, |f| f as usize)) };
        0
    }
}
