//! Objects: opening, I/O, punches, listings, queries.

use crate::akeys::{Akeys, Direction};
use crate::anchor;
use crate::c::{Length, Out, OutArray, SgList, elements, key};
use crate::call::{Call, answer};
use crate::handles::{CONTAINERS, OBJECTS, TRANSACTIONS};
use daos_client::keys::{Anchor, GET_AKEY, GET_DKEY, GET_RECX, KeyList};
use daos_client::{Context, Object, UserMemory, View};
use daos_common::{Der, IodKind, ObjectId, Result};
use daos_sys::{d_iov_t, d_sg_list_t, daos_anchor_t, daos_epoch_range_t, daos_epoch_t, daos_event_t, daos_handle_t};
use daos_sys::{daos_iod_t, daos_iom_t, daos_key_desc_t, daos_key_t, daos_obj_id_t, daos_recx_t, daos_size_t};
use std::ffi::{c_int, c_uint};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

/// `kd_val_type` of listed keys (`OBJ_ITER_DKEY`, `OBJ_ITER_AKEY`).
const KEY_TYPE_DKEY: u32 = 2;
const KEY_TYPE_AKEY: u32 = 3;

/// What the operations of a transaction handle see and change; without one (`DAOS_TX_NONE`) the newest.
pub(crate) fn view(th: daos_handle_t) -> Result<View> {
    match th.cookie {
        0 => Ok(View::Newest),
        cookie => TRANSACTIONS.get(cookie).map(View::In),
    }
}

/// Where a listing of keys goes.
pub(crate) struct KeyPlaces {
    count: Out<u32>,
    descriptors: OutArray<daos_key_desc_t>,
    memory: UserMemory,
    list: SgList,
    anchor: Out<daos_anchor_t>,
    key_type: u32,
}

impl KeyPlaces {
    /// # Safety
    /// The contract of [`crate::c`].
    pub(crate) unsafe fn new(
        nr: *mut u32,
        kds: *mut daos_key_desc_t,
        sgl: *mut d_sg_list_t,
        anchor: *mut daos_anchor_t,
        key_type: u32,
    ) -> Result<KeyPlaces> {
        // SAFETY: the contract of this function.
        let (count, anchor) = unsafe { (Out::required(nr, "nr")?, Out::required(anchor, "anchor")?) };
        if count.get() == 0 || kds.is_null() {
            return Err(Der::INVAL.err("no room for keys"));
        }
        // SAFETY: the contract of this function; the array has `*nr` elements.
        let descriptors = unsafe { OutArray::new(kds, count.get() as usize) };
        // SAFETY: the contract of this function.
        let list = unsafe { SgList::new(sgl) }?;
        Ok(KeyPlaces { count, descriptors, memory: list.memory(Length::Room), list, anchor, key_type })
    }

    fn anchor(&self) -> Anchor {
        anchor::take(&self.anchor.get())
    }

    fn limit(&self) -> u32 {
        self.count.get()
    }

    fn room(&self) -> u64 {
        self.memory.len()
    }

    /// Hands the keys to the caller: packed one behind the other, with their lengths.
    fn give(&self, found: KeyList, anchor: &Anchor) -> Result<()> {
        let describe = |length: u64| daos_key_desc_t { kd_key_len: length, kd_val_type: self.key_type };
        let keys = match found {
            KeyList::Keys(keys) => keys,
            KeyList::TooBig(bytes) => {
                self.descriptors.set(0, describe(bytes));
                return Err(Der::KEY2BIG.err(format!("a key of {bytes} bytes, {} of room", self.room())));
            }
        };
        let mut offset = 0;
        for (index, key) in keys.iter().enumerate() {
            self.memory.write_at(offset, key);
            self.descriptors.set(index, describe(key.len() as u64));
            offset += key.len() as u64;
        }
        match offset {
            0 => self.list.set_used(0),
            _ => self.list.set_filled(offset),
        }
        self.count.set(keys.len() as u32);
        self.anchor.set(anchor::give(anchor, self.anchor.get()));
        Ok(())
    }
}

/// Lists dkeys of an object into the caller's places.
pub(crate) fn list_dkeys(
    object: Arc<Object>,
    view: View,
    places: KeyPlaces,
) -> impl FnOnce(Rc<Context>) -> Box<dyn Future<Output = Result<()>> + Unpin> {
    move |context| {
        Box::new(Box::pin(async move {
            let mut anchor = places.anchor();
            let found = object.list_dkeys(&context, view, &mut anchor, places.limit(), places.room()).await?;
            places.give(found, &anchor)
        }))
    }
}

