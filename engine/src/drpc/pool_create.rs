//! Creation of a pool: shares on all of its ranks, then the service on this one.

use super::pool_view::props_of;
use super::pools::{destroy_everywhere, parse};
use crate::pool::{Creation, PoolService};
use crate::service::Service;
use daos_common::acl::{Acl, Entry, Ownership};
use daos_common::label::check_label;
use daos_common::pool_map::{PoolMap, RankPlace};
use daos_common::props::{self, po};
use daos_common::wire::Opcode;
use daos_common::wire::mgmt::TargetCreateRequest;
use daos_common::{Der, Rank, Result};
use daos_proto::mgmt;
use std::rc::Rc;

/// Carries out POOL_CREATE. Repeating it for a pool that was made gives the same answer.
///
/// # Errors
/// `INVAL`: UUID, ranks, sizes, fault domains, properties or ACL; `OOG`: a rank that isn't in the group; `NOSPACE`;
/// what a rank says. Nothing is left of the pool then.
pub async fn create(service: Rc<Service>, request: mgmt::PoolCreateReq) -> Result<mgmt::PoolCreateResp> {
    let pool = parse(&request.uuid)?;
    if service.rank() == Rank::NONE {
        return Err(Der::INPROGRESS.err("this engine has no rank yet"));
    }
    if let Ok(there) = service.pool(pool) {
        return Ok(answer(&service, &there, &request));
    }
    let ranks = ranks(&service, &request)?;
    let (props, map) = (properties(&request)?, map(&service, &request, &ranks)?);
    let [scm_bytes, data_bytes] = tier_bytes(&request)?;
    let shares = TargetCreateRequest {
        pool,
        scm_bytes,
        data_bytes,
        data_threshold_bytes: props::number(&props, po::DATA_THRESH),
        service_ranks: vec![service.rank()],
    };
    let made = make(&service, &ranks, &shares, map, props).await;
    if let Err(error) = made {
        if let Err(left) = destroy_everywhere(&service, pool, ranks).await {
            tracing::error!("pool {pool}: what was made of it cannot be removed: {left}");
        }
        return Err(error.at(format!("creating pool {pool}")));
    }
    let there = service.pool(pool)?;
    tracing::info!("pool {pool} ({:?}) is made on {} ranks", there.label(), ranks.len());
    Ok(answer(&service, &there, &request))
}

async fn make(
    service: &Rc<Service>,
    ranks: &[Rank],
    shares: &TargetCreateRequest,
    map: PoolMap,
    props: Vec<daos_common::wire::pool::Prop>,
) -> Result<()> {
    service.broadcast_all::<_, ()>(ranks, Opcode::TargetCreate, shares).await?;
    let (pool, path) = (shares.pool, service.storage().service_path(shares.pool));
    if service.pool(pool).is_ok() {
        return Ok(());
    }
    let creation =
        Creation { pool, map, props, service_ranks: shares.service_ranks.clone(), created: service.clock.now() };
    let made = PoolService::create(&path, service.durability, creation)?;
    service.push_map_version(&made).await;
    service.add_pool(pool, Ok(made));
    Ok(())
}

fn ranks(service: &Service, request: &mgmt::PoolCreateReq) -> Result<Vec<Rank>> {
    let known = service.group_ranks();
    let ranks: Vec<Rank> = match request.ranks.is_empty() {
        true if known.is_empty() => vec![service.rank()],
        true => known.clone(),
        false => request.ranks.iter().map(|&rank| Rank(rank)).collect(),
    };
    let stranger = ranks.iter().find(|rank| **rank != service.rank() && !known.contains(rank));
    if let Some(rank) = stranger {
        return Err(Der::OOG.err(format!("rank {rank} is not in the group map")));
    }
    if !ranks.contains(&service.rank()) {
        // The service's replica stands on a rank of the pool, and it is made here.
        return Err(Der::INVAL.err(format!("the pool is asked of rank {}, which it is not on", service.rank())));
    }
    Ok(ranks)
}

/// Bytes on each rank: SCM, data tier.
fn tier_bytes(request: &mgmt::PoolCreateReq) -> Result<[u64; 2]> {
    match request.tier_bytes.as_slice() {
        [scm] => Ok([*scm, 0]),
        [scm, data] => Ok([*scm, *data]),
        other => Err(Der::INVAL.err(format!("{} tiers; a pool has one or two", other.len()))),
    }
}

fn map(service: &Service, request: &mgmt::PoolCreateReq, ranks: &[Rank]) -> Result<PoolMap> {
    let targets = service.uris().len().saturating_sub(1) as u32;
    let map = match request.fault_domains.is_empty() {
        true => {
            let place = |&rank: &Rank| RankPlace { rank, targets, fault_domain: String::new() };
            PoolMap::from_ranks(1, &ranks.iter().map(place).collect::<Vec<_>>())?
        }
        false => PoolMap::from_fault_domains(1, &request.fault_domains, targets)?,
    };
    let mut placed: Vec<Rank> = map.ranks().collect();
    let mut asked = ranks.to_vec();
    placed.sort();
    asked.sort();
    if placed != asked {
        return Err(Der::INVAL.err(format!("the fault domains name ranks {placed:?}, the request {asked:?}")));
    }
    Ok(map)
}

fn properties(request: &mgmt::PoolCreateReq) -> Result<Vec<daos_common::wire::pool::Prop>> {
    let asked = props_of(&request.properties)?;
    if let Some(daos_common::wire::pool::PropValue::Text(label)) = props::get(&asked, po::LABEL) {
        check_label(label)?;
    }
    let principal = |name: &str| if name.is_empty() { "NOBODY@".to_owned() } else { name.to_owned() };
    let owner = Ownership { user: principal(&request.user), group: principal(&request.user_group) };
    let acl = match request.acl.is_empty() {
        true => Acl::default_pool(),
        false => Acl::new(request.acl.iter().map(|text| Entry::parse(text)).collect::<Result<_>>()?)?,
    };
    Creation::props(&asked, owner, &acl)
}

fn answer(service: &Service, pool: &PoolService, request: &mgmt::PoolCreateReq) -> mgmt::PoolCreateResp {
    let numbers = |ranks: Vec<Rank>| ranks.into_iter().map(|rank| rank.0).collect();
    let mut tier_bytes = request.tier_bytes.clone();
    tier_bytes.resize(2, 0);
    mgmt::PoolCreateResp {
        status: 0,
        svc_ldr: service.rank().0,
        svc_reps: numbers(pool.service_ranks()),
        tgt_ranks: numbers(pool.map().ranks().collect()),
        mem_file_bytes: tier_bytes[0],
        tier_bytes,
        md_on_ssd_active: false,
    }
}
