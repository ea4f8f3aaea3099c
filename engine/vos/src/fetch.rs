//! Reading values at an epoch.

use crate::arena::{Mem, ReadLease, damaged};
use crate::extent::{Data, Query, visible};
use crate::face::{Fetched, Place};
use crate::record::{Record, VALUE_HEADER, Value, newest_value, punched};
use crate::store::{ContState, Inner, State};
use crate::update::{Path, check_conditions, check_extents, find_akey, locate};
use daos_common::flags::COND_MASK;
use daos_common::{Der, Epoch, Iod, IodKind, Recx, Result, UnitOid};
use std::rc::Rc;

/// Keeps what a fetch names from being reused.
pub(crate) struct Pin {
    inner: Rc<Inner>,
    cont: Rc<ContState>,
    number: u64,
    pub(crate) lease: ReadLease,
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.cont.in_flight.set(self.cont.in_flight.get().saturating_sub(1));
        self.inner.state.borrow_mut().unpin(self.number);
    }
}

impl Pin {
    /// The pinned bytes of an arena place; empty for any other.
    pub(crate) fn bytes(&self, place: Place) -> &[u8] {
        match place {
            Place::Arena { offset, len } => self.lease.bytes(offset, len),
            Place::Blob { .. } | Place::Hole { .. } => &[],
        }
    }
}

/// Finds the data of `iods`.
///
/// # Errors
/// As [`crate::VosCont::fetch`].
pub(crate) fn fetch(
    inner: &Rc<Inner>,
    cont: &Rc<ContState>,
    oid: UnitOid,
    epoch: Epoch,
    dkey: &[u8],
    flags: u64,
    iods: &[Iod],
) -> Result<(Vec<Fetched>, Pin)> {
    cont.check_alive()?;
    let mut state = inner.state.borrow_mut();
    let mut lease = state.arena.read_lease();
    let path = locate(&state.arena, cont, oid, dkey, epoch)?;
    if flags & COND_MASK != 0 {
        check_conditions(&state.arena, &path, oid, epoch, flags, iods)?;
    }
    let mut found = Vec::with_capacity(iods.len());
    for iod in iods {
        found.push(fetch_one(&state, &path, oid, epoch, iod, &mut lease)?);
    }
    let number = state.pin();
    cont.in_flight.set(cont.in_flight.get() + 1);
    Ok((found, Pin { inner: Rc::clone(inner), cont: Rc::clone(cont), number, lease }))
}

fn fetch_one(
    state: &State,
    path: &Path,
    oid: UnitOid,
    epoch: Epoch,
    iod: &Iod,
    lease: &mut ReadLease,
) -> Result<Fetched> {
    let mem = &state.arena;
    let akey = find_akey(mem, path, oid, &iod.akey)?;
    if iod.kind == IodKind::Array {
        check_extents(&iod.recxs, iod.size)?;
    }
    match (akey, iod.kind) {
        (Some(akey), IodKind::Single) if akey.kind() == Some(IodKind::Single) => {
            fetch_single(mem, &akey, path, epoch, lease)
        }
        (Some(akey), IodKind::Array) if akey.kind() == Some(IodKind::Array) && akey.extra != 0 => {
            fetch_array(mem, &akey, path, epoch, iod, lease)
        }
        (_, IodKind::Single) => Ok(Fetched { size: 0, places: Vec::new(), present: Vec::new() }),
        (_, IodKind::Array) => {
            let hole = |recx: &Recx| Place::Hole { len: recx.nr * iod.size };
            Ok(Fetched { size: 0, places: iod.recxs.iter().map(hole).collect(), present: Vec::new() })
        }
    }
}

fn fetch_single(mem: &impl Mem, akey: &Record, path: &Path, epoch: Epoch, lease: &mut ReadLease) -> Result<Fetched> {
    let floor = punched(mem, akey, epoch, path.floor)?;
    let mut fetched = Fetched { size: 0, places: Vec::new(), present: Vec::new() };
    let Some((_, off)) = newest_value(mem, akey.root, epoch, floor)?.filter(|(_, off)| *off != 0) else {
        return Ok(fetched);
    };
    let value = Value::read(mem, off)?;
    fetched.size = value.len;
    fetched.places.push(match value.blob {
        Some(offset) => Place::Blob { offset, len: value.len },
        None => {
            let offset = off.saturating_add(VALUE_HEADER);
            mem.view(offset, value.len)?;
            lease.add(offset, value.len);
            Place::Arena { offset, len: value.len }
        }
    });
    Ok(fetched)
}

fn fetch_array(
    mem: &impl Mem,
    akey: &Record,
    path: &Path,
    epoch: Epoch,
    iod: &Iod,
    lease: &mut ReadLease,
) -> Result<Fetched> {
    let record = akey.extra;
    let floor = punched(mem, akey, epoch, path.floor)?;
    check_extents(&iod.recxs, record)?;
    let mut fetched = Fetched { size: 0, places: Vec::new(), present: Vec::new() };
    for recx in &iod.recxs {
        let hi = recx.idx + recx.nr;
        let query = Query { lo: recx.idx, hi, epoch, floor, limit: usize::MAX };
        let mut at = recx.idx;
        for piece in visible(mem, akey.root, &query)? {
            if piece.lo < at || piece.hi > hi || piece.lo < piece.start {
                return Err(damaged("extents overlap in an extent tree"));
            }
            let from = (piece.lo - piece.start).checked_mul(record).ok_or_else(|| damaged("an extent's size"))?;
            let len = (piece.hi - piece.lo) * record;
            if at < piece.lo {
                fetched.places.push(Place::Hole { len: (piece.lo - at) * record });
            }
            fetched.places.push(match piece.data {
                Data::Arena(off) => {
                    let offset = off.saturating_add(from);
                    mem.view(offset, len)?;
                    lease.add(offset, len);
                    Place::Arena { offset, len }
                }
                Data::Blob(off) => Place::Blob { offset: off.saturating_add(from), len },
                Data::Punched => Place::Hole { len },
            });
            match fetched.present.last_mut().filter(|last| last.idx + last.nr == piece.lo && piece.lo > recx.idx) {
                Some(last) => last.nr += piece.hi - piece.lo,
                None => fetched.present.push(Recx { idx: piece.lo, nr: piece.hi - piece.lo }),
            }
            at = piece.hi;
        }
        if at < hi {
            fetched.places.push(Place::Hole { len: (hi - at) * record });
        }
    }
    if !fetched.present.is_empty() {
        if iod.size != 0 && iod.size != record {
            return Err(Der::INVAL.err(format!("records of {} bytes asked of an array of {record}", iod.size)));
        }
        fetched.size = record;
    }
    Ok(fetched)
}
