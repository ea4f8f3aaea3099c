//! Message buffers: fixed size, recycled, at stable addresses, each with the context that a provider wants per
//! operation.
//!
//! A [`Buffer`] is owned by one place at a time: the pool's free list, the code that fills or reads it, or the
//! provider while an operation is under way ([`Buffer::into_raw`], [`Buffer::from_raw`]). The pool owns the memory
//! itself, so that operations that a closed endpoint never completes leak nothing.

use libfabric_sys as lf;
use std::any::Any;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::Rc;

/// Bytes of a message that travels as one: the header, an address, a body and 16 KiB of inline data. A longer one is
/// pulled by its receiver.
pub(crate) const BUFFER_BYTES: usize = 36 * 1024;

/// Free buffers kept at most; the rest is given back to the allocator.
const FREE_LIMIT: usize = 1024;

/// What an operation's completion carries back. The provider's scratch space must be first.
#[repr(C)]
pub(crate) struct Context {
    scratch: lf::fi_context2,
    pub(crate) kind: Kind,
    pub(crate) token: u64,
}

/// Which operation a [`Context`] belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Receive,
    Send,
    Rma,
}

impl Context {
    pub(crate) fn new(kind: Kind) -> Context {
        Context { scratch: lf::fi_context2 { internal: [std::ptr::null_mut(); 8] }, kind, token: 0 }
    }
}

/// Registers buffers for providers that ask for it; the returned value holds the registration.
pub(crate) trait Registrar {
    fn register(&self, memory: *mut u8, len: usize) -> Option<(Box<dyn Any>, *mut c_void)>;
}

/// A buffer's memory. The context is first: a provider hands its address back.
#[repr(C)]
pub(crate) struct Raw {
    context: Context,
    len: usize,
    desc: *mut c_void,
    data: Box<[u8]>,
    slot: usize,
    // Closed before the memory goes: fields drop in order, and `data` is freed with the box that holds both.
    registration: Option<Box<dyn Any>>,
}

/// The buffers of one endpoint.
pub(crate) struct Pool {
    free: RefCell<Vec<NonNull<Raw>>>,
    all: RefCell<Vec<NonNull<Raw>>>,
    registrar: Option<Rc<dyn Registrar>>,
}

impl Pool {
    pub(crate) fn new(registrar: Option<Rc<dyn Registrar>>) -> Rc<Pool> {
        Rc::new(Pool { free: RefCell::default(), all: RefCell::default(), registrar })
    }

    /// An empty buffer.
    pub(crate) fn take(self: &Rc<Pool>) -> Buffer {
        let raw = self.free.borrow_mut().pop().unwrap_or_else(|| self.grow());
        let mut buffer = Buffer { raw, pool: self.clone() };
        buffer.set_len(0);
        buffer
    }

    /// Buffers that are neither free nor with the allocator.
    pub(crate) fn in_use(&self) -> usize {
        self.all.borrow().len() - self.free.borrow().len()
    }

    fn grow(&self) -> NonNull<Raw> {
        let mut all = self.all.borrow_mut();
        // Zeroed by the allocator: fresh pages stay untouched until a message needs them.
        let mut data = vec![0u8; BUFFER_BYTES].into_boxed_slice();
        let registered =
            self.registrar.as_ref().and_then(|registrar| registrar.register(data.as_mut_ptr(), data.len()));
        let (registration, desc) = match registered {
            Some((registration, desc)) => (Some(registration), desc),
            None => (None, std::ptr::null_mut()),
        };
        let raw =
            Box::new(Raw { context: Context::new(Kind::Send), len: 0, desc, data, slot: all.len(), registration });
        let raw = NonNull::from(Box::leak(raw));
        all.push(raw);
        raw
    }

    fn give_back(&self, mut raw: NonNull<Raw>) {
        let mut free = self.free.borrow_mut();
        if free.len() < FREE_LIMIT {
            free.push(raw);
            return;
        }
        let mut all = self.all.borrow_mut();
        // SAFETY: the caller was the buffer's only owner, and every pointer in `all` is valid.
        unsafe {
            let slot = raw.as_mut().slot;
            all.swap_remove(slot);
            if let Some(moved) = all.get_mut(slot) {
                moved.as_mut().slot = slot;
            }
            free_raw(raw);
        }
    }
}

/// Frees a buffer's memory, its registration first.
///
/// # Safety
/// Nothing refers to it any more.
unsafe fn free_raw(raw: NonNull<Raw>) {
    // SAFETY: made by `Box::leak` in `grow`; the caller's promise.
    let mut raw = unsafe { Box::from_raw(raw.as_ptr()) };
    raw.registration.take();
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Every `Buffer` holds the pool, so the only other holder can be an endpoint's provider, which closed first.
        for raw in self.all.get_mut().drain(..) {
            // SAFETY: nothing else refers to it, see above.
            unsafe { free_raw(raw) };
        }
    }
}

/// A buffer and how much of it is filled.
pub(crate) struct Buffer {
    raw: NonNull<Raw>,
    pool: Rc<Pool>,
}

impl Buffer {
    fn raw(&self) -> &Raw {
        // SAFETY: valid while the pool lives, and this is the only owner.
        unsafe { self.raw.as_ref() }
    }

    fn raw_mut(&mut self) -> &mut Raw {
        // SAFETY: as in `raw`.
        unsafe { self.raw.as_mut() }
    }

    /// The filled part.
    pub(crate) fn bytes(&self) -> &[u8] {
        let raw = self.raw();
        &raw.data[..raw.len]
    }

    /// All of it, to fill.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        &mut self.raw_mut().data
    }

    /// Appends `bytes` that the caller knows to fit.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let raw = self.raw_mut();
        let end = raw.len + bytes.len();
        raw.data[raw.len..end].copy_from_slice(bytes);
        raw.len = end;
    }

    pub(crate) fn set_len(&mut self, len: usize) {
        self.raw_mut().len = len.min(BUFFER_BYTES);
    }

    /// The memory's registration, or null.
    pub(crate) fn desc(&self) -> *mut c_void {
        self.raw().desc
    }

    pub(crate) fn set_context(&mut self, kind: Kind, token: u64) {
        let context = &mut self.raw_mut().context;
        context.kind = kind;
        context.token = token;
    }

    /// Leaves the buffer to an operation; `from_raw` takes it back.
    pub(crate) fn into_raw(self) -> NonNull<Raw> {
        let raw = self.raw;
        let mut this = std::mem::ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped or used again; only the pool's count goes down.
        unsafe { std::ptr::drop_in_place(&mut this.pool) };
        raw
    }

    /// Takes a buffer back from an operation.
    ///
    /// # Safety
    /// `raw` came from `into_raw` of a buffer of `pool`, and its operation is over.
    pub(crate) unsafe fn from_raw(raw: NonNull<Raw>, pool: &Rc<Pool>) -> Buffer {
        Buffer { raw, pool: pool.clone() }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.pool.give_back(self.raw);
    }
}
