//! The system this process is attached to: its name, how to reach its ranks, how to open the fabric.

use crate::agent::{Agent, AttachInfo, ServerVersion};
use crate::fork::{self, Shared};
use daos_common::wire::mgmt::RankInfoReply;
use daos_common::{Der, Rank, Result};
use daos_fabric::FabricConfig;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long an operation is tried at most, unless `CRT_TIMEOUT` or the system says otherwise.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(60);

/// An attached system. Shared by every context of the process; what it caches is plain data.
pub struct System {
    name: String,
    identity: u64,
    fork_depth: u32,
    agent: Agent,
    fabric: FabricConfig,
    management_ranks: Vec<Rank>,
    operation_timeout: Duration,
    server_version: Option<ServerVersion>,
    uris: Shared<HashMap<Rank, String>>,
    ranks: Shared<HashMap<Rank, Arc<RankInfoReply>>>,
    /// Raised whenever an address is forgotten, so that contexts drop the peers they resolved.
    addresses_version: AtomicU64,
}

impl System {
    /// Asks the agent for the system it serves.
    ///
    /// # Errors
    /// As [`Agent::attach`]; `INVAL`: the system names no ranks.
    pub(crate) fn attach(agent: Agent, identity: u64) -> Result<System> {
        let info = agent.attach("")?;
        Ok(System::new(agent, info, identity))
    }

    pub(crate) fn new(agent: Agent, info: AttachInfo, identity: u64) -> System {
        let environment = |name: &str, old: &str, hint: Option<String>| {
            let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
            set(name).or_else(|| set(old)).or(hint)
        };
        let timeout = std::env::var("CRT_TIMEOUT").ok().and_then(|text| text.trim().parse().ok());
        let timeout = timeout.or(info.timeout_seconds).filter(|&seconds| seconds > 0);
        System {
            fabric: FabricConfig {
                provider: environment("D_PROVIDER", "CRT_PHY_ADDR_STR", Some(info.provider)).unwrap_or_default(),
                interface: environment("D_INTERFACE", "OFI_INTERFACE", info.interface),
                domain: environment("D_DOMAIN", "OFI_DOMAIN", info.domain),
                port: None,
            },
            name: info.system,
            identity,
            fork_depth: fork::depth(),
            agent,
            management_ranks: info.management_ranks,
            operation_timeout: timeout.map_or(OPERATION_TIMEOUT, |seconds| Duration::from_secs(seconds.into())),
            server_version: info.server_version,
            uris: Shared::new(info.uris),
            ranks: Shared::new(HashMap::new()),
            addresses_version: AtomicU64::new(0),
        }
    }

    /// The system's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fabric provider in use.
    pub fn provider(&self) -> &str {
        &self.fabric.provider
    }

    /// Version of the servers, when the agent told it.
    pub fn server_version(&self) -> Option<&ServerVersion> {
        self.server_version.as_ref()
    }

    /// The agent.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Ranks that answer management requests.
    pub fn management_ranks(&self) -> &[Rank] {
        &self.management_ranks
    }

    /// Every known rank with the URI of its service context, by rank.
    pub fn rank_uris(&self) -> Vec<(Rank, String)> {
        let uris = self.uris.read();
        let mut list: Vec<_> = uris.iter().map(|(rank, uri)| (*rank, uri.clone())).collect();
        list.sort_by_key(|(rank, _)| *rank);
        list
    }

    /// Checks the system name that a caller gave.
    ///
    /// # Errors
    /// What the agent answers about a name other than its own; `INVAL` if it accepts one that we are not attached to.
    pub fn check_name(&self, wanted: &str) -> Result<()> {
        if wanted.is_empty() || wanted == self.name {
            return Ok(());
        }
        self.agent.attach(wanted)?;
        Err(Der::INVAL.err(format!(
            "system {wanted:?} is not the one this process is attached to ({:?}); name that one or none",
            self.name
        )))
    }

    pub(crate) fn identity(&self) -> u64 {
        self.identity
    }

    pub(crate) fn fork_depth(&self) -> u32 {
        self.fork_depth
    }

    pub(crate) fn fabric(&self) -> &FabricConfig {
        &self.fabric
    }

    pub(crate) fn operation_timeout(&self) -> Duration {
        self.operation_timeout
    }

    pub(crate) fn addresses_version(&self) -> u64 {
        self.addresses_version.load(Ordering::Acquire)
    }

    /// URI of a rank's service context, asking the agent again for a rank that is new.
    pub(crate) fn service_uri(&self, rank: Rank) -> Result<String> {
        if let Some(uri) = self.uris.read().get(&rank) {
            return Ok(uri.clone());
        }
        self.refresh_uris()?;
        let uris = self.uris.read();
        uris.get(&rank).cloned().ok_or_else(|| {
            Der::UNREACH.err(format!("rank {rank} of system {:?} has no address (is it up?)", self.name))
        })
    }

    /// Asks the agent for the ranks' addresses again.
    pub(crate) fn refresh_uris(&self) -> Result<()> {
        let info = self.agent.attach(&self.name)?;
        *self.uris.write() = info.uris;
        Ok(())
    }

    pub(crate) fn known_rank(&self, rank: Rank) -> Option<Arc<RankInfoReply>> {
        self.ranks.read().get(&rank).cloned()
    }

    pub(crate) fn learn_rank(&self, rank: Rank, info: RankInfoReply) -> Arc<RankInfoReply> {
        let info = Arc::new(info);
        self.ranks.write().insert(rank, info.clone());
        info
    }

    /// Forgets a rank's addresses, because it does not answer at them.
    pub(crate) fn forget_rank(&self, rank: Rank) {
        self.ranks.write().remove(&rank);
        self.addresses_version.fetch_add(1, Ordering::AcqRel);
    }
}
