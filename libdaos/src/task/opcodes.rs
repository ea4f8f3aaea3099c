//! The table of operation codes: which arguments a task has, and which function of the API does it.

use crate::task::Arguments;
use daos_common::Der;
use daos_sys::*;
use std::ffi::{CString, c_int};
use std::ptr;
use uuid::Uuid;

/// The code between transactions and objects, which the header does not name.
const OBJ_REGISTER_CLASS: daos_opc_t = 43;

/// Whether the service of a pool or its containers does the call.
pub(super) fn is_service_call(opcode: daos_opc_t) -> bool {
    match opcode {
        DAOS_OPC_CONT_ALLOC_OIDS => false,
        DAOS_OPC_POOL_CONNECT..=DAOS_OPC_CONT_DESTROY_SNAP => true,
        DAOS_OPC_POOL_FILTER_CONT | DAOS_OPC_CONT_SNAP_OIT_CREATE | DAOS_OPC_CONT_SNAP_OIT_DESTROY => true,
        _ => false,
    }
}

/// One arm per code: the record's type, and the call with the record `$a` and the event `$ev`.
macro_rules! table {
    ($arguments:expr, $ev:ident; $($code:path : $record:ty => |$a:ident| $call:expr;)+) => {
        match $arguments.opcode {
            $($code => {
                const { assert!(size_of::<$record>() <= size_of_val(&[0u64; super::ARGUMENT_WORDS])) };
                const { assert!(align_of::<$record>() <= align_of::<u64>()) };
                // SAFETY: large enough and aligned; any bytes are a record, what they point to is the caller's word.
                let $a = unsafe { (&raw const $arguments.record).cast::<$record>().read() };
                // SAFETY: the contract of `call`.
                unsafe { $call }
            })+
            // Codes that upstream has no function for either (0, 1: deprecated), those whose function is not of the public
            // API (pool membership, which `dmg` changes; synchronisation of objects, which engines use).
            _ => Der::NOSYS.rc(),
        }
    };
}

