//! The history of one container on one target: which epochs are needed, which writes are under way, what was merged.
//!
//! Three rules keep readers right. Versions are merged only below every write under way, between snapshots, and only as
//! far as the last word of the pool service goes. Nothing is written any more at or below an epoch that was merged or
//! closed for a snapshot. And nothing is read at an epoch that was merged, unless it is a snapshot's.

use daos_common::ids::EPOCH_MAX;
use daos_common::wire::history::ContHistory;
use daos_common::{Der, Epoch, Result};
use daos_vos::{Aggregation, Discard, VosCont};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::rc::Rc;
use uuid::Uuid;

/// History of one container.
pub struct History {
    cont: Uuid,
    known: RefCell<ContHistory>,
    /// Nothing is merged before a word later than this.
    held: Cell<Epoch>,
    /// Being rolled back: requests are put off.
    discarding: Cell<bool>,
    /// Nothing is written at or below this.
    closed: Cell<Epoch>,
    /// Writes under way, by epoch, and their number.
    writes: RefCell<BTreeMap<Epoch, u32>>,
    /// Newest epoch written at since the start.
    written: Cell<Epoch>,
    /// A pass over everything was completed since the start.
    complete: Cell<bool>,
    /// What the last complete pass was over.
    passed: RefCell<Passed>,
    pass: RefCell<Option<Pass>>,
    discard: RefCell<Option<(Epoch, Discard)>>,
}

/// The stretches that a pass was over: each from behind the end of the one before.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Passed {
    ends: Vec<Epoch>,
}

impl Passed {
    fn upper(&self) -> Epoch {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The same, but ending at `last`.
    fn up_to(self, last: Epoch) -> Passed {
        Passed { ends: self.ends.into_iter().filter(|end| *end < last).chain([last]).collect() }
    }
}

/// A pass under way.
struct Pass {
    over: Passed,
    /// Stretches with their ends as planned, last first.
    left: Vec<(Epoch, Aggregation)>,
    /// A prepared transaction kept it from going further than this.
    cut: Option<Epoch>,
}

/// How far merging has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Everything up to what was wanted, as far as it may be, is merged.
    Done,
    /// Go on.
    More,
    /// Nothing may be merged now.
    Held,
}

/// A write under way; while it lives, versions at its epoch and later are not merged, and no snapshot at or after it is
/// finished.
pub struct WriteGuard {
    history: Rc<History>,
    epoch: Epoch,
}

impl Drop for WriteGuard {
    fn drop(&mut self) {
        let mut writes = self.history.writes.borrow_mut();
        if let Some(count) = writes.get_mut(&self.epoch) {
            *count -= 1;
            if *count == 0 {
                writes.remove(&self.epoch);
            }
        }
    }
}

impl History {
    /// Of a container that nothing is known of yet.
    pub fn new(cont: Uuid) -> History {
        History {
            cont,
            known: RefCell::default(),
            held: Cell::new(0),
            discarding: Cell::new(false),
            closed: Cell::new(0),
            writes: RefCell::default(),
            written: Cell::new(0),
            complete: Cell::new(false),
            passed: RefCell::default(),
            pass: RefCell::new(None),
            discard: RefCell::new(None),
        }
    }

    /// Takes the word of the pool service; one that is older than the last changes nothing.
    pub fn learn(&self, history: ContHistory) {
        if history.stamp > self.known.borrow().stamp {
            if history.stamp > self.held.get() {
                self.discarding.set(false);
            }
            let newest = history.snapshots.last().copied().unwrap_or(0);
            self.closed.set(self.closed.get().max(newest));
            self.known.replace(history);
        }
    }

    /// Merges nothing until a word later than `stamp`.
    pub fn hold(&self, stamp: Epoch) {
        self.held.set(self.held.get().max(stamp));
    }

    /// # Errors
    /// `INPROGRESS`: the container is being rolled back.
    pub fn check_serving(&self) -> Result<()> {
        if self.discarding.get() {
            return Err(Der::INPROGRESS.err(format!("container {} is being rolled back", self.cont)));
        }
        Ok(())
    }

