//! What a client needs to reach the system.

use super::Mgmt;
use daos_common::{Der, Result};
use daos_proto::control::DAOS_VERSION;
use daos_proto::mgmt::{BuildInfo, ClientNetHint, GetAttachInfoReq, GetAttachInfoResp, get_attach_info_resp};

/// Class of a network device about which nothing is known (`ARPHRD_ETHER` of Linux).
const DEVICE_CLASS_ETHERNET: u32 = 1;

impl Mgmt {
    /// Addresses of engines (all, or those of the management service's hosts) and hints for the client's fabric.
    ///
    /// # Errors
    /// `NO_SERVICE` while no engine has joined; those of the database.
    pub fn attach_info(&self, request: &GetAttachInfoReq) -> Result<GetAttachInfoResp> {
        let state = self.checked(&request.sys)?;
        let config = &self.server.config;
        let mut rank_uris = Vec::new();
        let mut ms_ranks = Vec::new();
        for member in state.group() {
            let of_ms = config.replicas.contains(&member.address);
            if of_ms && member.state.is_available() {
                ms_ranks.push(member.rank);
            }
            if request.all_ranks || of_ms {
                rank_uris.push(get_attach_info_resp::RankUri {
                    rank: member.rank,
                    uri: member.uri.clone(),
                    provider_idx: 0,
                    num_ctxs: member.contexts,
                });
            }
        }
        if rank_uris.is_empty() {
            return Err(Der::NO_SERVICE.err("no engine has joined the system yet; try again"));
        }
        let (major, minor, patch) = DAOS_VERSION;
        Ok(GetAttachInfoResp {
            status: 0,
            rank_uris,
            ms_ranks,
            client_net_hint: Some(self.net_hint()),
            data_version: u64::from(state.map_version),
            sys: config.name.clone(),
            build_info: Some(BuildInfo { major, minor, patch, tag: String::new() }),
            ..Default::default()
        })
    }

    fn net_hint(&self) -> ClientNetHint {
        let config = &self.server.config;
        let engine = config.engines.first();
        ClientNetHint {
            provider: engine.map(|engine| engine.provider.clone()).unwrap_or_default(),
            crt_timeout: engine.map_or(0, |engine| engine.crt_timeout_s),
            net_dev_class: engine.map_or(DEVICE_CLASS_ETHERNET, |engine| device_class(&engine.fabric_iface)),
            srv_srx_set: engine.map_or(-1, |engine| i32::from(!engine.disable_srx)),
            env_vars: config.client_env_vars.clone(),
            ..Default::default()
        }
    }
}

/// The kernel's class of a network interface (1 Ethernet, 32 InfiniBand, 772 loopback).
pub fn device_class(interface: &str) -> u32 {
    let path = format!("/sys/class/net/{interface}/type");
    std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(DEVICE_CLASS_ETHERNET)
}