/// Calls the function of a task's operation code with an event.
///
/// # Safety
/// The contract of [`crate::c`] for what the record holds; the event is initialised.
pub(super) unsafe fn call(arguments: &Arguments, ev: *mut daos_event_t) -> c_int {
    table! { arguments, ev;
        DAOS_OPC_MGMT_LIST_POOLS: daos_mgmt_pool_list_t => |a| daos_mgmt_list_pools(a.grp, a.npools, a.pools, ev);
        DAOS_OPC_SET_PARAMS: daos_set_params_t =>
            |a| daos_debug_set_params(a.grp, a.rank, a.key_id, a.value, a.value_extra, ev);
        DAOS_OPC_MGMT_GET_BS_STATE: daos_mgmt_get_bs_state_t => |a| {
            let mut uuid = a.uuid;
            daos_mgmt_get_bs_state(a.grp, (&raw mut uuid).cast(), a.state, ev)
        };

        DAOS_OPC_POOL_CONNECT: daos_pool_connect_t =>
            |a| named(a.pool, a.uuid, |pool| daos_pool_connect2(pool, a.grp, a.flags, a.poh, a.info, ev));
        DAOS_OPC_POOL_DISCONNECT: daos_pool_disconnect_t => |a| daos_pool_disconnect(a.poh, ev);
        DAOS_OPC_POOL_QUERY: daos_pool_query_t => |a| daos_pool_query(a.poh, a.ranks, a.info, a.prop, ev);
        DAOS_OPC_POOL_QUERY_INFO: daos_pool_query_target_t =>
            |a| daos_pool_query_target(a.poh, a.tgt_idx, a.rank, a.info, ev);
        DAOS_OPC_POOL_LIST_ATTR: daos_pool_list_attr_t => |a| daos_pool_list_attr(a.poh, a.buf, a.size, ev);
        DAOS_OPC_POOL_GET_ATTR: daos_pool_get_attr_t =>
            |a| daos_pool_get_attr(a.poh, a.n, a.names, a.values, a.sizes, ev);
        DAOS_OPC_POOL_SET_ATTR: daos_pool_set_attr_t =>
            |a| daos_pool_set_attr(a.poh, a.n, a.names, a.values, a.sizes, ev);
        DAOS_OPC_POOL_DEL_ATTR: daos_pool_del_attr_t => |a| daos_pool_del_attr(a.poh, a.n, a.names, ev);
        DAOS_OPC_POOL_STOP_SVC: daos_pool_stop_svc_t => |a| daos_pool_stop_svc(a.poh, ev);
        DAOS_OPC_POOL_LIST_CONT: daos_pool_list_cont_t => |a| daos_pool_list_cont(a.poh, a.ncont, a.cont_buf, ev);
        DAOS_OPC_POOL_FILTER_CONT: daos_pool_filter_cont_t =>
            |a| daos_pool_filter_cont(a.poh, a.filt, a.ncont, a.cont_buf, ev);

        DAOS_OPC_CONT_CREATE: daos_cont_create_t =>
            |a| crate::api_container::create_as(a.poh, Uuid::from_bytes(a.uuid), a.cuuid, a.prop, ev);
        DAOS_OPC_CONT_OPEN: daos_cont_open_t =>
            |a| named(a.cont, a.uuid, |cont| daos_cont_open2(a.poh, cont, a.flags, a.coh, a.info, ev));
        DAOS_OPC_CONT_CLOSE: daos_cont_close_t => |a| daos_cont_close(a.coh, ev);
        DAOS_OPC_CONT_DESTROY: daos_cont_destroy_t =>
            |a| named(a.cont, a.uuid, |cont| daos_cont_destroy2(a.poh, cont, a.force, ev));
        DAOS_OPC_CONT_QUERY: daos_cont_query_t => |a| daos_cont_query(a.coh, a.info, a.prop, ev);
        DAOS_OPC_CONT_SET_PROP: daos_cont_set_prop_t => |a| daos_cont_set_prop(a.coh, a.prop, ev);
        DAOS_OPC_CONT_UPDATE_ACL: daos_cont_update_acl_t => |a| daos_cont_update_acl(a.coh, a.acl, ev);
        DAOS_OPC_CONT_DELETE_ACL: daos_cont_delete_acl_t => |a| daos_cont_delete_acl(a.coh, a.type_.into(), a.name, ev);
        DAOS_OPC_CONT_AGGREGATE: daos_cont_aggregate_t => |a| daos_cont_aggregate(a.coh, a.epoch, ev);
        DAOS_OPC_CONT_ROLLBACK: daos_cont_rollback_t => |a| daos_cont_rollback(a.coh, a.epoch, ev);
        DAOS_OPC_CONT_SUBSCRIBE: daos_cont_subscribe_t => |a| daos_cont_subscribe(a.coh, a.epoch, ev);
        DAOS_OPC_CONT_LIST_ATTR: daos_cont_list_attr_t => |a| daos_cont_list_attr(a.coh, a.buf, a.size, ev);
        DAOS_OPC_CONT_GET_ATTR: daos_cont_get_attr_t =>
            |a| daos_cont_get_attr(a.coh, a.n, a.names, a.values, a.sizes, ev);
        DAOS_OPC_CONT_SET_ATTR: daos_cont_set_attr_t =>
            |a| daos_cont_set_attr(a.coh, a.n, a.names, a.values, a.sizes, ev);
        DAOS_OPC_CONT_DEL_ATTR: daos_cont_del_attr_t => |a| daos_cont_del_attr(a.coh, a.n, a.names, ev);
        DAOS_OPC_CONT_ALLOC_OIDS: daos_cont_alloc_oids_t => |a| daos_cont_alloc_oids(a.coh, a.num_oids, a.oid, ev);
        DAOS_OPC_CONT_LIST_SNAP: daos_cont_list_snap_t =>
            |a| daos_cont_list_snap(a.coh, a.nr, a.epochs, a.names, a.anchor, ev);
        DAOS_OPC_CONT_CREATE_SNAP: daos_cont_create_snap_t =>
            |a| daos_cont_create_snap_opt(a.coh, a.epoch, a.name, a.opts, ev);
        DAOS_OPC_CONT_DESTROY_SNAP: daos_cont_destroy_snap_t => |a| daos_cont_destroy_snap(a.coh, a.epr, ev);
        DAOS_OPC_CONT_SNAP_OIT_CREATE: daos_cont_snap_oit_create_t =>
            |a| daos_cont_snap_oit_create(a.coh, a.epoch, a.name, ev);
        DAOS_OPC_CONT_SNAP_OIT_DESTROY: daos_cont_snap_oit_destroy_t => |a| destroy_oit(a.coh, a.epoch, ev);

        DAOS_OPC_TX_OPEN: daos_tx_open_t => |a| daos_tx_open(a.coh, a.th, a.flags, ev);
        DAOS_OPC_TX_COMMIT: daos_tx_commit_t => |a| daos_tx_commit(a.th, ev);
        DAOS_OPC_TX_ABORT: daos_tx_abort_t => |a| daos_tx_abort(a.th, ev);
        DAOS_OPC_TX_OPEN_SNAP: daos_tx_open_snap_t => |a| daos_tx_open_snap(a.coh, a.epoch, a.th, ev);
        DAOS_OPC_TX_CLOSE: daos_tx_close_t => |a| daos_tx_close(a.th, ev);
        DAOS_OPC_TX_RESTART: daos_tx_restart_t => |a| daos_tx_restart(a.th, ev);

        OBJ_REGISTER_CLASS: daos_obj_register_class_t =>
            |a| daos_obj_register_class(a.coh, a.cid, a.cattr, ev);
        DAOS_OPC_OBJ_QUERY_CLASS: daos_obj_query_class_t => |a| daos_obj_query_class(a.coh, a.cid, a.cattr, ev);
        DAOS_OPC_OBJ_LIST_CLASS: daos_obj_list_class_t => |a| daos_obj_list_class(a.coh, a.clist, a.anchor, ev);
        DAOS_OPC_OBJ_OPEN: daos_obj_open_t => |a| daos_obj_open(a.coh, a.oid, a.mode, a.oh, ev);
        DAOS_OPC_OBJ_CLOSE: daos_obj_close_t => |a| daos_obj_close(a.oh, ev);
        DAOS_OPC_OBJ_PUNCH: daos_obj_punch_t => |a| daos_obj_punch(a.oh, a.th, a.flags, ev);
        DAOS_OPC_OBJ_PUNCH_DKEYS: daos_obj_punch_t => |a| daos_obj_punch_dkeys(a.oh, a.th, a.flags, 1, a.dkey, ev);
        DAOS_OPC_OBJ_PUNCH_AKEYS: daos_obj_punch_t =>
            |a| daos_obj_punch_akeys(a.oh, a.th, a.flags, a.dkey, a.akey_nr, a.akeys, ev);
        DAOS_OPC_OBJ_QUERY: daos_obj_query_t => |a| daos_obj_query(a.oh, a.oa, a.ranks, ev);
        DAOS_OPC_OBJ_QUERY_KEY: daos_obj_query_key_t => |a| match a.max_epoch.is_null() {
            true => daos_obj_query_key(a.oh, a.th, a.flags, a.dkey, a.akey, a.recx, ev),
            false => daos_obj_query_max_epoch(a.oh, a.th, a.max_epoch, ev),
        };
        DAOS_OPC_OBJ_FETCH: daos_obj_fetch_t =>
            |a| daos_obj_fetch(a.oh, a.th, a.flags, a.dkey, a.nr, a.iods, a.sgls, a.ioms, ev);
        DAOS_OPC_OBJ_UPDATE: daos_obj_update_t =>
            |a| daos_obj_update(a.oh, a.th, a.flags, a.dkey, a.nr, a.iods, a.sgls, ev);
        DAOS_OPC_OBJ_LIST_DKEY: daos_obj_list_dkey_t =>
            |a| daos_obj_list_dkey(a.oh, a.th, a.nr, a.kds, a.sgl, a.dkey_anchor, ev);
        DAOS_OPC_OBJ_LIST_AKEY: daos_obj_list_akey_t =>
            |a| daos_obj_list_akey(a.oh, a.th, a.dkey, a.nr, a.kds, a.sgl, a.akey_anchor, ev);
        DAOS_OPC_OBJ_LIST_RECX: daos_obj_list_recx_t => |a| daos_obj_list_recx(
            a.oh, a.th, a.dkey, a.akey, a.size, a.nr, a.recxs, a.eprs, a.anchor, a.incr_order, ev,
        );
        DAOS_OPC_OBJ_LIST_OBJ: daos_obj_list_obj_t => |a| crate::list_object::list_object(&a, ev);
        DAOS_OPC_OBJ_KEY2ANCHOR: daos_obj_key2anchor_t =>
            |a| daos_obj_key2anchor(a.oh, a.th, a.dkey, a.akey, a.anchor, ev);

        DAOS_OPC_ARRAY_CREATE: daos_array_create_t =>
            |a| daos_array_create(a.coh, a.oid, a.th, a.cell_size, a.chunk_size, a.oh, ev);
        DAOS_OPC_ARRAY_OPEN: daos_array_open_t => |a| open_array(&a, ev);
        DAOS_OPC_ARRAY_CLOSE: daos_array_close_t => |a| daos_array_close(a.oh, ev);
        DAOS_OPC_ARRAY_DESTROY: daos_array_destroy_t => |a| daos_array_destroy(a.oh, a.th, ev);
        DAOS_OPC_ARRAY_READ: daos_array_io_t => |a| daos_array_read(a.oh, a.th, a.iod, a.sgl, ev);
        DAOS_OPC_ARRAY_WRITE: daos_array_io_t => |a| daos_array_write(a.oh, a.th, a.iod, a.sgl, ev);
        DAOS_OPC_ARRAY_PUNCH: daos_array_io_t => |a| daos_array_punch(a.oh, a.th, a.iod, ev);
        DAOS_OPC_ARRAY_GET_SIZE: daos_array_get_size_t => |a| daos_array_get_size(a.oh, a.th, a.size, ev);
        DAOS_OPC_ARRAY_SET_SIZE: daos_array_set_size_t => |a| daos_array_set_size(a.oh, a.th, a.size, ev);
        DAOS_OPC_ARRAY_STAT: daos_array_stat_t => |a| daos_array_stat(a.oh, a.th, a.stbuf, ev);

        DAOS_OPC_KV_OPEN: daos_kv_open_t => |a| daos_kv_open(a.coh, a.oid, a.mode, a.oh, ev);
        DAOS_OPC_KV_CLOSE: daos_kv_close_t => |a| daos_kv_close(a.oh, ev);
        DAOS_OPC_KV_DESTROY: daos_kv_destroy_t => |a| daos_kv_destroy(a.oh, a.th, ev);
        DAOS_OPC_KV_GET: daos_kv_get_t => |a| daos_kv_get(a.oh, a.th, a.flags, a.key, a.buf_size, a.buf, ev);
        DAOS_OPC_KV_PUT: daos_kv_put_t => |a| daos_kv_put(a.oh, a.th, a.flags, a.key, a.buf_size, a.buf, ev);
        DAOS_OPC_KV_REMOVE: daos_kv_remove_t => |a| daos_kv_remove(a.oh, a.th, a.flags, a.key, ev);
        DAOS_OPC_KV_LIST: daos_kv_list_t => |a| daos_kv_list(a.oh, a.th, a.nr, a.kds, a.sgl, a.anchor, ev);

        DAOS_OPC_PIPELINE_RUN: daos_pipeline_run_t => |a| daos_pipeline_run(
            // The record names no container; the object's is meant.
            daos_handle_t { cookie: 0 }, a.oh, a.pipeline, a.th, a.flags, a.dkey, a.nr_iods, a.iods, a.anchor, a.nr_kds,
            a.kds, a.sgl_keys, a.sgl_recx, a.recx_size, a.sgl_agg, a.stats, ev,
        );
    }
}

