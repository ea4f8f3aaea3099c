//! What daos_server sees of a pool: state, targets, properties.

use crate::pool::{PoolService, TargetSpaces};
use crate::service::Service;
use daos_common::pool_map::{ComponentState, PoolMap};
use daos_common::props::{self, po};
use daos_common::wire::pool::{PoolSpace, Prop, PropValue, TierSpace};
use daos_common::{Der, Rank, Result};
use daos_proto::mgmt;
use mgmt::pool_property::Value;
use std::rc::Rc;

/// `DPI_SPACE`.
const ASK_SPACE: u64 = 1 << 0;
/// `DPI_REBUILD_STATUS`.
const ASK_REBUILD: u64 = 1 << 1;
/// `DPI_ENGINES_ENABLED`.
const ASK_ENABLED: u64 = 1 << 2;
/// `DPI_ENGINES_DISABLED`.
const ASK_DISABLED: u64 = 1 << 3;
/// `DPI_ENGINES_DEAD`.
const ASK_DEAD: u64 = 1 << 4;
/// `DPI_SELF_HEAL_POLICY`.
const ASK_SELF_HEAL: u64 = 1 << 6;

/// POOL_QUERY.
pub async fn query(
    service: Rc<Service>,
    pool: Rc<PoolService>,
    request: mgmt::PoolQueryReq,
) -> Result<mgmt::PoolQueryResp> {
    let mask = request.query_mask;
    let asks = |bit: u64| mask & bit != 0;
    let (map, list) = (pool.map(), pool.props());
    let enabled: Vec<Rank> = map.ranks_in_service().collect();
    let disabled: Vec<Rank> = map.ranks().filter(|rank| !enabled.contains(rank)).collect();
    let in_service = map.targets.iter().filter(|target| target.state.in_service()).count() as u32;
    let total = map.targets.len() as u32;
    // Asking the ranks for their space also shows which of them are not up.
    let spaces = if asks(ASK_SPACE | ASK_DEAD) { Some(pool.target_spaces(&service).await?) } else { None };
    let space = spaces.as_ref().filter(|_| asks(ASK_SPACE)).map(TargetSpaces::sum);
    let dead = spaces.map(|spaces| spaces.dead).unwrap_or_default();
    let idle = mgmt::PoolRebuildStatus {
        state: mgmt::pool_rebuild_status::State::Idle as i32,
        derived_state: mgmt::pool_rebuild_status::State::Idle as i32,
        ..Default::default()
    };
    let version = props::number(&list, po::GLOBAL_VERSION) as u32;
    Ok(mgmt::PoolQueryResp {
        uuid: pool.pool().to_string(),
        label: pool.label(),
        total_targets: total,
        active_targets: in_service,
        disabled_targets: total - in_service,
        rebuild: Some(idle).filter(|_| asks(ASK_REBUILD)),
        mem_file_bytes: space.as_ref().map_or(0, |space| space.sum[0].total),
        tier_stats: space.as_ref().map(tier_stats).unwrap_or_default(),
        version: map.version,
        leader: service.rank().0,
        enabled_ranks: if asks(ASK_ENABLED) { ranges(&enabled) } else { String::new() },
        disabled_ranks: if asks(ASK_DISABLED) { ranges(&disabled) } else { String::new() },
        dead_ranks: if asks(ASK_DEAD) { ranges(&dead) } else { String::new() },
        total_engines: map.ranks().count() as u32,
        pool_layout_ver: version,
        upgrade_layout_ver: version,
        state: mgmt::PoolServiceState::Ready as i32,
        svc_ldr: service.rank().0,
        svc_reps: pool.service_ranks().into_iter().map(|rank| rank.0).collect(),
        query_mask: mask,
        self_heal_policy: if asks(ASK_SELF_HEAL) { self_heal(&list) } else { String::new() },
        ..Default::default()
    })
}

fn self_heal(list: &[Prop]) -> String {
    match (props::by_number(po::SELF_HEAL), props::get(list, po::SELF_HEAL)) {
        (Ok(info), Some(value)) => props::print_value(info, value),
        _ => String::new(),
    }
}

fn tier_stats(space: &PoolSpace) -> Vec<mgmt::StorageUsageStats> {
    let media = [mgmt::StorageMediaType::Scm, mgmt::StorageMediaType::Nvme];
    let tier = |tier: usize| mgmt::StorageUsageStats {
        total: space.sum[tier].total,
        free: space.sum[tier].free,
        min: space.free_min[tier],
        max: space.free_max[tier],
        mean: space.free_mean[tier],
        media_type: media[tier] as i32,
    };
    (0..2).map(tier).collect()
}

