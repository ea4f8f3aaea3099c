//! Writing: reserve, fill, commit; and punches.

use crate::arena::{Mem, UNIT, WriteLease};
use crate::extent::{Data, Piece, put_extent};
use crate::face::Place;
use crate::record::{
    self, Record, VALUE_HEADER, Value, Version, look_up, look_up_or_make, probe, punched, put_version,
};
use crate::store::{ContState, Inner, Lists, State, Tier};
use crate::tx::{Room, Tx, set_record_word};
use daos_common::flags::*;
use daos_common::{Der, Epoch, Iod, IodKind, Recx, Result, UnitOid};
use std::rc::Rc;

/// The object and dkey of a call as found.
pub(crate) struct Path {
    pub(crate) object: Option<Record>,
    pub(crate) dkey: Option<Record>,
    /// Newest punch of object and dkey at the epoch.
    pub(crate) floor: Version,
}

/// Extents of more than this many bytes are stored in several places when no free run is long enough.
const SPLIT_MIN_BYTES: u64 = 64 << 10;

/// Finds object and dkey.
///
/// # Errors
/// `INVAL`: a bad key; `DF_INVAL`.
pub(crate) fn locate(mem: &impl Mem, cont: &ContState, oid: UnitOid, dkey: &[u8], epoch: Epoch) -> Result<Path> {
    let order = oid.oid.dkey_order();
    let probe = probe(order, dkey)?;
    let mut path = Path { object: None, dkey: None, floor: Version::default() };
    let off = record::find_object(mem, cont.record, oid)?;
    if off == 0 {
        return Ok(path);
    }
    let object = Record::read(mem, off)?;
    path.floor = punched(mem, &object, epoch, path.floor)?;
    path.object = Some(object);
    let off = look_up(mem, object.root, order, dkey, &probe)?;
    if off != 0 {
        let dkey = Record::read(mem, off)?;
        path.floor = punched(mem, &dkey, epoch, path.floor)?;
        path.dkey = Some(dkey);
    }
    Ok(path)
}

/// Finds an akey below a located dkey.
///
/// # Errors
/// `INVAL`: a bad key; `DF_INVAL`.
pub(crate) fn find_akey(mem: &impl Mem, path: &Path, oid: UnitOid, akey: &[u8]) -> Result<Option<Record>> {
    let order = oid.oid.akey_order();
    let probe = probe(order, akey)?;
    let Some(dkey) = &path.dkey else { return Ok(None) };
    match look_up(mem, dkey.root, order, akey, &probe)? {
        0 => Ok(None),
        off => Ok(Some(Record::read(mem, off)?)),
    }
}

fn condition(exists: bool, must_be_absent: bool, must_exist: bool, what: &str) -> Result<()> {
    match exists {
        true if must_be_absent => Err(Der::EXIST.err(format!("the {what} exists"))),
        false if must_exist => Err(Der::NONEXIST.err(format!("the {what} does not exist"))),
        _ => Ok(()),
    }
}

/// Checks the conditions of an update or a fetch.
///
/// # Errors
/// `EXIST`, `NONEXIST`.
pub(crate) fn check_conditions(
    mem: &impl Mem,
    path: &Path,
    oid: UnitOid,
    epoch: Epoch,
    flags: u64,
    iods: &[Iod],
) -> Result<()> {
    if flags & (COND_DKEY_INSERT | COND_DKEY_UPDATE | COND_DKEY_FETCH) != 0 {
        let exists = match &path.dkey {
            Some(dkey) => record::dkey_exists(mem, dkey, epoch, path.floor)?,
            None => false,
        };
        condition(exists, flags & COND_DKEY_INSERT != 0, flags & (COND_DKEY_UPDATE | COND_DKEY_FETCH) != 0, "dkey")?;
    }
    const AKEY: u64 = COND_AKEY_INSERT | COND_AKEY_UPDATE | COND_AKEY_FETCH;
    for iod in iods {
        let flags = if flags & COND_PER_AKEY != 0 { iod.flags } else { flags };
        if flags & AKEY == 0 {
            continue;
        }
        let exists = match find_akey(mem, path, oid, &iod.akey)? {
            Some(akey) => record::akey_exists(mem, &akey, epoch, path.floor)?,
            None => false,
        };
        condition(exists, flags & COND_AKEY_INSERT != 0, flags & (COND_AKEY_UPDATE | COND_AKEY_FETCH) != 0, "akey")?;
    }
    Ok(())
}

