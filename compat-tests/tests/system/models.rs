//! The C API against models in memory (`src/models`), each on a system of its own. `SEED` and `STEPS` go through.

use crate::harness::{System, text};

fn holds(model: &str) {
    let system = System::start(&[]);
    let output = system.command(env!("CARGO_BIN_EXE_api-models")).arg(model).output().expect("it runs");
    println!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{model}: {}", output.status);
}

/// Aim: objects: any mix of values and extents, conditions, I/O maps, punches, listings, key queries, snapshots.
#[test]
fn objects() {
    holds("object");
}

/// Aim: arrays of every type: ranges, holes, short reads, sizes, punches, snapshots.
#[test]
fn arrays() {
    holds("array");
}

/// Aim: key-value objects: conditions, sizes, listings, snapshots.
#[test]
fn key_values() {
    holds("kv");
}

/// Aim: pipelines give what evaluating them on the client gives.
#[test]
fn pipelines() {
    holds("pipeline");
}
