//! dRPC over real sockets in a temporary directory: what goes in comes out, and a peer that breaks the protocol gets
//! an error or a closed connection, never a hang or a wrong message.

use super::frame::{Assembler, CHUNK_DATA_MAX, DATAGRAM_MAX, HEADER_BYTES, datagrams};
use super::socket::{connect, receive_message, send_message};
use super::*;
use crate::mgmt::{DaosResp, SetRankReq};
use proptest::prelude::*;
use rustix::net::{SendFlags, send};
use std::sync::Arc;

/// Answers SetRank with the rank as status, PoolQuery with a body as long as asked, fails at the rest.
struct Echo;

impl Echo {
    fn answer(method: Method, body: &[u8]) -> Reply {
        match method {
            Method::SetRank => {
                let request: SetRankReq = decode_body(body)?;
                Ok(DaosResp { status: request.rank as i32 }.encode_to_vec())
            }
            Method::PoolQuery => Ok(body.iter().rev().copied().collect()),
            Method::PoolCreate => Err(Status::Failure),
            _ => Err(Status::UnknownMethod),
        }
    }
}

impl Handler for Echo {
    fn modules(&self) -> &[Module] {
        &[Module::Mgmt]
    }

    fn call(&self, peer: Peer, method: Method, body: &[u8]) -> Reply {
        assert_eq!(peer.pid, std::process::id() as i32);
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        Echo::answer(method, body)
    }
}

fn echo_server(folder: &tempfile::TempDir) -> (std::path::PathBuf, Server) {
    let path = folder.path().join("echo.sock");
    let listener = Listener::bind(&path, 0o600).unwrap();
    (path, Server::start(listener, Arc::new(Echo), "echo").unwrap())
}

/// Aim: every message of any length survives the cut into datagrams, and none is over the limit.
#[test]
fn messages_survive_framing() {
    let around = [0, 1, CHUNK_DATA_MAX - 1, CHUNK_DATA_MAX, CHUNK_DATA_MAX + 1, 3 * CHUNK_DATA_MAX + 7];
    let mut assembler = Assembler::new(RESPONSE_BYTES_MAX);
    for length in around {
        let message: Vec<u8> = (0..length).map(|i| (i * 31 % 251) as u8).collect();
        let mut whole = None;
        for datagram in datagrams(&message).unwrap() {
            assert!(whole.is_none() && datagram.len() <= DATAGRAM_MAX);
            whole = assembler.push(&datagram).unwrap();
        }
        assert_eq!(whole, Some(message));
        assert!(!assembler.is_partial());
    }
}

fn header(total: u64, bytes: u64, index: u32, chunks: u32) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(total.to_le_bytes());
    datagram.extend(bytes.to_le_bytes());
    datagram.extend(index.to_le_bytes());
    datagram.extend(chunks.to_le_bytes());
    datagram
}

