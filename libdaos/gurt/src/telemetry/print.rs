//! Text forms of metrics, standard and comma separated, to a stream of the caller's. What a form has beside the value
//! (type, statistics, description) and in which order is upstream's, since scripts read it.

use super::read::{
    d_tm_get_counter, d_tm_get_duration, d_tm_get_gauge, d_tm_get_metadata, d_tm_get_timer_snapshot, d_tm_get_timestamp,
};
use super::{Found, context, d_tm_follow_link, read};
use crate::alloc::free;
use daos_common::telemetry::kind;
use daos_export::export;
use daos_sys::{
    D_TM_CSV, D_TM_INCLUDE_METADATA, D_TM_INCLUDE_TIMESTAMP, D_TM_INCLUDE_TYPE, d_tm_context, d_tm_node_t,
    d_tm_stats_t, timespec,
};
use libc::{c_char, c_int, time_t};
use std::ffi::CStr;
use std::fmt::Write as _;
use std::ptr;

/// The stream type as bindgen has it.
type Stream = daos_sys::FILE;

/// Spaces per level.
const INDENT: usize = 4;
/// Links that one node is printed through.
const LINKS_MAX: usize = 8;

fn is_csv(format: c_int) -> bool {
    format == D_TM_CSV as c_int
}

fn includes(fields: c_int, field: u32) -> bool {
    fields & field as c_int != 0
}

/// Writes to a stream of the caller's; a failure shows in the stream's error flag.
///
/// # Safety
/// An open stream.
unsafe fn put(stream: *mut Stream, text: &str) {
    // SAFETY: as the caller says.
    unsafe { libc::fwrite(text.as_ptr().cast(), 1, text.len(), stream.cast()) };
}

/// A C string of the caller's; `None` for NULL.
///
/// # Safety
/// NULL or a C string.
unsafe fn text(string: *const c_char) -> Option<String> {
    // SAFETY: as the caller says.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned())
}

/// A moment as `ctime` has it, without its end of line.
fn calendar(seconds: time_t) -> Option<String> {
    // SAFETY: a broken-down time of this function's, and the C library's abbreviated names.
    let time = unsafe {
        let mut parts: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&seconds, &mut parts).is_null() {
            return None;
        }
        parts
    };
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (day, month) = (DAYS.get(time.tm_wday as usize)?, MONTHS.get(time.tm_mon as usize)?);
    Some(format!(
        "{day} {month} {:>2} {:02}:{:02}:{:02} {}",
        time.tm_mday,
        time.tm_hour,
        time.tm_min,
        time.tm_sec,
        i64::from(time.tm_year) + 1900
    ))
}

fn microseconds(time: timespec) -> u64 {
    (time.tv_sec as u64).wrapping_mul(1_000_000).wrapping_add(time.tv_nsec as u64 / 1000)
}

/// `name,type,value` or `type: type, name: value unit`.
fn line(name: &str, kind: &str, value: &str, units: Option<&str>, format: c_int, fields: c_int) -> String {
    let with_type = includes(fields, D_TM_INCLUDE_TYPE);
    if is_csv(format) {
        let kind = if with_type { format!(",{kind}") } else { String::new() };
        return format!("{name}{kind},{value}");
    }
    let kind = if with_type { format!("type: {kind}, ") } else { String::new() };
    let units = units.map_or(String::new(), |units| format!(" {units}"));
    format!("{kind}{name}: {value}{units}")
}

fn statistics(stats: &d_tm_stats_t, format: c_int) -> String {
    let d_tm_stats_t { dtm_min: min, dtm_max: max, dtm_sum: sum, std_dev, mean, sample_size: samples, .. } = *stats;
    let spread = samples > 2;
    if is_csv(format) {
        let deviation = if spread { format!("{std_dev:.6}") } else { String::new() };
        return format!(",{min},{max},{mean:.6},{samples},{sum},{deviation}");
    }
    let deviation = if spread { format!(", stddev: {std_dev:.0}") } else { String::new() };
    format!(" [min: {min}, max: {max}, avg: {mean:.0}, sum: {sum}{deviation}, samples: {samples}]")
}

/// The clock in a kind: the word that its type is printed with.
fn clock(kind: i32) -> Option<&'static str> {
    match kind {
        kind::CLOCK_REALTIME => Some("realtime"),
        kind::CLOCK_PROCESS_CPUTIME => Some("process"),
        kind::CLOCK_THREAD_CPUTIME => Some("thread"),
        _ => None,
    }
}

