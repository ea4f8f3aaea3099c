//! The socket under dRPC: whole messages over SOCK_SEQPACKET, the listener, and who is at the other end.
//!
//! A connection is used by one thread at a time: blocking here, or non-blocking under `aio`.

use super::frame::{Assembler, DATAGRAM_MAX, datagrams};
use daos_common::{Der, Error, Result};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

/// Longest path of a socket, without the NUL (`sockaddr_un`).
pub(crate) const SOCKET_PATH_MAX: usize = 107;

/// The process at the other end of a connection, as the kernel knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Process id in this process's namespace; 0 when the peer's isn't visible from here.
    pub pid: i32,
    /// Effective user id when the connection was made.
    pub uid: u32,
    /// Effective group id when the connection was made.
    pub gid: u32,
}

impl Peer {
    /// The peer of a connected Unix socket (SO_PEERCRED).
    ///
    /// # Errors
    /// IO when the kernel cannot tell.
    pub fn of(socket: BorrowedFd<'_>) -> Result<Peer> {
        peer_credentials(socket).map_err(|error| Error::from(error).at("credentials of a dRPC peer (SO_PEERCRED)"))
    }
}

// Not through rustix: its `Pid` has no 0, which the kernel reports for a peer in another process namespace.
#[allow(unsafe_code)]
fn peer_credentials(socket: BorrowedFd<'_>) -> std::io::Result<Peer> {
    let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: both pointers are to live locals, and `length` is the size of the first, a plain C struct of integers.
    let rc = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    };
    match rc {
        0 => Ok(Peer { pid: credentials.pid, uid: credentials.uid, gid: credentials.gid }),
        _ => Err(std::io::Error::last_os_error()),
    }
}

fn socket() -> Result<OwnedFd> {
    net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(|error| errno_error(error).at("creating a Unix socket"))
}

fn address(path: &Path) -> Result<SocketAddrUnix> {
    let length = path.as_os_str().len();
    if length > SOCKET_PATH_MAX {
        return Err(Der::EXCEEDS_PATH_LEN.err(format!(
            "socket path {} has {length} bytes; a Unix socket's path has at most {SOCKET_PATH_MAX}: choose a shorter \
             directory",
            path.display()
        )));
    }
    SocketAddrUnix::new(path).map_err(|error| errno_error(error).at(format!("socket path {}", path.display())))
}

pub(crate) fn errno_error(error: Errno) -> Error {
    Error::from(std::io::Error::from(error))
}

/// Connects to the listener at `path`. A Unix socket connects at once or waits only for room in the backlog.
pub(crate) fn connect(path: &Path) -> Result<OwnedFd> {
    let address = address(path)?;
    let socket = socket()?;
    loop {
        match net::connect(&socket, &address) {
            Ok(()) => return Ok(socket),
            Err(Errno::INTR) => {}
            Err(error) => return Err(connect_error(path, error)),
        }
    }
}

fn connect_error(path: &Path, error: Errno) -> Error {
    let path = path.display();
    match error {
        Errno::NOENT => Der::NONEXIST.err(format!("no socket {path}: is the daemon running, with this directory?")),
        Errno::CONNREFUSED => Der::UNREACH.err(format!("no process listens on {path}: start the daemon")),
        Errno::ACCESS | Errno::PERM => Der::NO_PERM.err(format!("no permission to connect to {path}")),
        Errno::PROTOTYPE => Der::PROTO.err(format!("{path} is a Unix socket of another type than SOCK_SEQPACKET")),
        other => errno_error(other).at(format!("connecting to {path}")),
    }
}

pub(crate) fn send_message(socket: impl AsFd, message: &[u8]) -> Result<()> {
    for datagram in datagrams(message)? {
        loop {
            match net::send(&socket, &datagram, SendFlags::NOSIGNAL) {
                Ok(_) => break, // SEQPACKET sends a datagram whole or not at all.
                Err(Errno::INTR) => {}
                Err(error) => return Err(transfer_error(error, "sending")),
            }
        }
    }
    Ok(())
}

