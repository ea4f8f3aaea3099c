//! Aim: random graphs of tasks, with failures, tasks put back, delays, tasks that wait for tasks of their own, early
//! completions: what is called, in which order and with which results is what a naive model says.
//!
//! The model is lists that are searched from the front: one of scheduled tasks, one of sleeping ones, one of complete ones.

use super::world::{Body, CLOCK, Called, Comp, Engine, Prep, Real, Script, World, world};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Where {
    New,
    Init,
    Asleep,
    Picked,
    Running,
    Complete,
    Done,
}

struct Task {
    at: Where,
    body: bool,
    result: i32,
    waits_for: usize,
    waited_for_by: VecDeque<usize>,
    preps: VecDeque<usize>,
    comps: VecDeque<usize>,
    changes: usize,
    returns: usize,
    no_propagate: bool,
    users: usize,
    freed: bool,
}

#[derive(Default)]
struct Lists {
    tasks: Vec<Task>,
    init: Vec<usize>,
    asleep: Vec<(u64, usize)>,
    complete: Vec<usize>,
    inflight: usize,
}

struct Model(RefCell<Lists>);

impl Model {
    fn with<R>(&self, work: impl FnOnce(&mut Lists) -> R) -> R {
        work(&mut self.0.borrow_mut())
    }

    fn task<R>(&self, task: usize, work: impl FnOnce(&mut Task) -> R) -> R {
        work(&mut self.0.borrow_mut().tasks[task])
    }

    fn drop_user(&self, task: usize) {
        let last = self.task(task, |task| {
            task.users -= 1;
            task.freed = task.users == 0;
            task.freed
        });
        if last {
            world().trace.borrow_mut().push(Called::Freed(task));
        }
    }

    fn put_back(&self, task: usize, delay: u64) {
        self.with(|lists| {
            if delay == 0 {
                lists.tasks[task].at = Where::Init;
                return lists.init.push(task);
            }
            lists.tasks[task].at = Where::Asleep;
            let at = CLOCK.get() + delay;
            let place = lists.asleep.iter().position(|(other, _)| *other > at).unwrap_or(lists.asleep.len());
            lists.asleep.insert(place, (at, task));
        });
    }

    fn keep_first(&self, task: usize, result: i32) {
        self.task(task, |task| task.result = if task.result == 0 { result } else { task.result });
    }

    fn comps(&self, task: usize) -> bool {
        self.task(task, |task| task.users += 1);
        let mut through = true;
        while let Some((number, changes)) = self.task(task, |task| Some((task.comps.pop_front()?, task.changes))) {
            let answer = world().comp(task, number);
            self.keep_first(task, answer);
            if self.task(task, |task| task.changes) != changes {
                through = false;
                break;
            }
        }
        self.drop_user(task);
        through
    }

    fn close(&self, task: usize) {
        self.with(|lists| {
            match lists.tasks[task].at {
                Where::Complete | Where::Done => return,
                Where::Picked | Where::Running => {}
                _ => {
                    lists.init.retain(|other| *other != task);
                    lists.asleep.retain(|(_, other)| *other != task);
                    lists.inflight += 1;
                }
            }
            lists.tasks[task].at = Where::Complete;
            lists.complete.push(task);
        });
    }

    fn process(&self) -> usize {
        let batch = self.with(|lists| std::mem::take(&mut lists.complete));
        for task in &batch {
            self.task(*task, |task| task.at = Where::Done);
            while let Some(waiter) = self.task(*task, |task| task.waited_for_by.pop_front()) {
                let result = self.result(*task);
                if !self.task(waiter, |waiter| waiter.no_propagate) {
                    self.keep_first(waiter, result);
                }
                self.task(waiter, |waiter| waiter.waits_for -= 1);
                if self.task(waiter, |waiter| waiter.waits_for == 0 && waiter.at == Where::Running)
                    && self.comps(waiter)
                {
                    self.close(waiter);
                }
                self.drop_user(waiter);
            }
            self.with(|lists| lists.inflight -= 1);
            self.drop_user(*task);
        }
        batch.len()
    }

