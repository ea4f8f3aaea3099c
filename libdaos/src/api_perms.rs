//! What a user may do, from the ACL and the owners in a list of properties.

use crate::c::{Out, elements};
use crate::call::answer;
use crate::props;
use daos_common::acl::{Acl, Ownership, User, perm};
use daos_common::props::{co, get, po};
use daos_common::wire::pool::PropValue;
use daos_common::{Der, Error, Result};
use daos_proto::users::{group_name, user_name};
use daos_sys::{daos_prop_t, gid_t, uid_t};
use std::ffi::c_int;

/// The numbers of the three properties, and what the owner may do in any case.
struct Table {
    acl: u32,
    owner: u32,
    group: u32,
    owner_keeps: u64,
}

const POOL: Table = Table { acl: po::ACL, owner: po::OWNER, group: po::OWNER_GROUP, owner_keeps: 0 };
const CONTAINER: Table =
    Table { acl: co::ACL, owner: co::OWNER, group: co::OWNER_GROUP, owner_keeps: perm::GET_ACL | perm::SET_ACL };

/// # Safety
/// The contract of [`crate::c`].
unsafe fn permissions(
    table: &Table,
    list: *mut daos_prop_t,
    uid: uid_t,
    gids: *mut gid_t,
    count: usize,
    perms: *mut u64,
) -> Result<()> {
    // SAFETY: the contract of this function.
    let place = unsafe { Out::required(perms, "perms") }?;
    if list.is_null() || (gids.is_null() && count > 0) {
        return Err(Der::INVAL.err("no properties, or no group ids"));
    }
    // A list may hold all properties of a pool, also those that only the system sets.
    let wanted = |number| [table.acl, table.owner, table.group].contains(&number);
    // SAFETY: the contract of this function.
    let (props, gids) = unsafe { (props::take_where(list, wanted)?, elements(gids, count)) };
    let Some(PropValue::Bytes(acl)) = get(&props, table.acl) else {
        return Err(Der::INVAL.err("no ACL among the properties"));
    };
    let text = |number| match get(&props, number) {
        Some(PropValue::Text(text)) => Ok(text.clone()),
        _ => Err(Der::INVAL.err("no owner, or no owning group, among the properties")),
    };
    let ownership = Ownership { user: text(table.owner)?, group: text(table.group)? };
    let unknown = |what: &'static str, id: u32| move || Error::new(Der::NONEXIST, format!("{what} {id} has no name"));
    let name = user_name(uid)?.ok_or_else(unknown("user", uid))?;
    let groups = gids.iter().map(|gid| Ok(format!("{}@", group_name(*gid)?.ok_or_else(unknown("group", *gid))?)));
    let user = User { name: format!("{name}@"), groups: groups.collect::<Result<_>>()? };
    let kept = if user.is_owner(&ownership) { table.owner_keeps } else { 0 };
    place.set(Acl::from_bytes(acl)?.permissions(&ownership, &user) | kept);
    Ok(())
}

daos_export::export! { Der;
    fn daos_pool_get_perms(
        pool_prop: *mut daos_prop_t,
        uid: uid_t,
        gids: *mut gid_t,
        nr_gids: usize,
        perms: *mut u64,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        answer(unsafe { permissions(&POOL, pool_prop, uid, gids, nr_gids, perms) })
    }

    fn daos_cont_get_perms(
        cont_prop: *mut daos_prop_t,
        uid: uid_t,
        gids: *mut gid_t,
        nr_gids: usize,
        perms: *mut u64,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        answer(unsafe { permissions(&CONTAINER, cont_prop, uid, gids, nr_gids, perms) })
    }
}
