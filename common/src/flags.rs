//! Flag bits shared by the C ABI and the wire. Numbers from `daos_obj.h`, `daos_pool.h` and `daos_cont.h`.

/// Fail with NONEXIST unless the dkey exists, on punch (`DAOS_COND_PUNCH`).
pub const COND_PUNCH: u64 = 1 << 0;
/// Insert the dkey if it does not exist, else EXIST (`DAOS_COND_DKEY_INSERT`).
pub const COND_DKEY_INSERT: u64 = 1 << 1;
/// Update the dkey if it exists, else NONEXIST (`DAOS_COND_DKEY_UPDATE`).
pub const COND_DKEY_UPDATE: u64 = 1 << 2;
/// Fetch the dkey if it exists, else NONEXIST (`DAOS_COND_DKEY_FETCH`).
pub const COND_DKEY_FETCH: u64 = 1 << 3;
/// Insert each akey if it does not exist, else EXIST (`DAOS_COND_AKEY_INSERT`).
pub const COND_AKEY_INSERT: u64 = 1 << 4;
/// Update each akey if it exists, else NONEXIST (`DAOS_COND_AKEY_UPDATE`).
pub const COND_AKEY_UPDATE: u64 = 1 << 5;
/// Fetch each akey if it exists, else NONEXIST (`DAOS_COND_AKEY_FETCH`).
pub const COND_AKEY_FETCH: u64 = 1 << 6;
/// The akey conditions stand in each iod's `flags` (`DAOS_COND_PER_AKEY`).
pub const COND_PER_AKEY: u64 = 1 << 7;
/// Every conditional bit.
pub const COND_MASK: u64 = (1 << 8) - 1;

/// On the wire only: a read of a transaction, which is answered TX_RESTART when its epoch is no longer kept.
pub const IN_TRANSACTION: u64 = 1 << 32;

/// Pool or container opened for reading (`DAOS_PC_RO`, `DAOS_COO_RO`).
pub const OPEN_RO: u64 = 1 << 0;
/// Opened for reading and writing (`DAOS_PC_RW`, `DAOS_COO_RW`).
pub const OPEN_RW: u64 = 1 << 1;
/// Opened exclusively (`DAOS_PC_EX`, `DAOS_COO_EX`).
pub const OPEN_EX: u64 = 1 << 2;
/// Container opened although it is unclean (`DAOS_COO_FORCE`).
pub const OPEN_FORCE: u64 = 1 << 3;