/// Aim: each rule of the receiver has its error.
#[test]
fn broken_datagrams_are_refused() {
    let refuse = |datagrams: &[Vec<u8>]| {
        let mut assembler = Assembler::new(1 << 20);
        let (last, before) = datagrams.split_last().unwrap();
        for datagram in before {
            assert_eq!(assembler.push(datagram).unwrap(), None);
        }
        assembler.push(last).unwrap_err().code()
    };
    let with = |mut header: Vec<u8>, data: usize| {
        header.resize(HEADER_BYTES + data, 7);
        header
    };
    assert_eq!(refuse(&[vec![0; 23]]), Der::TRUNC);
    assert_eq!(refuse(&[vec![]]), Der::TRUNC);
    assert_eq!(refuse(&[header(0, 0, 0, 0)]), Der::PROTO, "no chunks");
    assert_eq!(refuse(&[with(header(8, 4, 1, 2), 4)]), Der::PROTO, "starts in the middle");
    assert_eq!(refuse(&[with(header(8, 4, 0, 2), 4), with(header(8, 4, 0, 2), 4)]), Der::PROTO, "index repeats");
    assert_eq!(refuse(&[with(header(8, 4, 0, 2), 4), with(header(9, 4, 1, 2), 4)]), Der::MISMATCH, "total changes");
    assert_eq!(refuse(&[with(header(8, 4, 0, 2), 4), with(header(8, 4, 1, 3), 4)]), Der::MISMATCH, "chunks change");
    assert_eq!(refuse(&[with(header(8, 4, 0, 2), 4), with(header(8, 3, 1, 2), 3)]), Der::MISMATCH, "ends short");
    assert_eq!(refuse(&[with(header(4, 5, 0, 1), 5)]), Der::PROTO, "data over the message");
    assert_eq!(refuse(&[with(header(8, 8, 0, 1), 4)]), Der::TRUNC, "data missing");
    assert_eq!(refuse(&[with(header(8, 4, 0, 1), 8)]), Der::PROTO, "data over the chunk");
    assert_eq!(refuse(&[with(header(1 << 19, CHUNK_DATA_MAX as u64 + 1, 0, 9), 8)]), Der::PROTO, "chunk too large");
    assert_eq!(refuse(&[with(header(u64::MAX, 8, 0, 9), 8)]), Der::OVERFLOW, "message too large");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Aim: no bytes make the receiver panic, and what it returns has the announced length.
    #[test]
    fn any_bytes_are_safe(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 1..8)) {
        let mut assembler = Assembler::new(4096);
        for datagram in &datagrams {
            match assembler.push(datagram) {
                Ok(Some(message)) => prop_assert!(message.len() <= 4096),
                Ok(None) => {}
                Err(_) => break,
            }
        }
    }

    /// Aim: one flipped byte in a header never yields another message of the same length.
    #[test]
    fn a_flipped_header_byte_is_noticed(length in 1usize..2000, at in 0usize..HEADER_BYTES, flip in 1u8..) {
        let message = vec![9; length];
        let mut datagram = datagrams(&message).unwrap().next().unwrap();
        datagram[at] ^= flip;
        let mut assembler = Assembler::new(RESPONSE_BYTES_MAX);
        prop_assert!(!matches!(assembler.push(&datagram), Ok(Some(_))));
    }
}

/// Aim: a call gets its answer, typed and raw, small and over many chunks, several on one connection; each failure of
/// the dispatch has its code.
#[test]
fn calls_over_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mut server) = echo_server(&folder);
    let mut client = Client::connect(&path).unwrap();
    let answer: DaosResp = client.call_message(Method::SetRank, &SetRankReq { rank: 5, ..Default::default() }).unwrap();
    assert_eq!(answer.status, 5);
    let large: Vec<u8> = (0..1_000_000u32).map(|i| i as u8).collect();
    let reversed: Vec<u8> = large.iter().rev().copied().collect();
    assert_eq!(client.call(Method::PoolQuery, large).unwrap(), reversed);
    assert_eq!(client.call(Method::PoolCreate, vec![]).unwrap_err().code(), Der::MISC);
    assert_eq!(client.call(Method::PoolDestroy, vec![]).unwrap_err().code(), Der::NOSYS);
    assert_eq!(client.call(Method::RequestCreds, vec![]).unwrap_err().code(), Der::NOSYS);
    assert_eq!(client.call(Method::SetRank, vec![0xff; 9]).unwrap_err().code(), Der::PROTO);
    server.stop();
    assert_eq!(client.call(Method::SetRank, vec![]).unwrap_err().code(), Der::UNREACH);
    let error = Client::connect(&path).unwrap_err();
    assert_eq!(error.code(), Der::NONEXIST, "the socket file is gone: {error}");
}

/// Aim: a listener refuses a socket in use and a file that isn't a socket, and replaces a stale one.
#[test]
fn listener_paths() {
    let folder = tempfile::tempdir().unwrap();
    let (path, server) = echo_server(&folder);
    assert_eq!(Listener::bind(&path, 0o600).unwrap_err().code(), Der::BUSY);
    drop(server);
    let stale = folder.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    // A stream socket that nobody listens on refuses with the wrong type only while bound.
    assert!(stale.exists());
    Listener::bind(&stale, 0o600).unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert_eq!(Listener::bind(&file, 0o600).unwrap_err().code(), Der::EXIST);
    let long = folder.path().join("x".repeat(120));
    assert_eq!(Listener::bind(&long, 0o600).unwrap_err().code(), Der::EXCEEDS_PATH_LEN);
}

