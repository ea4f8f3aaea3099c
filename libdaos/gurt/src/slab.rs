//! Slabs: stocks of descriptors that are set up ahead of need, reset after use and handed out again: `gurt/slab.h`.
//!
//! A descriptor is memory of the type's size with a list link at the type's offset. It is free (reset, ready), pending
//! (released, not reset yet) or out. Acquiring takes a free one, else resets pending ones until one comes out right,
//! else makes one. How many were acquired between two restocks decides how many a restock keeps ready.

use crate::alloc::{free, zeroed_array};
use crate::der;
use daos_common::Der;
use daos_export::export;
use daos_sys::{d_list_head, d_slab, d_slab_reg, d_slab_type};
use libc::{c_int, c_void, pthread_mutex_t};
use std::ptr;

/// A mutex of the caller's structure, held until dropped.
struct Held(*mut pthread_mutex_t);

impl Held {
    /// # Safety
    /// An initialised mutex that outlives the guard.
    unsafe fn new<M>(mutex: *mut M) -> Held {
        // SAFETY: as the caller says.
        unsafe { libc::pthread_mutex_lock(mutex.cast()) };
        Held(mutex.cast())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: taken in `new`.
        unsafe { libc::pthread_mutex_unlock(self.0) };
    }
}

/// # Safety
/// A link of the caller's.
unsafe fn init(head: *mut d_list_head) {
    // SAFETY: as the caller says.
    unsafe {
        (*head).next = head;
        (*head).prev = head;
    }
}

/// Puts a link behind another.
///
/// # Safety
/// A list's link and one that is in no list.
unsafe fn insert_after(before: *mut d_list_head, link: *mut d_list_head) {
    // SAFETY: as the caller says.
    unsafe {
        let next = (*before).next;
        (*link).next = next;
        (*link).prev = before;
        (*next).prev = link;
        (*before).next = link;
    }
}

/// Takes a list's first link out; `None` when there is none.
///
/// # Safety
/// A list's head.
unsafe fn pop(head: *mut d_list_head) -> Option<*mut d_list_head> {
    // SAFETY: as the caller says.
    unsafe {
        let link = (*head).next;
        if link == head {
            return None;
        }
        let next = (*link).next;
        (*head).next = next;
        (*next).prev = head;
        (*link).next = ptr::null_mut();
        (*link).prev = ptr::null_mut();
        Some(link)
    }
}

/// The types of a slab, first to last.
///
/// # Safety
/// A slab that was initialised, with its lock held.
unsafe fn types(slab: *mut d_slab) -> Vec<*mut d_slab_type> {
    let mut found = Vec::new();
    // SAFETY: as the caller says; every link is that of a registered type.
    unsafe {
        let head = &raw mut (*slab).slab_list;
        let mut link = (*head).next;
        while link != head {
            found.push(link.byte_sub(std::mem::offset_of!(d_slab_type, st_type_list)).cast());
            link = (*link).next;
        }
    }
    found
}

/// # Safety
/// A registered type and one of its descriptors.
unsafe fn link_of(kind: *const d_slab_type, descriptor: *mut c_void) -> *mut d_list_head {
    // SAFETY: the offset lies inside the descriptor (checked at registration).
    unsafe { descriptor.byte_add((*kind).st_reg.sr_offset as usize).cast() }
}

/// # Safety
/// A registered type and the link of one of its descriptors.
unsafe fn descriptor_of(kind: *const d_slab_type, link: *mut d_list_head) -> *mut c_void {
    // SAFETY: as the caller says.
    unsafe { link.byte_sub((*kind).st_reg.sr_offset as usize).cast() }
}

/// Moves pending descriptors to the free ones, until `wanted` are free or the type's limit is reached; returns how many
/// were reset.
///
/// # Safety
/// A registered type, locked.
unsafe fn reset_pending(kind: *mut d_slab_type, wanted: c_int) -> c_int {
    let mut resets = 0;
    // SAFETY: as the caller says; callbacks are the type's.
    unsafe {
        let limit = (*kind).st_reg.sr_max_free_desc;
        while (*kind).st_free_count < wanted && (limit == 0 || (*kind).st_free_count < limit) {
            let Some(link) = pop(&raw mut (*kind).st_pending_list) else { break };
            (*kind).st_pending_count -= 1;
            let descriptor = descriptor_of(kind, link);
            let usable = match (*kind).st_reg.sr_reset {
                Some(reset) => {
                    (*kind).st_reset_count += 1;
                    resets += 1;
                    reset(descriptor)
                }
                None => true,
            };
            if usable {
                insert_after(&raw mut (*kind).st_free_list, link);
                (*kind).st_free_count += 1;
            } else {
                (*kind).st_count -= 1;
                free(descriptor);
            }
        }
    }
    resets
}

