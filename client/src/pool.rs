//! Pools: connecting, the cached pool map, queries, attributes.
//!
//! A [`Pool`] belongs to the process: any context may use it. What changes (the map, the service's ranks) is swapped
//! whole, so a reader keeps the version it took.

use crate::context::Context;
use crate::fork::Shared;
use crate::rpc::meanwhile;
use crate::{fork, process};
use daos_common::flags;
use daos_common::pool_map::PoolMap;
use daos_common::wire::Opcode;
use daos_common::wire::mgmt::{
    DebugAction, DebugReply, DebugRequest, PoolFindReply, PoolFindRequest, PoolListEntry, PoolListReply,
    PoolListRequest,
};
use daos_common::wire::pool::{
    AttrAction, AttrReply, AttrRequest, ContEntry, ContInfo, FilterPart, PoolConnectReply, PoolConnectRequest,
    PoolFilterContReply, PoolFilterContRequest, PoolHandleRequest, PoolListContReply, PoolMapReply, PoolQueryReply,
    PoolQueryRequest, Prop, TargetSpaceReply, TargetSpaceRequest, TierSpace,
};
use daos_common::{Der, Rank, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use uuid::Uuid;

/// A connected pool.
pub struct Pool {
    pub(crate) uuid: Uuid,
    pub(crate) handle: Uuid,
    pub(crate) flags: u64,
    pub(crate) props: Vec<Prop>,
    map: Shared<Arc<PoolMap>>,
    /// Version of `map`, to be compared without the lock.
    map_version: AtomicU32,
    service_ranks: Shared<Vec<Rank>>,
    /// Open containers; a pool with some cannot be disconnected.
    containers: AtomicUsize,
    /// Fork depth at which this process connected it; `None`: another process did, and will disconnect it.
    owned_at: Option<u32>,
}

/// Finds a pool by label or UUID.
///
/// # Errors
/// `NONEXIST`: no such pool; `UNREACH`, `TIMEDOUT`: no management rank answers.
pub async fn find(context: &Rc<Context>, name: &str) -> Result<PoolFindReply> {
    let body = PoolFindRequest { pool: name.to_owned() };
    let ranks = || context.system().management_ranks().to_vec();
    context.call_service(ranks, Opcode::PoolFind, &body).await.map_err(|error| error.at(format_args!("pool {name:?}")))
}

/// Lists the system's pools.
///
/// # Errors
/// As [`find`].
pub async fn list_pools(context: &Rc<Context>) -> Result<Vec<PoolListEntry>> {
    let ranks = || context.system().management_ranks().to_vec();
    let reply: PoolListReply = context.call_service(ranks, Opcode::PoolList, &PoolListRequest {}).await?;
    Ok(reply.pools)
}

/// Asks an engine, or all of them (`None`), something for tests; the state of the device asked for.
///
/// # Errors
/// `INVAL`; `NO_PERM`: faults are not injected; `OOG`: no such rank; `UNREACH`, `TIMEDOUT`: an engine is away.
pub async fn debug(context: &Rc<Context>, rank: Option<Rank>, action: DebugAction) -> Result<Option<u32>> {
    let body = DebugRequest { action, all: rank.is_none() };
    if let Some(rank) = rank
        && !context.system().rank_uris().iter().any(|(known, _)| *known == rank)
    {
        return Err(Der::OOG.err(format!("the system has no rank {rank}")));
    }
    let ranks = || rank.map_or_else(|| context.system().management_ranks().to_vec(), |rank| vec![rank]);
    let reply: DebugReply = context.call_service(ranks, Opcode::Debug, &body).await?;
    Ok(reply.device_state)
}

impl Pool {
    /// Connects to the pool of a label or UUID in a system (empty: the agent's).
    ///
    /// Cost: two round trips to ranks; the two exchanges with the agent are done while they are under way. From nothing to
    /// the end of the first operation there are six in a row: the agent's addresses, these two, the container's, the
    /// addresses of the target's rank, the operation's own.
    ///
    /// # Errors
    /// `INVAL`: wrong flags or system; `NONEXIST`: no such pool; `NO_PERM`: the ACL; `BUSY`: it is connected
    /// exclusively; `AGENT_COMM`; `UNREACH`; `TIMEDOUT`.
    pub async fn connect(context: &Rc<Context>, name: &str, system: &str, flags: u64) -> Result<Arc<Pool>> {
        let access = flags & (flags::OPEN_RO | flags::OPEN_RW | flags::OPEN_EX);
        if access.count_ones() != 1 || flags != access {
            return Err(Der::INVAL.err(format!("pool {name:?}: {flags:#x} is not one of DAOS_PC_RO, RW, EX")));
        }
        context.system().check_name(system)?;
        let agent = context.system().agent();
        let (found, credential) = meanwhile(find(context, name), || agent.credential()).await;
        let (found, credential) = (found?, credential?);
        let handle = Uuid::new_v4();
        let body = PoolConnectRequest { pool: found.uuid, handle, flags, credential };
        let ranks = || found.service_ranks.clone();
        let connecting = context.call_service(ranks, Opcode::PoolConnect, &body);
        // The agent knows of the handle before it can exist: whenever this process dies, it is closed.
        let tell = || agent.notify_connect(context.system().name(), found.uuid, handle);
        let (reply, told) = meanwhile(connecting, tell).await;
        if let Err(error) = told {
            tracing::warn!("the agent will not clean up behind this process: {error}");
        }
        let reply: PoolConnectReply = reply.map_err(|error| {
            if let Err(error) = agent.notify_disconnect(context.system().name(), found.uuid, handle) {
                tracing::debug!("the agent was not told of a handle that came to nothing: {error}");
            }
            error.at(format_args!("connecting to pool {name:?}"))
        })?;
        let parts = PoolParts { uuid: found.uuid, handle, flags, props: reply.props };
        Ok(Arc::new(Pool::assemble(parts, reply.map, reply.service_ranks, Some(fork::depth()))))
    }

    pub(crate) fn assemble(parts: PoolParts, map: PoolMap, service_ranks: Vec<Rank>, owned_at: Option<u32>) -> Pool {
        let PoolParts { uuid, handle, flags, props } = parts;
        Pool {
            uuid,
            handle,
            flags,
            props,
            map_version: AtomicU32::new(map.version),
            map: Shared::new(Arc::new(map)),
            service_ranks: Shared::new(service_ranks),
            containers: AtomicUsize::new(0),
            owned_at,
        }
    }

    /// Disconnects. Of a handle that another process owns only the local part goes.
    ///
    /// # Errors
    /// `BUSY`: a container is open; `UNREACH`; `TIMEDOUT`.
    pub async fn disconnect(&self, context: &Rc<Context>) -> Result<()> {
        if self.containers.load(Ordering::Acquire) > 0 {
            return Err(Der::BUSY.err(format!("pool {}: a container of it is open; close it first", self.uuid)));
        }
        if !self.is_owned() {
            return Ok(());
        }
        let body = PoolHandleRequest { pool: self.uuid, handle: self.handle };
        match self.call::<_, ()>(context, Opcode::PoolDisconnect, &body).await {
            // A resend whose first reply was lost, an evicted handle, or a destroyed pool: it is gone, as wanted.
            Err(error) if !matches!(error.code(), Der::NO_HDL | Der::NONEXIST) => return Err(error),
            _ => {}
        }
        let system = context.system();
        if let Err(error) = system.agent().notify_disconnect(system.name(), self.uuid, self.handle) {
            tracing::debug!("the agent was not told of a disconnect: {error}");
        }
        Ok(())
    }

    /// The pool's UUID.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// `crate::flags::OPEN_*` bits it was connected with.
    pub fn flags(&self) -> u64 {
        self.flags
    }

    /// The properties as they were when it was connected.
    pub fn props(&self) -> &[Prop] {
        &self.props
    }

    /// The newest map known here.
    pub fn map(&self) -> Arc<PoolMap> {
        self.map.read().clone()
    }

    /// Version of the newest map known here.
    pub fn map_version(&self) -> u32 {
        self.map_version.load(Ordering::Acquire)
    }

    /// Ranks of the pool's service, the leader first.
    pub fn service_ranks(&self) -> Vec<Rank> {
        self.service_ranks.read().clone()
    }

    /// Fetches the map, unless a newer one than `than` is known already.
    pub(crate) async fn refresh_map(&self, context: &Rc<Context>, than: u32) -> Result<()> {
        if self.map().version > than {
            return Ok(());
        }
        let body = PoolHandleRequest { pool: self.uuid, handle: self.handle };
        let reply: PoolMapReply = self.call(context, Opcode::PoolMapFetch, &body).await?;
        self.learn_map(reply.map);
        Ok(())
    }

    fn learn_map(&self, map: PoolMap) {
        let mut current = self.map.write();
        if map.version > current.version {
            self.map_version.store(map.version, Ordering::Release);
            *current = Arc::new(map);
        }
    }

    /// Asks for the pool's state: with space if wanted, with the properties of `props` (`[u32::MAX]`: all).
    ///
    /// # Errors
    /// `NO_HDL`: evicted; `UNREACH`; `TIMEDOUT`.
    pub async fn query(&self, context: &Rc<Context>, space: bool, props: Vec<u32>) -> Result<PoolQueryReply> {
        let body = PoolQueryRequest { pool: self.uuid, handle: self.handle, space, props };
        let reply: PoolQueryReply = self.call(context, Opcode::PoolQuery, &body).await?;
        self.learn_map(reply.map.clone());
        *self.service_ranks.write() = reply.service_ranks.clone();
        Ok(reply)
    }

    /// Space of each target of a rank, by tier.
    ///
    /// # Errors
    /// `NONEXIST`: the rank has no share of the pool; `UNREACH`; `TIMEDOUT`.
    pub async fn target_space(&self, context: &Rc<Context>, rank: Rank) -> Result<Vec<[TierSpace; 2]>> {
        let body = TargetSpaceRequest { pool: self.uuid };
        let reply: TargetSpaceReply = context.call_service(|| vec![rank], Opcode::PoolTargetQuery, &body).await?;
        Ok(reply.targets)
    }

    /// The pool's containers.
    ///
    /// # Errors
    /// As [`Pool::query`].
    pub async fn list_containers(&self, context: &Rc<Context>) -> Result<Vec<ContEntry>> {
        let body = PoolHandleRequest { pool: self.uuid, handle: self.handle };
        let reply: PoolListContReply = self.call(context, Opcode::PoolListCont, &body).await?;
        Ok(reply.containers)
    }

    /// The pool's containers that meet conditions (all of `parts`, or `any` of them), with their state.
    ///
    /// # Errors
    /// As [`Pool::query`]; `INVAL`: too many conditions.
    pub async fn filter_containers(
        &self,
        context: &Rc<Context>,
        parts: Vec<FilterPart>,
        any: bool,
    ) -> Result<Vec<ContInfo>> {
        let body = PoolFilterContRequest { pool: self.uuid, handle: self.handle, parts, any };
        let reply: PoolFilterContReply = self.call(context, Opcode::PoolFilterCont, &body).await?;
        Ok(reply.containers)
    }

    /// Makes the pool's service step down; it is taken over at once.
    ///
    /// # Errors
    /// As [`Pool::query`].
    pub async fn stop_service(&self, context: &Rc<Context>) -> Result<()> {
        let body = PoolHandleRequest { pool: self.uuid, handle: self.handle };
        self.call(context, Opcode::PoolStopService, &body).await
    }

    /// Reads or changes the pool's user attributes.
    ///
    /// # Errors
    /// `NONEXIST`: an attribute asked for is missing; `NO_PERM`: the handle is read-only; as [`Pool::query`].
    pub async fn attributes(&self, context: &Rc<Context>, action: AttrAction) -> Result<AttrReply> {
        let body = AttrRequest { pool: self.uuid, handle: self.handle, action };
        self.call(context, Opcode::PoolAttr, &body).await
    }

    /// Sends a request to the pool's service.
    pub(crate) async fn call<Q: Serialize, R: DeserializeOwned>(
        &self,
        context: &Rc<Context>,
        opcode: Opcode,
        body: &Q,
    ) -> Result<R> {
        let reply = context.call_service(|| self.service_ranks(), opcode, body).await;
        reply.map_err(|error| error.at(format_args!("pool {}", self.uuid)))
    }

    pub(crate) fn container_opened(&self) {
        self.containers.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn container_closed(&self) {
        self.containers.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether closing must tell the service.
    pub(crate) fn is_owned(&self) -> bool {
        self.owned_at == Some(fork::depth()) && process::system().is_ok()
    }
}

/// What of a pool handle never changes.
pub(crate) struct PoolParts {
    pub(crate) uuid: Uuid,
    pub(crate) handle: Uuid,
    pub(crate) flags: u64,
    pub(crate) props: Vec<Prop>,
}
