//! Commits of transactions: parts by target, the leader, retries.
//!
//! The parts are made anew for every attempt, by the newest pool map. An attempt whose answer was lost may have taken
//! effect at its leader; if the map's next version names another leader, nobody there knows, and the outcome is
//! TX_UNCERTAIN.

use crate::container::Container;
use crate::context::Context;
use crate::object::{self, Route};
use crate::rpc::Retry;
use crate::transaction::{Change, Committing, Data, Write};
use daos_common::placement::{LAYOUT_VERSION, Layout};
use daos_common::wire::tx::{
    PARTS_MAX_BYTES, TxCommitRequest, TxEpochReply, TxHeader, TxPart, TxRead, TxTarget, TxWrite,
};
use daos_common::wire::{Opcode, decode, encode};
use daos_common::{Der, Epoch, ObjectId, Result, UnitOid};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// Commits, and gives the epoch.
pub(crate) async fn commit(context: &Rc<Context>, container: &Arc<Container>, work: Committing) -> Result<Epoch> {
    let mut retry = Retry::patient(context);
    // The leader of an attempt that may have taken effect.
    let mut uncertain: Option<TxTarget> = None;
    loop {
        let (map_version, parts) = parts(container, &work)?;
        let leader = parts.first().map(|part| part.target).ok_or_else(|| Der::INVAL.err("nothing to commit"))?;
        if uncertain.is_some_and(|before| before != leader) {
            return Err(Der::TX_UNCERTAIN.err("the leader's target left the pool while it committed"));
        }
        let header = TxHeader {
            pool: container.pool.uuid,
            cont_handle: container.handle,
            map_version,
            tx: work.id,
            read_epoch: work.read_epoch,
        };
        let body = encode(&TxCommitRequest { header })?;
        let payload = encode(&parts)?;
        if payload.len() > PARTS_MAX_BYTES {
            let bytes = payload.len();
            return Err(Der::REC2BIG.err(format!("a transaction of {bytes} bytes; at most {PARTS_MAX_BYTES}")));
        }
        drop(parts);
        let (rank, target, payload) = (leader.rank, leader.target + 1, [payload.as_slice()]);
        let sent = context.send(rank, target, Opcode::TxCommit, body, &payload, retry.remaining()).await;
        let error = match sent {
            Ok(reply) => return Ok(decode::<TxEpochReply>(reply.message.body())?.epoch),
            Err(error) => error.at(format_args!("transaction {}", work.id)),
        };
        match error.code() {
            Der::STALE => {
                container.pool.refresh_map(context, map_version).await?;
                if container.pool.map_version() > map_version {
                    continue;
                }
            }
            Der::UNREACH | Der::TIMEDOUT | Der::NOREPLY | Der::HG => uncertain = Some(leader),
            _ => {}
        }
        retry.after(context, error).await?;
    }
}

/// Layouts of objects by one version of the pool map.
struct Places<'a> {
    container: &'a Container,
    layouts: HashMap<ObjectId, Arc<Layout>>,
    version: u32,
}

impl Places<'_> {
    fn find(&mut self, oid: ObjectId, route: Route) -> Result<(TxTarget, UnitOid)> {
        let layout = match self.layouts.get(&oid) {
            Some(layout) => layout,
            None => {
                let layout = object::place(self.container, oid)?;
                self.version = self.version.min(layout.version);
                self.layouts.entry(oid).or_insert(layout)
            }
        };
        let place = object::pick(layout, oid, route)?;
        let target = TxTarget { rank: place.rank, target: place.index };
        Ok((target, UnitOid { oid, shard: place.shard, layout: LAYOUT_VERSION }))
    }
}

/// The version of the pool map, and the parts by target: that of the first write first.
fn parts(container: &Container, work: &Committing) -> Result<(u32, Vec<TxPart>)> {
    let mut places = Places { container, layouts: HashMap::new(), version: u32::MAX };
    let mut parts: Vec<TxPart> = Vec::new();
    let mut index_of: HashMap<TxTarget, usize> = HashMap::new();
    let mut part_of = |parts: &mut Vec<TxPart>, target: TxTarget| {
        *index_of.entry(target).or_insert_with(|| {
            parts.push(TxPart { target, reads: Vec::new(), writes: Vec::new() });
            parts.len() - 1
        })
    };
    for write in &work.writes {
        let (target, oid) = places.find(write.oid, write.route)?;
        let index = part_of(&mut parts, target);
        parts[index].writes.push(to_wire(write, oid));
    }
    for read in &work.reads {
        let (target, oid) = places.find(read.oid, read.route)?;
        let index = part_of(&mut parts, target);
        parts[index].reads.push(TxRead { oid, scope: read.scope.clone() });
    }
    Ok((places.version, parts))
}

fn to_wire(write: &Write, oid: UnitOid) -> TxWrite {
    match &write.change {
        Change::Update { dkey, iods, data } => {
            let data = match data {
                Data::Copied(bytes) => bytes.clone(),
                Data::Borrowed(memory) => memory.as_slices(memory.len()).concat(),
            };
            TxWrite::Update { oid, dkey: dkey.clone(), flags: 0, iods: iods.clone(), data }
        }
        Change::Punch { dkeys, akeys } => TxWrite::Punch { oid, dkeys: dkeys.clone(), akeys: akeys.clone(), flags: 0 },
    }
}
