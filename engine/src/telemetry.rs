//! Counters of each target, written by its thread, read by whoever logs them (SIGUSR1).

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// Counters of one thread. Relaxed: a reader may see them a moment apart.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[doc = $doc])* pub $name: AtomicU64,)* }

        impl fmt::Display for Counters {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut space = "";
                $(
                    write!(f, "{space}{}={}", stringify!($name), self.$name.load(Ordering::Relaxed))?;
                    space = " ";
                )*
                let _ = space;
                Ok(())
            }
        }
    };
}

counters! {
    /// Updates that were committed.
    updates,
    /// Fetches that were answered.
    fetches,
    /// Punches that were committed.
    punches,
    /// Lists and key queries that were answered.
    lists,
    /// Service requests that were answered (context 0).
    service_requests,
    /// Bytes written by clients.
    bytes_written,
    /// Bytes read by clients.
    bytes_read,
    /// Bytes of them that went through the data tier.
    bytes_blob,
    /// Requests answered with an error.
    errors,
    /// Requests that could not be understood: unknown operation or malformed body.
    malformed,
    /// Updates, punches and commits recognised as resends.
    resends,
    /// Transactions that were committed by this target.
    committed,
    /// Parts of transactions that were prepared for other leaders.
    prepared,
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
