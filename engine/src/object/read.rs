//! The data of a fetch, read on the target itself: for what looks at values beside the data.

use super::{Session, transfer};
use crate::target::Target;
use crate::telemetry;
use daos_common::{Der, Result};
use daos_vos::{Fetch, Place};
use std::task::Poll;

/// Bytes that are read from the data tier at once.
const STEP_BYTES: u64 = 1 << 20;

/// A run of a value's bytes.
pub enum Run<'a> {
    /// These.
    Bytes(&'a [u8]),
    /// So many that were never written.
    Hole(u64),
}

/// Calls `visit` with the runs of one descriptor's data, in order.
///
/// # Errors
/// What the device says.
pub async fn each_run(
    target: &Target,
    session: &Session,
    fetch: &Fetch,
    iod: usize,
    mut visit: impl FnMut(Run<'_>),
) -> Result<()> {
    let store = session.share.store()?;
    let places = fetch.iods.get(iod).map_or(&[][..], |fetched| &fetched.places);
    for place in places {
        match *place {
            Place::Arena { .. } => visit(Run::Bytes(store.vos.bytes(fetch, *place))),
            Place::Hole { len } => visit(Run::Hole(len)),
            Place::Blob { offset, len } => {
                let blob = store
                    .blob
                    .as_ref()
                    .ok_or_else(|| Der::IO.err("the store names the data tier, but the share has none"))?;
                let mut at = 0;
                while at < len {
                    let step = STEP_BYTES.min(len - at);
                    let (buffer, range) = blob.read(offset + at, transfer::length(step)?).await?;
                    telemetry::add(&target.counters.bytes_blob, step);
                    visit(Run::Bytes(&buffer[range]));
                    at += step;
                }
            }
        }
    }
    Ok(())
}

/// Lets other requests of the target run.
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
