//! The logger behind the D_ macros: facilities with masks, debug bits, one output.
//!
//! A line: `PRIO YYYY/MM/DD hh:mm:ss.uuuuuu node tag[pid/tid/uid] facility text`, with the parts that the flavor asks for.
//! Terminals get facility and text only. The output is the file that `D_LOG_FILE` names (or that the program gives; see
//! [`file`]), else stderr. `D_LOG_MASK` (`ERR`, `WARN,mem=DEBUG`) sets masks, `DD_MASK` the debug bits that
//! DEBUG stands for, `DD_SUBSYS` the facilities that may log below errors, `DD_STDERR` the priority from which on messages
//! go to stderr too. Each line is written at once, so there is nothing to flush.
//!
//! Programs read [`facilities::d_log_xst`] and the masks without a lock, so the array of facilities never moves, and
//! verdicts that programs cached are reset ([`Logger::forget_verdicts`]) after every change.

mod api;
mod file;
mod masks;

use self::file::LogFile;
use self::masks::{DEBUG, ERROR, WARNING};
use crate::facilities::{self, UNKNOWN, d_dbglog_data, d_log_xst};
use crate::{alloc, environment};
use daos_common::Der;
use daos_sys::{self as sys, d_dbug_t, dlog_fac};
use libc::{c_char, c_int};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::io::{IsTerminal as _, Write as _};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

/// A facility's number is a byte.
const MAX_FACILITIES: usize = 256;
/// Debug bits lie above the facility and below the priorities.
const FIRST_DEBUG_BIT: u32 = 8;
const DEBUG_BITS: u32 = 16;
/// DLOG_PRIMASK: priority and debug bits of a flag word.
const PRIMASK: c_int = sys::DLOG_PRIMASK as c_int;
/// The priority of a flag word.
const PRIORITY_MASK: c_int = 0x0f00_0000;
/// DLOG_EMIT: to the log only.
const EMIT: c_int = 0x0800_0000;

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
pub(crate) struct Logger {
    users: u32,
    file: Option<LogFile>,
    /// DLOG_FLV_ flags.
    flavor: c_int,
    /// No file any more, and none to be missed.
    disabled: bool,
    /// Messages from this priority on go to stderr too.
    stderr_mask: i32,
    default_mask: i32,
    tag: String,
    node: String,
    facilities: Vec<Facility>,
    bits: Vec<Bit>,
    groups: Vec<Group>,
    /// Caches of verdicts that programs registered: (address, number of ints).
    caches: Vec<(usize, usize)>,
    /// What programs have pointers to.
    texts: BTreeMap<String, CString>,
}

/// A facility's names.
struct Facility {
    name: String,
    long_name: String,
}

impl Facility {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.long_name.eq_ignore_ascii_case(name)
    }
}

