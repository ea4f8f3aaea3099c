//! Crashes: at every store of random transactions, in two models of what survives, and of a real process.

use super::audit::audit;
use super::{config, env, get, object, put, single};
use crate::arena::Event;
use crate::{Durability, VosCont, VosPool};
use daos_common::{Iod, IodKind, Recx};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use uuid::Uuid;

const ARENA: u64 = 256 << 10;

fn random_iods(rng: &mut StdRng) -> (Vec<Iod>, Vec<u8>) {
    let mut iods = Vec::new();
    for akey in 0..rng.random_range(1..4u8) {
        let size = if rng.random_bool(0.1) { 0 } else { rng.random_range(1..200) };
        if akey == 2 {
            let recxs = vec![Recx { idx: rng.random_range(0..50), nr: rng.random_range(1..20) }];
            let size = if size == 0 { 0 } else { 7 };
            iods.push(Iod { akey: vec![b'a', akey], kind: IodKind::Array, size, recxs, flags: 0 });
        } else {
            iods.push(single(&[b's', akey], size));
        }
    }
    let bytes = iods.iter().map(|iod| iod.data_bytes().unwrap()).sum::<u64>();
    let data = (0..bytes).map(|_| rng.random()).collect();
    (iods, data)
}

/// One random change.
fn change(rng: &mut StdRng, pool: &VosPool, cont: &VosCont) {
    let oid = object(rng.random_range(0..3));
    let epoch = match rng.random_bool(0.3) {
        true => pool.newest_epoch().unwrap() + rng.random_range(1..300),
        false => rng.random_range(1..40),
    };
    let dkey = vec![b'd', rng.random_range(0..60)];
    let result = match rng.random_range(0..20) {
        0 => cont.punch(oid, epoch, &[], &[], 0),
        1..4 => cont.punch(oid, epoch, &[&dkey], &[], 0),
        4 => cont.punch(oid, epoch, &[&dkey], &[b"s\0"], 0),
        5 => {
            let other = Uuid::from_u128(2);
            let temporary = pool.container(other, true).unwrap();
            put(&temporary, oid, epoch, &dkey, &[single(b"x", 3)], b"abc").unwrap();
            pool.destroy_container(other)
        }
        6..8 => pool.reclaim(2).map(|_| ()),
        _ => {
            let (iods, data) = random_iods(rng);
            put(cont, oid, epoch, &dkey, &iods, &data)
        }
    };
    result.unwrap();
}

/// What may be on persistent memory: durable words, and for others every value they had since.
struct Medium {
    current: Vec<u8>,
    durable: Vec<u8>,
    loose: BTreeMap<usize, (Vec<u64>, usize)>,
}

impl Medium {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Store { off, bytes } => {
                let off = *off as usize;
                self.current[off..off + bytes.len()].copy_from_slice(bytes);
                for word in off / 8..(off + bytes.len()).div_ceil(8) {
                    let value = crate::arena::word(&self.current, word * 8);
                    self.loose.entry(word).or_default().0.push(value);
                }
            }
            Event::Flush { off, len } => {
                let (first, end) = (*off as usize / 64 * 8, (*off + *len).div_ceil(64) as usize * 8);
                for (_, (values, flushed)) in self.loose.range_mut(first..end) {
                    *flushed = values.len();
                }
            }
            Event::Drain => {
                let durable = &mut self.durable;
                self.loose.retain(|word, (values, flushed)| {
                    if *flushed > 0 {
                        crate::arena::set_word(durable, word * 8, values[*flushed - 1]);
                        values.drain(..std::mem::take(flushed));
                    }
                    !values.is_empty()
                });
            }
        }
    }

    /// What a power loss may leave: each loose word as it was at some time.
    fn after_power_loss(&self, rng: &mut StdRng) -> Vec<u8> {
        let mut image = self.durable.clone();
        let lucky = rng.random_range(0.0..1.0);
        for (word, (values, _)) in &self.loose {
            if rng.random_bool(lucky) {
                crate::arena::set_word(&mut image, word * 8, values[rng.random_range(0..values.len())]);
            }
        }
        image
    }
}

fn recovered(path: &Path, image: &[u8]) -> u64 {
    std::fs::write(path, image).unwrap();
    let pool = VosPool::open(path, Durability::Process).unwrap();
    audit(&pool)
}