/// Ranks as text: `[0-3,5]`; empty for none.
fn ranges(ranks: &[Rank]) -> String {
    let mut numbers: Vec<u32> = ranks.iter().map(|rank| rank.0).collect();
    numbers.sort_unstable();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let text = |&(first, last): &(u32, u32)| if first == last { format!("{first}") } else { format!("{first}-{last}") };
    match runs.is_empty() {
        true => String::new(),
        false => format!("[{}]", runs.iter().map(text).collect::<Vec<_>>().join(",")),
    }
}

/// POOL_QUERY_TARGETS.
pub async fn query_targets(
    service: Rc<Service>,
    pool: Rc<PoolService>,
    request: mgmt::PoolQueryTargetReq,
) -> Result<mgmt::PoolQueryTargetResp> {
    let (map, rank) = (pool.map(), Rank(request.rank));
    let spaces = pool.target_spaces(&service).await?;
    let own =
        spaces.targets.into_iter().find(|(other, _)| *other == rank).map(|(_, targets)| targets).unwrap_or_default();
    let wanted: Vec<u32> = match request.targets.is_empty() {
        true => map.targets_of(rank).iter().map(|target| target.index).collect(),
        false => request.targets,
    };
    let info = |index: &u32| target_info(&map, rank, *index, own.get(*index as usize));
    let infos = wanted.iter().map(info).collect::<Result<_>>()?;
    Ok(mgmt::PoolQueryTargetResp { status: 0, infos })
}

fn target_info(
    map: &PoolMap,
    rank: Rank,
    index: u32,
    space: Option<&[TierSpace; 2]>,
) -> Result<mgmt::PoolQueryTargetInfo> {
    use mgmt::pool_query_target_info::TargetState;
    let state = match map.find_target(rank, index)?.state {
        ComponentState::New => TargetState::New,
        ComponentState::Up => TargetState::Up,
        ComponentState::UpIn => TargetState::UpIn,
        ComponentState::Down => TargetState::Down,
        ComponentState::DownOut => TargetState::DownOut,
        ComponentState::Drain => TargetState::Drain,
    };
    let media = [mgmt::StorageMediaType::Scm, mgmt::StorageMediaType::Nvme];
    let tiers = space.copied().unwrap_or_default();
    let usage = |tier: usize| mgmt::StorageTargetUsage {
        total: tiers[tier].total,
        free: tiers[tier].free,
        media_type: media[tier] as i32,
    };
    Ok(mgmt::PoolQueryTargetInfo {
        state: state as i32,
        space: (0..2).map(usage).collect(),
        mem_file_bytes: tiers[0].total,
        ..Default::default()
    })
}

/// POOL_SET_PROP.
pub async fn set_prop(
    _: Rc<Service>,
    pool: Rc<PoolService>,
    request: mgmt::PoolSetPropReq,
) -> Result<mgmt::PoolSetPropResp> {
    pool.set_props(&props_of(&request.properties)?)?;
    Ok(mgmt::PoolSetPropResp::default())
}

/// POOL_GET_PROP: those named, or all.
pub async fn get_prop(
    _: Rc<Service>,
    pool: Rc<PoolService>,
    request: mgmt::PoolGetPropReq,
) -> Result<mgmt::PoolGetPropResp> {
    let list = pool.props();
    let wanted = |prop: &&Prop| {
        request.properties.is_empty() || request.properties.iter().any(|asked| asked.number == prop.number)
    };
    let properties = list.iter().filter(wanted).map(|prop| to_property(prop, &pool)).collect();
    Ok(mgmt::PoolGetPropResp { status: 0, properties })
}

fn to_property(prop: &Prop, pool: &PoolService) -> mgmt::PoolProperty {
    let value = match &prop.value {
        PropValue::Number(number) => Value::Numval(*number),
        PropValue::Text(text) => Value::Strval(text.clone()),
        // The list of service ranks is what the service says now, as text.
        PropValue::Bytes(_) if prop.number == po::SVC_LIST => Value::Strval(ranges(&pool.service_ranks())),
        PropValue::Bytes(bytes) => Value::Byteval(bytes.clone()),
    };
    mgmt::PoolProperty { number: prop.number, value: Some(value) }
}

/// Properties from a management request.
///
/// # Errors
/// `INVAL`: one without a value.
pub fn props_of(properties: &[mgmt::PoolProperty]) -> Result<Vec<Prop>> {
    let prop = |property: &mgmt::PoolProperty| {
        let value = match &property.value {
            Some(Value::Strval(text)) => PropValue::Text(text.clone()),
            Some(Value::Numval(number)) => PropValue::Number(*number),
            Some(Value::Byteval(bytes)) => PropValue::Bytes(bytes.clone()),
            None => return Err(Der::INVAL.err(format!("property {} has no value", property.number))),
        };
        Ok(Prop { number: property.number, value })
    };
    properties.iter().map(prop).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: ranks are shown in ranges.
    #[test]
    fn rank_ranges() {
        assert_eq!(ranges(&[Rank(5), Rank(0), Rank(1), Rank(2)]), "[0-2,5]");
        assert_eq!(ranges(&[]), "");
    }
}
