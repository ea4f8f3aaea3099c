//! RAS events: made, completed, logged.

use crate::sys;
use daos_common::Error;
use daos_proto::shared::{RasEvent, ras_event};

/// An engine's process ended unasked.
pub const ENGINE_DIED: u32 = 2;
/// SWIM found a rank dead.
pub const SWIM_RANK_DEAD: u32 = 17;
/// An engine could not join.
pub const ENGINE_JOIN_FAILED: u32 = 26;

const TYPE_STATE_CHANGE: u32 = 1;
const TYPE_INFO: u32 = 2;
const SEVERITY_ERROR: u32 = 1;
const SEVERITY_WARNING: u32 = 2;
const NO_RANK: u32 = u32::MAX;

/// The event for an engine whose process ended.
pub fn engine_died(rank: u32, incarnation: u64, instance: usize, reason: &Error) -> RasEvent {
    let info = ras_event::EngineStateEventInfo {
        instance: u32::try_from(instance).unwrap_or(u32::MAX),
        errored: true,
        error: reason.message().to_string(),
    };
    complete(RasEvent {
        id: ENGINE_DIED,
        msg: reason.message().to_string(),
        r#type: TYPE_STATE_CHANGE,
        severity: SEVERITY_ERROR,
        rank,
        incarnation,
        extended_info: Some(ras_event::ExtendedInfo::EngineStateInfo(info)),
        ..Default::default()
    })
}

/// The event for an engine that could not join.
pub fn join_failed(instance: usize, reason: &Error) -> RasEvent {
    complete(RasEvent {
        id: ENGINE_JOIN_FAILED,
        msg: format!("engine {instance} could not join: {}", reason.message()),
        r#type: TYPE_INFO,
        severity: SEVERITY_ERROR,
        rank: NO_RANK,
        ..Default::default()
    })
}

/// The event with host and time filled in where its sender left them out.
pub fn complete(mut event: RasEvent) -> RasEvent {
    if event.hostname.is_empty() {
        event.hostname = sys::host_name();
    }
    if event.timestamp.is_empty() {
        event.timestamp = super::timestamp(crate::system::now_s());
    }
    event
}

/// Writes the event to the log.
pub fn log(event: &RasEvent) {
    let rank = match event.rank {
        NO_RANK => String::new(),
        rank => format!(" rank {rank}"),
    };
    let line = format!("RAS event {} on {}{rank}: {}", event.id, event.hostname, event.msg);
    match event.severity {
        SEVERITY_ERROR => tracing::error!("{line}"),
        SEVERITY_WARNING => tracing::warn!("{line}"),
        _ => tracing::info!("{line}"),
    }
}
