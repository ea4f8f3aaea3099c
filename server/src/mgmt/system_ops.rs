//! The system as a whole: who is in it, stopping and starting it, its attributes and properties.

use super::Mgmt;
use crate::system::{Change, Member, MemberState, State, ranks};
use daos_common::{Der, Result};
use daos_proto::control::{Component, connect, ctl_client, daos_version, status::error_of};
use daos_proto::ctl::{RanksReq, RanksResp};
use daos_proto::mgmt::{
    DaosResp, LeaderQueryReq, LeaderQueryResp, SystemGetAttrReq, SystemGetAttrResp, SystemGetPropReq,
    SystemGetPropResp, SystemMember, SystemQueryReq, SystemQueryResp, SystemSetAttrReq, SystemSetPropReq,
    SystemStartReq, SystemStartResp, SystemStopReq, SystemStopResp,
};
use daos_proto::shared::RankResult;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Limit of stopping or starting the engines of one host.
const HOST_LIMIT: Duration = Duration::from_secs(120);
/// Longest name and value of an attribute, bytes.
const ATTRIBUTE_MAX: usize = 4096;
/// Properties that can be set, with their defaults.
const SETTABLE: [(&str, &str); 3] =
    [("pool_scrub_mode", "off"), ("pool_scrub_thresh", "0"), ("self_heal", "exclude;pool_exclude;pool_rebuild")];
/// Properties that can only be read.
const READ_ONLY: [&str; 2] = ["daos_version", "daos_system"];

/// What a host's engines are to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum HostAction {
    Prepare,
    Stop,
    Start,
}

impl HostAction {
    fn name(self) -> &'static str {
        match self {
            HostAction::Prepare => "prep shutdown",
            HostAction::Stop => "stop",
            HostAction::Start => "start",
        }
    }
}

/// Members that a request selects, and what it named that isn't there.
struct Selection {
    members: Vec<Member>,
    absent_ranks: String,
    absent_hosts: String,
}

impl Mgmt {
    /// The replica that holds the database, and all replicas.
    ///
    /// # Errors
    /// `CONTROL_INCOMPAT` for another system.
    pub fn leader_query(&self, request: &LeaderQueryReq) -> Result<LeaderQueryResp> {
        self.check_name(&request.sys)?;
        let replicas = self.server.config.replicas.clone();
        let current_leader = replicas.first().cloned().unwrap_or_default();
        Ok(LeaderQueryResp { current_leader, replicas, down_replicas: Vec::new() })
    }

    /// The members of the system.
    ///
    /// # Errors
    /// `INVAL` for a rank set that isn't one; those of the database.
    pub fn system_query(&self, request: &SystemQueryReq) -> Result<SystemQueryResp> {
        let state = self.checked(&request.sys)?;
        let selection = select(&state, &request.ranks, &request.hosts)?;
        let wanted = |member: &&Member| request.state_mask == 0 || request.state_mask & member.state as u32 != 0;
        let members = selection.members.iter().filter(wanted).map(system_member).collect();
        let providers = state.members.values().filter_map(|member| member.uri.split("://").next());
        let providers: BTreeSet<&str> = providers.filter(|provider| !provider.is_empty()).collect();
        Ok(SystemQueryResp {
            members,
            absentranks: selection.absent_ranks,
            absenthosts: selection.absent_hosts,
            data_version: u64::from(state.map_version),
            providers: providers.into_iter().map(str::to_string).collect(),
            sys_self_heal_policy: self_heal_policy(&state),
        })
    }

    /// Stops engines: all, or those of the ranks or hosts named.
    ///
    /// # Errors
    /// `INVAL` for a rank set that isn't one; those of the database. Failures of hosts are in the results.
    pub async fn system_stop(&self, request: &SystemStopReq) -> Result<SystemStopResp> {
        let state = self.checked(&request.sys)?;
        let selection = select(&state, &request.ranks, &request.hosts)?;
        let members = selection.members;
        let mut results = Vec::new();
        // Upstream's admin tool sets neither flag when it wants both steps.
        let both = !request.prep && !request.kill;
        if !request.force && (request.prep || both) {
            results = self.on_hosts(&members, HostAction::Prepare, false).await;
        }
        let failed = results.iter().any(|result| result.errored);
        if (request.kill || both) && (!failed || request.force) {
            results = self.on_hosts(&members, HostAction::Stop, request.force).await;
            self.record(&results, MemberState::Stopped)?;
        }
        Ok(SystemStopResp { results, absentranks: selection.absent_ranks, absenthosts: selection.absent_hosts })
    }

