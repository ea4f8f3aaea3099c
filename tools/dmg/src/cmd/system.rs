//! `dmg system`: members, leader, stop and start, attributes and properties.

use super::ranks_text;
use crate::context::{CALL_TIMEOUT, Context};
use clap::Args;
use daos_cli::{Outcome, Table};
use daos_common::{Der, Error, Result};
use daos_proto::control::{expand_hosts, expand_numbers};
use daos_proto::mgmt::{
    LeaderQueryReq, SystemCleanupReq, SystemGetAttrReq, SystemGetPropReq, SystemMember, SystemQueryReq,
    SystemSetAttrReq, SystemSetPropReq, SystemStartReq, SystemStopReq,
};
use daos_proto::shared::RankResult;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Names and bits of the states of members.
const STATES: &[(&str, u32)] = &[
    ("unknown", 0),
    ("awaitformat", 1),
    ("starting", 2),
    ("ready", 4),
    ("joined", 8),
    ("stopping", 0x10),
    ("stopped", 0x20),
    ("excluded", 0x40),
    ("errored", 0x80),
    ("unresponsive", 0x100),
    ("adminexcluded", 0x200),
    ("checkerstarted", 0x400),
];
/// All states.
const ALL_STATES: u32 = 0x7ff;
/// The states of a member that works.
const GOOD_STATES: u32 = 8;

/// Which ranks a command is about; none named means all.
#[derive(Args)]
pub struct Ranks {
    /// Only these ranks, e.g. 0,2-5
    #[arg(short = 'r', long, value_name = "RANKS")]
    ranks: Option<String>,
    /// Only the ranks on these hosts, e.g. node[1-4]
    #[arg(long, value_name = "HOSTS")]
    rank_hosts: Option<String>,
}

impl Ranks {
    /// Ranks and hosts as requests carry them.
    fn checked(&self, context: &Context) -> Result<(String, String)> {
        if self.ranks.is_some() && self.rank_hosts.is_some() {
            return Err(Der::INVAL.err("--ranks and --rank-hosts exclude each other"));
        }
        let ranks = match &self.ranks {
            None => String::new(),
            Some(text) => ranks_text(&expand_numbers(text).map_err(|error| error.at("--ranks"))?),
        };
        if ranks == "none" {
            return Err(Der::INVAL.err("--ranks names no rank"));
        }
        let hosts = match &self.rank_hosts {
            None => String::new(),
            Some(text) => {
                let list = std::slice::from_ref(text);
                expand_hosts(list, context.config.port).map_err(|error| error.at("--rank-hosts"))?.join(",")
            }
        };
        Ok((ranks, hosts))
    }
}

/// Options of `system leader-query`.
#[derive(Args)]
pub struct LeaderQuery {
    /// Also show the replicas that don't answer
    #[arg(short = 'N', long)]
    down_replicas: bool,
}

impl LeaderQuery {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = LeaderQueryReq { sys: context.sys(), hosts: context.config.hosts.join(",") };
        let answer = context
            .mgmt("asking for the leader", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.leader_query(request).await }
            })
            .await?;
        let mut text = format!("Current Leader: {}\n", answer.current_leader);
        text.push_str(&format!("   Replica Set: {}\n", answer.replicas.join(", ")));
        if self.down_replicas {
            let down = if answer.down_replicas.is_empty() { "none".into() } else { answer.down_replicas.join(", ") };
            text.push_str(&format!(" Down Replicas: {down}\n"));
        }
        let json = json!({
            "current_leader": answer.current_leader,
            "replicas": answer.replicas,
            "down_replicas": answer.down_replicas,
        });
        Ok(Outcome::new(json, text))
    }
}

/// Options of `system query`.
#[derive(Args)]
pub struct Query {
    #[command(flatten)]
    ranks: Ranks,
    /// Show addresses, fault domains and reasons
    #[arg(short = 'v', long)]
    verbose: bool,
    /// Only members that aren't joined
    #[arg(long, conflicts_with = "with_states")]
    not_ok: bool,
    /// Only members in these states, e.g. stopped,excluded
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    with_states: Vec<String>,
}

