//! Key-value objects: a key is a dkey, its value the single value of akey `0`.

use crate::api_object::{KeyPlaces, list_dkeys, view};
use crate::c::Out;
use crate::call::Call;
use crate::handles::{CONTAINERS, KEY_VALUES};
use daos_client::{Object, UserMemory};
use daos_common::{Der, Iod, IodKind, ObjectId, Result, oclass};
use daos_sys::{d_sg_list_t, daos_anchor_t, daos_event_t, daos_handle_t, daos_key_desc_t, daos_obj_id_t, daos_size_t};
use std::ffi::{c_char, c_int, c_uint, c_void};

const AKEY: &[u8] = b"0";
const KEY_TYPE_DKEY: u32 = 2;

fn iod(size: u64) -> Iod {
    Iod { akey: AKEY.to_vec(), kind: IodKind::Single, size, recxs: Vec::new(), flags: 0 }
}

/// # Safety
/// The contract of [`crate::c`].
unsafe fn key_text(key: *const c_char) -> Result<Vec<u8>> {
    if key.is_null() {
        return Err(crate::c::null("key"));
    }
    // SAFETY: a C string by the contract; keys may be any bytes.
    let key = unsafe { std::ffi::CStr::from_ptr(key) }.to_bytes().to_vec();
    if key.is_empty() { Err(Der::INVAL.err("key is empty")) } else { Ok(key) }
}

daos_export::export! { Der;
    fn daos_kv_open(
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
            let oid = ObjectId { lo: oid.lo, hi: oid.hi };
            if !oclass::is_kv_type(oid.type_byte()) {
                return Err(Der::INVAL.err(format!("object {oid} is not of a key-value type")));
            }
            let object = Object::open(&container, oid, mode)?;
            place.set(daos_handle_t { cookie: KEY_VALUES.insert(object)? });
            Ok(())
        })
    }

    fn daos_kv_close(oh: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.finish(|| KEY_VALUES.remove(oh.cookie).map(drop))
    }

    fn daos_kv_destroy(oh: daos_handle_t, th: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (object, view) = (KEY_VALUES.get(oh.cookie)?, view(th)?);
            Ok(move |context| async move { object.punch(&context, view, 0).await })
        })
    }

    fn daos_kv_put(
        oh: daos_handle_t,
        th: daos_handle_t,
        flags: u64,
        key: *const c_char,
        size: daos_size_t,
        buf: *const c_void,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let key = unsafe { key_text(key) }?;
            let (object, view) = (KEY_VALUES.get(oh.cookie)?, view(th)?);
            if buf.is_null() && size > 0 {
                return Err(crate::c::null("buf"));
            }
            // SAFETY: the contract of `c`; an update only reads it.
            let memory = unsafe { UserMemory::new([(buf.cast::<u8>().cast_mut(), size as usize)]) };
            Ok(move |context| async move {
                object.update(&context, view, flags, key, vec![iod(size)], &[memory]).await
            })
        })
    }

    fn daos_kv_get(
        oh: daos_handle_t,
        th: daos_handle_t,
        flags: u64,
        key: *const c_char,
        size: *mut daos_size_t,
        buf: *mut c_void,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let (key, place) = unsafe { (key_text(key)?, Out::required(size, "size")?) };
            let (object, view) = (KEY_VALUES.get(oh.cookie)?, view(th)?);
            let room = place.get();
            // SAFETY: the contract of `c`.
            let memory = unsafe { UserMemory::new([(buf.cast::<u8>(), room as usize)]) };
            // Without a buffer the size is asked for, whatever the caller's variable holds.
            let size = if memory.is_empty() { 0 } else { room };
            Ok(move |context| async move {
                let found = object.fetch(&context, &view, flags, key.clone(), vec![iod(size)], &[memory]).await;
                match found {
                    Ok(found) => place.set(found.first().map_or(0, |found| found.size)),
                    Err(error) if error.code() == Der::REC2BIG => {
                        if let Ok(found) = object.fetch(&context, &view, flags, key, vec![iod(0)], &[]).await {
                            place.set(found.first().map_or(0, |found| found.size));
                        }
                        return Err(error);
                    }
                    Err(error) => return Err(error),
                }
                Ok(())
            })
        })
    }

    fn daos_kv_remove(
        oh: daos_handle_t,
        th: daos_handle_t,
        flags: u64,
        key: *const c_char,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let key = unsafe { key_text(key) }?;
            let (object, view) = (KEY_VALUES.get(oh.cookie)?, view(th)?);
            Ok(move |context| async move { object.punch_dkey(&context, view, flags, key).await })
        })
    }

    fn daos_kv_list(
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
            let (object, view) = (KEY_VALUES.get(oh.cookie)?, view(th)?);
            // SAFETY: the contract of `c`.
            Ok(list_dkeys(object, view, unsafe { KeyPlaces::new(nr, kds, sgl, anchor, KEY_TYPE_DKEY) }?))
        })
    }
}
