//! Lists of writes that happen all at once: what a distributed transaction does on one target.
//!
//! The writes of a list go into one transaction of the store in order. Each sees those before it, also where it
//! checks its conditions, and later ones hide earlier ones at the list's one epoch.
//!
//! Cost: the data is copied once, into the arena; trying copies none. It stays there whatever its size: a value on the data tier would have
//! to be written by the caller before the commit. So the data of a list must fit in the free space of the first tier,
//! each value and extent in one piece.

use crate::VosCont;
use crate::face::Place;
use crate::record::{VALUE_HEADER, Version};
use crate::store::ContState;
use crate::tx::{Room, Tx};
use crate::update::{Punch, check_conditions, check_iods, insert, locate};
use daos_common::flags::COND_MASK;
use daos_common::wire::tx::TxWrite;
use daos_common::{Der, Epoch, Iod, IodKind, Result};

/// Descriptors and punches of one list: each needs a number in its version, which has 16 bits for it.
pub(crate) const NUMBERS: u64 = 1 << 16;

/// What a list of writes is put into a transaction for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Aim {
    /// To see whether it can be carried out; the transaction is not committed, so no data is copied.
    Try,
    /// To carry it out if its conditions hold.
    Write,
    /// To carry it out: its conditions held when it was prepared, and its keys are locked since.
    WriteDecided,
}

impl VosCont {
    /// Carries out all writes at `epoch`, in order, or none of them; durable when this returns.
    ///
    /// The data goes to the first tier whatever its size.
    ///
    /// # Errors
    /// `EXIST`, `NONEXIST`: a condition; `NOSPACE`; `INVAL`: as for a single update or punch, data that is longer or
    /// shorter than its descriptors say, or more than 65536 descriptors and punches; `NO_PERM`, `REC_SIZE`: as for a
    /// single update. Nothing is changed then.
    pub fn apply(&self, epoch: Epoch, writes: &[TxWrite]) -> Result<()> {
        self.cont.check_alive()?;
        let mut state = self.inner.state.borrow_mut();
        let mut tx = Tx::begin(&mut state, Room::Ordinary)?;
        write_all(&mut tx, &self.cont, epoch, writes, Aim::Write)?;
        tx.commit()
    }

    /// Says what [`VosCont::apply`] would, leaving nothing behind.
    ///
    /// # Errors
    /// As [`VosCont::apply`].
    pub fn try_writes(&self, epoch: Epoch, writes: &[TxWrite]) -> Result<()> {
        self.cont.check_alive()?;
        let mut state = self.inner.state.borrow_mut();
        let mut tx = Tx::begin(&mut state, Room::Ordinary)?;
        write_all(&mut tx, &self.cont, epoch, writes, Aim::Try)?;
        let runs = tx.hold()?;
        runs.into_iter().for_each(|run| state.give(run));
        Ok(())
    }
}

/// Puts all writes into a transaction.
///
/// # Errors
/// As [`VosCont::apply`]; the transaction is to be dropped then.
pub(crate) fn write_all(tx: &mut Tx<'_>, cont: &ContState, epoch: Epoch, writes: &[TxWrite], aim: Aim) -> Result<()> {
    check_numbers(writes)?;
    tx.note_epoch(epoch);
    let mut seq = tx.seq();
    for write in writes {
        let version = Version { epoch, seq };
        match write {
            TxWrite::Update { oid, dkey, flags, iods, data } => {
                check_iods(*oid, iods)?;
                check_data(iods, data)?;
                if aim != Aim::WriteDecided && flags & COND_MASK != 0 {
                    let path = locate(tx, cont, *oid, dkey, epoch)?;
                    check_conditions(tx, &path, *oid, epoch, *flags, iods)?;
                }
                let places = store_data(tx, iods, data, aim)?;
                insert(tx, cont.record, *oid, dkey, version, iods, &places)?;
                seq += iods.len() as u64;
            }
            TxWrite::Punch { oid, dkeys, akeys, flags } => {
                let punch = Punch { oid: *oid, dkeys, akeys, flags: *flags };
                punch.check()?;
                if aim != Aim::WriteDecided {
                    punch.check_conditions(tx, cont, epoch)?;
                }
                punch.insert(tx, cont, version)?;
                seq += 1;
            }
        }
    }
    Ok(())
}

fn check_numbers(writes: &[TxWrite]) -> Result<()> {
    let numbers = writes.iter().map(|write| match write {
        TxWrite::Update { iods, .. } => iods.len() as u64,
        TxWrite::Punch { .. } => 1,
    });
    match numbers.sum() {
        0..=NUMBERS => Ok(()),
        count => Err(Der::INVAL
            .err(format!("a transaction of {count} descriptors and punches on one target; at most {NUMBERS}"))),
    }
}

fn check_data(iods: &[Iod], data: &[u8]) -> Result<()> {
    let said = iods.iter().try_fold(0u64, |sum, iod| sum.checked_add(iod.data_bytes().ok()?));
    if said != Some(data.len() as u64) {
        let said = said.map_or("more than 2^64".to_string(), |said| said.to_string());
        return Err(Der::INVAL.err(format!("{} bytes of data for descriptors of {said}", data.len())));
    }
    Ok(())
}

/// Stores the data of checked descriptors in new space; the places in order.
fn store_data(tx: &mut Tx<'_>, iods: &[Iod], data: &[u8], aim: Aim) -> Result<Vec<Place>> {
    let mut places = Vec::with_capacity(iods.len());
    let mut rest = data;
    for iod in iods.iter().filter(|iod| iod.size != 0) {
        match iod.kind {
            IodKind::Single => places.push(store_one(tx, &mut rest, iod.size, VALUE_HEADER, aim)?),
            IodKind::Array => {
                for recx in &iod.recxs {
                    places.push(store_one(tx, &mut rest, recx.nr * iod.size, 0, aim)?);
                }
            }
        }
    }
    Ok(places)
}

fn store_one(tx: &mut Tx<'_>, rest: &mut &[u8], len: u64, header: u64, aim: Aim) -> Result<Place> {
    let short = || Der::INVAL.err("less data than the descriptors say");
    let (head, tail) = rest.split_at_checked(len as usize).ok_or_else(short)?;
    *rest = tail;
    let offset = tx.alloc(len.checked_add(header).ok_or_else(short)?)? + header;
    if aim != Aim::Try {
        tx.write_new(offset, head)?;
    }
    Ok(Place::Arena { offset, len })
}