impl Query {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let (ranks, hosts) = self.ranks.checked(context)?;
        let state_mask = match (self.not_ok, self.with_states.as_slice()) {
            (true, _) => ALL_STATES & !GOOD_STATES,
            (false, []) => ALL_STATES,
            (false, states) => state_mask(states)?,
        };
        let request = SystemQueryReq { sys: context.sys(), ranks, hosts, state_mask };
        let answer = context
            .mgmt("asking for the members", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.system_query(request).await }
            })
            .await?;
        let text = if self.verbose { members_table(&answer.members) } else { members_summary(&answer.members) };
        let json = json!({
            "members": answer.members.iter().map(member_json).collect::<Vec<_>>(),
            "providers": answer.providers,
            "sys_self_heal_policy": answer.sys_self_heal_policy,
        });
        let failure = absent(&answer.absentranks, &answer.absenthosts);
        Ok(Outcome::new(json, text).with_failure(failure))
    }
}

fn state_mask(states: &[String]) -> Result<u32> {
    states.iter().try_fold(0, |mask, state| {
        let found = STATES.iter().find(|(name, _)| name.eq_ignore_ascii_case(state.trim()));
        let names: Vec<&str> = STATES.iter().map(|(name, _)| *name).collect();
        match found {
            Some((_, bit)) => Ok(mask | bit),
            None => Err(Der::INVAL.err(format!("unknown state {state:?} (there are: {})", names.join(", ")))),
        }
    })
}

fn absent(ranks: &str, hosts: &str) -> Option<Error> {
    let parts = [("ranks", ranks), ("hosts", hosts)];
    let texts: Vec<String> =
        parts.iter().filter(|(_, list)| !list.is_empty()).map(|(what, list)| format!("{what} {list}")).collect();
    (!texts.is_empty()).then(|| Der::NONEXIST.err(format!("not in the system: {}", texts.join(", "))))
}

fn title_case(state: &str) -> String {
    let mut letters = state.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn members_summary(members: &[SystemMember]) -> String {
    if members.is_empty() {
        return "Query matches no ranks in system\n".into();
    }
    let mut table = Table::new(&["Rank", "State"]);
    let mut states: Vec<&str> = members.iter().map(|member| member.state.as_str()).collect();
    states.sort_unstable();
    states.dedup();
    for state in states {
        let ranks: Vec<u32> = members.iter().filter(|m| m.state == state).map(|member| member.rank).collect();
        table.row([ranks_text(&ranks), title_case(state)]);
    }
    table.render()
}

fn members_table(members: &[SystemMember]) -> String {
    if members.is_empty() {
        return "Query matches no ranks in system\n".into();
    }
    let mut table = Table::new(&["Rank", "UUID", "Control Address", "Fault Domain", "State", "Reason"]);
    for member in members {
        table.row([
            member.rank.to_string(),
            member.uuid.clone(),
            member.addr.clone(),
            member.fault_domain.clone(),
            title_case(&member.state),
            member.info.clone(),
        ]);
    }
    table.render()
}

fn member_json(member: &SystemMember) -> Value {
    json!({
        "addr": member.addr,
        "state": member.state.to_lowercase(),
        "fault_domain": member.fault_domain,
        "rank": member.rank,
        "incarnation": member.incarnation,
        "uuid": member.uuid,
        "fabric_uri": member.fabric_uri,
        "secondary_fabric_uris": member.secondary_fabric_uris,
        "fabric_contexts": member.fabric_contexts,
        "info": member.info,
        "last_update": member.last_update,
    })
}

/// Options of `system stop`.
#[derive(Args)]
pub struct Stop {
    #[command(flatten)]
    ranks: Ranks,
    /// Leave administratively excluded ranks out of account
    #[arg(long)]
    ignore_admin_excluded: bool,
    /// Kill the engines instead of asking them to stop
    #[arg(long)]
    force: bool,
    /// Stop everything, the checker included
    #[arg(long, hide = true)]
    full: bool,
}

impl Stop {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        if self.full {
            return Err(Der::NOTSUPPORTED.err("--full is not available yet in this version"));
        }
        let (ranks, hosts) = self.ranks.checked(context)?;
        let request = SystemStopReq {
            sys: context.sys(),
            prep: !self.force,
            kill: true,
            force: self.force,
            ranks,
            hosts,
            ignore_admin_excluded: self.ignore_admin_excluded,
        };
        let answer = context
            .mgmt("stopping engines", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.system_stop(request).await }
            })
            .await?;
        Ok(rank_results(&answer.results, absent(&answer.absentranks, &answer.absenthosts)))
    }
}

