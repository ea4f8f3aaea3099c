//! This rank's shares of pools: made, opened, asked, deleted, on all of its targets.

use super::Service;
use crate::pool::PoolService;
use crate::storage::{PoolRecord, Storage};
use crate::target::Target;
use daos_blob::BlobId;
use daos_common::wire::Opcode;
use daos_common::wire::history::{ContHistory, ContHistoryRequest, ContTargetReply, ContTargetRequest};
use daos_common::wire::mgmt::{TargetCreateRequest, TargetDestroyRequest};
use daos_common::wire::pool::{
    ContTargetDestroyRequest, HandleCheckReply, HandleCheckRequest, HandleRevokeRequest, TargetSpaceReply,
    TargetSpaceRequest,
};
use daos_common::{Der, Error, Rank, Result};
use daos_vos::PoolConfig;
use futures_util::future::join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::path::Path;
use std::rc::Rc;
use uuid::Uuid;

/// Smallest SCM share of a target.
pub const SCM_MIN_BYTES: u64 = 16 << 20;
/// Sizes are rounded down to this.
const UNIT_BYTES: u64 = 4096;

impl Service {
    /// Runs a job on every target.
    async fn on_targets<R, F, Fut>(&self, job: F) -> Vec<Result<R>>
    where
        R: Send + 'static,
        F: Fn(Rc<Target>) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<R>> + 'static,
    {
        let targets = self.targets.borrow().clone();
        join_all(targets.iter().map(|target| target.ask(&self.home, job.clone()))).await
    }

    /// Opens what the engine's directory holds, after removing what interrupted operations left. A share or service
    /// that cannot be opened is out of service by itself.
    ///
    /// # Errors
    /// `IO`: the directory cannot be read or cleaned.
    pub async fn open_pools(self: &Rc<Self>) -> Result<()> {
        self.storage.clean()?;
        if let Some(tier) = self.tier.borrow().as_ref() {
            tier.delete(|pool| self.storage.has(pool));
        }
        if crate::environment::text("DAOS_START_POOLS")
            .is_some_and(|value| ["0", "false", "no"].contains(&value.as_str()))
        {
            tracing::warn!("pools are not started (DAOS_START_POOLS)");
            return Ok(());
        }
        for (pool, record) in self.storage.pools()? {
            match record {
                Ok(record) => self.open_pool(pool, record).await,
                Err(error) => tracing::error!("pool {pool} is out of service: {error}"),
            }
        }
        Ok(())
    }

    async fn open_pool(self: &Rc<Self>, pool: Uuid, record: PoolRecord) {
        self.records.borrow_mut().insert(pool, record.clone());
        let directory = self.storage.directory(pool);
        let blob_bytes = record.blob_bytes;
        let opened = self.on_targets(move |target| {
            let path = Storage::target_path(&directory, target.index);
            async move { target.open_share(pool, path, blob_bytes) }
        });
        let failed = opened.await.iter().filter(|outcome| outcome.is_err()).count();
        if failed > 0 {
            self.report_pool_failure(pool, format!("{failed} targets cannot open their shares"));
        }
        let path = self.storage.service_path(pool);
        if path.exists() {
            let service = PoolService::open(&path, pool, self.durability, &self.clock);
            if let Err(error) = &service {
                self.report_pool_failure(pool, error.to_string());
            }
            if let Ok(service) = &service {
                self.push_map_version(service).await;
                service.clone().resume(self.clone());
            }
            self.add_pool(pool, service);
        }
        tracing::info!("pool {pool} is open on {} targets", self.targets.borrow().len() - failed);
    }

    /// Makes the service of a pool step down, on the word of a client that has the pool open. Its only replica takes over
    /// again at once, with what the store says; what was under way is answered NOTLEADER and tried again by its client.
    ///
    /// # Errors
    /// `NO_HDL`; `NOTREPLICA`, `NONEXIST`; what opening the store says, and the service is out of service then.
    pub fn stop_pool_service(self: &Rc<Self>, pool: Uuid, handle: Uuid) -> Result<()> {
        self.pool(pool)?.step_down(handle)?;
        let reopened = PoolService::open(&self.storage.service_path(pool), pool, self.durability, &self.clock);
        let outcome = reopened.as_ref().map(|_| ()).map_err(Error::clone);
        if let Ok(service) = &reopened {
            service.clone().resume(self.clone());
        }
        self.add_pool(pool, reopened);
        tracing::info!("the service of pool {pool} has stepped down and taken over again");
        outcome
    }

