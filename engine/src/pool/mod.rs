//! The pool service: a pool's map, properties, ACL, handles and containers, on the rank that has its replica.
//!
//! Every operation checks against the state in memory, makes its [`Change`]s durable in one transaction of the
//! [`store`], and only then applies them and answers; between check and commit nothing else runs on the thread. What
//! other ranks must do afterwards (forget handles, drop containers) is sent then, and repeated at the next start where
//! it matters.
//!
//! Operations carry UUIDs chosen by the client, so that a resend finds its own result.

mod attr;
mod cont;
mod cont_handle;
mod filter;
mod handle;
mod props;
mod query;
mod rollback;
pub mod security;
mod snapshot;
mod state;
mod store;

pub use props::Creation;
pub use query::TargetSpaces;

use crate::clock;
use crate::service::{Service, encode};
use daos_common::acl::{Acl, Ownership, User};
use daos_common::hlc::Clock;
use daos_common::pool_map::PoolMap;
use daos_common::props::po;
use daos_common::wire::pool::{HandleCheckReply, HandleCheckRequest, HandleRevokeRequest, PoolMapReply, Prop};
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Rank, Result, flags};
use daos_vos::Durability;
use serde::de::DeserializeOwned;
use state::{Change, ContHandle, FORMAT_VERSION, Meta, PoolHandle, State};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use store::Store;
use uuid::Uuid;

/// One pool's service.
pub struct PoolService {
    pool: Uuid,
    store: Store,
    state: RefCell<State>,
    /// Snapshots being made, by container.
    holds: RefCell<BTreeMap<Uuid, u32>>,
    /// Containers whose way back to a snapshot is being worked on.
    returning: RefCell<BTreeSet<Uuid>>,
}

/// Carries out a pool or container operation of context 0.
///
/// # Errors
/// `BAD_TARGET`: the operation belongs to another context; what the operation says.
pub async fn execute(service: &Rc<Service>, opcode: Opcode, body: &[u8]) -> Result<Vec<u8>> {
    match opcode {
        Opcode::PoolConnect => {
            let request: wire::pool::PoolConnectRequest = decode(body)?;
            encode(service.pool(request.pool)?.connect(service, request).await)
        }
        Opcode::PoolDisconnect => {
            let request: wire::pool::PoolHandleRequest = decode(body)?;
            encode(service.pool(request.pool)?.disconnect(service, request.handle).await)
        }
        Opcode::PoolQuery => {
            let request: wire::pool::PoolQueryRequest = decode(body)?;
            encode(service.pool(request.pool)?.query(service, request).await)
        }
        Opcode::PoolAttr => {
            let request: wire::pool::AttrRequest = decode(body)?;
            encode(service.pool(request.pool)?.pool_attr(request))
        }
        Opcode::PoolListCont => {
            let request: wire::pool::PoolHandleRequest = decode(body)?;
            encode(service.pool(request.pool)?.list_containers(request.handle))
        }
        Opcode::PoolEvict => {
            let request: wire::pool::PoolEvictRequest = decode(body)?;
            encode(service.pool(request.pool)?.evict(service, &request.handles, &request.machine).await)
        }
        Opcode::PoolHandleCheck => {
            let request: HandleCheckRequest = decode(body)?;
            encode(service.pool(request.pool)?.check_handle(service, request.cont_handle))
        }
        Opcode::PoolMapFetch => {
            let request: wire::pool::PoolHandleRequest = decode(body)?;
            let pool = service.pool(request.pool)?;
            encode(pool.handle(request.handle).map(|_| PoolMapReply { map: pool.map() }))
        }
        _ => execute_container(service, opcode, body).await,
    }
}

