//! One request to many ranks at once.

use super::Service;
use daos_common::wire::Opcode;
use daos_common::{Rank, Result};
use futures_util::future::join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::rc::Rc;

impl Service {
    /// Sends `request` to each of `ranks` and waits for all answers.
    pub async fn broadcast<Q: Serialize, R: DeserializeOwned>(
        self: &Rc<Self>,
        ranks: &[Rank],
        opcode: Opcode,
        request: &Q,
    ) -> Vec<(Rank, Result<R>)> {
        let calls = ranks.iter().map(|&rank| async move { (rank, self.call_rank(rank, opcode, request).await) });
        join_all(calls).await
    }

    /// As [`Service::broadcast`], where every rank has to succeed.
    ///
    /// # Errors
    /// That of the first rank that failed, with the rank named.
    pub async fn broadcast_all<Q: Serialize, R: DeserializeOwned>(
        self: &Rc<Self>,
        ranks: &[Rank],
        opcode: Opcode,
        request: &Q,
    ) -> Result<Vec<R>> {
        let answers = self.broadcast(ranks, opcode, request).await;
        answers.into_iter().map(|(rank, answer)| answer.map_err(|error| error.at(format!("on rank {rank}")))).collect()
    }
}
