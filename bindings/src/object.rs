//! Objects: update, fetch, punch, list.

use crate::{ContRef, check};
use daos_common::{Der, ObjectId, Result};
use daos_sys as sys;
use std::ffi::c_void;
use std::ptr;

/// How an object is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObjectMode {
    /// For reading (`DAOS_OO_RO`).
    ReadOnly,
    /// For reading and writing (`DAOS_OO_RW`).
    ReadWrite,
}

impl ObjectMode {
    /// The `DAOS_OO_*` bits.
    pub fn bits(self) -> u32 {
        match self {
            ObjectMode::ReadOnly => 2,
            ObjectMode::ReadWrite => 4,
        }
    }
}

/// An open object; closed on drop.
#[derive(Debug)]
pub struct Object {
    handle: sys::daos_handle_t,
}

/// A run of bytes of an akey whose records are single bytes.
#[derive(Clone, Copy, Debug)]
pub struct Extent<B> {
    /// Index of the first byte.
    pub index: u64,
    /// The bytes.
    pub bytes: B,
}

/// One akey's new data.
#[derive(Clone, Copy, Debug)]
pub enum UpdateValue<'a> {
    /// A single value.
    Single(&'a [u8]),
    /// Extents of one-byte records.
    Bytes(&'a [Extent<&'a [u8]>]),
}

/// Room for one akey's data; `size` becomes the size found.
#[derive(Debug)]
pub enum FetchValue<'a> {
    /// A single value: room in, bytes found out (`size` may be larger than the room only when the room is empty).
    Single {
        /// Where the value goes; empty asks for the size.
        room: &'a mut [u8],
        /// Size of the value; 0: not there.
        size: usize,
    },
    /// One extent of one-byte records. `found` is false when the akey has no records at all.
    Bytes {
        /// Where the bytes go; parts never written stay as they are.
        extent: Extent<&'a mut [u8]>,
        /// The akey holds records.
        found: bool,
    },
}

/// Position of a listing (`daos_anchor_t`); starts zeroed.
#[derive(Clone, Copy)]
pub struct Anchor(pub sys::daos_anchor_t);

impl Default for Anchor {
    fn default() -> Anchor {
        // SAFETY: the C type is plain data whose zero value is `DAOS_ANCHOR_INIT`.
        Anchor(unsafe { std::mem::zeroed() })
    }
}

impl Anchor {
    /// Nothing follows (`daos_anchor_is_eof`).
    pub fn is_eof(&self) -> bool {
        self.0.da_type == 3
    }
}

/// Makes an object id from `user` bits by the container's properties (`daos_obj_generate_oid2`); `class` 0 chooses one.
///
/// # Errors
/// `INVAL`: the class does not exist or does not fit the container.
pub fn generate_oid(cont: ContRef, user: ObjectId, kind: u8, class: u32, hints: u16) -> Result<ObjectId> {
    let mut oid = sys::daos_obj_id_t { lo: user.lo, hi: user.hi };
    // SAFETY: `oid` is valid for the call.
    let rc = unsafe { sys::daos_obj_generate_oid2(cont.raw(), &mut oid, kind.into(), class as _, hints as _, 0) };
    check(rc, "daos_obj_generate_oid")?;
    Ok(ObjectId { lo: oid.lo, hi: oid.hi })
}

impl Object {
    /// Opens an object; no message is sent.
    ///
    /// # Errors
    /// `NO_HDL`, `INVAL`, `NO_PERM`.
    pub fn open(cont: ContRef, oid: ObjectId, mode: ObjectMode) -> Result<Object> {
        let mut handle = sys::daos_handle_t { cookie: 0 };
        // SAFETY: `handle` is valid for the call.
        let rc = unsafe {
            sys::daos_obj_open(
                cont.raw(),
                sys::daos_obj_id_t { lo: oid.lo, hi: oid.hi },
                mode.bits(),
                &mut handle,
                ptr::null_mut(),
            )
        };
        check(rc, "daos_obj_open")?;
        Ok(Object { handle })
    }

