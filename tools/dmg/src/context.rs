//! Calls to the management service, and to the control service of each host.

use crate::config::ControlConfig;
use daos_cli::Spinner;
use daos_common::{Der, Error, Result};
use daos_proto::control::{self, Component, Ctl, Mgmt};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;
use tonic::{Response, Status};

/// How long a management call may take.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// How long creating a pool or formatting storage may take: files are allocated.
pub const LONG_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// What a command works with.
#[derive(Debug)]
pub struct Context {
    pub config: ControlConfig,
    /// No sign of life on the terminal.
    pub quiet: bool,
}

/// Answers by host; a host is in one of the two.
#[derive(Debug)]
pub struct ByHost<T> {
    pub answers: BTreeMap<String, T>,
    pub errors: BTreeMap<String, Error>,
}

impl<T> ByHost<T> {
    /// The error to fail with when some hosts failed: with the code they share, or MISC.
    pub fn failure(&self) -> Option<Error> {
        let codes: Vec<Der> = self.errors.values().map(Error::code).collect();
        let first = *codes.first()?;
        let code = if codes.iter().all(|code| *code == first) { first } else { Der::MISC };
        let texts: Vec<String> =
            self.errors.iter().map(|(host, error)| format!("{host}: {}", error.message())).collect();
        Some(code.err(texts.join("; ")))
    }
}

impl Context {
    /// The name of the system, which every request carries.
    pub fn sys(&self) -> String {
        self.config.name.clone()
    }

    /// Asks the management service; `what` is shown while it takes long.
    ///
    /// # Errors
    /// Those of [`control::ask_mgmt`].
    pub async fn mgmt<T, F, Fut>(&self, what: &str, timeout: Duration, ask: F) -> Result<T>
    where
        F: Fn(Mgmt) -> Fut,
        Fut: Future<Output = Result<Response<T>, Status>>,
    {
        let _spinner = Spinner::start(what, self.quiet);
        control::ask_mgmt(&self.config.hosts, Component::Admin, timeout, ask).await
    }

    /// Asks the control service of every host at once.
    pub async fn each_host<T, F, Fut>(&self, what: &str, timeout: Duration, ask: F) -> ByHost<T>
    where
        F: Fn(Ctl) -> Fut,
        Fut: Future<Output = Result<Response<T>, Status>> + Send + 'static,
        T: Send + 'static,
        F: Clone + Send + 'static,
    {
        let _spinner = Spinner::start(what, self.quiet);
        let mut asked = tokio::task::JoinSet::new();
        for host in self.config.hosts.clone() {
            let ask = ask.clone();
            asked.spawn(async move {
                let answer = ask_host(&host, timeout, ask).await;
                (host, answer)
            });
        }
        let mut result = ByHost { answers: BTreeMap::new(), errors: BTreeMap::new() };
        while let Some(joined) = asked.join_next().await {
            match joined {
                Ok((host, Ok(answer))) => _ = result.answers.insert(host, answer),
                Ok((host, Err(error))) => _ = result.errors.insert(host, error),
                Err(error) => _ = result.errors.insert("dmg".into(), Der::MISC.err(error.to_string())),
            }
        }
        result
    }
}

async fn ask_host<T, F, Fut>(host: &str, timeout: Duration, ask: F) -> Result<T>
where
    F: Fn(Ctl) -> Fut,
    Fut: Future<Output = Result<Response<T>, Status>>,
{
    let channel = control::connect(host).await?;
    match tokio::time::timeout(timeout, ask(control::ctl_client(channel, Component::Admin))).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(refusal)) => Err(control::status::error_of(&refusal)),
        Err(_) => Err(Der::TIMEDOUT.err(format!("no answer within {timeout:?}"))),
    }
}
