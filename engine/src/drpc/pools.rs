//! Calls of daos_server about pools.

use super::mgmt::{done, run};
use super::{pool_create, pool_view};
use crate::pool::PoolService;
use crate::service::Service;
use crate::service::rank_pools::is_elsewhere;
use daos_common::acl::{Acl, Entry, Ownership, Principal};
use daos_common::label::parse_name;
use daos_common::wire::Opcode;
use daos_common::wire::mgmt::{ForwardReply, ForwardRequest, TargetDestroyRequest};
use daos_common::{Der, Rank, Result};
use daos_proto::drpc::{Method, Reply, Status, decode_body};
use daos_proto::{Message, mgmt};
use std::rc::Rc;
use uuid::Uuid;

/// A call about one pool: which, and where its service is said to be.
trait PoolCall: Message + Default {
    fn place(&self) -> (&str, &[u32]);
}

macro_rules! pool_calls {
    ($($name:ident: $id:ident),* $(,)?) => {
        $(impl PoolCall for mgmt::$name {
            fn place(&self) -> (&str, &[u32]) {
                (&self.$id, &self.svc_ranks)
            }
        })*
    };
}

pool_calls!(
    PoolDestroyReq: id,
    PoolEvictReq: id,
    PoolQueryReq: id,
    PoolQueryTargetReq: id,
    PoolSetPropReq: id,
    PoolGetPropReq: id,
    ListContReq: id,
    GetAclReq: id,
    ModifyAclReq: id,
    DeleteAclReq: id,
    ContSetOwnerReq: pool_id,
);

/// Carries out a call about a pool, here or where its service is; `None` if it isn't such a call.
pub async fn call(service: &Rc<Service>, method: Method, body: &[u8]) -> Option<Reply> {
    Some(match method {
        Method::PoolCreate => {
            run(method, body, |request: mgmt::PoolCreateReq| pool_create::create(service.clone(), request)).await
        }
        Method::PoolDestroy => route::<mgmt::PoolDestroyReq, mgmt::PoolDestroyResp>(service, method, body).await,
        Method::PoolEvict => route::<mgmt::PoolEvictReq, mgmt::PoolEvictResp>(service, method, body).await,
        Method::PoolQuery => route::<mgmt::PoolQueryReq, mgmt::PoolQueryResp>(service, method, body).await,
        Method::PoolQueryTargets => {
            route::<mgmt::PoolQueryTargetReq, mgmt::PoolQueryTargetResp>(service, method, body).await
        }
        Method::PoolSetProp => route::<mgmt::PoolSetPropReq, mgmt::PoolSetPropResp>(service, method, body).await,
        Method::PoolGetProp => route::<mgmt::PoolGetPropReq, mgmt::PoolGetPropResp>(service, method, body).await,
        Method::ListContainers => route::<mgmt::ListContReq, mgmt::ListContResp>(service, method, body).await,
        Method::PoolGetAcl => route::<mgmt::GetAclReq, mgmt::AclResp>(service, method, body).await,
        Method::PoolOverwriteAcl | Method::PoolUpdateAcl => {
            route::<mgmt::ModifyAclReq, mgmt::AclResp>(service, method, body).await
        }
        Method::PoolDeleteAcl => route::<mgmt::DeleteAclReq, mgmt::AclResp>(service, method, body).await,
        Method::ContSetOwner => route::<mgmt::ContSetOwnerReq, mgmt::DaosResp>(service, method, body).await,
        _ => return None,
    })
}

async fn route<Q: PoolCall, A: super::mgmt::Answer>(service: &Rc<Service>, method: Method, body: &[u8]) -> Reply {
    let request: Q = decode_body(body)?;
    let (id, ranks) = request.place();
    match try_route(service, method, body, id, ranks).await {
        Ok(reply) => reply,
        Err(error) => done::<A>(method, Err(error.at(format!("pool {id}")))),
    }
}

