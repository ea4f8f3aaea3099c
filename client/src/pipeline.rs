//! Pipelines: each group's target filters and aggregates beside its data; the client gathers.
//!
//! Cost: one message pair for each part of a shard that a target looks at in one go; a fetch for each value that is too
//! large for the message.

use crate::context::Context;
use crate::keys::Anchor;
use crate::memory::UserMemory;
use crate::object::{Object, Route, ShardRequest};
use crate::view::View;
use daos_common::oclass::ObjectClass;
use daos_common::pipeline::{Aggregates, Pipeline, Program};
use daos_common::wire::pipeline::{ObjPipelineReply, ObjPipelineRequest, PipelineRecord, PipelineValue};
use daos_common::wire::tx::ReadScope;
use daos_common::wire::{Opcode, decode, encode};
use daos_common::{Der, Epoch, Iod, IodKind, Result};
use std::rc::Rc;

/// What is to be run.
pub struct PipelineRun {
    /// The filters.
    pub pipeline: Pipeline,
    /// Over this dkey only.
    pub dkey: Option<Vec<u8>>,
    /// The akeys of a record.
    pub iods: Vec<Iod>,
    /// At most so many records come back; with aggregations at most one.
    pub limit: u32,
    /// `COND_*`; count with a dkey only.
    pub flags: u64,
    /// What is seen.
    pub view: View,
}

/// A record that came back; its key and values are where the packers put them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundRecord {
    /// Bytes of the dkey.
    pub key_bytes: u64,
    /// For each akey the size of the value, or of a record of the array; 0: nothing is there.
    pub sizes: Vec<u64>,
}

/// What a run has found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PipelineFound {
    /// Records that met the conditions.
    pub records: Vec<FoundRecord>,
    /// Results of the aggregations; `None`: the anchor was at its end already.
    pub aggregates: Option<Vec<f64>>,
    /// Dkeys that were looked at; 0 when one was named.
    pub dkeys: u64,
    /// Akeys that were looked at of a dkey that was named.
    pub akeys: u64,
}

/// Buffers that values are put into, one behind the other; none is split over two buffers.
#[derive(Default)]
pub struct Packer {
    buffers: Vec<(UserMemory, u64)>,
    at: usize,
}

impl Packer {
    /// Over these buffers.
    pub fn new(buffers: Vec<UserMemory>) -> Packer {
        Packer { buffers: buffers.into_iter().map(|buffer| (buffer, 0)).collect(), at: 0 }
    }

    /// Bytes used of each buffer.
    pub fn used(&self) -> impl Iterator<Item = u64> + '_ {
        self.buffers.iter().map(|(_, used)| *used)
    }

    /// Whether values of these sizes fit, in this order.
    fn fits(&self, sizes: impl IntoIterator<Item = u64>) -> bool {
        let mut at = self.at;
        let mut used = self.buffers.get(at).map_or(0, |(_, used)| *used);
        for size in sizes.into_iter().filter(|size| *size > 0) {
            while self.buffers.get(at).is_some_and(|(buffer, _)| buffer.len() - used < size) {
                (at, used) = (at + 1, 0);
            }
            if at >= self.buffers.len() {
                return false;
            }
            used += size;
        }
        true
    }

    /// A place for a value that fits.
    fn take(&mut self, size: u64) -> UserMemory {
        if size == 0 {
            return UserMemory::default();
        }
        while let Some((buffer, used)) = self.buffers.get_mut(self.at) {
            if buffer.len() - *used >= size {
                let place = buffer.slice(*used, size);
                *used += size;
                return place;
            }
            self.at += 1;
        }
        UserMemory::default()
    }
}

