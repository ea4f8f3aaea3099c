//! Hybrid logical clock: the timestamps that order every update.
//!
//! A timestamp is 64 bits: the top 46 are physical time in units of 1/16 ns since 2021-01-01 UTC (good until 2057),
//! the low 18 are a logical counter. Same unit and start as upstream, so `daos_hlc2timespec` means the same.

use crate::{Der, Epoch, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 2021-01-01 00:00:00 UTC in Unix seconds.
pub const START_UNIX_SECONDS: u64 = 1_609_459_200;
/// Units of a nanosecond.
pub const UNITS_PER_NS: u64 = 16;
/// The logical bits.
pub const LOGICAL_MASK: u64 = 0x3_ffff;
/// How far a peer's clock may be ahead of ours.
pub const MAX_OFFSET: u64 = 1_000_000_000 * UNITS_PER_NS;

/// One clock. Timestamps from one clock strictly increase.
#[derive(Debug, Default)]
pub struct Clock {
    last: AtomicU64,
}

impl Clock {
    /// A clock that starts at the wall clock.
    pub const fn new() -> Clock {
        Clock { last: AtomicU64::new(0) }
    }

    /// A timestamp later than every one this clock gave or merged before.
    pub fn now(&self) -> Epoch {
        let physical = physical_now();
        let next = |last: u64| if last & !LOGICAL_MASK < physical { physical } else { last + 1 };
        let before = self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
        next(before.unwrap_or_else(|last| last))
    }

    /// Makes the clock later than `seen`, a timestamp that came in a message or from media.
    ///
    /// # Errors
    /// `HLC_SYNC` when `seen` is more than [`MAX_OFFSET`] ahead of the wall clock; the clock does not move.
    pub fn merge(&self, seen: Epoch) -> Result<()> {
        let physical = physical_now();
        if seen & !LOGICAL_MASK > physical.saturating_add(MAX_OFFSET) {
            let ahead_ms = (seen - physical) / UNITS_PER_NS / 1_000_000;
            return Err(Der::HLC_SYNC
                .err(format!("a peer's clock is {ahead_ms} ms ahead of this host's; synchronise the clocks (NTP)")));
        }
        self.last.fetch_max(seen, Ordering::AcqRel);
        Ok(())
    }
}

/// Unix time of a timestamp.
pub fn to_unix(epoch: Epoch) -> Duration {
    Duration::from_nanos(epoch / UNITS_PER_NS) + Duration::from_secs(START_UNIX_SECONDS)
}

/// The first timestamp of a Unix time; 0 for times before 2021.
pub fn from_unix(time: Duration) -> Epoch {
    let since_start = time.saturating_sub(Duration::from_secs(START_UNIX_SECONDS));
    u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX).saturating_mul(UNITS_PER_NS)
}

fn physical_now() -> u64 {
    let since_unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    from_unix(since_unix) & !LOGICAL_MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: timestamps increase, also right after a merge, and a clock far ahead is refused.
    #[test]
    fn increases_and_refuses_far_future() {
        let clock = Clock::new();
        let first = clock.now();
        let second = clock.now();
        assert!(second > first);
        let ahead = second + 500_000_000 * UNITS_PER_NS;
        clock.merge(ahead).unwrap();
        assert!(clock.now() > ahead);
        let error = clock.merge(ahead + 10 * MAX_OFFSET).unwrap_err();
        assert_eq!(error.code(), Der::HLC_SYNC);
    }

    /// Aim: a timestamp converts to Unix time and back within the logical bits.
    #[test]
    fn unix_round_trip() {
        let now = Clock::new().now();
        assert_eq!(from_unix(to_unix(now)) / UNITS_PER_NS, now / UNITS_PER_NS);
    }
}
