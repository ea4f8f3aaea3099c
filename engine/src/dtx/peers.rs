//! Calls to targets, of this engine and of others.

use crate::target::Target;
use daos_common::wire::Opcode;
use daos_common::wire::tx::TxTarget;
use daos_common::{Der, Rank, Result};
use daos_fabric::{Peer, Reply, Request};
use futures_util::future::{Either, select};
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

/// Addresses of ranks' contexts, asked for when they are needed.
#[derive(Default)]
pub struct Peers {
    contexts: RefCell<HashMap<Rank, Vec<Peer>>>,
}

impl Target {
    /// Sends a request to a target. A rank that was restarted since it was last called is looked for once. `timeout` is for
    /// each of finding it and its answer.
    ///
    /// # Errors
    /// What the target answers; `UNREACH`, `TIMEDOUT`; `OOG`: the rank is not in the group map; `BAD_TARGET`.
    pub async fn call_target(
        &self,
        to: TxTarget,
        opcode: Opcode,
        body: &[u8],
        payload: &[u8],
        timeout: Duration,
    ) -> Result<Reply> {
        for last in [false, true] {
            let peer = self.peer_within(to, timeout).await?;
            let payload = [payload];
            let request = Request { opcode: opcode as u16, body: body.to_vec(), payload: &payload, timeout };
            match self.runtime.endpoint().call(&peer, request).await {
                Err(error) if error.code() == Der::UNREACH => {
                    self.peers.contexts.borrow_mut().remove(&to.rank);
                    if last {
                        return Err(error.at(format_args!("{opcode:?} to rank {}, target {}", to.rank, to.target)));
                    }
                }
                answer => {
                    return answer.map_err(|error| error.at(format_args!("rank {}, target {}", to.rank, to.target)));
                }
            }
        }
        Err(Der::UNREACH.into())
    }

    async fn peer_within(&self, to: TxTarget, timeout: Duration) -> Result<Peer> {
        let (finding, late) = (Box::pin(self.peer_of(to)), Box::pin(self.runtime.sleep(timeout)));
        match select(finding, late).await {
            Either::Left((found, _)) => found,
            Either::Right(_) => Err(Der::TIMEDOUT.err(format!("rank {} does not tell its addresses", to.rank))),
        }
    }

    async fn peer_of(&self, to: TxTarget) -> Result<Peer> {
        let context = to.target as usize + 1;
        if let Some(contexts) = self.peers.contexts.borrow().get(&to.rank) {
            return contexts.get(context).cloned().ok_or_else(|| no_target(to));
        }
        let uris = self.context_uris(to.rank).await?;
        let endpoint = self.runtime.endpoint();
        let contexts = uris.iter().map(|uri| endpoint.peer(uri)).collect::<Result<Vec<_>>>()?;
        let found = contexts.get(context).cloned().ok_or_else(|| no_target(to));
        self.peers.contexts.borrow_mut().insert(to.rank, contexts);
        found
    }
}

fn no_target(to: TxTarget) -> daos_common::Error {
    Der::BAD_TARGET.err(format!("rank {} has no target {}", to.rank, to.target))
}
