//! When something was last changed: what a transaction's reads are validated by.
//!
//! The newest epoch of what a scope covers is read off the trees, which keep every version, hidden or not, until
//! aggregation drops it. Aggregation says durably how far it goes before it drops anything
//! ([`VosCont::aggregated_to`]), so a question about an epoch before that is answered with "changed".
//!
//! Cost: a look-up of the key, then the last entry of each tree of punches and values. Extents are found by
//! their epochs in the tree's summaries. All akeys of a dkey are visited for a scope of that dkey.

use crate::VosCont;
use crate::arena::Mem;
use crate::extent;
use crate::record::{self, Record, look_up, probe};
use crate::store::ContState;
use crate::transactions::cont_tail;
use crate::tree::KeyTree;
use daos_common::wire::tx::{ReadScope, TxRead};
use daos_common::{Der, Epoch, IodKind, Recx, Result, UnitOid};

impl VosCont {
    /// The newest epoch at which anything in the scope was written or punched; 0 if nothing was. A punch of an object or
    /// dkey changes all below it. It is exact above [`VosCont::aggregated_to`]; below, aggregation may have
    /// dropped the latest change.
    ///
    /// # Errors
    /// `INVAL`: a bad key; `DF_INVAL`.
    pub fn newest_change(&self, oid: UnitOid, scope: &ReadScope) -> Result<Epoch> {
        self.cont.check_alive()?;
        let state = self.inner.state.borrow();
        newest_change(&state.arena, &self.cont, oid, scope, 0)
    }

    /// Whether anything in the scope may have changed since a read at `epoch`: for certain when it says no.
    ///
    /// # Errors
    /// As [`VosCont::newest_change`].
    pub fn changed_since(&self, oid: UnitOid, scope: &ReadScope, epoch: Epoch) -> Result<bool> {
        self.cont.check_alive()?;
        let state = self.inner.state.borrow();
        changed_since(&state.arena, &self.cont, oid, scope, epoch)
    }

    /// That nothing of `reads` has changed since it was read at `epoch`.
    ///
    /// # Errors
    /// `TX_RESTART`: something has; `INVAL`: a bad key; `DF_INVAL`.
    pub fn validate(&self, epoch: Epoch, reads: &[TxRead]) -> Result<()> {
        self.cont.check_alive()?;
        let state = self.inner.state.borrow();
        validate(&state.arena, &self.cont, epoch, reads)
    }

    /// The newest epoch up to which aggregation has dropped or may be dropping versions: reads at earlier epochs
    /// may miss what was there. 0 if there was none.
    ///
    /// # Errors
    /// `DF_INVAL`.
    pub fn aggregated_to(&self) -> Result<Epoch> {
        self.cont.check_alive()?;
        aggregated_to(&self.inner.state.borrow().arena, &self.cont)
    }
}

/// See [`VosCont::aggregated_to`].
pub(crate) fn aggregated_to(mem: &impl Mem, cont: &ContState) -> Result<Epoch> {
    Ok(cont_tail(mem, cont.record)?.head)
}

/// See [`VosCont::validate`].
pub(crate) fn validate(mem: &impl Mem, cont: &ContState, epoch: Epoch, reads: &[TxRead]) -> Result<()> {
    for read in reads {
        if changed_since(mem, cont, read.oid, &read.scope, epoch)? {
            return Err(
                Der::TX_RESTART.err(format!("object {} has changed since the transaction read it", read.oid.oid))
            );
        }
    }
    Ok(())
}

fn changed_since(mem: &impl Mem, cont: &ContState, oid: UnitOid, scope: &ReadScope, epoch: Epoch) -> Result<bool> {
    if epoch < aggregated_to(mem, cont)? {
        return Ok(true);
    }
    Ok(newest_change(mem, cont, oid, scope, epoch)? > epoch)
}

/// The newest epoch of the scope if it is later than `than`; else `than`, or something between.
fn newest_change(mem: &impl Mem, cont: &ContState, oid: UnitOid, scope: &ReadScope, than: Epoch) -> Result<Epoch> {
    let (dkey_order, akey_order) = (oid.oid.dkey_order(), oid.oid.akey_order());
    let key = |key: &ReadScope| match key {
        ReadScope::Object => Ok(()),
        ReadScope::Dkey(dkey) => probe(dkey_order, dkey).map(|_| ()),
        ReadScope::Akey { dkey, akey, .. } => probe(dkey_order, dkey).and(probe(akey_order, akey)).map(|_| ()),
    };
    key(scope)?;
    let object = match record::find_object(mem, cont.record, oid)? {
        0 => return Ok(than),
        off => Record::read(mem, off)?,
    };
    let (ReadScope::Dkey(dkey) | ReadScope::Akey { dkey, .. }) = scope else { return Ok(object.extra.max(than)) };
    if object.extra <= than {
        return Ok(than);
    }
    let best = last_epoch(mem, object.punches)?.max(than);
    let dkey = match look_up(mem, object.root, dkey_order, dkey, &probe(dkey_order, dkey)?)? {
        0 => return Ok(best),
        off => Record::read(mem, off)?,
    };
    let best = last_epoch(mem, dkey.punches)?.max(best);
    let ReadScope::Akey { akey, recxs, .. } = scope else { return newest_below(mem, &dkey, best) };
    match look_up(mem, dkey.root, akey_order, akey, &probe(akey_order, akey)?)? {
        0 => Ok(best),
        off => newest_of_akey(mem, &Record::read(mem, off)?, recxs, best),
    }
}

fn newest_below(mem: &impl Mem, dkey: &Record, best: Epoch) -> Result<Epoch> {
    let mut best = best;
    let mut cursor = KeyTree::first(mem, dkey.root)?;
    while let Some(at) = &mut cursor {
        let akey = Record::read(mem, KeyTree::entry(mem, at)?[3])?;
        best = newest_of_akey(mem, &akey, &[], best)?;
        if !KeyTree::advance(mem, at)? {
            break;
        }
    }
    Ok(best)
}

fn newest_of_akey(mem: &impl Mem, akey: &Record, recxs: &[Recx], best: Epoch) -> Result<Epoch> {
    let best = last_epoch(mem, akey.punches)?.max(best);
    if akey.kind() != Some(IodKind::Array) {
        return Ok(last_epoch(mem, akey.root)?.max(best));
    }
    if recxs.is_empty() {
        return extent::newest(mem, akey.root, 0..u64::MAX, best);
    }
    let range = |recx: &Recx| recx.idx..recx.idx.saturating_add(recx.nr);
    recxs.iter().try_fold(best, |best, recx| extent::newest(mem, akey.root, range(recx), best))
}

/// The epoch of the last entry of a tree of versions; 0 if it is empty.
fn last_epoch(mem: &impl Mem, root: u64) -> Result<Epoch> {
    Ok(match KeyTree::last(mem, root)? {
        Some(cursor) => KeyTree::entry(mem, &cursor)?[0],
        None => 0,
    })
}
