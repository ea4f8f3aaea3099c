//! The runtime: sleeping, waking, timers, moving between threads.

mod common;

use common::{Server, open, request};
use daos_fabric::Poller;
use std::cell::Cell;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// CPU time of this thread so far.
fn thread_cpu() -> Duration {
    // SAFETY: plain data, filled by the call.
    unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        assert_eq!(libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time), 0);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }
}

/// Aim: an idle runtime with an open connection uses next to no CPU: less than 5 ms in a second.
#[test]
fn idle_uses_no_cpu() {
    let server = Server::echo();
    let runtime = open();
    let peer = runtime.endpoint().peer(&server.uri).unwrap();
    for _ in 0..10 {
        runtime.block_on(runtime.endpoint().call(&peer, request(6, b"x", &[]))).unwrap();
    }
    let (start, wall) = (thread_cpu(), Instant::now());
    runtime.block_on(runtime.sleep(Duration::from_secs(1)));
    let used = thread_cpu() - start;
    assert!(wall.elapsed() >= Duration::from_secs(1));
    println!("idle for 1 s: {used:?} of CPU");
    assert!(used < Duration::from_millis(5), "{used:?}");
}

/// Aim: an idle server likewise, its whole thread: measured inside of it.
#[test]
fn idle_server_uses_no_cpu() {
    let server = Server::start(|runtime, incoming| async move {
        let start = thread_cpu();
        if incoming.opcode == 1 {
            runtime.sleep(Duration::from_secs(1)).await;
        }
        let used = (thread_cpu() - start).as_micros() as u64;
        incoming.reply(&used.to_le_bytes(), &[]);
    });
    let runtime = open();
    let peer = runtime.endpoint().peer(&server.uri).unwrap();
    let reply = runtime.block_on(runtime.endpoint().call(&peer, request(1, b"", &[]))).unwrap();
    let used = u64::from_le_bytes(reply.message.body().try_into().unwrap());
    println!("server idle for 1 s: {used} us of CPU");
    assert!(used < 5_000, "{used} us");
}

/// Aim: a wake from another thread is never lost, however it falls between a turn and the sleep.
#[test]
fn wakes_from_another_thread() {
    let runtime = open();
    let waker = runtime.remote_waker();
    let (send, receive) = std::sync::mpsc::channel::<Instant>();
    let thread = std::thread::spawn(move || {
        for round in 0..300u64 {
            std::thread::sleep(Duration::from_micros(round * 7 % 400));
            if send.send(Instant::now()).is_err() {
                return;
            }
            waker.wake();
        }
    });
    let mut slowest = Duration::ZERO;
    for _ in 0..300 {
        let sent = runtime.block_on(std::future::poll_fn(|_| match receive.try_recv() {
            Ok(sent) => std::task::Poll::Ready(sent),
            Err(_) => std::task::Poll::Pending,
        }));
        slowest = slowest.max(sent.elapsed());
    }
    thread.join().unwrap();
    println!("slowest wake: {slowest:?}");
    assert!(slowest < Duration::from_secs(1));
}

/// Aim: a task made ready by another thread runs though the runtime sleeps.
#[test]
fn task_woken_from_another_thread() {
    let runtime = open();
    for _ in 0..50 {
        let shared = std::sync::Arc::new(std::sync::Mutex::new((false, None::<std::task::Waker>)));
        let there = shared.clone();
        let task = runtime.spawn(std::future::poll_fn(move |context| {
            let mut state = shared.lock().unwrap();
            state.1 = Some(context.waker().clone());
            if state.0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        }));
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(2));
            let mut state = there.lock().unwrap();
            state.0 = true;
            if let Some(waker) = state.1.take() {
                waker.wake();
            }
        });
        let start = Instant::now();
        runtime.block_on(task);
        assert!(start.elapsed() < Duration::from_secs(1));
        thread.join().unwrap();
    }
}

/// Aim: timers fire in order and not early; `wait` returns at its timeout.
#[test]
fn timers() {
    let runtime = open();
    let order = Rc::new(Cell::new(0u32));
    let start = Instant::now();
    let tasks: Vec<_> = [30u64, 10, 20]
        .into_iter()
        .map(|ms| {
            let (sleep, order) = (runtime.sleep(Duration::from_millis(ms)), order.clone());
            runtime.spawn(async move {
                sleep.await;
                assert!(start.elapsed() >= Duration::from_millis(ms));
                order.set(order.get() * 100 + ms as u32);
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await;
        }
    });
    assert_eq!(order.get(), 102_030);
    let start = Instant::now();
    assert!(!runtime.wait(Duration::from_millis(20)));
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert!(!runtime.wait(Duration::ZERO));
}

/// Aim: a poller's descriptor wakes the sleeping runtime.
#[test]
fn poller_wakes() {
    struct Pipe {
        read: std::io::PipeReader,
        taken: Cell<usize>,
    }
    impl Poller for Pipe {
        fn poll(&self) -> usize {
            let mut byte = [0u8; 1];
            let mut ready = libc::pollfd { fd: self.read.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one valid entry; room for one byte.
            let got = unsafe {
                if libc::poll(&mut ready, 1, 0) == 1 { libc::read(ready.fd, byte.as_mut_ptr().cast(), 1) } else { 0 }
            };
            self.taken.set(self.taken.get() + got.max(0) as usize);
            got.max(0) as usize
        }
        fn fd(&self) -> Option<RawFd> {
            Some(self.read.as_raw_fd())
        }
    }
    let runtime = open();
    let (read, mut write) = std::io::pipe().unwrap();
    let pipe = Rc::new(Pipe { read, taken: Cell::new(0) });
    runtime.add_poller(pipe.clone()).unwrap();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        std::io::Write::write_all(&mut write, b"x").unwrap();
        write
    });
    let start = Instant::now();
    while pipe.taken.get() == 0 {
        assert!(start.elapsed() < Duration::from_secs(5));
        runtime.wait(Duration::from_secs(2));
    }
    drop(thread.join().unwrap());
}

/// Aim: a runtime that is handed from thread to thread, one at a time, keeps working.
#[test]
fn moves_between_threads() {
    struct Handed(daos_fabric::Runtime, daos_fabric::Peer);
    // SAFETY: one thread at a time has it, and all that belongs to it goes along.
    unsafe impl Send for Handed {}
    let server = Server::echo();
    let runtime = open();
    let peer = runtime.endpoint().peer(&server.uri).unwrap();
    let mut handed = Handed(runtime, peer);
    for round in 0..5u8 {
        handed = std::thread::spawn(move || {
            let whole = handed;
            let reply = whole.0.block_on(whole.0.endpoint().call(&whole.1, request(6, &[round], &[]))).unwrap();
            assert_eq!(reply.message.body(), [round]);
            drop(reply);
            whole
        })
        .join()
        .unwrap();
    }
}
