//! Aim: several threads create, link, schedule, progress and complete tasks of two schedulers at once: every task runs once
//! per scheduling, after everything it waits for, completes once, and is freed once; nothing stays behind.

use crate::{Host, Scheduler, TaskId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const THREADS: usize = 4;
const TASKS: usize = 2_000;

/// A record; it stays until the test ends.
struct Record {
    scheduler: usize,
    id: Mutex<Option<TaskId>>,
    result: AtomicI32,
    /// Runs wanted and runs done.
    wanted: AtomicUsize,
    bodies: AtomicUsize,
    completions: AtomicUsize,
    waits_for: Mutex<Vec<&'static Record>>,
    over: AtomicBool,
    freed: AtomicUsize,
    later: bool,
}

struct Threaded;

/// Tasks whose bodies left them to whichever thread takes them here.
static LATER: Mutex<VecDeque<&'static Record>> = Mutex::new(VecDeque::new());
static SCHEDULERS: Mutex<Vec<Arc<Scheduler<Threaded>>>> = Mutex::new(Vec::new());

fn scheduler(record: &Record) -> Arc<Scheduler<Threaded>> {
    SCHEDULERS.lock().unwrap()[record.scheduler].clone()
}

fn id(record: &Record) -> TaskId {
    record.id.lock().unwrap().expect("it was created")
}

impl Host for Threaded {
    type Task = &'static Record;
    type Body = ();
    type Sched = &'static AtomicI32;

    fn result(task: &'static Record) -> i32 {
        task.result.load(Ordering::Relaxed)
    }

    fn set_result(task: &'static Record, result: i32) {
        task.result.store(result, Ordering::Relaxed);
    }

    fn run((): (), task: &'static Record) {
        for waited in task.waits_for.lock().unwrap().iter() {
            assert!(waited.over.load(Ordering::Acquire), "a task ran before one that it waits for was over");
        }
        task.bodies.fetch_add(1, Ordering::Relaxed);
        match task.later {
            true => LATER.lock().unwrap().push_back(task),
            false => scheduler(task).complete(id(task), 0),
        }
    }

    fn is_listed(_: &'static Record) -> bool {
        false
    }

    fn free(task: &'static Record) {
        task.freed.fetch_add(1, Ordering::Relaxed);
    }

    fn sched_result(sched: &'static AtomicI32) -> i32 {
        sched.load(Ordering::Relaxed)
    }

    fn set_sched_result(sched: &'static AtomicI32, result: i32) {
        sched.store(result, Ordering::Relaxed);
    }

    fn end(_: &'static AtomicI32) {}

    fn poll(_: &'static AtomicI32, _: Duration) -> usize {
        0
    }

    fn now_us() -> u64 {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_micros() as u64
    }
}

fn completed(record: &'static Record) -> i32 {
    record.completions.fetch_add(1, Ordering::Relaxed);
    if record.bodies.load(Ordering::Relaxed) < record.wanted.load(Ordering::Relaxed) {
        let again = move |record| completed(record);
        scheduler(record).on_completion_and_reinit(id(record), Box::new(again), 1).unwrap();
    } else {
        record.over.store(true, Ordering::Release);
    }
    0
}

fn create(rng: &mut StdRng, others: &[&'static Record]) -> &'static Record {
    let record: &'static Record = Box::leak(Box::new(Record {
        scheduler: rng.random_range(0..2),
        id: Mutex::new(None),
        result: AtomicI32::new(0),
        wanted: AtomicUsize::new(if rng.random_bool(0.2) { 2 } else { 1 }),
        bodies: AtomicUsize::new(0),
        completions: AtomicUsize::new(0),
        waits_for: Mutex::new(Vec::new()),
        over: AtomicBool::new(false),
        freed: AtomicUsize::new(0),
        later: rng.random_bool(0.3),
    }));
    let own = scheduler(record);
    let made = own.create(record, Some(())).unwrap();
    *record.id.lock().unwrap() = Some(made);
    own.on_completion(made, Box::new(completed)).unwrap();
    // The test's own user, so that others may still name it when it is over.
    own.add_task_user(made);
    for _ in 0..rng.random_range(0..4) {
        if others.is_empty() {
            break;
        }
        let on = others[rng.random_range(others.len().saturating_sub(50)..others.len())];
        record.waits_for.lock().unwrap().push(on);
        own.depend(made, (&scheduler(on), id(on))).unwrap();
    }
    own.schedule(made, rng.random_bool(0.3), 0).unwrap();
    record
}

fn work(seed: u64, all: &Mutex<Vec<&'static Record>>, left: &AtomicUsize) {
    let mut rng = StdRng::seed_from_u64(seed);
    loop {
        let idle = SCHEDULERS.lock().unwrap().clone().iter().all(|scheduler| scheduler.is_idle());
        match rng.random_range(0..3) {
            0 if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() => {
                let others = all.lock().unwrap().clone();
                let made = create(&mut rng, &others);
                all.lock().unwrap().push(made);
            }
            1 => {
                let later = LATER.lock().unwrap().pop_front();
                later.into_iter().for_each(|record| scheduler(record).complete(id(record), 0));
            }
            _ => {
                let scheduler = SCHEDULERS.lock().unwrap()[rng.random_range(0..2)].clone();
                scheduler.progress();
            }
        }
        if idle && left.load(Ordering::Relaxed) == 0 {
            return;
        }
    }
}

#[test]
fn threads_share_schedulers() {
    let seed = std::env::var("TSE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random::<u32>);
    println!("seed {seed} (TSE_SEED)");
    for _ in 0..2 {
        let result: &'static AtomicI32 = Box::leak(Box::default());
        SCHEDULERS.lock().unwrap().push(Scheduler::new(result));
    }
    let (all, left) = (Mutex::new(Vec::new()), AtomicUsize::new(TASKS));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (all, left) = (&all, &left);
            scope.spawn(move || work(u64::from(seed) << 8 | thread as u64, all, left));
        }
    });
    // A thread may have left while another was between two tasks.
    while !SCHEDULERS.lock().unwrap().clone().iter().all(|scheduler| scheduler.is_idle()) {
        work(u64::from(seed), &all, &left);
    }
    let all = all.into_inner().unwrap();
    assert_eq!(all.len(), TASKS);
    for record in all {
        let wanted = record.wanted.load(Ordering::Relaxed);
        assert_eq!(record.bodies.load(Ordering::Relaxed), wanted);
        assert_eq!(record.completions.load(Ordering::Relaxed), wanted);
        assert_eq!(record.freed.load(Ordering::Relaxed), 0);
        scheduler(record).remove_task_user(id(record));
        assert_eq!(record.freed.load(Ordering::Relaxed), 1, "the completion's user has left");
    }
}