    /// Starts engines: all, or those of the ranks or hosts named.
    ///
    /// # Errors
    /// As [`Mgmt::system_stop`].
    pub async fn system_start(&self, request: &SystemStartReq) -> Result<SystemStartResp> {
        if request.check_mode {
            return Err(Der::NOTSUPPORTED.err("check mode isn't available in this version"));
        }
        let state = self.checked(&request.sys)?;
        let selection = select(&state, &request.ranks, &request.hosts)?;
        let results = self.on_hosts(&selection.members, HostAction::Start, false).await;
        Ok(SystemStartResp { results, absentranks: selection.absent_ranks, absenthosts: selection.absent_hosts })
    }

    /// Has every host of `members` do something with its engines, all hosts at once.
    async fn on_hosts(&self, members: &[Member], action: HostAction, force: bool) -> Vec<RankResult> {
        let mut hosts: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for member in members {
            hosts.entry(&member.address).or_default().push(member.rank);
        }
        let mut tasks = tokio::task::JoinSet::new();
        for (address, of_host) in hosts {
            let (this, address) = (self.clone(), address.to_string());
            tasks.spawn(async move {
                match this.on_host(&address, &of_host, action, force).await {
                    Ok(results) => results,
                    Err(error) => of_host.iter().map(|rank| failed(*rank, &address, action, &error)).collect(),
                }
            });
        }
        let mut results: Vec<RankResult> = tasks.join_all().await.into_iter().flatten().collect();
        results.sort_by_key(|result| result.rank);
        results
    }

    async fn on_host(
        &self,
        address: &str,
        of_host: &[u32],
        action: HostAction,
        force: bool,
    ) -> Result<Vec<RankResult>> {
        let request = RanksReq { force, ranks: ranks::format(of_host.iter().copied()), check_mode: false };
        if address == self.server.address {
            let ctl = crate::ctl::Ctl::new(std::sync::Arc::clone(&self.server));
            let response: RanksResp = match action {
                HostAction::Prepare => ctl.prepare_shutdown(&request).await?,
                HostAction::Stop => ctl.stop(&request).await?,
                HostAction::Start => ctl.start(&request).await?,
            };
            return Ok(response.results);
        }
        let mut client = ctl_client(connect(address).await?, Component::Server);
        let call = async {
            match action {
                HostAction::Prepare => client.prep_shutdown_ranks(request).await,
                HostAction::Stop => client.stop_ranks(request).await,
                HostAction::Start => client.start_ranks(request).await,
            }
        };
        match tokio::time::timeout(HOST_LIMIT, call).await {
            Ok(Ok(response)) => Ok(response.into_inner().results),
            Ok(Err(status)) => Err(error_of(&status).at(address)),
            Err(_) => Err(Der::TIMEDOUT.err(format!("{address} gave no answer within {HOST_LIMIT:?}"))),
        }
    }

    /// Writes into the database what became of the ranks.
    fn record(&self, results: &[RankResult], next: MemberState) -> Result<()> {
        let system = self.system()?;
        for result in results.iter().filter(|result| !result.errored) {
            system.commit(|state| Ok(state.member_becoming(result.rank, next, "").map(Change::UpdateMember)))?;
        }
        Ok(())
    }

    /// Sets attributes; an empty value deletes.
    ///
    /// # Errors
    /// `INVAL` for an empty or oversized one; those of the database.
    pub fn set_attributes(&self, request: &SystemSetAttrReq) -> Result<DaosResp> {
        self.checked(&request.sys)?;
        for (name, value) in &request.attributes {
            if name.is_empty() || name.len() > ATTRIBUTE_MAX || value.len() > ATTRIBUTE_MAX {
                return Err(Der::INVAL.err(format!(
                    "attribute {name:?}: a name has 1 to {ATTRIBUTE_MAX} bytes, a value at most as many"
                )));
            }
        }
        let values = request.attributes.clone().into_iter().collect();
        self.system()?.commit(|_| Ok(Some(Change::SetAttributes(values))))?;
        Ok(DaosResp { status: 0 })
    }

    /// Attributes: those named, or all.
    ///
    /// # Errors
    /// `NONEXIST` for one that isn't set.
    pub fn get_attributes(&self, request: &SystemGetAttrReq) -> Result<SystemGetAttrResp> {
        let state = self.checked(&request.sys)?;
        let all = || state.attributes.clone().into_iter().collect();
        let attributes = match request.keys.is_empty() {
            true => all(),
            false => named(&request.keys, "attribute", |key| state.attributes.get(key).cloned())?,
        };
        Ok(SystemGetAttrResp { attributes })
    }

    /// Sets properties.
    ///
    /// # Errors
    /// `INVAL` for one that isn't known or can't be set, or for a value that isn't allowed.
    pub fn set_properties(&self, request: &SystemSetPropReq) -> Result<DaosResp> {
        self.checked(&request.sys)?;
        for (name, value) in &request.properties {
            check_property(name, value)?;
        }
        let values = request.properties.clone().into_iter().collect();
        self.system()?.commit(|_| Ok(Some(Change::SetProperties(values))))?;
        Ok(DaosResp { status: 0 })
    }

