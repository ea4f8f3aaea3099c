//! One thread's io_uring: requests, completions, and who owns memory meanwhile.
//!
//! A request in flight keeps its buffer, its file and whatever else it needs in a slot of the ring until the kernel
//! says it is done. A future is only a view of its slot: dropping it leaves the slot behind, and the memory is freed
//! when the completion comes. Dropping the last handle of a ring waits for what is in flight.
//!
//! The kernel sees at most `depth` requests at a time; more wait in a queue and start as others complete. Short
//! transfers go on where they stopped.

use crate::BLOCK;
use crate::device::{Extents, Shared};
use crate::memory::{Buffer, Pool};
use daos_common::{Der, Error, Result};
use io_uring::{IoUring, opcode, squeue, types};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Flag of a write: complete only when it is durable (`RWF_DSYNC`).
const RWF_DSYNC: i32 = 2;
/// Places for registered files; beyond them files are used unregistered.
const FILES: u32 = 16;
/// Tries to hand requests to a kernel that is out of memory, a millisecond apart.
const SUBMIT_TRIES: u32 = 1000;

/// One thread's io_uring. Cheap to clone; not `Send`.
#[derive(Clone)]
pub struct Ring {
    inner: Rc<Inner>,
}

struct Inner {
    uring: RefCell<IoUring>,
    slots: RefCell<Slots>,
    files: RefCell<Vec<Weak<Registration>>>,
    files_usable: bool,
    depth: usize,
    pool: Rc<Pool>,
    #[cfg(test)]
    fault: RefCell<Option<Fault>>,
}

/// Test seam: turns the kernel's answer for (write, device offset) into another.
#[cfg(test)]
pub(crate) type Fault = Box<dyn FnMut(bool, u64, i32) -> i32>;

#[derive(Default)]
struct Slots {
    all: Vec<Slot>,
    free: Vec<usize>,
    /// Slots whose request the kernel has not seen yet.
    queue: VecDeque<usize>,
    in_kernel: usize,
}

enum Slot {
    Free,
    Busy { part: Part, done: u32, waker: Option<Waker>, wanted: bool },
    Done(io::Result<()>),
}

/// One contiguous transfer.
pub(crate) struct Part {
    pub(crate) write: bool,
    pub(crate) file: RegisteredFile,
    pub(crate) device_offset: u64,
    pub(crate) buffer: Rc<Buffer>,
    /// Where in the buffer it starts.
    pub(crate) at: usize,
    pub(crate) len: u32,
    /// Kept until the transfer is done: while it is, nobody else gets the blob's clusters.
    pub(crate) _extents: Arc<Extents>,
}

/// A file a ring knows.
#[derive(Clone)]
pub(crate) struct RegisteredFile {
    registration: Rc<Registration>,
}

struct Registration {
    shared: Arc<Shared>,
    /// Place in the ring's table.
    place: Option<u32>,
    /// Not strong: a request's file must not keep the ring that keeps the request.
    ring: Weak<Inner>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let (Some(place), Some(ring)) = (self.place, self.ring.upgrade()) else { return };
        // Nobody borrows the ring here for long: registrations are dropped outside of its methods' borrows.
        if let Ok(uring) = ring.uring.try_borrow() {
            let _ = uring.submitter().register_files_update(place, &[-1]);
        }
    }
}

