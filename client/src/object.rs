//! Objects: opening, the layout over targets, requests to shards.
//!
//! An [`Object`] caches its layout for one version of the pool map; a request that a target answers with STALE makes
//! the pool fetch its map, and the object is placed anew. Replicated and erasure-coded objects can be opened for
//! reading only so far.

use crate::container::Container;
use crate::context::Context;
use crate::fork::Shared;
use crate::rpc::Retry;
use daos_common::placement::{LAYOUT_VERSION, Layout, Placer, ShardPlace, dkey_hash};
use daos_common::pool_map::DomainKind;
use daos_common::wire::Opcode;
use daos_common::wire::object::ObjHeader;
use daos_common::{Der, Epoch, ObjectId, Result, UnitOid};
use daos_fabric::Reply;
use std::rc::Rc;
use std::sync::Arc;

/// Opened for reading (`DAOS_OO_RO`).
pub const OPEN_RO: u32 = 1 << 1;
/// Opened for reading and writing (`DAOS_OO_RW`).
pub const OPEN_RW: u32 = 1 << 2;
/// Opened exclusively (`DAOS_OO_EXCL`).
pub const OPEN_EXCLUSIVE: u32 = 1 << 3;

/// Property number of the redundancy level (`DAOS_PROP_CO_REDUN_LVL`).
const PROP_REDUNDANCY_LEVEL: u32 = 0x1008;

/// An open object.
pub struct Object {
    container: Arc<Container>,
    oid: ObjectId,
    mode: u32,
    layout: Shared<Arc<Layout>>,
}

/// Which shard a request goes to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Route {
    /// The group that holds a dkey of this hash.
    Dkey(u64),
    /// This group.
    Group(u32),
    /// This shard of the layout, no other.
    Shard(u32),
}

/// A request to one shard.
pub(crate) struct ShardRequest<'a> {
    pub(crate) route: Route,
    pub(crate) opcode: Opcode,
    pub(crate) flags: u64,
    pub(crate) epoch: Epoch,
    pub(crate) payload: &'a [&'a [u8]],
}

impl Object {
    /// Opens an object; sends nothing.
    ///
    /// # Errors
    /// `INVAL`: no such class, or the pool is too small for it; `NOTSUPPORTED`: opened for writing, and its class is
    /// replicated or erasure-coded.
    pub fn open(container: &Arc<Container>, oid: ObjectId, mode: u32) -> Result<Arc<Object>> {
        let layout = place(container, oid)?;
        if layout.group_size > 1 && mode & (OPEN_RW | OPEN_EXCLUSIVE) != 0 {
            return Err(Der::NOTSUPPORTED.err(format!(
                "object {oid}: writing to replicated or erasure-coded classes is not built yet; use class S<n> or SX \
                 (container property rd_fac:0)"
            )));
        }
        Ok(Arc::new(Object { container: container.clone(), oid, mode, layout: Shared::new(layout) }))
    }

    /// Its container.
    pub fn container(&self) -> &Arc<Container> {
        &self.container
    }

    /// Its id.
    pub fn oid(&self) -> ObjectId {
        self.oid
    }

    /// The mode it was opened with.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// Number of redundancy groups.
    pub fn groups(&self) -> u32 {
        self.current_layout().groups
    }

    /// Shards of a group.
    pub fn group_size(&self) -> u32 {
        self.current_layout().group_size
    }

    /// Where its shards are now.
    ///
    /// # Errors
    /// `INVAL`: the pool's map has become too small for its class; `NO_HDL`: its container's handle was closed.
    pub fn layout(&self) -> Result<Arc<Layout>> {
        self.container.check_open()?;
        let layout = self.current_layout();
        if layout.version >= self.container.pool.map_version() {
            return Ok(layout);
        }
        let fresh = place(&self.container, self.oid)?;
        *self.layout.write() = fresh.clone();
        Ok(fresh)
    }

    /// Checks that it may be written.
    ///
    /// # Errors
    /// `NO_PERM`.
    pub fn check_writable(&self) -> Result<()> {
        match self.mode & (OPEN_RW | OPEN_EXCLUSIVE) {
            0 => Err(Der::NO_PERM.err(format!("object {} is open for reading only", self.oid))),
            _ => Ok(()),
        }
    }

