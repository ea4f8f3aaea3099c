//! What every gRPC client of the control plane needs (dmg, daos_agent, daos_server as a client of others): finding a
//! host that answers, the metadata of each call, and DER_ codes through gRPC ([`status`]).
//!
//! Every call carries `x-daos-component` (`admin`, `agent` or `server`) and `x-daos-version` ([`DAOS_VERSION`]).
//! Without certificates both are only what the caller says of itself.

mod hosts;
pub mod status;

pub use hosts::{expand_hosts, expand_numbers};

use crate::ctl::ctl_svc_client::CtlSvcClient;
use crate::mgmt::mgmt_svc_client::MgmtSvcClient;
use daos_common::{Der, Error, Result};
use std::future::Future;
use std::time::Duration;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// The version that components tell each other and compare: major, minor, patch.
pub const DAOS_VERSION: (u32, u32, u32) = (2, 9, 100);
/// Port of the control plane when a configuration names none.
pub const DEFAULT_PORT: u16 = 10001;
/// Metadata key: which component calls.
pub const COMPONENT_KEY: &str = "x-daos-component";
/// Metadata key: the version of the caller.
pub const VERSION_KEY: &str = "x-daos-version";
/// How long a host has to accept a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Largest message taken from a server, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 256 << 20;

/// [`DAOS_VERSION`] as text.
pub fn daos_version() -> String {
    let (major, minor, patch) = DAOS_VERSION;
    format!("{major}.{minor}.{patch}")
}

/// Which component a caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// dmg.
    Admin,
    /// daos_agent.
    Agent,
    /// daos_server.
    Server,
}

impl Component {
    /// The name in the metadata and in certificates.
    pub fn name(self) -> &'static str {
        match self {
            Component::Admin => "admin",
            Component::Agent => "agent",
            Component::Server => "server",
        }
    }
}

/// Puts the caller's component and version on every call.
#[derive(Clone, Debug)]
pub struct Identity {
    component: Component,
    version: MetadataValue<tonic::metadata::Ascii>,
}

impl Identity {
    /// The identity of this build as `component`.
    pub fn new(component: Component) -> Identity {
        let version = daos_version().parse().unwrap_or_else(|_| MetadataValue::from_static(""));
        Identity { component, version }
    }
}

impl Interceptor for Identity {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let component = MetadataValue::from_static(self.component.name());
        request.metadata_mut().insert(COMPONENT_KEY, component);
        request.metadata_mut().insert(VERSION_KEY, self.version.clone());
        Ok(request)
    }
}

/// Client of the system management service.
pub type Mgmt = MgmtSvcClient<InterceptedService<Channel, Identity>>;
/// Client of one host's control service.
pub type Ctl = CtlSvcClient<InterceptedService<Channel, Identity>>;

/// Client of the management service behind `channel`.
pub fn mgmt_client(channel: Channel, component: Component) -> Mgmt {
    MgmtSvcClient::with_interceptor(channel, Identity::new(component)).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// Client of the control service behind `channel`.
pub fn ctl_client(channel: Channel, component: Component) -> Ctl {
    CtlSvcClient::with_interceptor(channel, Identity::new(component)).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// Connects to `host` (`host:port`) without encryption.
///
/// # Errors
/// - INVAL: `host` isn't a host and a port
/// - UNREACH: nothing accepts a connection there within [`CONNECT_TIMEOUT`]
pub async fn connect(host: &str) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{host}"))
        .map_err(|error| Der::INVAL.err(format!("{host:?} is not an address (host:port): {error}")))?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true);
    match tokio::time::timeout(CONNECT_TIMEOUT, endpoint.connect()).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(error)) => Err(Der::UNREACH.err(format!("cannot connect to {host}: {}", root_cause(&error)))),
        Err(_) => Err(Der::UNREACH.err(format!("{host} did not accept a connection in {CONNECT_TIMEOUT:?}"))),
    }
}

/// The innermost error: tonic's own text is only "transport error".
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Asks the management service on the first of `hosts` that answers, within `timeout` for each.
///
/// A host that can't be reached, or that says it isn't the leader (UNAVAILABLE, FAILED_PRECONDITION without a DER_
/// code), sends the question on to the next.
///
/// # Errors
/// - UNREACH: no host answered; the message names each
/// - TIMEDOUT: a host took the question and didn't answer in time
/// - else the DER_ code that the service answered with
pub async fn ask_mgmt<T, F, Fut>(hosts: &[String], component: Component, timeout: Duration, ask: F) -> Result<T>
where
    F: Fn(Mgmt) -> Fut,
    Fut: Future<Output = Result<tonic::Response<T>, Status>>,
{
    let mut reasons = Vec::new();
    for host in hosts {
        let channel = match connect(host).await {
            Ok(channel) => channel,
            Err(error) => {
                reasons.push(error.message().to_string());
                continue;
            }
        };
        let answer = tokio::time::timeout(timeout, ask(mgmt_client(channel, component))).await;
        match answer {
            Ok(Ok(response)) => return Ok(response.into_inner()),
            Ok(Err(refusal)) if goes_on(&refusal) => reasons.push(format!("{host}: {}", refusal.message())),
            Ok(Err(refusal)) => return Err(status::error_of(&refusal).at(host)),
            Err(_) => return Err(Der::TIMEDOUT.err(format!("{host} gave no answer within {timeout:?}"))),
        }
    }
    Err(unreachable(&reasons))
}

fn goes_on(refusal: &Status) -> bool {
    let elsewhere = matches!(refusal.code(), Code::Unavailable | Code::FailedPrecondition);
    elsewhere && !status::carries_der(refusal)
}

fn unreachable(reasons: &[String]) -> Error {
    match reasons {
        [] => Der::INVAL.err("the list of management hosts is empty: name at least one host:port"),
        reasons => Der::UNREACH.err(format!(
            "no management service answered ({}): is daos_server running, and is the host list right?",
            reasons.join("; ")
        )),
    }
}