    fn run(&self) -> usize {
        let picked = self.with(|lists| {
            while let Some((at, task)) = lists.asleep.first().copied()
                && at <= CLOCK.get()
            {
                lists.asleep.remove(0);
                lists.tasks[task].at = Where::Init;
                lists.init.push(task);
            }
            let (now, later) = lists.init.iter().partition(|task| lists.tasks[**task].waits_for == 0);
            lists.init = later;
            let now: Vec<usize> = now;
            for task in &now {
                lists.tasks[*task].at = Where::Picked;
                lists.inflight += 1;
            }
            now
        });
        let mut moved = 0;
        for task in picked {
            if self.task(task, |task| task.freed || task.at != Where::Picked) {
                continue;
            }
            self.task(task, |task| {
                task.at = Where::Running;
                task.users += 1;
            });
            if self.prepare(task) {
                moved += 1;
                if self.task(task, |task| task.body && task.at == Where::Running) {
                    world().body(task);
                }
            }
            self.drop_user(task);
        }
        moved
    }

    fn prepare(&self, task: usize) -> bool {
        let returns = self.task(task, |task| task.returns);
        while let Some(number) = self.task(task, |task| task.preps.pop_front()) {
            let last = self.task(task, |task| task.preps.is_empty());
            if !self.task(task, |task| matches!(task.at, Where::Complete | Where::Done)) {
                let answer = world().prep(task, number);
                self.keep_first(task, answer);
            }
            if last {
                break;
            }
        }
        self.task(task, |task| task.returns) == returns
    }
}

impl Engine for Model {
    fn create(&self, body: bool) -> usize {
        self.with(|lists| {
            lists.tasks.push(Task {
                at: Where::New,
                body,
                result: 0,
                waits_for: 0,
                waited_for_by: VecDeque::new(),
                preps: VecDeque::new(),
                comps: VecDeque::new(),
                changes: 0,
                returns: 0,
                no_propagate: false,
                users: 1,
                freed: false,
            });
            lists.tasks.len() - 1
        })
    }

    fn add_prep(&self, task: usize, number: usize) {
        self.task(task, |task| {
            if !matches!(task.at, Where::Complete | Where::Done) {
                task.preps.push_back(number);
            }
        });
    }

    fn add_comp(&self, task: usize, number: usize) {
        self.task(task, |task| task.comps.push_front(number));
    }

    fn no_propagate(&self, task: usize) {
        self.task(task, |task| task.no_propagate = true);
    }

    fn depend(&self, task: usize, on: usize) -> bool {
        let over = |model: &Model, task| model.task(task, |task| matches!(task.at, Where::Complete | Where::Done));
        if over(self, task) {
            return false;
        }
        if self.task(on, |on| on.freed) {
            return false;
        }
        if !over(self, on) {
            self.task(task, |task| {
                task.waits_for += 1;
                task.changes += 1;
                task.users += 1;
            });
            self.task(on, |on| on.waited_for_by.push_back(task));
        }
        true
    }

    fn schedule(&self, task: usize, instant: bool, delay: u64) -> bool {
        let (at, body, free) =
            self.task(task, |task| (task.at, task.body, task.waits_for == 0 && task.preps.is_empty()));
        if at != Where::New || (instant && (!body || delay > 0)) {
            return false;
        }
        if !free || (body && !instant) {
            self.put_back(task, delay);
            return true;
        }
        self.task(task, |task| task.at = Where::Running);
        self.with(|lists| lists.inflight += 1);
        if instant {
            self.task(task, |task| task.users += 1);
            world().body(task);
            self.drop_user(task);
        }
        true
    }

    fn reinit(&self, task: usize, delay: u64) -> bool {
        let (at, body) = self.task(task, |task| (task.at, task.body));
        if !body {
            return false;
        }
        match at {
            Where::Running => self.with(|lists| lists.inflight -= 1),
            Where::Done => self.task(task, |task| task.users += 1),
            _ => return false,
        }
        self.task(task, |task| {
            task.result = 0;
            task.changes += 1;
            task.returns += 1;
        });
        self.put_back(task, delay);
        true
    }

    fn complete(&self, task: usize, result: i32) {
        if self.task(task, |task| task.freed || matches!(task.at, Where::Complete | Where::Done)) {
            return;
        }
        self.keep_first(task, result);
        if self.comps(task) {
            self.close(task);
            self.process();
        }
    }

