//! Pool handles: connect, disconnect, evict.

use super::state::{Change, PoolHandle};
use super::{PoolService, props, security};
use crate::service::Service;
use daos_common::acl;
use daos_common::wire::pool::{PoolConnectReply, PoolConnectRequest, PoolEvictReply};
use daos_common::{Der, Result, flags};
use std::rc::Rc;
use uuid::Uuid;

impl PoolService {
    /// Opens a handle.
    ///
    /// # Errors
    /// `NO_PERM`: the ACL; `BUSY`: exclusive, now or wanted; `INVAL`; what validating the credential says.
    pub async fn connect(&self, service: &Rc<Service>, request: PoolConnectRequest) -> Result<PoolConnectReply> {
        if request.handle.is_nil() {
            return Err(Der::INVAL.err("a nil pool handle"));
        }
        if self.is_resend(&request)? {
            return Ok(self.connected());
        }
        let caller = security::validate(service, &request.credential).await?;
        // Another attempt may have succeeded while daos_server was asked.
        if self.is_resend(&request)? {
            return Ok(self.connected());
        }
        let (owner, acl) = self.security()?;
        let access = acl::pool_access(&acl, &owner, &caller.user, request.flags)?;
        self.check_exclusive(request.flags)?;
        let handle = PoolHandle {
            flags: request.flags,
            user: caller.user.name,
            groups: caller.user.groups,
            machine: caller.machine,
            create_cont: access.create_cont,
            delete_cont: access.delete_cont,
        };
        self.change(vec![Change::Handle(request.handle, Some(handle))])?;
        Ok(self.connected())
    }

    fn is_resend(&self, request: &PoolConnectRequest) -> Result<bool> {
        match self.state.borrow().handles.get(&request.handle) {
            Some(open) if open.flags == request.flags => Ok(true),
            Some(_) => Err(Der::EXIST.err(format!("pool handle {} is open in another mode", request.handle))),
            None => Ok(false),
        }
    }

    fn check_exclusive(&self, wanted: u64) -> Result<()> {
        let state = self.state.borrow();
        let exclusive = |flags: u64| flags & flags::OPEN_EX != 0;
        if state.handles.values().any(|open| exclusive(open.flags)) {
            return Err(Der::BUSY.err(format!("pool {} is open exclusively", self.pool)));
        }
        if exclusive(wanted) && !state.handles.is_empty() {
            let message =
                format!("pool {} cannot be opened exclusively: {} handles are open", self.pool, state.handles.len());
            return Err(Der::BUSY.err(message));
        }
        Ok(())
    }

    fn connected(&self) -> PoolConnectReply {
        let props = props::select(&self.props(), &[u32::MAX]);
        PoolConnectReply { map: self.map(), props, service_ranks: self.service_ranks() }
    }

    /// Closes a handle and the container handles opened with it. One that isn't open is no error.
    ///
    /// # Errors
    /// `NOSPACE`, `IO`.
    pub async fn disconnect(&self, service: &Rc<Service>, handle: Uuid) -> Result<()> {
        self.close_handles(service, vec![handle]).await.map(|_| ())
    }

    /// Closes handles on an administrator's or agent's word: these, or all, or all of a machine.
    ///
    /// # Errors
    /// `NOSPACE`, `IO`.
    pub async fn evict(&self, service: &Rc<Service>, handles: &[Uuid], machine: &str) -> Result<PoolEvictReply> {
        let chosen = {
            let state = self.state.borrow();
            let wanted = |uuid: &Uuid, open: &PoolHandle| {
                (handles.is_empty() || handles.contains(uuid)) && (machine.is_empty() || open.machine == machine)
            };
            let chosen = state.handles.iter().filter(|(uuid, open)| wanted(uuid, open)).map(|(uuid, _)| *uuid);
            chosen.collect()
        };
        let evicted = self.close_handles(service, chosen).await?;
        Ok(PoolEvictReply { evicted })
    }

    async fn close_handles(&self, service: &Rc<Service>, handles: Vec<Uuid>) -> Result<u32> {
        let (open, cont_handles) = {
            let state = self.state.borrow();
            let open: Vec<Uuid> = handles.into_iter().filter(|uuid| state.handles.contains_key(uuid)).collect();
            let below = state.cont_handles.iter().filter(|(_, cont)| open.contains(&cont.pool_handle));
            let cont_handles: Vec<Uuid> = below.map(|(uuid, _)| *uuid).collect();
            (open, cont_handles)
        };
        let mut changes: Vec<Change> = open.iter().map(|uuid| Change::Handle(*uuid, None)).collect();
        changes.extend(cont_handles.iter().map(|uuid| Change::ContHandle(*uuid, None)));
        self.change(changes)?;
        self.revoke(service, cont_handles).await;
        Ok(open.len() as u32)
    }
}
