//! The few things asked of the operating system that need unsafe code: the fence around them.
//!
//! Everything else in this crate is safe Rust.
#![allow(unsafe_code)]

use daos_common::telemetry::{ID_STEP, ID_TRIES, key};
use std::ffi::CStr;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;

/// The host's short name: up to the first dot; "localhost" when it has none.
pub fn host_name() -> String {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_string_lossy();
    match name.split('.').next() {
        Some(short) if !short.is_empty() => short.to_string(),
        _ => "localhost".to_string(),
    }
}

/// A network interface with an IPv4 address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// Name, e.g. `eth0`.
    pub name: String,
    /// Its first IPv4 address.
    pub address: Ipv4Addr,
}

/// The interfaces that are up and have an IPv4 address, each once.
///
/// # Errors
/// What `getifaddrs` says.
pub fn interfaces() -> std::io::Result<Vec<Interface>> {
    let mut list: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: `list` is a valid place for the result; it is freed below on every path.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let mut found: Vec<Interface> = Vec::new();
    let mut next = list;
    while !next.is_null() {
        // SAFETY: `next` is a non-null element of the list that getifaddrs gave, which is freed only below.
        let entry = unsafe { &*next };
        next = entry.ifa_next;
        if entry.ifa_addr.is_null() || entry.ifa_flags & libc::IFF_UP as u32 == 0 {
            continue;
        }
        // SAFETY: the address is non-null and at least as long as its family field.
        if i32::from(unsafe { (*entry.ifa_addr).sa_family }) != libc::AF_INET {
            continue;
        }
        // SAFETY: the family is AF_INET, so the address is a sockaddr_in; it may be unaligned, hence the read.
        let address = unsafe { entry.ifa_addr.cast::<libc::sockaddr_in>().read_unaligned() };
        // SAFETY: the name is a NUL-terminated string that lives as long as the list.
        let name = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy().into_owned();
        if found.iter().all(|interface| interface.name != name) {
            found.push(Interface { name, address: Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)) });
        }
    }
    // SAFETY: `list` came from getifaddrs and nothing refers to it any more.
    unsafe { libc::freeifaddrs(list) };
    Ok(found)
}

/// Makes the kernel kill the child with SIGKILL when this process dies.
///
/// The kernel ties this to the *thread* that forks. Children are started from the runtime's workers and the main
/// thread, which live as long as the process (nothing here uses `block_in_place`).
pub fn die_with_parent(command: &mut std::process::Command) {
    let parent = std::process::id();
    // SAFETY: the closure runs between fork and exec and makes two system calls only, both async-signal-safe; it
    // neither allocates nor takes locks (`from_raw_os_error` and the constant error don't either).
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(std::io::Error::last_os_error());
            }
            // The parent may have died before the call above took effect.
            match libc::getppid() as u32 == parent {
                true => Ok(()),
                false => Err(std::io::Error::from_raw_os_error(libc::ESRCH)),
            }
        });
    }
}

/// Makes this process the parent of orphaned descendants, so that none of them gets out of sight.
pub fn adopt_orphans() {
    // SAFETY: PR_SET_CHILD_SUBREAPER takes one integer and touches no memory of ours.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
}

/// Sends `signal` to process `pid`; `false` when there is no such process of ours.
pub fn signal(pid: u32, signal: i32) -> bool {
    match i32::try_from(pid) {
        // SAFETY: kill touches no memory; `pid` is positive, so it names one process.
        Ok(pid) if pid > 0 => unsafe { libc::kill(pid, signal) == 0 },
        _ => false,
    }
}

/// Collects one child that has ended, if there is one, other than those that someone waits for.
pub fn reap(pid: u32) {
    if let Ok(pid) = i32::try_from(pid) {
        // SAFETY: a null status pointer is allowed; the call doesn't block.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: loopback is found with its address, and no interface twice.
    #[test]
    fn loopback_is_listed_once() {
        let list = interfaces().unwrap();
        let lo: Vec<_> = list.iter().filter(|interface| interface.name == "lo").collect();
        assert_eq!(lo.len(), 1);
        assert!(lo[0].address.is_loopback());
    }
}

/// The shared segment with the metrics of an engine process: removed when this drops, for an engine that was killed
/// couldn't do it itself.
#[derive(Debug)]
pub struct EngineMetrics {
    /// The engine's number on this host.
    pub instance: usize,
    /// Its process.
    pub pid: Option<u32>,
}

impl Drop for EngineMetrics {
    fn drop(&mut self) {
        let (Ok(first), Some(Ok(pid))) = (u32::try_from(self.instance), self.pid.map(i32::try_from)) else { return };
        for id in (0..ID_TRIES).map(|step| first.wrapping_add(step * ID_STEP)) {
            // SAFETY: plain system calls; the place for the answer is this function's.
            unsafe {
                let segment = libc::shmget(key(id as i32), 0, 0);
                let mut state: libc::shmid_ds = std::mem::zeroed();
                if segment >= 0 && libc::shmctl(segment, libc::IPC_STAT, &raw mut state) == 0 && state.shm_cpid == pid {
                    libc::shmctl(segment, libc::IPC_RMID, std::ptr::null_mut());
                }
            }
        }
    }
}
