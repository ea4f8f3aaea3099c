//! Access control lists and owners of containers.

use crate::{ContRef, PropList, check};
use daos_common::acl::{Acl, Principal};
use daos_common::props::co;
use daos_common::{Der, Result};
use daos_sys as sys;
use std::ffi::CString;
use std::ptr;

/// Bytes of a list in front of its entries; the length of the entries stands at offset 4.
const HEADER_BYTES: usize = 8;

/// Who may do what with a container, and who owns it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContAccess {
    /// The list.
    pub acl: Acl,
    /// Owning user, `name@`.
    pub owner: String,
    /// Owning group, `name@`.
    pub group: String,
}

impl PropList {
    /// An access control list; `None` when this lacks it or it is NULL.
    ///
    /// # Errors
    /// `INVAL`: it isn't one.
    pub fn acl(&self, number: u32) -> Result<Option<Acl>> {
        // SAFETY: an ACL property points to a header of this size at least.
        let Some(header) = (unsafe { self.bytes(number, HEADER_BYTES) }) else { return Ok(None) };
        let length = u32::from_ne_bytes([header[4], header[5], header[6], header[7]]) as usize;
        // SAFETY: by the layout of the list its entries follow, in as many bytes.
        let bytes = unsafe { self.bytes(number, HEADER_BYTES + length) };
        bytes.map(|bytes| Acl::from_bytes(&bytes)).transpose()
    }
}

impl ContRef {
    /// The list and the owners.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`: no right to read the list.
    pub fn access(self) -> Result<ContAccess> {
        let mut props = PropList::query(&[co::ACL, co::OWNER, co::OWNER_GROUP]);
        self.query(&mut props)?;
        let acl = props.acl(co::ACL)?.ok_or_else(|| Der::NO_PERM.err("no access control list was given"))?;
        let text = |number| props.text(number).unwrap_or_default();
        Ok(ContAccess { acl, owner: text(co::OWNER), group: text(co::OWNER_GROUP) })
    }

    /// Replaces the list.
    ///
    /// # Errors
    /// `INVAL`, `NO_HDL`, `NO_PERM`.
    pub fn overwrite_acl(self, acl: &Acl) -> Result<()> {
        let mut bytes = aligned(&acl.to_bytes());
        // SAFETY: aligned memory with a whole list, alive through the call, which only reads it.
        let rc = unsafe { sys::daos_cont_overwrite_acl(self.raw(), bytes.as_mut_ptr().cast(), ptr::null_mut()) };
        check(rc, "daos_cont_overwrite_acl")
    }

    /// Adds the entries of `acl`, or replaces those of the same principals.
    ///
    /// # Errors
    /// `INVAL`, `NO_HDL`, `NO_PERM`.
    pub fn update_acl(self, acl: &Acl) -> Result<()> {
        let mut bytes = aligned(&acl.to_bytes());
        // SAFETY: aligned memory with a whole list, alive through the call, which only reads it.
        let rc = unsafe { sys::daos_cont_update_acl(self.raw(), bytes.as_mut_ptr().cast(), ptr::null_mut()) };
        check(rc, "daos_cont_update_acl")
    }

    /// Removes the entry of a principal.
    ///
    /// # Errors
    /// `NONEXIST`: there is none; `NO_HDL`, `NO_PERM`.
    pub fn delete_acl(self, principal: &Principal) -> Result<()> {
        let name = c_text(principal.name())?;
        let kind = sys::daos_acl_principal_type::from(principal.number());
        // SAFETY: the text lives through the call, which only reads it.
        let rc = unsafe { sys::daos_cont_delete_acl(self.raw(), kind, name.as_ptr().cast_mut(), ptr::null_mut()) };
        check(rc, "daos_cont_delete_acl")
    }

    /// Changes owning user and group, `name@` each; `None` leaves one as it is.
    ///
    /// # Errors
    /// `INVAL`: not a principal; `NO_HDL`, `NO_PERM`.
    pub fn set_owner(self, user: Option<&str>, group: Option<&str>) -> Result<()> {
        let (user, group) = (user.map(c_text).transpose()?, group.map(c_text).transpose()?);
        let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null_mut(), |text| text.as_ptr().cast_mut());
        // SAFETY: the texts live through the call, which only reads them; NULL stands for none.
        let rc = unsafe { sys::daos_cont_set_owner(self.raw(), pointer(&user), pointer(&group), ptr::null_mut()) };
        check(rc, "daos_cont_set_owner")
    }
}

fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Der::INVAL.err(format!("{text:?} has a NUL byte")))
}

fn aligned(bytes: &[u8]) -> Vec<u64> {
    let mut words = vec![0u64; bytes.len().div_ceil(8)];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks(8)) {
        let mut whole = [0; 8];
        whole[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_ne_bytes(whole);
    }
    words
}