fn metadata(description: Option<&str>, units: Option<&str>, format: c_int) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    if is_csv(format) {
        match (description, units) {
            (Some(description), _) => _ = write!(text, ",{description}"),
            (None, Some(_)) => text.push(','),
            (None, None) => {}
        }
        if let Some(units) = units {
            let _ = write!(text, ",{units}");
        }
        return text;
    }
    if let Some(description) = description {
        let _ = write!(text, ", desc: {description}");
    }
    if let Some(units) = units {
        let _ = write!(text, ", units: {units}");
    }
    text
}

/// A node that is printed: how, and with what beside it.
struct Node<'a> {
    ctx: *mut d_tm_context,
    node: *mut d_tm_node_t,
    kind: i32,
    name: &'a str,
    units: Option<&'a str>,
    format: c_int,
    fields: c_int,
}

impl Node<'_> {
    fn line(&self, kind: &str, value: &str) -> String {
        line(self.name, kind, value, self.units, self.format, self.fields)
    }

    /// The value of a metric, and whether statistics stand behind it.
    fn value(&self) -> (String, bool) {
        let failed = |what: &str, rc: c_int| (format!("Error on {what} read: {rc}\n"), false);
        let mut number = 0;
        let mut stats = d_tm_stats_t::default();
        let mut time = timespec::default();
        // SAFETY: places of this function's; context and node are checked by what is called.
        unsafe {
            match self.kind {
                kind::COUNTER => match d_tm_get_counter(self.ctx, &mut number, self.node) {
                    0 => (self.line("counter", &number.to_string()), false),
                    rc => failed("counter", rc),
                },
                kind::TIMESTAMP => {
                    let mut seconds = 0;
                    match d_tm_get_timestamp(self.ctx, &mut seconds, self.node) {
                        0 => (timestamp(self.name, seconds, self.format, self.fields), false),
                        rc => failed("timestamp", rc),
                    }
                }
                kind::MEMORY => match read::memory(self.ctx, self.node) {
                    Ok(words) => (self.memory(words), false),
                    Err(code) => failed("meminfo", code.rc()),
                },
                kind::GAUGE | kind::STATS_GAUGE => match d_tm_get_gauge(self.ctx, &mut number, &mut stats, self.node) {
                    0 => self.with_statistics(self.line("gauge", &number.to_string()), &stats),
                    rc => failed("gauge", rc),
                },
                found if found & kind::TIMER_SNAPSHOT != 0 => {
                    match d_tm_get_timer_snapshot(self.ctx, &mut time, self.node) {
                        0 => (snapshot(time, self.name, found, self.format, self.fields), false),
                        rc => failed("highres timer", rc),
                    }
                }
                found if found & kind::DURATION != 0 => {
                    match d_tm_get_duration(self.ctx, &mut time, &mut stats, self.node) {
                        0 => {
                            let text = duration(time, Some(&stats), self.name, found, self.format, self.fields);
                            (text, stats.sample_size > 0)
                        }
                        rc => failed("duration", rc),
                    }
                }
                found => (format!("Item: {} has unknown type: 0x{found:x}\n", self.name), false),
            }
        }
    }

    fn with_statistics(&self, mut text: String, stats: &d_tm_stats_t) -> (String, bool) {
        let there = stats.sample_size > 0;
        if there {
            text.push_str(&statistics(stats, self.format));
        }
        (text, there)
    }

    fn memory(&self, [arena, ordblks, uordblks, fordblks]: [u64; 4]) -> String {
        let values = format!("{arena},{ordblks},{uordblks},{fordblks}");
        let with_type = includes(self.fields, D_TM_INCLUDE_TYPE);
        let names = if with_type { "arena,ordblks,uordblks,fordblks" } else { "" };
        match (is_csv(self.format), with_type) {
            (true, true) => format!("{},{names},{values}", self.name),
            (true, false) => format!("{},{values}", self.name),
            (false, true) => format!("type: {names},{}:{values}", self.name),
            (false, false) => format!("{}:{values}", self.name),
        }
    }
}

fn timestamp(name: &str, seconds: time_t, format: c_int, fields: c_int) -> String {
    match calendar(seconds) {
        Some(date) => line(name, "timestamp", &date, None, format, fields),
        None => "Error on timestamp read: ctime() failure\n".to_owned(),
    }
}

/// The value of a timer, with the unit that only the standard form has.
fn timer(name: &str, kind: &str, time: timespec, format: c_int, fields: c_int) -> String {
    line(name, kind, &microseconds(time).to_string(), Some("us"), format, fields)
}

fn snapshot(time: timespec, name: &str, found: i32, format: c_int, fields: c_int) -> String {
    match clock(found & !kind::TIMER_SNAPSHOT) {
        Some(clock) => timer(name, &format!("snapshot {clock}"), time, format, fields),
        None => format!("Invalid timer snapshot type: 0x{:x}", found & !kind::TIMER_SNAPSHOT),
    }
}