async fn execute_container(service: &Rc<Service>, opcode: Opcode, body: &[u8]) -> Result<Vec<u8>> {
    match opcode {
        Opcode::ContCreate => {
            let request: wire::pool::ContCreateRequest = decode(body)?;
            encode(service.pool(request.pool)?.cont_create(service, request))
        }
        Opcode::ContDestroy => {
            let request: wire::pool::ContDestroyRequest = decode(body)?;
            encode(service.pool(request.pool)?.cont_destroy(service, request).await)
        }
        Opcode::ContOpen => {
            let request: wire::pool::ContOpenRequest = decode(body)?;
            encode(service.pool(request.pool)?.cont_open(service, request).await)
        }
        Opcode::ContClose => {
            let request: wire::pool::ContHandleRequest = decode(body)?;
            encode(service.pool(request.pool)?.cont_close(service, request.cont_handle).await)
        }
        Opcode::ContQuery => {
            let request: wire::pool::ContQueryRequest = decode(body)?;
            encode(service.pool(request.pool)?.cont_query(request.cont_handle))
        }
        Opcode::ContSetProp => {
            let request: wire::pool::ContSetPropRequest = decode(body)?;
            encode(service.pool(request.pool)?.cont_set_prop(service, request))
        }
        Opcode::ContAttr => {
            let request: wire::pool::AttrRequest = decode(body)?;
            encode(service.pool(request.pool)?.cont_attr(service, request))
        }
        Opcode::ContAllocOids => {
            let request: wire::pool::ContAllocOidsRequest = decode(body)?;
            encode(service.pool(request.pool)?.alloc_oids(request))
        }
        Opcode::ContSnapCreate => {
            let request: wire::pool::ContSnapCreateRequest = decode(body)?;
            encode(service.pool(request.pool)?.snap_create(service, request).await)
        }
        Opcode::ContSnapDestroy => {
            let request: wire::pool::ContSnapDestroyRequest = decode(body)?;
            encode(service.pool(request.pool)?.snap_destroy(service, request).await)
        }
        Opcode::ContSnapList => {
            let request: wire::pool::ContHandleRequest = decode(body)?;
            encode(service.pool(request.pool)?.snap_list(request.cont_handle))
        }
        _ => execute_history(service, opcode, body).await,
    }
}

async fn execute_history(service: &Rc<Service>, opcode: Opcode, body: &[u8]) -> Result<Vec<u8>> {
    match opcode {
        Opcode::ContSnapOit => {
            let request: wire::history::ContSnapOitRequest = decode(body)?;
            encode(service.pool(request.pool)?.snap_oit(service, request))
        }
        Opcode::ContSnapWait => {
            let request: wire::history::ContSnapWaitRequest = decode(body)?;
            encode(service.pool(request.pool)?.snap_wait(service, request).await)
        }
        Opcode::ContHistoryFetch => {
            let request: wire::history::ContHistoryRequest = decode(body)?;
            encode(service.pool(request.pool)?.history(service, request.cont))
        }
        Opcode::ContAggregate => {
            let request: wire::history::ContAggregateRequest = decode(body)?;
            encode(service.pool(request.pool)?.aggregate(service, request).await)
        }
        Opcode::ContRollback => {
            let request: wire::history::ContRollbackRequest = decode(body)?;
            encode(service.pool(request.pool)?.rollback(service, request).await)
        }
        Opcode::PoolFilterCont => {
            let request: wire::pool::PoolFilterContRequest = decode(body)?;
            encode(service.pool(request.pool)?.filter_containers(request))
        }
        Opcode::PoolStopService => {
            let request: wire::pool::PoolHandleRequest = decode(body)?;
            encode(service.stop_pool_service(request.pool, request.handle))
        }
        other => Err(Der::BAD_TARGET.err(format!("{other:?} is served by targets, not by context 0"))),
    }
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    wire::decode(body)
}

impl PoolService {
    /// Makes the service of a new pool.
    ///
    /// # Errors
    /// `INVAL`: a property; `EXIST`; `NOSPACE`; `IO`.
    pub fn create(path: &Path, durability: Durability, creation: Creation) -> Result<Rc<PoolService>> {
        let Creation { pool, map, props, service_ranks, created } = creation;
        let changes = [
            Change::Meta(Meta { format: FORMAT_VERSION, pool, service_ranks, created }),
            Change::Map(map),
            Change::Props(props),
        ];
        let records = changes.iter().map(Change::record).collect::<Result<Vec<_>>>()?;
        let store = Store::create(path, pool, durability, &records)?;
        let mut state = State::default();
        changes.into_iter().for_each(|change| state.apply(change));
        Ok(Rc::new(PoolService::over(pool, store, state)))
    }

    /// Opens the service of a pool.
    ///
    /// # Errors
    /// As [`Store::open`]; `DF_INVAL`, `DF_INCOMPT`: its records.
    pub fn open(path: &Path, pool: Uuid, durability: Durability, clock: &Clock) -> Result<Rc<PoolService>> {
        let store = Store::open(path, pool, durability)?;
        let records = store.load().map_err(|error| error.at(path.display()))?;
        let state = State::from_records(&records).map_err(|error| error.at(path.display()))?;
        // A snapshot taken before a restart must not be later than what is written after it.
        clock::start_after(clock, state.newest_time(), path).map_err(|error| error.at(path.display()))?;
        Ok(Rc::new(PoolService::over(pool, store, state)))
    }

    fn over(pool: Uuid, store: Store, state: State) -> PoolService {
        PoolService {
            pool,
            store,
            state: RefCell::new(state),
            holds: RefCell::default(),
            returning: RefCell::default(),
        }
    }

