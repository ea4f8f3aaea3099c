//! Scripts: what tasks do when their bodies and callbacks are called, on any engine, and the trace of what was called.
//!
//! Two engines run the same scripts: the scheduler ([`Real`]) and the model. What happens depends on nothing but the script
//! and on what was called before, so equal traces mean equal order and equal results.

use crate::{Host, Scheduler, TaskId};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What a preparation callback does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Prep {
    Answer(i32),
    Complete(i32),
    /// The first time.
    Reinit,
    /// Registers another, which answers.
    Register(i32),
}

/// What a body does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    Complete(i32),
    /// Somebody else completes it later.
    Later,
    /// Makes a task that completes with this, and waits for it.
    Sub(i32),
}

/// What a completion callback does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Comp {
    Answer(i32),
    /// The first time: runs again, that much later.
    Reinit(u64),
    /// The first time: makes a task that completes with this, and waits for it.
    Depend(i32),
    /// Completes another task.
    CompleteOther(usize, i32),
}

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) body: Option<Body>,
    pub(crate) preps: Vec<Prep>,
    pub(crate) comps: Vec<Comp>,
    pub(crate) no_propagate: bool,
}

/// What was called, with the task's result at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    Prep(usize, usize, i32),
    Body(usize, i32),
    Comp(usize, usize, i32),
    Freed(usize),
}

/// What runs scripts. Tasks are numbers, given in order of creation.
pub(crate) trait Engine {
    fn create(&self, body: bool) -> usize;
    fn add_prep(&self, task: usize, number: usize);
    fn add_comp(&self, task: usize, number: usize);
    fn no_propagate(&self, task: usize);
    fn depend(&self, task: usize, on: usize) -> bool;
    fn schedule(&self, task: usize, instant: bool, delay: u64) -> bool;
    fn reinit(&self, task: usize, delay: u64) -> bool;
    fn complete(&self, task: usize, result: i32);
    fn progress(&self);
    fn is_idle(&self) -> bool;
    fn result(&self, task: usize) -> i32;
}

/// Scripts of tasks, and what was called so far.
pub(crate) struct World {
    pub(crate) engine: RefCell<Option<Rc<dyn Engine>>>,
    scripts: RefCell<Vec<Script>>,
    /// Callbacks that did what they do once.
    spent: RefCell<Vec<(usize, usize)>>,
    /// Tasks whose bodies left them to somebody else.
    pub(crate) later: RefCell<Vec<usize>>,
    pub(crate) trace: RefCell<Vec<Called>>,
}