fn duration(
    time: timespec,
    stats: Option<&d_tm_stats_t>,
    name: &str,
    found: i32,
    format: c_int,
    fields: c_int,
) -> String {
    let Some(clock) = clock(found & !kind::DURATION) else {
        return format!("Invalid timer duration type: 0x{:x}", found & !kind::DURATION);
    };
    let behind = stats.filter(|stats| stats.sample_size > 0).map(|stats| statistics(stats, format));
    timer(name, &format!("duration {clock}"), time, format, fields) + &behind.unwrap_or_default()
}

/// Name and kind of a node of the context's.
fn known(ctx: *mut d_tm_context, node: *mut d_tm_node_t) -> Option<(String, i32)> {
    context(ctx)?.with_node(node, |node: Found<'_>| {
        let name = node.name().map(|name| String::from_utf8_lossy(&name[..name.len() - 1]).into_owned());
        (name.unwrap_or_else(|| "(null)".to_owned()), node.kind())
    })
}

/// What stands before a node's value.
fn lead(kind: i32, level: c_int, path: Option<&str>, format: c_int, fields: c_int) -> String {
    // SAFETY: a plain system call.
    let now = includes(fields, D_TM_INCLUDE_TIMESTAMP).then(|| calendar(unsafe { libc::time(ptr::null_mut()) }));
    let now = now.map(Option::unwrap_or_default);
    if is_csv(format) {
        let now = now.map_or(String::new(), |now| format!("{now},"));
        return now + &path.map_or(String::new(), |path| format!("{path}/"));
    }
    let now = now.filter(|_| kind != kind::DIRECTORY).map_or(String::new(), |now| format!("{now}, "));
    " ".repeat(INDENT * usize::try_from(level).unwrap_or(0).min(super::DEPTH_MAX)) + &now
}

/// # Safety
/// An open stream.
unsafe fn print_node(
    ctx: *mut d_tm_context,
    mut node: *mut d_tm_node_t,
    level: c_int,
    path: Option<&str>,
    format: c_int,
    fields: c_int,
    stream: *mut Stream,
) {
    for _ in 0..LINKS_MAX {
        let Some((name, kind)) = known(ctx, node) else { return };
        if kind == kind::LINK {
            // SAFETY: checked by what is called.
            node = unsafe { d_tm_follow_link(ctx, node) };
            continue;
        }
        let mut text = lead(kind, level, path, format, fields);
        if kind == kind::DIRECTORY {
            if !is_csv(format) {
                let _ = writeln!(text, "{name:<8}");
            }
            // SAFETY: as the caller says.
            return unsafe { put(stream, &text) };
        }
        let (mut desc, mut unit) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: places of this function's; strings of this library's, freed below.
        let (description, units) = unsafe {
            d_tm_get_metadata(ctx, &mut desc, &mut unit, node);
            (self::text(desc), self::text(unit))
        };
        free(desc);
        free(unit);
        let one = Node { ctx, node, kind, name: &name, units: units.as_deref(), format, fields };
        let (value, with_statistics) = one.value();
        text.push_str(&value);
        if includes(fields, D_TM_INCLUDE_METADATA) {
            if is_csv(format) && !with_statistics && (description.is_some() || units.is_some()) {
                // The columns of the statistics that aren't there.
                text.push_str(",,,,,");
            }
            text.push_str(&metadata(description.as_deref(), units.as_deref(), format));
        }
        text.push('\n');
        // SAFETY: as the caller says.
        return unsafe { put(stream, &text) };
    }
}

