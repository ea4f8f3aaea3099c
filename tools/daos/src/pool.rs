//! `daos pool`.

use crate::{Tool, pool_label};
use daos_cli::Outcome;
use daos_common::{Error, Result};
use daos_tool::{options, view};

/// Bits of a pool query (`DPI_*`).
const SPACE: u64 = 1;
const REBUILD: u64 = 2;
const ENGINES_ENABLED: u64 = 4;
const ENGINES_DISABLED: u64 = 8;

impl Tool {
    pub fn pool_list(&self, verbose: bool, no_query: bool) -> Result<Outcome> {
        let entries = daos_api::list_pools(self.system.as_deref()).map_err(|error| self.of_system(error))?;
        let ask = |uuid: String| -> Result<daos_api::PoolInfo, Error> {
            self.connect(&uuid, false)?.as_ref().query(SPACE | REBUILD | ENGINES_DISABLED)
        };
        let found: Vec<_> = entries
            .into_iter()
            .map(|entry| {
                let answer = (!no_query).then(|| ask(entry.uuid.to_string()));
                (entry, answer)
            })
            .collect();
        Ok(view::pools(&found, verbose))
    }

    pub fn pool_query(&self, pool: &str, show_enabled: bool, health_only: bool) -> Result<Outcome> {
        let handle = self.connect(pool, false)?;
        let ranks = if show_enabled { ENGINES_ENABLED } else { ENGINES_DISABLED };
        let space = if health_only { 0 } else { SPACE };
        let place = |error: Error| error.at(format!("pool {pool}"));
        let info = handle.as_ref().query(space | REBUILD | ranks).map_err(place)?;
        let label = pool_label(&handle).map_err(place)?;
        Ok(view::pool(&label, &info, show_enabled, health_only))
    }

    pub fn query_targets(&self, pool: &str, rank: u32, targets: Option<&str>) -> Result<Outcome> {
        let handle = self.connect(pool, false)?;
        let targets = match targets {
            Some(list) => options::numbers(list).map_err(|error| error.at("--target-idx"))?,
            // Every engine of a pool has as many targets as the others.
            None => {
                let info = handle.as_ref().query(REBUILD)?;
                (0..info.targets.checked_div(info.engines).unwrap_or(0)).collect()
            }
        };
        let found = targets
            .iter()
            .map(|target| Ok((*target, handle.as_ref().query_target(rank, *target)?)))
            .collect::<Result<Vec<_>>>()
            .map_err(|error| error.at(format!("pool {pool}, rank {rank}")))?;
        Ok(view::targets(rank, &found))
    }
}
