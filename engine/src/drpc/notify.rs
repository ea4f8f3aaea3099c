//! What the engine tells daos_server by itself: that it is ready, and events (RAS).

use crate::service::Service;
use daos_common::{Rank, hlc};
use daos_proto::drpc::Method;
use daos_proto::{shared, srv};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use uuid::Uuid;

/// RAS event `pool_start_failed`.
const POOL_START_FAILED: u32 = 13;
/// RAS type "information only".
const TYPE_INFO: u32 = 2;
/// RAS severity "error".
const SEVERITY_ERROR: u32 = 1;
/// Between attempts to tell that the engine is ready.
const RETRY: Duration = Duration::from_secs(1);

impl Service {
    /// Tells daos_server that the engine is ready, until it listens.
    pub async fn notify_ready(self: Rc<Self>, listener: &Path, instance: u32) {
        let uris = self.uris();
        let request = srv::NotifyReadyReq {
            uri: uris.first().cloned().unwrap_or_default(),
            nctxs: uris.len() as u32,
            drpc_listener_sock: listener.to_string_lossy().into_owned(),
            instance_idx: instance,
            ntgts: uris.len().saturating_sub(1) as u32,
            incarnation: self.incarnation,
            secondary_uris: Vec::new(),
            secondary_nctxs: Vec::new(),
            check_mode: false,
        };
        loop {
            match self.server.call::<()>(&self.home, Method::NotifyReady, &request).await {
                Ok(()) => return tracing::info!("daos_server knows that this engine is ready at {}", request.uri),
                Err(error) => tracing::warn!("daos_server was not told that this engine is ready: {error}; again soon"),
            }
            self.runtime.sleep(RETRY).await;
        }
    }

    /// Reports a pool that this rank cannot serve, wholly or in part.
    pub fn report_pool_failure(self: &Rc<Self>, pool: Uuid, what: String) {
        let event = shared::RasEvent {
            id: POOL_START_FAILED,
            msg: what,
            timestamp: timestamp(),
            r#type: TYPE_INFO,
            severity: SEVERITY_ERROR,
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            rank: if self.rank() == Rank::NONE { u32::MAX } else { self.rank().0 },
            incarnation: self.incarnation,
            proc_id: u64::from(std::process::id()),
            pool_uuid: pool.to_string(),
            ..Default::default()
        };
        let own = self.clone();
        let task = async move {
            let request = shared::ClusterEventReq { sequence: 0, event: Some(event) };
            let sent = own.server.call::<shared::ClusterEventResp>(&own.home, Method::ClusterEvent, &request).await;
            if let Err(error) = sent {
                tracing::warn!("pool {pool}: daos_server was not told: {error}");
            }
        };
        self.runtime.spawn(task).detach();
    }
}

/// Seconds since 1970 with microseconds, as text.
fn timestamp() -> String {
    let now = hlc::to_unix(hlc::Clock::new().now());
    format!("{}.{:06}", now.as_secs(), now.subsec_micros())
}
