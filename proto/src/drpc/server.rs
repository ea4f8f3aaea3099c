//! The blocking listener, for processes without an async runtime (the engine): one thread accepts, one thread per
//! connection serves its calls in order.

use super::socket::{receive_message, send_message};
use super::{Listener, Method, Module, Peer, REQUEST_BYTES_MAX, Reply, decode_call, find_method, response_to};
use daos_common::{Error, Result};
use prost::Message;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};
use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

/// Connections served at once; more wait in the socket's backlog.
const CONNECTIONS_MAX: usize = 64;

/// Answers calls.
pub trait Handler: Send + Sync + 'static {
    /// The modules served; calls of others are answered UNKNOWN_MODULE without asking the handler.
    fn modules(&self) -> &[Module];

    /// Answers one call from `peer`. A method that is in the table but not served gets
    /// `Err(Status::UnknownMethod)`. May block; calls of one connection wait for each other.
    fn call(&self, peer: Peer, method: Method, body: &[u8]) -> Reply;
}

/// A running listener. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    wake: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopping: bool,
    next_id: u64,
    connections: HashMap<u64, Arc<OwnedFd>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Server {
    /// Serves `handler` on `listener` until stopped; `name` names the threads.
    ///
    /// # Errors
    /// IO, NOMEM: no thread or pipe to be had.
    pub fn start(listener: Listener, handler: Arc<dyn Handler>, name: &str) -> Result<Server> {
        let place = |error: std::io::Error| Error::from(error).at("starting the dRPC listener");
        let (asleep, wake) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|e| place(e.into()))?;
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name(name.to_string())
            .spawn(move || accept_loop(&listener, &asleep, &own, &handler))
            .map_err(place)?;
        Ok(Server { shared, wake, thread: Some(thread) })
    }

    /// Stops accepting, cuts the connections off, waits for calls in progress and removes the socket file.
    pub fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        let _ = rustix::io::write(&self.wake, &[1]);
        let _ = thread.join();
        let mut state = self.shared.lock();
        for connection in state.connections.values() {
            let _ = shutdown(connection.as_fd(), Shutdown::Both);
        }
        while !state.connections.is_empty() {
            state = self.shared.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn accept_loop(listener: &Listener, asleep: &OwnedFd, shared: &Arc<Shared>, handler: &Arc<dyn Handler>) {
    loop {
        if !wait_for_room(shared) {
            return;
        }
        let mut ready = [PollFd::new(listener, PollFlags::IN), PollFd::new(asleep, PollFlags::IN)];
        match poll(&mut ready, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return,
        }
        if shared.lock().stopping {
            return;
        }
        if ready[0].revents().is_empty() {
            continue;
        }
        match listener.accept() {
            Ok(connection) => serve_in_thread(connection, shared, handler),
            // The peer gave up, or descriptors ran out: wait a little so that the latter doesn't spin.
            Err(Errno::INTR | Errno::CONNABORTED | Errno::AGAIN) => {}
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(50)),
        }
    }
}

/// Waits until a connection may be accepted; false when stopping.
fn wait_for_room(shared: &Shared) -> bool {
    let mut state = shared.lock();
    while !state.stopping && state.connections.len() >= CONNECTIONS_MAX {
        state = shared.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
    }
    !state.stopping
}

fn serve_in_thread(connection: OwnedFd, shared: &Arc<Shared>, handler: &Arc<dyn Handler>) {
    let connection = Arc::new(connection);
    let id = {
        let mut state = shared.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.connections.insert(id, Arc::clone(&connection));
        id
    };
    let guard = Registered { shared: Arc::clone(shared), id };
    let handler = Arc::clone(handler);
    // When no thread is to be had the closure is dropped, and with it the connection: the peer sees it closed.
    let _ = std::thread::Builder::new().name("drpc-call".into()).spawn(move || {
        let _guard = guard;
        serve_connection(&connection, &*handler);
    });
}

/// Takes a connection off the list when its thread ends, however it ends.
struct Registered {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.shared.lock().connections.remove(&self.id);
        self.shared.changed.notify_all();
    }
}

fn serve_connection(connection: &OwnedFd, handler: &dyn Handler) {
    let Ok(peer) = Peer::of(connection.as_fd()) else { return };
    // A peer that breaks the framing is cut off: there is no way back into step.
    while let Ok(Some(bytes)) = receive_message(connection, REQUEST_BYTES_MAX) {
        let response = match decode_call(&bytes) {
            Err(response) => response,
            Ok(call) => {
                let reply =
                    find_method(&call, handler.modules()).and_then(|method| handler.call(peer, method, &call.body));
                response_to(&call, reply)
            }
        };
        if send_message(connection, &response.encode_to_vec()).is_err() {
            return;
        }
    }
}
