//! Calls to daos_agent over its dRPC socket.
//!
//! Each call opens a connection of its own, as the agent takes the caller's identity from it. Calls block, which is
//! short (one local round trip) and only happens when attaching, connecting, disconnecting and leaving.

use daos_common::{Der, Error, Rank, Result};
use daos_proto::drpc::{Client, Method};
use daos_proto::{Message, auth, mgmt};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

const SOCKET_DIRECTORY: &str = "/var/run/daos_agent";
const SOCKET_NAME: &str = "daos_agent.sock";
/// The agent may have to ask the management service, which has its own, shorter limits.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the agent listens.
#[derive(Clone, Debug)]
pub struct Agent {
    socket: PathBuf,
}

/// What the agent says about its system.
#[derive(Clone, Debug, Default)]
pub struct AttachInfo {
    /// Name of the system.
    pub system: String,
    /// Service context of every rank.
    pub uris: HashMap<Rank, String>,
    /// Ranks that answer management requests.
    pub management_ranks: Vec<Rank>,
    /// Fabric provider.
    pub provider: String,
    /// Network interface for this process.
    pub interface: Option<String>,
    /// Fabric domain for this process.
    pub domain: Option<String>,
    /// Time limit of operations in seconds, when the servers set one.
    pub timeout_seconds: Option<u32>,
    /// Version of the servers, when the agent knows it.
    pub server_version: Option<ServerVersion>,
}

/// A version of the servers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerVersion {
    /// Major, minor and patch number.
    pub numbers: [u32; 3],
    /// Tag; may be empty.
    pub tag: String,
}

impl Agent {
    /// The agent that `DAOS_AGENT_DRPC_DIR` names, or the machine's.
    pub fn from_environment() -> Agent {
        let directory = std::env::var_os("DAOS_AGENT_DRPC_DIR").filter(|directory| !directory.is_empty());
        Agent { socket: directory.map_or_else(|| SOCKET_DIRECTORY.into(), PathBuf::from).join(SOCKET_NAME) }
    }

    /// Its socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Asks for a system by name (empty: the one it serves).
    ///
    /// # Errors
    /// `AGENT_COMM`: nobody listens; `NO_PERM`: the socket's permissions; what the agent answers: `INVAL` or
    /// `CONTROL_INCOMPAT` for a system it does not serve, `UNREACH` when it finds no management service, `BAD_CERT`.
    pub fn attach(&self, system: &str) -> Result<AttachInfo> {
        let environment = |name| std::env::var(name).unwrap_or_default();
        let request = mgmt::GetAttachInfoReq {
            sys: system.to_owned(),
            all_ranks: true,
            interface: environment("D_INTERFACE"),
            domain: environment("D_DOMAIN"),
        };
        let reply: mgmt::GetAttachInfoResp = self.call(Method::GetAttachInfo, &request)?;
        Error::from_status(reply.status, format_args!("attaching to system {system:?} through {}", self.place()))?;
        let hint = reply.client_net_hint.unwrap_or_default();
        if hint.provider.is_empty() || reply.rank_uris.is_empty() {
            return Err(Der::INVAL.err(format!("{}: the system has no ranks to talk to yet", self.place())));
        }
        let given = |text: String| (!text.is_empty()).then_some(text);
        Ok(AttachInfo {
            system: if reply.sys.is_empty() { system.to_owned() } else { reply.sys },
            uris: reply.rank_uris.into_iter().map(|entry| (Rank(entry.rank), entry.uri)).collect(),
            management_ranks: reply.ms_ranks.into_iter().map(Rank).collect(),
            provider: hint.provider,
            interface: given(hint.interface),
            domain: given(hint.domain),
            server_version: (reply.build_info)
                .map(|build| ServerVersion { numbers: [build.major, build.minor, build.patch], tag: build.tag }),
            timeout_seconds: (hint.crt_timeout > 0).then_some(hint.crt_timeout),
        })
    }

    /// Asks for a credential of this process's user, encoded.
    ///
    /// # Errors
    /// `AGENT_COMM`; what the agent answers; `NO_PERM`: it gave none.
    pub fn credential(&self) -> Result<Vec<u8>> {
        let body = self.exchange(Method::RequestCreds, Vec::new())?;
        let reply = auth::GetCredResp::decode(body.as_slice())
            .map_err(|error| Der::PROTO.err(format!("{}: malformed credential: {error}", self.place())))?;
        Error::from_status(reply.status, format_args!("asking {} for a credential", self.place()))?;
        let credential = reply.cred.ok_or_else(|| Der::NO_PERM.err(format!("{} gave no credential", self.place())))?;
        Ok(credential.encode_to_vec())
    }

    /// Tells it of a new pool handle, which it will close if this process dies.
    ///
    /// # Errors
    /// `AGENT_COMM`.
    pub fn notify_connect(&self, system: &str, pool: Uuid, handle: Uuid) -> Result<()> {
        self.notify(Method::NotifyPoolConnect, system, pool, handle)
    }

    /// Tells it that a pool handle is closed.
    ///
    /// # Errors
    /// `AGENT_COMM`.
    pub fn notify_disconnect(&self, system: &str, pool: Uuid, handle: Uuid) -> Result<()> {
        self.notify(Method::NotifyPoolDisconnect, system, pool, handle)
    }

    /// Tells it that this process leaves the library; it closes what is still open.
    ///
    /// # Errors
    /// `AGENT_COMM`.
    pub fn notify_exit(&self) -> Result<()> {
        self.exchange(Method::NotifyExit, Vec::new()).map(drop)
    }

    fn notify(&self, method: Method, system: &str, pool: Uuid, handle: Uuid) -> Result<()> {
        let request = mgmt::PoolMonitorReq {
            sys: system.to_owned(),
            pool_uuid: pool.to_string(),
            pool_handle_uuid: handle.to_string(),
            jobid: job(),
        };
        self.exchange(method, request.encode_to_vec()).map(drop)
    }

    fn call<R: Message + Default>(&self, method: Method, request: &impl Message) -> Result<R> {
        let body = self.exchange(method, request.encode_to_vec())?;
        R::decode(body.as_slice())
            .map_err(|error| Der::PROTO.err(format!("{}: malformed answer: {error}", self.place())))
    }

    fn exchange(&self, method: Method, body: Vec<u8>) -> Result<Vec<u8>> {
        let mut client = Client::connect(&self.socket).map_err(|error| match error.code() {
            Der::NO_PERM | Der::EXCEEDS_PATH_LEN => error,
            _ => Der::AGENT_COMM.err(format!(
                "no daos_agent listens on {} (is it running? DAOS_AGENT_DRPC_DIR names its directory): {}",
                self.socket.display(),
                error.message()
            )),
        })?;
        client.set_timeout(Some(CALL_TIMEOUT))?;
        client.call(method, body).map_err(|error| match error.code() {
            Der::UNREACH | Der::TIMEDOUT => Der::AGENT_COMM.err(error.message()),
            _ => error,
        })
    }

    fn place(&self) -> String {
        format!("daos_agent at {}", self.socket.display())
    }
}

/// What names this process's job: the variable that `DAOS_JOBID_ENV` names or `DAOS_JOBID`, else host and process.
fn job() -> String {
    let variable = std::env::var("DAOS_JOBID_ENV").unwrap_or_else(|_| "DAOS_JOBID".to_owned());
    std::env::var(variable).unwrap_or_else(|_| {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        format!("{}-{}", host.trim(), std::process::id())
    })
}