    /// The hash that routes a dkey.
    pub(crate) fn route(&self, dkey: &[u8]) -> Result<Route> {
        if dkey.is_empty() {
            return Err(Der::INVAL.err(format!("object {}: empty dkey", self.oid)));
        }
        Ok(Route::Dkey(dkey_hash(self.oid, dkey)?))
    }

    /// Sends a request to a shard until it is answered for good. `encode` makes the body around the header; it is
    /// called again when the pool map has changed.
    pub(crate) async fn call_shard(
        &self,
        context: &Rc<Context>,
        request: ShardRequest<'_>,
        encode: impl Fn(ObjHeader) -> Result<Vec<u8>>,
    ) -> Result<Reply> {
        let mut retry = Retry::new(context);
        loop {
            let layout = self.layout()?;
            let place = pick(&layout, self.oid, request.route)?;
            let body = encode(self.header(&layout, &place, &request))?;
            let (rank, target) = (place.rank, place.index + 1);
            let sent = context.send(rank, target, request.opcode, body, request.payload, retry.remaining()).await;
            let error = match sent {
                Ok(reply) => return Ok(reply),
                Err(error) => error.at(format_args!("object {}", self.oid)),
            };
            if error.code() == Der::STALE {
                self.container.pool.refresh_map(context, layout.version).await?;
                if self.container.pool.map_version() > layout.version {
                    continue;
                }
            }
            retry.after(context, error).await?;
        }
    }

    fn header(&self, layout: &Layout, place: &ShardPlace, request: &ShardRequest<'_>) -> ObjHeader {
        ObjHeader {
            pool: self.container.pool.uuid,
            cont_handle: self.container.handle,
            oid: UnitOid { oid: self.oid, shard: place.shard, layout: LAYOUT_VERSION },
            map_version: layout.version,
            epoch: request.epoch,
            flags: request.flags,
        }
    }

    fn current_layout(&self) -> Arc<Layout> {
        self.layout.read().clone()
    }
}

impl Container {
    /// Level of the domains that shards of one group must not share.
    pub fn redundancy_level(&self) -> DomainKind {
        match self.number_prop(PROP_REDUNDANCY_LEVEL) {
            Some(1) => DomainKind::Rank,
            Some(3) => DomainKind::Fault,
            _ => DomainKind::Node,
        }
    }

    /// The newest pool map prepared for placement.
    fn placer(&self) -> Result<Arc<Placer>> {
        let wanted = self.pool.map_version();
        let known = self.placer.read().clone();
        if let Some(placer) = known.filter(|placer| placer.version() >= wanted) {
            return Ok(placer);
        }
        let fresh = Arc::new(Placer::new(&self.pool.map(), self.redundancy_level())?);
        *self.placer.write() = Some(fresh.clone());
        Ok(fresh)
    }
}

/// The first usable shard of a route's group.
///
/// # Errors
/// `DATA_LOSS`: there is none.
pub(crate) fn pick(layout: &Layout, oid: ObjectId, route: Route) -> Result<ShardPlace> {
    let (group, only) = match route {
        Route::Dkey(hash) => (layout.group_of(hash), None),
        Route::Group(group) => (group, None),
        Route::Shard(shard) => (shard / layout.group_size.max(1), Some(shard)),
    };
    let fits = |place: &&ShardPlace| only.is_none_or(|shard| place.shard == shard);
    let usable = layout.group(group).iter().filter(fits).find(|place| !place.failed && !place.rebuilding);
    usable.copied().ok_or_else(|| {
        Der::DATA_LOSS
            .err(format!("object {oid}: no target of group {group} is in service (pool map {})", layout.version))
    })
}

/// Where an object's shards are by the newest pool map.
///
/// # Errors
/// `INVAL`: no such class, or the pool is too small for it.
pub(crate) fn place(container: &Container, oid: ObjectId) -> Result<Arc<Layout>> {
    let layout = container.placer().and_then(|placer| placer.layout(oid));
    Ok(Arc::new(layout.map_err(|error| error.at(format_args!("placing object {oid}")))?))
}
