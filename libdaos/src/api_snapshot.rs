//! Snapshots and history of containers (`daos_cont.h`), tables of their objects (`daos_obj.h`).

use crate::c::{Out, OutArray, null, text};
use crate::call::Call;
use crate::handles::{CONTAINERS, OBJECTS};
use daos_client::object::{OPEN_RO, OPEN_RW, Object};
use daos_client::oit::{MARK_MAX_BYTES, OitAnchor, OitEntry};
use daos_common::{Der, Error, ObjectId, Result, flags};
use daos_sys::{
    DAOS_ANCHOR_TYPE_EOF, DAOS_ANCHOR_TYPE_KEY, DAOS_ANCHOR_TYPE_ZERO, DAOS_SNAP_OPT_CR, DAOS_SNAP_OPT_OIT,
};
use daos_sys::{DAOS_SNAPSHOT_MAX_LEN, d_iov_t, daos_anchor_t, daos_epoch_range_t, daos_epoch_t, daos_event_t};
use daos_sys::{daos_handle_t, daos_obj_id_t, daos_oit_filter_cb, daos_snapshot_opts};
use std::ffi::{c_char, c_int};

/// Longest name of a snapshot; with its NUL it fits in `DAOS_SNAPSHOT_MAX_LEN`.
const NAME_BYTES_MAX: usize = DAOS_SNAPSHOT_MAX_LEN as usize - 1;
/// Where an anchor holds the length of the position, and the bucket.
const LENGTH_AT: usize = 96;
const BUCKET_AT: usize = 100;

/// The name that a caller gives a snapshot; empty for none.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn snapshot_name(name: *const c_char) -> Result<String> {
    match name.is_null() {
        true => Ok(String::new()),
        // SAFETY: the contract of this function.
        false => unsafe { text(name, NAME_BYTES_MAX, "snapshot name") },
    }
}

/// # Safety
/// The contract of [`crate::c`].
unsafe fn create_snap(
    coh: daos_handle_t,
    epoch: *mut daos_epoch_t,
    name: *const c_char,
    opts: u32,
    ev: *mut daos_event_t,
) -> c_int {
    // SAFETY: the contract of this function.
    unsafe { Call::on(ev) }.run(|| {
        let container = CONTAINERS.get(coh.cookie)?;
        // SAFETY: the contract of this function.
        let (place, name) = unsafe { (Out::required(epoch, "epoch")?, snapshot_name(name)?) };
        if opts & DAOS_SNAP_OPT_CR == 0 || opts & !(DAOS_SNAP_OPT_CR | DAOS_SNAP_OPT_OIT) != 0 {
            return Err(
                Der::INVAL.err(format!("snapshot options {opts:#x} are not DAOS_SNAP_OPT_CR, with or without _OIT"))
            );
        }
        Ok(move |context| async move {
            let epoch = container.create_snapshot(&context, name).await?;
            if opts & DAOS_SNAP_OPT_OIT != 0
                && let Err(error) = container.create_oit(&context, epoch).await
            {
                // Both or none; the table's first keys go with the next attempt's, or with the container.
                let _ = container.destroy_snapshots(&context, epoch, epoch).await;
                return Err(error.at("object id table of a new snapshot"));
            }
            place.set(epoch);
            Ok(())
        })
    })
}

/// Where a listing of a table goes on, from the caller's anchor.
fn take_anchor(anchor: &daos_anchor_t) -> OitAnchor {
    match u32::from(anchor.da_type) {
        DAOS_ANCHOR_TYPE_ZERO => OitAnchor::default(),
        DAOS_ANCHOR_TYPE_EOF => OitAnchor { bucket: u32::MAX, position: Vec::new() },
        _ => {
            let length = usize::from(anchor.da_buf[LENGTH_AT]).min(LENGTH_AT);
            let bucket = u32::from_le_bytes(std::array::from_fn(|byte| anchor.da_buf[BUCKET_AT + byte]));
            OitAnchor { bucket, position: anchor.da_buf[..length].to_vec() }
        }
    }
}

fn give_anchor(anchor: &OitAnchor, before: daos_anchor_t) -> daos_anchor_t {
    let mut after = before;
    after.da_type = if anchor.is_eof() { DAOS_ANCHOR_TYPE_EOF } else { DAOS_ANCHOR_TYPE_KEY } as u16;
    after.da_buf = [0; 104];
    let length = anchor.position.len().min(LENGTH_AT);
    after.da_buf[..length].copy_from_slice(&anchor.position[..length]);
    after.da_buf[LENGTH_AT] = length as u8;
    after.da_buf[BUCKET_AT..].copy_from_slice(&anchor.bucket.to_le_bytes());
    after
}

