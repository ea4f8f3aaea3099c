//! Forks: the library's locks are free in the child. Registered when the library is loaded, so that a fork takes them
//! last and lets go of them first, whatever else of the process watches forks.

use crate::{alloc, environment, fault, log, miscellany};
use std::cell::UnsafeCell;

/// What the forking thread holds; in the order in which the library takes locks within locks.
struct Held(UnsafeCell<Option<Locks>>);

type Locks = (log::Held, fault::Held, environment::Held, miscellany::Held, alloc::Held);

// SAFETY: written and emptied only by the thread that forks, while it holds the first of the locks.
unsafe impl Sync for Held {}

static HELD: Held = Held(UnsafeCell::new(None));

extern "C" fn before() {
    let locks = (log::hold(), fault::hold(), environment::hold(), miscellany::hold(), alloc::hold());
    // SAFETY: this thread holds the locks.
    unsafe { *HELD.0.get() = Some(locks) };
}

extern "C" fn after() {
    // SAFETY: this thread holds the locks until the value drops.
    let locks = unsafe { (*HELD.0.get()).take() };
    drop(locks);
}

extern "C" fn register() {
    // SAFETY: plain functions. Without memory for the registration a fork is as in any library.
    unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
}

/// Runs when the library is loaded.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = register;
