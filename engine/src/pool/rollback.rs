//! Taking a container back to a snapshot.
//!
//! First the intention is made durable, together with the end of all later snapshots. From then on nobody opens the
//! container, its handles answer INPROGRESS on data, and every target discards what is later than the snapshot, in
//! small steps that may be repeated. When every target of every rank has said that it is done, the intention goes. A
//! service that is restarted in between takes it up again.

use super::PoolService;
use super::cont::check_write;
use super::snapshot::no_snapshot;
use super::state::{Change, Container};
use crate::service::Service;
use daos_common::wire::history::{ContProgressReply, ContRollbackRequest, HistoryAction};
use daos_common::{Der, Epoch, Result};
use std::rc::Rc;
use std::time::Duration;
use uuid::Uuid;

/// Between attempts to reach all ranks.
const RETRY: Duration = Duration::from_millis(500);

impl PoolService {
    /// Takes a container back, for a while: asked again until done.
    ///
    /// # Errors
    /// `NO_HDL`; `NO_PERM`; `NONEXIST`: no such snapshot; `BUSY`: other handles are open, or it is on its way to another
    /// snapshot; `NOSPACE`.
    pub async fn rollback(
        self: &Rc<Self>,
        service: &Rc<Service>,
        request: ContRollbackRequest,
    ) -> Result<ContProgressReply> {
        let (handle, cont) = self.opened(request.cont_handle)?;
        check_write(&handle)?;
        let uuid = handle.cont;
        match cont.rolling_back {
            Some(epoch) if epoch != request.epoch => {
                return Err(Der::BUSY.err(format!("container {uuid} is being rolled back to {epoch}")));
            }
            Some(_) => {}
            None => self.begin_rollback(service, uuid, cont, request.epoch)?,
        }
        self.work_on_rollback(service, uuid);
        let mut waited = Duration::ZERO;
        while self.returning.borrow().contains(&uuid) && waited < Duration::from_secs(2) {
            service.runtime.sleep(Duration::from_millis(5)).await;
            waited += Duration::from_millis(5);
        }
        let under_way = self.state.borrow().conts.get(&uuid).is_some_and(|cont| cont.rolling_back.is_some());
        Ok(ContProgressReply { done: !under_way, epoch: request.epoch })
    }

    fn begin_rollback(&self, service: &Service, uuid: Uuid, mut cont: Container, epoch: Epoch) -> Result<()> {
        if !cont.snapshots.iter().any(|snapshot| snapshot.epoch == epoch) {
            return Err(no_snapshot(uuid, epoch));
        }
        let others = self.handles_of(uuid).len().saturating_sub(1);
        if others > 0 {
            let message = format!("container {uuid} has {others} other handles open; close them first");
            return Err(Der::BUSY.err(message));
        }
        if self.holds.borrow().contains_key(&uuid) {
            return Err(Der::BUSY.err(format!("a snapshot of container {uuid} is being made")));
        }
        cont.snapshots.retain(|snapshot| snapshot.epoch <= epoch);
        cont.rolling_back = Some(epoch);
        cont.modify_time = service.clock.now();
        self.change(vec![Change::Cont(uuid, Some(cont))])
    }

    /// Takes up what an earlier run left unfinished.
    pub(super) fn resume_rollbacks(self: &Rc<Self>, service: &Rc<Service>) {
        let conts: Vec<Uuid> = {
            let state = self.state.borrow();
            let on_the_way = state.conts.iter().filter(|(_, cont)| cont.rolling_back.is_some());
            on_the_way.map(|(uuid, _)| *uuid).collect()
        };
        conts.into_iter().for_each(|cont| self.work_on_rollback(service, cont));
    }

    /// Works on it in the background, once at a time.
    fn work_on_rollback(self: &Rc<Self>, service: &Rc<Service>, cont: Uuid) {
        if !self.returning.borrow_mut().insert(cont) {
            return;
        }
        let (own, other) = (self.clone(), service.clone());
        let work = async move {
            own.finish_rollback(&other, cont).await;
            own.returning.borrow_mut().remove(&cont);
        };
        service.runtime.spawn(work).detach();
    }

    async fn finish_rollback(&self, service: &Rc<Service>, cont: Uuid) {
        // Ends with the container, and with the service of the pool.
        while service.pool(self.pool).is_ok_and(|running| std::ptr::eq(&*running, self)) {
            let Some(epoch) = self.state.borrow().conts.get(&cont).and_then(|cont| cont.rolling_back) else { return };
            let action = HistoryAction::Discard { after: epoch, stamp: service.clock.now() };
            match self.on_history(service, cont, action).await {
                Ok(reply) if reply.done => match self.end_rollback(cont) {
                    Ok(()) => return self.push_history(service, cont).await,
                    Err(error) => tracing::error!("pool {}: rolling back container {cont}: {error}", self.pool),
                },
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!("pool {}: container {cont} is not rolled back everywhere yet: {error}", self.pool)
                }
            }
            service.runtime.sleep(RETRY).await;
        }
    }

    fn end_rollback(&self, cont: Uuid) -> Result<()> {
        let found = self.state.borrow().conts.get(&cont).cloned();
        let Some(found) = found else { return Ok(()) };
        self.change(vec![Change::Cont(cont, Some(Container { rolling_back: None, ..found }))])
    }
}