impl Object {
    /// Runs a pipeline from `anchor` on, which it moves; without aggregations until there are `limit` records or no room
    /// is left, with them over all. `None` of the packers: keys, or values, are not wanted.
    ///
    /// # Errors
    /// `INVAL`: the pipeline makes no sense, the anchor is of another object, or an array has other records than its
    /// descriptor says; `REC2BIG`: a single value is longer than its descriptor says, or the first record does not fit
    /// its buffers; `DIV_BY_ZERO`; `NONEXIST`: a condition; `NOTSUPPORTED`: an erasure-coded object; `UNREACH`;
    /// `TIMEDOUT`; in a transaction also as `Transaction::begin_read`, and `TX_RESTART`.
    pub async fn run_pipeline(
        &self,
        context: &Rc<Context>,
        run: &PipelineRun,
        anchor: &mut Anchor,
        keys: Option<&mut Packer>,
        values: Option<&mut Packer>,
    ) -> Result<PipelineFound> {
        let program = Program::new(&run.pipeline)?;
        if ObjectClass::from_id(self.oid().class()).is_ok_and(ObjectClass::is_erasure) {
            return Err(
                Der::NOTSUPPORTED.err(format!("object {}: a pipeline over an erasure-coded object", self.oid()))
            );
        }
        let groups = self.groups();
        if anchor.group >= groups {
            return Err(Der::INVAL.err(format!("object {}: the anchor is of another object", self.oid())));
        }
        let aggregating = program.aggregations() > 0;
        let nothing_wanted = run.limit == 0 && !aggregating;
        if anchor.eof || nothing_wanted {
            return Ok(PipelineFound::default());
        }
        let aggregates = Aggregates::new(&program);
        let limit = if aggregating { run.limit.min(1) } else { run.limit } as usize;
        let found = PipelineFound::default();
        let mut gather = Gather { object: self, run, keys, values, found, aggregates };
        match &run.dkey {
            Some(dkey) => {
                let route = self.route(dkey)?;
                let reply = gather.ask(context, route, &[], limit).await?;
                gather.found.akeys = run.iods.len() as u64;
                gather.take_in(context, reply, limit).await?;
                anchor.eof = true;
            }
            None => {
                while !anchor.eof && (aggregating || gather.found.records.len() < limit) {
                    if !gather.step(context, anchor, limit, groups).await? {
                        break;
                    }
                }
            }
        }
        gather.found.aggregates = Some(gather.aggregates.results(&program));
        Ok(gather.found)
    }
}

/// A run under way.
struct Gather<'a> {
    object: &'a Object,
    run: &'a PipelineRun,
    keys: Option<&'a mut Packer>,
    values: Option<&'a mut Packer>,
    found: PipelineFound,
    aggregates: Aggregates,
}