export! { Der;
    fn d_tm_print_stats(stream: *mut Stream, stats: *mut d_tm_stats_t, format: c_int) {
        // SAFETY: NULL or the caller's.
        if let (Some(stats), false) = (unsafe { stats.as_ref() }, stream.is_null()) {
            // SAFETY: an open stream of the caller's.
            unsafe { put(stream, &statistics(stats, format)) };
        }
    }

    fn d_tm_print_counter(
        val: u64, name: *mut c_char, format: c_int, units: *mut c_char, opt_fields: c_int, stream: *mut Stream,
    ) {
        // SAFETY: strings and an open stream of the caller's, or NULL.
        unsafe {
            let (Some(name), false) = (text(name), stream.is_null()) else { return };
            put(stream, &line(&name, "counter", &val.to_string(), text(units).as_deref(), format, opt_fields));
        }
    }

    fn d_tm_print_timestamp(
        clk: *mut time_t, name: *mut c_char, format: c_int, opt_fields: c_int, stream: *mut Stream,
    ) {
        // SAFETY: a time, a string and an open stream of the caller's, or NULL.
        unsafe {
            let (Some(seconds), Some(name), false) = (clk.as_ref(), text(name), stream.is_null()) else { return };
            put(stream, &timestamp(&name, *seconds, format, opt_fields));
        }
    }

    fn d_tm_print_timer_snapshot(
        tms: *mut timespec, name: *mut c_char, tm_type: c_int, format: c_int, opt_fields: c_int, stream: *mut Stream,
    ) {
        // SAFETY: a time, a string and an open stream of the caller's, or NULL.
        unsafe {
            let (Some(time), Some(name), false) = (tms.as_ref(), text(name), stream.is_null()) else { return };
            put(stream, &snapshot(*time, &name, tm_type, format, opt_fields));
        }
    }

    fn d_tm_print_duration(
        tms: *mut timespec, stats: *mut d_tm_stats_t, name: *mut c_char, tm_type: c_int, format: c_int,
        opt_fields: c_int, stream: *mut Stream,
    ) {
        // SAFETY: a time, statistics, a string and an open stream of the caller's, or NULL.
        unsafe {
            let (Some(time), Some(name), false) = (tms.as_ref(), text(name), stream.is_null()) else { return };
            put(stream, &duration(*time, stats.as_ref(), &name, tm_type, format, opt_fields));
        }
    }

    fn d_tm_print_gauge(
        val: u64, stats: *mut d_tm_stats_t, name: *mut c_char, format: c_int, units: *mut c_char, opt_fields: c_int,
        stream: *mut Stream,
    ) {
        // SAFETY: statistics, strings and an open stream of the caller's, or NULL.
        unsafe {
            let (Some(name), false) = (text(name), stream.is_null()) else { return };
            let mut printed = line(&name, "gauge", &val.to_string(), text(units).as_deref(), format, opt_fields);
            if let Some(stats) = stats.as_ref().filter(|stats| stats.sample_size > 0) {
                printed.push_str(&statistics(stats, format));
            }
            put(stream, &printed);
        }
    }

    fn d_tm_print_metadata(desc: *mut c_char, units: *mut c_char, format: c_int, stream: *mut Stream) {
        if stream.is_null() {
            return;
        }
        // SAFETY: strings of the caller's or NULL, and an open stream.
        unsafe { put(stream, &metadata(text(desc).as_deref(), text(units).as_deref(), format)) };
    }

    fn d_tm_print_field_descriptors(opt_fields: c_int, stream: *mut Stream) {
        if stream.is_null() {
            return;
        }
        let column = |field, name: &'static str| if includes(opt_fields, field) { name } else { "" };
        let columns = [
            column(D_TM_INCLUDE_TIMESTAMP, "timestamp,"),
            "name,",
            column(D_TM_INCLUDE_TYPE, "type,"),
            "value,min,max,mean,sample_size,sum,std_dev",
            column(D_TM_INCLUDE_METADATA, ",description,units"),
            "\n",
        ];
        // SAFETY: an open stream of the caller's.
        unsafe { put(stream, &columns.concat()) };
    }

    fn d_tm_print_node(
        ctx: *mut d_tm_context, node: *mut d_tm_node_t, level: c_int, name: *mut c_char, format: c_int,
        opt_fields: c_int, stream: *mut Stream,
    ) {
        if stream.is_null() {
            return;
        }
        // SAFETY: a string of the caller's or NULL, and an open stream.
        unsafe { print_node(ctx, node, level, text(name).as_deref(), format, opt_fields, stream) };
    }

    fn d_tm_reset_node(
        ctx: *mut d_tm_context, node: *mut d_tm_node_t, level: c_int, path: *mut c_char, format: c_int,
        opt_fields: c_int, stream: *mut Stream,
    ) {
        let _ = (level, path, format, opt_fields);
        // SAFETY: checked by what is called.
        let node = unsafe { d_tm_follow_link(ctx, node) };
        let Some((name, found)) = known(ctx, node) else { return };
        let resettable = found & (kind::COUNTER | kind::TIMESTAMP | kind::GAUGE | kind::STATS_GAUGE) != 0
            || found & (kind::TIMER_SNAPSHOT | kind::DURATION) != 0
            || found == kind::DIRECTORY;
        if resettable {
            read::reset(ctx, node);
        } else if !stream.is_null() {
            // SAFETY: an open stream of the caller's.
            unsafe { put(stream, &format!("Item: {name} has unknown type: 0x{found:x}\n")) };
        }
    }
}
