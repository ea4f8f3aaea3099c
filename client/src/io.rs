//! Updates and fetches of one dkey's akeys.
//!
//! Data of at most [`INLINE_MAX_BYTES`] travels in the message (one copy on each side); more moves by RMA straight
//! out of and into the caller's memory. Cost of an operation: one message pair, a registration of the memory when it
//! moves by RMA, and the allocations of the encoded request.

use crate::context::Context;
use crate::memory::UserMemory;
use crate::object::{Object, Route, ShardRequest};
use crate::transaction::{Reading, Transaction};
use crate::view::View;
use daos_common::wire::object::{
    DataPath, FetchedIod, ObjFetchReply, ObjFetchRequest, ObjUpdateReply, ObjUpdateRequest,
};
use daos_common::wire::tx::ReadScope;
use daos_common::wire::{INLINE_MAX_BYTES, Opcode, decode, encode};
use daos_common::{Der, Iod, IodKind, Recx, Result, flags};
use daos_fabric::{Access, Reply};
use std::rc::Rc;
use std::time::Duration;

/// How long memory is kept after it was closed under a target that may still write to it.
const CLOSING_GRACE: Duration = Duration::from_millis(200);

/// What a fetch found for one iod.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fetched {
    /// Record size (array) or size of the value (single); 0 when nothing is there.
    pub size: u64,
    /// Bytes of the memory up to the end of the last data; holes before it count, holes behind it do not.
    pub covered_bytes: u64,
    /// Parts of the requested extents that hold data, in the order of the request. Empty for a single value.
    pub present: Vec<Recx>,
}

impl Object {
    /// Writes akeys of one dkey: the data of `iods[i]` is `memory[i]`, which may be longer. In a transaction the
    /// conditions are checked now, and the write happens at its commit.
    ///
    /// # Errors
    /// `INVAL`: empty or wrongly sized keys, overlapping extents, mixed conditions; `REC2BIG`: memory too short;
    /// `NO_PERM`; `EXIST`, `NONEXIST`: a condition; `NOSPACE`; `UNREACH`; `TIMEDOUT`; in a transaction also as
    /// `Transaction::check_change`, and `TX_RESTART`.
    pub async fn update(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        flags: u64,
        dkey: Vec<u8>,
        iods: Vec<Iod>,
        memory: &[UserMemory],
    ) -> Result<()> {
        self.check_writable()?;
        check_update_flags(flags)?;
        let view = view.into();
        let mut data = UserMemory::default();
        for (index, iod) in iods.iter().enumerate() {
            let bytes = iod.data_bytes()?;
            let given = memory.get(index).map_or(0, UserMemory::len);
            if bytes > given {
                return Err(Der::REC2BIG.err(format!("akey {index}: {bytes} bytes to write, {given} in the buffer")));
            }
            if bytes > 0 {
                data.extend(&memory[index].slice(0, bytes));
            }
        }
        let route = self.route(&dkey)?;
        if let Some(transaction) = view.of_change()? {
            transaction.check_change(self)?;
            self.check_update_conditions(context, &view, flags, &dkey, &iods).await?;
            return transaction.add_update(self, route, dkey, iods, data);
        }
        let bytes = data.len();
        let operation = context.operation();
        let (exposed, path) = match bytes <= INLINE_MAX_BYTES as u64 {
            true => (None, DataPath::Inline),
            false => {
                let exposed = data.expose(context.endpoint(), bytes, Access::RemoteRead)?;
                let path = DataPath::Bulk(exposed.descriptors());
                (Some(exposed), path)
            }
        };
        let payload = if exposed.is_none() { data.as_slices(bytes) } else { Vec::new() };
        let request = ShardRequest { route, opcode: Opcode::ObjUpdate, flags, epoch: 0, payload: &payload };
        let encode = |header| {
            let (dkey, iods, data) = (dkey.clone(), iods.clone(), path.clone());
            encode(&ObjUpdateRequest { header, operation, dkey, iods, data })
        };
        let reply = self.call_shard(context, request, encode).await;
        drop(exposed);
        let reply: ObjUpdateReply = decode(reply?.message.body())?;
        self.container().see_epoch(reply.epoch);
        Ok(())
    }

