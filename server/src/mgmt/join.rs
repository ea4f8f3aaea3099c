//! Engines joining the system, and events about them.

use super::{Mgmt, events};
use crate::system::{Change, Member, MemberState, State, now_s};
use daos_common::{Der, Result};
use daos_proto::mgmt::{JoinReq, JoinResp, join_resp};
use daos_proto::shared::{ClusterEventReq, ClusterEventResp};
use std::net::IpAddr;
use uuid::Uuid;

impl Mgmt {
    /// Makes an engine a member. A known UUID keeps its rank; a new one gets the next, or rank 0 when it is engine 0
    /// of this host. `peer` is where the request came from; `None` for this host itself.
    ///
    /// # Errors
    /// `EXCLUDED` for a member that an administrator excluded, `INVAL` or `EXIST` when the request contradicts what
    /// is known, and those of the database.
    pub fn join(&self, request: JoinReq, peer: Option<IpAddr>) -> Result<JoinResp> {
        self.check_name(&request.sys)?;
        let uuid = Uuid::parse_str(&request.uuid)
            .map_err(|_| Der::INVAL.err(format!("join: {:?} is not a UUID", request.uuid)))?;
        if request.uri.is_empty() {
            return Err(Der::INVAL.err("join: the engine gave no fabric URI"));
        }
        let address = peer_address(&request.addr, peer);
        let local = peer.is_none();
        let moves = self.server.config.allow_address_change;
        let state = self.system()?.commit(|state| {
            let member = Member {
                rank: 0,
                uuid,
                incarnation: request.incarnation,
                address: address.clone(),
                uri: request.uri.clone(),
                contexts: request.nctxs,
                fault_domain: request.srv_fault_domain.clone(),
                state: MemberState::Joined,
                info: String::new(),
                updated_s: now_s(),
            };
            check_provider(state, &member)?;
            match state.member_by_uuid(uuid) {
                Some(known) => rejoin(known, member, &request, moves).map(|member| Some(Change::UpdateMember(member))),
                None => first_join(state, member, &request, local).map(|member| Some(Change::AddMember(member))),
            }
        })?;
        let member = state.member_by_uuid(uuid).ok_or_else(|| Der::MISC.err("join: the member got lost"))?;
        tracing::info!("rank {} joined: engine {uuid} at {}, {}", member.rank, member.address, member.uri);
        Ok(JoinResp {
            status: 0,
            rank: member.rank,
            state: join_resp::State::In as i32,
            fault_domain: member.fault_domain.clone(),
            local_join: local,
            map_version: state.map_version,
            daos_version: crate::version::packed(),
        })
    }

    /// Takes an event from an engine or another server into the database.
    ///
    /// # Errors
    /// `INVAL` without an event; those of the database.
    pub fn cluster_event(&self, request: &ClusterEventReq) -> Result<ClusterEventResp> {
        let Some(event) = &request.event else { return Err(Der::INVAL.err("cluster event without an event")) };
        let next = match event.id {
            events::ENGINE_DIED => Some(MemberState::Errored),
            events::SWIM_RANK_DEAD => Some(MemberState::Excluded),
            _ => None,
        };
        if let Some(next) = next {
            self.system()?.commit(|state| {
                let outdated = state
                    .members
                    .get(&event.rank)
                    .is_none_or(|member| event.incarnation != 0 && event.incarnation < member.incarnation);
                match outdated {
                    true => Ok(None),
                    false => Ok(state.member_becoming(event.rank, next, &event.msg).map(Change::UpdateMember)),
                }
            })?;
        }
        Ok(ClusterEventResp { sequence: request.sequence, status: 0 })
    }
}

/// The address of a server that doesn't know its own is the one that it called from.
fn peer_address(address: &str, peer: Option<IpAddr>) -> String {
    match (address.strip_prefix("0.0.0.0:"), peer) {
        (Some(port), Some(IpAddr::V6(ip))) => format!("[{ip}]:{port}"),
        (Some(port), Some(ip)) => format!("{ip}:{port}"),
        _ => address.to_string(),
    }
}

fn provider(uri: &str) -> &str {
    uri.split("://").next().unwrap_or(uri)
}

/// All engines of a system talk over the same provider.
fn check_provider(state: &State, new: &Member) -> Result<()> {
    let other = state
        .members
        .values()
        .find(|member| member.uuid != new.uuid && member.state == MemberState::Joined && !member.uri.is_empty());
    match other {
        Some(member) if provider(&member.uri) != provider(&new.uri) => Err(Der::INVAL.err(format!(
            "the engine's fabric provider is {}, the system's {}; set the same `provider`",
            provider(&new.uri),
            provider(&member.uri)
        ))),
        _ => Ok(()),
    }
}

fn rejoin(known: &Member, mut member: Member, request: &JoinReq, moves: bool) -> Result<Member> {
    if known.state == MemberState::AdminExcluded {
        return Err(Der::EXCLUDED.err(format!(
            "rank {} was excluded by an administrator; `dmg system clear-exclude` lets it join again",
            known.rank
        )));
    }
    if request.rank != u32::MAX && request.rank != known.rank {
        return Err(Der::INVAL.err(format!(
            "engine {} claims rank {}, but is rank {} of the system",
            known.uuid, request.rank, known.rank
        )));
    }
    if known.address != member.address && !moves {
        return Err(Der::INVAL.err(format!(
            "engine {} (rank {}) belongs to the server at {}, but joins from {}: was its storage copied or moved?",
            known.uuid, known.rank, known.address, member.address
        )));
    }
    member.rank = known.rank;
    Ok(member)
}

fn first_join(state: &State, mut member: Member, request: &JoinReq, local: bool) -> Result<Member> {
    let twin = state.members.values().find(|other| other.address == member.address && other.uri == member.uri);
    if let Some(twin) = twin {
        return Err(Der::EXIST.err(format!(
            "rank {} has the same addresses ({}, {}) but another UUID: its storage was formatted again; replacing a \
             rank isn't available in this version: format the whole system again, or give the engine another port",
            twin.rank, twin.address, twin.uri
        )));
    }
    member.rank = match request.rank {
        u32::MAX if local && request.idx == 0 && !state.members.contains_key(&0) => 0,
        u32::MAX => state.next_rank,
        claimed => {
            return Err(Der::INVAL.err(format!(
                "engine {} claims rank {claimed}, but the system doesn't know it: its storage belongs to another \
                 system, or the system database was lost",
                member.uuid
            )));
        }
    };
    Ok(member)
}