/// That extents are not empty, end within 64 bits and don't overlap.
///
/// # Errors
/// `INVAL`.
pub(crate) fn check_extents(recxs: &[Recx], record_bytes: u64) -> Result<()> {
    for recx in recxs {
        let fits = recx.idx.checked_add(recx.nr).is_some() && recx.nr.checked_mul(record_bytes).is_some();
        if recx.nr == 0 || !fits {
            return Err(Der::INVAL.err(format!("an extent of {} records at {}: empty or too large", recx.nr, recx.idx)));
        }
    }
    Ok(())
}

fn check_overlaps(recxs: &[Recx]) -> Result<()> {
    if recxs.windows(2).all(|pair| pair[0].idx + pair[0].nr <= pair[1].idx) {
        return Ok(());
    }
    let mut sorted = recxs.to_vec();
    sorted.sort_unstable_by_key(|recx| recx.idx);
    match sorted.windows(2).find(|pair| pair[0].idx + pair[0].nr > pair[1].idx) {
        None => Ok(()),
        Some(pair) => Err(Der::INVAL.err(format!("the extents at {} and {} overlap", pair[0].idx, pair[1].idx))),
    }
}

pub(crate) fn check_iods(oid: UnitOid, iods: &[Iod]) -> Result<()> {
    if iods.is_empty() || iods.len() > usize::from(u16::MAX) {
        return Err(Der::INVAL.err(format!("{} I/O descriptors; an update has 1 to 65535", iods.len())));
    }
    for iod in iods {
        probe(oid.oid.akey_order(), &iod.akey)?;
        if iod.kind == IodKind::Array {
            if iod.recxs.is_empty() {
                return Err(Der::INVAL.err("an array's descriptor without extents"));
            }
            check_extents(&iod.recxs, iod.size)?;
            check_overlaps(&iod.recxs)?;
        }
    }
    Ok(())
}

/// That an akey takes values of this kind and record size.
fn check_akey(akey: &Record, iod: &Iod) -> Result<()> {
    if akey.kind().is_some_and(|kind| kind != iod.kind) {
        return Err(Der::NO_PERM.err("single value and array in one akey"));
    }
    if iod.kind == IodKind::Array && iod.size != 0 && akey.root != 0 && akey.extra != 0 && akey.extra != iod.size {
        return Err(Der::REC_SIZE.err(format!("records of {} bytes in an array of {}", iod.size, akey.extra)));
    }
    Ok(())
}

/// An update between reservation and commit; `Update` of the face wraps it.
pub(crate) struct Reserved<'a> {
    inner: Rc<Inner>,
    cont: Rc<ContState>,
    oid: UnitOid,
    epoch: Epoch,
    dkey: &'a [u8],
    flags: u64,
    iods: &'a [Iod],
    lists: Lists,
    pub(crate) lease: WriteLease,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.cont.in_flight.set(self.cont.in_flight.get().saturating_sub(1));
        let mut state = self.inner.state.borrow_mut();
        for run in self.lists.runs.drain(..) {
            state.give(run);
        }
        self.lists.ranges = self.lease.end();
        state.give_lists(std::mem::take(&mut self.lists));
    }
}

/// Checks an update and takes its space.
///
/// # Errors
/// As [`crate::VosCont::reserve_update`].
pub(crate) fn reserve<'a>(
    inner: &Rc<Inner>,
    cont: &Rc<ContState>,
    oid: UnitOid,
    epoch: Epoch,
    dkey: &'a [u8],
    flags: u64,
    iods: &'a [Iod],
) -> Result<Reserved<'a>> {
    cont.check_alive()?;
    check_iods(oid, iods)?;
    let mut state = inner.state.borrow_mut();
    let mem = &state.arena;
    let path = locate(mem, cont, oid, dkey, epoch)?;
    check_conditions(mem, &path, oid, epoch, flags, iods)?;
    if path.dkey.is_some() {
        for iod in iods {
            if let Some(akey) = find_akey(mem, &path, oid, &iod.akey)? {
                check_akey(&akey, iod)?;
            }
        }
    }
    let mut lists = state.take_lists();
    let lease = state.arena.write_lease(std::mem::take(&mut lists.ranges));
    cont.in_flight.set(cont.in_flight.get() + 1);
    let (inner, cont) = (Rc::clone(inner), Rc::clone(cont));
    let mut reserved = Reserved { inner, cont, oid, epoch, dkey, flags, iods, lists, lease };
    let taken = reserved.take_all(&mut state);
    // Dropping what was reserved borrows the state again.
    drop(state);
    taken.map(|()| reserved)
}

