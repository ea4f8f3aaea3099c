//! The corners of the scheduler, one by one.

use super::world::{Body, CLOCK, Called, Comp, Engine, Prep, Real, Script, World, sched_result, set_listed};
use daos_common::Der;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

fn start() -> (Rc<Real>, Rc<World>) {
    let real = Real::start();
    let world = World::start(real.clone());
    (real, world)
}

fn task(world: &World, body: Body) -> usize {
    world.create(Script { body: Some(body), preps: vec![], comps: vec![], no_propagate: false })
}

/// Aim: completing twice counts once; a freed task is gone and its number finds nothing, also when its slot is used again.
#[test]
fn ends_once() {
    let (real, world) = start();
    let first = task(&world, Body::Complete(-7));
    let id = real.id(first);
    real.schedule(first, true, 0);
    assert_eq!(world.trace.take(), [Called::Body(first, 0), Called::Freed(first)]);
    assert_eq!((real.result(first), sched_result()), (-7, -7));
    let second = task(&world, Body::Later);
    assert_ne!(real.id(second), id);
    assert_eq!(real.scheduler.schedule(id, false, 0).unwrap_err().code(), Der::NONEXIST);
    real.complete(first, -3);
    assert_eq!(real.result(first), -7);
    assert!(real.is_idle());
}

/// Aim: scheduling twice, at once with a delay or without a body, resetting what runs or has dependents or is listed,
/// waiting for itself: refused.
#[test]
fn misuse_is_refused() {
    let (real, world) = start();
    let one = task(&world, Body::Later);
    let bare = world.create(Script { body: None, preps: vec![], comps: vec![], no_propagate: false });
    let code = |result: daos_common::Result<()>| result.unwrap_err().code();
    let s = &real.scheduler;
    assert_eq!(code(s.schedule(real.id(bare), true, 0)), Der::INVAL);
    assert_eq!(code(s.schedule(real.id(one), true, 5)), Der::INVAL);
    assert_eq!(code(s.depend(real.id(one), (s, real.id(one)))), Der::INVAL);
    assert_eq!(code(s.reinit(real.id(one), 0)), Der::NO_PERM);
    assert_eq!(code(s.reset(real.id(one), None, |_| ())), Der::NO_PERM);
    s.schedule(real.id(one), false, 0).unwrap();
    assert_eq!(code(s.schedule(real.id(one), false, 0)), Der::NO_PERM);
    real.progress();
    assert_eq!(code(s.reset(real.id(one), None, |_| ())), Der::NO_PERM);
    s.add_task_user(real.id(one));
    real.complete(one, 0);
    assert_eq!(code(s.schedule(real.id(one), false, 0)), Der::NO_PERM);
    assert_eq!(code(s.on_completion(real.id(one), Box::new(|_| 0))), Der::NO_PERM);
    assert_eq!(code(s.on_completion_and_reinit(real.id(one), Box::new(|_| 0), 0)), Der::NO_PERM);
    set_listed(true);
    assert_eq!(code(s.reset(real.id(one), Some(one), |_| ())), Der::NO_PERM);
    set_listed(false);
    s.reset(real.id(one), Some(one), |_| ()).unwrap();
    assert_eq!(code(s.reset(real.id(one), Some(one), |_| ())), Der::NO_PERM);
    s.schedule(real.id(one), true, 0).unwrap();
    real.complete(one, -1);
    assert_eq!(world.trace.borrow().last(), Some(&Called::Freed(one)));
}

/// Aim: a callback that registers another one and puts the task back leaves it for the next run.
#[test]
fn callback_and_reinit_together() {
    let (real, world) = start();
    let one = task(&world, Body::Complete(0));
    let calls = Arc::new(AtomicUsize::new(0));
    let (scheduler, id, count) = (real.scheduler.clone(), real.id(one), calls.clone());
    let again: crate::Callback<super::world::Fake> = Box::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        let count = count.clone();
        let last = move |_| {
            count.fetch_add(10, Ordering::Relaxed);
            -4
        };
        scheduler.on_completion_and_reinit(id, Box::new(last), 0).unwrap();
        0
    });
    real.scheduler.on_completion(id, again).unwrap();
    real.schedule(one, false, 0);
    real.progress();
    assert_eq!(calls.load(Ordering::Relaxed), 11);
    assert_eq!(real.result(one), -4);
    let bodies = world.trace.borrow().iter().filter(|called| matches!(called, Called::Body(..))).count();
    assert_eq!(bodies, 2);
}

/// Aim: dependencies across schedulers hold, whichever of the two progresses first, and a completed one is none.
#[test]
fn across_schedulers() {
    let (real, world) = start();
    let other: Arc<crate::Scheduler<super::world::Fake>> = crate::Scheduler::new(());
    let here = task(&world, Body::Complete(0));
    let there = task(&world, Body::Later);
    let there_id = other.create(there, Some(there)).unwrap();
    other.depend(there_id, (&real.scheduler, real.id(here))).unwrap();
    other.schedule(there_id, false, 0).unwrap();
    other.progress();
    assert!(world.trace.borrow().is_empty() && !other.is_idle());
    real.scheduler.add_task_user(real.id(here));
    real.schedule(here, false, 0);
    real.progress();
    assert!(real.is_idle());
    other.progress();
    other.complete(there_id, -2);
    assert!(other.is_idle());
    assert_eq!(world.trace.take(), [Called::Body(here, 0), Called::Body(there, 0), Called::Freed(there)]);
    let late = other.create(there, Some(there)).unwrap();
    other.depend(late, (&real.scheduler, real.id(here))).unwrap();
    other.schedule(late, true, 0).unwrap();
    assert_eq!(world.trace.take(), [Called::Body(there, -2)]);
}

