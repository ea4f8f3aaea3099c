//! The logger behind the D_ macros: facilities with masks, debug bits, one output.
//!
//! A line: `MM/DD-hh:mm:ss.uuuuuu node tag[pid/tid] facility priority text`. The output is the file that `D_LOG_FILE`
//! names (or that the program gives), else stderr. `D_LOG_MASK` (`ERR`, `WARN,mem=DEBUG`) sets masks, `DD_MASK` the
//! debug bits that DEBUG stands for, `DD_SUBSYS` the facilities that may log below errors.
//!
//! Programs read [`facilities::d_log_xst`] and the masks without a lock, so the array of facilities never moves, and
//! verdicts that programs cached are reset ([`Logger::forget_verdicts`]) after every change.

use crate::facilities::{self, UNKNOWN, d_dbglog_data, d_log_xst};
use crate::log_masks::{self, DEBUG, EMERGENCY, ERROR, WARNING};
use crate::{alloc, der, environment};
use daos_common::Der;
use daos_export::export;
use daos_sys::{self as sys, d_dbug_t, dlog_fac};
use libc::{c_char, c_int, c_uint};
use std::ffi::{CStr, CString};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// A facility's number is a byte.
const MAX_FACILITIES: usize = 256;
/// Debug bits lie above the facility and below the priorities.
const FIRST_DEBUG_BIT: u32 = 8;
const DEBUG_BITS: u32 = 16;
/// DLOG_FLV_STDOUT and DLOG_FLV_STDERR of the flavor.
const FLAVOR_STDOUT: c_int = 1 << 5;
const FLAVOR_STDERR: c_int = 1 << 6;

/// A debug bit that was handed out. The variable belongs to a library or program.
struct Bit {
    name: String,
    long_name: String,
    variable: usize,
    value: u64,
}

/// A named set of debug bits.
struct Group {
    name: String,
    mask: u64,
}

#[derive(Default)]
struct Logger {
    users: u32,
    file: Option<File>,
    to_stdout: bool,
    /// Messages from this priority on go to stderr too.
    stderr_mask: i32,
    default_mask: i32,
    tag: String,
    node: String,
    facilities: Vec<String>,
    bits: Vec<Bit>,
    groups: Vec<Group>,
    /// Caches of verdicts that programs registered: (address, number of ints).
    caches: Vec<(usize, usize)>,
    rank: Option<c_int>,
}

static LOGGER: Mutex<Option<Logger>> = Mutex::new(None);
/// The C array that `d_log_xst` points at: made once.
static FACILITIES: AtomicPtr<dlog_fac> = AtomicPtr::new(ptr::null_mut());

fn locked() -> MutexGuard<'static, Option<Logger>> {
    LOGGER.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn with<R>(action: impl FnOnce(&mut Logger) -> R) -> R {
    action(locked().get_or_insert_with(Logger::default))
}

/// Text of a C string, empty for NULL.
///
/// # Safety
/// NULL or a C string.
unsafe fn text(string: *const c_char) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}

/// The facility `index` of the C array.
fn c_facility(index: usize) -> *mut dlog_fac {
    let mut array = FACILITIES.load(Ordering::Acquire);
    if array.is_null() {
        // Under the logger's lock, so made once; it lives as long as the process.
        array = alloc::zeroed_array(MAX_FACILITIES);
        FACILITIES.store(array, Ordering::Release);
    }
    // SAFETY: below MAX_FACILITIES; NULL for no memory is checked by the caller.
    if array.is_null() { array } else { unsafe { array.add(index) } }
}

impl Logger {
    fn is_open(&self) -> bool {
        self.users > 0 || !self.tag.is_empty()
    }

    fn open(&mut self, tag: &str, default_mask: i32, stderr_mask: i32, file: &str, flavor: c_int) -> Result<(), Der> {
        self.file = None;
        if !file.is_empty() {
            let opened = OpenOptions::new().create(true).append(true).mode(0o644).open(file_name(file, self.rank));
            match opened {
                Ok(opened) => self.file = Some(opened),
                Err(error) => {
                    eprintln!("log file {file}: {error}; set D_LOG_FILE to a file that can be written");
                    return Err(Der::UNINIT);
                }
            }
        }
        self.to_stdout = flavor & FLAVOR_STDOUT != 0 && self.file.is_none();
        self.stderr_mask = if flavor & FLAVOR_STDERR != 0 { 0 } else { stderr_mask };
        self.default_mask = default_mask;
        self.tag = tag.to_owned();
        self.node = node_name();
        self.publish();
        self.facility("default", "default")?;
        Ok(())
    }

