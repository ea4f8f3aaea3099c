//! Faults that tests inject (`daos_debug_set_params`), with the numbers and the rules of the original. Only an engine that
//! was started with `DAOS_FAULT_INJECTION=1` takes them. Cost on the data path: one relaxed load.

use crate::environment;
use daos_common::{Der, Result};
use std::sync::atomic::{AtomicU64, Ordering};

/// Requests on a shard fail with IO (`DAOS_SHARD_OBJ_FAIL`).
pub const SHARD_FAIL: u64 = 0x1_0003;
/// Updates find no space (`DAOS_OBJ_UPDATE_NOSPACE`).
pub const UPDATE_NOSPACE: u64 = 0x1_0004;

const ID_MASK: u64 = 0xff_ffff;
const ONCE: u64 = 0x100_0000;
const SOME: u64 = 0x200_0000;

static PLACE: AtomicU64 = AtomicU64::new(0);
static VALUE: AtomicU64 = AtomicU64::new(0);
static TIMES: AtomicU64 = AtomicU64::new(0);

/// Sets a parameter: 0 the place with `extra` times, 1 the value, 2 the times.
///
/// # Errors
/// `NO_PERM`: the engine does not inject faults; `INVAL`: an unknown parameter.
pub fn set(key: u32, value: u64, extra: u64) -> Result<()> {
    if environment::text("DAOS_FAULT_INJECTION").as_deref() != Some("1") {
        return Err(Der::NO_PERM.err("the engine was started without DAOS_FAULT_INJECTION=1"));
    }
    match key {
        0 => {
            TIMES.store(if value & ONCE != 0 { 1 } else { extra }, Ordering::Relaxed);
            PLACE.store(value, Ordering::Release);
        }
        1 => VALUE.store(value, Ordering::Relaxed),
        2 => TIMES.store(value, Ordering::Relaxed),
        _ => return Err(Der::INVAL.err(format!("unknown parameter {key}"))),
    }
    tracing::warn!("fault injection: parameter {key} is {value:#x} ({extra})");
    Ok(())
}

/// Whether the fault `id` is to happen now.
pub fn strikes(id: u64) -> bool {
    let place = PLACE.load(Ordering::Acquire);
    if place == 0 || place & ID_MASK != id {
        return false;
    }
    if place & (ONCE | SOME) == 0 {
        return true;
    }
    TIMES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |times| times.checked_sub(1)).is_ok()
}
