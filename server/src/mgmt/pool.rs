//! Creating, destroying and listing pools.
//!
//! A pool's record goes through Creating → Ready → Destroying. It is written before an engine is asked to create
//! anything and removed after everything is destroyed, so that a crash in between leaves a trace that a repeated
//! request finds.

use super::pool_size::{Place, Wish, per_rank};
use super::{Mgmt, domains};
use crate::system::{Change, MemberState, PoolService, PoolState, State};
use daos_common::label::check_label;
use daos_common::{Der, Error, Result};
use daos_proto::drpc::Method;
use daos_proto::mgmt::{
    ListContReq, ListContResp, ListPoolsReq, ListPoolsResp, PoolCreateReq, PoolCreateResp, PoolDestroyReq,
    PoolDestroyResp, PoolEvictReq, PoolEvictResp, PoolProperty, list_pools_resp, pool_property,
};
use rand::seq::SliceRandom;
use std::time::Duration;
use uuid::Uuid;

/// Limit of creating a pool on the engines.
const CREATE_LIMIT: Duration = Duration::from_secs(600);
/// Limit of other operations on a pool.
pub(super) const POOL_LIMIT: Duration = Duration::from_secs(300);
/// Property number of the label.
pub(super) const PROP_LABEL: u32 = 1;
/// Property number of the redundancy factor.
const PROP_RD_FAC: u32 = 11;
/// Redundancy factor of a pool whose request names none. Engines store no replicas yet in this version, so that a pool
/// with another factor could hold no container that takes its default from it.
const RD_FAC_DEFAULT: u64 = 0;
/// Most replicas of a pool service.
const SVC_REPLICAS_MAX: u32 = 9;

/// What is decided about a new pool before anything is made.
struct Plan {
    pool: PoolService,
    fault_domains: Vec<u32>,
}

impl Mgmt {
    /// Creates a pool. A repeated request for a UUID that is Ready gets that pool's data.
    ///
    /// # Errors
    /// `INVAL` for a wrong label, size or set of ranks, `EXIST` for a label in use, `AGAIN` while a pool of that UUID
    /// is in the making. A failure on the engines is the `status` of the answer; nothing is left behind then.
    pub async fn pool_create(&self, mut request: PoolCreateReq) -> Result<PoolCreateResp> {
        self.checked(&request.sys)?;
        let _one_at_a_time = self.server.pool_serial.lock().await;
        let state = self.system()?.state();
        let uuid = match request.uuid.is_empty() {
            true => Uuid::new_v4(),
            false => Uuid::parse_str(&request.uuid)
                .map_err(|_| Der::INVAL.err(format!("pool create: {:?} is not a UUID", request.uuid)))?,
        };
        match state.pools.get(&uuid) {
            Some(pool) if pool.state == PoolState::Ready => return Ok(created(pool)),
            Some(pool) if pool.state == PoolState::Destroying => {
                return Err(Der::AGAIN.err(format!("pool {uuid} is being destroyed, try again")));
            }
            // An earlier attempt was cut off: this one starts over.
            Some(pool) => self.discard(pool.clone()).await?,
            None => {}
        }
        let plan = self.plan(&self.system()?.state(), uuid, &request)?;
        self.system()?.commit(|_| Ok(Some(Change::AddPool(plan.pool.clone()))))?;
        request.uuid = uuid.to_string();
        request.sys = self.server.config.name.clone();
        request.ranks = plan.pool.ranks.clone();
        request.num_ranks = 0;
        request.tier_bytes = plan.pool.tier_bytes.clone();
        request.total_bytes = 0;
        request.tier_ratio.clear();
        request.fault_domains = plan.fault_domains;
        if !request.properties.iter().any(|property| property.number == PROP_RD_FAC) {
            let value = Some(pool_property::Value::Numval(RD_FAC_DEFAULT));
            request.properties.push(PoolProperty { number: PROP_RD_FAC, value });
        }
        let outcome = self.create_on_engines(&request).await;
        match outcome {
            Ok(response) if response.status == 0 => self.finish_create(plan.pool, response),
            Ok(response) => {
                self.discard(plan.pool).await?;
                Ok(response)
            }
            Err(error) => {
                self.discard(plan.pool).await?;
                Err(error.at(format!("creating pool {uuid}")))
            }
        }
    }