    /// Makes the state visible to the inline functions in programs.
    fn publish(&self) {
        let c_text = |text: &str| CString::new(text).unwrap_or_default().into_raw();
        // SAFETY: written under the logger's lock; readers read words. Old strings are left to them.
        unsafe {
            let state = &raw mut d_log_xst;
            (*state).dlog_facs = c_facility(0);
            (*state).nodename = c_text(&self.node);
            (*state).tag = c_text(&self.tag);
            (*state).fac_cnt = self.facilities.len() as c_int;
        }
    }

    fn close(&mut self) {
        // SAFETY: as in `publish`.
        unsafe { d_log_xst.tag = ptr::null_mut() };
        self.tag.clear();
        self.file = None;
        self.forget_verdicts();
    }

    /// The number of a facility, made if it is new.
    fn facility(&mut self, name: &str, long_name: &str) -> Result<c_int, Der> {
        if let Some(known) = self.facilities.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(known as c_int);
        }
        let index = self.facilities.len();
        if index >= MAX_FACILITIES {
            return Err(Der::OVERFLOW);
        }
        let entry = c_facility(index);
        if entry.is_null() {
            return Err(Der::NOMEM);
        }
        let c_text = |text: &str| CString::new(text).unwrap_or_default().into_raw();
        let mask = if self.default_mask == 0 { WARNING } else { self.default_mask };
        // SAFETY: an entry of the array that readers don't look at until the count says so.
        unsafe {
            entry.write(dlog_fac {
                fac_aname: c_text(name),
                fac_lname: c_text(long_name),
                fac_mask: mask,
                is_enabled: subsystem_enabled(name, long_name),
            });
        }
        self.facilities.push(name.to_owned());
        // SAFETY: as in `publish`.
        unsafe { d_log_xst.fac_cnt = self.facilities.len() as c_int };
        Ok(index as c_int)
    }

    /// Sets the mask of one facility; DEBUG stands for the debug bits that are chosen.
    fn set_mask(&mut self, index: usize, mask: i32) -> Option<c_int> {
        if index >= self.facilities.len() {
            return None;
        }
        // SAFETY: read under the logger's lock.
        let chosen = unsafe { d_dbglog_data.dd_mask } as i32;
        let mask = if mask == DEBUG && chosen != 0 { chosen } else { mask };
        let entry = c_facility(index);
        // SAFETY: an entry in use; a word that is written whole.
        unsafe {
            let before = (*entry).fac_mask;
            (*entry).fac_mask = mask;
            Some(before)
        }
    }

    fn set_masks(&mut self, masks: &str) -> c_int {
        let mut last = 0;
        for assignment in log_masks::parse(masks) {
            for index in 0..self.facilities.len() {
                if assignment.facility.is_none_or(|name| self.facilities[index].eq_ignore_ascii_case(name)) {
                    self.set_mask(index, assignment.mask);
                }
            }
            if assignment.facility.is_none() {
                self.default_mask = assignment.mask;
            }
            last = assignment.mask;
        }
        self.forget_verdicts();
        last
    }

    /// Chooses the debug bits that DEBUG stands for.
    fn set_debug_bits(&mut self, names: &str) {
        let mut mask = 0;
        for name in names.split(',').map(str::trim) {
            if name.eq_ignore_ascii_case("all") {
                mask |= DEBUG as u64;
            }
            let same = |known: &str| known.eq_ignore_ascii_case(name);
            mask |= self.bits.iter().filter(|b| same(&b.name) || same(&b.long_name)).fold(0, |m, b| m | b.value);
            mask |= self.groups.iter().filter(|g| same(&g.name)).fold(0, |m, g| m | g.mask);
        }
        // SAFETY: written under the logger's lock; a word.
        unsafe { d_dbglog_data.dd_mask = mask };
        self.forget_verdicts();
    }

    fn allocate_bit(&mut self, variable: *mut d_dbug_t, name: &str, long_name: &str) -> bool {
        let known = self.bits.iter().find(|bit| bit.name.eq_ignore_ascii_case(name)).map(|bit| bit.value);
        let value = match known {
            Some(value) => value,
            None if name.eq_ignore_ascii_case("all") => DEBUG as u64,
            None => {
                let used =
                    self.bits.iter().fold(0, |used, bit| used | if bit.value == DEBUG as u64 { 0 } else { bit.value });
                let free = (0..DEBUG_BITS).map(|bit| 1u64 << (FIRST_DEBUG_BIT + bit)).find(|bit| used & bit == 0);
                let Some(free) = free else { return false };
                free
            }
        };
        // SAFETY: a variable of the caller's that lives as long as its library; not NULL (checked).
        unsafe { AtomicU64::from_ptr(variable) }.store(value, Ordering::Relaxed);
        if known.is_none() {
            let (name, long_name) = (name.to_owned(), long_name.to_owned());
            self.bits.push(Bit { name, long_name, variable: variable as usize, value });
            self.count_bits();
        }
        true
    }

    fn count_bits(&self) {
        // SAFETY: written under the logger's lock; words.
        unsafe {
            d_dbglog_data.dbg_bit_cnt = self.bits.len() as c_int;
            d_dbglog_data.dbg_grp_cnt = self.groups.len() as c_int;
        }
    }

    /// Has programs ask again: after a change of masks.
    fn forget_verdicts(&self) {
        for (address, count) in &self.caches {
            for at in 0..*count {
                // SAFETY: a cache that a library or program registered; its words are read by the macros only.
                unsafe { AtomicI32::from_ptr((*address as *mut i32).add(at)) }.store(UNKNOWN, Ordering::Relaxed);
            }
        }
    }

    fn write(&mut self, flags: c_int, message: &str) {
        let facility = self.facilities.get((flags & 0xff) as usize).map_or("", String::as_str);
        let line = format!(
            "{} {} {}[{}/{}] {facility:<5.5} {} {}\n",
            timestamp(),
            self.node,
            self.tag,
            std::process::id(),
            thread_id(),
            log_masks::priority_name(flags),
            message.trim_end_matches('\n'),
        );
        let level = flags & 0x0fff_ff00;
        // Nothing can be told about a failure to log.
        if let Some(file) = &mut self.file {
            let _ = file.write_all(line.as_bytes());
        } else if self.to_stdout {
            let _ = std::io::stdout().write_all(line.as_bytes());
        }
        let wanted = self.stderr_mask != 0 && level >= self.stderr_mask;
        if wanted || (self.file.is_none() && !self.to_stdout) {
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }

    /// The reference counted initialisation.
    fn initialise(&mut self, tag: &str, file: &str, flavor: c_int, mask: i32, stderr_mask: i32) -> Result<(), Der> {
        if self.users == 0 {
            let stderr_mask =
                environment::text(c"DD_STDERR").and_then(|name| log_masks::priority(&name)).unwrap_or(stderr_mask);
            self.open(tag, mask, stderr_mask, file, flavor)?;
            for (name, variable) in facilities::debug_bits() {
                self.allocate_bit(variable.as_ptr(), name, name);
            }
            for (name, number, cache) in facilities::own_facilities() {
                let name = name.to_str().unwrap_or_default();
                number.store(self.facility(name, name)?, Ordering::Relaxed);
                self.add_cache(cache.cast(), facilities::CACHE_LENGTH);
            }
        }
        self.users += 1;
        Ok(())
    }

    fn add_cache(&mut self, cache: *mut c_int, count: usize) {
        let entry = (cache as usize, count);
        if !self.caches.contains(&entry) {
            self.caches.push(entry);
        }
        self.forget_verdicts();
    }

    fn take_environment(&mut self) {
        if let Some(bits) = environment::text(c"DD_MASK") {
            self.set_debug_bits(&bits);
        }
        if let Some(masks) = environment::text(c"D_LOG_MASK") {
            self.set_masks(&masks);
        }
    }
}

