//! `dmg pool`: create, destroy, evict, list, query.

use super::pool_view::{created, list_view, pool_json, query_text, targets_view};
use super::props::to_wire;
use super::{acl, own_principals, principal, ranks_text, storage};
use crate::context::{CALL_TIMEOUT, Context, LONG_TIMEOUT};
use crate::size::{self, PoolSize};
use clap::Args;
use daos_cli::Outcome;
use daos_common::label::check_label;
use daos_common::props::{self, POOL, po};
use daos_common::wire::pool::{Prop, PropValue};
use daos_common::{Der, Error, Result};
use daos_proto::control::expand_numbers;
use daos_proto::mgmt::{
    ListPoolsReq, PoolCreateReq, PoolDestroyReq, PoolEvictReq, PoolQueryReq, PoolQueryResp, PoolQueryTargetReq,
};
use serde_json::{Value, json};
use std::path::PathBuf;
use uuid::Uuid;

/// Bits of a query: space, rebuild, engines enabled, disabled, dead, self-healing policy.
const QUERY_SPACE: u64 = 1;
const QUERY_REBUILD: u64 = 2;
const QUERY_ENABLED: u64 = 4;
const QUERY_DISABLED: u64 = 8;
const QUERY_DEAD: u64 = 0x10;
const QUERY_SELF_HEAL: u64 = 0x40;
/// What a plain query asks.
const QUERY_DEFAULT: u64 = QUERY_SPACE | QUERY_REBUILD | QUERY_DISABLED | QUERY_DEAD;

/// Options of `pool create`.
#[derive(Args)]
pub struct Create {
    /// Label of the new pool
    label: String,
    /// Owning group, name@
    #[arg(short = 'g', long)]
    group: Option<String>,
    /// Owner, name@
    #[arg(short = 'u', long)]
    user: Option<String>,
    /// name:value,...
    #[arg(short = 'P', long, value_name = "PROPS")]
    properties: Option<String>,
    /// File with the access control list, one entry a line
    #[arg(short = 'a', long, value_name = "FILE")]
    acl_file: Option<PathBuf>,
    /// Bytes of all tiers on all ranks (8GiB), or a share of what is free (50%)
    #[arg(short = 'z', long)]
    size: Option<String>,
    /// Share of each tier in percent, e.g. 6,94
    #[arg(short = 't', long, value_name = "PERCENT")]
    tier_ratio: Option<String>,
    /// Number of ranks
    #[arg(short = 'k', long)]
    nranks: Option<u32>,
    /// Number of replicas of the pool service
    #[arg(short = 'v', long)]
    nsvc: Option<u32>,
    /// Bytes of the memory tier on each rank
    #[arg(short = 's', long)]
    scm_size: Option<String>,
    /// Bytes of the data tier on each rank
    #[arg(short = 'n', long)]
    nvme_size: Option<String>,
    /// Bytes for metadata on each rank, with metadata on SSD
    #[arg(long)]
    meta_size: Option<String>,
    /// Bytes for data on each rank, with metadata on SSD
    #[arg(long)]
    data_size: Option<String>,
    /// Size of the memory file as a share of the metadata, with metadata on SSD
    #[arg(long, value_name = "PERCENT")]
    mem_ratio: Option<String>,
    /// The ranks to use, e.g. 0,2-5
    #[arg(short = 'r', long)]
    ranks: Option<String>,
}

impl Create {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        check_label(&self.label)?;
        if self.ranks.is_some() && self.nranks.is_some() {
            return Err(Der::INVAL.err("--ranks and --nranks exclude each other"));
        }
        let size = size::parse(size::Options {
            size: self.size.as_deref(),
            tier_ratio: self.tier_ratio.as_deref(),
            scm_size: self.scm_size.as_deref(),
            nvme_size: self.nvme_size.as_deref(),
            meta_size: self.meta_size.as_deref(),
            data_size: self.data_size.as_deref(),
        })?;
        let mut request = self.request(context)?;
        match size {
            PoolSize::Total { bytes, ratio } => {
                request.total_bytes = bytes;
                request.tier_ratio = ratio;
            }
            PoolSize::PerRank(bytes) => request.tier_bytes = bytes.to_vec(),
            PoolSize::Share(share) => request.tier_bytes = share_of_free(context, share, &request.ranks).await?,
        }
        let answer = context
            .mgmt("creating the pool", LONG_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.pool_create(request).await }
            })
            .await?;
        Error::from_status(answer.status, format!("creating pool {}", self.label))?;
        Ok(created(&request.uuid, &answer))
    }

    fn request(&self, context: &Context) -> Result<PoolCreateReq> {
        let mut properties = self.properties.as_deref().map_or(Ok(vec![]), |text| props::parse_list(POOL, text))?;
        if props::get(&properties, po::LABEL).is_some() {
            return Err(Der::INVAL.err("the label is the command's argument, not a property"));
        }
        properties.push(Prop { number: po::LABEL, value: PropValue::Text(self.label.clone()) });
        let (user, group) = match (&self.user, &self.group) {
            (Some(user), Some(group)) => (principal(user), principal(group)),
            (user, group) => {
                let own = own_principals()?;
                let given = |name: &Option<String>, own: String| name.as_deref().map_or(own, principal);
                (given(user, own.0), given(group, own.1))
            }
        };
        Ok(PoolCreateReq {
            uuid: Uuid::new_v4().to_string(),
            sys: context.sys(),
            user,
            user_group: group,
            acl: self.acl_file.as_deref().map_or(Ok(vec![]), acl::read_file)?,
            properties: properties.into_iter().map(to_wire).collect(),
            num_svc_reps: self.nsvc.unwrap_or(0),
            num_ranks: self.nranks.unwrap_or(0),
            ranks: self.ranks.as_deref().map_or(Ok(vec![]), expand_numbers).map_err(|error| error.at("--ranks"))?,
            mem_ratio: self.mem_ratio.as_deref().map_or(Ok(0.0), mem_ratio)?,
            ..Default::default()
        })
    }
}

