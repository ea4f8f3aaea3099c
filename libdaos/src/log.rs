//! The library's log: `D_LOG_MASK` says how much (its first word: `DEBUG`, `INFO`, `NOTE`, `WARN`, `ERR`, `CRIT`; `ERR`
//! when unset), `D_LOG_FILE` where to (stderr when unset; the process id is added with `D_LOG_FILE_APPEND_PID`).

use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::sync::{Arc, Once};
use tracing::level_filters::LevelFilter;

static START: Once = Once::new();

/// Begins to log; effective once.
pub(crate) fn start() {
    START.call_once(|| {
        let level = level(&std::env::var("D_LOG_MASK").unwrap_or_default());
        let file = std::env::var("D_LOG_FILE").ok().filter(|path| !path.is_empty()).and_then(|mut path| {
            if std::env::var("D_LOG_FILE_APPEND_PID").is_ok_and(|value| value != "0") {
                path = format!("{path}.{}", std::process::id());
            }
            OpenOptions::new().create(true).append(true).open(path).ok()
        });
        let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false);
        let started = match file {
            Some(file) => builder.with_ansi(false).with_writer(Arc::new(file)).try_init(),
            None => builder.with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr).try_init(),
        };
        // Another subscriber of this library cannot be there; if one is, it gets the messages.
        drop(started);
    });
}

fn level(mask: &str) -> LevelFilter {
    let word = mask.split(',').find(|part| !part.contains('=')).unwrap_or("").trim().to_ascii_uppercase();
    match word.as_str() {
        "DEBUG" | "DBUG" => LevelFilter::DEBUG,
        "INFO" => LevelFilter::INFO,
        "NOTE" | "WARN" => LevelFilter::WARN,
        "CRIT" | "ALRT" | "EMRG" | "FATAL" | "EMIT" => LevelFilter::OFF,
        _ => LevelFilter::ERROR,
    }
}
