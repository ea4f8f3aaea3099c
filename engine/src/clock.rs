//! The engine's clock across restarts.
//!
//! Epochs are timestamps of one [`Clock`], which only increase while the engine runs. When the host's clock is set back
//! and the engine restarts, the media know better than the host what was given before: every store tells the newest
//! epoch it holds, and the clock starts after it before the store is used.

use daos_common::hlc::Clock;
use daos_common::{Epoch, Result};
use std::path::Path;

/// Makes the clock later than `bound`, which the file at `path` holds. A wall clock that is behind is logged.
///
/// # Errors
/// `DF_INVAL`: no sound file holds such a bound.
pub fn start_after(clock: &Clock, bound: Epoch, path: &Path) -> Result<()> {
    if let Some(behind) = clock.start_after(bound)? {
        tracing::warn!(
            "this host's clock is {behind:?} behind the newest epoch in {}; epochs go on from there until it has \
             caught up; synchronise the clocks (NTP)",
            path.display()
        );
    }
    Ok(())
}
