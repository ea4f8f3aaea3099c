//! What tests ask of engines: marks in the log, faults, the state of devices.

use super::Service;
use crate::faults;
use daos_common::wire::Opcode;
use daos_common::wire::mgmt::{DebugAction, DebugReply, DebugRequest};
use daos_common::{Der, Result};
use std::rc::Rc;

/// Longest mark in bytes.
const MARK_MAX_BYTES: usize = 255;
/// State of a device in service (`BIO_BS_STATE_NORMAL`).
const STATE_NORMAL: u32 = 0;

impl Service {
    /// Does what a test asks, here or on every engine.
    ///
    /// # Errors
    /// `INVAL`: a mark that is too long, an unknown parameter; `NO_PERM`: faults are not injected; of the first rank
    /// that fails.
    pub async fn debug(self: &Rc<Self>, request: DebugRequest) -> Result<DebugReply> {
        if !request.all {
            return self.debug_here(request.action);
        }
        let here = DebugRequest { all: false, ..request };
        let replies: Vec<DebugReply> = self.broadcast_all(&self.group_ranks(), Opcode::Debug, &here).await?;
        Ok(DebugReply { device_state: replies.iter().find_map(|reply| reply.device_state) })
    }

    fn debug_here(&self, action: DebugAction) -> Result<DebugReply> {
        let mut reply = DebugReply { device_state: None };
        match action {
            DebugAction::Mark(mark) if mark.len() > MARK_MAX_BYTES => {
                return Err(Der::INVAL.err(format!("a mark of {} bytes; at most {MARK_MAX_BYTES}", mark.len())));
            }
            DebugAction::Mark(mark) => tracing::warn!("mark: {}", mark.escape_debug()),
            DebugAction::Parameter { key, value, extra } => faults::set(key, value, extra)?,
            DebugAction::Device(uuid) => {
                let known = self.tier.borrow().as_ref().is_some_and(|tier| tier.has_device(uuid));
                reply.device_state = known.then_some(STATE_NORMAL);
            }
        }
        Ok(reply)
    }
}