impl Ring {
    /// A ring with room for `depth` requests in flight; more wait their turn.
    ///
    /// # Errors
    /// `NOMEM`; `NOTSUPPORTED`: the kernel has no io_uring or forbids it (names the sysctl).
    pub fn new(depth: u32) -> Result<Ring> {
        let depth = depth.clamp(1, 4096);
        let uring = IoUring::builder().dontfork().build(depth.next_power_of_two()).map_err(|error| {
            match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
                Some(rustix::io::Errno::NOMEM) => {
                    Error::new(Der::NOMEM, format!("io_uring: {error}; raise the limit of locked memory (ulimit -l)"))
                }
                Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => Error::from(error).at("io_uring"),
                _ => Error::new(
                    Der::NOTSUPPORTED,
                    format!("io_uring is not available: {error}; set sysctl kernel.io_uring_disabled to 0, and in a container allow its system calls"),
                ),
            }
        })?;
        let files_usable = uring.submitter().register_files_sparse(FILES).is_ok();
        Ok(Ring {
            inner: Rc::new(Inner {
                uring: RefCell::new(uring),
                slots: RefCell::default(),
                files: RefCell::default(),
                files_usable,
                depth: depth as usize,
                pool: Rc::default(),
                #[cfg(test)]
                fault: RefCell::default(),
            }),
        })
    }

    /// Takes completions without blocking; how many.
    pub fn poll(&self) -> usize {
        self.inner.reap()
    }

    /// Readable when completions wait.
    pub fn fd(&self) -> RawFd {
        self.inner.uring.borrow().as_raw_fd()
    }

    /// An aligned buffer of at least `bytes` (its length is `bytes`; its capacity a multiple of 4096). Its content is
    /// unspecified.
    pub fn buffer(&self, bytes: usize) -> Buffer {
        self.inner.pool.buffer(bytes)
    }

    /// Requests the kernel has or that wait for their turn.
    pub fn in_flight(&self) -> usize {
        let slots = self.inner.slots.borrow();
        slots.in_kernel + slots.queue.len()
    }

    /// Makes a device's file known to the ring; repeated calls share.
    pub(crate) fn register(&self, shared: &Arc<Shared>) -> RegisteredFile {
        let mut files = self.inner.files.borrow_mut();
        let mut known = files.iter().filter_map(Weak::upgrade);
        if let Some(registration) = known.find(|known| Arc::ptr_eq(&known.shared, shared)) {
            return RegisteredFile { registration };
        }
        let vacant = files.iter().position(|file| file.strong_count() == 0).unwrap_or(files.len());
        let fd = shared.file.as_raw_fd();
        let place = (vacant < FILES as usize && self.inner.files_usable).then_some(vacant as u32);
        let registers = |place: &u32| {
            let uring = self.inner.uring.borrow();
            uring.submitter().register_files_update(*place, &[fd]).is_ok()
        };
        let place = place.filter(registers);
        let registration =
            Rc::new(Registration { shared: Arc::clone(shared), place, ring: Rc::downgrade(&self.inner) });
        match files.get_mut(vacant) {
            Some(slot) => *slot = Rc::downgrade(&registration),
            None => files.push(Rc::downgrade(&registration)),
        }
        RegisteredFile { registration }
    }

    /// Starts a transfer now; the future says how it went.
    pub(crate) fn start(&self, part: Part) -> Request {
        let slot = self.inner.slots.borrow_mut().add(part);
        self.inner.advance();
        Request { ring: self.clone(), slot: Some(slot) }
    }

    #[cfg(test)]
    pub(crate) fn inject(&self, fault: Option<Fault>) {
        *self.inner.fault.borrow_mut() = fault;
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open as long as the ring, which the borrow keeps.
        unsafe { BorrowedFd::borrow_raw(self.fd()) }
    }
}

impl Slots {
    fn add(&mut self, part: Part) -> usize {
        let slot = Slot::Busy { part, done: 0, waker: None, wanted: true };
        let index = match self.free.pop() {
            Some(index) => {
                self.all[index] = slot;
                index
            }
            None => {
                self.all.push(slot);
                self.all.len() - 1
            }
        };
        self.queue.push_back(index);
        index
    }

    /// Empties a slot; what it held.
    fn take(&mut self, index: usize) -> Slot {
        self.free.push(index);
        std::mem::replace(&mut self.all[index], Slot::Free)
    }
}

impl Inner {
    /// Gives queued requests to the kernel as far as the depth allows.
    fn advance(&self) {
        let mut uring = self.uring.borrow_mut();
        let mut slots = self.slots.borrow_mut();
        while slots.in_kernel < self.depth {
            let Some(index) = slots.queue.pop_front() else { break };
            let Slot::Busy { part, done, .. } = &slots.all[index] else { continue };
            let entry = entry_of(part, *done).user_data(index as u64);
            // SAFETY: the entry points into the buffer that the slot owns, and names a file the slot keeps open. The
            // slot is emptied only after this entry's completion (`complete`), or by `Inner::drop` after waiting.
            let pushed = unsafe { uring.submission().push(&entry) };
            if pushed.is_err() {
                // The queue has `depth` places, so it holds what an earlier call could not hand over.
                slots.queue.push_front(index);
                break;
            }
            slots.in_kernel += 1;
        }
        drop(slots);
        hand_over(&mut uring);
    }

    fn reap(&self) -> usize {
        let mut taken = 0;
        loop {
            let mut batch = [(0u64, 0i32); 64];
            let mut count = 0;
            {
                let mut uring = self.uring.borrow_mut();
                if !uring.submission().is_empty() {
                    hand_over(&mut uring);
                }
                for (place, entry) in batch.iter_mut().zip(uring.completion()) {
                    *place = (entry.user_data(), entry.result());
                    count += 1;
                }
            }
            for &(slot, result) in &batch[..count] {
                self.complete(slot as usize, result);
            }
            taken += count;
            if count == 0 {
                return taken;
            }
            self.advance();
        }
    }