    /// Registers a write at `epoch`, also one that is decided later (a prepared transaction, at the least epoch it can
    /// get).
    ///
    /// # Errors
    /// `INPROGRESS`: the container is being rolled back; `TX_RESTART`: versions of that epoch are merged already, or in a
    /// snapshot.
    pub fn begin_write(self: &Rc<Self>, epoch: Epoch) -> Result<WriteGuard> {
        self.check_serving()?;
        if epoch <= self.closed.get() {
            let message =
                format!("container {}: epoch {epoch} is closed up to {}; write later", self.cont, self.closed.get());
            return Err(Der::TX_RESTART.err(message));
        }
        *self.writes.borrow_mut().entry(epoch).or_insert(0) += 1;
        self.written.set(self.written.get().max(epoch));
        Ok(WriteGuard { history: self.clone(), epoch })
    }

    /// Takes note of a write by a transaction that was prepared before.
    pub fn note_written(&self, epoch: Epoch) {
        self.written.set(self.written.get().max(epoch));
    }

    /// That what was written at or before an epoch can be told from what came later.
    ///
    /// # Errors
    /// `INPROGRESS`: the container is being rolled back; `TX_RESTART`: the versions are merged.
    pub fn check_read(&self, cont: &VosCont, epoch: Epoch) -> Result<()> {
        self.check_serving()?;
        if epoch < cont.aggregated_to()? && !self.known.borrow().snapshots.contains(&epoch) {
            let message = format!("container {}: versions of epoch {epoch} are merged, and no snapshot", self.cont);
            return Err(Der::TX_RESTART.err(message));
        }
        Ok(())
    }

    /// Closes an epoch for writing: whether no write at or below it is under way or prepared.
    ///
    /// # Errors
    /// `DF_INVAL`.
    pub fn close(&self, cont: &VosCont, epoch: Epoch) -> Result<bool> {
        self.closed.set(self.closed.get().max(epoch));
        let under_way = self.writes.borrow().keys().next().copied();
        let oldest = [under_way, cont.oldest_prepared()?].into_iter().flatten().min();
        Ok(oldest.is_none_or(|oldest| oldest > epoch))
    }

    /// The last epoch that may be merged when the caller wants `wanted`; `None` while nothing may be.
    fn bound(&self, wanted: Epoch) -> Option<Epoch> {
        let known = self.known.borrow();
        if known.stamp == 0 || known.held || known.stamp <= self.held.get() || self.discarding.get() {
            return None;
        }
        let oldest = self.writes.borrow().keys().next().copied().unwrap_or(EPOCH_MAX);
        Some(wanted.min(oldest.saturating_sub(1)))
    }

    /// Whether versions may be merged in the background.
    pub fn allows_background(&self) -> bool {
        self.known.borrow().background
    }

    /// Whether a pass up to `wanted` would find anything new.
    pub fn is_due(&self, wanted: Epoch) -> bool {
        if self.pass.borrow().is_some() {
            return true;
        }
        let passed = self.passed.borrow();
        let removed = {
            let known = self.known.borrow();
            let snapshot = |end: &Epoch| known.snapshots.binary_search(end).is_ok();
            passed.ends.split_last().is_some_and(|(_, ends)| !ends.iter().all(snapshot))
        };
        let upper = passed.upper();
        removed || !self.complete.get() || (self.written.get() > upper && wanted > upper)
    }

    /// Goes on with merging up to `wanted`, as far as it may be, for about `budget` steps. A pass once begun is finished
    /// first.
    ///
    /// # Errors
    /// As [`VosCont::aggregate`].
    pub fn aggregate(&self, cont: &VosCont, wanted: Epoch, budget: usize) -> Result<Progress> {
        if self.pass.borrow().is_none() {
            let Some(upper) = self.bound(wanted) else { return Ok(Progress::Held) };
            let over = self.over(upper);
            if upper == 0 || (over == *self.passed.borrow() && self.complete.get()) {
                return Ok(Progress::Done);
            }
            self.closed.set(self.closed.get().max(upper));
            let left = stretches(&self.passed.borrow(), &over);
            self.pass.replace(Some(Pass { over, left, cut: None }));
        }
        let mut slot = self.pass.borrow_mut();
        let Some(pass) = slot.as_mut() else { return Ok(Progress::Held) };
        while let Some((planned, stretch)) = pass.left.last_mut() {
            if !cont.aggregate(stretch, budget)? {
                return Ok(Progress::More);
            }
            if stretch.last() < *planned {
                pass.cut = Some(pass.cut.map_or(stretch.last(), |cut| cut.min(stretch.last())));
            }
            pass.left.pop();
        }
        let (over, cut) = (std::mem::take(&mut pass.over), pass.cut);
        *slot = None;
        self.complete.set(true);
        let asked = over.upper();
        let before = self.passed.borrow().upper();
        self.passed.replace(match cut {
            None => over,
            Some(cut) => over.up_to(cut.max(before)),
        });
        Ok(if self.bound(wanted).is_some_and(|bound| bound <= asked) { Progress::Done } else { Progress::More })
    }

