//! The handle tables of the process.

use crate::queue::Queue;
use daos_client::handle::HandleTable;
use daos_client::{Array, Container, Object, Pool, Transaction};

pub(crate) static POOLS: HandleTable<Pool> = HandleTable::new(1, "pool");
pub(crate) static CONTAINERS: HandleTable<Container> = HandleTable::new(2, "container");
pub(crate) static OBJECTS: HandleTable<Object> = HandleTable::new(3, "object");
pub(crate) static ARRAYS: HandleTable<Array> = HandleTable::new(4, "array");
pub(crate) static KEY_VALUES: HandleTable<Object> = HandleTable::new(5, "key-value");
pub(crate) static QUEUES: HandleTable<Queue> = HandleTable::new(6, "event queue");
pub(crate) static TRANSACTIONS: HandleTable<Transaction> = HandleTable::new(7, "transaction");

/// Drops every handle, after the last `daos_fini`.
pub(crate) fn clear() {
    // Inner before outer, so that each finds what it counts itself out of.
    ARRAYS.clear();
    KEY_VALUES.clear();
    OBJECTS.clear();
    TRANSACTIONS.clear();
    CONTAINERS.clear();
    POOLS.clear();
    QUEUES.clear();
}