fn mem_ratio(text: &str) -> Result<f32> {
    let first = text.split(',').next().unwrap_or_default().trim().trim_end_matches('%');
    match first.parse::<f32>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err(Der::INVAL.err(format!("--mem-ratio {text:?}: expected a percentage over 0, at most 100"))),
    }
}

/// Bytes of each tier on each rank: the share of what the rank with the least has.
async fn share_of_free(context: &Context, share: f64, ranks: &[u32]) -> Result<Vec<u64>> {
    let hosts = storage::scan(context, false).await;
    if let Some(failure) = hosts.failure() {
        return Err(failure.at("finding out what is free"));
    }
    let wanted = |rank: u32| ranks.is_empty() || ranks.contains(&rank);
    let mut scm: Option<u64> = None;
    let mut nvme_by_rank = std::collections::BTreeMap::<u32, u64>::new();
    let mut engine_ranks = Vec::new();
    for answer in hosts.answers.values() {
        for mount in answer.scm.iter().flat_map(|scm| &scm.namespaces).filter_map(|namespace| namespace.mount.as_ref())
        {
            if wanted(mount.rank) {
                engine_ranks.push(mount.rank);
                scm = Some(scm.map_or(mount.usable_bytes, |least| least.min(mount.usable_bytes)));
            }
        }
        for device in answer.nvme.iter().flat_map(|nvme| &nvme.ctrlrs).flat_map(|controller| &controller.smd_devices) {
            if wanted(device.rank) {
                *nvme_by_rank.entry(device.rank).or_default() += device.usable_bytes;
            }
        }
    }
    let Some(scm) = scm.filter(|bytes| *bytes > 0) else {
        return Err(Der::NOSPACE.err(format!("no free storage on ranks {}", ranks_text(ranks))));
    };
    let nvme = engine_ranks.iter().map(|rank| nvme_by_rank.get(rank).copied().unwrap_or(0)).min().unwrap_or(0);
    // The conversion saturates; f64 rounds to 2^-53 of the size.
    Ok([scm, nvme].iter().map(|bytes| (*bytes as f64 * share) as u64).collect())
}

/// Options of `pool destroy`.
#[derive(Args)]
pub struct Destroy {
    /// Label or UUID of the pool
    pool: String,
    /// Although it has containers
    #[arg(short = 'r', long)]
    recursive: bool,
    /// Although it is in use
    #[arg(short = 'f', long)]
    force: bool,
}

impl Destroy {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = PoolDestroyReq {
            sys: context.sys(),
            id: self.pool,
            force: self.force,
            svc_ranks: vec![],
            recursive: self.recursive,
        };
        let answer = context
            .mgmt("destroying the pool", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.pool_destroy(request).await }
            })
            .await?;
        Error::from_status(answer.status, format!("destroying pool {}", request.id)).map_err(|error| {
            match error.code() {
                Der::BUSY => error.at(format!("pool {} has open connections (-f) or containers (-r)", request.id)),
                _ => error,
            }
        })?;
        Ok(Outcome::new(Value::Null, "Pool-destroy command succeeded"))
    }
}

/// Options of `pool evict`.
#[derive(Args)]
pub struct Evict {
    /// Label or UUID of the pool
    pool: String,
}

impl Evict {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = PoolEvictReq { sys: context.sys(), id: self.pool, ..Default::default() };
        let answer = context
            .mgmt("closing connections", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.pool_evict(request).await }
            })
            .await?;
        Error::from_status(answer.status, format!("closing connections of pool {}", request.id))?;
        Ok(Outcome::new(Value::Null, "Pool-evict command succeeded"))
    }
}

