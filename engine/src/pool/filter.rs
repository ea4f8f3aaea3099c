//! Lists of containers by conditions on their metadata (`daos_pool_filter_cont`).

use super::state::Container;
use super::{PoolService, props};
use daos_common::props::co;
use daos_common::wire::pool::{
    ContEntry, ContInfo, FILTER_PARTS_MAX, FilterKey, PoolFilterContReply, PoolFilterContRequest,
};
use daos_common::{Der, Result};
use uuid::Uuid;

impl PoolService {
    /// The containers that meet the conditions, with their state.
    ///
    /// # Errors
    /// `NO_HDL`; `INVAL`: too many conditions.
    pub fn filter_containers(&self, request: PoolFilterContRequest) -> Result<PoolFilterContReply> {
        self.handle(request.handle)?;
        let parts = &request.parts;
        if parts.len() > FILTER_PARTS_MAX {
            return Err(Der::INVAL.err(format!("{} conditions; at most {FILTER_PARTS_MAX}", parts.len())));
        }
        let state = self.state.borrow();
        let alive = state.conts.iter().filter(|(_, cont)| !cont.destroying);
        let mut containers: Vec<ContInfo> = alive.map(|(uuid, cont)| self.info(*uuid, cont)).collect();
        drop(state);
        containers.retain(|info| {
            let mut met = parts.iter().map(|part| part.comparison.holds(field(info, part.key), part.value));
            parts.is_empty() || if request.any { met.any(|met| met) } else { met.all(|met| met) }
        });
        containers.sort_by(|a, b| (&a.id.label, a.id.uuid).cmp(&(&b.id.label, b.id.uuid)));
        Ok(PoolFilterContReply { containers })
    }

    fn info(&self, uuid: Uuid, cont: &Container) -> ContInfo {
        ContInfo {
            id: ContEntry { uuid, label: props::label(&cont.props, co::LABEL).to_owned() },
            newest_snapshot: cont.snapshots.last().map_or(0, |snapshot| snapshot.epoch),
            handles: self.handles_of(uuid).len() as u32,
            snapshots: cont.snapshots.len() as u32,
            open_time: cont.open_time,
            modify_time: cont.modify_time,
        }
    }
}

fn field(info: &ContInfo, key: FilterKey) -> u64 {
    match key {
        FilterKey::OpenTime => info.open_time,
        FilterKey::ModifyTime => info.modify_time,
        FilterKey::Snapshots => u64::from(info.snapshots),
        FilterKey::Handles => u64::from(info.handles),
    }
}
