//! Intrusive doubly linked lists, as `gurt/list.h` has them.

use daos_sys::d_list_t;

/// Makes a link an empty list.
///
/// # Safety
/// `link` is writable.
pub(crate) unsafe fn init(link: *mut d_list_t) {
    // SAFETY: as the caller says.
    unsafe { link.write(d_list_t { next: link, prev: link }) };
}

/// Whether a list is empty, or a link in none.
///
/// # Safety
/// `head` is an initialised list.
pub(crate) unsafe fn is_empty(head: *mut d_list_t) -> bool {
    // SAFETY: as the caller says.
    unsafe { (*head).next == head }
}

/// Links `link` between `previous` and what follows it.
///
/// # Safety
/// `previous` is in a list, `link` is writable and in none.
pub(crate) unsafe fn insert_after(previous: *mut d_list_t, link: *mut d_list_t) {
    // SAFETY: as the caller says; neighbours in a list are valid.
    unsafe {
        let next = (*previous).next;
        link.write(d_list_t { next, prev: previous });
        (*previous).next = link;
        (*next).prev = link;
    }
}

/// Unlinks `link` and makes it an empty list.
///
/// # Safety
/// `link` is in a list, or an empty one.
pub(crate) unsafe fn remove(link: *mut d_list_t) {
    // SAFETY: as the caller says; neighbours in a list are valid.
    unsafe {
        let d_list_t { next, prev } = *link;
        (*prev).next = next;
        (*next).prev = prev;
        init(link);
    }
}
