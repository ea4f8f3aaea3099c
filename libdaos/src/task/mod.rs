//! API calls as tasks: what `daos_task_create` makes of an operation code.
//!
//! Such a task's body calls the function of its code with an event on a queue of its scheduler's own ([`progress`]); what
//! is done at once completes the task inside the body, the rest when `daos_progress` (or the scheduler itself) looks at the
//! queue. No lock is held then: completion callbacks may do anything.
//!
//! The arguments lie in the task's own bytes ([`Arguments`]), at offset 8 behind a mark and the code.

pub(crate) mod opcodes;
pub(crate) mod progress;

use crate::c::null;
use daos_common::{Der, Result};
use daos_sys::{DAOS_OPC_MAX, daos_opc_t, tse_task_t};
use daos_tse::layout::{TASK_BUFFER, TASK_MAGIC, TaskPrivate};
use std::ffi::{c_int, c_void};

/// Marks a task that an operation code was given.
const MAGIC: u32 = 0xda05_0bc0;
/// Room for the largest argument record.
const ARGUMENT_WORDS: usize = 24;

/// What lies in the bytes of a task.
#[repr(C)]
pub(crate) struct Arguments {
    magic: u32,
    opcode: daos_opc_t,
    record: [u64; ARGUMENT_WORDS],
}

const _: () = assert!(size_of::<Arguments>() <= TASK_BUFFER);

/// The private part of a task.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn private(task: *mut tse_task_t) -> Result<*mut TaskPrivate> {
    if task.is_null() {
        return Err(null("task"));
    }
    // SAFETY: an address inside a task, which is as large as both.
    let private = unsafe { (&raw mut (*task).dt_private).cast::<TaskPrivate>() };
    // SAFETY: a task by the contract.
    match unsafe { (*private).magic } {
        TASK_MAGIC => Ok(private),
        _ => Err(Der::INVAL.err("not a task")),
    }
}

/// The bytes of a task that has an operation code.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn arguments(task: *mut tse_task_t) -> Result<*mut Arguments> {
    // SAFETY: the contract; an address inside the private part.
    let arguments = unsafe { (&raw mut (*private(task)?).buffer).cast::<Arguments>() };
    // SAFETY: the bytes are aligned to 16, initialised, and larger than the record.
    match unsafe { (*arguments).magic } {
        MAGIC => Ok(arguments),
        _ => Err(Der::INVAL.err("the task was not made by daos_task_create")),
    }
}

/// Where the caller puts the arguments of a task.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn record(task: *mut tse_task_t) -> Result<*mut c_void> {
    // SAFETY: the contract; an address inside the arguments.
    Ok(unsafe { (&raw mut (*arguments(task)?).record).cast() })
}

/// The pointer that the API keeps for its caller in a task.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn api_private(task: *mut tse_task_t) -> Result<*mut *mut c_void> {
    // SAFETY: the contract; an address inside the private part.
    Ok(unsafe { &raw mut (*private(task)?).api_private })
}

/// Gives a task an operation code.
///
/// # Safety
/// The contract of [`crate::c`]; the task is not scheduled.
pub(crate) unsafe fn set_opcode(task: *mut tse_task_t, opcode: daos_opc_t) -> Result<()> {
    // SAFETY: the contract: the bytes are ours.
    unsafe {
        let arguments = (&raw mut (*private(task)?).buffer).cast::<Arguments>();
        (*arguments).magic = MAGIC;
        (*arguments).opcode = opcode;
        (*private(task)?).embedded = size_of::<Arguments>() as u64;
    }
    Ok(())
}

/// Whether there is such a code.
///
/// # Errors
/// `NOSYS`, as upstream has it.
pub(crate) fn check_opcode(opcode: daos_opc_t) -> Result<()> {
    match (0..DAOS_OPC_MAX).contains(&opcode) {
        true => Ok(()),
        false => Err(Der::NOSYS.err(format!("there is no operation {opcode}"))),
    }
}

/// The body of every task that has an operation code.
pub(crate) unsafe extern "C" fn body(task: *mut tse_task_t) -> c_int {
    // SAFETY: a scheduler calls it with a task that lives.
    daos_export::guard("an API call as a task", daos_export::Convention::Der, || unsafe { progress::start(task) })
}
