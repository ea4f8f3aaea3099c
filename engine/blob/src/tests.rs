//! Aim: devices keep what they were told to keep, through reopening, torn writes, dropped futures and errors.

use super::*;
use daos_common::Der;
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use rustix::event::{PollFd, PollFlags};
use std::collections::HashMap;
use std::future::Future;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use uuid::Uuid;

const MIB: u64 = 1 << 20;

/// Runs a future as the engine does: sleep on the ring's descriptor, then take completions.
fn run<T>(ring: &Ring, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
        wait(ring);
        ring.poll();
    }
}

fn wait(ring: &Ring) {
    let timeout = rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 };
    let ready = rustix::event::poll(&mut [PollFd::new(ring, PollFlags::IN)], Some(&timeout)).unwrap();
    assert!(ready > 0, "no completion for ten seconds");
}

fn settle(ring: &Ring) {
    while ring.in_flight() > 0 {
        wait(ring);
        ring.poll();
    }
}

/// A formatted file in a folder of its own.
fn formatted(bytes: u64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bdev");
    Device::format(&path, bytes, false).unwrap();
    (folder, path)
}

fn id(pool: u128, target: u32) -> BlobId {
    BlobId { pool: Uuid::from_u128(pool), target }
}

fn filled(ring: &Ring, bytes: usize, seed: u64) -> Buffer {
    let mut buffer = ring.buffer(bytes);
    StdRng::seed_from_u64(seed).fill_bytes(&mut buffer);
    buffer
}

fn code<T>(result: daos_common::Result<T>) -> Option<Der> {
    result.err().map(|error| error.code())
}

/// Aim: formatting refuses formatted and foreign files, force overrides, a second engine is kept out.
#[test]
fn formatting() {
    let (_folder, path) = formatted(16 * MIB);
    assert_eq!(code(Device::format(&path, 16 * MIB, false)), Some(Der::EXIST));
    let device = Device::open(&path).unwrap();
    assert_eq!(code(Device::open(&path)), Some(Der::BUSY));
    assert_eq!(code(Device::format(&path, 16 * MIB, true)), Some(Der::BUSY));
    device.create_blob(id(1, 0), MIB).unwrap();
    drop(device);
    Device::format(&path, 16 * MIB, true).unwrap();
    assert!(Device::open(&path).unwrap().blobs().is_empty());
    let used = rustix::fs::stat(&path).unwrap().st_blocks as u64 * 512;
    assert!(used >= 16 * MIB, "only {used} bytes are allocated");

    let foreign = path.with_file_name("foreign");
    std::fs::write(&foreign, "precious").unwrap();
    assert_eq!(code(Device::format(&foreign, 16 * MIB, false)), Some(Der::EXIST));
    assert_eq!(std::fs::read(&foreign).unwrap(), b"precious");
    assert_eq!(code(Device::open(&foreign)), Some(Der::DF_INVAL));
    assert_eq!(code(Device::open(&path.with_file_name("none"))), Some(Der::NONEXIST));
    assert_eq!(code(Device::format(&path.with_file_name("tiny"), MIB, false)), Some(Der::NOSPACE));
}

/// Aim: truncation, a lost superblock, a lost table copy and the loss of both are told apart or survived.
#[test]
fn damage() {
    let (_folder, path) = formatted(16 * MIB);
    let device = Device::open(&path).unwrap();
    device.create_blob(id(1, 0), MIB).unwrap();
    device.create_blob(id(1, 1), MIB).unwrap();
    drop(device);
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let blobs = || Device::open(&path).map(|device| device.blobs().len());

    // Sequence 2 is in copy 0: without it the state before the last change is there.
    let plan = crate::format::Superblock::plan(16 * MIB).unwrap();
    let mut copy = vec![0u8; 4096];
    file.read_exact_at(&mut copy, plan.table_offset(0)).unwrap();
    file.write_all_at(&[0xff; 40], plan.table_offset(0) + 20).unwrap();
    assert_eq!(blobs().unwrap(), 1);
    file.write_all_at(&[0xff; 40], plan.table_offset(1) + 20).unwrap();
    assert_eq!(code(blobs()), Some(Der::DF_INVAL));
    file.write_all_at(&copy, plan.table_offset(0)).unwrap();
    assert_eq!(blobs().unwrap(), 2);

    file.write_all_at(&[0; 64], 0).unwrap();
    assert_eq!(blobs().unwrap(), 2);
    file.set_len(15 * MIB).unwrap();
    let error = Device::open(&path).unwrap_err();
    assert!(error.code() == Der::DF_INVAL && error.message().contains("truncated"), "{error}");
    file.set_len(6000).unwrap();
    assert_eq!(code(blobs()), Some(Der::DF_INVAL));
    file.set_len(0).unwrap();
    assert_eq!(code(blobs()), Some(Der::DF_INVAL));
}

