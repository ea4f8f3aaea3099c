//! Containers: create, destroy, properties, object numbers.

use super::cont_handle::visible;
use super::state::{Change, ContHandle, Container};
use super::{PoolService, props, user_of};
use crate::service::Service;
use daos_common::acl::{self, PoolAccess, perm};
use daos_common::label::check_label;
use daos_common::props::{CONTAINER, co};
use daos_common::wire::Opcode;
use daos_common::wire::pool::{
    ContAllocOidsReply, ContAllocOidsRequest, ContCreateRequest, ContDestroyRequest, ContName, ContQueryReply,
    ContSetPropRequest, ContTargetDestroyRequest, Prop, PropValue,
};
use daos_common::{Der, Result, flags};
use std::rc::Rc;
use std::time::Duration;
use uuid::Uuid;

/// Between attempts to reach all ranks with a destruction.
const DESTROY_RETRY: Duration = Duration::from_secs(5);

impl PoolService {
    /// Creates a container. Repeating it is harmless.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`; `EXIST`: the label is taken; `BUSY`: one of that UUID is being destroyed; `INVAL`: names the
    /// property; `NOSPACE`.
    pub fn cont_create(&self, service: &Service, request: ContCreateRequest) -> Result<()> {
        let handle = self.handle(request.handle)?;
        if !handle.create_cont {
            return Err(Der::NO_PERM.err(format!("{} may not create containers over this handle", handle.user)));
        }
        match self.state.borrow().conts.get(&request.cont) {
            Some(cont) if cont.destroying => {
                return Err(Der::BUSY.err(format!("container {} is being destroyed", request.cont)));
            }
            Some(_) => return Ok(()),
            None => {}
        }
        if request.cont.is_nil() {
            return Err(Der::INVAL.err("a nil container UUID"));
        }
        let group = handle.groups.first().cloned().unwrap_or_default();
        let owner = acl::Ownership { user: handle.user.clone(), group };
        let props = props::for_new_container(&request.props, &self.state.borrow().props, &owner)?;
        let label = props::label(&props, co::LABEL);
        self.check_label_free(label, None)?;
        let now = service.clock.now();
        let cont = Container {
            props,
            snapshots: Vec::new(),
            next_oid: 0,
            open_time: 0,
            modify_time: now,
            destroying: false,
            rolling_back: None,
        };
        self.change(vec![Change::Cont(request.cont, Some(cont))])
    }

    fn check_label_free(&self, label: &str, except: Option<Uuid>) -> Result<()> {
        if label.is_empty() {
            return Ok(());
        }
        check_label(label)?;
        match self.find(&ContName::Label(label.to_owned())) {
            Ok((uuid, _)) if Some(uuid) != except => {
                Err(Der::EXIST.err(format!("the pool has a container with label {label:?}")))
            }
            _ => Ok(()),
        }
    }

    /// A container by name.
    pub(super) fn find(&self, name: &ContName) -> Result<(Uuid, Container)> {
        let state = self.state.borrow();
        let mut alive = state.conts.iter().filter(|(_, cont)| !cont.destroying);
        let found = match name {
            ContName::Uuid(uuid) => alive.find(|(other, _)| *other == uuid),
            ContName::Label(label) if label.is_empty() => None,
            ContName::Label(label) => alive.find(|(_, cont)| props::label(&cont.props, co::LABEL) == label),
        };
        match found {
            Some((uuid, cont)) => Ok((*uuid, cont.clone())),
            None => {
                let shown = match name {
                    ContName::Uuid(uuid) => uuid.to_string(),
                    ContName::Label(label) => label.clone(),
                };
                Err(Der::NONEXIST.err(format!("pool {} has no container {shown:?}", self.pool)))
            }
        }
    }

    /// The container of an open handle.
    pub(super) fn opened(&self, cont_handle: Uuid) -> Result<(ContHandle, Container)> {
        let handle = self.cont_handle(cont_handle)?;
        let found = self.state.borrow().conts.get(&handle.cont).cloned();
        match found {
            Some(cont) => Ok((handle, cont)),
            None => Err(Der::NONEXIST.err(format!("container {} is gone", handle.cont))),
        }
    }

    /// Destroys a container.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`; `NONEXIST`; `BUSY`: it is open, and `force` isn't given; `NOSPACE`.
    pub async fn cont_destroy(self: &Rc<Self>, service: &Rc<Service>, request: ContDestroyRequest) -> Result<()> {
        let handle = self.handle(request.handle)?;
        let (uuid, cont) = self.find(&request.cont)?;
        let (owner, acl) = props::security(&cont.props, props::CONT_SECURITY)?;
        let access = PoolAccess { read: true, create_cont: handle.create_cont, delete_cont: handle.delete_cont };
        if !acl::may_delete_cont(access, handle.flags, &acl, &owner, &user_of(&handle)) {
            return Err(Der::NO_PERM.err(format!("{} may not delete container {uuid}", handle.user)));
        }
        let open = self.handles_of(uuid);
        if !open.is_empty() && !request.force {
            let message =
                format!("container {uuid} has {} open handles; close them or destroy it by force", open.len());
            return Err(Der::BUSY.err(message));
        }
        // The record stays, out of sight, until every target has dropped its part.
        let mut changes = vec![Change::Cont(uuid, Some(Container { props: Vec::new(), destroying: true, ..cont }))];
        changes.extend(open.iter().map(|handle| Change::ContHandle(*handle, None)));
        changes.extend(self.attr_names(uuid).into_iter().map(|name| Change::ContAttr(uuid, name, None)));
        self.change(changes)?;
        self.revoke(service, open).await;
        if !self.try_finish_destroy(service, uuid).await {
            let (own, other) = (self.clone(), service.clone());
            service.runtime.spawn(async move { own.finish_destroy(&other, uuid).await }).detach();
        }
        Ok(())
    }

