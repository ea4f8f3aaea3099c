//! Containers: creating, opening, properties, attributes, snapshots, object numbers.

use crate::class::HIDDEN_PREFIX;
use crate::context::Context;
use crate::fork;
use crate::fork::Shared;
use crate::pool::Pool;
use daos_common::placement::Placer;
use daos_common::wire::Opcode;
use daos_common::wire::pool::{
    AttrAction, AttrReply, AttrRequest, ContAllocOidsReply, ContAllocOidsRequest, ContCreateRequest,
    ContDestroyRequest, ContHandleRequest, ContName, ContOpenReply, ContOpenRequest, ContQueryReply, ContQueryRequest,
    ContSetPropRequest, ContSnapCreateRequest, ContSnapDestroyReply, ContSnapDestroyRequest, ContSnapListReply,
    ContSnapReply, Prop, PropValue, SnapshotEntry,
};
use daos_common::{Der, Epoch, ObjectId, Result};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use uuid::Uuid;

/// An open container.
pub struct Container {
    pub(crate) pool: Arc<Pool>,
    pub(crate) uuid: Uuid,
    pub(crate) handle: Uuid,
    pub(crate) flags: u64,
    pub(crate) label: String,
    pub(crate) props: Vec<Prop>,
    /// Whether its handle was closed; objects of it may live on.
    closed: AtomicBool,
    /// The pool map prepared for placement at this container's redundancy level, once it was needed.
    pub(crate) placer: Shared<Option<Arc<Placer>>>,
    /// Newest epoch at which a change through this handle is known to stand.
    seen: AtomicU64,
    /// As `Pool::owned_at`.
    owned_at: Option<u32>,
}

/// A container that was just opened, with what its service said about it.
pub struct Opened {
    /// The container.
    pub container: Arc<Container>,
    /// The service's answer.
    pub reply: ContOpenReply,
}

impl Pool {
    /// Creates a container with that id.
    ///
    /// # Errors
    /// `EXIST`: the label is taken; `NO_PERM`; `INVAL`: a property's value; as [`Pool::query`].
    pub async fn create_container(&self, context: &Rc<Context>, cont: Uuid, props: Vec<Prop>) -> Result<()> {
        let body = ContCreateRequest { pool: self.uuid, handle: self.handle, cont, props };
        self.call(context, Opcode::ContCreate, &body).await
    }

    /// Destroys a container; `force`: although it is open.
    ///
    /// # Errors
    /// `NONEXIST`; `BUSY`: it is open; `NO_PERM`; as [`Pool::query`].
    pub async fn destroy_container(&self, context: &Rc<Context>, cont: ContName, force: bool) -> Result<()> {
        let body = ContDestroyRequest { pool: self.uuid, handle: self.handle, cont, force };
        self.call(context, Opcode::ContDestroy, &body).await
    }
}

impl Container {
    /// Opens a container of a pool; `flags` are `daos_common::flags::OPEN_*` and further `DAOS_COO_*` bits.
    ///
    /// # Errors
    /// `NONEXIST`; `NO_PERM`; `BUSY`: it is open exclusively; as [`Pool::query`].
    pub async fn open(context: &Rc<Context>, pool: &Arc<Pool>, cont: ContName, flags: u64) -> Result<Opened> {
        let handle = Uuid::new_v4();
        let body = ContOpenRequest { pool: pool.uuid, handle: pool.handle, cont, cont_handle: handle, flags };
        let reply: ContOpenReply = pool.call(context, Opcode::ContOpen, &body).await?;
        let parts =
            ContParts { uuid: reply.cont, handle, flags, label: reply.label.clone(), props: reply.props.clone() };
        let container = Container::assemble(pool.clone(), parts, Some(fork::depth()));
        Ok(Opened { container: Arc::new(container), reply })
    }

    pub(crate) fn assemble(pool: Arc<Pool>, parts: ContParts, owned_at: Option<u32>) -> Container {
        pool.container_opened();
        let ContParts { uuid, handle, flags, label, props } = parts;
        Container {
            pool,
            uuid,
            handle,
            flags,
            label,
            props,
            closed: AtomicBool::new(false),
            placer: Shared::new(None),
            seen: AtomicU64::new(0),
            owned_at,
        }
    }

