//! The raw limits: what the same provider and the memory do with nothing of ours in between.

use crate::Arguments;
use crate::report::median;
use daos_common::Result;
use daos_fabric::FabricConfig;
use daos_fabric::bench::{RmaDirection, bare_message_rate, bare_ping_pong, bare_rma_bandwidth};
use std::hint::black_box;
use std::time::Instant;

const VALUE_BYTES: usize = 4096;
const PART_BYTES: usize = 1 << 20;
/// The size of the reply to an update, and of the request of a fetch: headers.
const SMALL_BYTES: usize = 128;
const MIB: f64 = (1 << 20) as f64;

/// Limits taken in this run.
pub struct Limits {
    /// Median round trip of 4 KiB out and a small answer, in microseconds.
    pub ping_pong_us: f64,
    /// Median round trip of small messages, in microseconds.
    pub round_trip_us: f64,
    /// Messages of 4 KiB per second, 32 under way.
    pub messages_per_s: f64,
    /// Bandwidth of 1 MiB reads, 8 under way.
    pub rma_read_mib_s: f64,
    /// Bandwidth of 1 MiB writes, 8 under way.
    pub rma_write_mib_s: f64,
    /// Copying 1 MiB.
    pub memcpy_mib_s: f64,
}

/// Takes the limits, the median of as many rounds as everything else.
pub fn take(arguments: &Arguments) -> Result<Limits> {
    let config = FabricConfig {
        provider: arguments.provider.clone(),
        interface: Some(arguments.interface.clone()),
        domain: None,
        port: None,
    };
    let rounds = |measure: &dyn Fn() -> Result<f64>| -> Result<f64> {
        Ok(median((0..arguments.rounds).map(|_| measure()).collect::<Result<Vec<f64>>>()?))
    };
    let operations = arguments.operations;
    Ok(Limits {
        ping_pong_us: rounds(&|| {
            Ok(bare_ping_pong(&config, VALUE_BYTES, SMALL_BYTES, operations)?.median.as_secs_f64() * 1e6)
        })?,
        round_trip_us: rounds(&|| {
            Ok(bare_ping_pong(&config, SMALL_BYTES, SMALL_BYTES, operations)?.median.as_secs_f64() * 1e6)
        })?,
        messages_per_s: rounds(&|| bare_message_rate(&config, VALUE_BYTES, 32, operations))?,
        rma_read_mib_s: rounds(&|| Ok(bare_rma_bandwidth(&config, RmaDirection::Read, PART_BYTES, 8, 64)? / MIB))?,
        rma_write_mib_s: rounds(&|| Ok(bare_rma_bandwidth(&config, RmaDirection::Write, PART_BYTES, 8, 64)? / MIB))?,
        memcpy_mib_s: rounds(&|| Ok(memcpy()))?,
    })
}

fn memcpy() -> f64 {
    let from = vec![1u8; PART_BYTES];
    let mut to = vec![0u8; PART_BYTES];
    let copies = 256;
    let started = Instant::now();
    for _ in 0..copies {
        to.copy_from_slice(black_box(&from));
        black_box(&mut to);
    }
    (copies * PART_BYTES) as f64 / MIB / started.elapsed().as_secs_f64()
}
