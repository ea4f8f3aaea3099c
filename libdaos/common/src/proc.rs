//! Packing and unpacking of records: `crt_proc_*` of `daos/common.h`, over `struct crt_proc_buffer` of `cart/types.h`.
//!
//! Numbers are little endian; a text or a block of bytes is its length (8 bytes) and the bytes, a NULL one has the
//! length 2^64-1. Unpacked texts, lists and entries are memory of the C heap that `CRT_PROC_FREE` frees; unpacked
//! blocks (ACLs, buffers of scatter-gather lists) lie in the buffer itself. What is unpacked is not trusted: lengths
//! are checked against what is left before anything is allocated.

use crate::der;
use crate::memory::{bytes, c_string, copy_of, free, zeroed_array};
use crate::props::daos_prop_alloc;
use daos_common::Der;
use daos_export::export;
use daos_sys as sys;
use daos_sys::{crt_proc_buffer, crt_proc_op_t, crt_proc_t, d_iov_t, d_sg_list_t, daos_acl, daos_prop_t};
use libc::{c_char, c_int};
use std::ffi::CStr;
use std::ptr;

/// Length of what isn't there.
const ABSENT: u64 = u64::MAX;
/// Least growth of a buffer, in bytes.
const GROWTH: usize = 64;
/// Bytes of an unpacked entry of a property list at least: type, flags, reserved, a number.
const ENTRY_BYTES: usize = 16;
/// Bytes of an unpacked buffer of a scatter-gather list at least: two lengths.
const IOV_BYTES: usize = 16;

type Outcome = Result<(), Der>;

/// What a serialiser does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Pack,
    Unpack,
    Free,
}

/// A buffer in use.
struct Proc<'a> {
    buffer: &'a mut crt_proc_buffer,
    way: Way,
}

