//! Which pools the system has: the management service knows, daos_server asks it.

use super::Service;
use crate::pool::security::status;
use daos_common::wire::mgmt::{PoolFindReply, PoolFindRequest, PoolListEntry, PoolListReply, PoolListRequest};
use daos_common::{Der, Rank, Result};
use daos_proto::drpc::Method;
use daos_proto::srv;
use uuid::Uuid;

/// Longest label or UUID in text form, in bytes.
const NAME_MAX_BYTES: usize = 127;

impl Service {
    /// Finds a pool by label or UUID.
    ///
    /// # Errors
    /// `NONEXIST`; `INVAL`: not a name; what reaching daos_server says.
    pub async fn pool_find(&self, request: PoolFindRequest) -> Result<PoolFindReply> {
        let name = request.pool;
        if name.is_empty() || name.len() > NAME_MAX_BYTES {
            return Err(Der::INVAL.err(format!("a pool's name has 1 to {NAME_MAX_BYTES} bytes, not {}", name.len())));
        }
        let (uuid, ranks) = match Uuid::parse_str(&name) {
            Ok(uuid) => {
                let query = srv::GetPoolSvcReq { uuid: uuid.to_string() };
                let found: srv::GetPoolSvcResp = self.server.call(&self.home, Method::GetPoolSvc, &query).await?;
                status(found.status, format!("pool {name}"))?;
                (uuid, found.svcreps)
            }
            Err(_) => {
                let query = srv::PoolFindByLabelReq { label: name.clone() };
                let method = Method::PoolFindByLabel;
                let found: srv::PoolFindByLabelResp = self.server.call(&self.home, method, &query).await?;
                status(found.status, format!("pool {name}"))?;
                (parse(&found.uuid)?, found.svcreps)
            }
        };
        Ok(PoolFindReply { uuid, service_ranks: ranks.into_iter().map(Rank).collect() })
    }

    /// Lists the system's pools.
    ///
    /// # Errors
    /// What reaching daos_server says.
    pub async fn pool_list(&self, _request: PoolListRequest) -> Result<PoolListReply> {
        let query = srv::ListPoolsReq { include_all: false };
        let found: srv::ListPoolsResp = self.server.call(&self.home, Method::ListPools, &query).await?;
        let entry = |pool: srv::list_pools_resp::Pool| {
            let service_ranks = pool.svcreps.into_iter().map(Rank).collect();
            Ok(PoolListEntry { uuid: parse(&pool.uuid)?, label: pool.label, service_ranks })
        };
        let mut pools = found.pools.into_iter().map(entry).collect::<Result<Vec<_>>>()?;
        pools.sort_by(|a, b| (&a.label, a.uuid).cmp(&(&b.label, b.uuid)));
        Ok(PoolListReply { pools })
    }
}

fn parse(uuid: &str) -> Result<Uuid> {
    Uuid::parse_str(uuid).map_err(|_| Der::PROTO.err(format!("daos_server answered {uuid:?} for a pool's UUID")))
}
