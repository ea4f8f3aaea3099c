//! A target's share of one pool: its store, its blob, its open containers and handles.

use super::handles::Handles;
use super::history::History;
use crate::dtx::Transactions;
use daos_blob::Blob;
use daos_common::{Der, Epoch, Error, Result};
use daos_fabric::Runtime;
use daos_vos::{VosCont, VosPool};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Nodes freed before the thread turns to requests again.
const RECLAIM_STEPS: usize = 128;
/// How long the destruction of a container waits for requests on it.
const DESTROY_PATIENCE: Duration = Duration::from_secs(30);

/// Where the data is.
pub struct Store {
    /// Trees and small values.
    pub vos: VosPool,
    /// Large values; `None` without a data tier.
    pub blob: Option<Blob>,
}

/// An open container. Cheap to clone.
#[derive(Clone)]
pub struct Opened {
    /// Its part of the store.
    pub vos: VosCont,
    /// Its transactions.
    pub dtx: Rc<Transactions>,
}

/// One share.
pub struct Share {
    /// The pool.
    pub pool: Uuid,
    /// Container handles known here.
    pub handles: Handles,
    store: Result<Store>,
    opened_at: Epoch,
    map_version: Cell<u32>,
    containers: RefCell<HashMap<Uuid, Opened>>,
    dying: RefCell<HashSet<Uuid>>,
    reclaiming: Cell<bool>,
    histories: RefCell<HashMap<Uuid, Rc<History>>>,
}

impl Share {
    /// A share, or why it is out of service. `opened_at`: when it was opened, if an earlier process may have served it; else
    /// 0.
    pub fn new(pool: Uuid, store: Result<Store>, opened_at: Epoch) -> Share {
        Share {
            pool,
            handles: Handles::default(),
            store,
            opened_at,
            map_version: Cell::new(0),
            containers: RefCell::default(),
            dying: RefCell::default(),
            reclaiming: Cell::new(false),
            histories: RefCell::default(),
        }
    }

    /// The store.
    ///
    /// # Errors
    /// Why the share is out of service.
    pub fn store(&self) -> Result<&Store> {
        self.store.as_ref().map_err(Error::clone)
    }

    /// When it was opened; 0 if it is new.
    pub fn opened_at(&self) -> Epoch {
        self.opened_at
    }

    /// Takes note of a version of the pool's map.
    pub fn learn_map_version(&self, version: u32) {
        self.map_version.set(self.map_version.get().max(version));
    }

    /// # Errors
    /// `STALE`: the sender placed by an older map than this target knows.
    pub fn check_map_version(&self, version: u32) -> Result<()> {
        let known = self.map_version.get();
        if version < known {
            return Err(Der::STALE.err(format!("pool {}: map version {version}, now {known}", self.pool)));
        }
        Ok(())
    }

    /// A container of the share; made here when it is touched first.
    ///
    /// # Errors
    /// `CONT_DESTROYING`; `NOSPACE`; why the share is out of service.
    pub fn opened(&self, cont: Uuid) -> Result<Opened> {
        if self.dying.borrow().contains(&cont) {
            return Err(Der::CONT_DESTROYING.err(format!("container {cont} is being destroyed")));
        }
        if let Some(found) = self.containers.borrow().get(&cont) {
            return Ok(found.clone());
        }
        Ok(self.keep(cont, self.store()?.vos.container(cont, true)?))
    }

    /// As [`Share::opened`], for the store alone.
    ///
    /// # Errors
    /// As [`Share::opened`].
    pub fn container(&self, cont: Uuid) -> Result<VosCont> {
        Ok(self.opened(cont)?.vos)
    }

    /// A container of the share that is there already.
    ///
    /// # Errors
    /// As [`Share::opened`].
    pub fn existing(&self, cont: Uuid) -> Result<Option<Opened>> {
        if self.dying.borrow().contains(&cont) {
            return Ok(None);
        }
        if let Some(found) = self.known(cont) {
            return Ok(Some(found));
        }
        match self.store()?.vos.container(cont, false) {
            Ok(vos) => Ok(Some(self.keep(cont, vos))),
            Err(error) if error.code() == Der::NONEXIST => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A container that was opened before.
    pub fn known(&self, cont: Uuid) -> Option<Opened> {
        self.containers.borrow().get(&cont).cloned()
    }

    fn keep(&self, cont: Uuid, vos: VosCont) -> Opened {
        let opened = Opened { vos, dtx: Rc::default() };
        self.containers.borrow_mut().insert(cont, opened.clone());
        opened
    }

    /// The history of a container of the share.
    pub fn history(&self, cont: Uuid) -> Rc<History> {
        let mut histories = self.histories.borrow_mut();
        histories.entry(cont).or_insert_with(|| Rc::new(History::new(cont))).clone()
    }

    /// Whether less than a quarter of a tier is free.
    pub fn is_tight(&self) -> bool {
        let Ok(store) = self.store() else { return false };
        let space = store.vos.space();
        space.arena_free < space.arena_total / 4 || space.blob_free < space.blob_total / 4
    }

    /// Forgets every handle.
    pub fn revoke_all(&self) {
        self.handles.revoke_where(|_| true);
    }

    /// Makes a container unreachable, when requests on it are done.
    ///
    /// # Errors
    /// `BUSY`: they go on for too long; why the share is out of service.
    pub async fn destroy_container(&self, cont: Uuid, runtime: &Runtime) -> Result<()> {
        self.handles.revoke_where(|grant| grant.cont == cont);
        let held = self.containers.borrow_mut().remove(&cont);
        let added = self.dying.borrow_mut().insert(cont);
        let outcome = self.destroy_when_idle(cont, runtime).await;
        if let (Err(_), Some(held)) = (&outcome, held) {
            // It lives on, and with it what its transactions hold.
            self.containers.borrow_mut().insert(cont, held);
        }
        if added {
            self.dying.borrow_mut().remove(&cont);
            self.histories.borrow_mut().remove(&cont);
        }
        outcome
    }

    async fn destroy_when_idle(&self, cont: Uuid, runtime: &Runtime) -> Result<()> {
        let deadline = Instant::now() + DESTROY_PATIENCE;
        loop {
            match self.store()?.vos.destroy_container(cont) {
                Err(error) if error.code() == Der::BUSY && Instant::now() < deadline => {
                    runtime.sleep(Duration::from_millis(2)).await;
                }
                outcome => return outcome,
            }
        }
    }
}

/// Frees what destroyed containers of a share held, in slices between requests. One such task runs per share.
pub fn reclaim_in_background(share: &Rc<Share>, runtime: &Runtime) {
    if share.reclaiming.replace(true) {
        return;
    }
    // Weak: closing the share ends the task.
    let (weak, own) = (Rc::downgrade(share), runtime.clone());
    let task = async move {
        loop {
            // One turn of the executor between slices lets requests in.
            own.sleep(Duration::ZERO).await;
            let Some(share) = weak.upgrade() else { return };
            let sliced = share.store().and_then(|store| store.vos.reclaim(RECLAIM_STEPS));
            match sliced {
                Ok(false) => {}
                Ok(true) => return share.reclaiming.set(false),
                Err(error) => {
                    tracing::error!("pool {}: space of destroyed containers is not freed: {error}", share.pool);
                    return share.reclaiming.set(false);
                }
            }
        }
    };
    runtime.spawn(task).detach();
}