    async fn create_on_engines(&self, request: &PoolCreateReq) -> Result<PoolCreateResp> {
        self.server.any_engine(&request.ranks)?.call(Method::PoolCreate, request, CREATE_LIMIT).await
    }

    fn finish_create(&self, mut pool: PoolService, mut response: PoolCreateResp) -> Result<PoolCreateResp> {
        pool.state = PoolState::Ready;
        pool.replicas = response.svc_reps.clone();
        if !response.tier_bytes.is_empty() {
            pool.tier_bytes = response.tier_bytes.clone();
        }
        self.system()?.commit(|_| Ok(Some(Change::UpdatePool(pool.clone()))))?;
        tracing::info!("pool {} ({}) created on ranks {:?}", pool.label, pool.uuid, pool.ranks);
        response.tgt_ranks = pool.ranks;
        response.tier_bytes = pool.tier_bytes;
        Ok(response)
    }

    /// Undoes a creation that failed or was cut off.
    async fn discard(&self, pool: PoolService) -> Result<()> {
        let request = PoolDestroyReq {
            sys: self.server.config.name.clone(),
            id: pool.uuid.to_string(),
            force: true,
            svc_ranks: pool.ranks.clone(),
            recursive: true,
        };
        // Engines that know nothing of it have nothing to undo.
        if let Err(error) = self.destroy_on_engines(&request).await {
            tracing::warn!("remains of pool {} were not removed: {error}", pool.uuid);
        }
        self.system()?.commit(|_| Ok(Some(Change::RemovePool(pool.uuid))))?;
        Ok(())
    }

    fn plan(&self, state: &State, uuid: Uuid, request: &PoolCreateReq) -> Result<Plan> {
        let label = label_of(&request.properties)
            .ok_or_else(|| Der::INVAL.err("pool create: the label is missing; a pool needs one"))?;
        check_label(label).map_err(|error| error.at("pool create"))?;
        if let Some(other) = state.pool_by_label(label) {
            return Err(Der::EXIST.err(format!("a pool with label {label:?} exists already ({})", other.uuid)));
        }
        let ranks = choose_ranks(state, &request.ranks, request.num_ranks)?;
        self.check_redundancy(state, request, &ranks)?;
        let engine = self.server.config.engines.first().ok_or_else(|| Der::NO_SERVICE.err("no engines configured"))?;
        if request.mem_ratio > 0.0 {
            return Err(Der::INVAL.err("a memory ratio was given, but the engines don't keep metadata on SSD"));
        }
        let place = Place {
            ranks: ranks.len() as u64,
            targets: u64::from(engine.targets),
            has_data_tier: !engine.bdevs.is_empty(),
        };
        let wish =
            Wish { total_bytes: request.total_bytes, tier_ratio: &request.tier_ratio, tier_bytes: &request.tier_bytes };
        let tier_bytes = per_rank(&wish, place)?.to_vec();
        let fault_domains = domains::compress(state, &ranks)?;
        let pool = PoolService {
            uuid,
            label: label.to_string(),
            state: PoolState::Creating,
            replicas: Vec::new(),
            ranks,
            tier_bytes,
        };
        Ok(Plan { pool, fault_domains })
    }

