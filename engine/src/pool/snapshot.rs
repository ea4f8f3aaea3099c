//! Snapshots of containers: names and epochs, and what targets must know of them (`daos_common::wire::history`).
//!
//! Cost of making one: three rounds of messages to all ranks of the pool, one change of the store.

use super::cont::check_write;
use super::state::{Change, Container, Snapshot};
use super::{PoolService, query};
use crate::service::Service;
use daos_common::props::{co, po};
use daos_common::wire::Opcode;
use daos_common::wire::history::{
    ContAggregateRequest, ContHistory, ContProgressReply, ContSnapOitReply, ContSnapOitRequest, ContSnapWaitReply,
    ContSnapWaitRequest, ContTargetReply, ContTargetRequest, HistoryAction, OitAction,
};
use daos_common::wire::pool::{
    ContSnapCreateRequest, ContSnapDestroyReply, ContSnapDestroyRequest, ContSnapListReply, ContSnapReply,
    SnapshotEntry,
};
use daos_common::{Der, Epoch, Result, ids::EPOCH_MAX};
use std::rc::Rc;
use std::time::Duration;
use uuid::Uuid;

/// Longest name in bytes: `DAOS_SNAPSHOT_MAX_LEN` with its NUL.
const NAME_MAX_BYTES: usize = 127;
/// How long a wait for a snapshot is answered late at the most.
const WAIT: Duration = Duration::from_secs(2);
/// Between looks whether a snapshot that is waited for is there.
const LOOK: Duration = Duration::from_millis(20);

/// A snapshot being made; while it lives, targets merge nothing newer in the container.
struct Hold<'a> {
    pool: &'a PoolService,
    cont: Uuid,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut holds = self.pool.holds.borrow_mut();
        if let Some(count) = holds.get_mut(&self.cont) {
            *count -= 1;
            if *count == 0 {
                holds.remove(&self.cont);
            }
        }
    }
}

impl PoolService {
    /// Which epochs of a container are still needed.
    ///
    /// # Errors
    /// `NONEXIST`; `INPROGRESS`: the container is being rolled back.
    pub fn history(&self, service: &Service, cont: Uuid) -> Result<ContHistory> {
        let state = self.state.borrow();
        let found = state.conts.get(&cont).filter(|found| !found.destroying);
        let found = found.ok_or_else(|| Der::NONEXIST.err(format!("pool {} has no container {cont}", self.pool)))?;
        if let Some(epoch) = found.rolling_back {
            return Err(Der::INPROGRESS.err(format!("container {cont} is being rolled back to {epoch}")));
        }
        Ok(ContHistory {
            stamp: service.clock.now(),
            snapshots: found.snapshot_epochs(),
            held: self.holds.borrow().contains_key(&cont),
            background: daos_common::props::number(&state.props, po::RECLAIM) != 0,
        })
    }

    /// Has every target of the pool act on a container's history: the latest clock, and whether all are done.
    pub(super) async fn on_history(
        &self,
        service: &Rc<Service>,
        cont: Uuid,
        action: HistoryAction,
    ) -> Result<ContTargetReply> {
        let request = ContTargetRequest { pool: self.pool, cont, action };
        let answers: Vec<ContTargetReply> =
            service.broadcast_all(&self.ranks(), Opcode::ContTargetHistory, &request).await?;
        let clock = answers.iter().map(|answer| answer.clock).max().unwrap_or(0);
        Ok(ContTargetReply { clock, done: answers.iter().all(|answer| answer.done) })
    }

    /// Tells every target a container's history. One that cannot be reached merges nothing until it has asked.
    pub(super) async fn push_history(&self, service: &Rc<Service>, cont: Uuid) {
        let Ok(history) = self.history(service, cont) else { return };
        if let Err(error) = self.on_history(service, cont, HistoryAction::Learn(history)).await {
            tracing::warn!("pool {}: not every rank knows the snapshots of container {cont}: {error}", self.pool);
        }
    }

