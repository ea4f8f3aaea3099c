//! The management service on gRPC. Methods that aren't here answer UNIMPLEMENTED.

use super::Mgmt;
use daos_common::Result;
use daos_proto::control::status::status_of;
use daos_proto::drpc::Method;
use daos_proto::mgmt::mgmt_svc_server::MgmtSvc;
use daos_proto::mgmt::*;
use daos_proto::shared::{ClusterEventReq, ClusterEventResp};
use tonic::{Request, Response, Status};

#[allow(clippy::result_large_err)] // tonic's type
fn answer<T>(result: Result<T>) -> Result<Response<T>, Status> {
    match result {
        Ok(message) => Ok(Response::new(message)),
        Err(error) => {
            tracing::debug!("request refused: {error}");
            Err(status_of(&error))
        }
    }
}

#[tonic::async_trait]
impl MgmtSvc for Mgmt {
    async fn join(&self, request: Request<JoinReq>) -> Result<Response<JoinResp>, Status> {
        let peer = request.remote_addr().map(|address| address.ip());
        let peer = peer.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        answer(Mgmt::join(self, request.into_inner(), Some(peer)))
    }

    async fn cluster_event(&self, request: Request<ClusterEventReq>) -> Result<Response<ClusterEventResp>, Status> {
        let request = request.into_inner();
        if let Some(event) = &request.event {
            super::events::log(event);
        }
        answer(Mgmt::cluster_event(self, &request))
    }

    async fn leader_query(&self, request: Request<LeaderQueryReq>) -> Result<Response<LeaderQueryResp>, Status> {
        answer(Mgmt::leader_query(self, request.get_ref()))
    }

    async fn pool_create(&self, request: Request<PoolCreateReq>) -> Result<Response<PoolCreateResp>, Status> {
        answer(self.detached(request, |this, request| async move { this.pool_create(request).await }).await)
    }

    async fn pool_destroy(&self, request: Request<PoolDestroyReq>) -> Result<Response<PoolDestroyResp>, Status> {
        answer(self.detached(request, |this, request| async move { this.pool_destroy(request).await }).await)
    }

    async fn pool_evict(&self, request: Request<PoolEvictReq>) -> Result<Response<PoolEvictResp>, Status> {
        answer(Mgmt::pool_evict(self, request.into_inner()).await)
    }

    async fn pool_query(&self, request: Request<PoolQueryReq>) -> Result<Response<PoolQueryResp>, Status> {
        answer(Mgmt::pool_query(self, request.into_inner()).await)
    }

    async fn pool_query_target(
        &self,
        request: Request<PoolQueryTargetReq>,
    ) -> Result<Response<PoolQueryTargetResp>, Status> {
        answer(self.pool_query_targets(request.into_inner()).await)
    }

    async fn pool_set_prop(&self, request: Request<PoolSetPropReq>) -> Result<Response<PoolSetPropResp>, Status> {
        answer(Mgmt::pool_set_prop(self, request.into_inner()).await)
    }

    async fn pool_get_prop(&self, request: Request<PoolGetPropReq>) -> Result<Response<PoolGetPropResp>, Status> {
        answer(Mgmt::pool_get_prop(self, request.into_inner()).await)
    }

    async fn pool_get_acl(&self, request: Request<GetAclReq>) -> Result<Response<AclResp>, Status> {
        answer(self.pool_acl(Method::PoolGetAcl, request.into_inner()).await)
    }

    async fn pool_overwrite_acl(&self, request: Request<ModifyAclReq>) -> Result<Response<AclResp>, Status> {
        answer(self.pool_acl(Method::PoolOverwriteAcl, request.into_inner()).await)
    }

    async fn pool_update_acl(&self, request: Request<ModifyAclReq>) -> Result<Response<AclResp>, Status> {
        answer(self.pool_acl(Method::PoolUpdateAcl, request.into_inner()).await)
    }

    async fn pool_delete_acl(&self, request: Request<DeleteAclReq>) -> Result<Response<AclResp>, Status> {
        answer(self.pool_acl(Method::PoolDeleteAcl, request.into_inner()).await)
    }

    async fn get_attach_info(&self, request: Request<GetAttachInfoReq>) -> Result<Response<GetAttachInfoResp>, Status> {
        answer(self.attach_info(request.get_ref()))
    }

    async fn list_pools(&self, request: Request<ListPoolsReq>) -> Result<Response<ListPoolsResp>, Status> {
        answer(Mgmt::list_pools(self, request.get_ref()))
    }

    async fn list_containers(&self, request: Request<ListContReq>) -> Result<Response<ListContResp>, Status> {
        answer(Mgmt::list_containers(self, request.into_inner()).await)
    }

    async fn cont_set_owner(&self, request: Request<ContSetOwnerReq>) -> Result<Response<DaosResp>, Status> {
        answer(Mgmt::cont_set_owner(self, request.into_inner()).await)
    }

    async fn system_query(&self, request: Request<SystemQueryReq>) -> Result<Response<SystemQueryResp>, Status> {
        answer(Mgmt::system_query(self, request.get_ref()))
    }

    async fn system_stop(&self, request: Request<SystemStopReq>) -> Result<Response<SystemStopResp>, Status> {
        answer(Mgmt::system_stop(self, request.get_ref()).await)
    }

    async fn system_start(&self, request: Request<SystemStartReq>) -> Result<Response<SystemStartResp>, Status> {
        answer(Mgmt::system_start(self, request.get_ref()).await)
    }

    async fn system_set_attr(&self, request: Request<SystemSetAttrReq>) -> Result<Response<DaosResp>, Status> {
        answer(self.set_attributes(request.get_ref()))
    }

    async fn system_get_attr(&self, request: Request<SystemGetAttrReq>) -> Result<Response<SystemGetAttrResp>, Status> {
        answer(self.get_attributes(request.get_ref()))
    }

    async fn system_set_prop(&self, request: Request<SystemSetPropReq>) -> Result<Response<DaosResp>, Status> {
        answer(self.set_properties(request.get_ref()))
    }

    async fn system_get_prop(&self, request: Request<SystemGetPropReq>) -> Result<Response<SystemGetPropResp>, Status> {
        answer(self.get_properties(request.get_ref()))
    }
}

impl Mgmt {
    /// Runs an operation to its end even if the caller goes away in the middle: one that was begun on the engines
    /// must be finished in the database.
    async fn detached<Q, R, Fut>(&self, request: Request<Q>, run: impl FnOnce(Mgmt, Q) -> Fut) -> Result<R>
    where
        Q: Send + 'static,
        R: Send + 'static,
        Fut: Future<Output = Result<R>> + Send + 'static,
    {
        match tokio::spawn(run(self.clone(), request.into_inner())).await {
            Ok(result) => result,
            Err(error) => Err(daos_common::Der::CANCELED.err(format!("the operation was cut off: {error}"))),
        }
    }
}
