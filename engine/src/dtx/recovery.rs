//! What a share's transactions go on with when it is opened.
//!
//! Those that are prepared hold their keys again before the first request comes in, and ask their leaders at once. Those
//! that are committed are told to their participants again, and kept as long as clients may come back.

use super::leader::{News, deliver, forget_later};
use super::{CommittedBody, Prepared, PreparedBody, participant};
use crate::target::Target;
use crate::target::share::{Opened, Share};
use daos_common::wire::{self, tx::TxOutcome};
use daos_common::{Der, Error, Result};
use daos_vos::{TxEntry, TxState};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use uuid::Uuid;

/// Takes up the transactions of a share that was just opened.
///
/// # Errors
/// `DF_INVAL`: an entry cannot be read.
pub fn recover(target: &Rc<Target>, share: &Rc<Share>) -> Result<()> {
    let vos = &share.store()?.vos;
    for cont in vos.containers()? {
        let entries = vos.container(cont, false)?.transactions()?;
        if entries.is_empty() {
            continue;
        }
        let opened = share.opened(cont)?;
        for entry in entries {
            take_up(target, share, cont, &opened, entry)?;
        }
    }
    Ok(())
}

fn take_up(target: &Rc<Target>, share: &Rc<Share>, cont: Uuid, opened: &Opened, entry: TxEntry) -> Result<()> {
    let damaged = |error: Error| Der::DF_INVAL.err(format!("entry of transaction {}: {error}", entry.tx));
    match entry.state {
        TxState::Prepared => {
            let PreparedBody { leader, part } = wire::decode(&entry.body).map_err(damaged)?;
            tracing::info!(
                "transaction {} is prepared; its leader is target {} of rank {}",
                entry.tx,
                leader.target,
                leader.rank
            );
            opened.dtx.locks.restore(entry.tx, entry.epoch, &part);
            let prepared = Prepared { leader, attempt: Cell::new(0), epoch: entry.epoch, part };
            opened.dtx.prepared.borrow_mut().insert(entry.tx, Rc::new(prepared));
            participant::watch(target, share, cont, entry.tx, Duration::ZERO);
        }
        TxState::Committed => {
            let CommittedBody { others } = wire::decode(&entry.body).map_err(damaged)?;
            if others.is_empty() {
                forget_later(target, share, cont, opened, entry.tx);
            } else {
                let news = News { tx: entry.tx, attempt: 0, outcome: TxOutcome::Committed(entry.epoch) };
                deliver(target, share, cont, news, others);
            }
        }
    }
    Ok(())
}
