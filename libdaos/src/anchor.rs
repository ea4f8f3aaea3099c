//! `daos_anchor_t`: where a listing goes on.
//!
//! | field | holds |
//! |---|---|
//! | `da_type` | `ZERO`: begin; `KEY`: go on; `EOF`: nothing follows |
//! | `da_shard` | with `da_flags` 0x20 and `da_type` `ZERO`: the group to list, no other |
//! | `da_flags` | 0x20: stay in the group (`daos_obj_anchor_split`) |
//! | `da_buf` 0..96 | position in the group's shard, as the target gave it |
//! | `da_buf` 96 | length of the position |
//! | `da_buf` 100..104 | number of the group |

use daos_client::keys::Anchor;
use daos_sys::daos_anchor_t;
use daos_sys::{DAOS_ANCHOR_TYPE_EOF, DAOS_ANCHOR_TYPE_KEY, DAOS_ANCHOR_TYPE_ZERO};

/// List one group only (`DIOF_TO_SPEC_GROUP`).
const ONE_GROUP: u32 = 0x20;
const LENGTH_AT: usize = Anchor::POSITION_MAX_BYTES;
const GROUP_AT: usize = 100;

/// What the client makes of the caller's anchor.
pub(crate) fn take(anchor: &daos_anchor_t) -> Anchor {
    let one_group = anchor.da_flags & ONE_GROUP != 0;
    if u32::from(anchor.da_type) == DAOS_ANCHOR_TYPE_ZERO {
        let group = if one_group { u32::from(anchor.da_shard) } else { 0 };
        return Anchor { group, one_group, position: Vec::new(), eof: false };
    }
    let length = usize::from(anchor.da_buf[LENGTH_AT]).min(Anchor::POSITION_MAX_BYTES);
    let group = u32::from_le_bytes(std::array::from_fn(|byte| anchor.da_buf[GROUP_AT + byte]));
    let eof = u32::from(anchor.da_type) == DAOS_ANCHOR_TYPE_EOF;
    Anchor { group, one_group, position: anchor.da_buf[..length].to_vec(), eof }
}

/// The caller's anchor after a listing.
pub(crate) fn give(anchor: &Anchor, before: daos_anchor_t) -> daos_anchor_t {
    let mut after = before;
    after.da_type = if anchor.eof { DAOS_ANCHOR_TYPE_EOF } else { DAOS_ANCHOR_TYPE_KEY } as u16;
    let length = anchor.position.len().min(Anchor::POSITION_MAX_BYTES);
    after.da_buf = [0; 104];
    after.da_buf[..length].copy_from_slice(&anchor.position[..length]);
    after.da_buf[LENGTH_AT] = length as u8;
    after.da_buf[GROUP_AT..].copy_from_slice(&anchor.group.to_le_bytes());
    after
}

/// An anchor at the beginning of one group, that stays in it.
pub(crate) fn of_group(group: u32) -> daos_anchor_t {
    daos_anchor_t { da_shard: group as u16, da_flags: ONE_GROUP, ..daos_anchor_t::default() }
}

/// Where a listing by number goes on: the number in `da_buf`; `None` at its end.
pub(crate) fn take_index(anchor: &daos_anchor_t) -> Option<usize> {
    match u32::from(anchor.da_type) {
        DAOS_ANCHOR_TYPE_EOF => None,
        DAOS_ANCHOR_TYPE_ZERO => Some(0),
        _ => {
            let number = u64::from_le_bytes(std::array::from_fn(|byte| anchor.da_buf[byte]));
            Some(usize::try_from(number).unwrap_or(usize::MAX))
        }
    }
}

/// The caller's anchor after a listing by number.
pub(crate) fn give_index(next: Option<usize>, before: daos_anchor_t) -> daos_anchor_t {
    let mut after = before;
    after.da_type = if next.is_some() { DAOS_ANCHOR_TYPE_KEY } else { DAOS_ANCHOR_TYPE_EOF } as u16;
    after.da_buf = [0; 104];
    after.da_buf[..8].copy_from_slice(&(next.unwrap_or(0) as u64).to_le_bytes());
    after
}
