//! Bulk transfer both ways over a real provider: the server reads and writes the caller's memory.

mod common;

use common::{Server, open, request};
use daos_common::wire::object::BulkDesc;
use daos_common::{Der, wire};
use daos_fabric::Access;

const UPDATE: u16 = 60;
const FETCH: u16 = 61;
const BEYOND: u16 = 62;

/// A server that stores what it pulls from the caller and pushes it back, regions and offsets as asked.
fn store() -> Server {
    let stored = std::sync::Arc::new(std::sync::Mutex::new(Vec::<u8>::new()));
    Server::start(move |runtime, incoming| {
        let stored = stored.clone();
        async move {
            let endpoint = runtime.endpoint().clone();
            let (offset, len, remote): (u64, u64, Vec<BulkDesc>) = wire::decode(incoming.message.body()).unwrap();
            let peer = incoming.peer().clone();
            let mut data = vec![0u8; len as usize];
            let result = match incoming.opcode {
                // SAFETY: `data` lives, untouched, until the transfer is over.
                UPDATE | BEYOND => unsafe {
                    endpoint.rma_read(&peer, &remote, offset, data.as_mut_ptr(), data.len()).await
                },
                _ => {
                    data.copy_from_slice(&stored.lock().unwrap());
                    // SAFETY: as above.
                    unsafe { endpoint.rma_write(&peer, &remote, offset, data.as_ptr(), data.len()).await }
                }
            };
            *stored.lock().unwrap() = data;
            match result {
                Ok(()) => incoming.reply(b"", &[]),
                Err(error) => incoming.fail(&error),
            }
        }
    })
}

fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as u8
        })
        .collect()
}

/// Aim: data of several regions, of lengths around the segment size, comes through whole in both directions.
#[test]
fn update_and_fetch() {
    let server = store();
    let runtime = open();
    let endpoint = runtime.endpoint();
    let peer = endpoint.peer(&server.uri).unwrap();
    for (seed, lens) in
        [(1, vec![1]), (2, vec![4096]), (3, vec![100, 0, 1 << 20, 7]), (4, vec![5 << 20, 3 << 20]), (5, vec![64; 300])]
    {
        let total: usize = lens.iter().sum();
        let sent = bytes(total, seed);
        let call = |opcode, memory: &mut [u8], access| {
            let mut at = 0;
            let regions: Vec<(*mut u8, usize)> = (lens.iter())
                .map(|&len| {
                    let region = memory[at..].as_mut_ptr();
                    at += len;
                    (region, len)
                })
                .collect();
            // SAFETY: the memory outlives the call, which ends after the transfer.
            let exposed = unsafe { endpoint.expose(&regions, access) }.unwrap();
            let body = wire::encode(&(0u64, total as u64, exposed.descriptors())).unwrap();
            runtime.block_on(endpoint.call(&peer, request(opcode, &body, &[]))).map(|_| ())
        };
        let mut memory = sent.clone();
        call(UPDATE, &mut memory, Access::RemoteRead).unwrap();
        let mut memory = vec![0u8; total];
        call(FETCH, &mut memory, Access::RemoteWrite).unwrap();
        assert!(memory == sent, "lengths {lens:?}");
    }
}

/// Aim: a transfer at an offset touches exactly its bytes.
#[test]
fn offsets() {
    let server = store();
    let runtime = open();
    let endpoint = runtime.endpoint();
    let peer = endpoint.peer(&server.uri).unwrap();
    let mut memory = bytes(3000, 9);
    let regions: Vec<(*mut u8, usize)> = memory.chunks_mut(1000).map(|part| (part.as_mut_ptr(), part.len())).collect();
    // SAFETY: `memory` outlives the calls.
    let exposed = unsafe { endpoint.expose(&regions, Access::RemoteRead) }.unwrap();
    let body = wire::encode(&(900u64, 1200u64, exposed.descriptors())).unwrap();
    runtime.block_on(endpoint.call(&peer, request(UPDATE, &body, &[]))).unwrap();
    drop(exposed);
    let mut target = vec![0u8; 3000];
    let regions: Vec<(*mut u8, usize)> = target.chunks_mut(1000).map(|part| (part.as_mut_ptr(), part.len())).collect();
    // SAFETY: `target` outlives the calls.
    let exposed = unsafe { endpoint.expose(&regions, Access::RemoteWrite) }.unwrap();
    let body = wire::encode(&(900u64, 1200u64, exposed.descriptors())).unwrap();
    runtime.block_on(endpoint.call(&peer, request(FETCH, &body, &[]))).unwrap();
    drop(exposed);
    assert!(target[900..2100] == memory[900..2100]);
    assert!(target[..900].iter().chain(&target[2100..]).all(|&byte| byte == 0));
}

/// Aim: outside of the regions is INVAL without a byte moved; a closed region is an error, and the connection works on.
#[test]
fn wrong_regions() {
    let server = store();
    let runtime = open();
    let endpoint = runtime.endpoint();
    let peer = endpoint.peer(&server.uri).unwrap();
    let mut memory = vec![1u8; 4096];
    // SAFETY: `memory` outlives the calls.
    let exposed = unsafe { endpoint.expose(&[(memory.as_mut_ptr(), 4096)], Access::RemoteRead) }.unwrap();
    let descriptors = exposed.descriptors();
    for (offset, len) in [(0u64, 4097u64), (4096, 1), (u64::MAX, 1)] {
        let body = wire::encode(&(offset, len, &descriptors)).unwrap();
        let error = runtime.block_on(endpoint.call(&peer, request(BEYOND, &body, &[]))).err().unwrap();
        assert_eq!(error.code(), Der::INVAL, "{error}");
    }
    drop(exposed);
    let body = wire::encode(&(0u64, 4096u64, &descriptors)).unwrap();
    let gone = daos_fabric::Request { timeout: std::time::Duration::from_secs(2), ..request(UPDATE, &body, &[]) };
    let result = runtime.block_on(endpoint.call(&peer, gone)).map(|_| ());
    println!("closed region: {result:?}");
    // The shm provider reads another process's memory by its address and looks at no key.
    assert!(result.is_err() || common::config().provider == "ofi+shm");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    loop {
        // SAFETY: as above.
        let exposed = unsafe { endpoint.expose(&[(memory.as_mut_ptr(), 4096)], Access::RemoteRead) }.unwrap();
        let body = wire::encode(&(0u64, 4096u64, exposed.descriptors())).unwrap();
        match runtime.block_on(endpoint.call(&peer, request(UPDATE, &body, &[]))) {
            Ok(_) => return,
            Err(error) if std::time::Instant::now() < deadline => println!("after a closed region: {error}"),
            Err(error) => panic!("{error}"),
        }
    }
}