    /// Checks an update's conditions by reads of the transaction.
    async fn check_update_conditions(
        &self,
        context: &Rc<Context>,
        view: &View,
        flags: u64,
        dkey: &[u8],
        iods: &[Iod],
    ) -> Result<()> {
        const DKEY: u64 = flags::COND_DKEY_INSERT | flags::COND_DKEY_UPDATE;
        const AKEY: u64 = flags::COND_AKEY_INSERT | flags::COND_AKEY_UPDATE;
        if flags & DKEY != 0 {
            let found = self.dkey_exists(context, view, dkey).await;
            Transaction::check_condition(found, flags & flags::COND_DKEY_UPDATE != 0, "dkey")?;
        }
        for iod in iods {
            let own = if flags & flags::COND_PER_AKEY != 0 { iod.flags } else { flags };
            if own & AKEY != 0 {
                let found = self.akey_exists(context, view, dkey, &iod.akey).await;
                Transaction::check_condition(found, own & flags::COND_AKEY_UPDATE != 0, "akey")?;
            }
        }
        Ok(())
    }

    /// # Errors
    /// `NONEXIST`; as [`Object::fetch`].
    pub(crate) async fn dkey_exists(&self, context: &Rc<Context>, view: &View, dkey: &[u8]) -> Result<()> {
        let probe = Iod { akey: vec![0; 8], kind: IodKind::Single, size: 0, recxs: Vec::new(), flags: 0 };
        self.fetch(context, view, flags::COND_DKEY_FETCH, dkey.to_vec(), vec![probe], &[]).await.map(drop)
    }

    /// # Errors
    /// `NONEXIST`; as [`Object::fetch`].
    pub(crate) async fn akey_exists(&self, context: &Rc<Context>, view: &View, dkey: &[u8], akey: &[u8]) -> Result<()> {
        let probe = Iod { akey: akey.to_vec(), kind: IodKind::Single, size: 0, recxs: Vec::new(), flags: 0 };
        self.fetch(context, view, flags::COND_AKEY_FETCH, dkey.to_vec(), vec![probe], &[]).await.map(drop)
    }

    /// Reads akeys of one dkey into `memory`; an iod without memory is asked for its size only. Holes leave the memory as
    /// it is.
    ///
    /// # Errors
    /// `INVAL`: as for an update; `REC2BIG`: a single value is longer than its memory; `NONEXIST`: a condition;
    /// `UNREACH`; `TIMEDOUT`; in a transaction also as `Transaction::begin_read`, and `TX_RESTART`.
    pub async fn fetch(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        flags: u64,
        dkey: Vec<u8>,
        iods: Vec<Iod>,
        memory: &[UserMemory],
    ) -> Result<Vec<Fetched>> {
        check_fetch_flags(flags)?;
        let view = view.into();
        let mut rooms = Vec::with_capacity(iods.len());
        let mut data = UserMemory::default();
        for (index, iod) in iods.iter().enumerate() {
            let given = memory.get(index).map_or(0, UserMemory::len);
            let room = room_of(iod, given).map_err(|error| error.at(format_args!("akey {index}")))?;
            if room > 0 {
                data.extend(&memory[index].slice(0, room));
            }
            rooms.push(room);
        }
        let route = self.route(&dkey)?;
        let inline = data.len() <= INLINE_MAX_BYTES as u64;
        let scopes = fetch_scopes(flags, &dkey, &iods);
        // The answer of the first read may bring the transaction's epoch, if nothing of it is in the caller's memory before
        // it is known to count.
        let mut reading = match inline {
            true => view.begin_first_read(self, route, scopes)?,
            false => view.begin_read(context, self, route, scopes).await?,
        };
        let question = Question { route, flags, dkey: &dkey, iods: &iods, rooms: &rooms };
        let (answer, reply) = loop {
            let outcome = self.ask_fetch(context, &question, &reading, &data, inline).await;
            let epoch = outcome.as_ref().map(|(answer, _)| answer.epoch);
            match reading.settle(context, self, route, epoch).await? {
                Some(again) => reading = again,
                None => break reading.end(outcome)?,
            }
        };
        let mut offset = 0;
        let mut fetched = Vec::with_capacity(iods.len());
        for ((iod, room), found) in iods.iter().zip(&rooms).zip(answer.iods) {
            if inline && *room > 0 {
                scatter(iod, &found, *room, offset, reply.message.payload(), &data);
            }
            offset += room;
            fetched.push(summarise(iod, found, *room));
        }
        Ok(fetched)
    }