/// Receives one message; `None` when the peer closed the connection between messages.
pub(crate) fn receive_message(socket: impl AsFd, limit: usize) -> Result<Option<Vec<u8>>> {
    let mut assembler = Assembler::new(limit);
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        let length = match net::recv(&socket, buffer.as_mut_slice(), RecvFlags::TRUNC) {
            Ok((_, length)) => length,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(transfer_error(error, "receiving")),
        };
        match accept_datagram(&mut assembler, &buffer, length)? {
            Received::Message(message) => return Ok(Some(message)),
            Received::Part => {}
            Received::Closed => return Ok(None),
        }
    }
}

pub(crate) enum Received {
    Message(Vec<u8>),
    Part,
    Closed,
}

/// What a receive of `length` bytes into `buffer` (or more than it holds) means.
pub(crate) fn accept_datagram(assembler: &mut Assembler, buffer: &[u8], length: usize) -> Result<Received> {
    if length == 0 && assembler.is_partial() {
        return Err(Der::TRUNC.err("dRPC peer closed the connection in the middle of a message"));
    }
    if length == 0 {
        return Ok(Received::Closed);
    }
    let Some(datagram) = buffer.get(..length) else {
        return Err(Der::TRUNC.err(format!("dRPC datagram of {length} bytes; the limit is {DATAGRAM_MAX}")));
    };
    Ok(match assembler.push(datagram)? {
        Some(message) => Received::Message(message),
        None => Received::Part,
    })
}

pub(crate) fn transfer_error(error: Errno, doing: &str) -> Error {
    match error {
        // A receive or send timeout of the socket shows as EAGAIN on a blocking socket.
        Errno::AGAIN => Der::TIMEDOUT.err(format!("no progress while {doing} a dRPC message")),
        Errno::PIPE | Errno::CONNRESET => Der::UNREACH.err("the dRPC peer closed the connection"),
        other => errno_error(other).at(format!("{doing} a dRPC message")),
    }
}

/// A bound and listening socket; dropping it removes its file.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl Listener {
    /// Binds and listens at `path`, with the file's permission bits set to `mode` (0o666 for the agent, 0o600 else).
    /// A file left behind by a process that is gone is replaced.
    ///
    /// # Errors
    /// - BUSY: a process listens there already
    /// - EXIST: there is something that isn't a socket
    /// - EXCEEDS_PATH_LEN: the path doesn't fit a socket address
    /// - NO_PERM, NONEXIST, IO: the directory refuses the file
    pub fn bind(path: impl Into<PathBuf>, mode: u32) -> Result<Listener> {
        let path = path.into();
        let address = address(&path)?;
        remove_stale(&path)?;
        let socket = socket()?;
        let place = |error: Errno| errno_error(error).at(format!("listening on {}", path.display()));
        net::bind(&socket, &address).map_err(place)?;
        rustix::fs::chmod(&path, Mode::from_raw_mode(mode)).map_err(place)?;
        net::listen(&socket, 128).map_err(place)?;
        let identity = file_identity(&path);
        Ok(Listener { socket, path, identity })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn accept(&self) -> std::result::Result<OwnedFd, Errno> {
        net::accept_with(&self.socket, SocketFlags::CLOEXEC)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Only our own file: a successor may have replaced it by now.
        if self.identity.is_some() && file_identity(&self.path) == self.identity {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn file_identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn remove_stale(path: &Path) -> Result<()> {
    use std::os::unix::fs::FileTypeExt;
    let shown = path.display();
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::from(error).at(shown)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(
                Der::EXIST.err(format!("{shown} exists and is not a socket: remove it or choose another place"))
            );
        }
        Ok(_) => {}
    }
    match connect(path) {
        Ok(_) => Err(Der::BUSY.err(format!("socket {shown} is in use: another process listens on it; stop it first"))),
        Err(error) if error.code() == Der::UNREACH => {
            std::fs::remove_file(path).map_err(|error| Error::from(error).at(format!("removing stale socket {shown}")))
        }
        Err(error) if error.code() == Der::NONEXIST => Ok(()),
        Err(error) => Err(error),
    }
}
