//! Operations on a pool that exists: checked here, done by its service.

use super::Mgmt;
use super::pool::{POOL_LIMIT, label_of};
use crate::system::{Change, PoolService, State};
use daos_common::label::check_label;
use daos_common::{Der, Result};
use daos_proto::Message;
use daos_proto::drpc::Method;
use daos_proto::mgmt::{
    AclResp, ContSetOwnerReq, DaosResp, DeleteAclReq, GetAclReq, ListContReq, ListContResp, ModifyAclReq, PoolEvictReq,
    PoolEvictResp, PoolGetPropReq, PoolGetPropResp, PoolQueryReq, PoolQueryResp, PoolQueryTargetReq,
    PoolQueryTargetResp, PoolServiceState, PoolSetPropReq, PoolSetPropResp,
};

/// A request to a pool's service.
pub trait PoolRequest: Message {
    /// The system it is for.
    fn system(&mut self) -> &mut String;
    /// The pool, by label or UUID.
    fn pool(&mut self) -> &mut String;
    /// The ranks of the pool's service.
    fn service_ranks(&mut self) -> &mut Vec<u32>;
}

macro_rules! pool_requests {
    ($($name:ident: $pool:ident;)*) => {
        $(impl PoolRequest for $name {
            fn system(&mut self) -> &mut String { &mut self.sys }
            fn pool(&mut self) -> &mut String { &mut self.$pool }
            fn service_ranks(&mut self) -> &mut Vec<u32> { &mut self.svc_ranks }
        })*
    };
}

pool_requests! {
    PoolQueryReq: id;
    PoolQueryTargetReq: id;
    GetAclReq: id;
    ModifyAclReq: id;
    DeleteAclReq: id;
    PoolSetPropReq: id;
    PoolGetPropReq: id;
    PoolEvictReq: id;
    ListContReq: id;
    ContSetOwnerReq: pool_id;
}

impl Mgmt {
    /// Passes a request to the pool's service, with the pool's UUID and service ranks filled in.
    async fn pass_on<Q: PoolRequest, R: Message + Default>(&self, method: Method, mut request: Q) -> Result<R> {
        let state = self.checked(request.system())?;
        let pool = state.ready_pool(request.pool())?.clone();
        *request.pool() = pool.uuid.to_string();
        *request.system() = self.server.config.name.clone();
        if request.service_ranks().is_empty() {
            *request.service_ranks() = service_ranks(&state, &pool)?;
        }
        let ranks = request.service_ranks().clone();
        self.server.any_engine(&ranks)?.call(method, &request, POOL_LIMIT).await
    }

    /// State and space of a pool.
    ///
    /// # Errors
    /// `NONEXIST`, `AGAIN`, and those of the call to the engine.
    pub async fn pool_query(&self, request: PoolQueryReq) -> Result<PoolQueryResp> {
        let state = self.checked(&request.sys)?;
        let pool = state.ready_pool(&request.id)?.clone();
        let mut response: PoolQueryResp = self.pass_on(Method::PoolQuery, request).await?;
        if response.status != 0 {
            return Ok(response);
        }
        response.uuid = pool.uuid.to_string();
        if response.label.is_empty() {
            response.label = pool.label;
        }
        if response.svc_reps.is_empty() {
            response.svc_reps = pool.replicas;
        }
        if response.state() == PoolServiceState::Creating {
            response.state = PoolServiceState::Ready as i32;
        }
        response.sys_self_heal_policy = super::system_ops::self_heal_policy(&state);
        Ok(response)
    }

    /// State and space of targets.
    ///
    /// # Errors
    /// As [`Mgmt::pool_query`].
    pub async fn pool_query_targets(&self, request: PoolQueryTargetReq) -> Result<PoolQueryTargetResp> {
        self.pass_on(Method::PoolQueryTargets, request).await
    }

    /// Reads, replaces, changes the access list of a pool, or deletes an entry; by `method`.
    ///
    /// # Errors
    /// As [`Mgmt::pool_query`].
    pub async fn pool_acl<Q: PoolRequest>(&self, method: Method, request: Q) -> Result<AclResp> {
        self.pass_on(method, request).await
    }

    /// Sets properties. A new label is checked and goes into the directory of pools.
    ///
    /// # Errors
    /// As [`Mgmt::pool_query`]; `EXIST` for a label in use.
    pub async fn pool_set_prop(&self, request: PoolSetPropReq) -> Result<PoolSetPropResp> {
        let state = self.checked(&request.sys)?;
        let pool = state.ready_pool(&request.id)?.clone();
        let label = label_of(&request.properties).map(str::to_string);
        if let Some(label) = &label {
            check_label(label).map_err(|error| error.at("pool set-prop"))?;
            if let Some(other) = state.pool_by_label(label).filter(|other| other.uuid != pool.uuid) {
                return Err(Der::EXIST.err(format!("a pool with label {label:?} exists already ({})", other.uuid)));
            }
        }
        let response: PoolSetPropResp = self.pass_on(Method::PoolSetProp, request).await?;
        if let (0, Some(label)) = (response.status, label) {
            self.system()?.commit(|state| {
                let known = state.pools.get(&pool.uuid);
                Ok(known.map(|known| Change::UpdatePool(PoolService { label: label.clone(), ..known.clone() })))
            })?;
        }
        Ok(response)
    }

    /// Reads properties.
    ///
    /// # Errors
    /// As [`Mgmt::pool_query`].
    pub async fn pool_get_prop(&self, request: PoolGetPropReq) -> Result<PoolGetPropResp> {
        self.pass_on(Method::PoolGetProp, request).await
    }

    /// Revokes handles.
    ///
    /// # Errors
    /// As [`Mgmt::pool_query`].
    pub async fn pool_evict(&self, request: PoolEvictReq) -> Result<PoolEvictResp> {
        self.pass_on(Method::PoolEvict, request).await
    }

    /// Lists containers.
    ///
    /// # Errors
    /// As [`Mgmt::pool_query`].
    pub async fn list_containers(&self, request: ListContReq) -> Result<ListContResp> {
        self.pass_on(Method::ListContainers, request).await
    }

    /// Sets the owner of a container.
    ///
    /// # Errors
    /// As [`Mgmt::pool_query`].
    pub async fn cont_set_owner(&self, request: ContSetOwnerReq) -> Result<DaosResp> {
        self.pass_on(Method::ContSetOwner, request).await
    }
}

/// The ranks of a pool's service that are up.
fn service_ranks(state: &State, pool: &PoolService) -> Result<Vec<u32>> {
    let is_up = |rank: &u32| state.members.get(rank).is_some_and(|member| member.state.is_available());
    let ranks: Vec<u32> = pool.replicas.iter().copied().filter(is_up).collect();
    match ranks.is_empty() {
        false => Ok(ranks),
        true => Err(Der::NO_SERVICE.err(format!(
            "no service rank of pool {} is up (they are {})",
            pool.label,
            crate::system::ranks::format(pool.replicas.iter().copied())
        ))),
    }
}