/// Lists objects of a table that `chosen` lets through: `None`, all of them, and no marks are read.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn list<F>(
    oh: daos_handle_t,
    oids: *mut daos_obj_id_t,
    oids_nr: *mut u32,
    anchor: *mut daos_anchor_t,
    chosen: Result<Option<F>>,
    ev: *mut daos_event_t,
) -> c_int
where
    F: Fn(&OitEntry) -> Result<bool> + 'static,
{
    // SAFETY: the contract of this function.
    unsafe { Call::on(ev) }.run(|| {
        let (table, chosen) = (OBJECTS.get(oh.cookie)?, chosen?);
        // SAFETY: the contract of this function.
        let (count, anchor) = unsafe { (Out::required(oids_nr, "oids_nr")?, Out::required(anchor, "anchor")?) };
        if oids.is_null() || count.get() == 0 {
            return Err(null("oids, or no room in it, which"));
        }
        // SAFETY: the contract of this function.
        let places = unsafe { OutArray::new(oids, count.get() as usize) };
        table.check_oit()?;
        Ok(move |context| async move {
            let mut at = take_anchor(&anchor.get());
            let mut given = 0;
            // Until something is let through: an empty answer that isn't the last would end a careless caller's loop.
            while given == 0 && !at.is_eof() {
                for entry in table.list_oit(&context, &mut at, places.len(), chosen.is_some()).await? {
                    if chosen.as_ref().map_or(Ok(true), |chosen| chosen(&entry))? {
                        places.set(given, daos_obj_id_t { lo: entry.oid.lo, hi: entry.oid.hi });
                        given += 1;
                    }
                }
            }
            count.set(given as u32);
            anchor.set(give_anchor(&at, anchor.get()));
            Ok(())
        })
    })
}

type EveryOne = fn(&OitEntry) -> Result<bool>;

/// The caller's filter: positive lets an object through, 0 doesn't, negative ends the listing with that error.
fn filtered(filter: daos_oit_filter_cb) -> Result<Option<impl Fn(&OitEntry) -> Result<bool> + 'static>> {
    let filter = filter.ok_or_else(|| null("filter"))?;
    Ok(Some(move |entry: &OitEntry| {
        // As the original: an object without a mark comes with an iov of length 0, not with NULL.
        let mut mark = entry.mark.clone();
        mark.resize(MARK_MAX_BYTES, 0);
        let iov_len = entry.mark.len();
        let mut iov = d_iov_t { iov_buf: mark.as_mut_ptr().cast(), iov_buf_len: mark.len(), iov_len };
        let oid = daos_obj_id_t { lo: entry.oid.lo, hi: entry.oid.hi };
        // SAFETY: the caller's function, called as the header says; what it gets lives until it returns.
        match unsafe { filter(oid, &raw mut iov) } {
            negative if negative < 0 => {
                let code = Der::from_number(negative).unwrap_or(Der::MISC);
                Err(Error::new(code, format!("the filter of a listing answered {negative} for object {}", entry.oid)))
            }
            answer => Ok(answer > 0),
        }
    }))
}

