//! Calls over a real provider between two threads of this process.

mod common;

use common::{Server, open, request};
use daos_common::{Der, Error};
use daos_fabric::Request;
use std::time::{Duration, Instant};

/// Aim: body and payload come back unchanged, at every length around the limits of a message.
#[test]
fn echo_of_every_size() {
    let server = Server::echo();
    let runtime = open();
    let peer = runtime.endpoint().peer(&server.uri).unwrap();
    for (body_len, payload_len) in [
        (0, 0),
        (1, 0),
        (0, 1),
        (100, 4096),
        (16 * 1024, 16 * 1024),
        (36 * 1024 - 64, 0),
        (36 * 1024 - 63, 0),
        (0, 40_000),
        (3 << 20, 1 << 20),
    ] {
        let body: Vec<u8> = (0..body_len).map(|i| (i * 7) as u8).collect();
        let payload: Vec<u8> = (0..payload_len).map(|i| (i * 13) as u8).collect();
        let parts: [&[u8]; 2] = payload.split_at(payload_len / 3).into();
        let reply = runtime.block_on(runtime.endpoint().call(&peer, request(6, &body, &parts))).unwrap();
        assert!(reply.message.body() == body && reply.message.payload() == payload, "{body_len} {payload_len}");
    }
    assert_eq!(runtime.endpoint().statistics().malformed, 0);
}

/// Aim: a failed request's code and text arrive; an unanswered one is CANCELED.
#[test]
fn errors_travel() {
    let server = Server::start(|_, incoming| async move {
        match incoming.opcode {
            1 => incoming.fail(&Error::new(Der::NOSPACE, "target 3 is full")),
            _ => drop(incoming),
        }
    });
    let runtime = open();
    let peer = runtime.endpoint().peer(&server.uri).unwrap();
    let error = runtime.block_on(runtime.endpoint().call(&peer, request(1, b"", &[]))).err().unwrap();
    assert_eq!((error.code(), error.message()), (Der::NOSPACE, "target 3 is full"));
    let error = runtime.block_on(runtime.endpoint().call(&peer, request(2, b"", &[]))).err().unwrap();
    assert_eq!(error.code(), Der::CANCELED);
}

/// Aim: a call that is not answered ends at its time, and its late answer disturbs nothing.
#[test]
fn timeout_and_late_reply() {
    let server = Server::start(|runtime, incoming| async move {
        if incoming.opcode == 1 {
            runtime.sleep(Duration::from_millis(150)).await;
        }
        incoming.reply(b"late", &[]);
    });
    let runtime = open();
    let endpoint = runtime.endpoint();
    let peer = endpoint.peer(&server.uri).unwrap();
    let start = Instant::now();
    let slow = Request { timeout: Duration::from_millis(50), ..request(1, b"", &[]) };
    let error = runtime.block_on(endpoint.call(&peer, slow)).err().unwrap();
    assert_eq!(error.code(), Der::TIMEDOUT);
    assert!(start.elapsed() >= Duration::from_millis(50) && start.elapsed() < Duration::from_millis(140));
    runtime.block_on(runtime.sleep(Duration::from_millis(150)));
    assert_eq!(endpoint.statistics().stale, 1);
    assert!(runtime.block_on(endpoint.call(&peer, request(2, b"", &[]))).is_ok());
}