async fn try_route(service: &Rc<Service>, method: Method, body: &[u8], id: &str, ranks: &[u32]) -> Result<Reply> {
    let pool = parse(id)?;
    let here = match service.pool(pool) {
        Err(error) if matches!(error.code(), Der::NONEXIST | Der::NOTREPLICA) => error,
        _ => return call_here(service, method, body).await,
    };
    let others = ranks.iter().map(|&rank| Rank(rank)).chain(service.service_ranks(pool).unwrap_or_default());
    let mut last = here;
    for rank in others.filter(|&rank| rank != service.rank()) {
        let request = ForwardRequest { method: method as i32 as u32, body: body.to_vec() };
        match service.call_rank::<_, ForwardReply>(rank, Opcode::MgmtForward, &request).await {
            Ok(reply) => return Ok(Ok(reply.body)),
            Err(error) if is_elsewhere(&error) || error.code() == Der::NONEXIST => last = error,
            Err(error) => return Err(error),
        }
    }
    // A pool whose service is nowhere can still be cleared away.
    if method == Method::PoolDestroy && last.code() == Der::NONEXIST {
        destroy_everywhere(service, pool, service.group_ranks()).await?;
        return Ok(done(method, Ok(mgmt::PoolDestroyResp::default())));
    }
    Err(last)
}

pub(super) fn parse(uuid: &str) -> Result<Uuid> {
    Uuid::parse_str(uuid).map_err(|_| Der::INVAL.err(format!("{uuid:?} is not a UUID")))
}

/// Carries out a call about a pool whose service is on this rank.
///
/// # Errors
/// `NONEXIST`, `NOTREPLICA`: it isn't; `PROTO`: malformed; `INVAL`: not such a call.
pub async fn call_here(service: &Rc<Service>, method: Method, body: &[u8]) -> Result<Reply> {
    macro_rules! here {
        ($request:ty, $job:expr) => {{
            let request = match decode_body::<$request>(body) {
                Ok(request) => request,
                Err(status) => return Ok(Err(status)),
            };
            let pool = service.pool(parse(request.place().0)?)?;
            done(method, $job(service.clone(), pool, request).await)
        }};
    }
    Ok(match method {
        Method::PoolDestroy => here!(mgmt::PoolDestroyReq, destroy),
        Method::PoolEvict => here!(mgmt::PoolEvictReq, evict),
        Method::PoolQuery => here!(mgmt::PoolQueryReq, pool_view::query),
        Method::PoolQueryTargets => here!(mgmt::PoolQueryTargetReq, pool_view::query_targets),
        Method::PoolSetProp => here!(mgmt::PoolSetPropReq, pool_view::set_prop),
        Method::PoolGetProp => here!(mgmt::PoolGetPropReq, pool_view::get_prop),
        Method::ListContainers => here!(mgmt::ListContReq, list_containers),
        Method::PoolGetAcl => here!(mgmt::GetAclReq, get_acl),
        Method::PoolOverwriteAcl => here!(mgmt::ModifyAclReq, overwrite_acl),
        Method::PoolUpdateAcl => here!(mgmt::ModifyAclReq, update_acl),
        Method::PoolDeleteAcl => here!(mgmt::DeleteAclReq, delete_acl),
        Method::ContSetOwner => here!(mgmt::ContSetOwnerReq, cont_set_owner),
        _ => Err(Status::UnknownMethod),
    })
}

async fn destroy(
    service: Rc<Service>,
    pool: Rc<PoolService>,
    request: mgmt::PoolDestroyReq,
) -> Result<mgmt::PoolDestroyResp> {
    let open = pool.open_handles();
    if open > 0 && !request.force {
        return Err(
            Der::BUSY.err(format!("pool {} has {open} open handles; evict them or destroy it by force", pool.pool()))
        );
    }
    pool.evict(&service, &[], "").await?;
    let (uuid, ranks) = (pool.pool(), pool.map().ranks().collect());
    drop(pool);
    destroy_everywhere(&service, uuid, ranks).await?;
    Ok(mgmt::PoolDestroyResp::default())
}