/// Aim: bytes that aren't a call get the answer with sequence -1; broken framing gets the connection closed, and the
/// listener goes on serving others.
#[test]
fn malformed_callers() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _server) = echo_server(&folder);
    let socket = connect(&path).unwrap();
    send_message(&socket, &[0xff; 40]).unwrap();
    let answer = Response::decode(receive_message(&socket, 4096).unwrap().unwrap().as_slice()).unwrap();
    assert_eq!((answer.sequence, answer.status()), (-1, Status::FailedUnmarshalCall));
    send(&socket, &[1, 2, 3], SendFlags::NOSIGNAL).unwrap();
    assert!(!matches!(receive_message(&socket, 4096), Ok(Some(_))));
    let mut client = Client::connect(&path).unwrap();
    assert_eq!(client.call(Method::PoolQuery, vec![1, 2]).unwrap(), vec![2, 1]);
}

/// Aim: a server that never answers is left after the timeout, and the client says so ever after.
#[test]
fn a_silent_server_times_out() {
    let folder = tempfile::tempdir().unwrap();
    let listener = Listener::bind(folder.path().join("silent.sock"), 0o600).unwrap();
    let mut client = Client::connect(listener.path()).unwrap();
    client.set_timeout(Some(std::time::Duration::from_millis(30))).unwrap();
    assert_eq!(client.call(Method::SetUp, vec![]).unwrap_err().code(), Der::TIMEDOUT);
    assert_eq!(client.call(Method::SetUp, vec![]).unwrap_err().code(), Der::UNREACH);
}

/// Aim: the numbers of the tables are unique and found again, and retired ones are not.
#[test]
fn method_numbers() {
    for method in Method::ALL {
        assert_eq!(Method::from_numbers(method.module(), *method as i32), Some(*method));
    }
    assert_eq!(Method::from_numbers(Module::Mgmt, 214), None);
    assert_eq!(Method::from_numbers(Module::Srv, Method::SetRank as i32), None);
    assert!(Method::ALL.windows(2).all(|pair| (pair[0] as i32) < pair[1] as i32));
}

#[cfg(feature = "async-drpc")]
mod on_tokio {
    use super::*;

    impl AsyncHandler for Echo {
        fn modules(&self) -> &[Module] {
            &[Module::Mgmt]
        }

        async fn call(&self, _peer: Peer, method: Method, body: Vec<u8>) -> Reply {
            Echo::answer(method, &body)
        }
    }

    /// Aim: the asynchronous listener serves the asynchronous and the blocking client at once, and stops on word.
    #[test]
    fn asynchronous_calls() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("async.sock");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let listener = Listener::bind(&path, 0o666).unwrap();
        let server = runtime.spawn(serve(listener, Arc::new(Echo), async {
            let _ = stopped.await;
        }));
        let large: Vec<u8> = (0..1_000_000u32).map(|i| (i / 3) as u8).collect();
        let reversed: Vec<u8> = large.iter().rev().copied().collect();
        let mut blocking = Client::connect(&path).unwrap();
        assert_eq!(blocking.call(Method::PoolQuery, large.clone()).unwrap(), reversed);
        runtime.block_on(async {
            let mut client = AsyncClient::connect(&path).unwrap();
            assert_eq!(client.call(Method::PoolQuery, large).await.unwrap(), reversed);
            let request = SetRankReq { rank: 3, ..Default::default() };
            let answer: DaosResp = client.call_message(Method::SetRank, &request).await.unwrap();
            assert_eq!(answer.status, 3);
            assert_eq!(client.call(Method::NotifyReady, vec![]).await.unwrap_err().code(), Der::NOSYS);
            stop.send(()).unwrap();
            server.await.unwrap().unwrap();
            assert_eq!(client.call(Method::PoolQuery, vec![]).await.unwrap_err().code(), Der::UNREACH);
        });
        assert!(!path.exists());
    }
}
