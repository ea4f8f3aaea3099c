//! The dRPC calls that libdaos makes.

use crate::attach::AttachCache;
use crate::config::AgentConfig;
use crate::credential::Credentials;
use crate::fabric::Fabric;
use crate::monitor::Monitor;
use daos_common::{Der, Error, Result};
use daos_proto::Message;
use daos_proto::auth::GetCredResp;
use daos_proto::drpc::{AsyncHandler, Method, Module, Peer, Reply, Status, decode_body};
use daos_proto::mgmt::{ClientTelemetryResp, GetAttachInfoReq, GetAttachInfoResp, PoolMonitorReq};
use std::sync::Arc;

/// Everything that a call needs.
#[derive(Debug)]
pub struct Service {
    pub config: AgentConfig,
    pub fabric: Fabric,
    pub attach: AttachCache,
    pub credentials: Arc<Credentials>,
    pub monitor: Monitor,
}

impl Service {
    /// For the machine and the configuration; nothing is asked of anyone yet.
    pub fn new(config: AgentConfig) -> Service {
        Service {
            fabric: Fabric::detect(&config),
            config,
            attach: AttachCache::default(),
            credentials: Arc::default(),
            monitor: Monitor::default(),
        }
    }

    async fn attach_info(&self, peer: Peer, body: &[u8]) -> Reply {
        let request: GetAttachInfoReq = decode_body(body)?;
        let answer = self.attach.answer(&request, peer.pid, &self.config, &self.fabric).await;
        let answer = answer.unwrap_or_else(|error| {
            tracing::error!(pid = peer.pid, %error, "attach information refused");
            GetAttachInfoResp { status: error.rc(), ..Default::default() }
        });
        Ok(answer.encode_to_vec())
    }

    async fn credential(&self, peer: Peer) -> Reply {
        let credentials = Arc::clone(&self.credentials);
        let config = self.config.clone();
        let made = tokio::task::spawn_blocking(move || credentials.of(peer, &config)).await;
        let answer = match made.unwrap_or_else(|_| Err(Der::MISC.err("the user lookup was cut off"))) {
            Ok(credential) => GetCredResp { status: 0, cred: Some(credential) },
            Err(error) => {
                tracing::error!(pid = peer.pid, uid = peer.uid, gid = peer.gid, %error, "credential refused");
                GetCredResp { status: Der::MISC.rc(), cred: None }
            }
        };
        Ok(answer.encode_to_vec())
    }

    /// A notification has no answer body; whatever is wrong with it is the agent's to log, not the caller's failure.
    fn noted(&self, peer: Peer, what: &str, outcome: Result<()>) -> Reply {
        if let Err(error) = outcome {
            tracing::warn!(pid = peer.pid, %error, "{what} not noted");
        }
        Ok(Vec::new())
    }

    fn other_system(&self, request: &PoolMonitorReq) -> Option<Error> {
        let other = !request.sys.is_empty() && request.sys != self.config.name;
        other.then(|| Der::INVAL.err(format!("system {:?} isn't served here", request.sys)))
    }
}

impl AsyncHandler for Service {
    fn modules(&self) -> &[Module] {
        &[Module::SecAgent, Module::Mgmt]
    }

    async fn call(&self, peer: Peer, method: Method, body: Vec<u8>) -> Reply {
        tracing::debug!(pid = peer.pid, uid = peer.uid, %method, "call");
        match method {
            Method::RequestCreds => self.credential(peer).await,
            Method::GetAttachInfo => self.attach_info(peer, &body).await,
            Method::NotifyPoolConnect => {
                let request: PoolMonitorReq = decode_body(&body)?;
                let outcome = match self.other_system(&request) {
                    Some(error) => Err(error),
                    None => self.monitor.connected(peer.pid, &request),
                };
                self.noted(peer, "pool connection", outcome)
            }
            Method::NotifyPoolDisconnect => {
                let request: PoolMonitorReq = decode_body(&body)?;
                self.noted(peer, "pool disconnection", self.monitor.disconnected(peer.pid, &request))
            }
            Method::NotifyExit => {
                self.monitor.exited(peer.pid);
                Ok(Vec::new())
            }
            Method::SetupClientTelem => {
                Ok(ClientTelemetryResp { status: Der::UNINIT.rc(), ..Default::default() }.encode_to_vec())
            }
            _ => Err(Status::UnknownMethod),
        }
    }
}