impl Gather<'_> {
    /// Asks the anchor's group once, and moves the anchor; whether there is room for more.
    async fn step(&mut self, context: &Rc<Context>, anchor: &mut Anchor, limit: usize, groups: u32) -> Result<bool> {
        let left = limit - self.found.records.len().min(limit);
        let reply = self.ask(context, Route::Group(anchor.group), &anchor.position, left).await?;
        let (scanned, next, eof) = (reply.scanned, reply.anchor.clone(), reply.eof);
        if let Some(last) = self.take_in(context, reply, limit).await? {
            // A record without room: the next call begins with it.
            if let Some((position, scanned)) = last {
                anchor.position = position;
                self.found.dkeys += scanned;
            }
            return Ok(false);
        }
        self.found.dkeys += scanned;
        if !eof {
            anchor.position = next;
            return Ok(true);
        }
        anchor.position.clear();
        match anchor.one_group || anchor.group + 1 == groups {
            true => anchor.eof = true,
            false => anchor.group += 1,
        }
        Ok(true)
    }

    async fn ask(&self, context: &Rc<Context>, route: Route, anchor: &[u8], limit: usize) -> Result<ObjPipelineReply> {
        let run = self.run;
        let (conditions, scope) = match &run.dkey {
            Some(dkey) => (run.flags, ReadScope::Dkey(dkey.clone())),
            None => (0, ReadScope::Object),
        };
        let reading = run.view.begin_read(context, self.object, route, [scope]).await?;
        let (flags, epoch) = (conditions | reading.flags, reading.epoch);
        let request = ShardRequest { route, opcode: Opcode::ObjPipeline, flags, epoch, payload: &[] };
        let encode = |header| {
            encode(&ObjPipelineRequest {
                header,
                pipeline: run.pipeline.clone(),
                dkey: run.dkey.clone(),
                iods: run.iods.clone(),
                anchor: anchor.to_vec(),
                limit: u32::try_from(limit).unwrap_or(u32::MAX),
            })
        };
        let reply = reading.end(self.object.call_shard(context, request, encode).await)?;
        let reply: ObjPipelineReply = decode(reply.message.body())?;
        if reply.anchor.len() > Anchor::POSITION_MAX_BYTES
            || reply.records.len() > limit
            || reply.records.iter().any(|record| !self.is_sound(record))
        {
            return Err(self.object.malformed());
        }
        Ok(reply)
    }

    /// Whether a record is one that was asked for.
    fn is_sound(&self, record: &PipelineRecord) -> bool {
        let data_fits = |value: &PipelineValue| value.data.as_ref().is_none_or(|data| data.len() as u64 == value.bytes);
        record.values.len() == self.run.iods.len()
            && record.anchor.len() <= Anchor::POSITION_MAX_BYTES
            && record.values.iter().all(data_fits)
    }

    /// Takes a reply in. `None`: all of it; else a record had no room, and what is said is where to go on behind the last
    /// one of this reply that had, and how many dkeys were looked at up to it.
    async fn take_in(
        &mut self,
        context: &Rc<Context>,
        reply: ObjPipelineReply,
        limit: usize,
    ) -> Result<Option<Option<(Vec<u8>, u64)>>> {
        self.aggregates.merge(&reply.aggregates);
        let (epoch, mut last) = (reply.epoch, None);
        for record in reply.records {
            if self.found.records.len() >= limit {
                break;
            }
            let key_bytes = record.dkey.len() as u64;
            let sizes = record.values.iter().map(|value| value.bytes);
            let keys_fit = self.keys.as_ref().is_none_or(|keys| keys.fits([key_bytes]));
            if !keys_fit || !self.values.as_ref().is_none_or(|values| values.fits(sizes)) {
                if self.found.records.is_empty() {
                    let what = if keys_fit { "values" } else { "key" };
                    return Err(Der::REC2BIG.err(format!("no room for the {what} of the first record")));
                }
                return Ok(Some(last));
            }
            if let Some(keys) = &mut self.keys {
                keys.take(key_bytes).write_at(0, &record.dkey);
            }
            self.put_values(context, epoch, &record).await?;
            let sizes = record.values.iter().map(|value| value.size).collect();
            self.found.records.push(FoundRecord { key_bytes, sizes });
            last = Some((record.anchor, record.scanned));
        }
        Ok(None)
    }

    async fn put_values(&mut self, context: &Rc<Context>, epoch: Epoch, record: &PipelineRecord) -> Result<()> {
        let Some(values) = &mut self.values else { return Ok(()) };
        let places: Vec<UserMemory> = record.values.iter().map(|value| values.take(value.bytes)).collect();
        for ((iod, value), place) in self.run.iods.iter().zip(&record.values).zip(&places) {
            if let Some(data) = &value.data {
                place.write_at(0, data);
                continue;
            }
            if iod.kind == IodKind::Array {
                place.zero(0, value.bytes);
            }
            let iods = vec![Iod { size: value.size, ..iod.clone() }];
            let (dkey, memory) = (record.dkey.clone(), std::slice::from_ref(place));
            let fetched = self.object.fetch(context, epoch, 0, dkey, iods, memory).await?;
            if fetched.first().is_none_or(|fetched| fetched.size != value.size) {
                return Err(self.object.malformed());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: values stand one behind the other, none over a border, and what fits is told before.
    #[test]
    fn packing() {
        let (mut a, mut b, mut c) = ([0u8; 4], [0u8; 2], [0u8; 5]);
        let buffers = vec![UserMemory::of_buffer(&mut a), UserMemory::of_buffer(&mut b), UserMemory::of_buffer(&mut c)];
        let mut packer = Packer::new(buffers);
        assert!(packer.fits([3, 0, 5]) && packer.fits([4, 2, 5]) && !packer.fits([4, 3, 3]) && !packer.fits([6]));
        packer.take(3).write_at(0, b"abc");
        packer.take(0);
        assert!(packer.fits([1, 2, 5]) && !packer.fits([2, 1, 1, 5]));
        packer.take(3).write_at(0, b"def");
        assert_eq!(packer.used().collect::<Vec<_>>(), [3, 0, 3]);
        assert!(packer.fits([2]) && !packer.fits([3]));
        assert_eq!((a, c), (*b"abc\0", *b"def\0\0"));
        assert!(!Packer::default().fits([1]) && Packer::default().fits([0]));
    }
}