impl Reserved<'_> {
    /// Where the data goes.
    pub(crate) fn places(&self) -> &[Place] {
        &self.lists.places
    }

    fn take_all(&mut self, state: &mut State) -> Result<()> {
        for iod in self.iods.iter().filter(|iod| iod.size != 0) {
            match iod.kind {
                IodKind::Single => self.take(state, iod.size, VALUE_HEADER)?,
                IodKind::Array => {
                    iod.recxs.iter().try_for_each(|recx| self.take_records(state, recx.nr, iod.size))?;
                }
            }
        }
        Ok(())
    }

    /// Space for records: in a row, or, when no run is that long but there is enough in all, in several places.
    fn take_records(&mut self, state: &mut State, nr: u64, record: u64) -> Result<()> {
        let Err(error) = self.take(state, nr * record, 0) else { return Ok(()) };
        let enough = state.free_bytes(self.tier(state, nr * record)) >= nr * record;
        if nr < 2 || nr * record <= SPLIT_MIN_BYTES || !enough || error.code() != Der::NOSPACE {
            return Err(error);
        }
        self.take_records(state, nr / 2, record)?;
        self.take_records(state, nr - nr / 2, record)
    }

    fn tier(&self, state: &State, len: u64) -> Tier {
        let layout = state.arena.layout();
        if len > layout.blob_threshold_bytes && layout.blob_units != 0 { Tier::Blob } else { Tier::Arena }
    }

    fn take(&mut self, state: &mut State, len: u64, header: u64) -> Result<()> {
        let tier = self.tier(state, len);
        // What is kept free is for the trees, which are in the arena.
        let (kept, header) = if tier == Tier::Arena { (state.kept(Room::Ordinary), header) } else { (0, 0) };
        let too_long = || Der::NOSPACE.err(format!("a value of {len} bytes"));
        let run = state.reserve(tier, len.checked_add(header).ok_or_else(too_long)?, kept)?;
        self.lists.runs.push(run);
        let offset = run.unit * tier.unit() + header;
        self.lists.places.push(match tier {
            Tier::Arena => {
                self.lease.add(offset, len);
                Place::Arena { offset, len }
            }
            Tier::Blob => Place::Blob { offset, len },
        });
        Ok(())
    }

    /// Commits at `epoch`, or at that of the reservation.
    ///
    /// # Errors
    /// As [`crate::Update::commit`].
    pub(crate) fn commit(mut self, epoch: Option<Epoch>) -> Result<()> {
        self.cont.check_alive()?;
        let epoch = epoch.unwrap_or(self.epoch);
        let inner = Rc::clone(&self.inner);
        let mut state = inner.state.borrow_mut();
        let mut tx = Tx::begin(&mut state, Room::Ordinary)?;
        for run in self.lists.runs.drain(..) {
            tx.adopt(run);
        }
        for place in &self.lists.places {
            if let Place::Arena { offset, len } = *place {
                tx.note_leased(offset, len)?;
            }
        }
        if self.flags & COND_MASK != 0 {
            let path = locate(&tx, &self.cont, self.oid, self.dkey, epoch)?;
            check_conditions(&tx, &path, self.oid, epoch, self.flags, self.iods)?;
        }
        let version = Version { epoch, seq: tx.seq() };
        insert(&mut tx, self.cont.record, self.oid, self.dkey, version, self.iods, &self.lists.places)?;
        tx.commit()
    }
}

