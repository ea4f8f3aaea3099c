//! Crashes: at every store of random transactions, in two models of what survives, and of a real process.

use super::audit::audit;
use super::{config, env, get, object, put, single};
use crate::arena::Event;
use crate::{Durability, TxState, VosCont, VosPool};
use daos_common::wire::tx::TxWrite;
use daos_common::{Iod, IodKind, Recx};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
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

/// The writes that a transaction's body, a seed, stands for.
fn writes_of(body: &[u8]) -> Vec<TxWrite> {
    let mut rng = StdRng::seed_from_u64(u64::from_le_bytes(body.try_into().unwrap()));
    let mut writes = Vec::new();
    for _ in 0..rng.random_range(1..4) {
        let (oid, dkey) = (object(rng.random_range(0..3)), vec![b'd', rng.random_range(0..60)]);
        if rng.random_bool(0.2) {
            writes.push(TxWrite::Punch { oid, dkeys: vec![dkey], akeys: Vec::new(), flags: 0 });
        } else {
            let (iods, data) = random_iods(&mut rng);
            writes.push(TxWrite::Update { oid, dkey, flags: 0, iods, data });
        }
    }
    writes
}

/// One random change of a transaction's state.
fn change_transaction(rng: &mut StdRng, pool: &VosPool, cont: &VosCont) -> daos_common::Result<()> {
    let entries = cont.transactions()?;
    let epoch = pool.newest_epoch()? + rng.random_range(1..300);
    let body = rng.random::<u64>().to_le_bytes();
    let Some(entry) = entries.choose(rng).filter(|_| entries.len() > 5 || rng.random_bool(0.5)) else {
        return match rng.random_range(0..4) {
            0 => cont.apply(epoch, &writes_of(&body)),
            1 => cont.decide(Uuid::from_u128(rng.random()), epoch, &body, &writes_of(&body)).map(drop),
            _ => cont.prepare(Uuid::from_u128(rng.random()), epoch, &body, &writes_of(&body)).map(drop),
        };
    };
    match (entry.state, rng.random_range(0..5)) {
        (TxState::Committed, _) => cont.forget(&[entry.tx]),
        (TxState::Prepared, 0) => cont.abort_prepared(entry.tx).map(drop),
        (TxState::Prepared, 1) => cont.decide(entry.tx, epoch, &body, &writes_of(&entry.body)).map(drop),
        (TxState::Prepared, _) => cont.commit_prepared(entry.tx, epoch, &writes_of(&entry.body)).map(drop),
    }
}

/// One random change.
fn change(rng: &mut StdRng, pool: &VosPool, cont: &VosCont) {
    let oid = object(rng.random_range(0..3));
    let epoch = match rng.random_bool(0.3) {
        true => pool.newest_epoch().unwrap() + rng.random_range(1..300),
        false => rng.random_range(1..40),
    };
    let dkey = vec![b'd', rng.random_range(0..60)];
    let result = match rng.random_range(0..28) {
        20..28 => change_transaction(rng, pool, cont),
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
/// next open the store holds all of the last transaction or nothing of it, also of the entries of prepared and committed
/// ones, its space maps are exact, and it remembers an epoch as late as any that it holds.
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

fn prepared_id(number: u64) -> Uuid {
    Uuid::from_u64_pair(1, number)
}

fn decided_id(number: u64) -> Uuid {
    Uuid::from_u64_pair(2, number)
}

/// The writes of the transactions of a number.
fn numbered(oid: u64, bytes: &[u8]) -> [TxWrite; 1] {
    let (dkey, data) = (bytes.to_vec(), bytes.to_vec());
    [TxWrite::Update { oid: object(oid), dkey, flags: 0, iods: vec![single(b"n", 8)], data }]
}

/// The process that is killed: writes numbered updates of two akeys, prepares a transaction and decides another, and
/// says so after each.
#[test]
fn killed_child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let pool = VosPool::open(Path::new(&path), Durability::Process).unwrap();
    let cont = pool.container(CONT, true).unwrap();
    let mut number = get(&pool, &cont, object(1), u64::MAX, b"last", single(b"n", 0)).unwrap();
    number.resize(8, 0);
    let mut number = u64::from_le_bytes(number.try_into().unwrap());
    for entry in cont.transactions().unwrap() {
        match entry.state {
            TxState::Prepared => drop(cont.commit_prepared(entry.tx, entry.epoch, &numbered(3, &entry.body)).unwrap()),
            TxState::Committed => cont.forget(&[entry.tx]).unwrap(),
        }
    }
    loop {
        number += 1;
        let bytes = number.to_le_bytes();
        let data = [bytes, bytes].concat();
        put(&cont, object(2), number, &(number % 1000).to_le_bytes(), &[single(b"n", 8)], &bytes).unwrap();
        put(&cont, object(1), number, b"last", &[single(b"n", 8), single(b"m", 8)], &data).unwrap();
        cont.prepare(prepared_id(number), number, &bytes, &numbered(3, &bytes)).unwrap();
        cont.decide(decided_id(number), number, &bytes, &numbered(4, &bytes)).unwrap();
        println!("acknowledged {number}");
        let last = (number - 1).to_le_bytes();
        cont.commit_prepared(prepared_id(number - 1), number, &numbered(3, &last)).unwrap();
        cont.forget(&[decided_id(number - 1)]).unwrap();
        if number.is_multiple_of(5000) {
            // Room for more: everything is written anew from here on.
            pool.destroy_container(CONT).unwrap();
            while !pool.reclaim(100).unwrap() {}
            std::process::exit(0);
        }
    }
}

/// Aim: kill -9 at random moments loses no acknowledged update, prepare or decision and tears none.
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
        let bytes = acknowledged.to_le_bytes();
        let written = |oid| get(&pool, &cont, object(oid), u64::MAX, &bytes, single(b"n", 0)).unwrap() == bytes;
        // A number later, the one is committed and the other forgotten.
        let prepared = cont.outcome(prepared_id(acknowledged)).unwrap();
        assert!(prepared.as_ref().is_none_or(|entry| entry.state == TxState::Prepared && entry.body == bytes));
        assert_ne!(prepared.is_some(), written(3), "prepared transaction {acknowledged}");
        let decided = cont.outcome(decided_id(acknowledged)).unwrap();
        assert!(written(4) && (number > acknowledged || decided.is_some()), "decided transaction {acknowledged}");
        for old in acknowledged.saturating_sub(900).max(1)..=acknowledged {
            let dkey = (old % 1000).to_le_bytes();
            let found = get(&pool, &cont, object(2), old, &dkey, single(b"n", 0)).unwrap();
            assert_eq!(found, old.to_le_bytes(), "acknowledged update {old}");
        }
    }
}