/// Aim: whatever store a crash comes before or within, and whatever unflushed words survive a power loss, after the
/// next open the store holds all of the last transaction or nothing of it, its space maps are exact, and it remembers an
/// epoch as late as any that it holds.
#[test]
fn all_or_nothing_at_every_store() {
    let seed = env("VOS_SEED", rand::random());
    let rounds = env("VOS_CRASH_ROUNDS", 60);
    println!("VOS_SEED={seed} VOS_CRASH_ROUNDS={rounds}");
    let mut rng = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let crashed = dir.path().join("crashed");
    let pool = VosPool::create_any_size(&config(&path, ARENA)).unwrap();
    let cont = pool.container(Uuid::from_u128(1), true).unwrap();
    for _ in 0..rng.random_range(0..200) {
        change(&mut rng, &pool, &cont);
    }
    let image = std::fs::read(&path).unwrap();
    let mut medium = Medium { current: image.clone(), durable: image, loose: BTreeMap::new() };
    let mut cuts = 0;
    for _ in 0..rounds {
        let before = audit(&pool);
        pool.inner_for_tests().state.borrow_mut().arena.recorder = Some(Vec::new());
        change(&mut rng, &pool, &cont);
        let events = pool.inner_for_tests().state.borrow_mut().arena.recorder.take().unwrap();
        let applied_off = pool.inner_for_tests().state.borrow().arena.layout().log_off + 32;
        // Some changes are several transactions: what stands between two of them is allowed too.
        let mut allowed = vec![before];
        let mut whole = medium.current.clone();
        for event in &events {
            if let Event::Store { off, bytes } = event {
                whole[*off as usize..][..bytes.len()].copy_from_slice(bytes);
                if *off == applied_off {
                    allowed.push(recovered(&crashed, &whole));
                }
            }
        }
        assert_eq!(allowed.last(), Some(&audit(&pool)));
        let mut last = 0;
        for event in &events {
            if let Event::Store { off, bytes } = event {
                // A kill may come between any two instructions of a copy; one word is one instruction.
                let mut torn = medium.current.clone();
                let part =
                    if bytes.len() == 8 { 8 * rng.random_range(0..2) } else { rng.random_range(0..=bytes.len()) };
                torn[*off as usize..][..part].copy_from_slice(&bytes[..part]);
                let digest = recovered(&crashed, &torn);
                let index = allowed[last..].iter().position(|state| *state == digest);
                last += index.expect("half of a change, or a committed one is gone");
            }
            medium.take(event);
            if rng.random_bool(0.3) {
                let digest = recovered(&crashed, &medium.after_power_loss(&mut rng));
                assert!(allowed.contains(&digest), "half of a change survived a power loss");
                cuts += 1;
            }
        }
    }
    println!("{cuts} power losses");
}

const CHILD: &str = "VOS_KILLED_CHILD";
const CONT: Uuid = Uuid::from_u128(5);

/// The process that is killed: writes numbered updates of two akeys and says so after each.
#[test]
fn killed_child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let pool = VosPool::open(Path::new(&path), Durability::Process).unwrap();
    let cont = pool.container(CONT, true).unwrap();
    let mut number = get(&pool, &cont, object(1), u64::MAX, b"last", single(b"n", 0)).unwrap();
    number.resize(8, 0);
    let mut number = u64::from_le_bytes(number.try_into().unwrap());
    loop {
        number += 1;
        let bytes = number.to_le_bytes();
        let data = [bytes, bytes].concat();
        put(&cont, object(2), number, &(number % 1000).to_le_bytes(), &[single(b"n", 8)], &bytes).unwrap();
        put(&cont, object(1), number, b"last", &[single(b"n", 8), single(b"m", 8)], &data).unwrap();
        println!("acknowledged {number}");
        if number.is_multiple_of(5000) {
            // Room for more: everything is written anew from here on.
            pool.destroy_container(CONT).unwrap();
            while !pool.reclaim(100).unwrap() {}
            std::process::exit(0);
        }
    }
}

/// Aim: kill -9 at random moments loses no acknowledged update and tears none.
#[test]
fn survives_kill_9() {
    let kills = env("VOS_KILLS", 12);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    drop(VosPool::create(&config(&path, 16 << 20)).unwrap());
    let mut rng = StdRng::seed_from_u64(rand::random());
    for _ in 0..kills {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::crash::killed_child", "--nocapture", "--test-threads=1"])
            .env(CHILD, &path)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(|line| line.ok());
            let acknowledged = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
            acknowledged.last().unwrap_or(0)
        });
        std::thread::sleep(std::time::Duration::from_millis(rng.random_range(30..120)));
        let _ = child.kill();
        let status = child.wait().unwrap();
        let acknowledged = reader.join().unwrap();
        let pool = VosPool::open(&path, Durability::Process).unwrap();
        audit(&pool);
        if status.success() || pool.containers().unwrap().is_empty() {
            continue;
        }
        let cont = pool.container(CONT, true).unwrap();
        let n = get(&pool, &cont, object(1), u64::MAX, b"last", single(b"n", 0)).unwrap();
        let m = get(&pool, &cont, object(1), u64::MAX, b"last", single(b"m", 0)).unwrap();
        assert_eq!(n, m, "a torn update");
        if acknowledged == 0 {
            continue;
        }
        let number = u64::from_le_bytes(n.try_into().unwrap());
        assert!(number >= acknowledged, "update {acknowledged} was acknowledged, {number} is the last");
        for old in acknowledged.saturating_sub(900).max(1)..=acknowledged {
            let dkey = (old % 1000).to_le_bytes();
            let found = get(&pool, &cont, object(2), old, &dkey, single(b"n", 0)).unwrap();
            assert_eq!(found, old.to_le_bytes(), "acknowledged update {old}");
        }
    }
}
