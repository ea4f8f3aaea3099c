//! Handles for other processes (`*_local2global`, `*_global2local`): one process connects, the others take over its
//! handle without asking the service, and closing theirs is local.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | magic, `DPH1` (pool) or `DCH1` (container) |
//! | 4 | 4 | format version, 1 |
//! | 8 | 4 | bytes of the body |
//! | 12 | 4 | CRC-32 (ISO-HDLC) of the body |
//! | 16 | | body: [`PoolBlob`] or [`ContBlob`] in postcard |

use crate::container::{ContParts, Container};
use crate::pool::{Pool, PoolParts};
use crate::process;
use daos_common::pool_map::PoolMap;
use daos_common::wire::pool::Prop;
use daos_common::wire::{decode, encode};
use daos_common::{Der, Rank, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

const POOL_MAGIC: [u8; 4] = *b"DPH1";
const CONT_MAGIC: [u8; 4] = *b"DCH1";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 16;

#[derive(Serialize, Deserialize)]
struct PoolBlob {
    system: String,
    uuid: Uuid,
    handle: Uuid,
    flags: u64,
    props: Vec<Prop>,
    service_ranks: Vec<Rank>,
    map: PoolMap,
}

#[derive(Serialize, Deserialize)]
struct ContBlob {
    pool: Uuid,
    pool_handle: Uuid,
    uuid: Uuid,
    handle: Uuid,
    flags: u64,
    label: String,
    props: Vec<Prop>,
}

impl Pool {
    /// The handle for another process.
    ///
    /// # Errors
    /// `UNINIT`.
    pub fn to_global(&self) -> Result<Vec<u8>> {
        let body = PoolBlob {
            system: process::system()?.name().to_owned(),
            uuid: self.uuid,
            handle: self.handle,
            flags: self.flags,
            props: self.props.clone(),
            service_ranks: self.service_ranks(),
            map: PoolMap::clone(&self.map()),
        };
        seal(POOL_MAGIC, &body)
    }

    /// Takes over a handle of another process.
    ///
    /// # Errors
    /// `INVAL`: not such a handle, damaged, or of another system; `MISMATCH`: of another format version; `UNINIT`.
    pub fn from_global(bytes: &[u8]) -> Result<Arc<Pool>> {
        let blob: PoolBlob = unseal(POOL_MAGIC, bytes)?;
        let system = process::system()?;
        if blob.system != system.name() {
            let (theirs, ours) = (blob.system, system.name());
            return Err(Der::INVAL.err(format!("global pool handle of system {theirs:?}, this process is on {ours:?}")));
        }
        blob.map.validate().map_err(|error| Der::INVAL.err(error.message()))?;
        let parts = PoolParts { uuid: blob.uuid, handle: blob.handle, flags: blob.flags, props: blob.props };
        Ok(Arc::new(Pool::assemble(parts, blob.map, blob.service_ranks, None)))
    }
}

impl Container {
    /// The handle for another process.
    ///
    /// # Errors
    /// `MISC`: not encodable.
    pub fn to_global(&self) -> Result<Vec<u8>> {
        let body = ContBlob {
            pool: self.pool.uuid,
            pool_handle: self.pool.handle,
            uuid: self.uuid,
            handle: self.handle,
            flags: self.flags,
            label: self.label.clone(),
            props: self.props.clone(),
        };
        seal(CONT_MAGIC, &body)
    }

    /// Takes over a handle of another process, of a container of `pool`.
    ///
    /// # Errors
    /// As [`Pool::from_global`]; `INVAL`: of another pool.
    pub fn from_global(pool: &Arc<Pool>, bytes: &[u8]) -> Result<Arc<Container>> {
        let blob: ContBlob = unseal(CONT_MAGIC, bytes)?;
        if blob.pool != pool.uuid || blob.pool_handle != pool.handle {
            return Err(
                Der::INVAL.err(format!("global handle of a container of pool {}, not {}", blob.pool, pool.uuid))
            );
        }
        let ContBlob { uuid, handle, flags, label, props, .. } = blob;
        Ok(Arc::new(Container::assemble(pool.clone(), ContParts { uuid, handle, flags, label, props }, None)))
    }
}

fn seal<T: Serialize>(magic: [u8; 4], body: &T) -> Result<Vec<u8>> {
    let body = encode(body)?;
    let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
    bytes.extend_from_slice(&magic);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&checksum(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

fn unseal<T: DeserializeOwned>(magic: [u8; 4], bytes: &[u8]) -> Result<T> {
    let Some((head, rest)) = bytes.split_at_checked(HEAD_BYTES) else {
        return Err(Der::INVAL.err("global handle: too short"));
    };
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| head[at + byte]));
    if head[..4] != magic {
        return Err(Der::INVAL.err("not a global handle of this kind"));
    }
    if word(4) != VERSION {
        return Err(Der::MISMATCH.err(format!("global handle of format version {}, not {VERSION}", word(4))));
    }
    let body = rest.get(..word(8) as usize).filter(|body| checksum(body) == word(12));
    let body = body.ok_or_else(|| Der::INVAL.err("global handle: damaged or cut short"))?;
    decode(body).map_err(|error| Der::INVAL.err(format!("global handle: {}", error.message())))
}

fn checksum(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: every single-bit damage and every cut of a handle is noticed, and the kinds are told apart.
    #[test]
    fn damage_is_noticed() {
        let sealed = seal(POOL_MAGIC, &("name".to_owned(), 77u64)).unwrap();
        let read = |bytes: &[u8]| unseal::<(String, u64)>(POOL_MAGIC, bytes);
        assert_eq!(read(&sealed).unwrap(), ("name".to_owned(), 77));
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&damaged).is_err(), "bit {bit}");
        }
        for cut in 0..sealed.len() {
            assert!(read(&sealed[..cut]).is_err(), "cut {cut}");
        }
        assert_eq!(unseal::<(String, u64)>(CONT_MAGIC, &sealed).unwrap_err().code(), Der::INVAL);
    }
}