/// Options of `system start`.
#[derive(Args)]
pub struct Start {
    #[command(flatten)]
    ranks: Ranks,
    /// Leave administratively excluded ranks out of account
    #[arg(long)]
    ignore_admin_excluded: bool,
}

impl Start {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let (ranks, hosts) = self.ranks.checked(context)?;
        let request = SystemStartReq {
            sys: context.sys(),
            ranks,
            hosts,
            check_mode: false,
            ignore_admin_excluded: self.ignore_admin_excluded,
        };
        let answer = context
            .mgmt("starting engines", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.system_start(request).await }
            })
            .await?;
        Ok(rank_results(&answer.results, absent(&answer.absentranks, &answer.absenthosts)))
    }
}

fn rank_results(results: &[RankResult], absent: Option<Error>) -> Outcome {
    let mut table = Table::new(&["Rank", "Operation", "Result"]);
    for result in results {
        let outcome = if result.errored { result.msg.clone() } else { "OK".into() };
        table.row([result.rank.to_string(), result.action.clone(), outcome]);
    }
    let json: Vec<Value> = results
        .iter()
        .map(|result| {
            json!({
                "addr": result.addr, "rank": result.rank, "action": result.action, "errored": result.errored,
                "msg": result.msg, "state": result.state.to_lowercase(),
            })
        })
        .collect();
    let wrong: Vec<String> = results
        .iter()
        .filter(|result| result.errored)
        .map(|result| format!("rank {}: {}", result.rank, result.msg))
        .collect();
    let failure = absent.or_else(|| (!wrong.is_empty()).then(|| Der::MISC.err(wrong.join("; "))));
    Outcome::new(json!({ "Results": json }), table.render()).with_failure(failure)
}

/// Options of `system set-attr`.
#[derive(Args)]
pub struct SetAttr {
    /// name:value,...
    #[arg(value_name = "ATTRS")]
    attrs: String,
}

/// Options of `system get-attr`.
#[derive(Args)]
pub struct GetAttr {
    /// name,...; none for all
    #[arg(value_name = "ATTRS")]
    attrs: Option<String>,
}

/// Options of `system del-attr`.
#[derive(Args)]
pub struct DelAttr {
    /// name,...
    #[arg(value_name = "ATTRS")]
    attrs: String,
}

/// Options of `system set-prop`.
#[derive(Args)]
pub struct SetProp {
    /// name:value,...
    #[arg(value_name = "PROPS")]
    props: String,
}

/// Options of `system get-prop`.
#[derive(Args)]
pub struct GetProp {
    /// name,...; none for all
    #[arg(value_name = "PROPS")]
    props: Option<String>,
}

/// Options of `system cleanup`.
#[derive(Args)]
pub struct Cleanup {
    /// Short name of the machine whose connections are to be closed
    machine: String,
    /// Show each pool
    #[arg(short = 'v', long)]
    verbose: bool,
}

impl SetAttr {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        set_attributes(context, pairs(&self.attrs)?).await
    }
}

impl DelAttr {
    /// Runs it: an empty value removes an attribute.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        set_attributes(context, keys(Some(&self.attrs)).into_iter().map(|key| (key, String::new())).collect()).await
    }
}

async fn set_attributes(context: &Context, attributes: HashMap<String, String>) -> Result<Outcome> {
    let request = SystemSetAttrReq { sys: context.sys(), attributes };
    let answer = context
        .mgmt("setting attributes", CALL_TIMEOUT, |mut client| {
            let request = request.clone();
            async move { client.system_set_attr(request).await }
        })
        .await?;
    Error::from_status(answer.status, "setting system attributes")?;
    Ok(Outcome::new(Value::Null, ""))
}

impl GetAttr {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = SystemGetAttrReq { sys: context.sys(), keys: keys(self.attrs.as_deref()) };
        let answer = context
            .mgmt("asking for attributes", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.system_get_attr(request).await }
            })
            .await?;
        let text = map_table("Name", &answer.attributes);
        Ok(Outcome::new(json!({ "attributes": answer.attributes }), text))
    }
}