    /// Has every target of this rank act on a container's history.
    ///
    /// # Errors
    /// Of the first target that fails.
    pub async fn cont_history(&self, request: ContTargetRequest) -> Result<ContTargetReply> {
        let ContTargetRequest { pool, cont, action } = request;
        let acted = self.on_targets(move |target| {
            let action = action.clone();
            async move { target.act_on_history(pool, cont, action).await }
        });
        let mut done = true;
        for outcome in acted.await {
            done &= outcome?;
        }
        Ok(ContTargetReply { clock: self.clock.now(), done })
    }

    /// Asks the pool service which epochs of a container are still needed.
    ///
    /// # Errors
    /// As [`Service::check_handle`]; `NONEXIST`: there is no such container.
    pub async fn fetch_history(self: &Rc<Self>, pool: Uuid, cont: Uuid) -> Result<ContHistory> {
        self.ask_pool_service(pool, Opcode::ContHistoryFetch, &ContHistoryRequest { pool, cont }).await
    }

    /// Tells this rank's targets the version of a pool's map.
    pub async fn push_map_version(&self, service: &PoolService) {
        let (pool, version) = (service.pool(), service.map_version());
        self.on_targets(move |target| async move {
            target.learn_map_version(pool, version);
            Ok(())
        })
        .await;
    }

    /// Makes this rank's share of a pool. One that is there is no error.
    ///
    /// # Errors
    /// `INVAL`: too small; `NOSPACE`; `NONEXIST`: data bytes without a data tier; `IO`.
    pub async fn target_create(self: &Rc<Self>, request: TargetCreateRequest) -> Result<()> {
        let _changing = self.changing.lock().await;
        let pool = request.pool;
        if self.storage.has(pool) {
            if !self.records.borrow().contains_key(&pool) {
                let record = self.storage.record(pool)?;
                self.open_pool(pool, record).await;
            }
            return Ok(());
        }
        let targets = self.targets.borrow().len() as u32;
        let config = self.store_config(&request, targets)?;
        let newborn = self.storage.begin(pool)?;
        let record = PoolRecord::new(targets, config.blob_bytes, request.service_ranks);
        let made = self.make_stores(&newborn, &config).await.and_then(|()| self.storage.finish(pool, &record));
        if let Err(error) = made {
            self.storage.abandon(pool);
            self.delete_blobs(pool);
            return Err(error.at(format!("creating pool {pool}")));
        }
        self.open_pool(pool, record).await;
        Ok(())
    }

    fn store_config(&self, request: &TargetCreateRequest, targets: u32) -> Result<PoolConfig> {
        let share = |bytes: u64| bytes / u64::from(targets.max(1)) / UNIT_BYTES * UNIT_BYTES;
        let (arena_bytes, blob_bytes) = (share(request.scm_bytes), share(request.data_bytes));
        if arena_bytes < SCM_MIN_BYTES {
            let message = format!(
                "{} bytes of SCM over {targets} targets: each needs {SCM_MIN_BYTES} bytes or more",
                request.scm_bytes
            );
            return Err(Der::INVAL.err(message));
        }
        let (_, free) = self.storage.space()?;
        if request.scm_bytes > free {
            return Err(Der::NOSPACE.err(format!("{} bytes of SCM wanted, {free} free", request.scm_bytes)));
        }
        if blob_bytes > 0 && self.tier.borrow().is_none() {
            return Err(Der::NONEXIST.err("bytes of the data tier wanted, but this engine has no data tier"));
        }
        Ok(PoolConfig {
            path: Path::new("").to_owned(),
            pool: request.pool,
            arena_bytes,
            blob_bytes,
            blob_threshold_bytes: request.data_threshold_bytes,
            durability: self.durability,
        })
    }

    async fn make_stores(&self, newborn: &Path, config: &PoolConfig) -> Result<()> {
        if let Some(tier) = self.tier.borrow().as_ref().filter(|_| config.blob_bytes > 0) {
            for target in 0..self.targets.borrow().len() as u32 {
                tier.create(BlobId { pool: config.pool, target }, config.blob_bytes)?;
            }
        }
        let (newborn, config) = (newborn.to_owned(), config.clone());
        let made = self.on_targets(move |target| {
            let path = Storage::target_path(&newborn, target.index);
            let config = PoolConfig { path, ..config.clone() };
            async move { target.create_store(config) }
        });
        made.await.into_iter().collect()
    }