    fn attr_names(&self, cont: Uuid) -> Vec<String> {
        let state = self.state.borrow();
        let own = state.cont_attrs.range((cont, String::new())..).take_while(|((uuid, _), _)| *uuid == cont);
        own.map(|((_, name), _)| name.clone()).collect()
    }

    /// Handles open on a container.
    pub(super) fn handles_of(&self, cont: Uuid) -> Vec<Uuid> {
        let state = self.state.borrow();
        state.cont_handles.iter().filter(|(_, handle)| handle.cont == cont).map(|(uuid, _)| *uuid).collect()
    }

    /// Makes every target drop its part of a container that is out of sight, until all have.
    pub(super) async fn finish_destroy(&self, service: &Rc<Service>, cont: Uuid) {
        while !self.try_finish_destroy(service, cont).await {
            service.runtime.sleep(DESTROY_RETRY).await;
            // The pool itself may have gone meanwhile.
            if service.pool(self.pool).is_err() {
                return;
            }
        }
    }

    async fn try_finish_destroy(&self, service: &Rc<Service>, cont: Uuid) -> bool {
        let request = ContTargetDestroyRequest { pool: self.pool, cont };
        let dropped: Result<Vec<()>> = service.broadcast_all(&self.ranks(), Opcode::ContTargetDestroy, &request).await;
        match dropped.and_then(|_| self.change(vec![Change::Cont(cont, None)])) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("pool {}: container {cont} is not wholly destroyed yet: {error}", self.pool);
                false
            }
        }
    }

    /// A container's state.
    ///
    /// # Errors
    /// `NO_HDL`.
    pub fn cont_query(&self, cont_handle: Uuid) -> Result<ContQueryReply> {
        let (handle, cont) = self.opened(cont_handle)?;
        Ok(ContQueryReply {
            props: visible(&cont, handle.permissions),
            handles: self.handles_of(handle.cont).len() as u32,
            snapshots: cont.snapshot_epochs(),
            open_time: cont.open_time,
            modify_time: cont.modify_time,
        })
    }

    /// Changes a container's properties.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`: the handle, or a property that is fixed; `EXIST`: the label is taken; `INVAL`; `NOSPACE`.
    pub fn cont_set_prop(&self, service: &Service, request: ContSetPropRequest) -> Result<()> {
        let (handle, mut cont) = self.opened(request.cont_handle)?;
        // libdfs learns the ids of its root objects only from the container that it has opened.
        let also = [co::ACL, co::OWNER, co::OWNER_GROUP, co::ROOTS];
        props::check_changes(&request.props, CONTAINER, &also)?;
        for prop in &request.props {
            let needed = match prop.number {
                co::ACL => perm::SET_ACL,
                co::OWNER | co::OWNER_GROUP => perm::SET_OWNER,
                _ => perm::SET_PROP,
            };
            if handle.permissions & needed == 0 {
                let message = format!("the handle does not allow changing property {:#x}", prop.number);
                return Err(Der::NO_PERM.err(message));
            }
        }
        self.check_label_free(props::label(&request.props, co::LABEL), Some(handle.cont))?;
        daos_common::props::merge(&mut cont.props, &request.props);
        cont.modify_time = service.clock.now();
        self.change(vec![Change::Cont(handle.cont, Some(cont))])
    }

    /// Gives a container to another owner, on an administrator's word. Empty names stay as they are.
    ///
    /// # Errors
    /// `NONEXIST`; `INVAL`: not a principal; `NOSPACE`.
    pub fn cont_set_owner(&self, service: &Service, name: &ContName, user: &str, group: &str) -> Result<()> {
        let (uuid, mut cont) = self.find(name)?;
        let named = [(co::OWNER, user), (co::OWNER_GROUP, group)].into_iter().filter(|(_, name)| !name.is_empty());
        let changes: Vec<Prop> =
            named.map(|(number, name)| Prop { number, value: PropValue::Text(name.to_owned()) }).collect();
        if changes.is_empty() {
            return Err(Der::INVAL.err("neither a new owner nor a new group"));
        }
        daos_common::props::validate_all(&changes)?;
        daos_common::props::merge(&mut cont.props, &changes);
        cont.modify_time = service.clock.now();
        self.change(vec![Change::Cont(uuid, Some(cont))])
    }

    /// Gives out object numbers; they are never given out again.
    ///
    /// # Errors
    /// `NO_HDL`; `INVAL`: none asked for; `OVERFLOW`: none left.
    pub fn alloc_oids(&self, request: ContAllocOidsRequest) -> Result<ContAllocOidsReply> {
        let (handle, mut cont) = self.opened(request.cont_handle)?;
        if request.count == 0 {
            return Err(Der::INVAL.err("no object numbers asked for"));
        }
        let first = cont.next_oid;
        let next = first.checked_add(request.count);
        cont.next_oid = next.ok_or_else(|| Der::OVERFLOW.err("no object numbers are left in the container"))?;
        let highest = Prop { number: co::ALLOCED_OID, value: PropValue::Number(cont.next_oid) };
        daos_common::props::merge(&mut cont.props, &[highest]);
        self.change(vec![Change::Cont(handle.cont, Some(cont))])?;
        Ok(ContAllocOidsReply { first })
    }
}

/// That a handle may change the container's data.
///
/// # Errors
/// `NO_PERM`.
pub(super) fn check_write(handle: &ContHandle) -> Result<()> {
    if handle.permissions & perm::WRITE == 0 || handle.flags & (flags::OPEN_RW | flags::OPEN_EX) == 0 {
        return Err(Der::NO_PERM.err(format!("the handle does not allow changing container {}", handle.cont)));
    }
    Ok(())
}
