//! User attributes of pools and containers: the calls that both have, names and values in the caller's arrays.

use crate::c::{Out, OutArray, elements, null};
use crate::call::Call;
use crate::handles::{CONTAINERS, POOLS};
use daos_client::handle::HandleTable;
use daos_client::{Container, Context, Pool, UserMemory};
use daos_common::wire::pool::{AttrAction, AttrReply};
use daos_common::{Der, Result};
use daos_sys::{DAOS_ATTR_NAME_MAX, daos_event_t, daos_handle_t};
use std::ffi::{c_char, c_int, c_void};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

/// Largest value that goes in one message.
const VALUE_BYTES_MAX: usize = 1 << 20;

/// What has attributes behind a C handle.
pub(crate) trait HasAttributes: Sized + Send + Sync + 'static {
    /// The handles of its kind.
    const HANDLES: &'static HandleTable<Self>;

    /// Reads or changes its attributes.
    fn act(
        self: Arc<Self>,
        context: Rc<Context>,
        action: AttrAction,
    ) -> impl Future<Output = Result<AttrReply>> + 'static;
}

impl HasAttributes for Pool {
    const HANDLES: &'static HandleTable<Pool> = &POOLS;

    async fn act(self: Arc<Self>, context: Rc<Context>, action: AttrAction) -> Result<AttrReply> {
        self.attributes(&context, action).await
    }
}

impl HasAttributes for Container {
    const HANDLES: &'static HandleTable<Container> = &CONTAINERS;

    async fn act(self: Arc<Self>, context: Rc<Context>, action: AttrAction) -> Result<AttrReply> {
        self.attributes(&context, action).await
    }
}

/// `daos_pool_list_attr`, `daos_cont_list_attr`.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn list<T: HasAttributes>(
    handle: daos_handle_t,
    buffer: *mut c_char,
    size: *mut usize,
    ev: *mut daos_event_t,
) -> c_int {
    // SAFETY: the contract of this function.
    unsafe { Call::on(ev) }.run(|| {
        let owner = T::HANDLES.get(handle.cookie)?;
        // SAFETY: the contract of this function.
        let place = unsafe { NamePlace::new(buffer, size) }?;
        Ok(move |context| async move {
            place.give(&owner.act(context, AttrAction::List).await?);
            Ok(())
        })
    })
}

/// `daos_pool_get_attr`, `daos_cont_get_attr`.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn get<T: HasAttributes>(
    handle: daos_handle_t,
    count: c_int,
    c_names: *const *const c_char,
    buffers: *const *mut c_void,
    sizes: *mut usize,
    ev: *mut daos_event_t,
) -> c_int {
    // SAFETY: the contract of this function.
    unsafe { Call::on(ev) }.run(|| {
        let owner = T::HANDLES.get(handle.cookie)?;
        // SAFETY: the contract of this function.
        let names = unsafe { names(count, c_names) }?;
        // SAFETY: the contract of this function.
        let places = unsafe { ValuePlaces::new(names.len(), buffers, sizes) }?;
        Ok(move |context| async move {
            places.give(&owner.act(context, AttrAction::Get(names)).await?);
            Ok(())
        })
    })
}

/// `daos_pool_set_attr`, `daos_cont_set_attr`.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn set<T: HasAttributes>(
    handle: daos_handle_t,
    count: c_int,
    c_names: *const *const c_char,
    values: *const *const c_void,
    sizes: *const usize,
    ev: *mut daos_event_t,
) -> c_int {
    // SAFETY: the contract of this function.
    unsafe { Call::on(ev) }.run(|| {
        let owner = T::HANDLES.get(handle.cookie)?;
        // SAFETY: the contract of this function.
        let action = unsafe { set_action(count, c_names, values, sizes) }?;
        Ok(move |context| async move { owner.act(context, action).await.map(drop) })
    })
}

/// `daos_pool_del_attr`, `daos_cont_del_attr`.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn delete<T: HasAttributes>(
    handle: daos_handle_t,
    count: c_int,
    c_names: *const *const c_char,
    ev: *mut daos_event_t,
) -> c_int {
    // SAFETY: the contract of this function.
    unsafe { Call::on(ev) }.run(|| {
        let owner = T::HANDLES.get(handle.cookie)?;
        // SAFETY: the contract of this function.
        let names = unsafe { names(count, c_names) }?;
        Ok(move |context| async move { owner.act(context, AttrAction::Delete(names)).await.map(drop) })
    })
}