/// The file's name with the suffixes that the environment asks for.
fn file_name(file: &str, rank: Option<c_int>) -> String {
    let asked = |name: &CStr| environment::text(name).is_some_and(|value| value != "0");
    let mut name = file.to_owned();
    if let (true, Some(rank)) = (asked(c"D_LOG_FILE_APPEND_RANK"), rank) {
        name += &format!(".{rank}");
    }
    if asked(c"D_LOG_FILE_APPEND_PID") {
        name += &format!(".{}", std::process::id());
    }
    name
}

fn subsystem_enabled(name: &str, long_name: &str) -> bool {
    let Some(list) = environment::text(c"DD_SUBSYS") else { return true };
    list.split(',')
        .map(str::trim)
        .any(|item| ["all", name, long_name].iter().any(|known| item.eq_ignore_ascii_case(known)))
}

fn node_name() -> String {
    let mut buffer = [0u8; 256];
    // SAFETY: a buffer and its size, less the byte that ends it.
    unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    let name = CStr::from_bytes_until_nul(&buffer).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.split('.').next().unwrap_or_default().to_owned()
}

fn thread_id() -> libc::pid_t {
    // SAFETY: no argument.
    unsafe { libc::gettid() }
}

/// Local time, `MM/DD-hh:mm:ss.uuuuuu`.
fn timestamp() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let seconds = now.as_secs() as libc::time_t;
    // SAFETY: zero is a valid tm, which localtime_r fills.
    let tm = unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        libc::localtime_r(&seconds, &mut tm);
        tm
    };
    let (month, day) = (tm.tm_mon + 1, tm.tm_mday);
    format!("{month:02}/{day:02}-{:02}:{:02}:{:02}.{:06}", tm.tm_hour, tm.tm_min, tm.tm_sec, now.subsec_micros())
}