/// A new descriptor, set up and reset; NULL for no memory or a reset that failed.
///
/// # Safety
/// A registered type, locked.
unsafe fn make(kind: *mut d_slab_type) -> *mut c_void {
    // SAFETY: as the caller says; fresh memory of the type's size.
    unsafe {
        let descriptor: *mut u8 = zeroed_array((*kind).st_reg.sr_size as usize);
        let descriptor: *mut c_void = descriptor.cast();
        if descriptor.is_null() {
            return descriptor;
        }
        (*kind).st_init_count += 1;
        if let Some(init) = (*kind).st_reg.sr_init {
            init(descriptor, (*kind).st_arg);
        }
        if (*kind).st_reg.sr_reset.is_some_and(|reset| !reset(descriptor)) {
            free(descriptor);
            return ptr::null_mut();
        }
        (*kind).st_count += 1;
        descriptor
    }
}

/// Makes free descriptors: one more than were ever acquired between two restocks.
///
/// # Safety
/// A registered type, locked.
unsafe fn stock(kind: *mut d_slab_type) {
    // SAFETY: as the caller says.
    unsafe {
        let limit = (*kind).st_reg.sr_max_free_desc;
        while (*kind).st_free_count <= (*kind).st_no_restock_hwm && (limit == 0 || (*kind).st_free_count < limit) {
            let descriptor = make(kind);
            if descriptor.is_null() {
                return;
            }
            let head = &raw mut (*kind).st_free_list;
            insert_after((*head).prev, link_of(kind, descriptor));
            (*kind).st_free_count += 1;
        }
    }
}

/// Resets what is pending and frees what is free; returns whether descriptors of the type are still out.
///
/// # Safety
/// A registered type.
unsafe fn reclaim(kind: *mut d_slab_type) -> bool {
    // SAFETY: as the caller says.
    unsafe {
        let _held = Held::new(&raw mut (*kind).st_lock);
        // Rounds, since a limit on free descriptors bounds what one brings.
        loop {
            reset_pending(kind, (*kind).st_count.max(1));
            while let Some(link) = pop(&raw mut (*kind).st_free_list) {
                let descriptor = descriptor_of(kind, link);
                if let Some(release) = (*kind).st_reg.sr_release {
                    release(descriptor);
                    (*kind).st_release_count += 1;
                }
                free(descriptor);
                (*kind).st_free_count -= 1;
                (*kind).st_count -= 1;
            }
            if (*kind).st_pending_count == 0 {
                return (*kind).st_count != 0;
            }
        }
    }
}

/// Whether the link lies inside the descriptor and the name is there.
fn well_formed(registration: &d_slab_reg) -> bool {
    let link = size_of::<d_list_head>() as i64;
    !registration.sr_name.is_null()
        && registration.sr_offset >= 0
        && i64::from(registration.sr_offset) + link <= i64::from(registration.sr_size)
}

