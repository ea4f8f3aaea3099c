//! Handlers of fatal signals that print a backtrace, for programs that ask for them.
//!
//! A handler uses only what may be used in one: write(2), and backtrace functions of the C library that were called once
//! before (the first call loads a library).

use crate::{environment, log};
use daos_export::export;
use libc::{c_int, c_void, siginfo_t};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

const SIGNALS: [c_int; 6] = [libc::SIGILL, libc::SIGFPE, libc::SIGBUS, libc::SIGSEGV, libc::SIGABRT, libc::SIGTRAP];
/// Deepest backtrace.
const FRAMES: usize = 256;

static WANTED: AtomicBool = AtomicBool::new(false);
/// What was there before, in the order of `SIGNALS`; written once, before the handlers can run.
static mut BEFORE: [MaybeUninit<libc::sigaction>; SIGNALS.len()] = [const { MaybeUninit::uninit() }; SIGNALS.len()];
static INSTALLED: Mutex<bool> = Mutex::new(false);

fn print(outputs: [c_int; 2], text: &[u8]) {
    for output in outputs.into_iter().filter(|output| *output >= 0) {
        // SAFETY: the text's bytes. Nothing can be told about a failure.
        let _ = unsafe { libc::write(output, text.as_ptr().cast(), text.len()) };
    }
}

/// A number's digits, without memory of the heap.
fn digits(mut number: u32, buffer: &mut [u8; 10]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &buffer[at..];
        }
    }
}

extern "C" fn print_backtrace(signal: c_int, _: *mut siginfo_t, _: *mut c_void) {
    let outputs = [libc::STDERR_FILENO, log::file_descriptor()];
    print(outputs, b"*** process ");
    // SAFETY: no argument.
    print(outputs, digits(unsafe { libc::getpid() } as u32, &mut [0; 10]));
    print(outputs, b" got signal ");
    print(outputs, digits(signal as u32, &mut [0; 10]));
    print(outputs, b"; backtrace:\n");
    let mut frames = [std::ptr::null_mut(); FRAMES];
    // SAFETY: an array of that many pointers, and as many of them as were filled.
    unsafe {
        let count = libc::backtrace(frames.as_mut_ptr(), FRAMES as c_int);
        for output in outputs.into_iter().filter(|output| *output >= 0) {
            libc::backtrace_symbols_fd(frames.as_ptr(), count, output);
        }
    }
    // The old handler, or the process's end, comes when this one returns and the signal is no longer blocked.
    if let Some(at) = SIGNALS.iter().position(|known| *known == signal) {
        // SAFETY: written before this handler was installed.
        unsafe {
            let before = (&raw const BEFORE).cast::<libc::sigaction>().add(at);
            libc::sigaction(signal, before, std::ptr::null_mut());
            libc::raise(signal);
        }
    }
}

/// Installs the handlers; the ones before are kept.
fn install() {
    let mut frame = [std::ptr::null_mut(); 1];
    // SAFETY: an array of one; loads what the handlers need.
    unsafe { libc::backtrace(frame.as_mut_ptr(), 1) };
    for (at, signal) in SIGNALS.into_iter().enumerate() {
        // SAFETY: zero is a valid sigaction; the old one goes to a place that nobody reads before the new one is there.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            action.sa_sigaction = print_backtrace as *const () as usize;
            let before = (&raw mut BEFORE).cast::<libc::sigaction>().add(at);
            libc::sigaction(signal, std::ptr::null(), before);
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

export! { Der;
    fn d_signal_stack_enable(enabled: bool) {
        WANTED.store(enabled, Ordering::Relaxed);
    }

    fn d_signal_register() {
        let asked = environment::yes(c"DAOS_SIGNAL_REGISTER").unwrap_or_else(|| WANTED.load(Ordering::Relaxed));
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if asked && !*installed {
            install();
            *installed = true;
        }
    }
}