/// Puts an update into the trees; `places` holds the data of the iods in order. The first iod is of `version`, and
/// each after it of the next `seq`.
///
/// # Errors
/// `NOSPACE`; `NO_PERM`, `REC_SIZE`: the akey is of another kind or record size. The transaction is to be dropped then.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    cont: u64,
    oid: UnitOid,
    dkey: &[u8],
    version: Version,
    iods: &[Iod],
    places: &[Place],
) -> Result<()> {
    let object = record::find_or_make_object(tx, cont, oid)?;
    note_epoch(tx, object, version.epoch)?;
    let order = oid.oid.dkey_order();
    let dkey = look_up_or_make(tx, object, order, dkey, &probe(order, dkey)?)?;
    let order = oid.oid.akey_order();
    let mut places = places.iter();
    for (number, iod) in iods.iter().enumerate() {
        let akey = look_up_or_make(tx, dkey, order, &iod.akey, &probe(order, &iod.akey)?)?;
        let akey = Record::read(tx, akey)?;
        check_akey(&akey, iod)?;
        if akey.kind().is_none() {
            record::set_kind(tx, &akey, iod.kind)?;
        }
        let version = Version { seq: version.seq + number as u64, ..version };
        match iod.kind {
            IodKind::Single => {
                let place = if iod.size == 0 { None } else { places.next() };
                put_single(tx, &akey, version, place.copied())?;
            }
            IodKind::Array => put_array(tx, &akey, version, iod, &mut places)?,
        }
    }
    Ok(())
}

/// Notes an epoch that is written at: in the store and in the object's record.
fn note_epoch(tx: &mut Tx<'_>, object: u64, epoch: Epoch) -> Result<()> {
    tx.note_epoch(epoch);
    if Record::read(tx, object)?.extra < epoch {
        set_record_word(tx, object, Record::EXTRA, epoch)?;
    }
    Ok(())
}

fn put_single(tx: &mut Tx<'_>, akey: &Record, version: Version, place: Option<Place>) -> Result<()> {
    let value = match place {
        None | Some(Place::Hole { .. }) => 0,
        Some(Place::Arena { offset, len }) => {
            let off = offset - VALUE_HEADER;
            write_value_header(tx, off, len, 0)?;
            off
        }
        Some(Place::Blob { offset, len }) => {
            let off = tx.alloc(VALUE_HEADER)?;
            write_value_header(tx, off, len, offset + 1)?;
            off
        }
    };
    let mut root = akey.root;
    let replaced = put_version(tx, &mut root, version, value)?;
    if let Some(old) = replaced.filter(|old| *old != 0) {
        Value::read(tx, old)?.free(tx);
    }
    if root != akey.root {
        set_record_word(tx, akey.off, Record::ROOT, root)?;
    }
    Ok(())
}

fn write_value_header(tx: &mut Tx<'_>, off: u64, len: u64, blob: u64) -> Result<()> {
    let mut header = [0u8; VALUE_HEADER as usize];
    crate::arena::set_word(&mut header, 0, len);
    crate::arena::set_word(&mut header, 8, blob);
    tx.write_new(off, &header)
}

fn put_array<'p>(
    tx: &mut Tx<'_>,
    akey: &Record,
    version: Version,
    iod: &Iod,
    places: &mut impl Iterator<Item = &'p Place>,
) -> Result<()> {
    if iod.size != 0 && akey.extra != iod.size {
        set_record_word(tx, akey.off, Record::EXTRA, iod.size)?;
    }
    let record_bytes = if iod.size == 0 { akey.extra } else { iod.size };
    let mut root = akey.root;
    for recx in &iod.recxs {
        let (mut lo, end) = (recx.idx, recx.idx + recx.nr);
        while lo < end {
            // Its places in order, each of whole records.
            let (data, records) = match if iod.size == 0 { None } else { places.next() } {
                None => (Data::Punched, end - lo),
                Some(Place::Hole { len }) => (Data::Punched, len / record_bytes),
                Some(Place::Arena { offset, len }) => (Data::Arena(*offset), len / record_bytes),
                Some(Place::Blob { offset, len }) => (Data::Blob(*offset), len / record_bytes),
            };
            let hi = lo.saturating_add(records).min(end);
            if hi == lo {
                return Err(Der::MISC.err("a place of less than one record"));
            }
            put_extent(tx, &mut root, &Piece { lo, hi, version, data, start: lo }, record_bytes)?;
            lo = hi;
        }
    }
    if root != akey.root {
        set_record_word(tx, akey.off, Record::ROOT, root)?;
    }
    Ok(())
}

/// What a punch names: the object (no dkeys), dkeys (no akeys), or akeys of the one dkey.
pub(crate) struct Punch<'a, K> {
    pub(crate) oid: UnitOid,
    pub(crate) dkeys: &'a [K],
    pub(crate) akeys: &'a [K],
    pub(crate) flags: u64,
}