    fn over(&self, upper: Epoch) -> Passed {
        // Not back: what was merged once stays so.
        let upper = upper.max(self.passed.borrow().upper());
        Passed { ends: self.known.borrow().snapshots.clone() }.up_to(upper)
    }

    /// Puts requests off until a word later than `stamp`; whether this is later than the last word.
    pub fn begin_discard(&self, stamp: Epoch) -> bool {
        if stamp <= self.known.borrow().stamp {
            return false;
        }
        self.held.set(self.held.get().max(stamp));
        self.discarding.set(true);
        self.pass.replace(None);
        self.passed.replace(Passed::default());
        self.complete.set(false);
        true
    }

    /// Goes on with discarding everything later than `after`, for about `budget` steps; `true` when it is done. It begins
    /// when no write is under way or prepared.
    ///
    /// # Errors
    /// As [`VosCont::discard`].
    pub fn discard(&self, cont: &VosCont, after: Epoch, budget: usize) -> Result<bool> {
        if !self.writes.borrow().is_empty() || cont.oldest_prepared()?.is_some() {
            return Ok(false);
        }
        let mut slot = self.discard.borrow_mut();
        if slot.as_ref().is_none_or(|(epoch, _)| *epoch != after) {
            *slot = Some((after, Discard::new(after, is_oit_at_or_before)));
        }
        let Some((_, pass)) = slot.as_mut() else { return Ok(false) };
        if !cont.discard(pass, budget)? {
            return Ok(false);
        }
        *slot = None;
        Ok(true)
    }
}

/// Whether an object lists the objects of a snapshot that stays: it is written after its snapshot.
fn is_oit_at_or_before(oid: daos_common::ObjectId, epoch: Epoch) -> bool {
    oid.is_oit() && oid.lo <= epoch
}