    /// Makes a snapshot of this moment.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`; `INVAL`: the name; `EXIST`: the name is taken; `NOSPACE`: the container has as many as it
    /// may; `BUSY`: it is being rolled back, or a write does not end; `UNREACH`, `TIMEDOUT`: a rank of the pool.
    pub async fn snap_create(&self, service: &Rc<Service>, request: ContSnapCreateRequest) -> Result<ContSnapReply> {
        let (handle, found) = self.opened(request.cont_handle)?;
        check_write(&handle)?;
        if let Some(epoch) = check_new(&found, &request)? {
            return Ok(ContSnapReply { epoch });
        }
        let cont = handle.cont;
        let hold = self.hold(cont);
        let outcome = async {
            let clocks = self.on_history(service, cont, HistoryAction::Hold(service.clock.now())).await?;
            let epoch = clocks.clock.max(service.clock.now());
            self.on_history(service, cont, HistoryAction::Close(epoch)).await?;
            service.clock.merge(epoch)?;
            // Everything may have changed meanwhile.
            let (_, mut found) = self.opened(request.cont_handle)?;
            if let Some(epoch) = check_new(&found, &request)? {
                return Ok(ContSnapReply { epoch });
            }
            let name = request.name.clone();
            found.snapshots.push(Snapshot { epoch, name, operation: request.operation, oit: None });
            found.snapshots.sort_by_key(|snapshot| snapshot.epoch);
            found.modify_time = epoch;
            self.change(vec![Change::Cont(cont, Some(found))])?;
            Ok(ContSnapReply { epoch })
        };
        let outcome = outcome.await;
        drop(hold);
        self.push_history(service, cont).await;
        outcome
    }