    /// Takes up what an earlier run left unfinished.
    pub fn resume(self: Rc<Self>, service: Rc<Service>) {
        let dying: Vec<Uuid> =
            self.state.borrow().conts.iter().filter(|(_, cont)| cont.destroying).map(|(uuid, _)| *uuid).collect();
        for cont in dying {
            let (own, other) = (self.clone(), service.clone());
            service.runtime.spawn(async move { own.finish_destroy(&other, cont).await }).detach();
        }
        self.resume_rollbacks(&service);
    }

    /// Ends it, on the word of an open pool handle: it answers no more changes, and its store can be opened anew.
    ///
    /// # Errors
    /// `NO_HDL`.
    pub fn step_down(&self, handle: Uuid) -> Result<()> {
        self.handle(handle)?;
        self.store.close();
        Ok(())
    }

    /// The pool.
    pub fn pool(&self) -> Uuid {
        self.pool
    }

    /// The map.
    pub fn map(&self) -> PoolMap {
        let none = PoolMap { version: 0, domains: Vec::new(), targets: Vec::new() };
        self.state.borrow().map.clone().unwrap_or(none)
    }

    /// Version of the map.
    pub fn map_version(&self) -> u32 {
        self.state.borrow().map.as_ref().map_or(0, |map| map.version)
    }

    /// Ranks of the map that are in service.
    pub fn ranks(&self) -> Vec<Rank> {
        self.state.borrow().map.as_ref().map(|map| map.ranks_in_service().collect()).unwrap_or_default()
    }

    /// Ranks of the service, the leader first.
    pub fn service_ranks(&self) -> Vec<Rank> {
        self.state.borrow().meta.as_ref().map(|meta| meta.service_ranks.clone()).unwrap_or_default()
    }

    /// Number of open pool handles.
    pub fn open_handles(&self) -> usize {
        self.state.borrow().handles.len()
    }

    /// The pool's properties.
    pub fn props(&self) -> Vec<Prop> {
        self.state.borrow().props.clone()
    }

    /// The pool's label.
    pub fn label(&self) -> String {
        daos_common::props::text(&self.state.borrow().props, po::LABEL).to_owned()
    }

    /// Makes changes durable, then applies them: all or none.
    fn change(&self, changes: Vec<Change>) -> Result<()> {
        let records = changes.iter().map(Change::record).collect::<Result<Vec<_>>>()?;
        self.store.commit(&records)?;
        let mut state = self.state.borrow_mut();
        changes.into_iter().for_each(|change| state.apply(change));
        Ok(())
    }

    /// An open pool handle.
    fn handle(&self, handle: Uuid) -> Result<PoolHandle> {
        let found = self.state.borrow().handles.get(&handle).cloned();
        found.ok_or_else(|| Der::NO_HDL.err(format!("pool handle {handle} is not open")))
    }

    /// An open container handle.
    fn cont_handle(&self, handle: Uuid) -> Result<ContHandle> {
        let found = self.state.borrow().cont_handles.get(&handle).cloned();
        found.ok_or_else(|| Der::NO_HDL.err(format!("container handle {handle} is not open")))
    }

    /// What an open container handle allows on data.
    ///
    /// # Errors
    /// `NO_HDL`; `INPROGRESS`: the container is being rolled back.
    fn check_handle(&self, service: &Service, handle: Uuid) -> Result<HandleCheckReply> {
        use daos_common::acl::perm;
        let found = self.cont_handle(handle)?;
        let history = self.history(service, found.cont)?;
        let may = |permission: u64, flag: u64| if found.permissions & permission != 0 { flag } else { 0 };
        let flags = may(perm::READ, flags::OPEN_RO) | may(perm::WRITE, flags::OPEN_RW);
        Ok(HandleCheckReply { cont: found.cont, flags, map_version: self.map_version(), history })
    }

    /// Who owns the pool, and its ACL.
    fn security(&self) -> Result<(Ownership, Acl)> {
        props::security(&self.state.borrow().props, props::POOL_SECURITY)
    }

    /// Makes every rank forget container handles. A rank that cannot be reached now knows none when it is back.
    async fn revoke(&self, service: &Rc<Service>, cont_handles: Vec<Uuid>) {
        if cont_handles.is_empty() {
            return;
        }
        let request = HandleRevokeRequest { pool: self.pool, cont_handles };
        for (rank, answer) in service.broadcast::<_, ()>(&self.ranks(), Opcode::PoolHandleRevoke, &request).await {
            if let Err(error) = answer {
                tracing::warn!("pool {}: rank {rank} may still know closed handles: {error}", self.pool);
            }
        }
    }
}

/// The user of a handle.
fn user_of(handle: &PoolHandle) -> User {
    User { name: handle.user.clone(), groups: handle.groups.clone() }
}