    fn delete_blobs(&self, pool: Uuid) {
        if let Some(tier) = self.tier.borrow().as_ref() {
            tier.delete(|other| other != pool);
        }
    }

    /// Deletes this rank's share of a pool, and the service if its replica is here. Absent is no error.
    ///
    /// # Errors
    /// `BUSY`: requests on it do not end; `IO`.
    pub async fn target_destroy(&self, request: TargetDestroyRequest) -> Result<()> {
        let _changing = self.changing.lock().await;
        let pool = request.pool;
        self.pools.borrow_mut().remove(&pool);
        let closed = self.on_targets(move |target| async move { target.close_share(pool).await });
        closed.await.into_iter().collect::<Result<()>>()?;
        self.records.borrow_mut().remove(&pool);
        self.storage.delete(pool)?;
        self.delete_blobs(pool);
        tracing::info!("pool {pool} is deleted");
        Ok(())
    }

    /// Space of this rank's targets.
    ///
    /// # Errors
    /// `NONEXIST`: the pool is not on this rank.
    pub async fn target_space(&self, request: TargetSpaceRequest) -> Result<TargetSpaceReply> {
        let pool = request.pool;
        self.service_ranks(pool)?;
        let spaces = self.on_targets(move |target| async move { target.space(pool) }).await;
        // A share that is out of service has no space to offer.
        Ok(TargetSpaceReply { targets: spaces.into_iter().map(Result::unwrap_or_default).collect() })
    }

    /// Makes this rank's targets forget container handles; they have when this returns.
    ///
    /// # Errors
    /// `SHUTDOWN`.
    pub async fn handle_revoke(&self, request: HandleRevokeRequest) -> Result<()> {
        let revoked = self.on_targets(move |target| {
            let (pool, handles) = (request.pool, request.cont_handles.clone());
            async move {
                target.revoke(pool, &handles);
                Ok(())
            }
        });
        revoked.await.into_iter().collect()
    }

    /// Drops this rank's part of a container.
    ///
    /// # Errors
    /// As [`Target::destroy_container`], of the first target that fails.
    pub async fn cont_target_destroy(&self, request: ContTargetDestroyRequest) -> Result<()> {
        let ContTargetDestroyRequest { pool, cont } = request;
        let destroyed = self.on_targets(move |target| async move { target.destroy_container(pool, cont).await });
        destroyed.await.into_iter().collect()
    }

    /// Whether a container handle is open: asked of the pool service, here or elsewhere.
    ///
    /// # Errors
    /// `NO_HDL`; what reaching the pool service says.
    pub async fn check_handle(self: &Rc<Self>, pool: Uuid, handle: Uuid) -> Result<HandleCheckReply> {
        let request = HandleCheckRequest { pool, cont_handle: handle };
        self.ask_pool_service(pool, Opcode::PoolHandleCheck, &request).await
    }

    async fn ask_pool_service<Q: Serialize, R: DeserializeOwned>(
        self: &Rc<Self>,
        pool: Uuid,
        opcode: Opcode,
        request: &Q,
    ) -> Result<R> {
        for rank in self.service_ranks(pool)? {
            match self.call_rank(rank, opcode, request).await {
                Err(error) if is_elsewhere(&error) => tracing::debug!("pool {pool}: {error}"),
                outcome => return outcome,
            }
        }
        Err(Der::UNREACH.err(format!("no rank of the service of pool {pool} can be reached")))
    }

    /// Ranks of a pool's service, as this rank knows them.
    ///
    /// # Errors
    /// `NONEXIST`: the pool is not on this rank.
    pub fn service_ranks(&self, pool: Uuid) -> Result<Vec<Rank>> {
        match self.records.borrow().get(&pool) {
            Some(record) => Ok(record.service_ranks.clone()),
            None => Err(Der::NONEXIST.err(format!("pool {pool} is not on rank {}", self.rank()))),
        }
    }
}

/// Whether an error says that another replica should be asked.
pub fn is_elsewhere(error: &Error) -> bool {
    matches!(error.code(), Der::UNREACH | Der::TIMEDOUT | Der::NOTLEADER | Der::NOTREPLICA | Der::OOG)
}