    /// Properties: those named, or all.
    ///
    /// # Errors
    /// `NONEXIST` for one that isn't known.
    pub fn get_properties(&self, request: &SystemGetPropReq) -> Result<SystemGetPropResp> {
        let state = self.checked(&request.sys)?;
        let value = |key: &str| property(&state, key);
        let all = || SETTABLE.iter().map(|(name, _)| *name).chain(READ_ONLY);
        let keys: Vec<String> = match request.keys.is_empty() {
            true => all().map(str::to_string).collect(),
            false => request.keys.clone(),
        };
        Ok(SystemGetPropResp { properties: named(&keys, "property", value)? })
    }
}

fn named(
    keys: &[String],
    what: &str,
    value: impl Fn(&str) -> Option<String>,
) -> Result<std::collections::HashMap<String, String>> {
    keys.iter()
        .map(|key| match value(key) {
            Some(value) => Ok((key.clone(), value)),
            None => Err(Der::NONEXIST.err(format!("system {what} {key:?} doesn't exist"))),
        })
        .collect()
}

fn property(state: &State, key: &str) -> Option<String> {
    match key {
        "daos_version" => Some(daos_version()),
        "daos_system" => Some(state.system.clone()),
        _ => {
            let default = SETTABLE.iter().find(|(name, _)| *name == key)?.1;
            Some(state.properties.get(key).cloned().unwrap_or_else(|| default.to_string()))
        }
    }
}

fn check_property(name: &str, value: &str) -> Result<()> {
    let allowed = match name {
        "pool_scrub_mode" => matches!(value, "off" | "lazy" | "timed"),
        "pool_scrub_thresh" => value.parse::<u64>().is_ok(),
        "self_heal" => {
            value == "none" || value.split(';').all(|word| matches!(word, "exclude" | "pool_exclude" | "pool_rebuild"))
        }
        _ if READ_ONLY.contains(&name) => {
            return Err(Der::INVAL.err(format!("system property {name} can't be set")));
        }
        _ => {
            let names: Vec<&str> = SETTABLE.iter().map(|(name, _)| *name).collect();
            return Err(Der::INVAL.err(format!("unknown system property {name:?}; there are {}", names.join(", "))));
        }
    };
    match allowed {
        true => Ok(()),
        false => Err(Der::INVAL.err(format!("system property {name}: {value:?} is not allowed"))),
    }
}

/// The system's self-heal policy.
pub(super) fn self_heal_policy(state: &State) -> String {
    property(state, "self_heal").unwrap_or_default()
}

fn select(state: &State, rank_text: &str, host_text: &str) -> Result<Selection> {
    let ranks_asked = ranks::parse(rank_text)?;
    let hosts_asked: BTreeSet<&str> = host_text.split(',').map(str::trim).filter(|host| !host.is_empty()).collect();
    let of_host = |member: &Member, host: &str| {
        member.address == host || member.address.rsplit_once(':').is_some_and(|(name, _)| name == host)
    };
    let all = ranks_asked.is_empty() && hosts_asked.is_empty();
    let wanted = |member: &&Member| {
        all || ranks_asked.contains(&member.rank) || hosts_asked.iter().any(|host| of_host(member, host))
    };
    let members: Vec<Member> = state.members.values().filter(wanted).cloned().collect();
    let absent_ranks = ranks_asked.iter().copied().filter(|rank| !state.members.contains_key(rank));
    let absent_hosts: Vec<&str> = hosts_asked
        .iter()
        .copied()
        .filter(|host| !state.members.values().any(|member| of_host(member, host)))
        .collect();
    Ok(Selection { members, absent_ranks: ranks::format(absent_ranks), absent_hosts: absent_hosts.join(",") })
}

fn system_member(member: &Member) -> SystemMember {
    SystemMember {
        addr: member.address.clone(),
        uuid: member.uuid.to_string(),
        rank: member.rank,
        incarnation: member.incarnation,
        state: member.state.name().to_string(),
        fabric_uri: member.uri.clone(),
        fabric_contexts: member.contexts,
        info: member.info.clone(),
        fault_domain: member.fault_domain.clone(),
        last_update: super::timestamp(member.updated_s),
        secondary_fabric_uris: Vec::new(),
    }
}

fn failed(rank: u32, address: &str, action: HostAction, error: &daos_common::Error) -> RankResult {
    RankResult {
        rank,
        action: action.name().to_string(),
        errored: true,
        msg: error.to_string(),
        state: MemberState::Errored.name().to_string(),
        addr: address.to_string(),
    }
}