/// What the program tells of the caller of the logger, as an address; 0: nothing.
static ID_CALLBACK: AtomicUsize = AtomicUsize::new(0);
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
        !self.tag.is_empty()
    }

    fn has(&self, flavor: u32) -> bool {
        self.flavor & flavor as c_int != 0
    }

    fn open(&mut self, tag: &str, default_mask: i32, stderr_mask: i32, file: &str, flavor: c_int) -> Result<(), Der> {
        if self.is_open() || tag.is_empty() {
            return Err(Der::UNINIT);
        }
        self.file = None;
        if !file.is_empty() {
            match LogFile::open(file) {
                Ok(opened) => self.file = Some(opened),
                Err(error) => {
                    eprintln!("log file {file}: {error}; set D_LOG_FILE to a file that can be written");
                    return Err(Der::UNINIT);
                }
            }
        }
        self.disabled = false;
        self.flavor = flavor;
        self.stderr_mask = stderr_mask;
        self.default_mask = default_mask;
        self.tag = tag.to_owned();
        self.node = node_name(self.has(sys::DLOG_FLV_FQDN));
        self.publish();
        self.facility("default", "default")?;
        // Those of an earlier life of the log begin anew, too.
        for (index, facility) in self.facilities.iter().enumerate() {
            let entry = c_facility(index);
            // SAFETY: an entry in use; words that are written whole.
            unsafe {
                (*entry).fac_mask = self.first_mask();
                (*entry).is_enabled = subsystem_enabled(&facility.name, &facility.long_name);
            }
        }
        self.forget_verdicts();
        Ok(())
    }

    /// Makes the state visible to the inline functions in programs.
    fn publish(&mut self) {
        let (node, tag) = (self.c_text(&self.node.clone()), self.c_text(&self.tag.clone()));
        // SAFETY: written under the logger's lock; readers read words.
        unsafe {
            let state = &raw mut d_log_xst;
            (*state).dlog_facs = c_facility(0);
            (*state).nodename = node;
            (*state).tag = tag;
            (*state).fac_cnt = self.facilities.len() as c_int;
        }
    }

    /// A text as a C string that stays: programs read it without a lock. One for equal texts.
    fn c_text(&mut self, text: &str) -> *mut c_char {
        let made = || CString::new(text.replace('\0', "")).unwrap_or_default();
        self.texts.entry(text.to_owned()).or_insert_with(made).as_ptr().cast_mut()
    }

    fn close(&mut self) {
        // SAFETY: as in `publish`.
        unsafe { d_log_xst.tag = ptr::null_mut() };
        self.tag.clear();
        self.file = None;
        self.forget_verdicts();
    }

    /// The mask that facilities begin with.
    fn first_mask(&self) -> i32 {
        if self.default_mask == 0 { WARNING } else { self.default_mask }
    }

    /// The number of a facility, made if it is new.
    fn facility(&mut self, name: &str, long_name: &str) -> Result<c_int, Der> {
        if let Some(known) = self.facilities.iter().position(|known| known.name.eq_ignore_ascii_case(name)) {
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
        let (short, long) = (self.c_text(name), self.c_text(long_name));
        let mask = self.first_mask();
        // SAFETY: an entry of the array that readers don't look at until the count says so.
        unsafe {
            entry.write(dlog_fac {
                fac_aname: short,
                fac_lname: long,
                fac_mask: mask,
                is_enabled: subsystem_enabled(name, long_name),
            });
        }
        self.facilities.push(Facility { name: name.to_owned(), long_name: long_name.to_owned() });
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
        let mask = if mask == DEBUG && chosen != 0 { chosen } else { mask & PRIMASK };
        let entry = c_facility(index);
        // SAFETY: an entry in use; a word that is written whole.
        unsafe {
            let before = (*entry).fac_mask;
            (*entry).fac_mask = mask;
            Some(before)
        }
    }

    /// Sets masks; the mask before of the facility that was last, or -1 if one is unknown.
    fn set_masks(&mut self, masks: &str) -> c_int {
        let (mut last, mut unknown) = (-1, false);
        for assignment in masks::parse(masks) {
            let named = |facility: &Facility| assignment.facility.is_none_or(|name| facility.is(name));
            let chosen: Vec<usize> = (0..self.facilities.len()).filter(|at| named(&self.facilities[*at])).collect();
            unknown |= chosen.is_empty();
            for index in chosen {
                last = self.set_mask(index, assignment.mask).unwrap_or(last);
            }
            if assignment.facility.is_none() {
                self.default_mask = assignment.mask;
            }
        }
        self.forget_verdicts();
        if unknown { -1 } else { last }
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

    fn write(&mut self, flags: c_int, message: &str, caller: (u32, u64)) {
        let (mut head, mut rest) = (String::new(), String::new());
        head += masks::priority_name(flags);
        head += &timestamp(self.has(sys::DLOG_FLV_YEAR));
        head = format!("{head} {} ", self.node);
        if self.has(sys::DLOG_FLV_TAG) {
            head += &self.tag;
            if self.has(sys::DLOG_FLV_LOGPID) {
                head += &format!("[{}/{}/{}]", std::process::id(), caller.0, caller.1);
            }
            head.push(' ');
        }
        if self.has(sys::DLOG_FLV_FAC) {
            let facility = self.facilities.get((flags & 0xff) as usize).or(self.facilities.first());
            rest = format!("{:<4} ", facility.map_or("", |facility| &facility.name));
        }
        rest += message.trim_end_matches('\n');
        rest.push('\n');
        let line = format!("{head}{rest}");
        if let Some(file) = &mut self.file {
            file.write(line.as_bytes());
        }
        let asked = |flavor: u32, flag: u32| self.has(flavor) || flags & flag as c_int != 0;
        let to_stdout = asked(sys::DLOG_FLV_STDOUT, sys::DLOG_STDOUT);
        let urgent = self.stderr_mask != 0 && flags & PRIMASK >= self.stderr_mask;
        // A log that goes nowhere else is told there.
        let only = self.file.is_none() && !to_stdout && !self.disabled;
        let shown = |terminal| if terminal { rest.as_bytes() } else { line.as_bytes() };
        // Nothing can be told about a failure to log.
        if flags & PRIORITY_MASK != EMIT {
            if to_stdout {
                let mut stdout = std::io::stdout();
                let _ = stdout.write_all(shown(stdout.is_terminal())).and_then(|()| stdout.flush());
            }
            if urgent || only || asked(sys::DLOG_FLV_STDERR, sys::DLOG_STDERR) {
                let mut stderr = std::io::stderr();
                let _ = stderr.write_all(shown(stderr.is_terminal()));
            }
        }
    }

    /// The reference counted initialisation.
    fn initialise(&mut self, tag: &str, file: &str, flavor: c_int, mask: i32, stderr_mask: i32) -> Result<(), Der> {
        if self.users == 0 {
            let stderr_mask =
                environment::text(c"DD_STDERR").and_then(|name| masks::priority(&name)).unwrap_or(stderr_mask);
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

fn subsystem_enabled(name: &str, long_name: &str) -> bool {
    let Some(list) = environment::text(c"DD_SUBSYS") else { return true };
    list.split(',')
        .map(str::trim)
        .any(|item| ["all", name, long_name].iter().any(|known| item.eq_ignore_ascii_case(known)))
}

/// The host's name, whole or up to the first dot.
fn node_name(whole: bool) -> String {
    let mut buffer = [0u8; 256];
    // SAFETY: a buffer and its size, less the byte that ends it.
    unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    let name = CStr::from_bytes_until_nul(&buffer).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if whole { name } else { name.split('.').next().unwrap_or_default().to_owned() }
}

/// The calling thread's numbers for a line: what the program tells, else the system's thread id and 0.
fn caller() -> (u32, u64) {
    // SAFETY: no argument.
    let (mut thread, mut unit) = (unsafe { libc::gettid() } as u32, 0);
    let callback = ID_CALLBACK.load(Ordering::Acquire);
    if callback != 0 {
        // SAFETY: a function of this type, stored by `set_id_callback`.
        unsafe {
            let callback: unsafe extern "C" fn(*mut u32, *mut u64) = std::mem::transmute(callback);
            callback(&mut thread, &mut unit);
        }
    }
    (thread, unit)
}

fn set_id_callback(callback: sys::d_log_id_cb_t) {
    ID_CALLBACK.store(callback.map_or(0, |callback| callback as usize), Ordering::Release);
}

/// Local time, ` [YYYY/]MM/DD hh:mm:ss.uuuuuu`.
fn timestamp(with_year: bool) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let seconds = now.as_secs() as libc::time_t;
    // SAFETY: zero is a valid tm, which localtime_r fills.
    let tm = unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        libc::localtime_r(&seconds, &mut tm);
        tm
    };
    let year = if with_year { format!("{:04}/", tm.tm_year + 1900) } else { String::new() };
    let (month, day, micros) = (tm.tm_mon + 1, tm.tm_mday, now.subsec_micros());
    format!(" {year}{month:02}/{day:02} {:02}:{:02}:{:02}.{micros:06}", tm.tm_hour, tm.tm_min, tm.tm_sec)
}

/// The descriptor of the log's file, or -1: for handlers of signals.
pub(crate) fn file_descriptor() -> c_int {
    file::descriptor()
}

/// Tells an error of this library's own, also when there is no log.
pub(crate) fn tell_error(message: &str) {
    with(|logger| logger.write(ERROR, message, caller()));
}

/// A debug message of this library's own.
pub(crate) fn debug(message: &str) {
    let level = facilities::debug_bits()[2].1.load(Ordering::Relaxed) as c_int;
    let mut logger = locked();
    let Some(logger) = logger.as_mut().filter(|logger| logger.is_open()) else { return };
    // SAFETY: the facility that every open logger has.
    if unsafe { (*c_facility(0)).fac_mask } & level != 0 {
        logger.write(level, message, caller());
    }
}

/// The logger, held over a fork.
pub(crate) type Held = MutexGuard<'static, Option<Logger>>;

/// Keeps other threads out of the logger.
pub(crate) fn hold() -> Held {
    locked()
}
