//! Where the server's own log goes.

use crate::config::{LogMask, ServerConfig};
use daos_common::{Error, Result};
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

fn level(mask: LogMask) -> LevelFilter {
    match mask {
        LogMask::Disabled => LevelFilter::OFF,
        LogMask::Trace => LevelFilter::TRACE,
        LogMask::Debug => LevelFilter::DEBUG,
        LogMask::Info | LogMask::Notice => LevelFilter::INFO,
        LogMask::Error => LevelFilter::ERROR,
    }
}

/// Starts logging as the configuration says: to `control_log_file`, else to stderr.
///
/// # Errors
/// What the file system says, with the path.
pub fn start(config: &ServerConfig) -> Result<()> {
    let level = level(config.control_log_mask);
    match &config.control_log_file {
        None => install(level, std::io::stderr, config.control_log_json),
        Some(path) => install(level, Mutex::new(open(path)?), config.control_log_json),
    }
    Ok(())
}

fn open(path: &Path) -> Result<std::fs::File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| Error::from(error).at(format!("control_log_file {}", path.display())))
}

fn install<W>(level: LevelFilter, writer: W, json: bool)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_ansi(false);
    // A second installation (tests in one process) changes nothing.
    let _ = match json {
        true => builder.json().with_writer(writer).try_init(),
        false => builder.with_writer(writer).try_init(),
    };
}
