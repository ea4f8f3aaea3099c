//! Hybrid logical clock: the timestamps that order every update.
//!
//! A timestamp is 64 bits: the top 46 are physical time in units of 1/16 ns since 2021-01-01 UTC (good until 2057),
//! the low 18 are a logical counter. Same unit and start as upstream, so `daos_hlc2timespec` means the same.
//!
//! While the wall clock is behind a clock's last timestamp, the counter alone makes the next ones. A full counter carries
//! into the physical bits: 2^18 timestamps move the clock by 16.384 µs of time to come, far less than it takes to give
//! them, so that the wall clock always catches up.

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

/// No clock starts at a timestamp after this: a year before the 64 bits end.
pub const START_MAX: Epoch = u64::MAX - 365 * 86_400 * 1_000_000_000 * UNITS_PER_NS;

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
        self.now_at(physical_now())
    }

    /// [`Clock::now`] with the wall clock at `physical`.
    fn now_at(&self, physical: u64) -> Epoch {
        let next = |last: u64| if last & !LOGICAL_MASK < physical { physical } else { last + 1 };
        let before = self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
        next(before.unwrap_or_else(|last| last))
    }

    /// Makes the clock later than `bound`, a timestamp that this host's own media hold, however far the wall clock is
    /// behind: what was given before a restart must not be given again. How far it is behind, if that is news: if this
    /// moved the clock ahead of the wall clock, or by more than [`MAX_OFFSET`] further ahead.
    ///
    /// # Errors
    /// `DF_INVAL` when `bound` is after [`START_MAX`], which no sound media hold; the clock does not move.
    pub fn start_after(&self, bound: Epoch) -> Result<Option<Duration>> {
        if bound > START_MAX {
            let year = 1970 + to_unix(bound).as_secs() / 31_556_952;
            let message = format!("a timestamp of the year {year} on the media; they are damaged");
            return Err(Der::DF_INVAL.err(message));
        }
        let physical = physical_now();
        let before = self.last.fetch_max(bound, Ordering::AcqRel);
        let known = before > physical && bound <= before.saturating_add(MAX_OFFSET);
        let behind = Duration::from_nanos(bound.saturating_sub(physical) / UNITS_PER_NS);
        Ok((!known && bound > before.max(physical | LOGICAL_MASK)).then_some(behind))
    }

    /// Whether the clock is at or past a timestamp: what it gives from now on is later.
    pub fn has_passed(&self, epoch: Epoch) -> bool {
        epoch <= self.last.load(Ordering::Acquire)
    }

    /// Makes the clock later than `seen`, a timestamp that came from a peer. One that the clock has passed is never
    /// refused: this clock may have given it, and it may have been started ahead of the wall clock.
    ///
    /// # Errors
    /// `HLC_SYNC` when `seen` is more than [`MAX_OFFSET`] ahead of the wall clock; the clock does not move.
    pub fn merge(&self, seen: Epoch) -> Result<()> {
        if seen <= self.last.load(Ordering::Acquire) {
            return Ok(());
        }
        let physical = physical_now();
        if seen & !LOGICAL_MASK > physical.saturating_add(MAX_OFFSET) {
            let ahead_ms = (seen - physical) / UNITS_PER_NS / 1_000_000;
            return Err(Der::HLC_SYNC
                .err(format!("a peer's clock is {ahead_ms} ms ahead of this host's; synchronise the clocks (NTP)")));
        }
        self.advance(seen);
        Ok(())
    }

    /// Makes the clock later than `seen`, however far ahead: the caller has checked it.
    pub fn advance(&self, seen: Epoch) {
        self.last.fetch_max(seen, Ordering::AcqRel);
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

    /// Aim: a clock that starts an hour ahead says so once, gives timestamps that increase through full counters until
    /// the wall clock has caught up, knows its own timestamps again and still refuses what peers say from further ahead.
    #[test]
    fn starts_ahead_of_the_wall_clock() {
        let hour = 3600 * 1_000_000_000 * UNITS_PER_NS;
        let clock = Clock::new();
        let bound = (clock.now() + hour) | (LOGICAL_MASK - 2);
        let behind = clock.start_after(bound).unwrap().unwrap();
        assert!((3590..=3600).contains(&behind.as_secs()), "{behind:?}");
        assert_eq!(clock.start_after(bound).unwrap(), None);
        assert_eq!(clock.start_after(bound - hour / 2).unwrap(), None);
        let bound = bound + 2 * (LOGICAL_MASK + 1);
        assert_eq!(clock.start_after(bound).unwrap(), None);
        let mut last = bound;
        for _ in 0..2 * (LOGICAL_MASK + 1) {
            let next = clock.now();
            assert_eq!(next, last + 1);
            last = next;
        }
        assert!(to_unix(last) - to_unix(bound) < Duration::from_micros(33));
        clock.merge(last).unwrap();
        assert_eq!(clock.merge(last + 1).unwrap_err().code(), Der::HLC_SYNC);
        assert_eq!(clock.now(), last + 1);
        let caught_up = (last + hour) & !LOGICAL_MASK;
        assert_eq!(clock.now_at(caught_up), caught_up);
        assert_eq!(clock.now_at(caught_up), caught_up + 1);
    }

    /// Aim: a start in the past changes nothing, and a start near the end of time is refused.
    #[test]
    fn starts_that_do_nothing() {
        let clock = Clock::new();
        let first = clock.now();
        assert_eq!(clock.start_after(0).unwrap(), None);
        assert_eq!(clock.start_after(first).unwrap(), None);
        for bound in [START_MAX + 1, u64::MAX] {
            let error = clock.start_after(bound).unwrap_err();
            assert_eq!(error.code(), Der::DF_INVAL);
            assert!(error.message().contains("205"), "{error}");
        }
        let next = clock.now();
        assert!(next > first && next < first + MAX_OFFSET * 60);
    }

    /// Aim: a timestamp converts to Unix time and back within the logical bits.
    #[test]
    fn unix_round_trip() {
        let now = Clock::new().now();
        assert_eq!(from_unix(to_unix(now)) / UNITS_PER_NS, now / UNITS_PER_NS);
    }
}