    /// Takes in one completion.
    fn complete(&self, index: usize, result: i32) {
        let mut slots = self.slots.borrow_mut();
        slots.in_kernel -= 1;
        let Some(Slot::Busy { part, done, .. }) = slots.all.get_mut(index) else { return };
        #[cfg(test)]
        let result = match self.fault.borrow_mut().as_mut() {
            Some(fault) => fault(part.write, part.device_offset, result),
            None => result,
        };
        let outcome = match result {
            // The slot goes back to the queue to continue or try again.
            errno if errno < 0 && transient(errno) => None,
            errno if errno < 0 => Some(Err(io::Error::from_raw_os_error(-errno))),
            0 => Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the device ends here"))),
            bytes => {
                *done += bytes as u32;
                let whole = *done >= part.len;
                // O_DIRECT cannot go on from inside a block.
                let aligned = u64::from(*done).is_multiple_of(BLOCK);
                let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the device ends inside a block");
                if whole { Some(Ok(())) } else { (!aligned).then(|| Err(cut())) }
            }
        };
        let Some(outcome) = outcome else {
            slots.queue.push_back(index);
            return;
        };
        let old = match &slots.all[index] {
            Slot::Busy { wanted: true, .. } => std::mem::replace(&mut slots.all[index], Slot::Done(outcome)),
            _ => slots.take(index),
        };
        // Wakers, buffers and files run others' code when used or dropped: not under the borrow.
        drop(slots);
        if let Slot::Busy { part, waker, .. } = old {
            drop(part);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Requests the kernel never saw need no waiting.
        let queued: Vec<usize> = self.slots.get_mut().queue.drain(..).collect();
        for index in queued {
            drop(self.slots.get_mut().take(index));
        }
        while self.slots.get_mut().in_kernel > 0 {
            match self.uring.get_mut().submit_and_wait(1) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    // The kernel may still write to the buffers: they are given up rather than freed.
                    tracing::error!("waiting for I/O in flight failed: {error}; its memory is abandoned");
                    std::mem::forget(std::mem::take(self.slots.get_mut()));
                    return;
                }
            }
            let done: Vec<(u64, i32)> =
                self.uring.get_mut().completion().map(|entry| (entry.user_data(), entry.result())).collect();
            for (index, _) in done {
                self.slots.get_mut().in_kernel -= 1;
                drop(self.slots.get_mut().take(index as usize));
            }
        }
    }
}

/// Answers after which the same request is simply given again.
fn transient(errno: i32) -> bool {
    let errno = rustix::io::Errno::from_raw_os_error(-errno);
    errno == rustix::io::Errno::INTR || errno == rustix::io::Errno::AGAIN
}

/// Hands the submission queue to the kernel. What it does not take stays there for the next call.
fn hand_over(uring: &mut IoUring) {
    for _ in 0..SUBMIT_TRIES {
        match uring.submit() {
            Ok(_) => return,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Its completion queue is full: `reap` empties that and calls again.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => return,
            Err(error) => {
                tracing::warn!("io_uring takes no requests: {error}");
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }
}

fn entry_of(part: &Part, done: u32) -> squeue::Entry {
    let at = part.at + done as usize;
    let (address, len) = (part.buffer.address().wrapping_add(at), part.len - done);
    let offset = part.device_offset + u64::from(done);
    let registration = &part.file.registration;
    let fd = types::Fd(registration.shared.file.as_raw_fd());
    match (part.write, registration.place) {
        (true, Some(place)) => {
            opcode::Write::new(types::Fixed(place), address, len).offset(offset).rw_flags(RWF_DSYNC).build()
        }
        (true, None) => opcode::Write::new(fd, address, len).offset(offset).rw_flags(RWF_DSYNC).build(),
        (false, Some(place)) => opcode::Read::new(types::Fixed(place), address, len).offset(offset).build(),
        (false, None) => opcode::Read::new(fd, address, len).offset(offset).build(),
    }
}

/// A started transfer.
pub(crate) struct Request {
    ring: Ring,
    /// None once the outcome was given.
    slot: Option<usize>,
}

impl Future for Request {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(index) = self.slot else {
            return Poll::Ready(Err(io::Error::other("polled after its outcome")));
        };
        let mut slots = self.ring.inner.slots.borrow_mut();
        if let Slot::Busy { waker, .. } = &mut slots.all[index] {
            match waker {
                Some(known) => known.clone_from(context.waker()),
                None => *waker = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        let outcome = slots.take(index);
        drop(slots);
        self.slot = None;
        match outcome {
            Slot::Done(outcome) => Poll::Ready(outcome),
            Slot::Free | Slot::Busy { .. } => Poll::Ready(Err(io::Error::other("its slot was lost"))),
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let Some(index) = self.slot else { return };
        let mut slots = self.ring.inner.slots.borrow_mut();
        let queued = slots.queue.iter().position(|queued| *queued == index);
        let old = match (&mut slots.all[index], queued) {
            (Slot::Busy { wanted, .. }, None) => {
                *wanted = false;
                return;
            }
            (_, queued) => {
                if let Some(at) = queued {
                    slots.queue.remove(at);
                }
                slots.take(index)
            }
        };
        drop(slots);
        drop(old);
    }
}
