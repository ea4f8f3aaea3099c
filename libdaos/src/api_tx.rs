//! Transactions: so far those that read a snapshot.

use crate::c::Out;
use crate::call::{Call, answer};
use crate::handles::{CONTAINERS, SNAPSHOTS};
use daos_common::Der;
use daos_sys::{daos_epoch_t, daos_event_t, daos_handle_t};
use std::ffi::c_int;
use std::sync::Arc;

daos_export::export! { Der;
    fn daos_tx_open_snap(
        coh: daos_handle_t,
        epoch: daos_epoch_t,
        th: *mut daos_handle_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        let (place, call) = unsafe { (Out::required(th, "th"), Call::on(ev)) };
        call.finish(|| {
            let place = place?;
            CONTAINERS.get(coh.cookie)?;
            if epoch == 0 {
                return Err(Der::INVAL.err("a snapshot of epoch 0"));
            }
            place.set(daos_handle_t { cookie: SNAPSHOTS.insert(Arc::new(epoch))? });
            Ok(())
        })
    }

    fn daos_tx_close(th: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.finish(|| SNAPSHOTS.remove(th.cookie).map(drop))
    }

    fn daos_tx_hdl2epoch(th: daos_handle_t, epoch: *mut daos_epoch_t) -> c_int {
        // SAFETY: the contract of `c`.
        let place = unsafe { Out::required(epoch, "epoch") };
        answer(place.and_then(|place| {
            place.set(*SNAPSHOTS.get(th.cookie)?);
            Ok(())
        }))
    }
}