    /// Sends a fetch and waits for its answer; data that does not come with it is in `data` then.
    async fn ask_fetch(
        &self,
        context: &Rc<Context>,
        question: &Question<'_>,
        reading: &Reading,
        data: &UserMemory,
        inline: bool,
    ) -> Result<(ObjFetchReply, Reply)> {
        let (exposed, path) = match inline {
            true => (None, DataPath::Inline),
            false => {
                let exposed = data.expose(context.endpoint(), data.len(), Access::RemoteWrite)?;
                let path = DataPath::Bulk(exposed.descriptors());
                (Some(exposed), path)
            }
        };
        let (flags, epoch) = (question.flags | reading.flags, reading.epoch);
        let request = ShardRequest { route: question.route, opcode: Opcode::ObjFetch, flags, epoch, payload: &[] };
        let encode = |header| {
            let (dkey, iods, rooms) = (question.dkey.to_vec(), question.iods.to_vec(), question.rooms.to_vec());
            encode(&ObjFetchRequest { header, dkey, iods, data: path.clone(), rooms })
        };
        let reply = self.call_shard(context, request, encode).await;
        drop(exposed);
        if !inline && matches!(&reply, Err(error) if error.code() == Der::TIMEDOUT) {
            // The target is stuck, not dead, and may have begun to write: the provider needs to notice that the memory
            // is closed before the caller gets it back.
            context.runtime().sleep(CLOSING_GRACE).await;
        }
        let reply = reply?;
        let answer: ObjFetchReply = decode(reply.message.body())?;
        if answer.iods.len() != question.iods.len() {
            let (got, wanted) = (answer.iods.len(), question.iods.len());
            return Err(Der::PROTO.err(format!("a fetch of {wanted} akeys was answered with {got}")));
        }
        Ok((answer, reply))
    }
}

/// What a fetch asks for.
struct Question<'a> {
    route: Route,
    flags: u64,
    dkey: &'a [u8],
    iods: &'a [Iod],
    rooms: &'a [u64],
}

/// What a fetch reads.
fn fetch_scopes<'a>(flags: u64, dkey: &'a [u8], iods: &'a [Iod]) -> impl Iterator<Item = ReadScope> + 'a {
    let whole = (flags & flags::COND_DKEY_FETCH != 0).then(|| ReadScope::Dkey(dkey.to_vec()));
    whole.into_iter().chain(iods.iter().map(move |iod| {
        // Who asks for the record size, or whether the akey exists, reads all of it.
        let conditions = (flags | iod.flags) & flags::COND_AKEY_FETCH;
        let recxs = if iod.size == 0 || conditions != 0 { Vec::new() } else { iod.recxs.clone() };
        ReadScope::Akey { dkey: dkey.to_vec(), akey: iod.akey.clone(), recxs }
    }))
}

/// Bytes of the memory that a fetch of `iod` may fill.
fn room_of(iod: &Iod, given: u64) -> Result<u64> {
    if given == 0 || iod.size == 0 {
        return Ok(given);
    }
    let wanted = iod.data_bytes()?;
    if wanted > given {
        return Err(Der::REC2BIG.err(format!("{wanted} bytes to read, {given} in the buffer")));
    }
    Ok(wanted)
}

/// Copies an akey's inline data, which starts at `offset` of the payload, to the same offset of the memory.
fn scatter(iod: &Iod, found: &FetchedIod, room: u64, offset: u64, payload: &[u8], memory: &UserMemory) {
    let from = |at: u64, bytes: u64| {
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(payload.len());
        let end = usize::try_from(at.saturating_add(bytes)).unwrap_or(usize::MAX).min(payload.len());
        &payload[start..end]
    };
    match iod.kind {
        IodKind::Single => memory.write_at(offset, from(offset, found.size.min(room))),
        IodKind::Array => {
            for (at, bytes) in placed(iod, found).filter(|(at, _)| *at < room) {
                memory.write_at(offset + at, from(offset + at, bytes.min(room - at)));
            }
        }
    }
}

/// Where in an array akey's byte string its present parts are: (offset, bytes).
fn placed<'a>(iod: &'a Iod, found: &'a FetchedIod) -> impl Iterator<Item = (u64, u64)> + 'a {
    let size = found.size;
    let mut requested = iod.recxs.iter();
    let mut current = requested.next();
    let mut before = 0u64;
    found.present.iter().filter_map(move |part| {
        while let Some(recx) = current {
            let inside = part.idx >= recx.idx && part.idx - recx.idx < recx.nr;
            if inside {
                let records = before.saturating_add(part.idx - recx.idx);
                return Some((records.saturating_mul(size), part.nr.saturating_mul(size)));
            }
            before = before.saturating_add(recx.nr);
            current = requested.next();
        }
        None
    })
}

fn summarise(iod: &Iod, found: FetchedIod, room: u64) -> Fetched {
    let covered = match iod.kind {
        IodKind::Single => found.size,
        IodKind::Array => placed(iod, &found).map(|(at, bytes)| at.saturating_add(bytes)).max().unwrap_or(0),
    };
    Fetched { size: found.size, covered_bytes: covered.min(room), present: found.present }
}

