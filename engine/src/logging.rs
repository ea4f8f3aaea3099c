//! The log: upstream's line format and masks on top of `tracing`.
//!
//! `D_LOG_FILE` names the file (standard error without it), `D_LOG_MASK` is `LEVEL[,FACILITY=LEVEL...]`. A line reads
//! `MM/DD-HH:MM:SS.cc HOST DAOS[PID/THREAD] FACILITY LEVEL MESSAGE`.

use crate::environment;
use daos_common::{Der, Result};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Registry, layer::SubscriberExt, reload, util::SubscriberInitExt};

/// Mask when `D_LOG_MASK` is not set.
const DEFAULT_MASK: &str = "INFO";

/// Upstream's log facilities and the modules that stand for them here; the last of a module's is shown.
const FACILITIES: &[(&str, &str)] = &[
    ("server", "daos_engine"),
    ("mgmt", "daos_engine::service"),
    ("drpc", "daos_engine::drpc"),
    ("pool", "daos_engine::pool"),
    ("container", "daos_engine::pool::cont"),
    ("cont", "daos_engine::pool::cont"),
    ("rdb", "daos_engine::pool::store"),
    ("obj", "daos_engine::object"),
    ("object", "daos_engine::object"),
    ("bio", "daos_blob"),
    ("vos", "daos_vos"),
    ("rpc", "daos_fabric"),
    ("hg", "daos_fabric"),
    ("fi", "daos_fabric"),
];

static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Starts the log of this process.
///
/// # Errors
/// `INVAL`: a mask that isn't one, or a log was started before; what opening the file says.
pub fn start() -> Result<()> {
    let mask = environment::text("D_LOG_MASK").unwrap_or_else(|| DEFAULT_MASK.to_owned());
    let (filter, handle) = reload::Layer::new(parse_mask(&mask)?);
    let layer = tracing_subscriber::fmt::layer().event_format(Line::new());
    let started = match environment::text("D_LOG_FILE") {
        Some(path) => {
            let file = open(&path)?;
            tracing_subscriber::registry()
                .with(filter)
                .with(layer.with_ansi(false).with_writer(move || file.try_clone().map_or(Output::Error, Output::File)))
                .try_init()
        }
        None => tracing_subscriber::registry()
            .with(filter)
            .with(layer.with_ansi(false).with_writer(std::io::stderr))
            .try_init(),
    };
    started.map_err(|error| Der::INVAL.err(format!("the log cannot start: {error}")))?;
    let _ = FILTER.set(handle);
    Ok(())
}

/// Changes the mask of the running log; an empty one returns to that of the environment.
///
/// # Errors
/// `INVAL`: not a mask. `UNINIT`: no log was started.
pub fn set_mask(mask: &str) -> Result<()> {
    let initial = || environment::text("D_LOG_MASK").unwrap_or_else(|| DEFAULT_MASK.to_owned());
    let mask = if mask.trim().is_empty() { initial() } else { mask.to_owned() };
    let filter = parse_mask(&mask)?;
    let handle = FILTER.get().ok_or_else(|| Der::UNINIT.err("no log was started"))?;
    handle.reload(filter).map_err(|error| Der::MISC.err(format!("the log mask cannot be changed: {error}")))
}

enum Output {
    File(File),
    Error,
}

impl std::io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Output::File(file) => file.write(bytes),
            Output::Error => std::io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Output::File(file) => file.flush(),
            Output::Error => std::io::stderr().flush(),
        }
    }
}

fn open(path: &str) -> Result<File> {
    let path = match environment::text("D_LOG_FILE_APPEND_PID") {
        Some(flag) if flag != "0" => format!("{path}.{}", std::process::id()),
        _ => path.to_owned(),
    };
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.map_err(|error| daos_common::Error::from(error).at(format!("log file {path} (D_LOG_FILE)")))
}

