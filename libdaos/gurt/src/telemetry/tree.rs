//! Finding, listing, counting and walking the nodes of a tree. Links are followed; a walk ends at
//! [`DEPTH_MAX`](super::DEPTH_MAX) levels, so a damaged tree can't keep it busy for ever.

use super::{Context, DEPTH_MAX, Found, context};
use crate::alloc::{free, zeroed_array};
use crate::der;
use daos_common::Der;
use daos_common::telemetry::kind;
use daos_export::export;
use daos_sys::{d_tm_context, d_tm_iter_cb_t, d_tm_node_t, d_tm_nodeList_t};
use libc::{c_char, c_int, c_void};
use std::ffi::{CStr, CString};
use std::ptr;

type Pointer = *mut d_tm_node_t;

/// The node itself, or what it links to.
fn followed(context: &Context, node: Pointer) -> Option<Pointer> {
    context.with_node(node, |node| context.follow(node)).flatten()
}

/// The children of a node that is no link.
fn children(context: &Context, node: Pointer) -> Vec<Pointer> {
    context.with_node(node, |node| node.children().map(Found::pointer).collect()).unwrap_or_default()
}

fn kind_of(context: &Context, node: Pointer) -> i32 {
    context.with_node(node, |node| node.kind()).unwrap_or(0)
}

fn find(context: &Context, path: &[u8]) -> Option<Pointer> {
    let mut at = None;
    let mut parent = context.root.root()?.pointer();
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        parent = followed(context, parent)?;
        let same = |node: &Pointer| {
            let own = context.with_node(*node, |node| node.name().map(|own| own[..own.len() - 1] == *name));
            own.flatten().unwrap_or(false)
        };
        parent = children(context, parent).into_iter().find(same)?;
        at = Some(parent);
    }
    followed(context, at?)
}

fn count(context: &Context, node: Pointer, wanted: i32, depth: usize) -> u64 {
    let Some(node) = followed(context, node) else { return 0 };
    if depth > DEPTH_MAX {
        return 0;
    }
    let below: u64 = children(context, node).into_iter().map(|child| count(context, child, wanted, depth + 1)).sum();
    below + u64::from(kind_of(context, node) & wanted != 0)
}

/// Adds a node to a list's end; `tail` is where the next one goes.
fn append(tail: &mut *mut *mut d_tm_nodeList_t, node: Pointer) -> Result<(), Der> {
    let entry: *mut d_tm_nodeList_t = zeroed_array(1);
    if entry.is_null() {
        return Err(Der::NOMEM);
    }
    // SAFETY: fresh memory, and the place of a list's last link.
    unsafe {
        (*entry).dtnl_node = node;
        tail.write(entry);
        *tail = &raw mut (*entry).dtnl_next;
    }
    Ok(())
}

/// Where a list's next entry goes.
///
/// # Safety
/// A place that holds NULL or a list.
unsafe fn tail_of(head: *mut *mut d_tm_nodeList_t) -> *mut *mut d_tm_nodeList_t {
    let mut tail = head;
    // SAFETY: as the caller says.
    unsafe {
        while let Some(entry) = (*tail).as_mut() {
            tail = &raw mut entry.dtnl_next;
        }
    }
    tail
}

/// What a listing takes.
struct Listing {
    wanted: i32,
    /// Levels, the start being the first; 0 or less: all.
    levels: c_int,
    without_start: bool,
}

impl Listing {
    fn walk(
        &self,
        context: &Context,
        tail: &mut *mut *mut d_tm_nodeList_t,
        node: Pointer,
        depth: usize,
    ) -> Result<(), Der> {
        let beyond = self.levels > 0 && depth >= self.levels as usize;
        if beyond || depth > DEPTH_MAX {
            return Ok(());
        }
        let Some(node) = followed(context, node) else { return Ok(()) };
        let skipped = self.without_start && depth == 0;
        if !skipped && kind_of(context, node) & self.wanted != 0 {
            append(tail, node)?;
        }
        children(context, node).into_iter().try_for_each(|child| self.walk(context, tail, child, depth + 1))
    }

    /// # Safety
    /// `head` is NULL or holds NULL or a list.
    unsafe fn run(&self, ctx: *mut d_tm_context, head: *mut *mut d_tm_nodeList_t, node: Pointer) -> c_int {
        let Some(context) = context(ctx) else { return der(Der::INVAL) };
        if head.is_null() || context.with_node(node, |_| ()).is_none() {
            return der(Der::INVAL);
        }
        // SAFETY: as the caller says.
        let mut tail = unsafe { tail_of(head) };
        self.walk(&context, &mut tail, node, 0).map_or_else(der, |()| 0)
    }
}