/// Deletes a pool's shares: this rank's, which may hold its service, last.
pub(super) async fn destroy_everywhere(service: &Rc<Service>, pool: Uuid, ranks: Vec<Rank>) -> Result<()> {
    let request = TargetDestroyRequest { pool };
    let others: Vec<Rank> = ranks.into_iter().filter(|&rank| rank != service.rank()).collect();
    service.broadcast_all::<_, ()>(&others, Opcode::TargetDestroy, &request).await?;
    service.target_destroy(request).await
}

async fn evict(
    service: Rc<Service>,
    pool: Rc<PoolService>,
    request: mgmt::PoolEvictReq,
) -> Result<mgmt::PoolEvictResp> {
    let open = pool.open_handles();
    if request.destroy && !request.force_destroy && open > 0 {
        return Err(Der::BUSY.err(format!("pool {} has {open} open handles", pool.pool())));
    }
    let handles = request.handles.iter().map(|handle| parse(handle)).collect::<Result<Vec<_>>>()?;
    let reply = pool.evict(&service, &handles, &request.machine).await?;
    Ok(mgmt::PoolEvictResp { status: 0, count: i32::try_from(reply.evicted).unwrap_or(i32::MAX) })
}

async fn list_containers(_: Rc<Service>, pool: Rc<PoolService>, _: mgmt::ListContReq) -> Result<mgmt::ListContResp> {
    let cont = |entry: daos_common::wire::pool::ContEntry| mgmt::list_cont_resp::Cont { uuid: entry.uuid.to_string() };
    Ok(mgmt::ListContResp { status: 0, containers: pool.containers().into_iter().map(cont).collect() })
}

fn acl_resp((owner, acl): (Ownership, Acl)) -> Result<mgmt::AclResp> {
    let list = mgmt::AccessControlList { entries: acl.to_texts()?, owner_user: owner.user, owner_group: owner.group };
    Ok(mgmt::AclResp { status: 0, acl: Some(list) })
}

fn entries(texts: &[String]) -> Result<Vec<Entry>> {
    texts.iter().map(|text| Entry::parse(text)).collect()
}

async fn get_acl(_: Rc<Service>, pool: Rc<PoolService>, _: mgmt::GetAclReq) -> Result<mgmt::AclResp> {
    acl_resp(pool.acl()?)
}

async fn overwrite_acl(_: Rc<Service>, pool: Rc<PoolService>, request: mgmt::ModifyAclReq) -> Result<mgmt::AclResp> {
    let fresh = Acl::new(entries(&request.entries)?)?;
    acl_resp(pool.change_acl(|acl| {
        *acl = fresh;
        Ok(())
    })?)
}

async fn update_acl(_: Rc<Service>, pool: Rc<PoolService>, request: mgmt::ModifyAclReq) -> Result<mgmt::AclResp> {
    let changes = entries(&request.entries)?;
    acl_resp(pool.change_acl(|acl| changes.into_iter().try_for_each(|entry| acl.set(entry)))?)
}

async fn delete_acl(_: Rc<Service>, pool: Rc<PoolService>, request: mgmt::DeleteAclReq) -> Result<mgmt::AclResp> {
    let principal = Principal::parse(&request.principal)?;
    acl_resp(pool.change_acl(|acl| acl.remove(&principal))?)
}

async fn cont_set_owner(
    service: Rc<Service>,
    pool: Rc<PoolService>,
    request: mgmt::ContSetOwnerReq,
) -> Result<mgmt::DaosResp> {
    let name = parse_name(&request.cont_id)?;
    pool.cont_set_owner(&service, &name, &request.owner_user, &request.owner_group)?;
    Ok(mgmt::DaosResp::default())
}