/// Fetches into the caller's akeys and tells the results; also the true size of a value that did not fit.
pub(crate) async fn fetch(
    context: &Rc<Context>,
    object: &Object,
    view: &View,
    flags: u64,
    dkey: Vec<u8>,
    akeys: &Akeys,
) -> Result<()> {
    let fetched = object.fetch(context, view, flags, dkey.clone(), akeys.iods.clone(), &akeys.memory).await;
    match fetched {
        Ok(found) => akeys.give_results(&found),
        Err(error) if error.code() == Der::REC2BIG => {
            let mut probes = akeys.iods.clone();
            probes.iter_mut().for_each(|iod| iod.size = 0);
            if let Ok(found) = object.fetch(context, view, flags, dkey, probes, &[]).await {
                found.iter().enumerate().for_each(|(index, found)| akeys.give_size(index, found.size));
            }
            Err(error)
        }
        Err(error) => Err(error),
    }
}

daos_export::export! { Der;
    fn daos_obj_open(
        coh: daos_handle_t,
        oid: daos_obj_id_t,
        mode: c_uint,
        oh: *mut daos_handle_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        let (place, call) = unsafe { (Out::required(oh, "oh"), Call::on(ev)) };
        call.finish(|| {
            let (place, container) = (place?, CONTAINERS.get(coh.cookie)?);
            let object = Object::open(&container, ObjectId { lo: oid.lo, hi: oid.hi }, mode)?;
            place.set(daos_handle_t { cookie: OBJECTS.insert(object)? });
            Ok(())
        })
    }

    fn daos_obj_close(oh: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.finish(|| OBJECTS.remove(oh.cookie).map(drop))
    }

    fn daos_obj_update(
        oh: daos_handle_t,
        th: daos_handle_t,
        flags: u64,
        dkey: *mut daos_key_t,
        nr: c_uint,
        iods: *mut daos_iod_t,
        sgls: *mut d_sg_list_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (OBJECTS.get(oh.cookie)?, view(th)?);
            // SAFETY: the contract of `c`.
            let dkey = unsafe { key(dkey, "dkey") }?;
            let (count, maps) = (nr as usize, std::ptr::null_mut());
            // SAFETY: the contract of `c`.
            let akeys = unsafe { Akeys::new(object.oid(), count, iods, sgls, maps, Direction::Update) }?;
            Ok(move |context| async move {
                object.update(&context, view, flags, dkey, akeys.iods, &akeys.memory).await
            })
        })
    }

    fn daos_obj_fetch(
        oh: daos_handle_t,
        th: daos_handle_t,
        flags: u64,
        dkey: *mut daos_key_t,
        nr: c_uint,
        iods: *mut daos_iod_t,
        sgls: *mut d_sg_list_t,
        ioms: *mut daos_iom_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (OBJECTS.get(oh.cookie)?, view(th)?);
            // SAFETY: the contract of `c`.
            let dkey = unsafe { key(dkey, "dkey") }?;
            // SAFETY: the contract of `c`.
            let akeys = unsafe { Akeys::new(object.oid(), nr as usize, iods, sgls, ioms, Direction::Fetch) }?;
            Ok(move |context| async move { fetch(&context, &object, &view, flags, dkey, &akeys).await })
        })
    }

    fn daos_obj_punch(oh: daos_handle_t, th: daos_handle_t, flags: u64, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (OBJECTS.get(oh.cookie)?, view(th)?);
            Ok(move |context| async move { object.punch(&context, view, flags).await })
        })
    }

    fn daos_obj_punch_dkeys(
        oh: daos_handle_t,
        th: daos_handle_t,
        flags: u64,
        nr: c_uint,
        dkeys: *mut daos_key_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (OBJECTS.get(oh.cookie)?, view(th)?);
            if dkeys.is_null() {
                return Err(crate::c::null("dkeys"));
            }
            // SAFETY: the contract of `c`.
            let dkeys: Vec<d_iov_t> = unsafe { elements(dkeys, nr as usize) };
            // SAFETY: the contract of `c`.
            let dkeys = dkeys.iter().map(|dkey| unsafe { key(dkey, "dkey") }).collect::<Result<Vec<_>>>()?;
            Ok(move |context| async move { object.punch_dkeys(&context, view, flags, dkeys).await })
        })
    }

    fn daos_obj_punch_akeys(
        oh: daos_handle_t,
        th: daos_handle_t,
        flags: u64,
        dkey: *mut daos_key_t,
        nr: c_uint,
        akeys: *mut daos_key_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (OBJECTS.get(oh.cookie)?, view(th)?);
            // SAFETY: the contract of `c`.
            let dkey = unsafe { key(dkey, "dkey") }?;
            // SAFETY: the contract of `c`.
            let akeys: Vec<d_iov_t> = unsafe { elements(akeys, nr as usize) };
            // SAFETY: the contract of `c`.
            let akeys = akeys.iter().map(|akey| unsafe { key(akey, "akey") }).collect::<Result<Vec<_>>>()?;
            Ok(move |context| async move { object.punch_akeys(&context, view, flags, dkey, akeys).await })
        })
    }

    fn daos_obj_list_dkey(
        oh: daos_handle_t,
        th: daos_handle_t,
        nr: *mut u32,
        kds: *mut daos_key_desc_t,
        sgl: *mut d_sg_list_t,
        anchor: *mut daos_anchor_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (OBJECTS.get(oh.cookie)?, view(th)?);
            // SAFETY: the contract of `c`.
            Ok(list_dkeys(object, view, unsafe { KeyPlaces::new(nr, kds, sgl, anchor, KEY_TYPE_DKEY) }?))
        })
    }

    fn daos_obj_list_akey(
        oh: daos_handle_t,
        th: daos_handle_t,
        dkey: *mut daos_key_t,
        nr: *mut u32,
        kds: *mut daos_key_desc_t,
        sgl: *mut d_sg_list_t,
        anchor: *mut daos_anchor_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (OBJECTS.get(oh.cookie)?, view(th)?);
            // SAFETY: the contract of `c`.
            let dkey = unsafe { key(dkey, "dkey") }?;
            // SAFETY: the contract of `c`.
            let places = unsafe { KeyPlaces::new(nr, kds, sgl, anchor, KEY_TYPE_AKEY) }?;
            Ok(move |context| async move {
                let (mut anchor, limit, room) = (places.anchor(), places.limit(), places.room());
                let found = object.list_akeys(&context, view, dkey, &mut anchor, limit, room).await?;
                places.give(found, &anchor)
            })
        })
    }

    fn daos_obj_list_recx(
        oh: daos_handle_t,
        th: daos_handle_t,
        dkey: *mut daos_key_t,
        akey: *mut daos_key_t,
        size: *mut daos_size_t,
        nr: *mut u32,
        recxs: *mut daos_recx_t,
        eprs: *mut daos_epoch_range_t,
        anchor: *mut daos_anchor_t,
        incr_order: bool,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (OBJECTS.get(oh.cookie)?, view(th)?);
            // SAFETY: the contract of `c`.
            let (dkey, akey) = unsafe { (key(dkey, "dkey")?, key(akey, "akey")?) };
            // SAFETY: the contract of `c`.
            let (count, place) = unsafe { (Out::required(nr, "nr")?, Out::required(anchor, "anchor")?) };
            let limit = count.get();
            if limit == 0 || recxs.is_null() {
                return Err(Der::INVAL.err("no room for extents"));
            }
            let room = limit as usize;
            // SAFETY: the contract of `c`; the arrays have `*nr` elements.
            let (recxs, eprs) = unsafe { (OutArray::new(recxs, room), OutArray::new(eprs, room)) };
            // SAFETY: the contract of `c`.
            let size = unsafe { Out::optional(size) };
            Ok(move |context| async move {
                let (mut anchor, kind) = (anchor::take(&place.get()), Some(IodKind::Array));
                let found = object
                    .list_recxs(&context, view, dkey, akey, kind, !incr_order, &mut anchor, limit)
                    .await?;
                for (index, listed) in found.recxs.iter().enumerate() {
                    recxs.set(index, daos_recx_t { rx_idx: listed.recx.idx, rx_nr: listed.recx.nr });
                    eprs.set(index, daos_epoch_range_t { epr_lo: listed.epoch, epr_hi: listed.epoch });
                }
                if let (Some(size), Some(first)) = (size, found.recxs.first()) {
                    size.set(first.size);
                }
                count.set(found.recxs.len() as u32);
                place.set(anchor::give(&anchor, place.get()));
                Ok(())
            })
        })
    }

    fn daos_obj_query_key(
        oh: daos_handle_t,
        th: daos_handle_t,
        flags: u64,
        dkey: *mut daos_key_t,
        akey: *mut daos_key_t,
        recx: *mut daos_recx_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (OBJECTS.get(oh.cookie)?, view(th)?);
            // SAFETY: the contract of `c`.
            let dkey = unsafe { QueriedKey::new(dkey, flags & GET_DKEY != 0, "dkey") }?;
            // SAFETY: the contract of `c`.
            let akey = match flags & (GET_AKEY | GET_RECX) {
                0 => QueriedKey::default(),
                // SAFETY: the contract of `c`.
                _ => unsafe { QueriedKey::new(akey, flags & GET_AKEY != 0, "akey") }?,
            };
            let place = match flags & GET_RECX {
                0 => None,
                // SAFETY: the contract of `c`.
                _ => Some(unsafe { Out::required(recx, "recx") }?),
            };
            Ok(move |context| async move {
                let found = object.query_key(&context, view, flags, dkey.given.clone(), akey.given.clone()).await?;
                dkey.give(found.dkey.as_deref());
                akey.give(found.akey.as_deref());
                if let Some(place) = place {
                    place.set(found.recx.map_or_else(daos_recx_t::default, |recx| daos_recx_t {
                        rx_idx: recx.idx,
                        rx_nr: recx.nr,
                    }));
                }
                Ok(())
            })
        })
    }

    fn daos_obj_query_max_epoch(
        oh: daos_handle_t,
        th: daos_handle_t,
        epoch: *mut daos_epoch_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (OBJECTS.get(oh.cookie)?, view(th)?);
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(epoch, "epoch") }?;
            Ok(move |context| async move {
                place.set(object.query_key(&context, view, 0, Vec::new(), Vec::new()).await?.max_epoch);
                Ok(())
            })
        })
    }

    fn daos_obj_anchor_split(oh: daos_handle_t, nr: *mut u32, anchors: *mut daos_anchor_t) -> c_int {
        // SAFETY: the contract of `c`.
        let count = unsafe { Out::required(nr, "nr") };
        answer((|| {
            let (count, groups) = (count?, OBJECTS.get(oh.cookie)?.groups());
            if count.get() != 0 && count.get() != groups {
                return Err(Der::INVAL.err(format!("{} anchors for {groups} groups", count.get())));
            }
            count.set(groups);
            // SAFETY: the contract of `c`; the array has as many elements as there are groups.
            let places = unsafe { OutArray::new(anchors, groups as usize) };
            (0..groups).for_each(|group| places.set(group as usize, anchor::of_group(group)));
            Ok(())
        })())
    }

    fn daos_obj_anchor_set(oh: daos_handle_t, index: u32, anchor: *mut daos_anchor_t) -> c_int {
        // SAFETY: the contract of `c`.
        let place = unsafe { Out::required(anchor, "anchor") };
        answer((|| {
            let (place, groups) = (place?, OBJECTS.get(oh.cookie)?.groups());
            if index >= groups {
                return Err(Der::INVAL.err(format!("group {index} of {groups}")));
            }
            place.set(anchor::of_group(index));
            Ok(())
        })())
    }
}