impl SetProp {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = SystemSetPropReq { sys: context.sys(), properties: pairs(&self.props)? };
        let answer = context
            .mgmt("setting properties", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.system_set_prop(request).await }
            })
            .await?;
        Error::from_status(answer.status, "setting system properties")?;
        Ok(Outcome::new(Value::Null, "system set-prop succeeded"))
    }
}

impl GetProp {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = SystemGetPropReq { sys: context.sys(), keys: keys(self.props.as_deref()) };
        let answer = context
            .mgmt("asking for properties", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.system_get_prop(request).await }
            })
            .await?;
        let text = map_table("Property", &answer.properties);
        Ok(Outcome::new(json!({ "properties": answer.properties }), text))
    }
}

impl Cleanup {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = SystemCleanupReq { sys: context.sys(), machine: self.machine };
        let answer = context
            .mgmt("closing connections", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.system_cleanup(request).await }
            })
            .await?;
        let mut table = Table::new(&["Pool", "Handles Revoked", "Result"]);
        for result in &answer.results {
            let outcome = if result.status == 0 { "OK".into() } else { result.msg.clone() };
            table.row([result.pool_id.clone(), result.count.to_string(), outcome]);
        }
        let json: Vec<Value> = answer
            .results
            .iter()
            .map(|r| json!({ "status": r.status, "msg": r.msg, "pool_id": r.pool_id, "count": r.count }))
            .collect();
        let failed = answer.results.iter().find(|result| result.status != 0);
        let failure = failed.and_then(|result| Error::from_status(result.status, &result.pool_id).err());
        let text = if self.verbose || failure.is_some() { table.render() } else { "System Cleanup Success\n".into() };
        Ok(Outcome::new(json!({ "results": json }), text).with_failure(failure))
    }
}

fn keys(list: Option<&str>) -> Vec<String> {
    list.unwrap_or_default().split(',').map(str::trim).filter(|key| !key.is_empty()).map(str::to_string).collect()
}

fn pairs(list: &str) -> Result<HashMap<String, String>> {
    list.split(',')
        .map(|pair| match pair.split_once(':') {
            Some((key, value)) if !key.trim().is_empty() && !value.trim().is_empty() => {
                Ok((key.trim().to_string(), value.trim().to_string()))
            }
            _ => Err(Der::INVAL.err(format!("{pair:?}: expected name:value"))),
        })
        .collect()
}

fn map_table(title: &str, map: &HashMap<String, String>) -> String {
    let mut rows: Vec<(&String, &String)> = map.iter().collect();
    rows.sort();
    let mut table = Table::new(&[title, "Value"]);
    for (key, value) in rows {
        table.row([key.as_str(), value.as_str()]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(rank: u32, state: &str) -> SystemMember {
        SystemMember { rank, state: state.into(), addr: format!("10.0.0.{rank}:10001"), ..Default::default() }
    }

    /// Aim: the summary groups ranks by state, and the JSON has the states in lower case.
    #[test]
    fn members() {
        let members = [member(0, "Joined"), member(1, "Joined"), member(2, "Stopped")];
        assert_eq!(members_summary(&members), "Rank State\n---- -----\n0-1  Joined\n2    Stopped\n");
        assert!(members_table(&members).contains("10.0.0.2:10001"));
        assert_eq!(member_json(&members[2])["state"], "stopped");
    }

    /// Aim: names of states, pairs and lists are read strictly.
    #[test]
    fn arguments() {
        assert_eq!(state_mask(&["Stopped".into(), "excluded".into()]).unwrap(), 0x60);
        assert!(state_mask(&["gone".into()]).unwrap_err().message().contains("joined"));
        assert_eq!(pairs("a:b, c:d:e").unwrap()["c"], "d:e");
        assert!(pairs("a").is_err() && pairs("a:").is_err() && pairs("").is_err());
        assert_eq!(keys(Some("a, ,b")), ["a", "b"]);
        assert!(absent("", "").is_none());
        assert!(absent("3", "").unwrap().message().contains("ranks 3"));
    }
}