impl<'a> Proc<'a> {
    /// # Safety
    /// NULL or a `struct crt_proc_buffer` of the caller's.
    unsafe fn new(proc: crt_proc_t, op: crt_proc_op_t) -> Result<Proc<'a>, Der> {
        let way = match op {
            sys::CRT_PROC_ENCODE => Way::Pack,
            sys::CRT_PROC_DECODE => Way::Unpack,
            sys::CRT_PROC_FREE => Way::Free,
            _ => return Err(Der::INVAL),
        };
        // SAFETY: as the caller says.
        let buffer = unsafe { proc.cast::<crt_proc_buffer>().as_mut() }.ok_or(Der::INVAL)?;
        let sound = buffer.cpb_magic == sys::CRT_PROC_BUFFER_MAGIC
            && buffer.cpb_used <= buffer.cpb_size
            && (buffer.cpb_size == 0 || !buffer.cpb_data.is_null());
        if sound { Ok(Proc { buffer, way }) } else { Err(Der::INVAL) }
    }

    fn left(&self) -> usize {
        self.buffer.cpb_size - self.buffer.cpb_used
    }

    /// Makes room behind what is packed.
    fn reserve(&mut self, length: usize) -> Outcome {
        if length <= self.left() {
            return Ok(());
        }
        let wanted = self.buffer.cpb_used.checked_add(length).ok_or(Der::NOMEM)?;
        let size = wanted.max(self.buffer.cpb_size.saturating_mul(2)).max(GROWTH);
        // SAFETY: NULL or memory of the C heap, as the header asks.
        let data = unsafe { libc::realloc(self.buffer.cpb_data, size) };
        if data.is_null() {
            return Err(Der::NOMEM);
        }
        self.buffer.cpb_data = data;
        self.buffer.cpb_size = size;
        Ok(())
    }

    fn put(&mut self, data: &[u8]) -> Outcome {
        self.reserve(data.len())?;
        // SAFETY: room was made.
        unsafe {
            let place = self.buffer.cpb_data.cast::<u8>().add(self.buffer.cpb_used);
            ptr::copy_nonoverlapping(data.as_ptr(), place, data.len());
        }
        self.buffer.cpb_used += data.len();
        Ok(())
    }

    /// The next bytes, in the buffer.
    fn take(&mut self, length: usize) -> Result<*mut u8, Der> {
        if length > self.left() {
            return Err(Der::TRUNC);
        }
        if length == 0 {
            return Ok(ptr::null_mut());
        }
        // SAFETY: inside the buffer.
        let at = unsafe { self.buffer.cpb_data.cast::<u8>().add(self.buffer.cpb_used) };
        self.buffer.cpb_used += length;
        Ok(at)
    }

    /// Memory that is packed as it is.
    ///
    /// # Safety
    /// That many bytes of the caller's, plain numbers.
    unsafe fn plain(&mut self, at: *mut u8, length: usize) -> Outcome {
        match self.way {
            // SAFETY: as the caller says.
            Way::Pack => self.put(unsafe { bytes(at, length) }),
            Way::Unpack => {
                let from = self.take(length)?;
                // SAFETY: as the caller says; from the buffer.
                unsafe { ptr::copy_nonoverlapping(from, at, length) };
                Ok(())
            }
            Way::Free => Ok(()),
        }
    }

    fn number(&mut self, value: &mut u64) -> Outcome {
        let mut raw = value.to_le_bytes();
        // SAFETY: an array of that length.
        unsafe { self.plain(raw.as_mut_ptr(), raw.len())? };
        *value = u64::from_le_bytes(raw);
        Ok(())
    }

    fn number32(&mut self, value: &mut u32) -> Outcome {
        let mut raw = value.to_le_bytes();
        // SAFETY: an array of that length.
        unsafe { self.plain(raw.as_mut_ptr(), raw.len())? };
        *value = u32::from_le_bytes(raw);
        Ok(())
    }

    fn number16(&mut self, value: &mut u16) -> Outcome {
        let mut raw = value.to_le_bytes();
        // SAFETY: an array of that length.
        unsafe { self.plain(raw.as_mut_ptr(), raw.len())? };
        *value = u16::from_le_bytes(raw);
        Ok(())
    }

    /// A length that something else follows; `None`: nothing does.
    fn length(&mut self, length: Option<usize>) -> Result<Option<usize>, Der> {
        let mut number = length.map_or(ABSENT, |length| length as u64);
        self.number(&mut number)?;
        if number == ABSENT { Ok(None) } else { usize::try_from(number).map(Some).map_err(|_| Der::TRUNC) }
    }

    /// A block of bytes that stays in the buffer when it is unpacked.
    ///
    /// # Safety
    /// The place holds NULL or a pointer to `length` bytes.
    unsafe fn block(&mut self, place: &mut *mut u8, length: usize) -> Outcome {
        match self.way {
            Way::Pack => {
                let there = !place.is_null();
                self.length(there.then_some(length))?;
                // SAFETY: as the caller says.
                self.put(unsafe { bytes(*place, if there { length } else { 0 }) })
            }
            Way::Unpack => {
                *place = match self.length(None)? {
                    Some(length) => self.take(length)?,
                    None => ptr::null_mut(),
                };
                Ok(())
            }
            Way::Free => {
                *place = ptr::null_mut();
                Ok(())
            }
        }
    }

    /// A text, of the C heap when it is unpacked.
    ///
    /// # Safety
    /// The place holds NULL or a C string, of the C heap when it is freed.
    unsafe fn text(&mut self, place: &mut *mut c_char) -> Outcome {
        match self.way {
            Way::Pack if place.is_null() => self.length(None).map(|_| ()),
            Way::Pack => {
                // SAFETY: as the caller says.
                let text = unsafe { CStr::from_ptr(*place) }.to_bytes();
                self.length(Some(text.len()))?;
                self.put(text)
            }
            Way::Unpack => {
                *place = ptr::null_mut();
                if let Some(length) = self.length(None)? {
                    let from = self.take(length)?;
                    // SAFETY: inside the buffer.
                    *place = c_string(unsafe { bytes(from, length) });
                    if place.is_null() {
                        return Err(Der::NOMEM);
                    }
                }
                Ok(())
            }
            Way::Free => {
                // SAFETY: as the caller says.
                unsafe { free(*place) };
                *place = ptr::null_mut();
                Ok(())
            }
        }
    }

    /// A list of ranks, of the C heap when it is unpacked.
    ///
    /// # Safety
    /// The place holds NULL or a list, of the C heap when it is freed.
    unsafe fn ranks(&mut self, place: &mut *mut sys::d_rank_list_t) -> Outcome {
        // SAFETY: as the caller says; ranks are plain numbers.
        unsafe {
            match self.way {
                Way::Pack => match place.as_ref() {
                    Some(list) => {
                        self.length(Some(list.rl_nr as usize))?;
                        self.put(bytes(list.rl_ranks, size_of::<sys::d_rank_t>() * list.rl_nr as usize))
                    }
                    None => self.length(None).map(|_| ()),
                },
                Way::Unpack => {
                    *place = ptr::null_mut();
                    let Some(count) = self.length(None)? else { return Ok(()) };
                    let from = self.take(count.checked_mul(size_of::<sys::d_rank_t>()).ok_or(Der::TRUNC)?)?;
                    let list = sys::d_rank_list_alloc(u32::try_from(count).map_err(|_| Der::TRUNC)?);
                    if list.is_null() {
                        return Err(Der::NOMEM);
                    }
                    if count > 0 {
                        let length = count * size_of::<sys::d_rank_t>();
                        ptr::copy_nonoverlapping(from, (*list).rl_ranks.cast::<u8>(), length);
                    }
                    *place = list;
                    Ok(())
                }
                Way::Free => {
                    sys::d_rank_list_free(*place);
                    *place = ptr::null_mut();
                    Ok(())
                }
            }
        }
    }

    /// An entry of a property list.
    ///
    /// # Safety
    /// An entry of the caller's whose value is of its type.
    unsafe fn entry(&mut self, entry: &mut sys::daos_prop_entry) -> Outcome {
        self.number32(&mut entry.dpe_type)?;
        self.number16(&mut entry.dpe_flags)?;
        self.number16(&mut entry.dpe_reserv)?;
        let value = &raw mut entry.__bindgen_anon_1;
        // SAFETY: as the caller says: the type tells which member of the union counts.
        unsafe {
            match entry.dpe_type {
                sys::DAOS_PROP_PO_LABEL
                | sys::DAOS_PROP_CO_LABEL
                | sys::DAOS_PROP_PO_OWNER
                | sys::DAOS_PROP_CO_OWNER
                | sys::DAOS_PROP_PO_OWNER_GROUP
                | sys::DAOS_PROP_CO_OWNER_GROUP => self.text(&mut *value.cast()),
                sys::DAOS_PROP_PO_ACL | sys::DAOS_PROP_CO_ACL => self.acl(&mut *value.cast()),
                sys::DAOS_PROP_PO_SVC_LIST => self.ranks(&mut *value.cast()),
                sys::DAOS_PROP_CO_ROOTS => self.roots(&mut *value.cast()),
                _ => self.number(&mut *value.cast()),
            }
        }
    }

    /// # Safety
    /// The place holds NULL or an ACL.
    unsafe fn acl(&mut self, place: &mut *mut daos_acl) -> Outcome {
        // SAFETY: as the caller says.
        unsafe {
            let length = if self.way == Way::Pack { sys::daos_acl_get_size(*place) } else { 0 };
            let length = usize::try_from(length).unwrap_or(0);
            self.block(&mut *ptr::from_mut(place).cast(), length)?;
            if self.way == Way::Unpack && !place.is_null() {
                // The list says itself how long it is: no longer than what there is.
                let block_end = self.buffer.cpb_data as usize + self.buffer.cpb_used;
                let there = block_end - *place as usize;
                let header = size_of::<daos_acl>();
                if there < header || (&raw const (**place).dal_len).read_unaligned() as usize > there - header {
                    *place = ptr::null_mut();
                    return Err(Der::TRUNC);
                }
            }
        }
        Ok(())
    }

    /// # Safety
    /// The place holds NULL or roots, of the C heap when they are freed.
    unsafe fn roots(&mut self, place: &mut *mut u8) -> Outcome {
        let length = size_of::<sys::daos_prop_co_roots>();
        // SAFETY: as the caller says.
        unsafe {
            match self.way {
                Way::Pack => self.block(place, length),
                Way::Unpack => {
                    let mut found = ptr::null_mut();
                    let before = self.left();
                    self.block(&mut found, length)?;
                    *place = ptr::null_mut();
                    if found.is_null() {
                        return Ok(());
                    }
                    if before - self.left() != length + size_of::<u64>() {
                        return Err(Der::TRUNC);
                    }
                    *place = copy_of(bytes(found, length));
                    if place.is_null() { Err(Der::NOMEM) } else { Ok(()) }
                }
                Way::Free => {
                    free(*place);
                    *place = ptr::null_mut();
                    Ok(())
                }
            }
        }
    }

    /// The entries of a property list.
    ///
    /// # Safety
    /// A list of the caller's.
    unsafe fn entries(&mut self, list: &mut daos_prop_t) -> Outcome {
        for at in 0..list.dpp_nr as usize {
            // SAFETY: as the caller says.
            unsafe { self.entry(&mut *list.dpp_entries.add(at))? };
        }
        Ok(())
    }

    /// Frees a property list that was unpacked, or as much of it as was.
    ///
    /// # Safety
    /// A list of the C heap that the caller gives up.
    unsafe fn free_prop(&mut self, list: *mut daos_prop_t) {
        let way = std::mem::replace(&mut self.way, Way::Free);
        // SAFETY: as the caller says; entries that weren't unpacked are zero.
        unsafe {
            if !(*list).dpp_entries.is_null() {
                let _ = self.entries(&mut *list);
                free((*list).dpp_entries);
            }
            free(list);
        }
        self.way = way;
    }

    /// # Safety
    /// The place holds NULL or a list of the caller's.
    unsafe fn prop(&mut self, place: &mut *mut daos_prop_t) -> Outcome {
        // SAFETY: as the caller says.
        unsafe {
            let none = place.as_ref().is_none_or(|list| list.dpp_nr == 0 || list.dpp_entries.is_null());
            match self.way {
                Way::Pack if none => self.number32(&mut 0),
                Way::Pack => {
                    let list = &mut **place;
                    self.number32(&mut list.dpp_nr)?;
                    self.number32(&mut list.dpp_reserv)?;
                    self.entries(list)
                }
                Way::Unpack => {
                    *place = ptr::null_mut();
                    let (mut count, mut reserved) = (0, 0);
                    self.number32(&mut count)?;
                    if count == 0 {
                        return Ok(());
                    }
                    self.number32(&mut reserved)?;
                    if count > sys::DAOS_PROP_ENTRIES_MAX_NR || count as usize > self.left() / ENTRY_BYTES {
                        return Err(Der::INVAL);
                    }
                    let list = daos_prop_alloc(count);
                    if list.is_null() {
                        return Err(Der::NOMEM);
                    }
                    (*list).dpp_reserv = reserved;
                    if let Err(code) = self.entries(&mut *list) {
                        self.free_prop(list);
                        return Err(code);
                    }
                    *place = list;
                    Ok(())
                }
                Way::Free => {
                    if !place.is_null() {
                        self.free_prop(*place);
                        *place = ptr::null_mut();
                    }
                    Ok(())
                }
            }
        }
    }

    /// # Safety
    /// A list of the caller's.
    unsafe fn sgl(&mut self, list: &mut d_sg_list_t) -> Outcome {
        if self.way == Way::Free {
            // SAFETY: iovs that were unpacked; the buffers lie in the caller's.
            unsafe { free(list.sg_iovs) };
            list.sg_iovs = ptr::null_mut();
            return Ok(());
        }
        if self.way == Way::Pack && list.sg_nr > 0 && list.sg_iovs.is_null() {
            return Err(Der::INVAL);
        }
        self.number32(&mut list.sg_nr)?;
        self.number32(&mut list.sg_nr_out)?;
        if self.way == Way::Unpack {
            list.sg_iovs = ptr::null_mut();
            if list.sg_nr as usize > self.left() / IOV_BYTES {
                return Err(Der::TRUNC);
            }
            if list.sg_nr > 0 {
                list.sg_iovs = zeroed_array(list.sg_nr as usize);
                if list.sg_iovs.is_null() {
                    return Err(Der::NOMEM);
                }
            }
        }
        for at in 0..list.sg_nr as usize {
            // SAFETY: an array of that many.
            let outcome = unsafe { self.iov(&mut *list.sg_iovs.add(at)) };
            if outcome.is_err() && self.way == Way::Unpack {
                // SAFETY: made above.
                unsafe { free(list.sg_iovs) };
                list.sg_iovs = ptr::null_mut();
            }
            outcome?;
        }
        Ok(())
    }

    /// # Safety
    /// A buffer of the caller's.
    unsafe fn iov(&mut self, iov: &mut d_iov_t) -> Outcome {
        if self.way == Way::Pack && iov.iov_len > iov.iov_buf_len {
            return Err(Der::INVAL);
        }
        let mut room = iov.iov_buf_len as u64;
        self.number(&mut room)?;
        let before = self.buffer.cpb_used;
        // SAFETY: as the caller says; the place holds a pointer.
        unsafe { self.block(&mut *(&raw mut iov.iov_buf).cast(), iov.iov_len)? };
        if self.way == Way::Unpack {
            iov.iov_len = self.buffer.cpb_used - before - size_of::<u64>();
            iov.iov_buf_len = usize::try_from(room).unwrap_or(usize::MAX);
            if iov.iov_len > iov.iov_buf_len {
                return Err(Der::INVAL);
            }
            // What is in the caller's buffer has no more room than it fills.
            iov.iov_buf_len = iov.iov_len;
        }
        Ok(())
    }
}

