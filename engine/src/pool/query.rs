//! Pool queries: map, space, properties, containers.

use super::{PoolService, props};
use crate::service::Service;
use daos_common::acl::perm;
use daos_common::props::co;
use daos_common::wire::Opcode;
use daos_common::wire::pool::{
    ContEntry, PoolListContReply, PoolQueryReply, PoolQueryRequest, PoolSpace, TargetSpaceReply, TargetSpaceRequest,
    TierSpace,
};
use daos_common::{Der, Error, Rank, Result};
use std::rc::Rc;
use uuid::Uuid;

/// Space of the targets that answered.
#[derive(Default)]
pub struct TargetSpaces {
    /// By rank, then target; memory tier and data tier.
    pub targets: Vec<(Rank, Vec<[TierSpace; 2]>)>,
    /// Ranks of the pool that are not up.
    pub dead: Vec<Rank>,
}

impl TargetSpaces {
    /// The pool's.
    pub fn sum(&self) -> PoolSpace {
        let targets: Vec<[TierSpace; 2]> = self.targets.iter().flat_map(|(_, targets)| targets).copied().collect();
        let mut space = PoolSpace { targets: targets.len() as u32, ..PoolSpace::default() };
        for tier in 0..2 {
            let free = || targets.iter().map(|target| target[tier].free);
            space.sum[tier].total = targets.iter().map(|target| target[tier].total).sum();
            space.sum[tier].free = free().sum();
            space.free_min[tier] = free().min().unwrap_or(0);
            space.free_max[tier] = free().max().unwrap_or(0);
            space.free_mean[tier] = space.sum[tier].free / (targets.len() as u64).max(1);
        }
        space
    }
}

/// Whether a rank's failure to answer says that it is not up: gone, on its way, or not known to the system.
fn is_down(error: &Error) -> bool {
    matches!(error.code(), Der::UNREACH | Der::TIMEDOUT | Der::OOG | Der::INPROGRESS)
}

impl PoolService {
    /// The pool's state.
    ///
    /// # Errors
    /// `NO_HDL`; what asking the targets for their space says.
    pub async fn query(&self, service: &Rc<Service>, request: PoolQueryRequest) -> Result<PoolQueryReply> {
        if !request.handle.is_nil() {
            self.handle(request.handle)?;
        }
        let space = match request.space {
            true => Some(self.space(service).await?),
            false => None,
        };
        let state = self.state.borrow();
        Ok(PoolQueryReply {
            pool: self.pool,
            label: props::label(&state.props, daos_common::props::po::LABEL).to_owned(),
            map: self.map(),
            space,
            props: props::select(&state.props, &request.props),
            leader: service.rank(),
            service_ranks: self.service_ranks(),
            handles: state.handles.len() as u32,
            containers: state.conts.values().filter(|cont| !cont.destroying).count() as u32,
        })
    }

    /// Space of every target, by rank. A rank that is not up doesn't fail it: the others' figures are what there is.
    ///
    /// # Errors
    /// Of the first rank that answers with an error of its own.
    pub async fn target_spaces(&self, service: &Rc<Service>) -> Result<TargetSpaces> {
        let (ranks, request) = (self.ranks(), TargetSpaceRequest { pool: self.pool });
        let mut spaces = TargetSpaces::default();
        for (rank, answer) in service.broadcast(&ranks, Opcode::PoolTargetQuery, &request).await {
            let answer: Result<TargetSpaceReply> = answer;
            match answer {
                Ok(reply) => spaces.targets.push((rank, reply.targets)),
                Err(error) if is_down(&error) => spaces.dead.push(rank),
                Err(error) => return Err(error.at(format!("on rank {rank}"))),
            }
        }
        Ok(spaces)
    }

    /// Space of the pool.
    ///
    /// # Errors
    /// As [`PoolService::target_spaces`].
    pub async fn space(&self, service: &Rc<Service>) -> Result<PoolSpace> {
        Ok(self.target_spaces(service).await?.sum())
    }

    /// The containers, for an open handle.
    ///
    /// # Errors
    /// `NO_HDL`.
    pub fn list_containers(&self, handle: Uuid) -> Result<PoolListContReply> {
        self.handle(handle)?;
        Ok(PoolListContReply { containers: self.containers() })
    }

    /// The containers, in order of label, then UUID.
    pub fn containers(&self) -> Vec<ContEntry> {
        let state = self.state.borrow();
        let alive = state.conts.iter().filter(|(_, cont)| !cont.destroying);
        let entry = |(uuid, cont): (&Uuid, &super::state::Container)| ContEntry {
            uuid: *uuid,
            label: props::label(&cont.props, co::LABEL).to_owned(),
        };
        let mut containers: Vec<ContEntry> = alive.map(entry).collect();
        containers.sort_by(|a, b| (&a.label, a.uuid).cmp(&(&b.label, b.uuid)));
        containers
    }
}

/// Whether permissions let properties be read.
pub fn may_read_props(permissions: u64) -> bool {
    permissions & (perm::GET_PROP | perm::READ) != 0
}
