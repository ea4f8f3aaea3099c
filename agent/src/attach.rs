//! Attach information: where the ranks of the system are and how to talk to them. Asked of the management service
//! once and kept; completed for each caller with the fabric interface chosen for it.

use crate::config::AgentConfig;
use crate::fabric::{Fabric, Wanted, numa_node_of, wanted_class};
use daos_common::{Der, Error, Result};
use daos_proto::control::{Component, ask_mgmt};
use daos_proto::mgmt::{GetAttachInfoReq, GetAttachInfoResp};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long one management host has to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// The kept answer of the management service.
#[derive(Debug, Default)]
pub struct AttachCache {
    /// Held while asking, so that a crowd of clients makes one question.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: Option<(Instant, Arc<GetAttachInfoResp>)>,
    /// When the last question failed, and how: callers that waited for it don't ask again.
    failed: Option<(Instant, Error)>,
}

impl AttachCache {
    /// The information for a caller, from the kept answer or the management service.
    ///
    /// # Errors
    /// - INVAL: the caller names another system than this agent serves
    /// - CONTROL_INCOMPAT: the management service is of another system
    /// - UNREACH: no management service answered
    /// - NONEXIST: no fabric interface of this machine fits
    pub async fn answer(
        &self,
        request: &GetAttachInfoReq,
        pid: i32,
        config: &AgentConfig,
        fabric: &Fabric,
    ) -> Result<GetAttachInfoResp> {
        // A client that has not been told a system's name leaves it empty.
        if !request.sys.is_empty() && request.sys != config.name {
            return Err(Der::INVAL.err(format!(
                "client asks for system {:?}; this agent serves {:?} (key \"name\" of daos_agent.yml)",
                request.sys, config.name
            )));
        }
        let kept = self.get(config).await?;
        complete((*kept).clone(), request, pid, fabric)
    }

    /// Forgets the kept answer.
    pub async fn clear(&self) {
        *self.state.lock().await = State::default();
    }

    /// The answer of the management service, kept or new.
    ///
    /// # Errors
    /// As [`AttachCache::answer`].
    pub async fn get(&self, config: &AgentConfig) -> Result<Arc<GetAttachInfoResp>> {
        let asked_at = Instant::now();
        let mut state = self.state.lock().await;
        if let Some((made, kept)) = &state.kept
            && !config.disable_caching
            && (config.cache_expiration.is_zero() || made.elapsed() < config.cache_expiration)
        {
            return Ok(Arc::clone(kept));
        }
        if let Some((when, error)) = &state.failed
            && *when >= asked_at
        {
            return Err(error.clone());
        }
        match fetch(config).await {
            Ok(answer) => {
                let answer = Arc::new(answer);
                *state = State { kept: Some((Instant::now(), Arc::clone(&answer))), failed: None };
                Ok(answer)
            }
            Err(error) => {
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

async fn fetch(config: &AgentConfig) -> Result<GetAttachInfoResp> {
    let request = GetAttachInfoReq { sys: config.name.clone(), all_ranks: true, ..Default::default() };
    let answer = ask_mgmt(&config.access_points, Component::Agent, ANSWER_TIMEOUT, |mut client| {
        let request = request.clone();
        async move { client.get_attach_info(request).await }
    })
    .await?;
    Error::from_status(answer.status, "asking the management service for attach information")?;
    if answer.sys != config.name && !answer.sys.is_empty() {
        return Err(Der::CONTROL_INCOMPAT.err(format!(
            "the management service at {} is of system {:?}, this agent serves {:?}: correct \"name\" or \
             \"access_points\" in daos_agent.yml",
            config.access_points.join(", "),
            answer.sys,
            config.name
        )));
    }
    tracing::info!(ranks = answer.rank_uris.len(), version = answer.data_version, "attach information received");
    Ok(answer)
}

/// Fills in what depends on the caller: interface and domain. What the caller asks for by itself is taken as it is.
fn complete(
    mut answer: GetAttachInfoResp,
    request: &GetAttachInfoReq,
    pid: i32,
    fabric: &Fabric,
) -> Result<GetAttachInfoResp> {
    let mut hint = answer.client_net_hint.take().unwrap_or_default();
    let class = wanted_class(hint.net_dev_class, &answer.rank_uris);
    let provider = hint.provider.clone();
    let wanted = Wanted { provider: &provider, class };
    if request.interface.is_empty() {
        let interface = fabric.choose(wanted, numa_node_of(pid))?;
        hint.interface = interface.name.clone();
        hint.domain = interface.domain.clone();
    } else {
        hint.interface = request.interface.clone();
        hint.domain = match request.domain.as_str() {
            "" => request.interface.clone(),
            domain => domain.to_string(),
        };
    }
    answer.numa_fabric_interfaces = fabric.by_node(wanted);
    answer.client_net_hint = Some(hint);
    Ok(answer)
}