/// Options of `pool list`.
#[derive(Args)]
pub struct List {
    /// Also show UUID and ranks of the pool service
    #[arg(short = 'v', long)]
    verbose: bool,
    /// Don't ask the pools themselves
    #[arg(short = 'n', long)]
    no_query: bool,
    /// Only rebuild state
    #[arg(short = 'r', long)]
    rebuild_only: bool,
}

/// A pool of the list: what the directory says, and what the pool says itself.
pub struct Listed {
    pub entry: daos_proto::mgmt::list_pools_resp::Pool,
    pub answer: Option<Result<PoolQueryResp>>,
}

impl List {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = ListPoolsReq { sys: context.sys() };
        let answer = context
            .mgmt("listing pools", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.list_pools(request).await }
            })
            .await?;
        Error::from_status(answer.status, "listing pools")?;
        let mut pools = Vec::new();
        for entry in answer.pools {
            // Pools in creation or destruction have no service to ask.
            let ready = entry.state.eq_ignore_ascii_case("ready");
            let asked = match self.no_query || !ready {
                true => None,
                false => Some(query(context, &entry.uuid, QUERY_DEFAULT).await),
            };
            pools.push(Listed { entry, answer: asked });
        }
        Ok(list_view(&pools, self.verbose, self.rebuild_only))
    }
}

/// Options of `pool query`.
#[derive(Args)]
pub struct Query {
    /// Label or UUID of the pool
    pool: String,
    /// Only the health of the pool, not its space
    #[arg(short = 't', long)]
    health_only: bool,
    /// Also show which ranks are in use
    #[arg(short = 'e', long)]
    show_enabled: bool,
    /// Don't look at the self-healing policy
    #[arg(long)]
    no_self_heal_check: bool,
}

impl Query {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let mut mask = QUERY_DEFAULT;
        if self.health_only {
            mask &= !QUERY_SPACE;
        }
        if self.show_enabled {
            mask |= QUERY_ENABLED;
        }
        if !self.no_self_heal_check {
            mask |= QUERY_SELF_HEAL;
        }
        let answer = query(context, &self.pool, mask).await?;
        Ok(Outcome::new(pool_json(&answer), query_text(&answer, self.health_only)))
    }
}

async fn query(context: &Context, pool: &str, query_mask: u64) -> Result<PoolQueryResp> {
    let request = PoolQueryReq { sys: context.sys(), id: pool.to_string(), svc_ranks: vec![], query_mask };
    let answer = context
        .mgmt("asking the pool", CALL_TIMEOUT, |mut client| {
            let request = request.clone();
            async move { client.pool_query(request).await }
        })
        .await?;
    Error::from_status(answer.status, format!("query of pool {pool}"))?;
    Ok(answer)
}

/// Options of `pool query-targets`.
#[derive(Args)]
pub struct QueryTargets {
    /// Label or UUID of the pool
    pool: String,
    /// Rank of the engine
    #[arg(long)]
    rank: u32,
    /// The targets, e.g. 0,2-5; none for all
    #[arg(long, value_name = "TARGETS")]
    target_idx: Option<String>,
}

impl QueryTargets {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let targets = match &self.target_idx {
            Some(text) => expand_numbers(text).map_err(|error| error.at("--target-idx"))?,
            None => self.all_targets(context).await?,
        };
        let request = PoolQueryTargetReq {
            sys: context.sys(),
            id: self.pool,
            rank: self.rank,
            targets: targets.clone(),
            svc_ranks: vec![],
        };
        let answer = context
            .mgmt("asking the targets", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.pool_query_target(request).await }
            })
            .await?;
        Error::from_status(answer.status, format!("query of targets of pool {} on rank {}", request.id, request.rank))?;
        Ok(targets_view(request.rank, &targets, &answer))
    }

    /// Every engine of a pool has as many targets as the others.
    async fn all_targets(&self, context: &Context) -> Result<Vec<u32>> {
        let pool = query(context, &self.pool, QUERY_DISABLED).await?;
        match pool.total_targets.checked_div(pool.total_engines) {
            Some(per_engine) if per_engine > 0 => Ok((0..per_engine).collect()),
            _ => {
                Err(Der::INVAL
                    .err(format!("pool {} doesn't say how many targets it has: give --target-idx", self.pool)))
            }
        }
    }
}

/// JSON of a pool that only the directory knows.
pub fn entry_json(entry: &daos_proto::mgmt::list_pools_resp::Pool) -> Value {
    json!({ "uuid": entry.uuid, "label": entry.label, "svc_reps": entry.svc_reps, "state": entry.state })
}
