//! Transactions (`daos_api.h`).

use crate::c::Out;
use crate::call::{Call, answer};
use crate::handles::{CONTAINERS, TRANSACTIONS};
use daos_client::Transaction;
use daos_common::Der;
use daos_sys::{daos_epoch_t, daos_event_t, daos_handle_t};
use std::ffi::c_int;

daos_export::export! { Der;
    fn daos_tx_open(
        coh: daos_handle_t,
        th: *mut daos_handle_t,
        flags: u64,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        let (place, call) = unsafe { (Out::required(th, "th"), Call::on(ev)) };
        call.finish(|| {
            let (place, container) = (place?, CONTAINERS.get(coh.cookie)?);
            let transaction = Transaction::open(&container, flags)?;
            place.set(daos_handle_t { cookie: TRANSACTIONS.insert(transaction)? });
            Ok(())
        })
    }

    fn daos_tx_open_snap(
        coh: daos_handle_t,
        epoch: daos_epoch_t,
        th: *mut daos_handle_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        let (place, call) = unsafe { (Out::required(th, "th"), Call::on(ev)) };
        call.finish(|| {
            let (place, container) = (place?, CONTAINERS.get(coh.cookie)?);
            let transaction = Transaction::open_snapshot(&container, epoch)?;
            place.set(daos_handle_t { cookie: TRANSACTIONS.insert(transaction)? });
            Ok(())
        })
    }

    fn daos_tx_commit(th: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let transaction = TRANSACTIONS.get(th.cookie)?;
            Ok(move |context| async move { transaction.commit(&context).await })
        })
    }

    fn daos_tx_abort(th: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.finish(|| TRANSACTIONS.get(th.cookie)?.abort())
    }

    fn daos_tx_restart(th: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let transaction = TRANSACTIONS.get(th.cookie)?;
            Ok(move |context| async move { transaction.restart(&context).await })
        })
    }

    fn daos_tx_close(th: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.finish(|| {
            TRANSACTIONS.get(th.cookie)?.check_close()?;
            TRANSACTIONS.remove(th.cookie).map(drop)
        })
    }

    fn daos_tx_hdl2epoch(th: daos_handle_t, epoch: *mut daos_epoch_t) -> c_int {
        // SAFETY: the contract of `c`.
        let place = unsafe { Out::required(epoch, "epoch") };
        answer(place.and_then(|place| {
            if th.cookie == 0 {
                return Err(Der::INVAL.err("no transaction (DAOS_TX_NONE)"));
            }
            place.set(TRANSACTIONS.get(th.cookie)?.epoch()?);
            Ok(())
        }))
    }
}