fn answer(outcome: Outcome) -> c_int {
    outcome.map_or_else(der, |()| 0)
}

export! { Der;
    fn crt_proc_d_sg_list_t(proc_: crt_proc_t, proc_op: crt_proc_op_t, p: *mut d_sg_list_t) -> c_int {
        // SAFETY: NULL, or a buffer and a list of the caller's.
        unsafe {
            let Some(list) = p.as_mut() else { return der(Der::INVAL) };
            answer(Proc::new(proc_, proc_op).and_then(|mut proc| proc.sgl(list)))
        }
    }

    fn crt_proc_daos_prop_t(proc_: crt_proc_t, proc_op: crt_proc_op_t, data: *mut *mut daos_prop_t) -> c_int {
        // SAFETY: NULL, or a buffer and a place of the caller's.
        unsafe {
            let Some(place) = data.as_mut() else { return der(Der::INVAL) };
            answer(Proc::new(proc_, proc_op).and_then(|mut proc| proc.prop(place)))
        }
    }

    fn crt_proc_struct_daos_acl(proc_: crt_proc_t, proc_op: crt_proc_op_t, data: *mut *mut daos_acl) -> c_int {
        // SAFETY: NULL, or a buffer and a place of the caller's.
        unsafe {
            let Some(place) = data.as_mut() else { return der(Der::INVAL) };
            answer(Proc::new(proc_, proc_op).and_then(|mut proc| proc.acl(place)))
        }
    }

    fn crt_proc_struct_dtx_id(proc_: crt_proc_t, proc_op: crt_proc_op_t, dti: *mut sys::dtx_id) -> c_int {
        // SAFETY: NULL, or a buffer and an id of the caller's.
        unsafe {
            let Some(id) = dti.as_mut() else { return der(Der::INVAL) };
            let mut pack = |mut proc: Proc<'_>| {
                proc.plain(id.dti_uuid.as_mut_ptr(), id.dti_uuid.len())?;
                proc.number(&mut id.dti_hlc)
            };
            match Proc::new(proc_, proc_op) {
                Ok(proc) => pack(proc).map_or_else(|_| der(Der::HG), |()| 0),
                Err(code) => der(code),
            }
        }
    }
}