    fn check_redundancy(&self, state: &State, request: &PoolCreateReq, ranks: &[u32]) -> Result<()> {
        let most = u32::try_from(ranks.len()).unwrap_or(u32::MAX).min(SVC_REPLICAS_MAX);
        if request.num_svc_reps > most {
            return Err(Der::INVAL.err(format!(
                "pool create: {} service replicas asked for; this pool can have at most {most}",
                request.num_svc_reps
            )));
        }
        let wanted = request.properties.iter().find(|property| property.number == PROP_RD_FAC);
        if let Some(pool_property::Value::Numval(factor)) = wanted.and_then(|property| property.value.as_ref()) {
            let hosts = domains::count(state, ranks) as u64;
            if factor.saturating_add(1) > hosts {
                return Err(Der::INVAL.err(format!(
                    "pool create: redundancy factor {factor} needs {} fault domains; the pool's ranks lie in {hosts}",
                    factor.saturating_add(1)
                )));
            }
        }
        Ok(())
    }

    /// Destroys a pool.
    ///
    /// # Errors
    /// `NONEXIST`; `BUSY` when it has containers and `recursive` isn't given. Open handles without `force`, or a
    /// failure on the engines, are the `status` of the answer.
    pub async fn pool_destroy(&self, mut request: PoolDestroyReq) -> Result<PoolDestroyResp> {
        self.checked(&request.sys)?;
        let _one_at_a_time = self.server.pool_serial.lock().await;
        let system = self.system()?;
        let state = system.state();
        let mut pool = state.find_pool(&request.id)?.clone();
        request.id = pool.uuid.to_string();
        if pool.state == PoolState::Ready {
            if !request.recursive {
                self.refuse_containers(&pool).await?;
            }
            let status = self.evict_for_destroy(&pool, request.force).await?;
            if status != 0 && !request.force {
                return Ok(PoolDestroyResp { status });
            }
        }
        if pool.state != PoolState::Destroying {
            pool.state = PoolState::Destroying;
            system.commit(|_| Ok(Some(Change::UpdatePool(pool.clone()))))?;
        }
        // Every rank, not only the pool's: one that was excluded from it may still hold a share.
        request.svc_ranks = state.group().map(|member| member.rank).collect();
        let response = self.destroy_on_engines(&request).await?;
        if response.status == 0 {
            system.commit(|_| Ok(Some(Change::RemovePool(pool.uuid))))?;
            tracing::info!("pool {} ({}) destroyed", pool.label, pool.uuid);
        }
        match Der::from_number(response.status) {
            Some(code @ (Der::UNREACH | Der::TIMEDOUT | Der::OOG | Der::INPROGRESS)) => Err(code.err(format!(
                "pool {}: a rank that holds a part of it isn't up; the rest goes when all of its ranks are up again, \
                 without another request",
                pool.label
            ))),
            _ => Ok(response),
        }
    }

    /// Destroys what is left of pools whose destruction was begun and not finished, if all their ranks are up: a rank
    /// was down then, or this server.
    pub async fn finish_destroying(&self) {
        let Ok(system) = self.system() else { return };
        let state = system.state();
        let joined = |rank: &u32| state.members.get(rank).is_none_or(|member| member.state == MemberState::Joined);
        let begun = |pool: &&PoolService| pool.state == PoolState::Destroying && pool.ranks.iter().all(joined);
        for pool in state.pools.values().filter(begun) {
            let request = PoolDestroyReq {
                sys: self.server.config.name.clone(),
                id: pool.uuid.to_string(),
                force: true,
                recursive: true,
                ..Default::default()
            };
            if let Err(error) = self.pool_destroy(request).await {
                tracing::debug!("pool {} is not wholly destroyed yet: {error}", pool.uuid);
            }
        }
    }

    async fn destroy_on_engines(&self, request: &PoolDestroyReq) -> Result<PoolDestroyResp> {
        let engine = self.server.any_engine(&request.svc_ranks)?;
        let mut response: PoolDestroyResp = engine.call(Method::PoolDestroy, request, POOL_LIMIT).await?;
        if response.status == Der::NONEXIST.rc() {
            response.status = 0;
        }
        Ok(response)
    }

