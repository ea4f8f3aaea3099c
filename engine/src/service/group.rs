//! The system's engines, and calls to them.

use super::Service;
use daos_common::wire::mgmt::{GroupMapRequest, GroupMember, RankInfoReply, RankInfoRequest};
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Rank, Result};
use daos_fabric::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The engines by rank.
#[derive(Default)]
pub struct Group {
    version: u32,
    members: BTreeMap<Rank, GroupMember>,
}

impl Group {
    /// Takes a version of the map; an older one than is known changes nothing. Whether it was newer.
    pub fn learn(&mut self, version: u32, members: Vec<GroupMember>) -> bool {
        if version < self.version {
            return false;
        }
        let newer = version > self.version;
        self.version = version;
        self.members = members.into_iter().map(|member| (member.rank, member)).collect();
        newer
    }

    /// Its version; 0 before the first.
    pub fn version(&self) -> u32 {
        self.version
    }
}

impl Service {
    /// Version of the group map known here.
    pub fn group_version(&self) -> u32 {
        self.group.borrow().version()
    }

    /// Ranks of the group map.
    pub fn group_ranks(&self) -> Vec<Rank> {
        self.group.borrow().members.keys().copied().collect()
    }

    /// Takes a group map from daos_server and, if it is news, hands it on to the other engines.
    pub fn update_group(self: &Rc<Self>, version: u32, members: Vec<GroupMember>) {
        if !self.group.borrow_mut().learn(version, members.clone()) {
            return;
        }
        tracing::info!("group map version {version}: {} engines", members.len());
        let Ok(body) = wire::encode(&GroupMapRequest { version, members: members.clone() }) else { return };
        for member in members.into_iter().filter(|member| member.rank != self.rank()) {
            let (own, body) = (self.clone(), body.clone());
            let task = async move {
                // The map often changes because a rank was restarted, which its first answer then says. Every engine
                // also gets the map from its own daos_server.
                for attempt in 0..2 {
                    match own.call_raw(member.rank, Opcode::GroupMap, body.clone()).await {
                        Ok(_) => return,
                        Err(error) if attempt == 0 && error.code() == Der::UNREACH => {}
                        Err(error) => {
                            tracing::warn!("rank {} did not take group map version {version}: {error}", member.rank);
                            return;
                        }
                    }
                }
            };
            self.runtime.spawn(task).detach();
        }
    }

    /// Calls context 0 of a rank; on this rank directly.
    ///
    /// # Errors
    /// What the rank answers; `OOG`: not in the group map; `TIMEDOUT`, `UNREACH`.
    pub async fn call_rank<Q: Serialize, R: DeserializeOwned>(
        self: &Rc<Self>,
        rank: Rank,
        opcode: Opcode,
        request: &Q,
    ) -> Result<R> {
        let answer = self.call_raw(rank, opcode, wire::encode(request)?).await?;
        wire::decode(&answer)
    }

    /// URIs of a rank's contexts.
    ///
    /// # Errors
    /// As [`Service::call_rank`]; `STALE`: another rank answers at its address.
    pub async fn context_uris(self: &Rc<Self>, rank: Rank) -> Result<Vec<String>> {
        let request = RankInfoRequest { system: self.system.clone() };
        let info: RankInfoReply = self.call_rank(rank, Opcode::RankInfo, &request).await?;
        if info.rank != rank {
            return Err(Der::STALE.err(format!("rank {} answers at the address of rank {rank}", info.rank)));
        }
        Ok(info.context_uris)
    }

    async fn call_raw(self: &Rc<Self>, rank: Rank, opcode: Opcode, body: Vec<u8>) -> Result<Vec<u8>> {
        if rank == self.rank() {
            return self.clone().execute(opcode, body).await;
        }
        let uri = self.group.borrow().members.get(&rank).map(|member| member.uri.clone());
        let uri = uri.ok_or_else(|| Der::OOG.err(format!("rank {rank} is not in the group map")))?;
        let endpoint = self.runtime.endpoint();
        let peer = endpoint.peer(&uri)?;
        let request = Request { opcode: opcode as u16, body, payload: &[], timeout: self.timeout };
        let reply = endpoint.call(&peer, request).await.map_err(|error| error.at(format!("rank {rank}")))?;
        Ok(reply.message.body().to_vec())
    }
}
