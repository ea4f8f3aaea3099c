//! What engines ask of their server: dRPC modules SRV and SEC on `daos_server.sock`.

use crate::mgmt::events;
use crate::server::Server;
use crate::system::PoolState;
use daos_common::{Der, Error, Result};
use daos_proto::Message;
use daos_proto::auth::{Credential, Token, ValidateCredReq, ValidateCredResp};
use daos_proto::drpc::{AsyncHandler, Method, Module, Peer, Reply, Status, decode_body};
use daos_proto::mgmt::{ListPoolsReq as MgmtListPools, SystemGetPropReq, SystemGetPropResp};
use daos_proto::shared::{ClusterEventReq, ClusterEventResp};
use daos_proto::srv::{
    GetPoolSvcReq, GetPoolSvcResp, ListPoolsReq, ListPoolsResp, NotifyReadyReq, PoolFindByLabelReq,
    PoolFindByLabelResp, list_pools_resp,
};
use sha2::{Digest, Sha512};
use std::sync::Arc;

/// Answers the engines.
pub struct EngineCalls {
    server: Arc<Server>,
}

impl EngineCalls {
    /// For the engines of `server`.
    pub fn new(server: Arc<Server>) -> EngineCalls {
        EngineCalls { server }
    }

    /// The pools of the system: from the database here, or from the host that has it.
    async fn pools(&self) -> Result<Vec<Found>> {
        if self.server.is_replica {
            let state = self.server.system()?.state();
            let found = |pool: &crate::system::PoolService| Found {
                uuid: pool.uuid.to_string(),
                label: pool.label.clone(),
                replicas: pool.replicas.clone(),
                ready: pool.state == PoolState::Ready,
            };
            return Ok(state.pools.values().map(found).collect());
        }
        let request = MgmtListPools { sys: self.server.config.name.clone() };
        let response = self
            .server
            .ask_leader(|mut client| {
                let request = request.clone();
                async move { client.list_pools(request).await }
            })
            .await?;
        let found = |pool: daos_proto::mgmt::list_pools_resp::Pool| Found {
            uuid: pool.uuid,
            label: pool.label,
            replicas: pool.svc_reps,
            ready: pool.state == PoolState::Ready.name(),
        };
        Ok(response.pools.into_iter().map(found).collect())
    }

    async fn find(&self, what: &str, matches: impl Fn(&Found) -> bool) -> Result<Found> {
        let found = self.pools().await?.into_iter().find(matches);
        match found {
            Some(pool) if pool.ready => Ok(pool),
            Some(_) => Err(Der::AGAIN.err(format!("pool {what} is being created or destroyed"))),
            None => Err(Der::NONEXIST.err(format!("pool {what} doesn't exist"))),
        }
    }

    async fn list_pools(&self, request: &ListPoolsReq) -> ListPoolsResp {
        let pools = match self.pools().await {
            Ok(pools) => pools,
            Err(error) => {
                tracing::warn!("list of pools for an engine: {error}");
                Vec::new()
            }
        };
        let pools = pools
            .into_iter()
            .filter(|pool| pool.ready || request.include_all)
            .map(|pool| list_pools_resp::Pool { uuid: pool.uuid, label: pool.label, svcreps: pool.replicas })
            .collect();
        ListPoolsResp { pools }
    }

    async fn cluster_event(&self, request: ClusterEventReq) -> ClusterEventResp {
        let sequence = request.sequence;
        let status = match request.event {
            None => Der::INVAL.rc(),
            Some(event) => {
                self.server.raise(events::complete(event)).await;
                0
            }
        };
        ClusterEventResp { sequence, status }
    }

    async fn system_properties(&self, request: SystemGetPropReq) -> Result<SystemGetPropResp> {
        if self.server.is_replica {
            return self.server.mgmt().get_properties(&request);
        }
        self.server
            .ask_leader(|mut client| {
                let request = request.clone();
                async move { client.system_get_prop(request).await }
            })
            .await
    }
}

struct Found {
    uuid: String,
    label: String,
    replicas: Vec<u32>,
    ready: bool,
}

impl AsyncHandler for EngineCalls {
    fn modules(&self) -> &[Module] {
        &[Module::Srv, Module::Sec]
    }