fn check_update_flags(flags: u64) -> Result<()> {
    let foreign = flags & (flags::COND_PUNCH | flags::COND_DKEY_FETCH | flags::COND_AKEY_FETCH);
    let mixed = flags & flags::COND_PER_AKEY != 0 && flags & (flags::COND_AKEY_UPDATE | flags::COND_AKEY_INSERT) != 0;
    if foreign != 0 || mixed {
        return Err(Der::INVAL.err(format!("conditions {flags:#x} do not go with an update")));
    }
    Ok(())
}

fn check_fetch_flags(flags: u64) -> Result<()> {
    let modifying = flags::COND_PUNCH
        | flags::COND_DKEY_INSERT
        | flags::COND_DKEY_UPDATE
        | flags::COND_AKEY_INSERT
        | flags::COND_AKEY_UPDATE;
    let mixed = flags & flags::COND_PER_AKEY != 0 && flags & flags::COND_AKEY_FETCH != 0;
    if flags & modifying != 0 || mixed {
        return Err(Der::INVAL.err(format!("conditions {flags:#x} do not go with a fetch")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(size: u64, recxs: &[(u64, u64)]) -> Iod {
        let recxs = recxs.iter().map(|&(idx, nr)| Recx { idx, nr }).collect();
        Iod { akey: b"a".to_vec(), kind: IodKind::Array, size, recxs, flags: 0 }
    }

    /// Aim: present parts land where their extent is in the memory, holes stay untouched, trailing holes don't count.
    #[test]
    fn inline_data_lands_between_holes() {
        let iod = array(2, &[(10, 3), (100, 4)]);
        let present = vec![Recx { idx: 11, nr: 1 }, Recx { idx: 100, nr: 1 }, Recx { idx: 102, nr: 1 }];
        let found = FetchedIod { size: 2, data_bytes: 14, present };
        let mut buffer = [7u8; 14];
        let memory = UserMemory::of_buffer(&mut buffer);
        let payload: Vec<u8> = (0..14).collect();
        scatter(&iod, &found, 14, 0, &payload, &memory);
        assert_eq!(summarise(&iod, found, 14).covered_bytes, 12);
        assert_eq!(buffer, [7, 7, 2, 3, 7, 7, 6, 7, 7, 7, 10, 11, 7, 7]);
    }

    /// Aim: an answer that does not fit the question, or a payload cut short, writes nothing outside the room.
    #[test]
    fn hostile_answers_stay_inside_the_room() {
        let iod = array(4, &[(0, 2)]);
        let present = vec![Recx { idx: 50, nr: 1 }, Recx { idx: 1, nr: u64::MAX }];
        let mut buffer = [7u8; 8];
        let memory = UserMemory::of_buffer(&mut buffer);
        let found = FetchedIod { size: u64::MAX, data_bytes: 0, present };
        scatter(&iod, &found, 8, 0, &[1, 2, 3], &memory);
        summarise(&iod, found, 8);
        let found = FetchedIod { size: 4, data_bytes: 8, present: vec![Recx { idx: 0, nr: 9 }] };
        scatter(&iod, &found, 8, 0, &[1, 2, 3], &memory);
        assert_eq!(buffer, [1, 2, 3, 7, 7, 7, 7, 7]);
    }

    /// Aim: buffers shorter than what is named are refused, sizes asked for need none.
    #[test]
    fn rooms_follow_sizes_and_buffers() {
        assert_eq!(room_of(&array(4, &[(0, 2)]), 10).unwrap(), 8);
        assert_eq!(room_of(&array(4, &[(0, 2)]), 7).unwrap_err().code(), Der::REC2BIG);
        assert_eq!(room_of(&array(0, &[(0, 2)]), 7).unwrap(), 7);
        assert_eq!(room_of(&array(4, &[(0, 2)]), 0).unwrap(), 0);
    }

    /// Aim: conditions of the wrong direction are refused.
    #[test]
    fn conditions_must_fit_the_direction() {
        assert!(check_update_flags(flags::COND_DKEY_INSERT | flags::COND_AKEY_INSERT).is_ok());
        assert!(check_update_flags(flags::COND_DKEY_FETCH).is_err());
        assert!(check_update_flags(flags::COND_PER_AKEY | flags::COND_AKEY_INSERT).is_err());
        assert!(check_fetch_flags(flags::COND_AKEY_FETCH).is_ok());
        assert!(check_fetch_flags(flags::COND_DKEY_INSERT).is_err());
    }
}
