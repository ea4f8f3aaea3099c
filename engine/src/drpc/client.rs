//! The way to daos_server: blocking dRPC calls on threads of their own, so that no executor waits.
//!
//! daos_server may be absent for a while (it restarts, or is still binding its socket): a call waits for it up to
//! [`PATIENCE`]. A call that was sent and not answered is not repeated.

use daos_common::{Der, Error, Result};
use daos_fabric::RemoteWaker;
use daos_proto::Message;
use daos_proto::drpc::{Client, Method, SERVER_SOCKET};
use futures_channel::oneshot;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Calls in progress at once.
const THREADS: usize = 2;
/// How long a call waits for daos_server to be there.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a call waits for its answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// Between attempts to connect.
const PAUSE: Duration = Duration::from_millis(100);

struct Job {
    method: Method,
    body: Vec<u8>,
    answer: Box<dyn FnOnce(Result<Vec<u8>>) + Send>,
}

/// Calls daos_server. Cheap to clone.
#[derive(Clone)]
pub struct ServerClient {
    jobs: Sender<Job>,
}

/// One calling thread's part.
pub struct Caller {
    path: PathBuf,
    jobs: Arc<Mutex<Receiver<Job>>>,
}

impl ServerClient {
    /// A client of the server with this socket directory, and what its threads run.
    pub fn new(socket_dir: &Path) -> (ServerClient, Vec<Caller>) {
        let (jobs, receiver) = channel();
        let jobs_of_callers = Arc::new(Mutex::new(receiver));
        let path = socket_dir.join(SERVER_SOCKET);
        let caller = || Caller { path: path.clone(), jobs: jobs_of_callers.clone() };
        (ServerClient { jobs }, std::iter::repeat_with(caller).take(THREADS).collect())
    }

    /// Calls `method`, for a task of the runtime that `home` wakes. The answer's own `status` is the caller's matter.
    ///
    /// # Errors
    /// `UNREACH`, `NONEXIST`: daos_server isn't there; `TIMEDOUT`; `NOSYS`: it doesn't serve the method; `PROTO`.
    pub async fn call<R: Message + Default>(
        &self,
        home: &RemoteWaker,
        method: Method,
        request: &impl Message,
    ) -> Result<R> {
        let (sender, receiver) = oneshot::channel();
        let home = home.clone();
        let answer = move |answer: Result<Vec<u8>>| {
            // An asker that is gone needs no answer.
            let _ = sender.send(answer);
            home.wake();
        };
        let job = Job { method, body: request.encode_to_vec(), answer: Box::new(answer) };
        self.jobs.send(job).map_err(|_| stopped())?;
        let body = receiver.await.unwrap_or_else(|_| Err(stopped()))?;
        R::decode(body.as_slice()).map_err(|error| Der::PROTO.err(format!("daos_server's answer to {method}: {error}")))
    }
}

impl Caller {
    /// Serves calls until every [`ServerClient`] is gone.
    pub fn run(self) {
        let mut connection = None;
        loop {
            let next = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = next else { return };
            (job.answer)(self.call(&mut connection, job.method, &job.body));
        }
    }

    fn call(&self, connection: &mut Option<Client>, method: Method, body: &[u8]) -> Result<Vec<u8>> {
        // A connection kept from an earlier call may belong to a server that has ended since; then nothing was sent.
        if let Some(mut client) = connection.take() {
            match client.call(method, body.to_vec()) {
                Err(error) if error.code() == Der::UNREACH => {}
                outcome => {
                    *connection = Some(client).filter(|_| !is_broken(&outcome));
                    return outcome;
                }
            }
        }
        let mut client = self.connect()?;
        let outcome = client.call(method, body.to_vec());
        *connection = Some(client).filter(|_| !is_broken(&outcome));
        outcome
    }

    fn connect(&self) -> Result<Client> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Client::connect(&self.path) {
                Ok(mut client) => {
                    client.set_timeout(Some(ANSWER_PATIENCE))?;
                    return Ok(client);
                }
                Err(error) if is_absent(&error) && Instant::now() < deadline => std::thread::sleep(PAUSE),
                Err(error) => return Err(error.at("daos_server")),
            }
        }
    }
}

fn is_broken(outcome: &Result<Vec<u8>>) -> bool {
    outcome.as_ref().is_err_and(|error| error.code() != Der::NOSYS && error.code() != Der::MISC)
}

fn is_absent(error: &Error) -> bool {
    matches!(error.code(), Der::NONEXIST | Der::UNREACH)
}

fn stopped() -> Error {
    Der::SHUTDOWN.err("the engine is stopping")
}
