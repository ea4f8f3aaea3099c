//! The history of a container: merging versions, going back to a snapshot, waiting for one.
//!
//! What lasts is asked for again and again, each time for a while; a server that is restarted in between goes on.

use crate::container::Container;
use crate::context::Context;
use daos_common::wire::Opcode;
use daos_common::wire::history::{
    ContAggregateRequest, ContProgressReply, ContRollbackRequest, ContSnapWaitReply, ContSnapWaitRequest,
};
use daos_common::{Epoch, Result};
use std::rc::Rc;
use std::time::Duration;

/// Between questions whether something lasting is done; the servers do most of the waiting.
const PAUSE: Duration = Duration::from_millis(5);

impl Container {
    /// Has the targets merge versions up to `epoch` (0: now), as far as no snapshot, transaction or write under way needs
    /// them; done when this returns.
    ///
    /// # Errors
    /// `NO_PERM`: opened for reading; `INVAL`: 2^64-1; as [`Container::query`].
    pub async fn aggregate(&self, context: &Rc<Context>, epoch: Epoch) -> Result<()> {
        let mut body = ContAggregateRequest { pool: self.pool.uuid, cont_handle: self.handle, epoch };
        loop {
            let reply: ContProgressReply = self.pool.call(context, Opcode::ContAggregate, &body).await?;
            if reply.done {
                return Ok(());
            }
            body.epoch = reply.epoch;
            context.runtime().sleep(PAUSE).await;
        }
    }

    /// Takes the container back to a snapshot: everything written later is gone, and later snapshots are.
    ///
    /// # Errors
    /// `NONEXIST`: no such snapshot; `BUSY`: other handles are open; `NO_PERM`: opened for reading; as
    /// [`Container::query`].
    pub async fn rollback(&self, context: &Rc<Context>, epoch: Epoch) -> Result<()> {
        let body = ContRollbackRequest { pool: self.pool.uuid, cont_handle: self.handle, epoch };
        loop {
            let reply: ContProgressReply = self.pool.call(context, Opcode::ContRollback, &body).await?;
            if reply.done {
                return Ok(());
            }
            context.runtime().sleep(PAUSE).await;
        }
    }

    /// Waits until there is a snapshot at or after `epoch`, and gives the first one.
    ///
    /// # Errors
    /// As [`Container::list_snapshots`].
    pub async fn wait_for_snapshot(&self, context: &Rc<Context>, epoch: Epoch) -> Result<Epoch> {
        let body = ContSnapWaitRequest { pool: self.pool.uuid, cont_handle: self.handle, epoch };
        loop {
            let reply: ContSnapWaitReply = self.pool.call(context, Opcode::ContSnapWait, &body).await?;
            if let Some(epoch) = reply.epoch {
                return Ok(epoch);
            }
            context.runtime().sleep(PAUSE).await;
        }
    }
}
