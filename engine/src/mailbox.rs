//! How the engine's threads talk: jobs posted to the thread that owns the state, answers back by one-shot channel.
//!
//! A thread's state `S` is an `Rc` that never leaves it. A [`Remote<S>`] is the door: it takes a closure, the owner
//! runs it on its own executor with the state in hand, and the asker awaits the answer on its own executor. Used for
//! control (pool creation, handle checks, revocation, space), never per byte of data.

use daos_common::{Der, Error, Result};
use daos_fabric::{RemoteWaker, Runtime};
use futures_channel::{mpsc, oneshot};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use std::future::Future;
use std::rc::Rc;

type Job<S> = Box<dyn FnOnce(Rc<S>) -> LocalBoxFuture<'static, ()> + Send>;

/// The door to the thread that owns an `S`. Cheap to clone, usable from any thread.
pub struct Remote<S: 'static> {
    jobs: mpsc::UnboundedSender<Job<S>>,
    owner: RemoteWaker,
}

impl<S> Clone for Remote<S> {
    fn clone(&self) -> Self {
        Remote { jobs: self.jobs.clone(), owner: self.owner.clone() }
    }
}

/// The owner's end.
pub struct Inbox<S: 'static> {
    jobs: mpsc::UnboundedReceiver<Job<S>>,
}

/// A door to this runtime's thread and the end to serve it with.
pub fn mailbox<S: 'static>(runtime: &Runtime) -> (Remote<S>, Inbox<S>) {
    let (sender, receiver) = mpsc::unbounded();
    (Remote { jobs: sender, owner: runtime.remote_waker() }, Inbox { jobs: receiver })
}

impl<S: 'static> Remote<S> {
    /// Runs `job` there; no answer.
    ///
    /// # Errors
    /// `SHUTDOWN`: the thread has ended.
    pub fn post<F, Fut>(&self, job: F) -> Result<()>
    where
        F: FnOnce(Rc<S>) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let sent = self.jobs.unbounded_send(Box::new(move |state| Box::pin(job(state))));
        sent.map_err(|_| ended())?;
        self.owner.wake();
        Ok(())
    }

    /// Runs `job` there and gives its answer to the task that awaits it on the runtime that `home` wakes.
    ///
    /// # Errors
    /// What `job` answers; `SHUTDOWN`: the thread has ended.
    pub async fn ask<R, F, Fut>(&self, home: &RemoteWaker, job: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(Rc<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<R>> + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let home = home.clone();
        self.post(move |state| async move {
            let answer = job(state).await;
            // An asker that is gone needs no answer.
            let _ = sender.send(answer);
            home.wake();
        })?;
        receiver.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Runs `job` there and blocks this thread, which has no runtime, until it answers.
    ///
    /// # Errors
    /// As [`Remote::ask`].
    pub fn ask_blocking<R, F, Fut>(&self, job: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(Rc<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<R>> + 'static,
    {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.post(move |state| async move {
            let answer = job(state).await;
            let _ = sender.send(answer);
        })?;
        receiver.recv().unwrap_or_else(|_| Err(ended()))
    }
}

impl<S: 'static> Inbox<S> {
    /// Serves the door until every [`Remote`] is dropped; each job is a task of its own.
    pub async fn serve(mut self, state: Rc<S>, runtime: Runtime) {
        while let Some(job) = self.jobs.next().await {
            runtime.spawn(job(state.clone())).detach();
        }
    }
}

fn ended() -> Error {
    Der::SHUTDOWN.err("a thread of the engine has ended")
}