/// Aim: a full device says so, space comes back, repeated creation and deletion are harmless.
#[test]
fn full() {
    let (_folder, path) = formatted(16 * MIB);
    let device = Device::open(&path).unwrap();
    let (total, free) = device.space();
    assert_eq!(total, free);
    device.create_blob(id(1, 0), total - device.cluster_bytes()).unwrap();
    device.create_blob(id(1, 0), total - device.cluster_bytes()).unwrap();
    assert_eq!(code(device.create_blob(id(1, 0), 1)), Some(Der::EXIST));
    assert_eq!(code(device.create_blob(id(1, 1), device.cluster_bytes() + 1)), Some(Der::NOSPACE));
    device.create_blob(id(1, 1), 1).unwrap();
    assert_eq!(device.space().1, 0);
    assert_eq!(code(device.create_blob(id(1, 2), u64::MAX)), Some(Der::NOSPACE));
    device.delete_blob(id(1, 0)).unwrap();
    device.delete_blob(id(1, 0)).unwrap();
    assert_eq!(device.space().1, total - device.cluster_bytes());
}

/// Aim: reads at any offset return exactly what was written, across runs of a fragmented blob.
#[test]
fn reading_and_writing() {
    let (_folder, path) = formatted(16 * MIB);
    let device = Device::open(&path).unwrap();
    let cluster = device.cluster_bytes();
    for target in 0..20 {
        device.create_blob(id(1, target), cluster).unwrap();
    }
    for target in (0..20).step_by(2) {
        device.delete_blob(id(1, target)).unwrap();
    }
    let pieces = device.space().1 / cluster;
    device.create_blob(id(2, 0), pieces * cluster).unwrap();
    let ring = Ring::new(4).unwrap();
    let blob = device.blob(id(2, 0), &ring).unwrap();
    let size = 8 * cluster as usize - 100;
    let data = filled(&ring, size, 1).to_vec();
    run(&ring, blob.write(cluster, filled(&ring, size, 1))).unwrap();
    for (at, len) in [(0, 1), (1, 4096), (4095, 2), (100, size - 100), (cluster as usize - 1, 2), (5000, 0)] {
        let (buffer, range) = run(&ring, blob.read(cluster + at as u64, len)).unwrap();
        assert!(buffer[range] == data[at..at + len], "at {at}");
    }
    let (padding, range) = run(&ring, blob.read(cluster + size as u64, 100)).unwrap();
    assert_eq!(padding[range], [0; 100]);
    assert_eq!(code(run(&ring, blob.read(blob.bytes(), 1))), Some(Der::INVAL));
    assert_eq!(code(run(&ring, blob.read(u64::MAX, 2))), Some(Der::INVAL));
    assert_eq!(code(run(&ring, blob.write(100, ring.buffer(10)))), Some(Der::INVAL));
    assert_eq!(code(run(&ring, blob.write(blob.bytes() - 4096, ring.buffer(4097)))), Some(Der::INVAL));
    assert_eq!(code(device.blob(id(9, 9), &ring).map(drop)), Some(Der::NONEXIST));
}

