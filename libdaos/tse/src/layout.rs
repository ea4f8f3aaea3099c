//! What lies in the private parts of `tse_sched_t` and `tse_task_t`, and how a scheduler reaches the operations that its tasks
//! launched: `libdaos_common` fills it in, `libdaos` reads it and leaves a [`Progress`]. Both libraries come from one tree.

use std::ffi::c_void;
use std::sync::atomic::AtomicPtr;

/// Marks a scheduler that is initialised.
pub const SCHED_MAGIC: u64 = 0xda05_5c4e_d0a1_0001;
/// Marks a task that lives.
pub const TASK_MAGIC: u64 = 0xda05_7a5c_d0a1_0001;
/// Bytes of a task that are its user's.
pub const TASK_BUFFER: usize = 880;

/// The private part of a `tse_sched_t`.
#[repr(C)]
pub struct SchedPrivate {
    /// [`SCHED_MAGIC`]; anything else: not initialised, or ended.
    pub magic: u64,
    /// The scheduler, one reference.
    pub core: *const c_void,
    /// How operations that its tasks launched move on; NULL: there are none.
    pub progress: AtomicPtr<Progress>,
}

/// The private part of a `tse_task_t`. It begins 8 bytes into the task, so that the buffer lies aligned to 16.
#[repr(C)]
pub struct TaskPrivate {
    /// [`TASK_MAGIC`].
    pub magic: u64,
    /// Its scheduler, one reference.
    pub scheduler: *const c_void,
    /// Its number there.
    pub id: u64,
    /// The scheduler's record.
    pub record: *mut c_void,
    /// Its place in a list of the program's: next, previous; itself when in none.
    pub list: [*mut c_void; 2],
    /// The program's pointer.
    pub private: *mut c_void,
    /// Bytes of the buffer in use.
    pub embedded: u64,
    /// The pointer of `daos_task_set_priv`, another one than the program's.
    pub api_private: *mut c_void,
    /// Not used.
    pub reserved: [u64; 8],
    /// The user's bytes.
    pub buffer: [u8; TASK_BUFFER],
}

const _: () = assert!(size_of::<SchedPrivate>() <= 48 * 8);
const _: () = assert!(size_of::<TaskPrivate>() == 1016);

/// Operations that tasks of one scheduler launched in another library.
#[repr(C)]
pub struct Progress {
    /// Lets them move on for at most that many microseconds, completes the tasks of those that ended, and returns how many
    /// are under way. Holds no lock while it completes a task.
    pub poll: unsafe extern "C" fn(this: *const Progress, limit_us: u64) -> usize,
    /// The scheduler has ended.
    pub release: unsafe extern "C" fn(this: *const Progress),
}