/// Names in an array of the caller's.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn names(count: c_int, names: *const *const c_char) -> Result<Vec<String>> {
    let count = usize::try_from(count).unwrap_or(0);
    if count == 0 || names.is_null() {
        return Err(Der::INVAL.err("no attribute names"));
    }
    // SAFETY: the contract of this function.
    let pointers: Vec<*const c_char> = unsafe { elements(names, count) };
    let take = |pointer: &*const c_char| {
        // SAFETY: the contract of this function.
        let name = unsafe { crate::c::text(*pointer, DAOS_ATTR_NAME_MAX as usize, "attribute name") }?;
        if name.is_empty() { Err(Der::INVAL.err("an attribute's name is empty")) } else { Ok(name) }
    };
    pointers.iter().map(take).collect()
}

/// What to set.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn set_action(
    count: c_int,
    c_names: *const *const c_char,
    values: *const *const c_void,
    sizes: *const usize,
) -> Result<AttrAction> {
    // SAFETY: the contract of this function.
    let names = unsafe { names(count, c_names) }?;
    if values.is_null() || sizes.is_null() {
        return Err(null("values or sizes"));
    }
    // SAFETY: the contract of this function; the arrays have as many elements as there are names.
    let (values, sizes) = unsafe { (elements(values, names.len()), elements(sizes, names.len())) };
    let mut pairs = Vec::with_capacity(names.len());
    for ((name, value), size) in names.into_iter().zip(values).zip(sizes) {
        if value.is_null() || size == 0 || size > VALUE_BYTES_MAX {
            return Err(Der::INVAL.err(format!("value of attribute {name:?}: {size} bytes")));
        }
        // SAFETY: as above.
        pairs.push((name, unsafe { elements(value.cast::<u8>(), size) }));
    }
    Ok(AttrAction::Set(pairs))
}

/// Where the values of attributes go.
struct ValuePlaces {
    buffers: OutArray<*mut c_void>,
    sizes: OutArray<usize>,
}

impl ValuePlaces {
    /// # Safety
    /// The contract of [`crate::c`].
    unsafe fn new(count: usize, buffers: *const *mut c_void, sizes: *mut usize) -> Result<ValuePlaces> {
        if sizes.is_null() {
            return Err(null("sizes"));
        }
        // SAFETY: the contract of this function.
        Ok(unsafe {
            ValuePlaces { buffers: OutArray::new(buffers.cast_mut(), count), sizes: OutArray::new(sizes, count) }
        })
    }

    /// Copies what fits and tells the true sizes.
    fn give(&self, reply: &AttrReply) {
        for (index, value) in reply.values.iter().enumerate() {
            if let (Some(buffer), Some(room)) = (self.buffers.get(index), self.sizes.get(index)) {
                // SAFETY: a buffer of that many bytes by the contract of `new`.
                unsafe { UserMemory::new([(buffer.cast::<u8>(), room)]) }.write_at(0, value);
            }
            self.sizes.set(index, value.len());
        }
    }
}

/// Where a list of names goes: packed, each with its NUL.
struct NamePlace {
    buffer: UserMemory,
    size: Out<usize>,
}

impl NamePlace {
    /// # Safety
    /// The contract of [`crate::c`].
    unsafe fn new(buffer: *mut c_char, size: *mut usize) -> Result<NamePlace> {
        // SAFETY: the contract of this function.
        let size = unsafe { Out::required(size, "size") }?;
        if size.get() > 0 && buffer.is_null() {
            return Err(null("buffer"));
        }
        // SAFETY: the contract of this function.
        Ok(NamePlace { buffer: unsafe { UserMemory::new([(buffer.cast::<u8>(), size.get())]) }, size })
    }

    /// Copies what fits and tells the size of all.
    fn give(&self, reply: &AttrReply) {
        let packed: Vec<u8> = reply.names.iter().flat_map(|name| name.bytes().chain([0])).collect();
        self.buffer.write_at(0, &packed);
        self.size.set(packed.len());
    }
}