export! { Der;
    fn d_slab_init(slab: *mut d_slab, arg: *mut c_void) -> c_int {
        if slab.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: not NULL, the caller's.
        unsafe {
            init(&raw mut (*slab).slab_list);
            (*slab).slab_arg = arg;
            libc::pthread_mutex_init((&raw mut (*slab).slab_lock).cast(), ptr::null());
            (*slab).slab_init = true;
        }
        0
    }

    fn d_slab_destroy(slab: *mut d_slab) {
        // SAFETY: NULL, never initialised (zeroed), or a slab that the caller gives up.
        unsafe {
            if slab.is_null() || !(*slab).slab_init {
                return;
            }
            d_slab_reclaim(slab);
            while let Some(link) = pop(&raw mut (*slab).slab_list) {
                let kind: *mut d_slab_type = link.byte_sub(std::mem::offset_of!(d_slab_type, st_type_list)).cast();
                libc::pthread_mutex_destroy((&raw mut (*kind).st_lock).cast());
                free(kind);
            }
            libc::pthread_mutex_destroy((&raw mut (*slab).slab_lock).cast());
            (*slab).slab_init = false;
        }
    }

    fn d_slab_reclaim(slab: *mut d_slab) -> bool {
        // SAFETY: NULL, never initialised (zeroed), or a slab of the caller's.
        unsafe {
            if slab.is_null() || !(*slab).slab_init {
                return false;
            }
            let _held = Held::new(&raw mut (*slab).slab_lock);
            // All of them, whatever the first ones say.
            let active: Vec<bool> = types(slab).into_iter().map(|kind| reclaim(kind)).collect();
            active.contains(&true)
        }
    }

    fn d_slab_register(
        slab: *mut d_slab, reg: *mut d_slab_reg, arg: *mut c_void, type_: *mut *mut d_slab_type,
    ) -> c_int {
        // SAFETY: NULL or the caller's.
        let Some(registration) = (unsafe { reg.as_ref() }) else { return der(Der::INVAL) };
        // SAFETY: as above.
        let initialised = unsafe { slab.as_ref() }.is_some_and(|slab| slab.slab_init);
        if !initialised || type_.is_null() || !well_formed(registration) {
            return der(Der::INVAL);
        }
        let kind: *mut d_slab_type = zeroed_array(1);
        if kind.is_null() {
            return der(Der::NOMEM);
        }
        // SAFETY: fresh memory; then a registered type, which nobody else knows yet.
        unsafe {
            libc::pthread_mutex_init((&raw mut (*kind).st_lock).cast(), ptr::null());
            init(&raw mut (*kind).st_free_list);
            init(&raw mut (*kind).st_pending_list);
            (*kind).st_slab = slab;
            (*kind).st_reg = *registration;
            (*kind).st_arg = arg;
            stock(kind);
            if (*kind).st_free_count == 0 {
                // Not even one could be made: no memory, or the type's callbacks don't agree with it.
                libc::pthread_mutex_destroy((&raw mut (*kind).st_lock).cast());
                free(kind);
                return der(Der::INVAL);
            }
            let _held = Held::new(&raw mut (*slab).slab_lock);
            insert_after((*slab).slab_list.prev, &raw mut (*kind).st_type_list);
            type_.write(kind);
        }
        0
    }

    fn d_slab_acquire(type_: *mut d_slab_type) -> *mut c_void {
        if type_.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: a registered type.
        unsafe {
            let _held = Held::new(&raw mut (*type_).st_lock);
            (*type_).st_no_restock += 1;
            if (*type_).st_free_count == 0 {
                let resets = reset_pending(type_, 1);
                (*type_).st_op_reset += resets;
            }
            if let Some(link) = pop(&raw mut (*type_).st_free_list) {
                (*type_).st_free_count -= 1;
                return descriptor_of(type_, link);
            }
            let limit = (*type_).st_reg.sr_max_desc;
            if limit != 0 && (*type_).st_count >= limit {
                return ptr::null_mut();
            }
            (*type_).st_op_init += 1;
            make(type_)
        }
    }

    fn d_slab_release(type_: *mut d_slab_type, desc: *mut c_void) {
        if type_.is_null() || desc.is_null() {
            return;
        }
        // SAFETY: a registered type and a descriptor of its.
        unsafe {
            let _held = Held::new(&raw mut (*type_).st_lock);
            let head = &raw mut (*type_).st_pending_list;
            insert_after((*head).prev, link_of(type_, desc));
            (*type_).st_pending_count += 1;
        }
    }

    fn d_slab_restock(type_: *mut d_slab_type) {
        if type_.is_null() {
            return;
        }
        // SAFETY: a registered type.
        unsafe {
            let _held = Held::new(&raw mut (*type_).st_lock);
            (*type_).st_no_restock_hwm = (*type_).st_no_restock_hwm.max((*type_).st_no_restock);
            (*type_).st_no_restock = 0;
            reset_pending(type_, (*type_).st_no_restock_hwm + 1);
            if (*type_).st_reg.sr_max_desc == 0 {
                stock(type_);
            }
        }
    }
}