    async fn refuse_containers(&self, pool: &PoolService) -> Result<()> {
        let request = ListContReq {
            sys: self.server.config.name.clone(),
            id: pool.uuid.to_string(),
            svc_ranks: pool.replicas.clone(),
        };
        let engine = self.server.any_engine(&pool.replicas)?;
        let response: ListContResp = engine.call(Method::ListContainers, &request, POOL_LIMIT).await?;
        Error::from_status(response.status, format!("listing the containers of pool {}", pool.label))?;
        match response.containers.len() {
            0 => Ok(()),
            count => Err(Der::BUSY.err(format!(
                "pool {} has {count} container(s); destroy them first, or use --recursive to destroy them with it",
                pool.label
            ))),
        }
    }

    /// Closes the pool to new handles and, with `force`, revokes those that are open. The status says if some are.
    async fn evict_for_destroy(&self, pool: &PoolService, force: bool) -> Result<i32> {
        let request = PoolEvictReq {
            sys: self.server.config.name.clone(),
            id: pool.uuid.to_string(),
            svc_ranks: pool.replicas.clone(),
            destroy: true,
            force_destroy: force,
            ..Default::default()
        };
        let engine = self.server.any_engine(&pool.replicas)?;
        match engine.call::<PoolEvictResp>(Method::PoolEvict, &request, POOL_LIMIT).await {
            Ok(response) => Ok(response.status),
            Err(error) if force => {
                tracing::warn!("handles of pool {} were not evicted: {error}", pool.label);
                Ok(error.rc())
            }
            Err(error) => Err(error),
        }
    }

    /// All pools of the system.
    ///
    /// # Errors
    /// Those of the database.
    pub fn list_pools(&self, request: &ListPoolsReq) -> Result<ListPoolsResp> {
        let state = self.checked(&request.sys)?;
        let pools = state
            .pools
            .values()
            .map(|pool| list_pools_resp::Pool {
                uuid: pool.uuid.to_string(),
                label: pool.label.clone(),
                svc_reps: pool.replicas.clone(),
                state: pool.state.name().to_string(),
                rebuild_state: "idle".to_string(),
            })
            .collect();
        Ok(ListPoolsResp { status: 0, pools, data_version: state.version })
    }
}

fn created(pool: &PoolService) -> PoolCreateResp {
    PoolCreateResp {
        status: 0,
        svc_ldr: pool.replicas.first().copied().unwrap_or(0),
        svc_reps: pool.replicas.clone(),
        tgt_ranks: pool.ranks.clone(),
        tier_bytes: pool.tier_bytes.clone(),
        ..Default::default()
    }
}

/// The label among properties.
pub(super) fn label_of(properties: &[PoolProperty]) -> Option<&str> {
    let label = properties.iter().find(|property| property.number == PROP_LABEL)?;
    match label.value.as_ref()? {
        pool_property::Value::Strval(text) => Some(text),
        _ => None,
    }
}

/// The ranks of a new pool: those asked for, that many at random, or all that are available.
fn choose_ranks(state: &State, asked: &[u32], number: u32) -> Result<Vec<u32>> {
    let mut available = state.available_ranks();
    if available.is_empty() {
        return Err(Der::NO_SERVICE.err("no engine has joined the system; a pool needs at least one"));
    }
    if !asked.is_empty() {
        let mut ranks = asked.to_vec();
        ranks.sort_unstable();
        ranks.dedup();
        let missing: Vec<u32> = ranks.iter().copied().filter(|rank| !available.contains(rank)).collect();
        return match missing.is_empty() {
            true => Ok(ranks),
            false => Err(Der::INVAL.err(format!(
                "pool create: ranks {} aren't available; those that are: {}",
                crate::system::ranks::format(missing),
                crate::system::ranks::format(available)
            ))),
        };
    }
    if number > 0 {
        let wanted = number as usize;
        if wanted > available.len() {
            return Err(
                Der::INVAL.err(format!("pool create: {wanted} ranks asked for, {} are available", available.len()))
            );
        }
        available.shuffle(&mut rand::rng());
        available.truncate(wanted);
        available.sort_unstable();
    }
    Ok(available)
}
