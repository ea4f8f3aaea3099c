//! User attributes of pools and containers.

use super::PoolService;
use super::state::{Change, Container};
use crate::service::Service;
use daos_common::acl::perm;
use daos_common::wire::pool::{AttrAction, AttrReply, AttrRequest};
use daos_common::{Der, Result, flags};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Longest name in bytes.
const NAME_MAX_BYTES: usize = 511;
/// Longest value in bytes.
const VALUE_MAX_BYTES: usize = 1 << 20;
/// Attributes named in one request.
const NAMES_MAX: usize = 4096;

impl PoolService {
    /// Reads and changes attributes of the pool.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`: a read-only handle changes nothing; `NONEXIST`: one of the names to get; `INVAL`: name or
    /// value too long; `NOSPACE`.
    pub fn pool_attr(&self, request: AttrRequest) -> Result<AttrReply> {
        let handle = self.handle(request.handle)?;
        if is_change(&request.action) && handle.flags & flags::OPEN_RO != 0 {
            return Err(Der::NO_PERM.err("the pool is open for reading only"));
        }
        let attrs = self.state.borrow().pool_attrs.clone();
        self.attr(request.action, &attrs, Change::PoolAttr, Vec::new())
    }

    /// Reads and changes attributes of a container.
    ///
    /// # Errors
    /// As [`PoolService::pool_attr`].
    pub fn cont_attr(&self, service: &Service, request: AttrRequest) -> Result<AttrReply> {
        let handle = self.cont_handle(request.handle)?;
        let needed =
            if is_change(&request.action) { perm::WRITE | perm::SET_PROP } else { perm::READ | perm::GET_PROP };
        if handle.permissions & needed == 0 {
            return Err(Der::NO_PERM.err(format!("the handle does not allow that on container {}", handle.cont)));
        }
        let cont = handle.cont;
        let attrs: BTreeMap<String, Vec<u8>> = {
            let state = self.state.borrow();
            let own = state.cont_attrs.range((cont, String::new())..).take_while(|((uuid, _), _)| *uuid == cont);
            own.map(|((_, name), value)| (name.clone(), value.clone())).collect()
        };
        let also = if is_change(&request.action) { self.touched(service, cont) } else { Vec::new() };
        self.attr(request.action, &attrs, move |name, value| Change::ContAttr(cont, name, value), also)
    }

    /// The change that notes that a container was changed now.
    pub(super) fn touched(&self, service: &Service, cont: Uuid) -> Vec<Change> {
        let found = self.state.borrow().conts.get(&cont).cloned();
        let touch = |cont: Container| Container { modify_time: service.clock.now(), ..cont };
        found.map(|found| Change::Cont(cont, Some(touch(found)))).into_iter().collect()
    }

    fn attr(
        &self,
        action: AttrAction,
        attrs: &BTreeMap<String, Vec<u8>>,
        change: impl Fn(String, Option<Vec<u8>>) -> Change,
        also: Vec<Change>,
    ) -> Result<AttrReply> {
        let mut reply = AttrReply { names: Vec::new(), values: Vec::new() };
        let mut changes = also;
        match action {
            AttrAction::List => reply.names = attrs.keys().cloned().collect(),
            AttrAction::Get(names) => {
                for name in names {
                    let none = || Der::NONEXIST.err(format!("no attribute {name:?}"));
                    reply.values.push(attrs.get(&name).ok_or_else(none)?.clone());
                }
            }
            AttrAction::Set(pairs) => {
                check_count(pairs.len())?;
                for (name, value) in pairs {
                    check(&name, value.len())?;
                    changes.push(change(name, Some(value)));
                }
                self.change(changes)?;
            }
            AttrAction::Delete(names) => {
                check_count(names.len())?;
                changes
                    .extend(names.into_iter().filter(|name| attrs.contains_key(name)).map(|name| change(name, None)));
                self.change(changes)?;
            }
        }
        Ok(reply)
    }
}

fn is_change(action: &AttrAction) -> bool {
    matches!(action, AttrAction::Set(_) | AttrAction::Delete(_))
}

fn check_count(count: usize) -> Result<()> {
    if count == 0 || count > NAMES_MAX {
        return Err(Der::INVAL.err(format!("{count} attributes; 1 to {NAMES_MAX} are allowed")));
    }
    Ok(())
}

fn check(name: &str, value_bytes: usize) -> Result<()> {
    if name.is_empty() || name.len() > NAME_MAX_BYTES {
        return Err(Der::INVAL.err(format!("an attribute's name has 1 to {NAME_MAX_BYTES} bytes, not {}", name.len())));
    }
    if value_bytes > VALUE_MAX_BYTES {
        return Err(Der::INVAL.err(format!("attribute {name:?}: {value_bytes} bytes; at most {VALUE_MAX_BYTES}")));
    }
    Ok(())
}