/// Aim: the end waits for sleeping tasks and those that others complete; a task that can never run is cancelled, and its
/// callbacks are told; the end's callbacks come newest first and see the first error.
#[test]
fn end_waits() {
    let (real, world) = start();
    let never = task(&world, Body::Complete(0));
    let waits = world.create(Script {
        body: Some(Body::Complete(0)),
        preps: vec![],
        comps: vec![Comp::Answer(0)],
        no_propagate: false,
    });
    real.depend(waits, never);
    let asleep = task(&world, Body::Complete(-5));
    real.schedule(waits, false, 0);
    real.schedule(asleep, false, 2_000_000);
    let seen = Arc::new(AtomicI32::new(0));
    for weight in [1, 100] {
        let seen = seen.clone();
        real.scheduler.on_end(Box::new(move |result| {
            // The newer one comes first: 100 * -5, then -5 more.
            let before = seen.fetch_add(weight * result, Ordering::Relaxed);
            assert_eq!(before == 0, weight == 100);
            0
        }));
    }
    let began = CLOCK.get();
    assert!(real.scheduler.finish(0, false));
    assert_eq!(seen.load(Ordering::Relaxed), -505);
    assert!(CLOCK.get() >= began + 2_000_000);
    assert_eq!(
        world.trace.take(),
        [Called::Body(asleep, 0), Called::Freed(asleep), Called::Comp(waits, 0, Der::CANCELED.rc()),]
    );
    assert_eq!((real.result(waits), sched_result()), (Der::CANCELED.rc(), -5));
    assert!(!real.scheduler.finish(0, true), "it has ended");
    assert_eq!(real.scheduler.schedule(real.id(never), false, 0).unwrap_err().code(), Der::NO_PERM);
    // Only now the last user of the task that waited, the one it waited for, leaves it.
    real.scheduler.remove_task_user(real.id(never));
    assert_eq!(world.trace.take(), [Called::Freed(waits), Called::Freed(never)]);
}

/// Aim: cancelling ends tasks that wait, sleep, are ready or run, in the order in which they were scheduled; callbacks run
/// with CANCELED and may not put tasks back; the result is the caller's.
#[test]
fn end_cancels() {
    let (real, world) = start();
    let script = |comps: Vec<Comp>| Script { body: Some(Body::Later), preps: vec![], comps, no_propagate: false };
    let ready = world.create(script(vec![Comp::Reinit(0)]));
    let waits = world.create(script(vec![Comp::Answer(-9)]));
    let asleep = world.create(script(vec![]));
    let runs = world.create(script(vec![Comp::Answer(0)]));
    real.depend(waits, runs);
    real.schedule(asleep, false, 1_000_000);
    real.schedule(runs, true, 0);
    real.schedule(waits, false, 0);
    real.schedule(ready, false, 0);
    world.trace.take();
    assert!(real.scheduler.finish(-11, true));
    let cancelled = Der::CANCELED.rc();
    assert_eq!(
        world.trace.take(),
        [
            Called::Comp(waits, 0, cancelled),
            Called::Comp(ready, 0, cancelled),
            Called::Freed(asleep),
            Called::Freed(ready),
            Called::Comp(runs, 0, cancelled),
            Called::Freed(waits),
            Called::Freed(runs),
        ]
    );
    assert_eq!(sched_result(), -11);
    assert!(real.is_idle());
}

/// Aim: freeing a task that never completed releases those that wait for it; one decref too many of a scheduled one is
/// harmless.
#[test]
fn users() {
    let (real, world) = start();
    let never = task(&world, Body::Complete(0));
    let waits = task(&world, Body::Complete(0));
    real.depend(waits, never);
    real.schedule(waits, false, 0);
    real.scheduler.remove_task_user(real.id(waits));
    real.scheduler.remove_task_user(real.id(waits));
    real.scheduler.remove_task_user(real.id(waits));
    real.scheduler.remove_task_user(real.id(never));
    real.progress();
    assert_eq!(
        world.trace.take(),
        [Called::Freed(never), Called::Body(waits, Der::CANCELED.rc()), Called::Freed(waits)]
    );
    let scheduler = &real.scheduler;
    scheduler.add_user();
    scheduler.remove_user();
    assert!(scheduler.create(0, None).is_ok());
    scheduler.remove_user();
    assert_eq!(CLOCK.get(), u64::MAX, "the last user ended it");
}

/// Aim: what a preparation callback does to its task: an error stays and the body runs, completing it skips the body,
/// putting it back leaves what it registered for the next time.
#[test]
fn preparations() {
    let (real, world) = start();
    let with = |preps| Script { body: Some(Body::Complete(0)), preps, comps: vec![], no_propagate: false };
    let fails = world.create(with(vec![Prep::Answer(-3), Prep::Answer(-4)]));
    let completes = world.create(with(vec![Prep::Complete(-6), Prep::Answer(-4)]));
    let registers = world.create(with(vec![Prep::Register(-8)]));
    for task in [fails, completes, registers] {
        real.scheduler.add_task_user(real.id(task));
        real.schedule(task, true, 0);
    }
    real.progress();
    assert_eq!(
        world.trace.take(),
        [
            Called::Prep(fails, 0, 0),
            Called::Prep(fails, 1, -3),
            Called::Body(fails, -3),
            Called::Prep(completes, 0, 0),
            Called::Prep(registers, 0, 0),
            Called::Body(registers, 0),
        ]
    );
    assert_eq!([fails, completes, registers].map(|task| real.result(task)), [-3, -6, 0]);
    real.scheduler.reinit(real.id(registers), 0).unwrap();
    real.progress();
    assert_eq!(world.trace.take(), [Called::Prep(registers, 1, 0), Called::Body(registers, -8)]);
}
