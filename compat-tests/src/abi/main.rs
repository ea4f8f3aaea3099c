//! `abi-check`: do the headers and the built libraries agree with the tables of the reference ABI?
//!
//! Usage: `abi-check [--stage DIR] [--record]`. Reads `compat-tests/abi`; compiles a C program that includes every
//! public header and prints sizes, offsets, bits, values and the truth of type comparisons ([`probe`]); reads the
//! dynamic symbols of the libraries in DIR/lib ([`libraries`]), and runs the C programs of `compat-tests/abi` against them
//! ([`programs`]); both are left out without the option. Prints a summary per library,
//! the differences, and the functions that still answer "not implemented" with their number. Fails on any difference,
//! and when that number is above the one in `compat-tests/abi/nosys.txt`; `--record` writes the numbers there.

mod facts;
mod libraries;
mod probe;
mod programs;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(0) => {
            println!("abi-check: everything agrees");
            ExitCode::SUCCESS
        }
        Ok(differences) => {
            eprintln!("abi-check: {differences} differences");
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("abi-check: {message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<usize, String> {
    let mut stage: Option<PathBuf> = None;
    let mut record = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--stage" => stage = Some(arguments.next().ok_or("--stage needs a folder")?.into()),
            "--record" => record = true,
            other => return Err(format!("unknown argument {other}; usage: abi-check [--stage DIR] [--record]")),
        }
    }
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tables = top.join("compat-tests/abi");
    let mut differences = probe::check(&tables, &top.join("include"))?;
    if let Some(stage) = &stage {
        differences += libraries::check(&stage.join("lib"))?;
        differences += programs::run(&tables, &top.join("include"), &stage.join("lib"))?;
    }
    differences += libraries::report_missing(&top, &tables.join("nosys.txt"), record)?;
    Ok(differences)
}