/// A debug message of this library's own.
pub(crate) fn debug(message: &str) {
    let level = facilities::debug_bits()[2].1.load(Ordering::Relaxed) as c_int;
    let mut logger = locked();
    let Some(logger) = logger.as_mut().filter(|logger| logger.is_open()) else { return };
    // SAFETY: the facility that every open logger has.
    if unsafe { (*c_facility(0)).fac_mask } & level != 0 {
        logger.write(level, message);
    }
}

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
        // SAFETY: a buffer and its size; format and arguments are the caller's, who has checked them (format attribute).
        unsafe { vsnprintf(buffer.as_mut_ptr().cast(), buffer.len(), fmt, ap) };
        let message = CStr::from_bytes_until_nul(&buffer).map(CStr::to_string_lossy).unwrap_or_default();
        with(|logger| logger.write(flags, &message));
    }

    fn d_log_init() -> c_int {
        let file = environment::text(c"D_LOG_FILE").unwrap_or_default();
        with(|logger| {
            if let Err(code) = logger.initialise("DAOS", &file, 0, if file.is_empty() { ERROR } else { WARNING }, EMERGENCY) {
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
        let _ = id_cb;
        // SAFETY: C strings or NULL.
        let (tag, file) = unsafe { (text(log_tag), text(log_file)) };
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
        let _ = (maxfac_hint, id_cb);
        // SAFETY: C strings or NULL.
        let (tag, file) = unsafe { (text(tag), text(logfile)) };
        with(|logger| logger.open(&tag, default_mask, stderr_mask, &file, flags)).map_or(-1, |()| 0)
    }

    fn d_log_close() {
        with(Logger::close);
    }

    fn d_log_sync() {
        with(|logger| {
            if let Some(file) = &logger.file {
                let _ = file.sync_data();
            }
        });
    }

    fn d_log_rank_setup(rank: c_int) {
        with(|logger| logger.rank = Some(rank));
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
        // SAFETY: a C string or NULL.
        let mut masks = unsafe { text(mstr) };
        if let Ok(length) = usize::try_from(mlen) {
            masks = masks.chars().take(length).collect();
        }
        with(|logger| logger.set_masks(&masks))
    }

    fn d_log_getmasks(buf: *mut c_char, discard: c_int, len: c_int, unterm: c_int) -> c_int {
        let line = with(|logger| {
            let one = |(index, name): (usize, &String)| {
                // SAFETY: an entry in use.
                let mask = unsafe { (*c_facility(index)).fac_mask };
                format!("{name}={}", log_masks::priority_name(mask).trim_end())
            };
            logger.facilities.iter().enumerate().map(one).collect::<Vec<_>>().join(",")
        });
        let kept = line.as_bytes().get(discard.max(0) as usize..).unwrap_or_default();
        let room = (len.max(0) as usize).saturating_sub(usize::from(unterm == 0));
        let count = kept.len().min(room);
        if !buf.is_null() && len > 0 {
            // SAFETY: the caller's buffer has len bytes.
            unsafe {
                ptr::copy_nonoverlapping(kept.as_ptr(), buf.cast(), count);
                if unterm == 0 {
                    buf.add(count).write(0);
                }
            }
        }
        count as c_int
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
            if !bits.is_empty() {
                logger.set_debug_bits(&bits);
            }
            if !masks.is_empty() {
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
        if ptr.is_null() {
            return;
        }
        // SAFETY: that many readable bytes of the caller's.
        let bytes = unsafe { std::slice::from_raw_parts(ptr, size) };
        for (row, chunk) in bytes.chunks(16).enumerate() {
            let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
            with(|logger| logger.write(EMERGENCY, &format!("{:08x}: {}", row * 16, hex.join(" "))));
        }
    }

    fn d_log_disable_logging() {
        with(Logger::close);
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