/// Calls with the label or text of a UUID, or with the UUID where there is no text. It is copied by the call.
fn named(text: *const std::ffi::c_char, uuid: uuid_t, call: impl FnOnce(*const std::ffi::c_char) -> c_int) -> c_int {
    let uuid = Uuid::from_bytes(uuid);
    if !text.is_null() || uuid.is_nil() {
        return call(text);
    }
    match CString::new(uuid.to_string()) {
        Ok(name) => call(name.as_ptr()),
        Err(_) => Der::INVAL.rc(),
    }
}

/// # Safety
/// The contract of [`crate::c`].
unsafe fn open_array(a: &daos_array_open_t, ev: *mut daos_event_t) -> c_int {
    if a.open_with_attr == 0 {
        // SAFETY: the contract.
        return unsafe { daos_array_open(a.coh, a.oid, a.th, a.mode, a.cell_size, a.chunk_size, a.oh, ev) };
    }
    if a.cell_size.is_null() || a.chunk_size.is_null() {
        return Der::INVAL.rc();
    }
    // SAFETY: the contract.
    unsafe { daos_array_open_with_attr(a.coh, a.oid, a.th, a.mode, *a.cell_size, *a.chunk_size, a.oh, ev) }
}

/// The API's function wants the open table, so it is opened and closed here, at once; then the event is done.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn destroy_oit(coh: daos_handle_t, epoch: daos_epoch_t, ev: *mut daos_event_t) -> c_int {
    let mut oh = daos_handle_t { cookie: 0 };
    // SAFETY: the contract.
    unsafe {
        let opened = daos_oit_open(coh, epoch, &mut oh, ptr::null_mut());
        if opened != 0 {
            return opened;
        }
        let destroyed = daos_cont_snap_oit_destroy(coh, oh, ptr::null_mut());
        let closed = daos_oit_close(oh, ptr::null_mut());
        match if destroyed != 0 { destroyed } else { closed } {
            0 => crate::call::Call::on(ev).finish(|| Ok(())),
            failed => failed,
        }
    }
}