/// The passes for the stretches of `over`, last first, without those that were passed over before.
fn stretches(passed: &Passed, over: &Passed) -> Vec<(Epoch, Aggregation)> {
    let mut left = Vec::new();
    let mut first = 0;
    for &end in &over.ends {
        let range: RangeInclusive<Epoch> = first..=end;
        let before = passed.ends.iter().position(|known| *known >= first);
        let begin = |index: usize| if index == 0 { 0 } else { passed.ends[index - 1] + 1 };
        match before.filter(|index| begin(*index) == first).map(|index| passed.ends[index]) {
            Some(known) if known == end => {}
            // An earlier pass over a stretch that began here went up to `known`.
            Some(known) if known < end && Some(&known) == passed.ends.last() => {
                left.push((end, Aggregation::new(range).since(known)));
            }
            _ => left.push((end, Aggregation::new(range))),
        }
        first = end + 1;
    }
    left.reverse();
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(stamp: Epoch, snapshots: &[Epoch]) -> ContHistory {
        ContHistory { stamp, snapshots: snapshots.to_vec(), held: false, background: true }
    }

    fn fresh() -> Rc<History> {
        Rc::new(History::new(Uuid::from_u128(1)))
    }

    /// Aim: nothing is merged unknown, held, or past a write under way; an older word changes nothing.
    #[test]
    fn what_may_be_merged() {
        let history = fresh();
        assert_eq!(history.bound(100), None);
        history.learn(word(10, &[5]));
        assert_eq!(history.bound(100), Some(100));
        let guard = history.begin_write(60).unwrap();
        let second = history.begin_write(60).unwrap();
        drop(guard);
        assert_eq!(history.bound(100), Some(59));
        drop(second);
        history.hold(20);
        assert_eq!(history.bound(100), None);
        history.learn(word(15, &[]));
        assert_eq!(history.bound(100), None);
        history.learn(word(21, &[7]));
        history.learn(word(16, &[]));
        assert_eq!((history.bound(100), history.over(9).ends), (Some(100), vec![7, 9]));
    }

    fn store() -> (tempfile::TempDir, VosCont) {
        let dir = tempfile::tempdir().unwrap();
        let config = daos_vos::PoolConfig {
            path: dir.path().join("vos"),
            pool: Uuid::from_u128(9),
            arena_bytes: 16 << 20,
            blob_bytes: 0,
            blob_threshold_bytes: u64::MAX,
            durability: daos_vos::Durability::Process,
        };
        let cont = daos_vos::VosPool::create(&config).unwrap().container(Uuid::from_u128(1), true).unwrap();
        (dir, cont)
    }

    /// Aim: a closed epoch is not written at, and closing waits for writes and prepared transactions at or below it.
    #[test]
    fn closing() {
        let ((_dir, cont), history) = (store(), fresh());
        let guard = history.begin_write(50).unwrap();
        let later = history.begin_write(90).unwrap();
        assert!(!history.close(&cont, 80).unwrap());
        assert_eq!(history.begin_write(80).err().unwrap().code(), Der::TX_RESTART);
        drop(guard);
        assert!(history.close(&cont, 80).unwrap());
        drop(later);
        cont.prepare(Uuid::from_u128(3), 95, b"", &[]).unwrap();
        assert!(!history.close(&cont, 95).unwrap());
        cont.abort_prepared(Uuid::from_u128(3)).unwrap();
        assert!(history.close(&cont, 95).unwrap());
    }

    /// Aim: while going back everything waits, and only a later word ends it; an older order to go back does nothing.
    #[test]
    fn going_back() {
        let ((_dir, cont), history) = (store(), fresh());
        history.learn(word(10, &[5]));
        assert!(!history.begin_discard(9));
        history.check_read(&cont, EPOCH_MAX).unwrap();
        assert!(history.begin_discard(20));
        history.learn(word(15, &[5]));
        assert_eq!(history.check_read(&cont, EPOCH_MAX).unwrap_err().code(), Der::INPROGRESS);
        assert_eq!(history.begin_write(30).err().unwrap().code(), Der::INPROGRESS);
        history.learn(word(21, &[5]));
        history.check_read(&cont, EPOCH_MAX).unwrap();
    }

    /// Aim: merged epochs are read only where there is a snapshot, also after a restart; a prepared transaction keeps a
    /// pass from going further, and the next one goes on there.
    #[test]
    fn merging_and_reading() {
        let ((_dir, cont), history) = (store(), fresh());
        assert_eq!(history.aggregate(&cont, 100, 10).unwrap(), Progress::Held);
        history.learn(word(10, &[500]));
        cont.prepare(Uuid::from_u128(3), 800, b"", &[]).unwrap();
        assert_eq!(history.aggregate(&cont, 1000, 10).unwrap(), Progress::Done);
        assert_eq!((history.passed.borrow().ends.clone(), cont.aggregated_to().unwrap()), (vec![500, 799], 799));
        cont.abort_prepared(Uuid::from_u128(3)).unwrap();
        assert_eq!(history.aggregate(&cont, 1000, 10).unwrap(), Progress::Done);
        assert_eq!((history.passed.borrow().ends.clone(), cont.aggregated_to().unwrap()), (vec![500, 1000], 1000));
        let again = History::new(Uuid::from_u128(1));
        again.learn(word(10, &[500]));
        again.check_read(&cont, 500).unwrap();
        again.check_read(&cont, 1000).unwrap();
        assert_eq!(again.check_read(&cont, 501).unwrap_err().code(), Der::TX_RESTART);
    }

    /// Aim: a pass leaves out stretches that were passed over, goes on in the last one, and does again what a removed
    /// snapshot joined.
    #[test]
    fn passes_are_not_repeated() {
        let passed = Passed { ends: vec![10, 20, 35] };
        let over = |ends: &[Epoch]| Passed { ends: ends.to_vec() };
        let ends = |left: Vec<(Epoch, Aggregation)>| {
            left.iter().rev().map(|(_, pass)| format!("{pass:?}")).collect::<Vec<_>>()
        };
        let expect = |passes: &[Aggregation]| passes.iter().map(|pass| format!("{pass:?}")).collect::<Vec<_>>();
        let new = Aggregation::new;
        assert_eq!(ends(stretches(&passed, &over(&[10, 20, 35]))), expect(&[]));
        assert_eq!(ends(stretches(&passed, &over(&[10, 20, 50]))), expect(&[new(21..=50).since(35)]));
        assert_eq!(ends(stretches(&passed, &over(&[10, 20, 40, 50]))), expect(&[new(21..=40).since(35), new(41..=50)]));
        assert_eq!(ends(stretches(&passed, &over(&[10, 50]))), expect(&[new(11..=50)]));
        assert_eq!(ends(stretches(&passed, &over(&[50]))), expect(&[new(0..=50)]));
        assert_eq!(ends(stretches(&Passed::default(), &over(&[7, 9]))), expect(&[new(0..=7), new(8..=9)]));
    }
}
