//! Helpers of the integration tests: a server and a client runtime, on threads of their own.
#![allow(dead_code, missing_docs)]

use daos_fabric::{Endpoint, FabricConfig, Incoming, Request, Runtime};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

/// The provider under test; `FABRIC_TEST_PROVIDER` names another.
pub fn config() -> FabricConfig {
    FabricConfig {
        provider: std::env::var("FABRIC_TEST_PROVIDER").unwrap_or_else(|_| "ofi+tcp".into()),
        interface: Some("lo".into()),
        domain: None,
        port: None,
    }
}

pub fn open() -> Runtime {
    Runtime::new(Endpoint::open(&config()).unwrap()).unwrap()
}

pub fn request<'a>(opcode: u16, body: &[u8], payload: &'a [&'a [u8]]) -> Request<'a> {
    Request { opcode, body: body.to_vec(), payload, timeout: Duration::from_secs(10) }
}

/// A server on its own thread that handles each request in a task, until told to stop.
pub struct Server {
    pub uri: String,
    stop: Option<daos_fabric::RemoteWaker>,
    stopped: std::sync::Arc<std::sync::atomic::AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start<F, G>(handler: F) -> Server
    where
        F: Fn(Runtime, Incoming) -> G + Send + 'static,
        G: std::future::Future<Output = ()> + 'static,
    {
        let (send, receive) = mpsc::channel();
        let stopped = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped_there = stopped.clone();
        let thread = std::thread::spawn(move || {
            let runtime = open();
            send.send((runtime.endpoint().uri(), runtime.remote_waker())).unwrap();
            let acceptor = runtime.clone();
            runtime.block_on(async {
                let serve = async {
                    loop {
                        let incoming = acceptor.endpoint().accept().await;
                        acceptor.spawn(handler(acceptor.clone(), incoming)).detach();
                    }
                };
                let mut serve = std::pin::pin!(serve);
                std::future::poll_fn(|context| {
                    if stopped_there.load(std::sync::atomic::Ordering::SeqCst) {
                        return std::task::Poll::Ready(());
                    }
                    let _: std::task::Poll<()> = serve.as_mut().poll(context);
                    std::task::Poll::Pending
                })
                .await
            });
        });
        let (uri, waker) = receive.recv().unwrap();
        Server { uri, stop: Some(waker), stopped, thread: Some(thread) }
    }

    pub fn echo() -> Server {
        Server::start(|_, incoming| async move {
            let (body, payload) = (incoming.message.body().to_vec(), incoming.message.payload().to_vec());
            incoming.reply(&body, &[&payload]);
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, std::sync::atomic::Ordering::SeqCst);
        if let Some(waker) = self.stop.take() {
            waker.wake();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