    /// Closes it. Of a handle that another process owns only the local part goes. Objects that are still open can be
    /// closed afterwards, nothing else: HDF5's connector closes its container before the last object.
    ///
    /// # Errors
    /// `UNREACH`; `TIMEDOUT`.
    pub async fn close(&self, context: &Rc<Context>) -> Result<()> {
        if self.owned_at == Some(fork::depth()) {
            match self.pool.call::<_, ()>(context, Opcode::ContClose, &self.handle_request()).await {
                Err(error) if !matches!(error.code(), Der::NO_HDL | Der::NONEXIST | Der::CONT_NONEXIST) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        self.leave_pool();
        Ok(())
    }

    /// Checks that it was not closed.
    ///
    /// # Errors
    /// `NO_HDL`.
    pub(crate) fn check_open(&self) -> Result<()> {
        match self.closed.load(Ordering::Acquire) {
            true => Err(Der::NO_HDL.err(format!("container {}: its handle was closed", self.uuid))),
            false => Ok(()),
        }
    }

    /// Counts no more as one that its pool has open.
    fn leave_pool(&self) {
        if !self.closed.swap(true, Ordering::AcqRel) {
            self.pool.container_closed();
        }
    }

    /// Its pool.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Its UUID.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// UUID of the handle.
    pub fn handle(&self) -> Uuid {
        self.handle
    }

    /// The flags it was opened with.
    pub fn flags(&self) -> u64 {
        self.flags
    }

    /// Its label; may be empty.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The properties as they were when it was opened.
    pub fn props(&self) -> &[Prop] {
        &self.props
    }

    /// A property that is a number.
    pub fn number_prop(&self, number: u32) -> Option<u64> {
        self.props.iter().find(|prop| prop.number == number).and_then(|prop| match prop.value {
            PropValue::Number(value) => Some(value),
            _ => None,
        })
    }

    /// Asks for its state.
    ///
    /// # Errors
    /// `NO_HDL`: closed or evicted; `UNREACH`; `TIMEDOUT`.
    pub async fn query(&self, context: &Rc<Context>) -> Result<ContQueryReply> {
        let body = ContQueryRequest { pool: self.pool.uuid, cont_handle: self.handle };
        self.pool.call(context, Opcode::ContQuery, &body).await
    }

    /// Changes properties.
    ///
    /// # Errors
    /// `INVAL`: a property that cannot be changed; `NO_PERM`; as [`Container::query`].
    pub async fn set_props(&self, context: &Rc<Context>, props: Vec<Prop>) -> Result<()> {
        let body = ContSetPropRequest { pool: self.pool.uuid, cont_handle: self.handle, props };
        self.pool.call(context, Opcode::ContSetProp, &body).await
    }

    /// Reads or changes its user attributes. Those that the library keeps for itself do not show.
    ///
    /// # Errors
    /// `NONEXIST`: an attribute asked for is missing; `NO_PERM`; `INVAL`: a name of the library's; as
    /// [`Container::query`].
    pub async fn attributes(&self, context: &Rc<Context>, action: AttrAction) -> Result<AttrReply> {
        let ours = |name: &String| name.starts_with(HIDDEN_PREFIX);
        let touches_ours = match &action {
            AttrAction::List => false,
            AttrAction::Get(names) | AttrAction::Delete(names) => names.iter().any(ours),
            AttrAction::Set(pairs) => pairs.iter().any(|(name, _)| ours(name)),
        };
        if touches_ours {
            return Err(Der::INVAL.err("an attribute whose name the library keeps for itself"));
        }
        let mut reply = self.raw_attributes(context, action).await?;
        reply.names.retain(|name| !ours(name));
        Ok(reply)
    }

    /// As [`Container::attributes`], the library's own among them.
    pub(crate) async fn raw_attributes(&self, context: &Rc<Context>, action: AttrAction) -> Result<AttrReply> {
        let body = AttrRequest { pool: self.pool.uuid, handle: self.handle, action };
        self.pool.call(context, Opcode::ContAttr, &body).await
    }

    /// Reserves `count` object numbers and returns the first.
    ///
    /// # Errors
    /// `NO_PERM`: opened for reading; as [`Container::query`].
    pub async fn alloc_oids(&self, context: &Rc<Context>, count: u64) -> Result<u64> {
        let body = ContAllocOidsRequest { pool: self.pool.uuid, cont_handle: self.handle, count };
        let reply: ContAllocOidsReply = self.pool.call(context, Opcode::ContAllocOids, &body).await?;
        Ok(reply.first)
    }

    /// Takes a snapshot, with a name unless that is empty, and returns its epoch.
    ///
    /// # Errors
    /// `EXIST`: the name is taken; `INVAL`: it is too long; `NOSPACE`: the container has as many snapshots as it may; as
    /// [`Container::alloc_oids`].
    pub async fn create_snapshot(&self, context: &Rc<Context>, name: String) -> Result<Epoch> {
        let (pool, cont_handle, operation) = (self.pool.uuid, self.handle, context.operation());
        let body = ContSnapCreateRequest { pool, cont_handle, operation, name };
        let reply: ContSnapReply = self.pool.call(context, Opcode::ContSnapCreate, &body).await?;
        Ok(reply.epoch)
    }

    /// Destroys the snapshots of `low..=high`; the objects that listed theirs, which nothing names any more.
    ///
    /// # Errors
    /// `NONEXIST`: `low` is `high` and no snapshot; as [`Container::alloc_oids`].
    pub async fn destroy_snapshots(&self, context: &Rc<Context>, low: Epoch, high: Epoch) -> Result<Vec<ObjectId>> {
        let body = ContSnapDestroyRequest { pool: self.pool.uuid, cont_handle: self.handle, low, high };
        let reply: ContSnapDestroyReply = self.pool.call(context, Opcode::ContSnapDestroy, &body).await?;
        Ok(reply.oits)
    }

    /// Its snapshots, in order of epoch.
    ///
    /// # Errors
    /// As [`Container::query`].
    pub async fn list_snapshots(&self, context: &Rc<Context>) -> Result<Vec<SnapshotEntry>> {
        let reply: ContSnapListReply = self.pool.call(context, Opcode::ContSnapList, &self.handle_request()).await?;
        Ok(reply.snapshots)
    }

    fn handle_request(&self) -> ContHandleRequest {
        ContHandleRequest { pool: self.pool.uuid, cont_handle: self.handle }
    }

    /// Takes note of the epoch of a change.
    pub(crate) fn see_epoch(&self, epoch: Epoch) {
        self.seen.fetch_max(epoch, Ordering::AcqRel);
    }

    /// The newest epoch noted.
    pub(crate) fn seen_epoch(&self) -> Epoch {
        self.seen.load(Ordering::Acquire)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.leave_pool();
    }
}

/// What of a container handle never changes.
pub(crate) struct ContParts {
    pub(crate) uuid: Uuid,
    pub(crate) handle: Uuid,
    pub(crate) flags: u64,
    pub(crate) label: String,
    pub(crate) props: Vec<Prop>,
}
