//! Pipelines on one target: filters and aggregations over the dkeys of a shard.

use super::object::ObjHeader;
use crate::pipeline::{Aggregates, Pipeline};
use crate::{Epoch, Iod};
use serde::{Deserialize, Serialize};

/// Runs a pipeline over the dkeys of a shard from an anchor on, or over one dkey.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ObjPipelineRequest {
    /// Object, handle, epoch, conditions (with a dkey only). Epoch 0 is answered with the one that was read.
    pub header: ObjHeader,
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Only this dkey.
    pub dkey: Option<Vec<u8>>,
    /// The akeys of a record; also those that its conditions see. `size`: of a single value, the most bytes that it may
    /// have, 0 for any; of an array, the record size, 0 for any.
    pub iods: Vec<Iod>,
    /// Where to go on: what the last reply gave; empty to begin. At most 96 bytes.
    pub anchor: Vec<u8>,
    /// At most this many records. Aggregations go on without giving out records when there are so many.
    pub limit: u32,
}

/// The value of one akey of a record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PipelineValue {
    /// Record size (array) or size of the value (single); 0 when nothing is there.
    pub size: u64,
    /// Bytes that the value takes: the single value, or all extents with zeros in their holes; 0 when nothing is there.
    pub bytes: u64,
    /// Those bytes; `None`: too many for the message, fetch them.
    pub data: Option<Vec<u8>>,
}

/// A record that met the conditions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PipelineRecord {
    /// Its dkey.
    pub dkey: Vec<u8>,
    /// Its akeys, in the order of the iods.
    pub values: Vec<PipelineValue>,
    /// Dkeys that this request had looked at when it came to this one, this one included.
    pub scanned: u64,
    /// Where to go on behind it.
    pub anchor: Vec<u8>,
}

/// Answer to a pipeline.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ObjPipelineReply {
    /// Records that met the conditions.
    pub records: Vec<PipelineRecord>,
    /// Aggregations of all records that did.
    pub aggregates: Aggregates,
    /// Dkeys that were looked at.
    pub scanned: u64,
    /// Epoch that was read.
    pub epoch: Epoch,
    /// Where to go on; meaningless when `eof`.
    pub anchor: Vec<u8>,
    /// Nothing follows.
    pub eof: bool,
}
