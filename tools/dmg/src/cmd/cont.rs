//! `dmg container`.

use super::principal;
use crate::context::{CALL_TIMEOUT, Context};
use clap::Args;
use daos_cli::Outcome;
use daos_common::{Error, Result};
use daos_proto::mgmt::ContSetOwnerReq;
use serde_json::Value;

/// Options of `container set-owner`.
#[derive(Args)]
#[command(group(clap::ArgGroup::new("who").required(true).multiple(true)))]
pub struct SetOwner {
    /// Label or UUID of the pool
    pool: String,
    /// Label or UUID of the container
    cont: String,
    /// New owner, name@
    #[arg(short = 'u', long, group = "who")]
    user: Option<String>,
    /// New owning group, name@
    #[arg(short = 'g', long, group = "who")]
    group: Option<String>,
}

impl SetOwner {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = ContSetOwnerReq {
            sys: context.sys(),
            cont_id: self.cont,
            pool_id: self.pool,
            owner_user: self.user.as_deref().map(principal).unwrap_or_default(),
            owner_group: self.group.as_deref().map(principal).unwrap_or_default(),
            svc_ranks: vec![],
        };
        let answer = context
            .mgmt("changing the owner", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.cont_set_owner(request).await }
            })
            .await?;
        Error::from_status(answer.status, format!("changing the owner of container {}", request.cont_id))?;
        Ok(Outcome::new(Value::Null, "Container owner changed"))
    }
}
