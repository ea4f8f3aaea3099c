//! The watch thread: signals and the parent's death, turned into events for the main thread.
//!
//! SIGTERM and SIGINT ask for a clean stop, SIGUSR1 and SIGUSR2 for telemetry in the log. The signals are blocked in
//! every thread (so they must be blocked before the first one starts) and read from a signalfd. The parent,
//! daos_server, is watched through a pidfd: an engine without its server ends.

use daos_common::{Error, Result};
use rustix::event::{PollFd, PollFlags, poll};
use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::mpsc::Sender;

/// What the main thread has to act upon.
#[derive(Debug)]
pub enum Event {
    /// Stop cleanly: why.
    Stop(String),
    /// Log the telemetry.
    Report,
    /// A thread ended: its name, and with what.
    Ended(String, Result<()>),
}

/// The signals' descriptor; made before any thread is started.
pub struct Signals {
    file: File,
}

impl Signals {
    /// Blocks the signals in this thread and those it starts from now on.
    ///
    /// # Errors
    /// `IO`: the kernel refuses.
    pub fn block() -> Result<Signals> {
        // SAFETY: an all-zero sigset_t is a valid value, and sigemptyset makes it an empty set.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` is a live sigset_t; the numbers are valid signals.
        let blocked = unsafe {
            libc::sigemptyset(&mut set);
            for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGUSR1, libc::SIGUSR2] {
                libc::sigaddset(&mut set, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut())
        };
        if blocked != 0 {
            return Err(Error::from(std::io::Error::from_raw_os_error(blocked)).at("blocking signals"));
        }
        // SAFETY: `set` is a live, initialised sigset_t; -1 asks for a new descriptor.
        let fd = unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC) };
        if fd < 0 {
            return Err(Error::from(std::io::Error::last_os_error()).at("signalfd"));
        }
        // SAFETY: `fd` was just made by signalfd and has no other owner.
        Ok(Signals { file: File::from(unsafe { OwnedFd::from_raw_fd(fd) }) })
    }

    /// Starts the watch thread.
    ///
    /// # Errors
    /// What starting a thread says.
    pub fn watch(self, events: Sender<Event>) -> Result<()> {
        let parent = parent();
        let run = move || watch_loop(self.file, parent, &events);
        std::thread::Builder::new().name("watch".into()).spawn(run).map_err(Error::from)?;
        Ok(())
    }
}

/// A descriptor that becomes readable when the parent ends; `None` without a parent that could (init).
fn parent() -> Option<OwnedFd> {
    let pid = rustix::process::getppid().filter(|pid| !pid.is_init())?;
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

fn watch_loop(mut signals: File, parent: Option<OwnedFd>, events: &Sender<Event>) {
    loop {
        let mut polled = vec![PollFd::new(&signals, PollFlags::IN)];
        polled.extend(parent.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        match poll(&mut polled, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                tracing::error!("the watch thread cannot poll: {error}");
                return;
            }
        }
        let signalled = polled[0].revents().contains(PollFlags::IN);
        let orphaned = polled.get(1).is_some_and(|fd| !fd.revents().is_empty());
        drop(polled);
        let event = if signalled {
            let mut info = [0u8; size_of::<libc::signalfd_siginfo>()];
            if signals.read_exact(&mut info).is_err() {
                continue;
            }
            // The first field of signalfd_siginfo is the signal number.
            match i32::from_ne_bytes([info[0], info[1], info[2], info[3]]) {
                libc::SIGTERM => Event::Stop("SIGTERM".into()),
                libc::SIGINT => Event::Stop("SIGINT".into()),
                _ => Event::Report,
            }
        } else if orphaned {
            Event::Stop("the parent process (daos_server) has ended".into())
        } else {
            continue;
        };
        let last = orphaned && !signalled;
        if events.send(event).is_err() || last {
            return;
        }
    }
}
