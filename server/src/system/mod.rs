//! The system database: members, pools, attributes, properties, and the version of the group map.
//!
//! [`System`] holds the current [`State`] and alters it only through [`System::commit`], which first hands the change
//! to a [`Journal`]. With [`FileJournal`] a change is durable when the file is replaced; a replicated log is another
//! journal, and nothing above it changes.

pub mod journal;
pub mod member;
pub mod ranks;
pub mod state;

pub use journal::{FileJournal, Journal};
pub use member::{Member, MemberState};
pub use state::{Change, PoolService, PoolState, State};

use daos_common::{Error, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Seconds since 1970.
pub fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

struct Inner {
    state: Arc<State>,
    journal: Box<dyn Journal>,
}

/// The database of a management replica. Shared by all requests; a change holds the lock while it becomes durable,
/// which is rare and takes milliseconds.
pub struct System {
    inner: Mutex<Inner>,
    /// Woken when the version of the group map changes.
    map_changed: Notify,
}

impl System {
    /// The database that `journal` holds, or a new one for `system`.
    ///
    /// # Errors
    /// `DF_INVAL` when what is there can't be read or belongs to another system.
    pub fn open(mut journal: Box<dyn Journal>, system: &str) -> Result<System> {
        let state = match journal.load()? {
            Some(state) => state,
            None => {
                let state = State::new(system);
                journal.start(&state)?;
                state
            }
        };
        if state.system != system {
            return Err(daos_common::Der::DF_INVAL.err(format!(
                "the system database belongs to system {:?}, the configuration names {system:?}",
                state.system
            )));
        }
        Ok(System { inner: Mutex::new(Inner { state: Arc::new(state), journal }), map_changed: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock was held can't have left half a state: it is replaced as a whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current state; a snapshot that later changes don't touch.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.lock().state)
    }

    /// Makes the change that `decide` derives from the current state; nothing can come between. `Ok(None)` from
    /// `decide` means that there is nothing to do.
    ///
    /// # Errors
    /// Those of `decide`, of the change itself, and of the journal; the state is as before then.
    pub fn commit(&self, decide: impl FnOnce(&State) -> Result<Option<Change>>) -> Result<Arc<State>> {
        let mut inner = self.lock();
        let Some(change) = decide(&inner.state)? else { return Ok(Arc::clone(&inner.state)) };
        let mut next = State::clone(&inner.state);
        next.apply(&change)?;
        inner.journal.commit(&change, &next).map_err(|error: Error| error.at("system database"))?;
        let map_changed = next.map_version != inner.state.map_version;
        inner.state = Arc::new(next);
        let state = Arc::clone(&inner.state);
        drop(inner);
        if map_changed {
            self.map_changed.notify_one();
        }
        Ok(state)
    }

    /// Waits until the version of the group map changes, or [`System::touch_map`] is called.
    pub async fn map_changed(&self) {
        self.map_changed.notified().await;
    }

    /// Has the group map sent again, to engines that don't have it yet.
    pub fn touch_map(&self) {
        self.map_changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daos_common::Der;
    use uuid::Uuid;

    fn member(rank: u32) -> Member {
        Member {
            rank,
            uuid: Uuid::from_u128(u128::from(rank) + 1),
            incarnation: 1,
            address: "127.0.0.1:10001".into(),
            uri: format!("ofi+tcp://127.0.0.1:{}", 20000 + rank),
            contexts: 3,
            fault_domain: "/host".into(),
            state: MemberState::Joined,
            info: String::new(),
            updated_s: 0,
        }
    }

    fn open(dir: &std::path::Path) -> Result<System> {
        System::open(Box::new(FileJournal::new(dir)?), "sys")
    }

    /// Aim: every committed change is there after reopening; a refused one leaves no trace; the map version moves
    /// exactly with the group.
    #[test]
    fn changes_survive_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let system = open(dir.path()).unwrap();
        let first = system.state().map_version;
        system.commit(|_| Ok(Some(Change::AddMember(member(0))))).unwrap();
        assert_eq!(system.state().map_version, first + 1);
        let again = system.commit(|_| Ok(Some(Change::AddMember(member(0)))));
        assert_eq!(again.unwrap_err().code(), Der::EXIST);
        let mut same_group = member(0);
        same_group.info = "fine".into();
        system.commit(|_| Ok(Some(Change::UpdateMember(same_group)))).unwrap();
        assert_eq!(system.state().map_version, first + 1);
        let mut gone = member(0);
        gone.state = MemberState::Excluded;
        system.commit(|_| Ok(Some(Change::UpdateMember(gone)))).unwrap();
        assert_eq!(system.state().map_version, first + 2);
        let before = system.state();
        drop(system);
        assert_eq!(*open(dir.path()).unwrap().state(), *before);
    }

    /// Aim: a crash before the rename leaves the old database; a torn or foreign file is refused by name.
    #[test]
    fn torn_files_are_refused_and_half_written_ones_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let system = open(dir.path()).unwrap();
        system.commit(|_| Ok(Some(Change::AddMember(member(0))))).unwrap();
        let state = system.state();
        drop(system);
        let path = dir.path().join(journal::FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(dir.path().join(format!("{}.new", journal::FILE)), &text[..text.len() / 2]).unwrap();
        assert_eq!(*open(dir.path()).unwrap().state(), *state);

        std::fs::write(&path, &text[..text.len() / 2]).unwrap();
        let error = open(dir.path()).err().unwrap();
        assert_eq!(error.code(), Der::DF_INVAL);
        assert!(error.message().contains(journal::FILE), "{error}");
        let flipped = text.replace("ofi+tcp", "ofi+tcq");
        std::fs::write(&path, flipped).unwrap();
        assert!(open(dir.path()).err().unwrap().message().contains("checksum"));
    }

    /// Aim: labels are unique, pools are found by label and UUID, and only ready ones are served.
    #[test]
    fn pools_by_label_and_uuid() {
        let dir = tempfile::tempdir().unwrap();
        let system = open(dir.path()).unwrap();
        let pool = |n: u128, label: &str| PoolService {
            uuid: Uuid::from_u128(n),
            label: label.into(),
            state: PoolState::Creating,
            replicas: vec![],
            ranks: vec![0],
            tier_bytes: vec![1, 2],
        };
        system.commit(|_| Ok(Some(Change::AddPool(pool(1, "a"))))).unwrap();
        let taken = system.commit(|_| Ok(Some(Change::AddPool(pool(2, "a")))));
        assert!(taken.unwrap_err().message().contains("\"a\" is in use"));
        assert_eq!(system.state().ready_pool("a").unwrap_err().code(), Der::AGAIN);
        let ready = PoolService { state: PoolState::Ready, ..pool(1, "a") };
        system.commit(|_| Ok(Some(Change::UpdatePool(ready)))).unwrap();
        let state = system.state();
        assert_eq!(state.ready_pool(&Uuid::from_u128(1).to_string()).unwrap().label, "a");
        assert_eq!(state.find_pool("b").unwrap_err().code(), Der::NONEXIST);
    }

    /// Aim: transitions follow the table of states.
    #[test]
    fn forbidden_transitions() {
        use MemberState as S;
        assert!(!S::Joined.may_become(S::Ready));
        assert!(!S::Excluded.may_become(S::Stopped));
        assert!(!S::Errored.may_become(S::Joined));
        assert!(!S::AdminExcluded.may_become(S::Excluded));
        assert!(S::Joined.may_become(S::Excluded));
        assert!(S::Joined.may_become(S::Stopped));
    }
}
