//! `libdaos.so`: the C ABI of the client library, and nothing else.
//!
//! A function here checks pointers, converts, calls `daos-client`, stores the result. What comes from C is described
//! in [`c`]; how a call runs, blocking or for an event, in [`call`]; events and their queues in [`event`] and [`queue`];
//! calls as tasks in [`task`].
//! Functions of the headers that are not built yet are generated and answer -DER_NOSYS (`daos_export::stubs`).

mod akeys;
mod anchor;
mod api_array;
mod api_class;
mod api_container;
mod api_event;
mod api_kv;
mod api_library;
mod api_mgmt;
mod api_object;
mod api_object_info;
mod api_perms;
mod api_pipeline;
mod api_pool;
mod api_pool_filter;
mod api_snapshot;
mod api_task;
mod api_tx;
mod attrs;
mod c;
mod call;
mod event;
mod handles;
mod list_object;
mod log;
mod props;
mod queue;
mod task;

daos_export::stubs!();
