//! The program: exit status, messages, signals, and that nothing acknowledged is lost when it is killed.

use super::world::{World, header, signal};
use daos_common::wire::object::{DataPath, ObjFetchReply, ObjFetchRequest, ObjUpdateRequest};
use daos_common::wire::{self, Opcode};
use daos_common::{Iod, IodKind};
use daos_fabric::Request;
use rand::{Rng, SeedableRng, rngs::StdRng};
use rustix::process::Signal;
use std::process::Stdio;
use std::time::Duration;
use uuid::Uuid;

/// Kills in one run; `DAOS_ENGINE_KILLS` asks for more.
const KILLS: u32 = 6;
/// Updates in flight.
const DEPTH: u64 = 16;

/// Aim: help and version succeed; a wrong flag and missing storage end with status 1 and a message that names it.
#[test]
fn exit_status() {
    let world = World::empty(|_| None);
    let run = |args: &[&str]| {
        let output = world.command().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run(&["--help"]).0, 0);
    let (code, message) = run(&["--no-such-flag"]);
    assert_eq!(code, 1);
    assert!(message.contains("--no-such-flag"), "{message}");
    let (code, message) = run(&["-n", "/nonexistent/daos_nvme.conf"]);
    assert_eq!(code, 1);
    assert!(message.contains("/nonexistent/daos_nvme.conf"), "{message}");
    std::fs::remove_dir_all(world.dir.path().join("scm")).unwrap();
    let (code, message) = run(&[]);
    assert_eq!(code, 1);
    assert!(message.contains("scm_mount"), "{message}");
}

/// Aim: SIGUSR1 logs the counters and SIGTERM is a clean end.
#[test]
fn signals() {
    let mut world = World::empty(|_| None);
    world.start_program();
    world.make_writable(0);
    world.with_program(|child| signal(child, Signal::USR1));
    let log = world.dir.path().join("engine.log");
    let logged = || std::fs::read_to_string(&log).unwrap_or_default().contains("telemetry target-1: updates=0");
    let waited = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        logged()
    });
    assert!(waited, "{:?}", std::fs::read_to_string(&log));
    world.stop();
}

fn value(number: u64) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(number);
    let bytes = random.random_range(8..6000);
    (0..bytes).map(|_| random.random()).collect()
}

fn iod(size: u64) -> Vec<Iod> {
    vec![Iod { akey: b"v".to_vec(), kind: IodKind::Single, size, recxs: Vec::new(), flags: 0 }]
}

/// Writes records from `next` on until the engine is gone: what was acknowledged, and the next number.
fn write_until_gone(world: &World, handle: Uuid, mut next: u64) -> (Vec<u64>, u64) {
    let (endpoint, mut acknowledged) = (world.runtime.endpoint(), Vec::new());
    loop {
        let batch: Vec<u64> = (next..next + DEPTH).collect();
        next += DEPTH;
        let calls = batch.iter().map(|&number| async move {
            let (bytes, context) = (value(number), 1 + (number % 2) as usize);
            let dkey = number.to_be_bytes().to_vec();
            let (operation, iods) = (Uuid::new_v4(), iod(bytes.len() as u64));
            let request = ObjUpdateRequest { header: header(handle, 1), operation, dkey, iods, data: DataPath::Inline };
            let body = wire::encode(&request).unwrap();
            let timeout = Duration::from_secs(5);
            let peer = endpoint.peer(&world.uris[context]).unwrap();
            endpoint.call(&peer, Request { opcode: Opcode::ObjUpdate as u16, body, payload: &[&bytes], timeout }).await
        });
        let outcomes = world.runtime.block_on(futures_util::future::join_all(calls));
        let gone = outcomes.iter().any(Result::is_err);
        acknowledged
            .extend(batch.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).map(|(number, _)| *number));
        if gone {
            return (acknowledged, next);
        }
    }
}

fn read(world: &World, handle: Uuid, number: u64) -> Vec<u8> {
    let dkey = number.to_be_bytes().to_vec();
    let data = DataPath::Inline;
    let request = ObjFetchRequest { header: header(handle, 1), dkey, iods: iod(0), data, rooms: vec![8192] };
    let context = 1 + (number % 2) as usize;
    let reply = world.send(context, Opcode::ObjFetch as u16, wire::encode(&request).unwrap(), &[]).unwrap();
    let answer: ObjFetchReply = wire::decode(reply.body()).unwrap();
    assert_eq!(answer.iods[0].size, reply.payload().len() as u64);
    reply.payload().to_vec()
}

/// Aim: killed at random moments while records are written, the engine comes back with every acknowledged record, and
/// with no other one in part. Pool, container and handles are as they were.
#[test]
fn killed() {
    let kills = std::env::var("DAOS_ENGINE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::empty(|_| None);
    world.start_program();
    let (_, handle) = world.make_writable(0);
    let (mut next, mut lost, mut all) = (0, 0, 0);
    for round in 0..kills {
        let killer = world.kill_after(Duration::from_millis(random.random_range(1..120)));
        let first = next;
        let (acknowledged, after) = write_until_gone(&world, handle, next);
        next = after;
        killer.join().unwrap();
        world.start_program();
        for number in first..next {
            let found = read(&world, handle, number);
            let whole = found == value(number);
            lost += u64::from(!whole && acknowledged.contains(&number));
            assert!(whole || found.is_empty(), "round {round}: record {number} is torn");
        }
        all += acknowledged.len();
        assert_eq!(lost, 0, "round {round}: acknowledged records are lost");
    }
    println!("{kills} kills, {all} acknowledged records, {lost} lost");
    world.stop();
}