thread_local! {
    pub(crate) static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
    pub(crate) static CLOCK: Cell<u64> = const { Cell::new(0) };
    static RESULTS: RefCell<Vec<i32>> = const { RefCell::new(Vec::new()) };
    static SCHED_RESULT: Cell<i32> = const { Cell::new(0) };
    static LISTED: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn world() -> Rc<World> {
    WORLD.with_borrow(|world| world.clone()).expect("a world")
}

impl World {
    /// An empty world, current on this thread.
    pub(crate) fn start(engine: Rc<dyn Engine>) -> Rc<World> {
        let world = Rc::new(World {
            engine: RefCell::new(Some(engine)),
            scripts: RefCell::default(),
            spent: RefCell::default(),
            later: RefCell::default(),
            trace: RefCell::default(),
        });
        CLOCK.set(1_000);
        SCHED_RESULT.set(0);
        RESULTS.take();
        WORLD.replace(Some(world.clone()));
        world
    }

    pub(crate) fn engine(&self) -> Rc<dyn Engine> {
        self.engine.borrow().clone().expect("an engine")
    }

    pub(crate) fn create(&self, script: Script) -> usize {
        let engine = self.engine();
        let task = engine.create(script.body.is_some());
        (0..script.preps.len()).for_each(|number| engine.add_prep(task, number));
        (0..script.comps.len()).for_each(|number| engine.add_comp(task, number));
        if script.no_propagate {
            engine.no_propagate(task);
        }
        self.scripts.borrow_mut().push(script);
        assert_eq!(self.scripts.borrow().len(), task + 1);
        task
    }

    fn sub(&self, parent: usize, result: i32) {
        let body = Some(Body::Complete(result));
        let sub = self.create(Script { body, preps: vec![], comps: vec![Comp::Answer(0)], no_propagate: false });
        self.engine().depend(parent, sub);
        self.engine().schedule(sub, false, 0);
    }

    fn first_time(&self, task: usize, number: usize) -> bool {
        let mut spent = self.spent.borrow_mut();
        let first = !spent.contains(&(task, number));
        spent.push((task, number));
        first
    }

    pub(crate) fn prep(&self, task: usize, number: usize) -> i32 {
        let engine = self.engine();
        self.trace.borrow_mut().push(Called::Prep(task, number, engine.result(task)));
        let what = self.scripts.borrow()[task].preps[number];
        match what {
            Prep::Answer(answer) => return answer,
            Prep::Complete(result) => engine.complete(task, result),
            Prep::Reinit if self.first_time(task, 100 + number) => {
                engine.reinit(task, 0);
            }
            Prep::Reinit => {}
            Prep::Register(answer) => {
                let mut scripts = self.scripts.borrow_mut();
                scripts[task].preps.push(Prep::Answer(answer));
                let added = scripts[task].preps.len() - 1;
                drop(scripts);
                engine.add_prep(task, added);
            }
        }
        0
    }

    pub(crate) fn body(&self, task: usize) {
        self.trace.borrow_mut().push(Called::Body(task, self.engine().result(task)));
        let what = self.scripts.borrow()[task].body.expect("a task with a body");
        match what {
            Body::Complete(result) => self.engine().complete(task, result),
            Body::Later => self.later.borrow_mut().push(task),
            Body::Sub(result) => self.sub(task, result),
        }
    }

    pub(crate) fn comp(&self, task: usize, number: usize) -> i32 {
        let engine = self.engine();
        self.trace.borrow_mut().push(Called::Comp(task, number, engine.result(task)));
        let what = self.scripts.borrow()[task].comps[number];
        match what {
            Comp::Answer(answer) => return answer,
            Comp::Reinit(delay) if self.first_time(task, number) => {
                engine.reinit(task, delay);
            }
            Comp::Depend(result) if self.first_time(task, number) => self.sub(task, result),
            Comp::CompleteOther(other, result) => engine.complete(other, result),
            _ => {}
        }
        0
    }
}

/// The scheduler under test.
pub(crate) struct Real {
    pub(crate) scheduler: Arc<Scheduler<Fake>>,
    pub(crate) ids: RefCell<Vec<TaskId>>,
}

impl Real {
    pub(crate) fn start() -> Rc<Real> {
        Rc::new(Real { scheduler: Scheduler::new(()), ids: RefCell::default() })
    }

    pub(crate) fn id(&self, task: usize) -> TaskId {
        self.ids.borrow()[task]
    }
}

impl Engine for Real {
    fn create(&self, body: bool) -> usize {
        let task = RESULTS.with_borrow_mut(|results| {
            results.push(0);
            results.len() - 1
        });
        self.ids.borrow_mut().push(self.scheduler.create(task, body.then_some(task)).unwrap());
        task
    }

    fn add_prep(&self, task: usize, number: usize) {
        let _ = self.scheduler.on_preparation(self.id(task), Box::new(move |task| world().prep(task, number)));
    }

    fn add_comp(&self, task: usize, number: usize) {
        let _ = self.scheduler.on_completion(self.id(task), Box::new(move |task| world().comp(task, number)));
    }

    fn no_propagate(&self, task: usize) {
        self.scheduler.disable_propagation(self.id(task));
    }

    fn depend(&self, task: usize, on: usize) -> bool {
        self.scheduler.depend(self.id(task), (&self.scheduler, self.id(on))).is_ok()
    }

    fn schedule(&self, task: usize, instant: bool, delay: u64) -> bool {
        self.scheduler.schedule(self.id(task), instant, delay).is_ok()
    }

    fn reinit(&self, task: usize, delay: u64) -> bool {
        self.scheduler.reinit(self.id(task), delay).is_ok()
    }

    fn complete(&self, task: usize, result: i32) {
        self.scheduler.complete(self.id(task), result);
    }

    fn progress(&self) {
        self.scheduler.progress();
    }

    fn is_idle(&self) -> bool {
        self.scheduler.is_idle()
    }

    fn result(&self, task: usize) -> i32 {
        RESULTS.with_borrow(|results| results[task])
    }
}

/// Records are numbers; results and the clock are this thread's.
pub(crate) struct Fake;

impl Host for Fake {
    type Task = usize;
    type Body = usize;
    type Sched = ();

    fn result(task: usize) -> i32 {
        RESULTS.with_borrow(|results| results[task])
    }

    fn set_result(task: usize, result: i32) {
        RESULTS.with_borrow_mut(|results| results[task] = result);
    }

    fn run(body: usize, task: usize) {
        assert_eq!(body, task);
        world().body(task);
    }

    fn is_listed(_: usize) -> bool {
        LISTED.get()
    }

    fn free(task: usize) {
        world().trace.borrow_mut().push(Called::Freed(task));
    }

    fn sched_result((): ()) -> i32 {
        SCHED_RESULT.get()
    }

    fn set_sched_result((): (), result: i32) {
        SCHED_RESULT.set(result);
    }

    fn end((): ()) {
        CLOCK.set(u64::MAX);
    }

    fn poll((): (), limit: Duration) -> usize {
        CLOCK.set(CLOCK.get().saturating_add(limit.as_micros() as u64));
        0
    }

    fn now_us() -> u64 {
        CLOCK.get()
    }
}

/// The scheduler's result.
pub(crate) fn sched_result() -> i32 {
    SCHED_RESULT.get()
}

/// Whether tasks say that they are in a list of the program's.
pub(crate) fn set_listed(listed: bool) {
    LISTED.set(listed);
}