    fn hold(&self, cont: Uuid) -> Hold<'_> {
        *self.holds.borrow_mut().entry(cont).or_insert(0) += 1;
        Hold { pool: self, cont }
    }

    /// Destroys the snapshots of an epoch range; one epoch must be a snapshot's.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`; `INVAL`: the range is empty; `NONEXIST`: the one epoch is no snapshot's; `NOSPACE`.
    pub async fn snap_destroy(
        &self,
        service: &Rc<Service>,
        request: ContSnapDestroyRequest,
    ) -> Result<ContSnapDestroyReply> {
        let (handle, mut cont) = self.opened(request.cont_handle)?;
        check_write(&handle)?;
        if request.low > request.high {
            return Err(Der::INVAL.err(format!("snapshots from {} to {}", request.low, request.high)));
        }
        let range = request.low..=request.high;
        let (gone, kept): (Vec<Snapshot>, _) =
            cont.snapshots.into_iter().partition(|snapshot| range.contains(&snapshot.epoch));
        if gone.is_empty() {
            return match request.low == request.high {
                true => Err(no_snapshot(handle.cont, request.low)),
                false => Ok(ContSnapDestroyReply { oits: Vec::new() }),
            };
        }
        cont.snapshots = kept;
        cont.modify_time = service.clock.now();
        self.change(vec![Change::Cont(handle.cont, Some(cont))])?;
        self.push_history(service, handle.cont).await;
        Ok(ContSnapDestroyReply { oits: gone.into_iter().filter_map(|snapshot| snapshot.oit).collect() })
    }

    /// The snapshots.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`: the handle reads neither data nor properties.
    pub fn snap_list(&self, cont_handle: Uuid) -> Result<ContSnapListReply> {
        let (handle, cont) = self.opened(cont_handle)?;
        if !query::may_read_props(handle.permissions) {
            return Err(Der::NO_PERM.err(format!("the handle does not allow reading container {}", handle.cont)));
        }
        let entry = |snapshot: Snapshot| SnapshotEntry { epoch: snapshot.epoch, name: snapshot.name };
        Ok(ContSnapListReply { snapshots: cont.snapshots.into_iter().map(entry).collect() })
    }

    /// Reads or changes the note of which object lists the objects of a snapshot.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`; `NONEXIST`: no such snapshot; `NOSPACE`.
    pub fn snap_oit(&self, service: &Service, request: ContSnapOitRequest) -> Result<ContSnapOitReply> {
        let (handle, mut cont) = self.opened(request.cont_handle)?;
        let found = cont.snapshots.iter_mut().find(|snapshot| snapshot.epoch == request.epoch);
        let found = found.ok_or_else(|| no_snapshot(handle.cont, request.epoch))?;
        let new = match request.action {
            OitAction::Get => return Ok(ContSnapOitReply { oit: found.oit }),
            OitAction::Set(oit) => Some(oit),
            OitAction::Remove => None,
        };
        check_write(&handle)?;
        let oit = std::mem::replace(&mut found.oit, new);
        cont.modify_time = service.clock.now();
        self.change(vec![Change::Cont(handle.cont, Some(cont))])?;
        Ok(ContSnapOitReply { oit: new.or(oit) })
    }

    /// Waits a while for a snapshot at or after an epoch.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`.
    pub async fn snap_wait(&self, service: &Rc<Service>, request: ContSnapWaitRequest) -> Result<ContSnapWaitReply> {
        let mut waited = Duration::ZERO;
        loop {
            let listed = self.snap_list(request.cont_handle)?.snapshots;
            let epoch = listed.iter().map(|snapshot| snapshot.epoch).find(|epoch| *epoch >= request.epoch);
            if epoch.is_some() || waited >= WAIT {
                return Ok(ContSnapWaitReply { epoch });
            }
            service.runtime.sleep(LOOK).await;
            waited += LOOK;
        }
    }

    /// Has the targets merge versions up to an epoch, for a while.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`; `INVAL`: 2^64-1; `UNREACH`, `TIMEDOUT`: a rank of the pool.
    pub async fn aggregate(&self, service: &Rc<Service>, request: ContAggregateRequest) -> Result<ContProgressReply> {
        let (handle, _) = self.opened(request.cont_handle)?;
        check_write(&handle)?;
        if request.epoch == EPOCH_MAX {
            return Err(Der::INVAL.err("aggregation up to epoch 2^64-1"));
        }
        let now = service.clock.now();
        let epoch = if request.epoch == 0 { now } else { request.epoch.min(now) };
        // A target that was never told the snapshots merges nothing.
        self.push_history(service, handle.cont).await;
        let reply = self.on_history(service, handle.cont, HistoryAction::Aggregate(epoch)).await?;
        Ok(ContProgressReply { done: reply.done, epoch })
    }
}

/// Whether a snapshot may be made; the epoch of the one that this request made before.
fn check_new(cont: &Container, request: &ContSnapCreateRequest) -> Result<Option<Epoch>> {
    if let Some(made) = cont.snapshots.iter().find(|made| made.operation == request.operation) {
        return Ok(Some(made.epoch));
    }
    if cont.rolling_back.is_some() {
        return Err(Der::BUSY.err("the container is being rolled back"));
    }
    let name = &request.name;
    if name.len() > NAME_MAX_BYTES {
        return Err(Der::INVAL.err(format!("a snapshot's name of {} bytes; at most {NAME_MAX_BYTES}", name.len())));
    }
    if !name.is_empty() && cont.snapshots.iter().any(|snapshot| snapshot.name == *name) {
        return Err(Der::EXIST.err(format!("the container has a snapshot {name:?}")));
    }
    let limit = daos_common::props::number(&cont.props, co::SNAPSHOT_MAX);
    if limit != 0 && cont.snapshots.len() as u64 >= limit {
        return Err(Der::NOSPACE.err(format!("the container has its {limit} snapshots (max_snapshot)")));
    }
    Ok(None)
}

/// That an epoch is no snapshot's.
pub(super) fn no_snapshot(cont: Uuid, epoch: Epoch) -> daos_common::Error {
    Der::NONEXIST.err(format!("container {cont} has no snapshot at epoch {epoch}"))
}
