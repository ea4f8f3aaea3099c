//! Container handles: open, close, evict.

use super::state::{Change, ContHandle, Container};
use super::{PoolService, props, query, user_of};
use crate::service::Service;
use daos_common::acl::{self, OPEN_EVICT, OPEN_EVICT_ALL, OPEN_RO_MDSTATS, perm};
use daos_common::props::co;
use daos_common::wire::pool::{ContOpenReply, ContOpenRequest, Prop};
use daos_common::{Der, Result, flags};
use std::rc::Rc;
use uuid::Uuid;

impl PoolService {
    /// Opens a handle.
    ///
    /// # Errors
    /// `NO_HDL`: the pool handle; `NONEXIST`; `NO_PERM`: the ACL, or more than the pool handle allows; `BUSY`: exclusive,
    /// now or wanted, or the container is being rolled back; `INVAL`: flags; `NOSPACE`.
    pub async fn cont_open(&self, service: &Rc<Service>, request: ContOpenRequest) -> Result<ContOpenReply> {
        acl::check_cont_open_flags(request.flags)?;
        if request.cont_handle.is_nil() {
            return Err(Der::INVAL.err("a nil container handle"));
        }
        let pool_handle = self.handle(request.handle)?;
        let (uuid, mut cont) = self.find(&request.cont)?;
        if self.is_resent_open(&request, uuid)? {
            return self.open_reply(request.cont_handle);
        }
        if let Some(epoch) = cont.rolling_back {
            return Err(Der::BUSY.err(format!("container {uuid} is being rolled back to {epoch}; try again later")));
        }
        let writes = request.flags & (flags::OPEN_RW | flags::OPEN_EX) != 0;
        if writes && pool_handle.flags & flags::OPEN_RO != 0 {
            return Err(Der::NO_PERM.err("a pool open for reading only has no container open for writing"));
        }
        let user = user_of(&pool_handle);
        let (owner, list) = props::security(&cont.props, props::CONT_SECURITY)?;
        let access = acl::cont_access(&list, &owner, &user, request.flags)?;
        let evicted = self.to_evict(&request, uuid, &user.name);
        self.check_cont_exclusive(request.flags, uuid, &evicted)?;
        if request.flags & OPEN_RO_MDSTATS == 0 {
            cont.open_time = service.clock.now();
        }
        let flags = request.flags & (flags::OPEN_RO | flags::OPEN_RW | flags::OPEN_EX);
        let handle = ContHandle { cont: uuid, pool_handle: request.handle, flags, permissions: access.permissions };
        let mut changes: Vec<Change> = evicted.iter().map(|handle| Change::ContHandle(*handle, None)).collect();
        changes.push(Change::ContHandle(request.cont_handle, Some(handle)));
        changes.push(Change::Cont(uuid, Some(cont)));
        self.change(changes)?;
        self.revoke(service, evicted).await;
        self.open_reply(request.cont_handle)
    }

    fn is_resent_open(&self, request: &ContOpenRequest, cont: Uuid) -> Result<bool> {
        match self.state.borrow().cont_handles.get(&request.cont_handle) {
            Some(open) if open.cont == cont && open.pool_handle == request.handle => Ok(true),
            Some(_) => Err(Der::EXIST.err(format!("container handle {} is open for another", request.cont_handle))),
            None => Ok(false),
        }
    }

    fn open_reply(&self, cont_handle: Uuid) -> Result<ContOpenReply> {
        let (handle, cont) = self.opened(cont_handle)?;
        Ok(ContOpenReply {
            cont: handle.cont,
            label: props::label(&cont.props, co::LABEL).to_owned(),
            props: visible(&cont, handle.permissions),
            snapshots: cont.snapshot_epochs(),
            open_time: cont.open_time,
            modify_time: cont.modify_time,
        })
    }

    /// Handles that this open evicts: all, or the user's own.
    fn to_evict(&self, request: &ContOpenRequest, cont: Uuid, user: &str) -> Vec<Uuid> {
        let state = self.state.borrow();
        let same_user = |handle: &ContHandle| state.handles.get(&handle.pool_handle).is_some_and(|by| by.user == user);
        let chosen = |handle: &ContHandle| {
            handle.cont == cont
                && (request.flags & OPEN_EVICT_ALL != 0 || (request.flags & OPEN_EVICT != 0 && same_user(handle)))
        };
        state.cont_handles.iter().filter(|(_, handle)| chosen(handle)).map(|(uuid, _)| *uuid).collect()
    }

    fn check_cont_exclusive(&self, wanted: u64, cont: Uuid, evicted: &[Uuid]) -> Result<()> {
        let state = self.state.borrow();
        let others = state.cont_handles.iter().filter(|(uuid, open)| open.cont == cont && !evicted.contains(uuid));
        let (mut count, mut exclusive) = (0, false);
        for (_, open) in others {
            count += 1;
            exclusive |= open.flags & flags::OPEN_EX != 0;
        }
        if exclusive {
            return Err(Der::BUSY.err(format!("container {cont} is open exclusively")));
        }
        if wanted & flags::OPEN_EX != 0 && count > 0 {
            return Err(
                Der::BUSY.err(format!("container {cont} cannot be opened exclusively: {count} handles are open"))
            );
        }
        Ok(())
    }

    /// Closes a handle. One that isn't open is no error.
    ///
    /// # Errors
    /// `NOSPACE`, `IO`.
    pub async fn cont_close(&self, service: &Rc<Service>, cont_handle: Uuid) -> Result<()> {
        if self.cont_handle(cont_handle).is_err() {
            return Ok(());
        }
        self.change(vec![Change::ContHandle(cont_handle, None)])?;
        self.revoke(service, vec![cont_handle]).await;
        Ok(())
    }
}

/// The properties that a handle may see: the ACL only with the right to read it.
pub(super) fn visible(cont: &Container, permissions: u64) -> Vec<Prop> {
    if !query::may_read_props(permissions) {
        return Vec::new();
    }
    let hidden = |number: u32| number == co::ACL && permissions & perm::GET_ACL == 0;
    cont.props.iter().filter(|prop| !hidden(prop.number)).cloned().collect()
}
