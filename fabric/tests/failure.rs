//! What goes wrong: dead peers, taken ports, junk on the port, dropped futures.

mod common;

use common::{Server, config, open, request};
use daos_common::Der;
use daos_fabric::{Endpoint, FabricConfig, Request};
use std::io::Write;
use std::time::{Duration, Instant};

fn port_of(uri: &str) -> u16 {
    uri.rsplit(':').next().unwrap().parse().unwrap()
}

/// Aim: a call to an address where nobody listens fails with UNREACH at once, not at its timeout.
#[test]
fn nobody_listens() {
    let runtime = open();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let peer = runtime.endpoint().peer(&format!("{}://127.0.0.1:{free}", config().provider)).unwrap();
    let start = Instant::now();
    let error = runtime.block_on(runtime.endpoint().call(&peer, request(1, b"", &[]))).err().unwrap();
    assert_eq!(error.code(), Der::UNREACH, "{error}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

/// Aim: when a peer goes away that owes an answer, the call fails with UNREACH long before its timeout.
#[test]
fn peer_dies_with_a_call_open() {
    // A process of its own, killed: threads share descriptors.
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "silent_server", "--nocapture", "--ignored"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let uri = {
        use std::io::BufRead;
        let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        lines.map_while(Result::ok).find_map(|line| line.split_once("URI=").map(|(_, uri)| uri.to_owned())).unwrap()
    };
    let runtime = open();
    let endpoint = runtime.endpoint();
    let peer = endpoint.peer(&uri).unwrap();
    runtime.block_on(endpoint.call(&peer, request(2, b"", &[]))).unwrap();
    let call = endpoint.call(&peer, Request { timeout: Duration::from_secs(30), ..request(1, b"", &[]) });
    runtime.block_on(runtime.sleep(Duration::from_millis(50)));
    child.kill().unwrap();
    child.wait().unwrap();
    let start = Instant::now();
    let error = runtime.block_on(call).err().unwrap();
    assert_eq!(error.code(), Der::UNREACH, "{error}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    // And the next call knows at once too.
    let error = runtime.block_on(endpoint.call(&peer, request(2, b"", &[]))).err().unwrap();
    assert_eq!(error.code(), Der::UNREACH, "{error}");
}

/// The process that `peer_dies_with_a_call_open` kills: answers request 2, keeps silent about 1.
#[test]
#[ignore = "started by peer_dies_with_a_call_open"]
fn silent_server() {
    let server = Server::start(|runtime, incoming| async move {
        match incoming.opcode {
            1 => runtime.sleep(Duration::from_secs(20)).await,
            _ => incoming.reply(b"", &[]),
        }
    });
    println!("\nURI={}", server.uri);
    std::thread::sleep(Duration::from_secs(20));
}

/// Aim: a port in use is BUSY, and the message names address and port.
#[test]
fn port_taken() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = Endpoint::open(&FabricConfig { port: Some(port), ..config() }).err().unwrap();
    assert_eq!(error.code(), Der::BUSY, "{error}");
    assert!(error.message().contains(&format!("127.0.0.1:{port}")), "{error}");
}

/// Aim: a free port that is asked for is the one in the URI.
#[test]
fn port_asked_for() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = Endpoint::open(&FabricConfig { port: Some(port), ..config() }).unwrap();
    assert_eq!(endpoint.uri(), format!("{}://127.0.0.1:{port}", config().provider));
}

/// Aim: wrong names are INVAL with a message that says what was wrong.
#[test]
fn wrong_configuration() {
    let wrong = [
        (FabricConfig { provider: "ofi+nosuch".into(), ..config() }, "nosuch"),
        (FabricConfig { provider: "tcp".into(), ..config() }, "tcp"),
        (FabricConfig { interface: Some("nosuch0".into()), ..config() }, "nosuch0"),
    ];
    for (config, named) in wrong {
        let error = Endpoint::open(&config).err().unwrap();
        assert_eq!(error.code(), Der::INVAL, "{error}");
        assert!(error.message().contains(named), "{error}");
    }
}

/// Aim: bytes of any kind on the listening port, from many connections, some cut short, disturb no call.
#[test]
fn junk_on_the_port() {
    let server = Server::echo();
    let port = port_of(&server.uri);
    let junk: Vec<u8> = (0..4096u32).map(|i| (i.wrapping_mul(2654435761) >> 13) as u8).collect();
    let runtime = open();
    let endpoint = runtime.endpoint();
    let peer = endpoint.peer(&server.uri).unwrap();
    let mut open_streams = Vec::new();
    for round in 0..20usize {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _ = stream.write_all(&junk[round * 7..round * 7 + round * 100]);
        if round % 2 == 0 {
            open_streams.push(stream);
        }
        let reply = runtime.block_on(endpoint.call(&peer, request(6, b"still here", &[]))).unwrap();
        assert_eq!(reply.message.body(), b"still here");
    }
}

/// Aim: dropping calls gives their slots and buffers back and leaves later calls alone.
#[test]
fn dropped_calls() {
    let server = Server::echo();
    let runtime = open();
    let endpoint = runtime.endpoint();
    let peer = endpoint.peer(&server.uri).unwrap();
    for round in 0..50u8 {
        for _ in 0..20 {
            drop(endpoint.call(&peer, request(6, b"forgotten", &[])));
        }
        let reply = runtime.block_on(endpoint.call(&peer, request(6, &[round], &[]))).unwrap();
        assert_eq!(reply.message.body(), [round]);
    }
    assert_eq!(endpoint.statistics().malformed, 0);
}

/// Aim: a thousand calls at once all find their own answer.
#[test]
fn many_calls_at_once() {
    let server = Server::echo();
    let runtime = open();
    let endpoint = runtime.endpoint();
    let peer = endpoint.peer(&server.uri).unwrap();
    let payload = vec![7u8; 2000];
    let tasks: Vec<_> = (0..1000u32)
        .map(|number| {
            let (endpoint, peer, payload) = (endpoint.clone(), peer.clone(), payload.clone());
            runtime.spawn(async move {
                let parts: [&[u8]; 1] = [&payload];
                let reply = endpoint.call(&peer, request(6, &number.to_le_bytes(), &parts)).await.unwrap();
                assert_eq!(reply.message.body(), number.to_le_bytes());
                assert_eq!(reply.message.payload(), payload);
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await;
        }
    });
}