/// Aim: dropping futures at any moment loses no memory and disturbs no other request; more requests than depth wait.
#[test]
fn dropped_futures() {
    let (_folder, path) = formatted(16 * MIB);
    let device = Device::open(&path).unwrap();
    device.create_blob(id(1, 0), 4 * MIB).unwrap();
    let ring = Ring::new(2).unwrap();
    let blob = device.blob(id(1, 0), &ring).unwrap();
    let mut context = Context::from_waker(Waker::noop());
    for round in 0..50u64 {
        let mut kept = Box::pin(blob.write(2 * MIB, filled(&ring, 8192, round)));
        assert!(kept.as_mut().poll(&mut context).is_pending());
        let mut dropped: Vec<_> = (0..8).map(|at| Box::pin(blob.read(at * 65536, 65536))).collect();
        for future in &mut dropped {
            assert!(future.as_mut().poll(&mut context).is_pending());
        }
        let mut writes: Vec<_> = (0..3).map(|at| Box::pin(blob.write(at * 8192, filled(&ring, 8192, at)))).collect();
        for future in &mut writes {
            let _ = future.as_mut().poll(&mut context);
        }
        drop(dropped);
        drop(writes);
        run(&ring, kept).unwrap();
        let (buffer, range) = run(&ring, blob.read(2 * MIB, 8192)).unwrap();
        assert!(buffer[range] == filled(&ring, 8192, round)[..]);
    }
    settle(&ring);
    assert_eq!(ring.in_flight(), 0);
    // The ring, the blob and the device go while requests are in flight.
    let mut last: Vec<_> = (0..4).map(|at| Box::pin(blob.read(at * 65536, 65536))).collect();
    for future in &mut last {
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    drop((last, blob, ring, device));
    Device::open(&path).unwrap();
}

/// Aim: errors of the device come out with device and place, others go on, interrupted and short transfers continue.
#[test]
fn injected_errors() {
    let (_folder, path) = formatted(16 * MIB);
    let device = Device::open(&path).unwrap();
    device.create_blob(id(1, 0), 4 * MIB).unwrap();
    let ring = Ring::new(8).unwrap();
    let blob = device.blob(id(1, 0), &ring).unwrap();
    ring.inject(Some(Box::new(|write, _, result| if write { -5 } else { result })));
    let error = run(&ring, blob.write(8192, filled(&ring, 4096, 3))).unwrap_err();
    assert_eq!(error.code(), Der::IO);
    assert!(error.message().contains("bdev") && error.message().contains("at 8192"), "{error}");
    ring.inject(Some(Box::new(|_, _, _| -28)));
    assert_eq!(code(run(&ring, blob.read(0, 1))), Some(Der::NOSPACE));
    let mut calls = 0;
    ring.inject(Some(Box::new(move |_, _, result| {
        calls += 1;
        match calls {
            1 => -4,
            2 => -11,
            3 => result.min(4096),
            _ => result,
        }
    })));
    run(&ring, blob.write(0, filled(&ring, 65536, 4))).unwrap();
    ring.inject(None);
    let (buffer, range) = run(&ring, blob.read(0, 65536)).unwrap();
    assert!(buffer[range] == filled(&ring, 65536, 4)[..]);
    ring.inject(Some(Box::new(|_, _, _| 0)));
    assert_eq!(code(run(&ring, blob.read(0, 1))), Some(Der::IO));
    ring.inject(Some(Box::new(|_, _, _| 100)));
    assert_eq!(code(run(&ring, blob.read(0, 4096))), Some(Der::IO));
}

/// Aim: a deleted blob's handle is refused, and its clusters are not given away while a request is in flight.
#[test]
fn deletion_under_way() {
    let (_folder, path) = formatted(16 * MIB);
    let device = Device::open(&path).unwrap();
    let (total, _) = device.space();
    device.create_blob(id(1, 0), total).unwrap();
    let ring = Ring::new(8).unwrap();
    let blob = device.blob(id(1, 0), &ring).unwrap();
    device.delete_blob(id(1, 0)).unwrap();
    assert_eq!(code(run(&ring, blob.read(0, 1))), Some(Der::NONEXIST));
    assert_eq!(code(device.create_blob(id(2, 0), total)), Some(Der::NOSPACE));
    drop(blob);
    device.create_blob(id(2, 0), total).unwrap();
}

/// Aim: against a model, random creation, deletion, writes, reads and reopening never lose or mix data.
#[test]
fn model() {
    let seed = std::env::var("BLOB_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random);
    let steps = std::env::var("BLOB_STEPS").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    println!("BLOB_SEED={seed} BLOB_STEPS={steps}");
    let mut rng = StdRng::seed_from_u64(seed);
    let (_folder, path) = formatted(24 * MIB);
    let mut device = Some(Device::open(&path).unwrap());
    let mut ring = Ring::new(8).unwrap();
    let mut model: HashMap<BlobId, Vec<u8>> = HashMap::new();
    for _ in 0..steps {
        let open = device.as_ref().unwrap();
        let some = model.keys().nth(rng.random_range(0..model.len().max(1))).copied();
        match (rng.random_range(0..10), some) {
            (0, _) => {
                let new = id(rng.random_range(0..3), rng.random_range(0..3));
                let bytes = rng.random_range(1..3 * MIB);
                let rounded = bytes.next_multiple_of(open.cluster_bytes());
                match open.create_blob(new, bytes) {
                    Ok(()) => {
                        let blob = open.blob(new, &ring).unwrap();
                        let zeros = ring.buffer(rounded as usize);
                        let size = model.entry(new).or_insert_with(|| zeros.to_vec()).len();
                        assert_eq!(size as u64, rounded);
                        let mut now = ring.buffer(rounded as usize);
                        now.copy_from_slice(&model[&new]);
                        run(&ring, blob.write(0, now)).unwrap();
                    }
                    Err(error) if error.code() == Der::EXIST => assert_ne!(model[&new].len() as u64, rounded),
                    Err(error) => assert_eq!(error.code(), Der::NOSPACE),
                }
            }
            (1, Some(id)) => {
                open.delete_blob(id).unwrap();
                model.remove(&id);
            }
            (2, _) => {
                device = None;
                ring = Ring::new(rng.random_range(1..9)).unwrap();
                device = device.or_else(|| Some(Device::open(&path).unwrap()));
                let mut sizes: Vec<_> =
                    device.as_ref().unwrap().blobs().into_iter().map(|(id, size)| (id.pool, id.target, size)).collect();
                let mut expected: Vec<_> =
                    model.iter().map(|(id, data)| (id.pool, id.target, data.len() as u64)).collect();
                sizes.sort();
                expected.sort();
                assert_eq!(sizes, expected);
            }
            (3..6, Some(id)) => {
                let data = model.get_mut(&id).unwrap();
                let block = rng.random_range(0..data.len() / 4096) * 4096;
                let len = rng.random_range(0..=(data.len() - block).min(300_000));
                let buffer = filled(&ring, len, rng.random());
                let padded = len.next_multiple_of(4096);
                data[block..block + len].copy_from_slice(&buffer);
                data[block + len..block + padded].fill(0);
                let blob = open.blob(id, &ring).unwrap();
                run(&ring, blob.write(block as u64, buffer)).unwrap();
            }
            (_, Some(id)) => {
                let data = &model[&id];
                let at = rng.random_range(0..data.len());
                let len = rng.random_range(0..=(data.len() - at).min(300_000));
                let blob = open.blob(id, &ring).unwrap();
                let (buffer, range) = run(&ring, blob.read(at as u64, len)).unwrap();
                assert!(buffer[range] == data[at..at + len], "{id} at {at}");
            }
            _ => {}
        }
    }
}

/// Aim: figures, not a check: throughput beside plain positional reads and writes of the same file. Long with BLOB_BENCH set.
#[test]
fn throughput() {
    let rounds: u64 = if std::env::var_os("BLOB_BENCH").is_some() { 40 } else { 2 };
    let (_folder, path) = formatted(256 * MIB);
    let device = Device::open(&path).unwrap();
    device.create_blob(id(1, 0), 200 * MIB).unwrap();
    let ring = Ring::new(32).unwrap();
    let blob = device.blob(id(1, 0), &ring).unwrap();
    let plain = std::fs::OpenOptions::new().read(true).write(true).custom_direct().open(&path).unwrap();
    for size in [4096u64, 1 << 20] {
        let count = (rounds * 16).min(190 * MIB / size);
        let bytes = (count * size) as f64 / 1e6;
        let speed = |name: &str, start: std::time::Instant| {
            let seconds = start.elapsed().as_secs_f64();
            println!(
                "{name:>28} {size:>8} B: {:8.1} MB/s, {:8.1} us each",
                bytes / seconds,
                seconds * 1e6 / count as f64
            );
        };
        let mut buffer = filled(&ring, size as usize, 1);
        let start = std::time::Instant::now();
        for at in 0..count {
            plain.write_all_at(&buffer, 64 * MIB + at * size).unwrap();
            plain.sync_data().unwrap();
        }
        speed("pwrite + fdatasync", start);
        let start = std::time::Instant::now();
        for at in 0..count {
            run(&ring, blob.write(at * size, filled(&ring, size as usize, 1))).unwrap();
        }
        speed("blob write, one by one", start);
        let start = std::time::Instant::now();
        for first in (0..count).step_by(16) {
            let writes = (first..count.min(first + 16)).map(|at| blob.write(at * size, ring.buffer(size as usize)));
            run(&ring, futures_util::future::try_join_all(writes)).unwrap();
        }
        speed("blob write, 16 at a time", start);
        let start = std::time::Instant::now();
        for at in 0..count {
            run(&ring, blob.write(at * size, filled(&ring, size as usize, 1))).unwrap();
        }
        speed("blob rewrite, one by one", start);
        let start = std::time::Instant::now();
        for at in 0..count {
            plain.read_exact_at(&mut buffer, 64 * MIB + at * size).unwrap();
        }
        speed("pread", start);
        let start = std::time::Instant::now();
        for at in 0..count {
            run(&ring, blob.read(at * size, size as usize)).unwrap();
        }
        speed("blob read, one by one", start);
        let start = std::time::Instant::now();
        for first in (0..count).step_by(16) {
            let reads = (first..count.min(first + 16)).map(|at| blob.read(at * size, size as usize));
            run(&ring, futures_util::future::try_join_all(reads)).unwrap();
        }
        speed("blob read, 16 at a time", start);
    }
}

trait CustomDirect {
    fn custom_direct(&mut self) -> &mut Self;
}

impl CustomDirect for std::fs::OpenOptions {
    fn custom_direct(&mut self) -> &mut Self {
        std::os::unix::fs::OpenOptionsExt::custom_flags(self, rustix::fs::OFlags::DIRECT.bits() as i32)
    }
}

/// The engine that [`killed`] kills: says what is done only after it is.
#[test]
fn killed_child() {
    let Some(path) = std::env::var_os("BLOB_CHILD") else { return };
    let device = Device::open(path.as_ref()).unwrap();
    let ring = Ring::new(8).unwrap();
    for turn in 0u32.. {
        let id = id(7, turn % 12);
        device.delete_blob(id).unwrap();
        device.create_blob(id, 2 * MIB).unwrap();
        let blob = device.blob(id, &ring).unwrap();
        for block in 0..8 {
            run(&ring, blob.write(block * 131_072, filled(&ring, 131_072, u64::from(turn) << 8 | block))).unwrap();
        }
        println!("done {turn}");
    }
}

/// Aim: what an engine reported as done is there after `kill -9`, and the device opens at once.
#[test]
fn killed() {
    use std::io::BufRead;
    let (_folder, path) = formatted(32 * MIB);
    for kill_after in [1, 4, 9] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::killed_child", "--nocapture"])
            .env("BLOB_CHILD", &path)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let done =
            lines.filter_map(|line| line.unwrap().rsplit_once("done ").and_then(|(_, turn)| turn.parse::<u32>().ok()));
        let last = done.take(kill_after).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let device = Device::open(&path).unwrap();
        let ring = Ring::new(8).unwrap();
        // Turns after the last one heard of may have replaced the oldest blobs; the last four are certain.
        for turn in last.saturating_sub(3)..=last {
            let blob = device.blob(id(7, turn % 12), &ring).unwrap();
            for block in 0..8 {
                let (buffer, range) = run(&ring, blob.read(block * 131_072, 131_072)).unwrap();
                let expected = filled(&ring, 131_072, u64::from(turn) << 8 | block);
                assert!(buffer[range] == expected[..], "turn {turn} block {block}");
            }
        }
    }
}