/// Punches an object, dkeys or akeys.
///
/// # Errors
/// As [`crate::VosCont::punch`].
pub(crate) fn punch<K: AsRef<[u8]>>(inner: &Inner, cont: &ContState, epoch: Epoch, punch: &Punch<'_, K>) -> Result<()> {
    cont.check_alive()?;
    punch.check()?;
    let mut state = inner.state.borrow_mut();
    let mut tx = Tx::begin(&mut state, Room::Kept)?;
    punch.check_conditions(&tx, cont, epoch)?;
    let version = Version { epoch, seq: tx.seq() };
    punch.insert(&mut tx, cont, version)?;
    tx.commit()
}

impl<K: AsRef<[u8]>> Punch<'_, K> {
    /// Checks what the punch says by itself.
    ///
    /// # Errors
    /// `INVAL`.
    pub(crate) fn check(&self) -> Result<()> {
        let (dkeys, akeys) = (self.dkeys.len(), self.akeys.len());
        if akeys != 0 && dkeys != 1 {
            return Err(Der::INVAL.err(format!("a punch of akeys of {dkeys} dkeys; it takes one")));
        }
        if dkeys.max(akeys) > usize::from(u16::MAX) {
            return Err(Der::INVAL.err("a punch of more than 65535 keys"));
        }
        self.dkeys.iter().try_for_each(|key| probe(self.oid.oid.dkey_order(), key.as_ref()).map(|_| ()))?;
        self.akeys.iter().try_for_each(|key| probe(self.oid.oid.akey_order(), key.as_ref()).map(|_| ()))
    }

    /// Checks that what is punched is there, if the punch asks for that.
    ///
    /// # Errors
    /// `NONEXIST`.
    pub(crate) fn check_conditions(&self, mem: &impl Mem, cont: &ContState, epoch: Epoch) -> Result<()> {
        if self.flags & COND_PUNCH == 0 {
            return Ok(());
        }
        if self.dkeys.is_empty() {
            let exists = match record::find_object(mem, cont.record, self.oid)? {
                0 => false,
                off => record::object_exists(mem, &Record::read(mem, off)?, epoch)?,
            };
            return condition(exists, false, true, "object");
        }
        for dkey in self.dkeys {
            let path = locate(mem, cont, self.oid, dkey.as_ref(), epoch)?;
            if self.akeys.is_empty() {
                let exists = match &path.dkey {
                    Some(dkey) => record::dkey_exists(mem, dkey, epoch, path.floor)?,
                    None => false,
                };
                condition(exists, false, true, "dkey")?;
            }
            for akey in self.akeys {
                let exists = match find_akey(mem, &path, self.oid, akey.as_ref())? {
                    Some(akey) => record::akey_exists(mem, &akey, epoch, path.floor)?,
                    None => false,
                };
                condition(exists, false, true, "akey")?;
            }
        }
        Ok(())
    }

    /// Puts the punch into the trees.
    ///
    /// # Errors
    /// `NOSPACE`; the transaction is to be dropped then.
    pub(crate) fn insert(&self, tx: &mut Tx<'_>, cont: &ContState, version: Version) -> Result<()> {
        let (dkey_order, akey_order) = (self.oid.oid.dkey_order(), self.oid.oid.akey_order());
        let object = record::find_or_make_object(tx, cont.record, self.oid)?;
        note_epoch(tx, object, version.epoch)?;
        if self.dkeys.is_empty() {
            record::add_punch(tx, object, version)?;
        }
        for dkey in self.dkeys {
            let dkey = dkey.as_ref();
            let dkey = look_up_or_make(tx, object, dkey_order, dkey, &probe(dkey_order, dkey)?)?;
            if self.akeys.is_empty() {
                record::add_punch(tx, dkey, version)?;
            }
            for akey in self.akeys {
                let akey = akey.as_ref();
                let akey = look_up_or_make(tx, dkey, akey_order, akey, &probe(akey_order, akey)?)?;
                record::add_punch(tx, akey, version)?;
            }
        }
        Ok(())
    }
}

impl ContState {
    /// That the container was not destroyed since it was opened.
    ///
    /// # Errors
    /// `CONT_NONEXIST`.
    pub(crate) fn check_alive(&self) -> Result<()> {
        if self.dead.get() {
            return Err(Der::CONT_NONEXIST.err(format!("container {} was destroyed", self.uuid)));
        }
        Ok(())
    }
}

const _: () = assert!(VALUE_HEADER.is_multiple_of(UNIT));