    /// The C handle, valid while this lives.
    pub fn raw(&self) -> sys::daos_handle_t {
        self.handle
    }

    /// Writes akeys of one dkey, all or none.
    ///
    /// # Errors
    /// `EXIST`, `NONEXIST` by the conditions in `flags`; `NOSPACE`, `NO_PERM`, and what the fabric gives.
    pub fn update(
        &self,
        tx: sys::daos_handle_t,
        flags: u64,
        dkey: &[u8],
        akeys: &[(&[u8], UpdateValue<'_>)],
    ) -> Result<()> {
        let mut recxs: Vec<Vec<sys::daos_recx_t>> = Vec::with_capacity(akeys.len());
        let mut iovs: Vec<Vec<sys::d_iov_t>> = Vec::with_capacity(akeys.len());
        for (_, value) in akeys {
            let (extents, parts) = match value {
                UpdateValue::Single(bytes) => (Vec::new(), vec![iov(bytes)]),
                UpdateValue::Bytes(extents) => (
                    extents.iter().map(|e| sys::daos_recx_t { rx_idx: e.index, rx_nr: e.bytes.len() as u64 }).collect(),
                    extents.iter().map(|e| iov(e.bytes)).collect(),
                ),
            };
            recxs.push(extents);
            iovs.push(parts);
        }
        let mut iods: Vec<sys::daos_iod_t> = Vec::with_capacity(akeys.len());
        let mut sgls: Vec<sys::d_sg_list_t> = Vec::with_capacity(akeys.len());
        for (at, (akey, value)) in akeys.iter().enumerate() {
            let (kind, size) = match value {
                UpdateValue::Single(bytes) => (IOD_SINGLE, bytes.len() as u64),
                UpdateValue::Bytes(_) => (IOD_ARRAY, 1),
            };
            iods.push(iod(akey, kind, size, &mut recxs[at]));
            sgls.push(sgl(&mut iovs[at]));
        }
        let mut dkey = iov(dkey);
        // SAFETY: every pointer is to a live local; the library reads the data and writes only iods, sgls and iovs.
        let rc = unsafe {
            sys::daos_obj_update(
                self.handle,
                tx,
                flags,
                &mut dkey,
                iods.len() as u32,
                iods.as_mut_ptr(),
                sgls.as_mut_ptr(),
                ptr::null_mut(),
            )
        };
        check(rc, "daos_obj_update")
    }

    /// Reads akeys of one dkey.
    ///
    /// # Errors
    /// `NONEXIST` by the conditions in `flags`; `REC2BIG`: a single value is larger than its room.
    pub fn fetch(
        &self,
        tx: sys::daos_handle_t,
        flags: u64,
        dkey: &[u8],
        akeys: &mut [(&[u8], FetchValue<'_>)],
    ) -> Result<()> {
        let count = akeys.len();
        let mut recxs: Vec<[sys::daos_recx_t; 1]> = vec![[sys::daos_recx_t { rx_idx: 0, rx_nr: 0 }]; count];
        let mut iovs: Vec<[sys::d_iov_t; 1]> = Vec::with_capacity(count);
        for (at, (_, value)) in akeys.iter_mut().enumerate() {
            iovs.push(match value {
                FetchValue::Single { room, .. } => [iov_mut(room)],
                FetchValue::Bytes { extent, .. } => {
                    recxs[at] = [sys::daos_recx_t { rx_idx: extent.index, rx_nr: extent.bytes.len() as u64 }];
                    [iov_mut(extent.bytes)]
                }
            });
        }
        let mut iods: Vec<sys::daos_iod_t> = Vec::with_capacity(count);
        let mut sgls: Vec<sys::d_sg_list_t> = Vec::with_capacity(count);
        for (at, (akey, value)) in akeys.iter().enumerate() {
            iods.push(match value {
                FetchValue::Single { .. } => iod(akey, IOD_SINGLE, REC_ANY, &mut []),
                FetchValue::Bytes { .. } => iod(akey, IOD_ARRAY, 1, &mut recxs[at]),
            });
            sgls.push(match value {
                FetchValue::Single { room: [], .. } => sgl(&mut []),
                _ => sgl(&mut iovs[at]),
            });
        }
        let mut dkey = iov(dkey);
        // SAFETY: every pointer is to a live local or to the caller's exclusive rooms.
        let rc = unsafe {
            sys::daos_obj_fetch(
                self.handle,
                tx,
                flags,
                &mut dkey,
                count as u32,
                iods.as_mut_ptr(),
                sgls.as_mut_ptr(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        check(rc, "daos_obj_fetch")?;
        for (at, (_, value)) in akeys.iter_mut().enumerate() {
            match value {
                FetchValue::Single { size, .. } => *size = iods[at].iod_size as usize,
                FetchValue::Bytes { found, .. } => *found = sgls[at].sg_nr_out != 0 && iods[at].iod_size != 0,
            }
        }
        Ok(())
    }

    /// Punches the whole object.
    ///
    /// # Errors
    /// `NO_PERM`, and what the fabric gives.
    pub fn punch(&self, tx: sys::daos_handle_t, flags: u64) -> Result<()> {
        // SAFETY: plain values.
        check(unsafe { sys::daos_obj_punch(self.handle, tx, flags, ptr::null_mut()) }, "daos_obj_punch")
    }

    /// Punches one dkey.
    ///
    /// # Errors
    /// `NONEXIST` when `flags` has COND_PUNCH and the dkey isn't there.
    pub fn punch_dkey(&self, tx: sys::daos_handle_t, flags: u64, dkey: &[u8]) -> Result<()> {
        let mut dkey = iov(dkey);
        // SAFETY: `dkey` is live and only read.
        let rc = unsafe { sys::daos_obj_punch_dkeys(self.handle, tx, flags, 1, &mut dkey, ptr::null_mut()) };
        check(rc, "daos_obj_punch_dkeys")
    }

    /// Punches one akey of a dkey.
    ///
    /// # Errors
    /// As [`Object::punch_dkey`].
    pub fn punch_akey(&self, tx: sys::daos_handle_t, flags: u64, dkey: &[u8], akey: &[u8]) -> Result<()> {
        let (mut dkey, mut akey) = (iov(dkey), iov(akey));
        // SAFETY: the keys are live and only read.
        let rc = unsafe { sys::daos_obj_punch_akeys(self.handle, tx, flags, &mut dkey, 1, &mut akey, ptr::null_mut()) };
        check(rc, "daos_obj_punch_akeys")
    }

    /// Lists up to `limit` dkeys of at most `longest` bytes each from the anchor on; an empty list before
    /// [`Anchor::is_eof`] is no end.
    ///
    /// # Errors
    /// `KEY2BIG`: a key is longer than `longest`.
    pub fn list_dkeys(
        &self,
        tx: sys::daos_handle_t,
        anchor: &mut Anchor,
        limit: usize,
        longest: usize,
    ) -> Result<Vec<Vec<u8>>> {
        self.list(limit, longest, |number, descriptors, sgl| {
            // SAFETY: the pointers are to live locals of `list` and to the caller's anchor.
            let rc = unsafe {
                sys::daos_obj_list_dkey(self.handle, tx, number, descriptors, sgl, &mut anchor.0, ptr::null_mut())
            };
            check(rc, "daos_obj_list_dkey")
        })
    }

    /// Lists akeys of a dkey; otherwise as [`Object::list_dkeys`].
    ///
    /// # Errors
    /// As [`Object::list_dkeys`].
    pub fn list_akeys(
        &self,
        tx: sys::daos_handle_t,
        dkey: &[u8],
        anchor: &mut Anchor,
        limit: usize,
        longest: usize,
    ) -> Result<Vec<Vec<u8>>> {
        let mut dkey = iov(dkey);
        self.list(limit, longest, |number, descriptors, sgl| {
            // SAFETY: as in `list_dkeys`; `dkey` is live and only read.
            let rc = unsafe {
                sys::daos_obj_list_akey(
                    self.handle,
                    tx,
                    &mut dkey,
                    number,
                    descriptors,
                    sgl,
                    &mut anchor.0,
                    ptr::null_mut(),
                )
            };
            check(rc, "daos_obj_list_akey")
        })
    }

    /// Newest epoch at which the object was written; 0 if never.
    ///
    /// # Errors
    /// What the fabric gives.
    pub fn max_epoch(&self, tx: sys::daos_handle_t) -> Result<u64> {
        let mut epoch = 0;
        // SAFETY: `epoch` is live.
        let rc = unsafe { sys::daos_obj_query_max_epoch(self.handle, tx, &mut epoch, ptr::null_mut()) };
        check(rc, "daos_obj_query_max_epoch")?;
        Ok(epoch)
    }

    fn list(
        &self,
        limit: usize,
        longest: usize,
        call: impl FnOnce(*mut u32, *mut sys::daos_key_desc_t, *mut sys::d_sg_list_t) -> Result<()>,
    ) -> Result<Vec<Vec<u8>>> {
        let mut number = u32::try_from(limit).map_err(|_| Der::INVAL.err("too many keys asked for"))?;
        let mut room = vec![0u8; limit.saturating_mul(longest)];
        // SAFETY: plain data whose zero value is valid.
        let mut descriptors: Vec<sys::daos_key_desc_t> = vec![unsafe { std::mem::zeroed() }; limit];
        let mut parts = [iov_mut(&mut room)];
        let mut list = sgl(&mut parts);
        call(&mut number, descriptors.as_mut_ptr(), &mut list)?;
        let mut keys = Vec::with_capacity(number as usize);
        let mut at = 0;
        for descriptor in descriptors.iter().take(number as usize) {
            let end = at + descriptor.kd_key_len as usize;
            let key = room.get(at..end).ok_or_else(|| Der::TRUNC.err("listed keys overrun their buffer"))?;
            keys.push(key.to_vec());
            at = end;
        }
        Ok(keys)
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and open; closing cannot fail in a way that matters here.
        unsafe { sys::daos_obj_close(self.handle, ptr::null_mut()) };
    }
}

/// `DAOS_REC_ANY`: whatever size the value has.
const REC_ANY: u64 = 0;
const IOD_SINGLE: u32 = 1;
const IOD_ARRAY: u32 = 2;

/// A C iov over bytes that the library only reads.
pub(crate) fn iov(bytes: &[u8]) -> sys::d_iov_t {
    sys::d_iov_t { iov_buf: bytes.as_ptr() as *mut c_void, iov_buf_len: bytes.len(), iov_len: bytes.len() }
}

/// A C iov over room that the library may fill.
pub(crate) fn iov_mut(bytes: &mut [u8]) -> sys::d_iov_t {
    sys::d_iov_t { iov_buf: bytes.as_mut_ptr().cast(), iov_buf_len: bytes.len(), iov_len: bytes.len() }
}

/// A C scatter-gather list over iovs.
pub(crate) fn sgl(iovs: &mut [sys::d_iov_t]) -> sys::d_sg_list_t {
    sys::d_sg_list_t { sg_nr: iovs.len() as u32, sg_nr_out: 0, sg_iovs: iovs.as_mut_ptr() }
}

fn iod(akey: &[u8], kind: u32, size: u64, recxs: &mut [sys::daos_recx_t]) -> sys::daos_iod_t {
    // SAFETY: plain data whose zero value is valid.
    let mut iod: sys::daos_iod_t = unsafe { std::mem::zeroed() };
    iod.iod_name = iov(akey);
    iod.iod_type = kind as _;
    iod.iod_size = size;
    iod.iod_nr = if kind == IOD_SINGLE { 1 } else { recxs.len() as u32 };
    iod.iod_recxs = if recxs.is_empty() { ptr::null_mut() } else { recxs.as_mut_ptr() };
    iod
}