daos_export::export! { Der;
    fn daos_cont_create_snap(
        coh: daos_handle_t,
        epoch: *mut daos_epoch_t,
        name: *mut c_char,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { create_snap(coh, epoch, name, DAOS_SNAP_OPT_CR, ev) }
    }

    fn daos_cont_create_snap_opt(
        coh: daos_handle_t,
        epoch: *mut daos_epoch_t,
        name: *mut c_char,
        opts: daos_snapshot_opts,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { create_snap(coh, epoch, name, opts, ev) }
    }

    fn daos_cont_destroy_snap(coh: daos_handle_t, epr: daos_epoch_range_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            if epr.epr_lo > epr.epr_hi {
                return Err(Der::INVAL.err("an epoch range that ends before it begins"));
            }
            Ok(move |context| async move {
                let tables = container.destroy_snapshots(&context, epr.epr_lo, epr.epr_hi).await?;
                container.punch_oits(&context, &tables).await
            })
        })
    }

    fn daos_cont_list_snap(
        coh: daos_handle_t,
        nr: *mut c_int,
        epochs: *mut daos_epoch_t,
        names: *mut *mut c_char,
        anchor: *mut daos_anchor_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            // SAFETY: the contract of `c`.
            let (count, anchor) = unsafe { (Out::required(nr, "nr")?, Out::optional(anchor)) };
            let room = usize::try_from(count.get()).unwrap_or(0);
            // SAFETY: the contract of `c`.
            let (places, names) = unsafe { (OutArray::new(epochs, room), OutArray::new(names, room)) };
            Ok(move |context| async move {
                let found = container.list_snapshots(&context).await?;
                for (index, snapshot) in found.iter().enumerate() {
                    places.set(index, snapshot.epoch);
                    if let Some(name) = names.get(index) {
                        let bytes = snapshot.name.as_bytes().iter().copied().chain([0]);
                        // SAFETY: NULL, or a buffer of DAOS_SNAPSHOT_MAX_LEN bytes by the contract.
                        let buffer = unsafe { OutArray::new(name, NAME_BYTES_MAX + 1) };
                        bytes.enumerate().for_each(|(at, byte)| buffer.set(at, byte as c_char));
                    }
                }
                count.set(found.len() as c_int);
                if let Some(anchor) = anchor {
                    anchor.set(daos_anchor_t { da_type: DAOS_ANCHOR_TYPE_EOF as u16, ..anchor.get() });
                }
                Ok(())
            })
        })
    }

    fn daos_cont_aggregate(coh: daos_handle_t, epoch: daos_epoch_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            Ok(move |context| async move { container.aggregate(&context, epoch).await })
        })
    }

    fn daos_cont_rollback(coh: daos_handle_t, epoch: daos_epoch_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            Ok(move |context| async move { container.rollback(&context, epoch).await })
        })
    }

    fn daos_cont_subscribe(coh: daos_handle_t, epoch: *mut daos_epoch_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(epoch, "epoch") }?;
            Ok(move |context| async move {
                place.set(container.wait_for_snapshot(&context, place.get()).await?);
                Ok(())
            })
        })
    }

    fn daos_cont_snap_oit_create(
        coh: daos_handle_t,
        epoch: daos_epoch_t,
        _name: *mut c_char,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            Ok(move |context| async move { container.create_oit(&context, epoch).await.map(drop) })
        })
    }

    fn daos_cont_snap_oit_destroy(coh: daos_handle_t, oh: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (container, table) = (CONTAINERS.get(coh.cookie)?, OBJECTS.get(oh.cookie)?);
            table.check_oit()?;
            Ok(move |context| async move { container.destroy_oit(&context, table.oid().lo).await })
        })
    }

    fn daos_oit_open(
        coh: daos_handle_t,
        epoch: daos_epoch_t,
        oh: *mut daos_handle_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(oh, "oh") }?;
            Ok(move |context| async move {
                let oid = container.oit(&context, epoch).await?;
                let writable = container.flags() & (flags::OPEN_RW | flags::OPEN_EX) != 0;
                let table = Object::open(&container, oid, if writable { OPEN_RW } else { OPEN_RO })?;
                place.set(daos_handle_t { cookie: OBJECTS.insert(table)? });
                Ok(())
            })
        })
    }

    fn daos_oit_close(oh: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.finish(|| {
            OBJECTS.get(oh.cookie)?.check_oit()?;
            OBJECTS.remove(oh.cookie).map(drop)
        })
    }

    fn daos_oit_list(
        oh: daos_handle_t,
        oids: *mut daos_obj_id_t,
        oids_nr: *mut u32,
        anchor: *mut daos_anchor_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { list(oh, oids, oids_nr, anchor, Ok(None::<EveryOne>), ev) }
    }

    fn daos_oit_list_unmarked(
        oh: daos_handle_t,
        oids: *mut daos_obj_id_t,
        oids_nr: *mut u32,
        anchor: *mut daos_anchor_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { list(oh, oids, oids_nr, anchor, Ok(Some(|entry: &OitEntry| Ok(entry.mark.is_empty()))), ev) }
    }

    fn daos_oit_list_filter(
        oh: daos_handle_t,
        oids: *mut daos_obj_id_t,
        oids_nr: *mut u32,
        anchor: *mut daos_anchor_t,
        filter: daos_oit_filter_cb,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { list(oh, oids, oids_nr, anchor, filtered(filter), ev) }
    }

    fn daos_oit_mark(
        oh: daos_handle_t,
        oid: daos_obj_id_t,
        marker: *mut d_iov_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let table = OBJECTS.get(oh.cookie)?;
            // SAFETY: valid for reads by the contract, if it is there.
            let mark = match unsafe { marker.as_ref() } {
                None => Vec::new(),
                Some(iov) if iov.iov_len > iov.iov_buf_len => {
                    return Err(Der::INVAL.err("marker: its lengths contradict each other"));
                }
                // SAFETY: the contract of `c`.
                Some(iov) => unsafe { crate::c::key(iov, "marker") }?,
            };
            let oid = ObjectId { lo: oid.lo, hi: oid.hi };
            Ok(move |context| async move { table.mark_oit(&context, oid, &mark).await })
        })
    }
}