/// Upstream's mask as a filter: its ten levels on the five of `tracing`, its facilities on our modules.
fn parse_mask(mask: &str) -> Result<EnvFilter> {
    let mut directives = Vec::new();
    for part in mask.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            None => directives.insert(0, level(part)?.to_owned()),
            Some((facility, name)) => {
                let level = level(name.trim())?;
                let facility = facility.trim().to_ascii_lowercase();
                // A facility of a part that doesn't exist here has nothing to say.
                let modules = FACILITIES.iter().filter(|(known, _)| *known == facility);
                directives.extend(modules.map(|(_, module)| format!("{module}={level}")));
            }
        }
    }
    let joined = directives.join(",");
    EnvFilter::try_new(&joined).map_err(|error| Der::INVAL.err(format!("log mask {mask:?}: {error}")))
}

fn level(name: &str) -> Result<&'static str> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "DEBUG" | "DBUG" | "DBG" => "debug",
        "TRACE" => "trace",
        "INFO" | "NOTE" | "NOTICE" => "info",
        "WARN" | "WARNING" => "warn",
        "ERR" | "ERROR" | "CRIT" | "ALRT" | "ALERT" | "FATAL" | "EMRG" | "EMERG" | "EMIT" => "error",
        _ => {
            let known = "DEBUG, INFO, NOTE, WARN, ERR, CRIT, ALRT, FATAL, EMIT";
            return Err(Der::INVAL.err(format!("log mask: no level {name:?}; known are {known}")));
        }
    })
}

/// Upstream's line.
struct Line {
    host: String,
    pid: u32,
}

impl Line {
    fn new() -> Line {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let short = host.split('.').next().unwrap_or_default().to_owned();
        Line { host: short, pid: std::process::id() }
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let level = match *metadata.level() {
            Level::ERROR => "ERR ",
            Level::WARN => "WARN",
            Level::INFO => "INFO",
            Level::DEBUG | Level::TRACE => "DBUG",
        };
        let module = metadata.module_path().unwrap_or_else(|| metadata.target());
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("-").to_owned();
        write_stamp(&mut out)?;
        let (host, pid, facility) = (&self.host, self.pid, facility(module));
        write!(out, " {host} DAOS[{pid}/{thread}] {facility:<6} {level} ")?;
        context.field_format().format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}

/// The most particular facility of a module.
fn facility(module: &str) -> &'static str {
    let matching = FACILITIES.iter().filter(|(_, prefix)| module.starts_with(prefix));
    matching.max_by_key(|(_, prefix)| prefix.len()).map_or("misc", |(name, _)| name)
}

/// Month, day and time of day in UTC, to a hundredth of a second.
fn write_stamp(out: &mut Writer<'_>) -> fmt::Result {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, hundredths) = (now.as_secs(), now.subsec_millis() / 10);
    let (month, day) = month_and_day(seconds / 86_400);
    let of_day = seconds % 86_400;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    write!(out, "{month:02}/{day:02}-{hour:02}:{minute:02}:{second:02}.{hundredths:02}")
}

/// Month and day of a day counted from 1970-01-01. Years are taken to begin in March, so that the leap day is the
/// last; 146,097 days are 400 years.
fn month_and_day(days: u64) -> (u64, u64) {
    let of_era = (days + 719_468) % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    (if from_march < 10 { from_march + 3 } else { from_march - 9 }, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: upstream's masks are understood, unknown levels refused, facilities found by module.
    #[test]
    fn masks_and_facilities() {
        assert!(parse_mask("ERR,pool=DEBUG,vos=INFO,telem=DBUG").unwrap().to_string().contains("daos_vos=info"));
        assert_eq!(parse_mask("LOUD").unwrap_err().code(), Der::INVAL);
        assert_eq!(facility("daos_engine::pool::cont"), "cont");
        assert_eq!(facility("daos_engine::cli"), "server");
    }

    /// Aim: days convert to dates, leap day included.
    #[test]
    fn dates() {
        assert_eq!(month_and_day(0), (1, 1));
        assert_eq!(month_and_day(59), (3, 1));
        // 2024-02-29 and 2026-11-24.
        assert_eq!(month_and_day(19_782), (2, 29));
        assert_eq!(month_and_day(20_781), (11, 24));
    }
}
