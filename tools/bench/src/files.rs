//! libdfs: rates of create, stat and unlink in one directory. The limit is the rate of as many bare round trips as the
//! call needs one after another.

use crate::Arguments;
use crate::limits::Limits;
use crate::report::{Report, median};
use daos_api::{ContRef, PoolRef};
use daos_common::{Der, Error, Result};
use daos_sys as sys;
use std::ffi::CString;
use std::ptr;
use std::time::Instant;

const FILES: usize = 500;
/// Round trips one after another: the insert.
const CREATE_TRIPS: f64 = 1.0;
/// The entry, then the object's size and time.
const STAT_TRIPS: f64 = 2.0;
/// The entry, the punch of the name, the punch of the object.
const UNLINK_TRIPS: f64 = 3.0;

/// Adds the figures of this module.
pub fn measure(
    arguments: &Arguments,
    pool: PoolRef,
    cont: ContRef,
    limits: &Limits,
    report: &mut Report,
) -> Result<()> {
    let mut dfs = ptr::null_mut();
    // SAFETY: `dfs` is live and the handles are open.
    dfs_check(unsafe { sys::dfs_mount(pool.raw(), cont.raw(), libc::O_RDWR, &mut dfs) }, "dfs_mount")?;
    let directory = CString::new("bench").map_err(|_| Der::MISC.err("a NUL byte"))?;
    let mut creates = Vec::new();
    let mut stats = Vec::new();
    let mut unlinks = Vec::new();
    for _ in 0..arguments.rounds {
        let mut parent = ptr::null_mut();
        // SAFETY: the mount is open; every pointer is live for its call.
        unsafe {
            let mode = libc::S_IFDIR | 0o755;
            let flags = libc::O_CREAT | libc::O_RDWR;
            let rc =
                sys::dfs_open(dfs, ptr::null_mut(), directory.as_ptr(), mode, flags, 0, 0, ptr::null(), &mut parent);
            dfs_check(rc, "dfs_open of a directory")?;
            creates.push(each("create", |name| {
                let mut file = ptr::null_mut();
                let mode = libc::S_IFREG | 0o644;
                let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR;
                match sys::dfs_open(dfs, parent, name.as_ptr(), mode, flags, 0, 0, ptr::null(), &mut file) {
                    0 => sys::dfs_release(file),
                    rc => rc,
                }
            })?);
            stats.push(each("stat", |name| {
                let mut stat: sys::stat = std::mem::zeroed();
                sys::dfs_stat(dfs, parent, name.as_ptr(), &mut stat)
            })?);
            unlinks.push(each("unlink", |name| sys::dfs_remove(dfs, parent, name.as_ptr(), false, ptr::null_mut()))?);
            dfs_check(sys::dfs_release(parent), "dfs_release")?;
            let rc = sys::dfs_remove(dfs, ptr::null_mut(), directory.as_ptr(), true, ptr::null_mut());
            dfs_check(rc, "dfs_remove of a directory")?;
        }
    }
    // SAFETY: ours, and not used after.
    dfs_check(unsafe { sys::dfs_umount(dfs) }, "dfs_umount")?;
    let limit = |trips: f64| Some(1e6 / (trips * limits.round_trip_us));
    report.add("libdfs create (limit: 1 round trip)", median(creates), "op/s", limit(CREATE_TRIPS));
    report.add("libdfs stat (limit: 2 round trips)", median(stats), "op/s", limit(STAT_TRIPS));
    report.add("libdfs unlink (limit: 3 round trips)", median(unlinks), "op/s", limit(UNLINK_TRIPS));
    Ok(())
}

/// Rate of an operation over all files.
fn each(what: &str, mut operation: impl FnMut(&CString) -> i32) -> Result<f64> {
    let names: Vec<CString> = (0..FILES).filter_map(|number| CString::new(format!("file-{number}")).ok()).collect();
    let started = Instant::now();
    for name in &names {
        dfs_check(operation(name), what)?;
    }
    Ok(FILES as f64 / started.elapsed().as_secs_f64())
}

fn dfs_check(errno: i32, what: &str) -> Result<()> {
    if errno == 0 {
        return Ok(());
    }
    Err(Error::from(std::io::Error::from_raw_os_error(errno)).at(what))
}
