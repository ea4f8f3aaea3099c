//! `daos_bench`: what applications get from libdaos and libdfs, beside the limit of the fabric and of memory taken in the
//! same run.
//!
//! Runs on a system that exists (DAOS_POOL, DAOS_CONT); `make bench` starts one. Prints a table and writes a JSON list of
//! `{name, value, unit, limit, ratio}`: the ratio is value over limit, whichever way is better.

mod files;
mod limits;
mod objects;
mod queue;
mod report;

use clap::Parser;
use daos_api::{Container, Pool};
use daos_common::{Der, Error, Result};
use report::Report;
use std::path::PathBuf;

/// Measures libdaos and libdfs beside the raw limits.
#[derive(Parser, Debug)]
#[command(name = "daos_bench", version)]
struct Arguments {
    /// Pool label or UUID.
    #[arg(long, env = "DAOS_POOL", default_value = "dev")]
    pool: String,
    /// Container label or UUID; a POSIX container.
    #[arg(long, env = "DAOS_CONT", default_value = "dev")]
    cont: String,
    /// Rounds of each measurement; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Operations in a round of the small-operation measurements.
    #[arg(long, default_value_t = 2000)]
    operations: usize,
    /// Fabric provider of the raw limits.
    #[arg(long, env = "D_PROVIDER", default_value = "ofi+tcp")]
    provider: String,
    /// Network interface of the raw limits.
    #[arg(long, env = "D_INTERFACE", default_value = "lo")]
    interface: String,
    /// Where the JSON goes.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() {
    let arguments = Arguments::parse();
    if let Err(error) = run(&arguments) {
        eprintln!("daos_bench: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    if arguments.rounds == 0 || arguments.operations == 0 {
        return Err(Der::INVAL.err("--rounds and --operations must not be 0"));
    }
    daos_api::init()?;
    let pool = Pool::connect(&arguments.pool, None, true)?;
    let cont = Container::open(pool.as_ref(), &arguments.cont, daos_common::flags::OPEN_RW as u32)?;
    let mut report = Report::new();
    let limits = limits::take(arguments)?;
    report.add("memcpy of 1 MiB", limits.memcpy_mib_s, "MiB/s", None);
    report.add("round trip of 128 B, bare", limits.round_trip_us, "us", None);
    objects::measure(arguments, cont.as_ref(), &limits, &mut report)?;
    files::measure(arguments, pool.as_ref(), cont.as_ref(), &limits, &mut report)?;
    report.print();
    if let Some(path) = &arguments.json {
        report.write(path).map_err(|error| Error::from(error).at(path.display()))?;
    }
    drop(cont);
    drop(pool);
    daos_api::fini()
}