/// One walk of `d_tm_iterate`.
struct Walk<'a> {
    pointer: *mut d_tm_context,
    context: &'a Context,
    filter: c_int,
    format: c_int,
    fields: c_int,
    callback: unsafe extern "C" fn(*mut d_tm_context, Pointer, c_int, *mut c_char, c_int, c_int, *mut c_void),
    argument: *mut c_void,
}

impl Walk<'_> {
    /// `path` is that of the folder above, `None` above the start.
    fn at(&self, node: Pointer, level: c_int, path: Option<&CStr>, depth: usize) {
        let Some(node) = followed(self.context, node) else { return };
        if depth > DEPTH_MAX {
            return;
        }
        if kind_of(self.context, node) & self.filter != 0 {
            let path = path.map_or(ptr::null_mut(), |path| path.as_ptr().cast_mut());
            // SAFETY: the caller's callback, a node of the context, and a string that outlives the call.
            unsafe {
                (self.callback)(self.pointer, node, level, path, self.format, self.fields, self.argument);
            }
        }
        let name = self.context.with_node(node, |node| node.name().map(<[u8]>::to_vec)).flatten().unwrap_or_default();
        let below = match path {
            Some(path) if path != c"/" => [path.to_bytes(), b"/", &name].concat(),
            _ => name,
        };
        let below = CString::new(below.into_iter().filter(|byte| *byte != 0).collect::<Vec<u8>>()).unwrap_or_default();
        for child in children(self.context, node) {
            self.at(child, level.saturating_add(1), Some(&below), depth + 1);
        }
    }
}

export! { Der;
    fn d_tm_find_metric(ctx: *mut d_tm_context, path: *mut c_char) -> *mut d_tm_node_t {
        let Some(context) = context(ctx) else { return ptr::null_mut() };
        if path.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: not NULL, a C string of the caller's.
        find(&context, unsafe { CStr::from_ptr(path) }.to_bytes()).unwrap_or(ptr::null_mut())
    }

    fn d_tm_count_metrics(ctx: *mut d_tm_context, node: *mut d_tm_node_t, d_tm_type: c_int) -> u64 {
        context(ctx).map_or(0, |context| count(&context, node, d_tm_type, 0))
    }

    fn d_tm_list(
        ctx: *mut d_tm_context, head: *mut *mut d_tm_nodeList_t, node: *mut d_tm_node_t, d_tm_type: c_int,
    ) -> c_int {
        let listing = Listing { wanted: d_tm_type, levels: 0, without_start: false };
        // SAFETY: NULL, or a place of the caller's that holds NULL or a list.
        unsafe { listing.run(ctx, head, node) }
    }

    fn d_tm_list_subdirs(
        ctx: *mut d_tm_context, head: *mut *mut d_tm_nodeList_t, node: *mut d_tm_node_t, node_count: *mut u64,
        max_depth: c_int,
    ) -> c_int {
        let levels = max_depth.saturating_add(1);
        let listing = Listing { wanted: kind::DIRECTORY, levels, without_start: true };
        // SAFETY: NULL, or a place of the caller's that holds NULL or a list; the count is NULL or the caller's.
        unsafe {
            let rc = listing.run(ctx, head, node);
            if rc != 0 {
                return rc;
            }
            let Some(context) = context(ctx) else { return der(Der::INVAL) };
            let mut folders = 0;
            let mut entry = *head;
            while let Some(one) = entry.as_ref() {
                folders += u64::from(kind_of(&context, one.dtnl_node) == kind::DIRECTORY);
                entry = one.dtnl_next;
            }
            if let Some(count) = node_count.as_mut() {
                *count = folders;
            }
        }
        0
    }

    fn d_tm_list_add_node(src: *mut d_tm_node_t, nodelist: *mut *mut d_tm_nodeList_t) -> c_int {
        if nodelist.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: not NULL; it holds NULL or a list of the caller's.
        let mut tail = unsafe { tail_of(nodelist) };
        append(&mut tail, src).map_or_else(der, |()| 0)
    }

    fn d_tm_list_free(node_list: *mut d_tm_nodeList_t) {
        let mut entry = node_list;
        while !entry.is_null() {
            // SAFETY: a list of this library's that the caller gives up.
            let next = unsafe { (*entry).dtnl_next };
            free(entry);
            entry = next;
        }
    }

    fn d_tm_iterate(
        ctx: *mut d_tm_context, node: *mut d_tm_node_t, level: c_int, filter: c_int, path: *mut c_char, format: c_int,
        opt_fields: c_int, iter_cb: d_tm_iter_cb_t, cb_arg: *mut c_void,
    ) {
        let (Some(context), Some(callback)) = (context(ctx), iter_cb) else { return };
        // SAFETY: NULL or a C string of the caller's.
        let path = (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) });
        let walk =
            Walk { pointer: ctx, context: &context, filter, format, fields: opt_fields, callback, argument: cb_arg };
        walk.at(node, level, path, 0);
    }
}
