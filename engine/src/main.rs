//! The `daos_engine` program: command line, log, engine, exit status.

use clap::Parser;
use clap::error::ErrorKind;
use daos_engine::cli::Options;
use daos_engine::{engine, logging, watch};
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Nothing is left to report to when the terminal is gone.
            let _ = error.print();
            return if asked { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    };
    // Before the first thread: a thread inherits which signals are blocked.
    let outcome = watch::Signals::block().and_then(|signals| {
        options.check()?;
        logging::start()?;
        engine::run(&options, signals)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            eprintln!("daos_engine: {error}");
            ExitCode::FAILURE
        }
    }
}
