//! A member of the system: one engine, by rank.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// State of a member. The discriminants are the bits of `state_mask` in SystemQueryReq.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[repr(u32)]
#[allow(missing_docs)]
pub enum MemberState {
    Unknown = 0,
    AwaitFormat = 1,
    Starting = 2,
    Ready = 4,
    Joined = 8,
    Stopping = 0x10,
    Stopped = 0x20,
    Excluded = 0x40,
    Errored = 0x80,
    Unresponsive = 0x100,
    AdminExcluded = 0x200,
    CheckerStarted = 0x400,
}

impl MemberState {
    /// The word that management messages carry.
    pub fn name(self) -> &'static str {
        match self {
            MemberState::Unknown => "unknown",
            MemberState::AwaitFormat => "awaitformat",
            MemberState::Starting => "starting",
            MemberState::Ready => "ready",
            MemberState::Joined => "joined",
            MemberState::Stopping => "stopping",
            MemberState::Stopped => "stopped",
            MemberState::Excluded => "excluded",
            MemberState::Errored => "errored",
            MemberState::Unresponsive => "unresponsive",
            MemberState::AdminExcluded => "adminexcluded",
            MemberState::CheckerStarted => "checkerstarted",
        }
    }

    /// Whether a member in this state stands in the group map.
    pub fn is_in_group(self) -> bool {
        !matches!(self, MemberState::AwaitFormat | MemberState::Excluded | MemberState::AdminExcluded)
    }

    /// Whether a member in this state can hold pools and serve them.
    pub fn is_available(self) -> bool {
        matches!(self, MemberState::Ready | MemberState::Joined)
    }

    /// Whether a member may go from this state to `next` other than by joining.
    pub fn may_become(self, next: MemberState) -> bool {
        use MemberState as S;
        match self {
            S::AdminExcluded => false,
            S::Joined => next != S::Ready,
            S::Excluded => {
                !matches!(next, S::Errored | S::Stopping | S::Stopped | S::Starting | S::Ready | S::Unresponsive)
            }
            S::Errored | S::Unresponsive => !matches!(next, S::Ready | S::Joined | S::Stopping),
            _ => true,
        }
    }
}

/// One engine of the system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Its number, for good.
    pub rank: u32,
    /// Its superblock's UUID.
    pub uuid: Uuid,
    /// Changes with every start of the engine.
    pub incarnation: u64,
    /// `host:port` of the server that runs it.
    pub address: String,
    /// Fabric URI of context 0.
    pub uri: String,
    /// Number of fabric contexts.
    pub contexts: u32,
    /// Fault path of its host.
    pub fault_domain: String,
    /// State.
    pub state: MemberState,
    /// Why it is in that state, when there is something to say.
    pub info: String,
    /// When the state changed last, seconds since 1970.
    pub updated_s: u64,
}