    async fn call(&self, peer: Peer, method: Method, body: Vec<u8>) -> Reply {
        match method {
            Method::NotifyReady => {
                let request: NotifyReadyReq = decode_body(&body)?;
                let delivered =
                    self.server.instance(request.instance_idx).and_then(|instance| instance.notify_ready(request));
                if let Err(error) = delivered {
                    tracing::error!("NOTIFY_READY from pid {}: {error}", peer.pid);
                    return Err(Status::Failure);
                }
                Ok(Vec::new())
            }
            Method::GetPoolSvc => {
                let request: GetPoolSvcReq = decode_body(&body)?;
                let found = self.find(&request.uuid, |pool| pool.uuid.eq_ignore_ascii_case(&request.uuid)).await;
                let response = match found {
                    Ok(pool) => GetPoolSvcResp { status: 0, svcreps: pool.replicas },
                    Err(error) => GetPoolSvcResp { status: error.rc(), ..Default::default() },
                };
                Ok(response.encode_to_vec())
            }
            Method::PoolFindByLabel => {
                let request: PoolFindByLabelReq = decode_body(&body)?;
                let response = match self.find(&request.label, |pool| pool.label == request.label).await {
                    Ok(pool) => PoolFindByLabelResp { status: 0, uuid: pool.uuid, svcreps: pool.replicas },
                    Err(error) => PoolFindByLabelResp { status: error.rc(), ..Default::default() },
                };
                Ok(response.encode_to_vec())
            }
            Method::ListPools => Ok(self.list_pools(&decode_body(&body)?).await.encode_to_vec()),
            Method::ClusterEvent => Ok(self.cluster_event(decode_body(&body)?).await.encode_to_vec()),
            Method::GetSysProps => match self.system_properties(decode_body(&body)?).await {
                Ok(response) => Ok(response.encode_to_vec()),
                Err(error) => {
                    tracing::warn!("system properties for an engine: {error}");
                    Err(Status::Failure)
                }
            },
            Method::ValidateCreds => {
                let request: ValidateCredReq = decode_body(&body)?;
                Ok(validate(request.cred).encode_to_vec())
            }
            _ => Err(Status::UnknownMethod),
        }
    }
}

/// Checks a credential. Without certificates its verifier is the SHA-512 of the encoded token, which shows that it
/// came through whole, not who made it.
fn validate(credential: Option<Credential>) -> ValidateCredResp {
    match check(credential) {
        Ok(token) => ValidateCredResp { status: 0, token: Some(token) },
        Err(error) => {
            tracing::warn!("credential refused: {error}");
            ValidateCredResp { status: error.rc(), token: None }
        }
    }
}

fn check(credential: Option<Credential>) -> Result<Token, Error> {
    let credential = credential.ok_or_else(|| Der::INVAL.err("no credential given"))?;
    let token = credential.token.ok_or_else(|| Der::INVAL.err("credential without token"))?;
    let verifier = credential.verifier.ok_or_else(|| Der::NO_PERM.err("credential without verifier"))?;
    let expected = Sha512::digest(token.encode_to_vec());
    match verifier.data.as_slice() == expected.as_slice() {
        true => Ok(token),
        false => Err(Der::NO_PERM.err(format!("the verifier of a credential from {:?} is wrong", credential.origin))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: only a credential whose verifier belongs to its token is accepted.
    #[test]
    fn credentials() {
        let token = Token { flavor: 1, data: b"user".to_vec() };
        let verifier = Token { flavor: 1, data: Sha512::digest(token.encode_to_vec()).to_vec() };
        let good = Credential { token: Some(token.clone()), verifier: Some(verifier), origin: "agent".into() };
        assert_eq!(validate(Some(good.clone())).token, Some(token.clone()));
        let mut forged = good.clone();
        forged.token = Some(Token { flavor: 1, data: b"root".to_vec() });
        assert_eq!(validate(Some(forged)).status, Der::NO_PERM.rc());
        assert_eq!(validate(Some(Credential { verifier: None, ..good })).status, Der::NO_PERM.rc());
        assert_eq!(validate(None).status, Der::INVAL.rc());
    }
}