    fn progress(&self) {
        while self.run() + self.process() > 0 && !self.is_idle() {}
    }

    fn is_idle(&self) -> bool {
        self.with(|lists| lists.init.is_empty() && lists.asleep.is_empty() && lists.inflight == 0)
    }

    fn result(&self, task: usize) -> i32 {
        self.task(task, |task| task.result)
    }
}

fn failure(rng: &mut StdRng) -> i32 {
    if rng.random_bool(0.7) { 0 } else { -rng.random_range(1..50) }
}

fn random_script(rng: &mut StdRng, tasks: usize) -> Script {
    let delay = |rng: &mut StdRng| if rng.random_bool(0.5) { 0 } else { rng.random_range(1..40) };
    let body = match rng.random_range(0..10) {
        0 => None,
        1..=2 => Some(Body::Sub(failure(rng))),
        3..=5 => Some(Body::Later),
        _ => Some(Body::Complete(failure(rng))),
    };
    let preps = (0..rng.random_range(0..3))
        .map(|_| match rng.random_range(0..8) {
            0 => Prep::Complete(failure(rng)),
            1 => Prep::Reinit,
            2 => Prep::Register(failure(rng)),
            _ => Prep::Answer(failure(rng)),
        })
        .collect();
    let comps = (0..rng.random_range(0..4))
        .map(|_| match rng.random_range(0..8) {
            0 => Comp::Reinit(delay(rng)),
            1 => Comp::Depend(failure(rng)),
            2 => Comp::CompleteOther(rng.random_range(0..tasks), failure(rng)),
            _ => Comp::Answer(failure(rng)),
        })
        .collect();
    Script { body, preps, comps, no_propagate: rng.random_bool(0.1) }
}

/// Runs one random script; the trace and the last results.
fn play(seed: u64, engine: Rc<dyn Engine>) -> (Vec<Called>, Vec<i32>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let world = World::start(engine.clone());
    let count = rng.random_range(2..14);
    for _ in 0..count {
        world.create(random_script(&mut rng, count));
    }
    for task in 1..count {
        for _ in 0..rng.random_range(0..3) {
            engine.depend(task, rng.random_range(0..task));
        }
    }
    let mut unscheduled: Vec<usize> = (0..count).collect();
    let mut steps = 0;
    while (!engine.is_idle() || !unscheduled.is_empty()) && steps < 400 {
        steps += 1;
        match rng.random_range(0..10) {
            0..=3 if !unscheduled.is_empty() => {
                let task = unscheduled.swap_remove(rng.random_range(0..unscheduled.len()));
                let instant = rng.random_bool(0.2);
                let delay = if rng.random_bool(0.3) { rng.random_range(1..50) } else { 0 };
                engine.schedule(task, instant, delay);
            }
            4..=5 => {
                let later = std::mem::take(&mut *world.later.borrow_mut());
                if let Some(task) = later.choose(&mut rng).copied() {
                    let mut left = later;
                    let place = left.iter().position(|other| *other == task).expect("it was chosen from it");
                    left.remove(place);
                    *world.later.borrow_mut() = left;
                    engine.complete(task, failure(&mut rng));
                }
            }
            6 if rng.random_bool(0.2) => engine.complete(rng.random_range(0..count), failure(&mut rng)),
            6..=7 => CLOCK.set(CLOCK.get() + rng.random_range(0..30)),
            _ => engine.progress(),
        }
    }
    let results = (0..count).map(|task| engine.result(task)).collect();
    (world.trace.take(), results)
}

#[test]
fn random_graphs_are_as_the_model_says() {
    let rounds = std::env::var("TSE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000);
    let first = std::env::var("TSE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random::<u32>);
    println!("seeds from {first} (TSE_SEED), {rounds} of them (TSE_ROUNDS)");
    let mut calls = 0;
    for seed in (u64::from(first)..).take(rounds) {
        let expected = play(seed, Rc::new(Model(RefCell::default())));
        let found = play(seed, Real::start());
        calls += found.0.len();
        assert_eq!(expected.0, found.0, "seed {seed}: the order of calls");
        assert_eq!(expected.1, found.1, "seed {seed}: results");
    }
    assert!(calls > rounds * 10, "the scripts do too little: {calls} calls");
}
