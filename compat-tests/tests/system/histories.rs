//! Transactions of several processes and threads over the targets of two engines that are killed meanwhile: money is
//! neither made nor lost, and some order explains what everybody saw.
//!
//! DAOS_TX_SECONDS makes it longer than the few seconds that it takes in `make unit`; DAOS_TX_SEED repeats the choices of
//! a run, though not its timing.

use crate::harness::{compile, kill, text, tree};
use crate::serial::{Operation, Outcome, Transaction, check};
use crate::two_engines::{LIBRARIES, TwoEngines};
use std::collections::HashMap;
use std::fs::File;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const PROCESSES: u64 = 2;
/// Money in all accounts together: as the program begins.
const MONEY: i64 = 10 * 100;
/// How long a worker may take to end: an operation of its own under way, and its wait for an engine.
const END_LIMIT: Duration = Duration::from_secs(150);

fn number_from(name: &str, default: impl FnOnce() -> u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or_else(default)
}

/// Aim: see above.
#[test]
fn histories_are_serialisable() {
    let seed = number_from("DAOS_TX_SEED", || u64::from(std::process::id()) * 2_654_435_761 % 1_000_000);
    let seconds = number_from("DAOS_TX_SECONDS", || 6);
    println!("seed {seed}, {seconds} s");
    let system = TwoEngines::start();
    system.said("dmg", &["pool", "create", "tank", "--scm-size", "1G"]);
    system.said("daos", &["container", "create", "tank", "posix"]);
    let program = compile(&tree().join("compat-tests/c/tx/histories.c"), &LIBRARIES, &system.path(""));
    let init = system.command(&program).arg("init").output().expect("it runs");
    assert!(init.status.success(), "{}", text(&init.stderr));
    let ids: Vec<String> = text(&init.stdout).split_whitespace().map(str::to_owned).collect();

    let mut workers: Vec<Child> = (0..PROCESSES)
        .map(|process| {
            let [out, err] = ["history", "errors"]
                .map(|name| File::create(system.path(&format!("{name}{process}"))).expect("a file"));
            let mut worker = system.command(&program);
            worker.arg("work").args(&ids).args([process.to_string(), (seed + process).to_string()]);
            worker.stdin(Stdio::piped()).stdout(out).stderr(err).spawn().expect("it runs")
        })
        .collect();
    kill_engines(&system, Duration::from_secs(seconds), seed);
    workers.iter_mut().for_each(|worker| drop(worker.stdin.take()));
    let deadline = Instant::now() + END_LIMIT;
    for worker in &mut workers {
        while worker.try_wait().expect("a child").is_none() {
            assert!(Instant::now() < deadline, "a worker does not end\n{}", system.logs());
            std::thread::sleep(Duration::from_millis(20));
        }
        let status = worker.wait().expect("a child");
        assert!(status.success(), "{status}: {}", system.read("errors0") + &system.read("errors1"));
    }
    let last = system.command(&program).arg("final").args(&ids).output().expect("it runs");
    assert!(last.status.success(), "{}", text(&last.stderr));
    let histories: Vec<String> = (0..PROCESSES).map(|process| system.read(&format!("history{process}"))).collect();
    verify(&histories.concat(), &text(&last.stdout));
}

/// Kills one engine after another, each once the one before is back.
fn kill_engines(system: &TwoEngines, duration: Duration, seed: u64) {
    let began = Instant::now();
    for turn in 0.. {
        std::thread::sleep(duration / 6);
        if began.elapsed() > duration && turn >= 2 {
            return;
        }
        let index = ((seed + turn) % 2) as usize;
        let Some(victim) = system.engine(index) else { continue };
        kill(victim);
        system.wait_for("another engine", || system.engine(index).is_some_and(|pid| pid != victim));
        system.wait_for("both ranks joined", || system.states() == "0-1 Joined");
    }
}

fn verify(histories: &str, last: &str) {
    let mut finals: HashMap<u32, Vec<u64>> = HashMap::new();
    let mut money = 0;
    for line in last.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[0] {
            "F" => drop(finals.insert(number(words[1]), words[2..].iter().map(|word| number(word)).collect())),
            "A" => money += number::<i64>(words[2]),
            _ => panic!("{line}"),
        }
    }
    assert_eq!(money, MONEY, "money in the end");
    let (mut history, mut transfers, mut audits) = (Vec::new(), 0, 0);
    for line in histories.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[0] {
            "L" => history.push(transaction(&words)),
            "B" => transfers += usize::from(words[2] == "o"),
            "S" => {
                audits += 1;
                assert_eq!(number::<i64>(words[2]), MONEY, "money seen by session {}", words[1]);
            }
            _ => panic!("{line}"),
        }
    }
    let summary = check(&history, &finals).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("{summary:?}, {transfers} transfers, {audits} audits");
    assert!(
        summary.committed > 50 && summary.appended > 20 && transfers > 10 && audits > 5,
        "hardly anything happened"
    );
}

fn transaction(words: &[&str]) -> Transaction {
    let outcome = match words[2] {
        "o" => Outcome::Committed,
        "f" => Outcome::Failed,
        _ => Outcome::Unknown,
    };
    let operations = words[3..].iter().map(|word| {
        let fields: Vec<&str> = word[1..].split(':').collect();
        let (appended, seen) = match word.starts_with('a') {
            true => (Some(number(fields[1])), &fields[2..]),
            false => (None, &fields[1..]),
        };
        Operation { key: number(fields[0]), length: number(seen[0]), hash: number(seen[1]), appended }
    });
    Transaction { session: number(words[1]), outcome, operations: operations.collect() }
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse().unwrap_or_else(|_| panic!("{word:?} is no number"))
}