/// A key of a query: given, or asked for and put into the caller's buffer.
#[derive(Default)]
struct QueriedKey {
    given: Vec<u8>,
    wanted: Option<*mut daos_key_t>,
}

impl QueriedKey {
    /// # Safety
    /// The contract of [`crate::c`].
    unsafe fn new(place: *mut daos_key_t, wanted: bool, name: &str) -> Result<QueriedKey> {
        // SAFETY: valid for reads by the contract, if it is there.
        match unsafe { place.as_ref() } {
            None if wanted => Err(crate::c::null(name)),
            None => Ok(QueriedKey::default()),
            Some(iov) if wanted && (iov.iov_buf.is_null() || iov.iov_buf_len < 8) => {
                Err(Der::INVAL.err(format!("{name}: 8 bytes of buffer are needed for the answer")))
            }
            Some(_) if wanted => Ok(QueriedKey { given: Vec::new(), wanted: Some(place) }),
            // SAFETY: the contract of this function.
            Some(_) => Ok(QueriedKey { given: unsafe { key(place, name) }?, wanted: None }),
        }
    }

    fn give(&self, found: Option<&[u8]>) {
        let Some(place) = self.wanted else { return };
        // SAFETY: checked in `new`, valid by its contract.
        let iov = unsafe { &mut *place };
        let bytes = found.unwrap_or(&[]);
        let length = bytes.len().min(iov.iov_buf_len);
        // SAFETY: the buffer has `iov_buf_len` bytes.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), iov.iov_buf.cast(), length) };
        iov.iov_len = length;
    }
}
