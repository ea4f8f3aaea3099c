//! Tests of the store as a whole: against a model, through crashes, on damaged files, and of its limits.

mod anchors;
mod audit;
mod crash;
mod damage;
mod epochs;
mod history;
mod limits;
mod model;
mod transactions;
mod trees;

use crate::{Durability, PoolConfig, VosCont, VosPool};
use daos_common::{Epoch, Iod, IodKind, ObjectId, Recx, Result, UnitOid};
use std::path::Path;
use uuid::Uuid;

fn config(path: &Path, arena_bytes: u64) -> PoolConfig {
    PoolConfig {
        path: path.to_path_buf(),
        pool: Uuid::from_u128(77),
        arena_bytes,
        blob_bytes: 0,
        blob_threshold_bytes: u64::MAX,
        durability: Durability::Process,
    }
}

fn env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn object(number: u64) -> UnitOid {
    UnitOid { oid: ObjectId { lo: number, hi: 0 }, shard: 0, layout: 0 }
}

fn single(akey: &[u8], size: u64) -> Iod {
    Iod { akey: akey.to_vec(), kind: IodKind::Single, size, recxs: Vec::new(), flags: 0 }
}

fn array(akey: &[u8], size: u64, idx: u64, nr: u64) -> Iod {
    Iod { akey: akey.to_vec(), kind: IodKind::Array, size, recxs: vec![Recx { idx, nr }], flags: 0 }
}

/// One update with `data` for its places in order; blob places are left out.
fn put(cont: &VosCont, oid: UnitOid, epoch: Epoch, dkey: &[u8], iods: &[Iod], data: &[u8]) -> Result<()> {
    let mut update = cont.reserve_update(oid, epoch, dkey, 0, iods)?;
    let mut at = 0;
    for place in update.places().to_vec() {
        let bytes = update.bytes_mut(place);
        let len = bytes.len();
        bytes.copy_from_slice(&data[at..at + len]);
        at += len;
    }
    update.commit()
}

/// The bytes of one akey, holes as zeros.
fn get(pool: &VosPool, cont: &VosCont, oid: UnitOid, epoch: Epoch, dkey: &[u8], iod: Iod) -> Result<Vec<u8>> {
    let fetch = cont.fetch(oid, epoch, dkey, 0, &[iod])?;
    let mut all = Vec::new();
    for place in &fetch.iods[0].places {
        match *place {
            crate::Place::Hole { len } => all.resize(all.len() + len as usize, 0),
            place => all.extend_from_slice(pool.bytes(&fetch, place)),
        }
    }
    Ok(all)
}
