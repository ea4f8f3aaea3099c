//! Is anything listening at a TCP address? Providers over TCP answer "try again" for ever while a peer refuses
//! connections; a connection attempt of our own tells a dead peer from a slow one.

use super::address::socket_address;
use crate::transport::Reach;
use std::collections::HashMap;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Connection attempts under way, by address.
#[derive(Default)]
pub(crate) struct ReachChecks {
    attempts: HashMap<Vec<u8>, OwnedFd>,
}

impl ReachChecks {
    /// Starts an attempt or looks how it went.
    pub(crate) fn check(&mut self, address: &[u8]) -> Reach {
        let Some(fd) = self.attempts.get(address) else {
            return self.start(address);
        };
        let result = attempt_result(fd);
        if result != Reach::Unknown {
            self.attempts.remove(address);
        }
        result
    }

    fn start(&mut self, address: &[u8]) -> Reach {
        let Some(socket) = socket_address(address) else { return Reach::Unknown };
        let family = if socket.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        // SAFETY: no pointers.
        let raw = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0) };
        if raw < 0 {
            return Reach::Unknown;
        }
        // SAFETY: just opened, owned by nothing else.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        // SAFETY: `address` holds a whole sockaddr, as `socket_address` has checked.
        let rc = unsafe { libc::connect(fd.as_raw_fd(), address.as_ptr().cast(), address.len() as libc::socklen_t) };
        if rc == 0 {
            return Reach::Listening;
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EINPROGRESS) => {
                let now = attempt_result(&fd);
                if now == Reach::Unknown {
                    self.attempts.insert(address.to_vec(), fd);
                }
                now
            }
            Some(libc::ECONNREFUSED | libc::EHOSTUNREACH | libc::ENETUNREACH) => Reach::Refused,
            _ => Reach::Unknown,
        }
    }
}

fn attempt_result(fd: &OwnedFd) -> Reach {
    let mut entry = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one valid entry.
    if unsafe { libc::poll(&mut entry, 1, 0) } <= 0 {
        return Reach::Unknown;
    }
    let (mut error, mut len) = (0i32, size_of::<i32>() as libc::socklen_t);
    // SAFETY: `error` and `len` are valid for writing an int.
    let rc = unsafe {
        libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_ERROR, (&raw mut error).cast(), &mut len)
    };
    match (rc, error) {
        (0, 0) => Reach::Listening,
        _ => Reach::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::sockaddr_bytes;
    use super::*;

    fn settle(checks: &mut ReachChecks, address: &[u8]) -> Reach {
        for _ in 0..200 {
            match checks.check(address) {
                Reach::Unknown => std::thread::sleep(std::time::Duration::from_millis(5)),
                known => return known,
            }
        }
        Reach::Unknown
    }

    /// Aim: a listening port is told from a closed one.
    #[test]
    fn listening_and_refused() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = sockaddr_bytes(listener.local_addr().unwrap());
        let mut checks = ReachChecks::default();
        assert_eq!(settle(&mut checks, &address), Reach::Listening);
        drop(listener);
        assert_eq!(settle(&mut checks, &address), Reach::Refused);
        assert_eq!(checks.check(b"shm"), Reach::Unknown);
    }
}
